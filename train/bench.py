# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""python -m train.bench: time a training step with kernels, with the torch references, and with plain convolutions.

`cuda_ops.bench` runs it too. `--loader`: the wait for pictures. On a GPU (`--device=cuda`): whole steps in float32 and
in mixed precision.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import click
import numpy as np
import torch
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

from cuda_ops import bench
from cuda_ops.cpu import loader as cpu
from gan.bench import chained
from gan.data.image_dataset import open_images
from gan.devices import DeviceError, check_device
from gan.networks.precision import NUM_FP16_RES
from train.config import TrainConfig, configure
from train.damage import SourceReader
from train.data import Sampler
from train.device import configure_torch, measure_memory, synchronize, to_device
from train.estimates import count_step_kinds
from train.loading.prefetch import Prefetcher
from train.losses import Step
from train.mixed_precision import describe_precision
from train.state import TrainState

CPU_CASES = (("T", 64), ("R", 64), ("B", 64))
STEP_BATCH = 16  # of the steps in docs/benchmarks.md
GPU_CASES = (("T", 256, 32), ("R", 256, 16), ("B", 256, 32), ("T", 1024, 4))  # batches that leave room in 80 GB
TIMED_STEPS = 8


def _config(cfg: str, resolution: int, **others: Any) -> TrainConfig:
    return configure(cfg, resolution=resolution, data="", data_name="", data_images=1, data_digest="", **others)


class ConvolutionRecorder(TorchDispatchMode):
    """Notes every convolution within, forward and backward, as a call on random tensors of its sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.recorded: list[tuple[Any, tuple[Any, ...]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.ops.aten.convolution.default, torch.ops.aten.convolution_backward.default):
            self.recorded.append((func, tuple(arg.shape if isinstance(arg, torch.Tensor) else arg for arg in args)))
        return func(*args, **(kwargs or {}))

    def calls(self, memory_format: torch.memory_format) -> Callable[[], None]:
        """Return a function that repeats the convolutions alone, on tensors of this layout."""

        def fill(arg: Any) -> Any:
            is_shape = isinstance(arg, torch.Size)
            return torch.randn(arg).contiguous(memory_format=memory_format) if is_shape else arg

        # Equal calls share their tensors, as a training step's caches serve one layer at a time.
        made = {str(call): tuple(fill(arg) for arg in call[1]) for call in self.recorded}
        every = [(call[0], made[str(call)]) for call in self.recorded]

        def run() -> None:
            for func, args in every:
                func(*args)

        return run


@contextmanager
def plain_convolutions() -> Iterator[None]:
    """Let all convolutions within be torch's own."""
    other_ways = "cuda_ops.winograd.pays", "gan.networks.conv_autotune.multiplies"
    with mock.patch(other_ways[0], return_value=False), mock.patch(other_ways[1], return_value=False):
        yield


def step_row(cfg: str, resolution: int, rounds: int) -> bench.Row:
    """Time the two main phases of a step of the tiny preset: losses, gradients, no optimiser.

    Beside it the step's plain convolutions alone, forward and backward.
    """
    torch.manual_seed(0)
    config = _config(cfg, resolution, preset_name="tiny", batch=STEP_BATCH)
    state = TrainState(config)
    configure_torch(state.device)
    reals = torch.randn(config.batch, 3, resolution, resolution).clamp(-1, 1)

    def step() -> None:
        work = Step(config, state.generator, state.discriminator, reals, None, state.pl_mean, state.augmenter)
        for phase in state.phases:
            if phase.interval == 1:
                state.networks[phase.network].zero_grad(set_to_none=True)
                loss, _ = phase.loss(work)
                loss.backward()

    def reference() -> None:
        with cpu.switched_off():
            step()

    def chain() -> None:
        with chained():
            step()

    with ConvolutionRecorder() as recorder, plain_convolutions():
        step()
    candidates: dict[str, Callable[[], object]] = {
        "kernel": step,
        "convolutions": recorder.calls(torch.contiguous_format),
        "convolutions, channels-last": recorder.calls(torch.channels_last),
    }
    name = f"{cfg} {resolution}², tiny preset's networks, batch {config.batch}: a training step"
    ratios = "reference / kernel", "chain / kernel", "kernel / convolutions", "kernel / convolutions, channels-last"
    # Apart: what the references ask for and free leaves the step's memory in pieces, as no run does.
    ms = bench.medians(name, candidates, rounds)
    ms |= bench.medians(f"{name}, references", {"chain": chain, "reference": reference}, rounds)
    row = bench.make_row(name, rounds, ms, *ratios)
    return {**row, "kernel images/s": 1e3 * config.batch / row["kernel ms"]}


