# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Training in mixed precision: what the losses become, what overflows, what resumes, and who decides."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

import train.bench
import train.cli
import train.device
from gan.arithmetic import FULL, HALF, Arithmetic
from gan.checkpoint import load_tensors, save_tensors
from gan.config import DiscriminatorConfig
from gan.discriminator import Discriminator
from gan.generator import Generator
from gan.ladder import rung
from train.cli import main
from train.config import TrainConfig, TrainingError, configure
from train.loop import MEANS, Loop, Means
from train.losses import Step, path_length_loss, r1_loss, r1_penalty
from train.memory import _generator_bytes, _pyramid_bytes, estimate_memory
from train.precision import LARGEST, default_half, described, loss_scale, mend_gradients
from train.state import TrainState


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small only lose by sharing their work out; flushed denormals are the trainer's own setting."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


def small(name: str, half: int = HALF, **others: Any) -> TrainConfig:
    """A run of 16x16 whose 16 and 8 are float16, and that visits every phase within three steps."""
    skip = name in "ABC"
    layers = {"num_layers": 4} if name in "TR" else {}
    generator = rung(name, 16, channel_base=64, channel_max=8, z_dim=8, w_dim=8, mapping_layers=2, **layers)
    fields: dict[str, Any] = {
        "generator": generator,
        "discriminator": DiscriminatorConfig(resolution=16, channel_base=64, channel_max=8),
        "data": "set", "data_name": "set", "data_images": 10, "data_digest": "", "total_images": 1000, "batch": 4,
        "gamma": 1.0, "r1_interval": 3, "pl_interval": 2, "pl_weight": 2.0 if skip else 0.0, "half": half,
        "style_mixing": 0.9 if skip else 0.0, "blur_sigma": 1.0 if name == "R" else 0.0, "blur_images": 100,
    }  # fmt: skip
    return TrainConfig(**{**fields, **others})


def batch(index: int) -> torch.Tensor:
    return torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(index)) * 2 - 1


def bits(state: TrainState) -> dict[str, torch.Tensor]:
    """Everything that decides the future of a run."""
    found = {"pl_mean": state.pl_mean, "rng": torch.get_rng_state()}
    for name in ("generator", "discriminator", "ema"):
        found |= {f"{name}.{key}": value for key, value in state.network(name).state_dict().items()}
    for name, optimizer in state.optimizers.items():
        for index, entry in optimizer.state_dict()["state"].items():
            found |= {f"{name}.{index}.{key}": value for key, value in entry.items()}
    return {key: value.clone() for key, value in found.items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[key]) for key, value in one.items())


# ---------------------------------------------------------------------------------------------------------- the losses


