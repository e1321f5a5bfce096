# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Before a run starts: its hours, its memory with augmentation."""

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support.steps import batch, small_config
from support.trainer import SMALL, call

from gan.augment.config import PIPES
from gan.augment.options import AugmentOptions
from train.device import augmentation_bytes, estimate_memory
from train.estimates import describe_pace, measure_rate
from train.state import TrainState


def test_the_rate_is_about_that_of_a_run() -> None:
    config = small_config("T")
    state = TrainState(config)
    for _ in range(3):
        state.step(batch(0), None)
    begun = time.perf_counter()
    for index in range(12):
        state.step(batch(index), None)
    true = 12 * config.batch / (time.perf_counter() - begun)
    assert true / 4 < measure_rate(config) < 4 * true, "on a machine that has other work, too"


def test_slow_kinds_of_steps_count_as_often_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(self: TrainState, *args: object) -> None:
        time.sleep(0.3 if self.steps % 3 == 0 else 0.03)

    monkeypatch.setattr(TrainState, "step", step)
    rate = measure_rate(small_config("T", r1_interval=3))
    assert rate == pytest.approx(3 * 4 / (0.3 + 2 * 0.03), rel=0.25)


def test_a_run_says_its_hours_before_it_starts_and_is_the_same_run(tmp_path: Path, data: Path) -> None:
    words = ("--cfg=T", f"--data={data}", f"--outdir={tmp_path / 'runs'}", *SMALL, "--tick=1")
    result = call(*words, "--kimg=0.4")
    assert result.exit_code == 0, result.output
    log = (tmp_path / "runs" / "00000-blobs-T-16" / "log.txt").read_text()
    assert re.search(r"^Expect about .+ at [\d.e+]+ images/s, by steps timed before the start\.$", log, re.M)
    assert log.index("Expect about") < log.index("tick 1")
    short = call(*words, "--kimg=0.004", "-n")
    assert "over before its time" in short.output
    ahead = call(*words, "--kimg=40", "-n")
    assert "Expect about" in ahead.output and len(list((tmp_path / "runs").iterdir())) == 1


def test_timing_leaves_the_first_state_as_it_is() -> None:
    config = small_config("T", total_images=10_000)
    before = TrainState(config)
    draws = torch.rand(3)
    assert describe_pace(config)
    after = TrainState(config)
    assert torch.equal(draws, torch.rand(3))
    for one, other in zip(before.generator.parameters(), after.generator.parameters(), strict=True):
        assert torch.equal(one, other)


def test_processes_share_the_time() -> None:
    said = describe_pace(small_config("T", total_images=10_000, batch=8), ranks=2)
    assert "if 2 processes are 2 times as fast as one" in said


def test_memory_counts_augmentation() -> None:
    config = small_config("T")
    picture = 4 * 3 * 16 * 16
    for options, copies in (
        (AugmentOptions(), 0),
        (AugmentOptions("ada"), 47),
        (AugmentOptions("fixed", pipe=PIPES["color"]), 10),
        (AugmentOptions(diffaug=("color",)), 10),
    ):
        augmented = replace(config, augment=options)
        assert augmentation_bytes(augmented) == copies * picture
        assert estimate_memory(augmented) - estimate_memory(config) == config.batch * copies * picture
