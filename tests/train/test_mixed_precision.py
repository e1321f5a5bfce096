# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Training in mixed precision: losses, gradients, overflows, and steps that wait for nothing."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.steps import Types, batch, bits, same, small
from torch.utils._python_dispatch import TorchDispatchMode

from gan.networks.precision import NUM_FP16_RES
from train.losses import Step, path_length_loss, r1_loss, r1_penalty
from train.mixed_precision import loss_scale, unscale_and_sanitize_
from train.state import TrainState
from train.watching.running_means import MEANS, RunningMeans

# ---------------------------------------------------------------------------------------------------------- the losses


@pytest.mark.parametrize("name", list("ATR"))
def test_every_phase_computes_in_float16_and_float32(name: str) -> None:
    """Each phase alone, so that none hides behind another; losses and gradients are float32 and finite."""
    state = TrainState(small(name))
    for phase in state.phases:
        for network in state.optimizers:
            state.networks[network].requires_grad_(network == phase.network)
        step = Step(state.config, state.generator, state.discriminator, batch(0), None, state.pl_mean, state.augmenter)
        with Types() as types:
            loss, stats = phase.loss(step)
            loss.backward()
        expected = {("convolution", torch.float16), ("convolution_backward", torch.float16)}
        assert expected <= types.seen and ("convolution", torch.float32) in types.seen, phase.name
        assert all(value.dtype == torch.float32 for value in (loss, *stats.values()))
        moved = [p.grad for p in state.networks[phase.network].parameters() if p.grad is not None]
        assert moved and all(g.dtype == torch.float32 and torch.isfinite(g).all() for g in moved), phase.name
        state.networks[phase.network].zero_grad()


def test_float32_computes_nothing_in_float16() -> None:
    state = TrainState(small("T", num_fp16_res=0))
    with Types() as types:
        stats = state.step(batch(0), None)
    assert {dtype for _, dtype in types.seen} == {torch.float32} and "grad_nonfinite" not in stats


def trajectory(name: str, num_fp16_res: int, noise: float = 0.0, seed: int = 0) -> list[dict[str, float]]:
    """Return the statistics of six steps; `noise`: the relative change of all weights at first."""
    state = TrainState(small(name, num_fp16_res))
    drawn = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for network in state.optimizers:
            for parameter in state.networks[network].parameters():
                parameter *= 1 + noise * torch.randn(parameter.shape, generator=drawn)
    torch.manual_seed(1)
    found = [{key: float(value) for key, value in state.step(batch(index), None).items()} for index in range(6)]
    assert state.is_finite()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", list("ABDTR"))
def test_losses_stay_as_close_as_rounding_leaves_them(name: str) -> None:
    """float16 rounds by up to 2^-11; weights that are changed by as much, once, say what that comes to in a run."""
    full, mixed = trajectory(name, 0), trajectory(name, NUM_FP16_RES)
    turned = [trajectory(name, 0, noise=2**-11, seed=seed) for seed in range(4)]
    assert all(step["grad_nonfinite"] == 0 for step in mixed)
    measured = {key for step in full for key in step}
    assert measured == {"loss_g", "loss_d", "r1", "d_real_sign", "d_fake_sign"} | ({"pl"} if name in "AB" else set())
    for key in sorted(measured - {"d_real_sign", "d_fake_sign"}):
        expected, found, *near = (
            np.array([step[key] for step in run if key in step]) for run in (full, mixed, *turned)
        )
        rounding = max(np.abs(other - expected).max() for other in near)
        assert 0 < np.abs(found - expected).max() < 3 * rounding, key


def test_scales_of_losses() -> None:
    assert [loss_scale(*of) for of in ((4, 64), (32, 256), (64, 256), (32, 1024), (1, 16), (24, 64))] == [
        64,
        2048,
        4096,
        8192,
        4,
        512,
    ]