class Types(TorchDispatchMode):
    """The types that convolutions, forward and backward, get, as (operator, type)."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[str, torch.dtype]] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func).removeprefix("aten.").split(".")[0]
        if name.startswith("convolution"):
            self.seen.add((name, args[0].dtype))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", list("ATR"))
def test_every_phase_computes_in_float16_and_float32(name: str) -> None:
    """Each phase alone, so that none hides behind another; losses and gradients are float32 and finite."""
    state = TrainState(small(name))
    for phase in state.phases:
        for network in state.optimizers:
            state.network(network).requires_grad_(network == phase.network)
        step = Step(state.config, state.generator, state.discriminator, batch(0), None, state.pl_mean)
        with Types() as types:
            loss, stats = phase.loss(step)
            loss.backward()
        expected = {("convolution", torch.float16), ("convolution_backward", torch.float16)}
        assert expected <= types.seen and ("convolution", torch.float32) in types.seen, phase.name
        assert all(value.dtype == torch.float32 for value in (loss, *stats.values()))
        moved = [p.grad for p in state.network(phase.network).parameters() if p.grad is not None]
        assert moved and all(g.dtype == torch.float32 and torch.isfinite(g).all() for g in moved), phase.name
        state.network(phase.network).zero_grad()


def test_float32_computes_nothing_in_float16() -> None:
    state = TrainState(small("T", half=0))
    with Types() as types:
        stats = state.step(batch(0), None)
    assert {dtype for _, dtype in types.seen} == {torch.float32} and "grad_nonfinite" not in stats


def trajectory(name: str, half: int, noise: float = 0.0, seed: int = 0) -> list[dict[str, float]]:
    """Statistics of six steps; `noise`: what all weights are changed by at first, relative."""
    state = TrainState(small(name, half))
    drawn = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for network in state.optimizers:
            for parameter in state.network(network).parameters():
                parameter *= 1 + noise * torch.randn(parameter.shape, generator=drawn)
    torch.manual_seed(1)
    found = [{key: float(value) for key, value in state.step(batch(index), None).items()} for index in range(6)]
    assert state.finite()
    return found


@pytest.mark.parametrize("name", list("ABDTR"))
def test_losses_stay_as_close_as_rounding_leaves_them(name: str) -> None:
    """float16 rounds by up to 2^-11; weights that are changed by as much, once, say what that comes to in a run."""
    full, mixed = trajectory(name, 0), trajectory(name, HALF)
    turned = [trajectory(name, 0, noise=2**-11, seed=seed) for seed in range(4)]
    assert all(step["grad_nonfinite"] == 0 for step in mixed)
    measured = {key for step in full for key in step}
    assert measured == {"loss_g", "loss_d", "r1", "d_real_sign", "d_fake_sign"} | ({"pl"} if name in "AB" else set())
    for key in sorted(measured - {"d_real_sign", "d_fake_sign"}):
        expected, found, *near = (
            np.array([step[key] for step in run if key in step]) for run in (full, mixed, *turned))
        rounding = max(np.abs(other - expected).max() for other in near)
        assert 0 < np.abs(found - expected).max() < 3 * rounding, key


# ------------------------------------------------------------------------------------------------ autocast and waiting


@pytest.mark.parametrize("half", [0, HALF])
def test_a_callers_autocast_changes_nothing(half: int) -> None:
    inside, outside = (TrainState(small("B", half)) for _ in range(2))
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
    state, means = TrainState(small(name)), Means(finite_only=True)
    labelled = TrainState(replace(small(name), generator=replace(small(name).generator, c_dim=3),
                                  discriminator=replace(small(name).discriminator, c_dim=3)))  # fmt: skip
    with Looks() as looks:
        for index in range(2):
            means.add(state.step(batch(index), None))
            means.add(labelled.step(batch(index), torch.eye(4, 3)))
        assert looks.found == []
        assert bool(state.generator.mapping.w_avg.isfinite().all())
    assert looks.found == ["_local_scalar_dense"], "this test can tell"


def test_uploads_are_queued_from_pinned_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    tensor = SimpleNamespace(pin_memory=lambda: calls.append("pinned") or tensor,
                             to=lambda device, **options: calls.append((device, options)))  # fmt: skip
    array = np.ones(3, np.uint8)
    assert torch.equal(train.device.upload(array, torch.device("cpu")), torch.ones(3, dtype=torch.uint8))
    monkeypatch.setattr(train.device.torch, "from_numpy", lambda given: tensor)
    device = torch.device("cuda:1")
    train.device.upload(array, device)
    assert calls == ["pinned", (device, {"non_blocking": True})]


def test_a_tick_waits_for_the_device_before_its_clock(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a device that is 100 s behind when the last step of a tick is queued, the rate is what it did, not queued."""
    now = [0.0]
    monkeypatch.setattr("train.loop.synchronize", lambda device: now.__setitem__(0, now[0] + 100))
    loop = Loop
    monkeypatch.setattr("train.cli.Loop", lambda *args, **kwargs: loop(*args, **kwargs, clock=lambda: now[0]))
    run = started(tmp_path, pictures, "--kimg=0.016")
    assert [(row["images_per_s"], row["seconds"]) for row in rows(run)] == [(0.08, 100), (0.08, 200)]


