# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The device in training: queued copies, settings, memory as estimated and measured, throughput."""

import os
import platform
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from support.steps import small

import train.bench
import train.device
from gan.networks.config import DiscriminatorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.ladder import rung_config
from gan.networks.precision import NUM_FP16_RES, PrecisionPolicy
from gan.networks.synthesis import SynthesisOptions
from train.config import configure
from train.device import estimate_memory, generator_activation_bytes, pyramid_activation_bytes
from train.mixed_precision import describe_precision
from train.state import TrainState


def test_uploads_are_queued_from_pinned_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    tensor = SimpleNamespace(
        pin_memory=lambda: calls.append("pinned") or tensor,
        to=lambda device, **options: calls.append((device, options)),
    )
    array = np.ones(3, np.uint8)
    assert torch.equal(train.device.to_device(array, torch.device("cpu")), torch.ones(3, dtype=torch.uint8))
    monkeypatch.setattr(train.device.torch, "from_numpy", lambda given: tensor)
    device = torch.device("cuda:1")
    train.device.to_device(array, device)
    assert calls == ["pinned", (device, {"non_blocking": True})]


def test_settings_of_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """float32 is float32: neither TF32 nor, on a CPU, bfloat16 takes its place."""
    cudnn, precision = torch.backends.cudnn, torch.get_float32_matmul_precision()
    before = cudnn.allow_tf32, cudnn.benchmark
    try:
        torch.set_float32_matmul_precision("medium")
        cudnn.allow_tf32, cudnn.benchmark = True, False
        train.device.configure_torch(torch.device("cpu"))
        assert torch.get_float32_matmul_precision() == "highest" and not cudnn.benchmark
        train.device.configure_torch(torch.device("cuda"))
        assert not cudnn.allow_tf32 and cudnn.benchmark
        train.device.configure_torch(torch.device("cuda"), benchmark=False)
        assert not cudnn.benchmark
    finally:
        torch.set_float32_matmul_precision(precision)
        cudnn.allow_tf32, cudnn.benchmark = before


def kept(call: Any, network: torch.nn.Module) -> int:
    """Return the bytes that autograd keeps of a forward pass, without the network's own."""
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


@pytest.mark.slow
@pytest.mark.parametrize("name", list("BETR"))
@pytest.mark.parametrize("half", [0, NUM_FP16_RES])
def test_the_memory_estimate_is_near_what_autograd_keeps(name: str, half: int) -> None:
    config = rung_config(name, 64, channel_base=2048, channel_max=64, w_dim=32, z_dim=32)
    generator, precision = Generator(config), PrecisionPolicy(half)
    ws = generator.mapping(torch.randn(4, 32)).detach()
    two, four = (
        kept(lambda n=n: generator.synthesis(ws[:n], SynthesisOptions(noise="none", precision=precision)), generator)
        for n in (2, 4)
    )
    assert 0.9 * (four - two) < 2 * generator_activation_bytes(config, precision, "cpu") < 1.3 * (four - two)


@pytest.mark.parametrize("half", [0, NUM_FP16_RES])
def test_the_memory_estimate_of_the_discriminator_has_room_for_r1(half: int) -> None:
    """Whose second gradient takes what a forward pass keeps about twice."""
    config = DiscriminatorConfig(resolution=64, channel_base=2048, channel_max=64)
    discriminator, precision = Discriminator(config), PrecisionPolicy(half)
    four, eight = (
        kept(lambda n=n: discriminator(torch.randn(n, 3, 64, 64), precision=precision), discriminator) for n in (4, 8)
    )
    assert 2 * (eight - four) < 4 * pyramid_activation_bytes(config, precision) < 2.3 * (eight - four)


def test_float16_halves_the_estimate_of_what_it_holds() -> None:
    full, mixed = (
        estimate_memory(
            configure(
                "T", resolution=256, data="", data_name="", data_images=1, data_digest="", num_fp16_res=num_fp16_res
            )
        )
        for num_fp16_res in (0, NUM_FP16_RES)
    )
    assert 0.5 < mixed / full < 0.6