def measure_throughput(
    cfg: str,
    resolution: int,
    *,
    device: str,
    num_fp16_res: int,
    batch: int | None,
    preset_name: str = "paper",
    steps: int = TIMED_STEPS,
) -> dict[str, float | str]:
    """Time training with random pictures: whole steps of train.state, copies to the device included.

    Steps in which regularisation is due take longer and are rarer than 1 in `steps`, so `steps` of each kind are timed
    after two to warm up, waiting for the device at both ends; "step ms" is their mean, weighted as in a run, and
    "images/s" follows from it. "memory MB" is the peak of a GPU's tensors, or what the process holds on a CPU.
    """
    check_device(device)
    where = torch.device(device)
    configure_torch(where)
    config = _config(cfg, resolution, preset_name=preset_name, device=device, num_fp16_res=num_fp16_res, batch=batch)
    state = TrainState(config)
    shape = (config.batch, 3, resolution, resolution)
    pictures = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    measure_memory(where)  # a peak is counted from here on

    def step(number: int) -> None:
        state.steps = number
        state.step(to_device(pictures, where).float().div_(127.5).sub_(1), None)

    kinds, seconds = count_step_kinds(config), 0.0
    for number, count in kinds.items():
        for _ in range(2):
            step(number)
        synchronize(where)
        start = time.perf_counter()
        for _ in range(steps):
            step(number)
        synchronize(where)
        seconds += (time.perf_counter() - start) / steps * count / sum(kinds.values())
    peak = measure_memory(where)["memory_mb"]
    assert peak is not None
    return {
        "name": f"{cfg} {resolution}², {preset_name} preset, batch {config.batch}: training",
        "precision": describe_precision(num_fp16_res, resolution),
        "steps": steps,
        "images/s": config.batch / seconds,
        "step ms": 1e3 * seconds,
        "memory MB": peak,
    }


def mixed_row(
    cfg: str, resolution: int, batch: int | None, device: str, steps: int, preset_name: str = "paper"
) -> bench.Row:
    """Measure the throughput in float32 and in mixed precision."""
    options: dict[str, Any] = {"device": device, "batch": batch, "steps": steps, "preset_name": preset_name}
    found = {
        name: measure_throughput(cfg, resolution, num_fp16_res=num_fp16_res, **options)
        for name, num_fp16_res in (("float32", 0), ("mixed", NUM_FP16_RES))
    }
    row: bench.Row = {"name": found["mixed"]["name"], "rounds": steps, "mixed": found["mixed"]["precision"]}
    for key in ("step ms", "images/s", "memory MB"):
        row |= {f"{name} {key}": values[key] for name, values in found.items()}
    return {**row, "mixed / float32 images/s": row["mixed images/s"] / row["float32 images/s"]}


def write_photos(folder: Path, count: int, size: int) -> None:
    """Write JPEGs that cost about as much as photos to decode: soft shapes under a little grain, quality 95."""
    random = np.random.default_rng(0)
    for index in range(count):
        soft = Image.fromarray(random.integers(0, 256, (size // 32, size // 32, 3), dtype=np.uint8))
        grain = random.normal(0, 6, (size, size, 3))
        pixels = np.asarray(soft.resize((size, size), Image.Resampling.BICUBIC)) + grain
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{index:03d}.jpg", quality=95)


def loader_row(folder: Path, rate: float, batch: int, steps: int, workers: int) -> bench.Row:
    """Measure the share of a step spent waiting for pictures that are read from files.

    The device is a sleep as long as one of `rate` images a second takes for a batch, as the host's thread waits for a
    GPU; "not ahead" is the share if each batch were read when its step asks for it.
    """
    source = open_images(folder, memory_limit=0)
    source.readers = workers
    reader, sampler = SourceReader(source, folder / "none"), Sampler(len(source), seed=0)

    def read(position: int) -> object:
        return reader.read(sampler.pick(position, batch).indices)

    begun = time.perf_counter()
    for step in range(steps):
        read(step * batch)
    reading = (time.perf_counter() - begun) / steps
    ahead = Prefetcher(read, batch)
    ahead.take(0)
    waited, begun = ahead.waited, time.perf_counter()
    for step in range(1, steps + 1):
        time.sleep(batch / rate)
        ahead.take(step * batch)
    share = (ahead.waited - waited) / (time.perf_counter() - begun)
    ahead.close()
    return {
        "name": f"{source.resolution}² JPEG, batch {batch}, {workers} threads, a device of {rate:g} images/s",
        "rounds": steps,
        "reads images/s": batch / reading,
        "waiting %": 100 * share,
        "not ahead %": 100 * reading / (reading + batch / rate),
    }


def loader_rows(quick: bool) -> Iterator[bench.Row]:
    """Measure the loader at rates from below to above what the cores decode."""
    size, count, steps = (256, 16, 4) if quick else (1024, 48, 24)
    with tempfile.TemporaryDirectory() as name:
        write_photos(Path(name), count, size)
        for rate in (10, 20, 40, 80):
            yield loader_row(Path(name), rate, 8, steps, 2)


def rows(quick: bool) -> Iterator[bench.Row]:
    """Time a step of T, R and B on the CPU."""
    cases, rounds = (CPU_CASES[:1], 1) if quick else (CPU_CASES, 5)
    return (step_row(*case, rounds) for case in cases)


@click.command(context_settings=bench.CONTEXT, epilog=bench.EPILOG)
@bench.THREADS
@bench.JSON
@bench.QUICK
@click.option("--loader", is_flag=True, help="The share of a step spent waiting for pictures, from 1024² JPEGs.")
@click.option("--device", default="cpu", show_default=True, help="cuda: whole steps of T, R and B in both precisions.")
def main(threads: int, as_json: bool, quick: bool, loader: bool, device: str) -> None:
    """Time a training step of T, R and B: at 64² on the CPU, at 256² and 1024² on a GPU."""
    bench.prepare(threads)
    if loader:
        bench.report(bench.header(quick), loader_rows(quick), as_json)
    elif device != "cpu":
        try:
            check_device(device)
        except DeviceError as error:
            raise click.ClickException(str(error)) from error
        wide, steps = (GPU_CASES[:1], 1) if quick else (GPU_CASES, TIMED_STEPS)
        bench.report(bench.header(quick), (mixed_row(*case, device, steps) for case in wide), as_json)
    else:
        bench.report(bench.header(quick), rows(quick), as_json)


if __name__ == "__main__":
    main()