def test_settings_of_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """float32 is float32: neither TF32 nor, on a CPU, bfloat16 takes its place."""
    cudnn, precision = torch.backends.cudnn, torch.get_float32_matmul_precision()
    before = cudnn.allow_tf32, cudnn.benchmark
    try:
        torch.set_float32_matmul_precision("medium")
        cudnn.allow_tf32, cudnn.benchmark = True, False
        train.device.prepare(torch.device("cpu"))
        assert torch.get_float32_matmul_precision() == "highest" and not cudnn.benchmark
        train.device.prepare(torch.device("cuda"))
        assert not cudnn.allow_tf32 and cudnn.benchmark
    finally:
        torch.set_float32_matmul_precision(precision)
        cudnn.allow_tf32, cudnn.benchmark = before


# ----------------------------------------------------------------------------------------------- what is not a number


def test_gradients_are_mended_in_place() -> None:
    weights = [torch.nn.Parameter(torch.zeros(size)) for size in (4, 2, 1)]
    weights[0].grad = torch.tensor([1.0, math.nan, math.inf, -math.inf])
    weights[1].grad = torch.tensor([3e38, -2e-40])  # finite: stays what it is
    assert float(mend_gradients(weights)) == 1
    assert weights[0].grad.tolist() == [1, 0, LARGEST, -LARGEST] and weights[2].grad is None
    assert torch.equal(weights[1].grad, torch.tensor([3e38, -2e-40]))
    assert float(mend_gradients(weights)) == 0
    weights[1].grad[0] = -math.inf
    assert float(mend_gradients(weights, 4.0)) == 1 and weights[1].grad[0] == -LARGEST
    assert weights[0].grad.tolist() == [0.25, 0, LARGEST / 4, -LARGEST / 4], "an infinity is one whatever the scale"


def spoiled(half: int, name: str = "B") -> TrainState:
    """A run in which D saw a picture that is not a number, then one good batch."""
    state = TrainState(small(name, half))
    state.step(batch(0), None)
    before = bits(state)
    reals = batch(1)
    reals[0, 0, 3, 3] = math.nan
    stats = state.step(reals, None)
    assert math.isnan(stats["loss_d"]) and not math.isnan(stats["loss_g"])
    if half:
        assert stats["grad_nonfinite"] == 1
        after = bits(state)
        moved = {key.split(".")[0] for key in after if "weight" in key and not torch.equal(after[key], before[key])}
        assert moved >= {"generator", "ema"}
        assert state.step(batch(2), None)["grad_nonfinite"] == 0
    return state


def test_an_overflow_costs_a_step_and_not_the_weights() -> None:
    assert spoiled(HALF).finite()
    assert not spoiled(0).finite(), "in float32 it is a divergence, and found"


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
    assert state.finite() and float(state.pl_mean) == mean > 0
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
        means = Means(finite_only)
        for value in values:
            means.add({"loss_g": torch.tensor(value), "r1": torch.tensor(math.nan)})
        found = means.take()
        assert found["loss_g"] == expected or (math.isnan(found["loss_g"]) and math.isnan(expected))
        assert math.isnan(found["r1"]) and found["pl"] is None, "NaN where there was nothing else: that is a divergence"
        assert means.take() == dict.fromkeys(MEANS)


# -------------------------------------------------------------------------------------------- whole runs, and options


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "blobs"
    folder.mkdir()
    for i in range(6):
        pixels = np.random.default_rng(i).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder


SMALL = ("--cfg=T", "--preset=tiny", "--batch=4", "--cbase=64", "--cmax=8", "--tick=0.008", "--snap=1", "--device=cpu")


