# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Whole runs in mixed precision: the default, the options, the log, and the choice that a resumed run keeps."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from support.steps import Types, same, small
from support.trainer import SMALL as SMALL_RUN
from support.trainer import call, rows

from gan.checkpoints.checkpoint import load_tensors, save_tensors
from gan.networks.generator import Generator
from gan.networks.precision import NUM_FP16_RES
from train.config import TrainConfig
from train.errors import TrainingError
from train.loop import Loop
from train.mixed_precision import default_num_fp16_res, describe_precision
from train.state import TrainState

SMALL = ("--cfg=T", *SMALL_RUN)


def started(tmp_path: Path, data: Path, *options: object) -> Path:
    result = call(f"--data={data}", f"--outdir={tmp_path}", *SMALL, *options)
    assert result.exit_code == 0, result.output
    return max(path for path in tmp_path.iterdir() if path.name.endswith("-T-16"))


def half_of(run: Path) -> tuple[int, int]:
    """Return `half` of the options and of the state."""
    document = load_tensors(run / "training-state.safetensors")[1]
    return json.loads((run / "training_options.json").read_text())["half"], document["config"]["half"]


@pytest.mark.slow
def test_a_resumed_run_keeps_its_arithmetic_until_told(tmp_path: Path, data: Path) -> None:
    straight = started(tmp_path, data, "--kimg=0.016", "--num-fp16-res=4")
    assert half_of(straight) == (4, 4)
    assert [row["grad_nonfinite"] for row in rows(straight)] == [0, 0]
    log = (straight / "log.txt").read_text().splitlines()
    assert log[1] == "Computing in float16 on 16, 8; float32 below."
    assert log[2].startswith("On a CPU float16 is slower than float32; stop, and resume with --fp32")

    run = started(tmp_path, data, "--kimg=0.008", "--num-fp16-res=4")
    result = call("resume", run, "--kimg=0.016")
    assert result.exit_code == 0 and "Computing in float16 on 16, 8" in result.output and half_of(run) == (4, 4)
    ours, theirs = (load_tensors(folder / "training-state.safetensors")[0] for folder in (run, straight))
    assert same(ours, theirs)
    result = call("resume", run, "--kimg=0.024", "--fp32")
    assert result.exit_code == 0 and "Computing in float32.\n" in result.output and half_of(run) == (0, 0)
    assert [row["grad_nonfinite"] for row in rows(run)] == [0, 0, None]
    assert call(f"--resume={run}", "--kimg=0.032", "--num-fp16-res=1").exit_code == 0 and half_of(run) == (1, 1)


def test_a_run_of_a_gpu_goes_on_on_a_cpu(tmp_path: Path, data: Path) -> None:
    run = started(tmp_path, data, "--kimg=0.008", "--num-fp16-res=4")
    path = run / "training-state.safetensors"
    tensors, document = load_tensors(path)
    del document["schema"]
    tensors["rng.cuda"] = torch.zeros(16, dtype=torch.uint8)
    save_tensors(path, tensors, {**document, "config": {**document["config"], "device": "cuda"}})
    result = call("resume", run, "--kimg=0.016", "--device=cpu")
    assert result.exit_code == 0 and half_of(run) == (4, 4), result.output
    assert "float16 on 16, 8" in result.output and "On a CPU float16 is slower" in result.output