def test_memory_of_a_gpu_is_a_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda, reset = torch.cuda, []
    monkeypatch.setattr(cuda, "max_memory_allocated", lambda device: 3 * 2**20)
    monkeypatch.setattr(cuda, "max_memory_reserved", lambda device: 5 * 2**20)
    monkeypatch.setattr(cuda, "reset_peak_memory_stats", reset.append)
    device = torch.device("cuda:1")
    assert train.device.measure_memory(device) == {"memory_mb": 3, "memory_reserved_mb": 5} and reset == [device]
    here = train.device.measure_memory(torch.device("cpu"))
    assert here["memory_mb"] > 10 and here["memory_reserved_mb"] is None and reset == [device]


def test_kinds_of_steps_are_counted_as_in_a_run() -> None:
    assert train.bench.count_step_kinds(small("T", r1_interval=16)) == {0: 1, 1: 15}
    assert train.bench.count_step_kinds(small("B", r1_interval=16, pl_interval=4)) == {0: 1, 1: 12, 4: 3}
    assert train.bench.count_step_kinds(small("B", r1_interval=3, pl_interval=2)) == {0: 1, 1: 2, 2: 2, 3: 1}
    assert train.bench.count_step_kinds(small("T", gamma=0.0)) == {0: 1}


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
    monkeypatch.setattr(
        "train.bench.configure", lambda *args, **options: small("T", options["num_fp16_res"], r1_interval=16)
    )
    monkeypatch.setattr("train.bench.time.perf_counter", lambda: now[0])
    monkeypatch.setattr("train.bench.synchronize", waits.append)
    found = train.bench.measure_throughput(
        "T", 16, device="cpu", num_fp16_res=NUM_FP16_RES, batch=4, preset_name="tiny", steps=2
    )
    assert taken == [True] * 4 + [False] * 4 and waits == [torch.device("cpu")] * 4
    assert found["step ms"] == pytest.approx(1000 * 25 / 16) and found["images/s"] == pytest.approx(4 * 16 / 25)
    assert found["memory MB"] > 10 and found["precision"] == "float16 on 16, 8; float32 below"


def test_a_row_compares_both_precisions(monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(cfg: str, resolution: int, *, num_fp16_res: int, **options: Any) -> dict[str, Any]:
        return {
            "name": cfg,
            "precision": describe_precision(num_fp16_res, resolution),
            "step ms": 10.0 - num_fp16_res,
            "images/s": 1.0 + num_fp16_res,
            "memory MB": 8.0 - num_fp16_res,
        }

    monkeypatch.setattr(train.bench, "measure_throughput", measured)
    assert train.bench.mixed_row("T", 256, 4, "cuda", 2) == {
        "name": "T",
        "rounds": 2,
        "mixed": "float16 on 256, 128, 64, 32; float32 below",
        "float32 step ms": 10,
        "mixed step ms": 6,
        "float32 images/s": 1,
        "mixed images/s": 5,
        "float32 memory MB": 8,
        "mixed memory MB": 4,
        "mixed / float32 images/s": 5,
    }


def test_the_benchmark_refuses_a_device_that_is_not_there() -> None:
    result = CliRunner().invoke(train.bench.main, ["--device=cuda:99"])
    assert result.exit_code == 1 and "There is no device 'cuda:99'" in result.output


@pytest.mark.skipif("glibc" not in platform.libc_ver(), reason="glibc's settings")
def test_freed_memory_is_kept_for_the_next_step() -> None:
    """In a process of its own, since the setting lasts: how many pages the system hands out anew for the same step."""
    program = """
import resource, sys, torch
from train.device import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
for turn in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    tensors = [torch.ones(2**22) for _ in range(8)]
    del tensors
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    # Left to itself, glibc may keep what was freed, or not: it depends on what lies above in the heap.
    returning = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    faults = {}
    for how in ("kept", "given back"):
        command = [sys.executable, "-c", program, how]
        ran = subprocess.run(command, env=returning, capture_output=True, text=True, check=True)
        faults[how] = int(ran.stdout)
    assert faults["kept"] < 0.1 * faults["given back"], faults