def call(*args: object) -> Result:
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def started(tmp_path: Path, pictures: Path, *options: object) -> Path:
    result = call(f"--data={pictures}", f"--outdir={tmp_path}", *SMALL, *options)
    assert result.exit_code == 0, result.output
    return max(path for path in tmp_path.iterdir() if path.name.endswith("-T-16"))


def rows(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]


def half_of(run: Path) -> tuple[int, int]:
    """As the options and the state have it."""
    document = load_tensors(run / "training-state.safetensors")[1]
    return json.loads((run / "training_options.json").read_text())["half"], document["config"]["half"]


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
    assert resumed.config.half == HALF
    for index in range(3, 6):
        resumed.step(batch(index), None)
    assert same(bits(resumed), expected)
    other = TrainState(small(name, half=0))
    for index in range(6):
        other.step(batch(index), None)
    assert not same(bits(other), expected), "this test can tell"


def test_a_resumed_run_keeps_its_arithmetic_until_told(tmp_path: Path, pictures: Path) -> None:
    straight = started(tmp_path, pictures, "--kimg=0.016", "--num-fp16-res=4")
    assert half_of(straight) == (4, 4)
    assert [row["grad_nonfinite"] for row in rows(straight)] == [0, 0]
    log = (straight / "log.txt").read_text().splitlines()
    assert log[1] == "Computing in float16 on 16, 8; float32 below."
    assert log[2].startswith("On a CPU float16 is slower than float32; --fp32")

    run = started(tmp_path, pictures, "--kimg=0.008", "--num-fp16-res=4")
    result = call("resume", run, "--kimg=0.016")
    assert result.exit_code == 0 and "Computing in float16 on 16, 8" in result.output and half_of(run) == (4, 4)
    ours, theirs = (load_tensors(folder / "training-state.safetensors")[0] for folder in (run, straight))
    assert same(ours, theirs)
    result = call("resume", run, "--kimg=0.024", "--fp32")
    assert result.exit_code == 0 and "Computing in float32.\n" in result.output and half_of(run) == (0, 0)
    assert [row["grad_nonfinite"] for row in rows(run)] == [0, 0, None]
    assert call(f"--resume={run}", "--kimg=0.032", "--num-fp16-res=1").exit_code == 0 and half_of(run) == (1, 1)


def test_a_run_of_a_gpu_goes_on_on_a_cpu(tmp_path: Path, pictures: Path) -> None:
    run = started(tmp_path, pictures, "--kimg=0.008", "--num-fp16-res=4")
    path = run / "training-state.safetensors"
    tensors, document = load_tensors(path)
    del document["schema"]
    tensors["rng.cuda"] = torch.zeros(16, dtype=torch.uint8)
    save_tensors(path, tensors, {**document, "config": {**document["config"], "device": "cuda"}})
    result = call("resume", run, "--kimg=0.016", "--device=cpu")
    assert result.exit_code == 0 and half_of(run) == (4, 4), result.output
    assert "float16 on 16, 8" in result.output and "On a CPU float16 is slower" in result.output


