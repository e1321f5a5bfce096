# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Whole runs on a part of a set: chosen by the seed, and chosen again when it goes on."""

import json
from pathlib import Path

import pytest
import torch
from support.trainer import SMALL, call

from gan.checkpoints.checkpoint import load_tensors
from gan.data import image_dataset
from gan.files.wishes import write_wishes
from train.state import TrainState

WORDS = "--cfg=T --kimg=0.024 --subset=3 --mirror-y --img-snap=1 --snap=2 --map-depth=3 --nobench".split()


@pytest.mark.parametrize("limit", [0, 2**30])
def test_a_run_on_a_subset_stops_and_resumes_exactly(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(image_dataset, "MEMORY_LIMIT", limit)
    monkeypatch.setattr("train.launch.open_images", lambda *args: image_dataset.open_images(*args, memory_limit=limit))
    small = [word for word in SMALL if word != "--snap=1"]
    words = (*small, *WORDS, f"--data={data}", f"--outdir={tmp_path / 'runs'}")
    assert call(*words).exit_code == 0
    step = TrainState.step

    def stopped(self: TrainState, *args: object) -> object:
        if self.steps == 2:
            write_wishes(tmp_path / "runs" / "00001-blobs-T-16", stop=True)
        return step(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(TrainState, "step", stopped)
        assert "Stopped at 0.012" in call(*words).output
    straight, run = sorted((tmp_path / "runs").iterdir())
    result = call("resume", run)
    assert result.exit_code == 0, result.output
    ours, theirs = (load_tensors(folder / "training-state.safetensors")[0] for folder in (run, straight))
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in theirs)
    options = json.loads((run / "training_options.json").read_text())
    assert (options["subset"], options["data_images"], options["mirror_y"]) == (3, 3, True)
    assert options["generator"]["mapping_layers"] == 3 and options["cudnn_benchmark"] is False
    assert json.loads((run / "data.json").read_text())["pictures"] == 3
    snapshots = len(list(straight.glob("network*")))
    assert len(list(straight.glob("fakes*"))) > snapshots + 1, "--img-snap draws between the snapshots"


def test_more_than_there_is_is_refused(tmp_path: Path, data: Path) -> None:
    result = call(*SMALL, "--cfg=T", f"--data={data}", f"--outdir={tmp_path / 'runs'}", "--subset=7")
    assert result.exit_code == 1 and "fewer than the 7 of --subset; give fewer." in result.output
    assert not (tmp_path / "runs").exists()
