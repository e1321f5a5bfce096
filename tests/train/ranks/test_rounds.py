# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""--batch-gpu: rounds whose gradients add up to those of the whole batch."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support.ranks import configs, results, train
from support.steps import bits, small_config
from support.trainer import SMALL, call

from gan.networks.generator import Generator
from train.config import TrainConfig
from train.device import estimate_memory
from train.errors import TrainingError
from train.state import TrainState

TOLERANCE = 1e-6


def hold_magnitudes(config: TrainConfig) -> TrainConfig:
    return replace(config, generator=replace(config.generator, magnitude_ema_beta=1.0))


def record_gradients(state: TrainState, monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """Return a list that each phase of the next steps adds its gradient to."""
    found: list[torch.Tensor] = []
    move = state._move

    def watched(name: str) -> list[torch.Tensor]:
        gradients = [p.grad.flatten() for p in state.networks[name].parameters() if p.grad is not None]
        found.append(torch.cat(gradients))
        return move(name)

    monkeypatch.setattr(state, "_move", watched)
    return found


@pytest.mark.parametrize("name", configs())
def test_gradients_of_every_phase_are_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = hold_magnitudes(configs()[name])
    found = []
    for batch_gpu in (0, 4):
        state = TrainState(replace(config, batch_gpu=batch_gpu))
        gradients = record_gradients(state, monkeypatch)
        train(state, 1)
        found.append((gradients, bits(state)))
    (whole, before), (rounds, after) = found
    assert len(whole) == len(rounds) == len(state.phases)
    for one, other in zip(whole, rounds, strict=True):
        assert float((one - other).norm()) <= TOLERANCE * float(one.norm())
    assert torch.equal(before["rng"], after["rng"])
    for key in ("pl_mean", "generator.mapping.w_avg"):
        torch.testing.assert_close(before[key], after[key], rtol=TOLERANCE, atol=TOLERANCE)


def test_magnitudes_move_once_a_step_by_the_first_round() -> None:
    """As far as in one round, but by half of the pictures."""
    config = configs()["R"]
    states = [TrainState(replace(config, batch_gpu=batch_gpu)) for batch_gpu in (0, 4)]
    for state in states:
        train(state, 1)
    name = "L1_36_16"
    moved = [abs(float(state.generator.synthesis.get_submodule(name).magnitude_ema) - 1) for state in states]
    assert moved[0] > 0 and moved[1] == pytest.approx(moved[0], rel=0.3)


def test_statistics_are_those_of_the_batch() -> None:
    config = hold_magnitudes(configs()["A"])
    whole, rounds = (results(TrainState(replace(config, batch_gpu=batch_gpu)), 2) for batch_gpu in (0, 4))
    names = [name for name in whole if name.startswith("stat ")]
    assert {"stat pl", "stat r1", "stat loss_g", "stat d_real_sign"} <= set(names) and rounds.keys() == whole.keys()
    for name in names:
        torch.testing.assert_close(rounds[name], whole[name], rtol=1e-5, atol=1e-6)


def test_resume_is_exact(tmp_path: Path) -> None:
    config = replace(configs()["T"], batch_gpu=4)
    straight = TrainState(config)
    train(straight, 4)
    expected = bits(straight)
    half = TrainState(config)
    train(half, 2)
    half.save(tmp_path / "state.safetensors")
    torch.manual_seed(5)
    again = TrainState.load(tmp_path / "state.safetensors")
    train(again, 2)
    assert again.config.batch_gpu == 4
    assert all(torch.equal(value, expected[key]) for key, value in bits(again).items())


def test_states_from_before_compute_the_batch_at_once() -> None:
    document = small_config("T").to_json()
    del document["batch_gpu"]
    assert TrainConfig.from_json(document) == small_config("T")


def test_a_path_length_needs_a_picture_in_every_part() -> None:
    config = small_config("A", batch=8, batch_gpu=4)
    single = replace(config, discriminator=replace(config.discriminator, mbstd_group=1))
    assert len(TrainState(replace(single, batch_gpu=2)).shares) == 4
    with pytest.raises(TrainingError, match="too few for the 8 parts"):
        assert TrainState(replace(single, batch_gpu=1)).shares


def test_grids_are_drawn_in_parts_that_memory_has_room_for(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, forward = [], Generator.forward

    def watched(self: Generator, z: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
        if not self.training:
            drawn.append(len(z))
        return forward(self, z, *args, **options)

    monkeypatch.setattr(Generator, "forward", watched)
    for words, most in ((("--batch=8", "--batch-gpu=4"), 4), (("--batch=32",), 16)):
        drawn.clear()
        result = call("--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.008", *SMALL, *words)
        assert result.exit_code == 0 and max(drawn) == most and sum(drawn) == 2 * 48, (result.output, drawn)


def test_memory_is_that_of_the_pictures_at_once() -> None:
    config = small_config("T", batch=32)
    part = estimate_memory(small_config("T", batch=8))
    assert estimate_memory(replace(config, batch_gpu=8)) == estimate_memory(config, ranks=4) == part
    assert estimate_memory(config) > part