def test_one_spoiled_step_ends_a_float32_run_only(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = TrainState.step

    def spoil(self: TrainState, reals: torch.Tensor, labels: Any) -> Any:
        return step(self, reals * math.nan if self.steps in spoiled else reals, labels)

    monkeypatch.setattr(TrainState, "step", spoil)
    spoiled = {1}
    run = started(tmp_path, pictures, "--kimg=0.016", "--num-fp16-res=4")
    assert [row["grad_nonfinite"] for row in rows(run)] == [0.5, 0]
    assert all(math.isfinite(row["loss_d"]) for row in rows(run))
    assert "gradients overflowed in 50.0% of steps" in (run / "log.txt").read_text()
    for half, spoiled in ((0, {1}), (4, {2, 3})):  # noqa: B007 - read by `spoil`
        result = call(f"--data={pictures}", f"--outdir={tmp_path}", *SMALL, "--kimg=0.016", f"--num-fp16-res={half}")
        assert result.exit_code == 1 and "Training diverged" in result.output
        run = max(path for path in tmp_path.iterdir() if path.name.endswith("-T-16"))
        assert rows(run)[-1]["loss_d"] is None, "it was not a number"


def test_grids_are_drawn_in_float32(tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    forward = Generator.forward

    def watched(self: Generator, *args: Any, **options: Any) -> torch.Tensor:
        seen.append(options.get("arithmetic", FULL))
        with Types() as types:
            images = forward(self, *args, **options)
        assert {dtype for _, dtype in types.seen} == {torch.float32}
        return images

    monkeypatch.setattr(Generator, "forward", watched)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        started(tmp_path, pictures, "--kimg=0.008", "--num-fp16-res=4")
    assert seen and set(seen) == {FULL}


@pytest.mark.parametrize(("device", "options", "expected"), [
    ("cuda", (), 4), ("cuda:1", (), 4), ("cpu", (), 0), ("mps", (), 0), ("cuda", ("--fp32",), 0),
    ("cuda", ("--num-fp16-res=0",), 0), ("cuda", ("--num-fp16-res=2",), 2), ("cpu", ("--num-fp16-res=4",), 4),
])  # fmt: skip
def test_the_device_decides_unless_told(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch, device: str, options: tuple[str, ...],
    expected: int,
) -> None:  # fmt: skip
    found = []

    def stop(config: TrainConfig) -> None:
        found.append(config)
        raise TrainingError("Far enough.")

    monkeypatch.setattr("train.cli.usable_device", lambda name: name)
    monkeypatch.setattr("train.cli.check_memory", stop)
    for command in ([*SMALL], ["ladder", "--cfg=T"]):
        given = [f"--data={pictures}", f"--outdir={tmp_path / 'runs'}", f"--device={device}", *options]
        assert "Far enough." in call(*command, *given).output
    assert [(config.device, config.half) for config in found] == [(device, expected)] * 2
    assert default_half(device) == (4 if "cuda" in device else 0)


def test_nonsense_is_refused(tmp_path: Path, pictures: Path) -> None:
    given = (f"--data={pictures}", f"--outdir={tmp_path / 'runs'}", *SMALL)
    for option in ("--num-fp16-res=-1", "--num-fp16-res=11", "--num-fp16-res=x"):
        result = call(*given, option)
        assert result.exit_code == 2 and "--num-fp16-res" in result.output.splitlines()[-1]
    result = call(*given, "--fp32", "--num-fp16-res=4")
    assert result.exit_code == 2 and "--fp32 is --num-fp16-res=0" in result.output.splitlines()[-1]
    assert not (tmp_path / "runs").exists()
    for half in (-1, 11):
        with pytest.raises(TrainingError, match=f"not of {half}.*--num-fp16-res"):
            small("T", half=half)
    with pytest.raises(TrainingError, match="half must be of type int"):
        small("T", half=True)


def test_options_from_before_load_as_float32() -> None:
    document = small("T").to_json()
    assert document["half"] == HALF and TrainConfig.from_json(document) == small("T")
    del document["half"]
    assert TrainConfig.from_json(document) == small("T", half=0)


def test_precision_in_words() -> None:
    assert described(0, 256) == "float32"
    assert described(4, 256) == "float16 on 256, 128, 64, 32; float32 below"
    assert described(10, 1024) == "float16 on 1024, 512, 256, 128, 64, 32, 16, 8; float32 below"
    assert described(1, 16) == "float16 on 16; float32 below"


# ------------------------------------------------------------------------------------------------ memory, benchmarks


def kept(call: Any, network: torch.nn.Module) -> int:
    """Bytes that autograd keeps of a forward pass, without the network's own."""
    own = {tensor.untyped_storage().data_ptr() for tensor in network.state_dict().values()}
    found: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = call()
    assert output.requires_grad
    return sum(found.values())


@pytest.mark.parametrize("name", list("BETR"))
@pytest.mark.parametrize("half", [0, HALF])
def test_the_memory_estimate_is_near_what_autograd_keeps(name: str, half: int) -> None:
    config = rung(name, 64, channel_base=2048, channel_max=64, w_dim=32, z_dim=32)
    generator, arithmetic = Generator(config), Arithmetic(half)
    ws = generator.mapping(torch.randn(4, 32)).detach()
    two, four = (kept(lambda n=n: generator.synthesis(ws[:n], noise="none", arithmetic=arithmetic), generator)
                 for n in (2, 4))  # fmt: skip
    assert 0.9 * (four - two) < 2 * _generator_bytes(config, arithmetic) < 1.3 * (four - two)


@pytest.mark.parametrize("half", [0, HALF])
def test_the_memory_estimate_of_the_discriminator_has_room_for_r1(half: int) -> None:
    """Whose second gradient takes what a forward pass keeps about twice."""
    config = DiscriminatorConfig(resolution=64, channel_base=2048, channel_max=64)
    discriminator, arithmetic = Discriminator(config), Arithmetic(half)
    four, eight = (kept(lambda n=n: discriminator(torch.randn(n, 3, 64, 64), arithmetic=arithmetic), discriminator)
                   for n in (4, 8))  # fmt: skip
    assert 2 * (eight - four) < 4 * _pyramid_bytes(config, arithmetic) < 2.3 * (eight - four)


def test_float16_halves_the_estimate_of_what_it_holds() -> None:
    full, mixed = (
        estimate_memory(configure("T", resolution=256, data="", data_name="", data_images=1, data_digest="", half=half))
        for half in (0, HALF))
    assert 0.5 < mixed / full < 0.6


def test_memory_of_a_gpu_is_a_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda, reset = torch.cuda, []
    monkeypatch.setattr(cuda, "max_memory_allocated", lambda device: 3 * 2**20)
    monkeypatch.setattr(cuda, "max_memory_reserved", lambda device: 5 * 2**20)
    monkeypatch.setattr(cuda, "reset_peak_memory_stats", reset.append)
    device = torch.device("cuda:1")
    assert train.device.memory(device) == {"memory_mb": 3, "memory_reserved_mb": 5} and reset == [device]
    here = train.device.memory(torch.device("cpu"))
    assert here["memory_mb"] > 10 and here["memory_reserved_mb"] is None and reset == [device]


def test_kinds_of_steps_are_counted_as_in_a_run() -> None:
    assert train.bench.due_kinds(small("T", r1_interval=16)) == {0: 1, 1: 15}
    assert train.bench.due_kinds(small("B", r1_interval=16, pl_interval=4)) == {0: 1, 1: 12, 4: 3}
    assert train.bench.due_kinds(small("B", r1_interval=3, pl_interval=2)) == {0: 1, 1: 2, 2: 2, 3: 1}
    assert train.bench.due_kinds(small("T", gamma=0.0)) == {0: 1}


def test_throughput_is_of_real_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that a step with R1 moves by 10 s and another by 1 s: (10 + 15) / 16 s a step."""
    now, taken, waits = [0.0], [], []
    step = TrainState.step

    def watched(self: TrainState, *args: Any) -> Any:
        stats = step(self, *args)
        taken.append("r1" in stats)
        now[0] += 10 if "r1" in stats else 1
        return stats

    monkeypatch.setattr(TrainState, "step", watched)
    monkeypatch.setattr("train.bench.configure", lambda *args, **options: small("T", options["half"], r1_interval=16))
    monkeypatch.setattr("train.bench.time.perf_counter", lambda: now[0])
    monkeypatch.setattr("train.device.synchronize", waits.append)
    found = train.bench.throughput("T", 16, device="cpu", half=HALF, batch=4, preset_name="tiny", steps=2)
    assert taken == [True] * 4 + [False] * 4 and waits == [torch.device("cpu")] * 4
    assert found["step ms"] == pytest.approx(1000 * 25 / 16) and found["images/s"] == pytest.approx(4 * 16 / 25)
    assert found["memory MB"] > 10 and found["precision"] == "float16 on 16, 8; float32 below"


def test_a_row_compares_both_precisions(monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(cfg: str, resolution: int, *, half: int, **options: Any) -> dict[str, Any]:
        return {"name": cfg, "precision": described(half, resolution), "step ms": 10.0 - half, "images/s": 1.0 + half,
                "memory MB": 8.0 - half}  # fmt: skip

    monkeypatch.setattr(train.bench, "throughput", measured)
    assert train.bench.mixed_row("T", 256, 4, "cuda", 2) == {
        "name": "T", "rounds": 2, "mixed": "float16 on 256, 128, 64, 32; float32 below", "float32 step ms": 10,
        "mixed step ms": 6, "float32 images/s": 1, "mixed images/s": 5, "float32 memory MB": 8, "mixed memory MB": 4,
        "mixed / float32 images/s": 5}  # fmt: skip


def test_the_benchmark_refuses_a_device_that_is_not_there() -> None:
    result = CliRunner().invoke(train.bench.main, ["--device=cuda:99"])
    assert result.exit_code == 1 and "There is no device 'cuda:99'" in result.output


def test_scales_of_losses() -> None:
    assert [loss_scale(*of) for of in ((4, 64), (32, 256), (64, 256), (32, 1024), (1, 16), (24, 64))] == [
        64, 2048, 4096, 8192, 4, 512]  # fmt: skip


@pytest.mark.parametrize(("name", "reaction"), [("B", 2.0**-10), ("T", 2.0**-4)])
def test_small_gradients_do_not_vanish_in_float16(
    name: str, reaction: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a D that hardly reacts, so that what reaches a pixel is as small as with many large pictures.

    Adam's first average, of exponent 0, is the gradient that it was given.
    """
    def found(half: int) -> torch.Tensor:
        state = TrainState(small(name, half, pl_weight=0.0, gamma=0.0, g_lr=0.0, d_lr=0.0))
        with torch.no_grad():
            state.discriminator.b4.out.weight *= reaction
        assert state.step(batch(0), None).get("grad_nonfinite", 0) == 0
        entries = state.optimizers["generator"].state_dict()["state"].values()
        return torch.cat([entry["exp_avg"].flatten() for entry in entries])

    expected = found(0)
    error = float((found(HALF) - expected).norm() / expected.norm())
    monkeypatch.setattr("train.state.loss_scale", lambda batch, resolution: 1.0)
    unscaled = float((found(HALF) - expected).norm() / expected.norm())
    assert 0 < error < 0.02 and unscaled > 5 * error


def test_the_scale_is_undone_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing in float16, a run of any scale is the run without."""
    monkeypatch.setattr("gan.arithmetic.Arithmetic.dtype", lambda self, rate, resolution, full: full)
    one, other = TrainState(small("A", half=0)), TrainState(small("A"))
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
        for half, noise in ((0, 0.0), (HALF, 0.0), (0, 2**-11)):
            state = TrainState(small(name, half, style_mixing=0.0, noise="none"))
            with torch.no_grad():
                for parameter in state.network(network).parameters():
                    parameter *= 1 + noise * torch.randn_like(parameter)
            torch.manual_seed(7)
            step = Step(state.config, state.generator, state.discriminator, batch(0), None, torch.tensor(0.5))
            value, _ = loss(step)
            value.backward()
            found.append(torch.cat([
                p.grad.flatten() for p in state.network(network).parameters() if p.grad is not None]))
        full, mixed, turned = found
        assert 0 < float((mixed - full).norm()) < 3 * float((turned - full).norm())
        assert float((mixed - full).norm()) < 0.05 * float(full.norm())
