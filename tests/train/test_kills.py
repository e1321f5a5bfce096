# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A run that is killed again and again ends as the one that was left alone, to the last bit."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.trainer import SMALL, rows

from gan.checkpoints.checkpoint import load_tensors
from train.run_folder import snapshot_name

KILLS = 50
ROOT = Path(__file__).parents[2]
STATE = "training-state.safetensors"
OF_THE_CLOCK = {"seconds", "images_per_s", "data_wait", "memory_mb", "memory_reserved_mb"}


def make_labelled_set(folder: Path) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(24):
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{i:03d}.png")
    labels = [[f"{i:03d}.png", i % 3] for i in range(24)]
    (folder / "dataset.json").write_text(json.dumps({"labels": labels}))
    return folder


def start(*options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "train.py", *map(str, options)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )


def kill_after_progress(process: subprocess.Popen[bytes], run: Path, seconds: float) -> None:
    """Kill a run `seconds` after its state has changed; fail if it ends by itself."""
    changed = (run / STATE).stat().st_mtime_ns if (run / STATE).exists() else 0
    deadline = time.monotonic() + 120
    while not (run / STATE).exists() or (run / STATE).stat().st_mtime_ns == changed:
        assert process.poll() is None and time.monotonic() < deadline, process.returncode
        time.sleep(0.01)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def numbers(run: Path) -> list[dict[str, object]]:
    return [{key: value for key, value in row.items() if key not in OF_THE_CLOCK} for row in rows(run)]


@pytest.mark.nightly
def test_fifty_kills_lose_nothing(tmp_path: Path) -> None:
    """With labels and ADA, whose p moves; killed at any moment, while it steps, measures or writes."""
    data, moments = make_labelled_set(tmp_path / "set"), random.Random(0)
    given = (
        *("--cfg=T", f"--data={data}", *SMALL, "--cond=1", "--mirror=1", "--threads=1", "--tick=0.024"),
        *("--aug=ada", "--ada-kimg=1", "--target=0.2"),
    )
    process = start(*given, f"--outdir={tmp_path / 'killed'}", "--kimg=1000")
    run, reached = tmp_path / "killed" / "00000-set-T-16", [0]
    for _ in range(KILLS):
        kill_after_progress(process, run, moments.uniform(0, 0.6))
        reached.append(int(load_tensors(run / STATE)[1]["images"]))
        process = start(f"--resume={run}")
    kill_after_progress(process, run, 0)
    images = int(load_tensors(run / STATE)[1]["images"]) // 24 * 24 + 48
    assert start(f"--resume={run}", f"--kimg={images / 1000}").wait() == 0
    assert start(*given, f"--outdir={tmp_path / 'straight'}", f"--kimg={images / 1000}").wait() == 0
    straight = tmp_path / "straight" / run.name
    for name in (STATE, snapshot_name(images)):
        ours, theirs = load_tensors(run / name)[0], load_tensors(straight / name)[0]
        assert ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in theirs), name
    assert numbers(run) == numbers(straight)
    assert numbers(run)[-1]["augment_p"] not in (None, 0.0) and reached == sorted(set(reached))