def test_one_spoiled_step_ends_a_float32_run_only(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = TrainState.step

    def spoil(self: TrainState, reals: torch.Tensor, labels: Any) -> Any:
        return step(self, reals * math.nan if self.steps in spoiled else reals, labels)

    monkeypatch.setattr(TrainState, "step", spoil)
    spoiled = {1}
    run = started(tmp_path, data, "--kimg=0.016", "--num-fp16-res=4")
    assert [row["grad_nonfinite"] for row in rows(run)] == [0.5, 0]
    assert all(math.isfinite(row["loss_d"]) for row in rows(run))
    assert "gradients overflowed in 50.0% of steps" in (run / "log.txt").read_text()
    for half, spoiled in ((0, {1}), (4, {2, 3})):  # noqa: B007 - read by `spoil`
        result = call(f"--data={data}", f"--outdir={tmp_path}", *SMALL, "--kimg=0.016", f"--num-fp16-res={half}")
        assert result.exit_code == 1 and "Training diverged" in result.output
        run = max(path for path in tmp_path.iterdir() if path.name.endswith("-T-16"))
        assert rows(run)[-1]["loss_d"] is None, "it was not a number"


def test_grids_are_drawn_in_float32(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    forward = Generator.forward

    def watched(self: Generator, *args: Any, **options: Any) -> torch.Tensor:
        with Types() as types:
            images = forward(self, *args, **options)
        seen.append({dtype for _, dtype in types.seen})
        return images

    monkeypatch.setattr(Generator, "forward", watched)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        started(tmp_path, data, "--kimg=0.008", "--num-fp16-res=4")
    assert seen and all(types == {torch.float32} for types in seen)


@pytest.mark.parametrize(
    ("device", "options", "expected"),
    [
        ("cuda", (), 4),
        ("cuda:1", (), 4),
        ("cpu", (), 0),
        ("mps", (), 0),
        ("cuda", ("--fp32",), 0),
        ("cuda", ("--num-fp16-res=0",), 0),
        ("cuda", ("--num-fp16-res=2",), 2),
        ("cpu", ("--num-fp16-res=4",), 4),
    ],
)
def test_the_device_decides_unless_told(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, device: str, options: tuple[str, ...], expected: int
) -> None:
    found = []

    def stop(config: TrainConfig, *_: object) -> None:
        found.append(config)
        raise TrainingError("Far enough.")

    monkeypatch.setattr("train.launch.check_device", lambda name: None)
    monkeypatch.setattr("train.ranks.group.require_device", lambda name: None)
    monkeypatch.setattr("train.launch.check_memory", stop)
    for command in ([*SMALL], ["ladder", "--cfg=T"]):
        given = [f"--data={data}", f"--outdir={tmp_path / 'runs'}", f"--device={device}", *options]
        assert "Far enough." in call(*command, *given).output
    assert [(config.device, config.num_fp16_res) for config in found] == [(device, expected)] * 2
    assert default_num_fp16_res(device) == (4 if "cuda" in device else 0)


def test_nonsense_is_refused(tmp_path: Path, data: Path) -> None:
    given = (f"--data={data}", f"--outdir={tmp_path / 'runs'}", *SMALL)
    for option in ("--num-fp16-res=-1", "--num-fp16-res=11", "--num-fp16-res=x"):
        result = call(*given, option)
        assert result.exit_code == 2 and "--num-fp16-res" in result.output.splitlines()[-1]
    result = call(*given, "--fp32", "--num-fp16-res=4")
    assert result.exit_code == 2 and "--fp32 means --num-fp16-res=0" in result.output.splitlines()[-1]
    assert not (tmp_path / "runs").exists()
    for half in (-1, 11):
        with pytest.raises(TrainingError, match=f"--num-fp16-res must be from 0 to 10, not {half}"):
            small("T", num_fp16_res=half)
    with pytest.raises(TrainingError, match="half must be of type int"):
        small("T", num_fp16_res=True)


def test_options_from_before_load_as_float32() -> None:
    document = small("T").to_json()
    assert document["half"] == NUM_FP16_RES and TrainConfig.from_json(document) == small("T")
    del document["half"]
    assert TrainConfig.from_json(document) == small("T", num_fp16_res=0)


def test_precision_in_words() -> None:
    assert describe_precision(0, 256) == "float32"
    assert describe_precision(4, 256) == "float16 on 256, 128, 64, 32; float32 below"
    assert describe_precision(10, 1024) == "float16 on 1024, 512, 256, 128, 64, 32, 16, 8; float32 below"
    assert describe_precision(1, 16) == "float16 on 16; float32 below"


def test_a_tick_waits_for_the_device_before_its_clock(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a device that is 100 s behind when the last step of a tick is queued, the rate is what it did, not queued."""
    now = [0.0]
    monkeypatch.setattr("train.loop.synchronize", lambda device: now.__setitem__(0, now[0] + 100))
    loop = Loop
    monkeypatch.setattr("train.launch.Loop", lambda *args, **kwargs: loop(*args, **kwargs, clock=lambda: now[0]))
    run = started(tmp_path, data, "--kimg=0.016")
    assert [(row["images_per_s"], row["seconds"]) for row in rows(run)] == [(0.08, 100), (0.08, 200)]