@pytest.mark.parametrize(("name", "reaction"), [("B", 2.0**-12), ("T", 2.0**-4)])
def test_small_gradients_do_not_vanish_in_float16(name: str, reaction: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a D that hardly reacts, so that what reaches a pixel is as small as with many large pictures.

    Adam's first average, of exponent 0, is the gradient that it was given.
    """

    def found(num_fp16_res: int) -> torch.Tensor:
        state = TrainState(small(name, num_fp16_res, pl_weight=0.0, gamma=0.0, g_lr=0.0, d_lr=0.0))
        with torch.no_grad():
            state.discriminator.b4.out.weight *= reaction
        assert state.step(batch(0), None).get("grad_nonfinite", 0) == 0
        entries = state.optimizers["generator"].state_dict()["state"].values()
        return torch.cat([entry["exp_avg"].flatten() for entry in entries])

    expected = found(0)
    error = float((found(NUM_FP16_RES) - expected).norm() / expected.norm())
    monkeypatch.setattr("train.state.loss_scale", lambda batch, resolution: 1.0)
    unscaled = float((found(NUM_FP16_RES) - expected).norm() / expected.norm())
    assert 0 < error < 0.02 and unscaled > 5 * error


def test_the_scale_is_undone_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing in float16, a run of any scale is the run without."""
    monkeypatch.setattr("gan.networks.precision.PrecisionPolicy.dtype", lambda self, rate, resolution, full: full)
    one, other = TrainState(small("A", num_fp16_res=0)), TrainState(small("A"))
    for state in (one, other):
        torch.manual_seed(1)
        for index in range(3):
            state.step(batch(index), None)
        state.future = bits(state)  # type: ignore[attr-defined]
    assert same(one.future, other.future)  # type: ignore[attr-defined]


def test_penalties_are_float32() -> None:
    """A gradient of 300 a pixel: its square is beyond float16, and so is the sum."""
    reals = torch.zeros(1, 3, 16, 16, requires_grad=True)
    penalty = r1_penalty((reals.half() * 300).float().sum((1, 2, 3)), reals)
    assert float(penalty) == 300**2 * 3 * 16**2


def test_r1_and_path_length_go_through_float16_twice() -> None:
    """The second gradients, against float32's: as near as float16's rounding of weights leaves them."""
    for loss, name, network in ((r1_loss, "T", "discriminator"), (path_length_loss, "A", "generator")):
        found = []
        for num_fp16_res, noise in ((0, 0.0), (NUM_FP16_RES, 0.0), (0, 2**-11)):
            state = TrainState(small(name, num_fp16_res, style_mixing=0.0, noise="none"))
            with torch.no_grad():
                for parameter in state.networks[network].parameters():
                    parameter *= 1 + noise * torch.randn_like(parameter)
            torch.manual_seed(7)
            step = Step(
                state.config, state.generator, state.discriminator, batch(0), None, torch.tensor(0.5), state.augmenter
            )
            value, _ = loss(step)
            value.backward()
            found.append(
                torch.cat([p.grad.flatten() for p in state.networks[network].parameters() if p.grad is not None])
            )
        full, mixed, turned = found
        assert 0 < float((mixed - full).norm()) < 3 * float((turned - full).norm())
        assert float((mixed - full).norm()) < 0.05 * float(full.norm())


@pytest.mark.parametrize("name", list("ATR"))
def test_resume_is_exact(tmp_path: Path, name: str) -> None:
    straight = TrainState(small(name))
    for index in range(6):
        straight.step(batch(index), None)
    expected = bits(straight)
    first = TrainState(small(name))
    for index in range(3):
        first.step(batch(index), None)
    first.save(tmp_path / "state.safetensors")
    torch.manual_seed(12345)
    resumed = TrainState.load(tmp_path / "state.safetensors")
    assert resumed.config.num_fp16_res == NUM_FP16_RES
    for index in range(3, 6):
        resumed.step(batch(index), None)
    assert same(bits(resumed), expected)
    other = TrainState(small(name, num_fp16_res=0))
    for index in range(6):
        other.step(batch(index), None)
    assert not same(bits(other), expected), "this test can tell"


# ------------------------------------------------------------------------------------------------ autocast and waiting


@pytest.mark.parametrize("num_fp16_res", [0, NUM_FP16_RES])
def test_a_callers_autocast_changes_nothing(num_fp16_res: int) -> None:
    inside, outside = (TrainState(small("B", num_fp16_res)) for _ in range(2))
    torch.manual_seed(1)
    expected = [outside.step(batch(index), None) for index in range(2)]
    future = bits(outside)
    torch.manual_seed(1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (torch.ones(1, 1) @ torch.ones(1, 1)).dtype == torch.bfloat16, "this test can tell"
        found = [inside.step(batch(index), None) for index in range(2)]
        assert torch.is_autocast_enabled("cpu"), "the caller gets it back"
    assert all(same(one, other) for one, other in zip(found, expected, strict=True)) and same(bits(inside), future)


class Looks(TorchDispatchMode):
    """Operators whose result depends on a tensor's value on the host: on a GPU each would wait for all before it."""

    WAIT = ("_local_scalar_dense", "is_nonzero", "nonzero", "masked_select", "equal", "unique", "item")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func).removeprefix("aten.").split(".")[0]
        if name.strip("_") in [wait.strip("_") for wait in self.WAIT]:
            self.found.append(name)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", list("ABDTR"))
def test_a_step_looks_at_no_value(name: str) -> None:
    state, means = TrainState(small(name)), RunningMeans(finite_only=True)
    labelled = TrainState(
        replace(
            small(name),
            generator=replace(small(name).generator, c_dim=3),
            discriminator=replace(small(name).discriminator, c_dim=3),
        )
    )
    with Looks() as looks:
        for index in range(2):
            means.add(state.step(batch(index), None))
            means.add(labelled.step(batch(index), torch.eye(4, 3)))
        assert looks.found == []
        assert bool(state.generator.mapping.w_avg.isfinite().all())
    assert looks.found == ["_local_scalar_dense"], "this test can tell"


# ----------------------------------------------------------------------------------------------- what is not a number


def test_gradients_are_unscaled_and_sanitized_in_place() -> None:
    weights = [torch.nn.Parameter(torch.zeros(size)) for size in (4, 2, 1)]
    weights[0].grad = torch.tensor([1.0, math.nan, math.inf, -math.inf])
    weights[1].grad = torch.tensor([3e38, -2e-40])  # finite: stays what it is
    assert float(unscale_and_sanitize_(weights)) == 1
    assert weights[0].grad.tolist() == [1, 0, 0, 0] and weights[2].grad is None
    assert torch.equal(weights[1].grad, torch.tensor([3e38, -2e-40]))
    assert float(unscale_and_sanitize_(weights)) == 0
    weights[1].grad[0] = -math.inf
    assert float(unscale_and_sanitize_(weights, 4.0)) == 1 and weights[1].grad[0] == 0
    assert weights[0].grad.tolist() == [0.25, 0, 0, 0]


def spoiled(num_fp16_res: int, name: str = "B") -> TrainState:
    """Return a run in which D saw a picture that is not a number, then one good batch."""
    state = TrainState(small(name, num_fp16_res))
    state.step(batch(0), None)
    before = bits(state)
    reals = batch(1)
    reals[0, 0, 3, 3] = math.nan
    stats = state.step(reals, None)
    assert math.isnan(stats["loss_d"]) and not math.isnan(stats["loss_g"])
    if num_fp16_res:
        assert stats["grad_nonfinite"] == 1
        after = bits(state)
        moved = {key.split(".")[0] for key in after if "weight" in key and not torch.equal(after[key], before[key])}
        assert moved >= {"generator", "ema"}
        assert state.step(batch(2), None)["grad_nonfinite"] == 0
    return state


def test_an_overflow_costs_a_step_and_not_the_weights() -> None:
    assert spoiled(NUM_FP16_RES).is_finite()
    assert not spoiled(0).is_finite(), "in float32 it is a divergence, and found"


@pytest.mark.parametrize(("name", "layer"), [("T", "L1_36_8"), ("B", "b16.conv0")])
def test_averages_survive_an_overflow_in_the_generator(name: str, layer: str) -> None:
    """A float16 layer that gives NaN in one step: the magnitudes and the mean path length must not keep it."""
    state = TrainState(small(name, pl_weight=2.0))
    state.step(batch(0), None)
    state.step(batch(1), None)
    seen = []

    def spoil(module: torch.nn.Module, given: Any, output: torch.Tensor) -> torch.Tensor:
        seen.append(output.dtype)
        return output * math.nan

    mean = float(state.pl_mean)
    hook = state.generator.synthesis.get_submodule(layer).register_forward_hook(spoil)
    stats = state.step(batch(2), None)
    hook.remove()
    assert set(seen) == {torch.float16} and stats["grad_nonfinite"] == 1
    assert all(math.isnan(stats[key]) for key in ("loss_g", "loss_d", "pl"))
    assert state.is_finite() and float(state.pl_mean) == mean > 0
    again = [state.step(batch(index), None) for index in range(3, 5)]
    assert all(step["grad_nonfinite"] == 0 and math.isfinite(step["loss_g"]) for step in again)
    assert math.isfinite(again[1]["pl"]) and float(state.pl_mean) != mean


def test_one_broken_phase_of_a_step_counts() -> None:
    state = TrainState(small("T"))
    layer = state.generator.synthesis.get_submodule("L1_36_8")
    hook = layer.register_forward_hook(lambda module, given, output: hook.remove() or output * math.nan)
    stats = state.step(batch(0), None)
    assert math.isnan(stats["loss_g"]) and math.isfinite(stats["loss_d"]) and stats["grad_nonfinite"] == 1


def test_means_leave_out_what_is_not_finite_in_float16_alone() -> None:
    values = [1.0, math.nan, 3.0, math.inf]
    for finite_only, expected in ((True, 2.0), (False, math.nan)):
        means = RunningMeans(finite_only)
        for value in values:
            means.add({"loss_g": torch.tensor(value), "r1": torch.tensor(math.nan)})
        found = means.take()
        assert found["loss_g"] == expected or (math.isnan(found["loss_g"]) and math.isnan(expected))
        assert math.isnan(found["r1"]) and found["pl"] is None, "NaN where there was nothing else: that is a divergence"
        assert means.take() == dict.fromkeys(MEANS)
