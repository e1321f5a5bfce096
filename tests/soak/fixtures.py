# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What a soak plays with: models, files that are none, a run that grows, and a monitor that trains nothing."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from viz.core.panel_state import TrainingState
from viz.training.monitor import RunMonitor


class StandInMonitor(RunMonitor):
    """Follows runs like any monitor, but trains nothing: what would start or end a process shows `run_folder`."""

    def __init__(self, run_folder: Path) -> None:
        super().__init__()
        self._stand_in = str(run_folder)

    def start(self, training: TrainingState, model: str = "") -> None:
        self.follow(self._stand_in)

    def resume(self, run_folder: Path, kimg: float = 0.0) -> None:
        self.follow(self._stand_in)

    def end(self) -> None:
        self.follow("")

    def _report_failure(self, problem: Exception) -> None:
        raise problem  # ends the thread, which the soak counts as an error


class StandInRun:
    """A run folder that grows as if a trainer wrote it, damage included, and begins again when it is long."""

    def __init__(self, folder: Path, model: str) -> None:
        self.folder, self._model, self._tick = folder, model, 0
        self._rng = np.random.RandomState(0)
        folder.mkdir()

    def grow(self) -> None:
        """Write one tick."""
        self._tick = self._tick + 1 if self._tick < 200 else 1
        if self._tick == 1:
            for path in self.folder.iterdir():
                path.unlink()
        row = {"kimg": 4.0 * self._tick, "loss_g": self._rng.rand(), "loss_d": self._rng.rand(), "r1": None}
        with open(self.folder / "stats.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(row)[: None if self._tick % 7 else 20] + "\n")
        state = ("starting", "training", "training", "stopping", "stopped", "failed", "finished")[self._tick // 10 % 7]
        error = "It failed." if state == "failed" else None
        document = {
            "state": state,
            "images": 4000 * self._tick,
            "total_images": 800_000,
            "images_per_s": 8.0,
            "seconds_left": 60.0,
            "pid": os.getpid(),
            "error": error,
        }
        (self.folder / "progress.json").write_text(json.dumps(document)[: None if self._tick % 5 else 30])
        if self._tick % 4 == 0:
            pixels = self._rng.randint(0, 256, (96, 128, 3), np.uint8)
            Image.fromarray(pixels).save(self.folder / f"fakes{4 * self._tick:06d}.png")
        if self._tick % 20 == 0:
            shutil.copy(self._model, self.folder / f"network-snapshot-{4 * self._tick:06d}.safetensors")


def save_models(folder: Path) -> list[str]:
    """Paths of one small untrained model a rung, and of the bundled ones."""
    import torch

    from gan.checkpoints.checkpoint import save_generator
    from gan.hub.resolve import list_bundled
    from gan.networks.generator import Generator
    from gan.networks.ladder import RUNGS, rung_config

    torch.manual_seed(0)
    paths = []
    for letter, _ in RUNGS:
        path = folder / f"untrained-{letter}.safetensors"
        config = rung_config(letter, 32, z_dim=32, w_dim=32, channel_base=512, channel_max=16)
        save_generator(path, Generator(config), {"kimg": 0.0})
        paths.append(str(path))
    return paths + [model.path for model in list_bundled()]


def save_bad_files(folder: Path, model: str) -> list[str]:
    """Paths that cannot be opened, each for another reason."""
    whole = Path(model).read_bytes()
    contents = {
        "empty.safetensors": b"",
        "short.safetensors": whole[: len(whole) // 2],
        "header.safetensors": whole[:40],
        "noise.safetensors": bytes(random.Random(0).randbytes(4096)),
        "huge-header.safetensors": (2**62).to_bytes(8, "little") + b"{}",
        "pickle.pkl": b"\x80\x04K\x01.",
        "picture.png": b"\x89PNG\r\n\x1a\n",
        "text.txt": b"not a model",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "folder.safetensors").mkdir()
    absent = [str(folder / "absent.safetensors"), "", " ", "\x00", "x" * 5000, "~", "~nobody/x", "T", "stylegan3-r"]
    return [str(folder / name) for name in (*contents, "folder.safetensors")] + absent
