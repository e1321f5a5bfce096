# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python tests/bench/bench_roofline.py`: filtered_lrelu on a GPU against its roofline; the cost of start and launch.

The roofline of a case is the slower of two things that no kernel avoids: moving input, output and codes once, at the
rate of a large copy on this device, and the multiply-adds of the filters, at the rate of a large float32 matrix product
without tf32. Both rates are measured first. Times are medians of device events; inputs take turns, so that they come
from memory and not from a cache.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import click
import torch
from torch import Tensor

from cuda_ops.cuda import loader as cuda
from cuda_ops.cuda import nvrtc, tiling
from cuda_ops.cuda.driver import Function
from cuda_ops.filtered_lrelu import _filtered_codes, _filtered_lrelu, code_planes
from cuda_ops.shapes import adjoint_padding

CHANNELS, SIZE = 32, 512  # outputs, as in the paper's table [P app. D]
CASES = ((2, 2, False), (4, 2, False), (2, 2, True), (4, 2, True))  # up, down, radial
BACKWARD = ((2, 2, False), (4, 2, False), (2, 2, True), (4, 2, True))  # of these layers: up and down change places
TYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}
SETS = 4  # of inputs that take turns
LAYOUTS = {"planar": torch.contiguous_format, "channels-last": torch.channels_last}

Row = dict[str, Any]


def milliseconds(call: Callable[[int], object], device: torch.device, rounds: int) -> float:
    """Return the median time of a call, which is given its number; on a GPU ten calls before warm up."""
    if device.type != "cuda":  # to try this program out
        start = time.perf_counter()
        call(0)
        return 1e3 * (time.perf_counter() - start)
    for turn in range(10):
        call(turn)
    events = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(rounds)]
    for turn, (start_event, end_event) in enumerate(events):
        start_event.record()
        call(turn)
        end_event.record()
    torch.cuda.synchronize(device)
    return statistics.median(a.elapsed_time(b) for a, b in events)


def ceilings(device: torch.device, rounds: int) -> tuple[float, float]:
    """Measure (bytes moved, float32 multiply-adds) per millisecond."""
    count, size = (2**28, 8192) if device.type == "cuda" else (2**20, 128)
    torch.backends.cuda.matmul.allow_tf32 = False
    source = torch.randn(count, device=device)
    target = torch.empty_like(source)
    copied = 8 * count / milliseconds(lambda turn: target.copy_(source), device, rounds)
    a, b = (torch.randn(size, size, device=device) for _ in range(2))
    multiplied = size**3 / milliseconds(lambda turn: torch.mm(a, b), device, rounds)
    return copied, multiplied


def line(taps: int, radial: bool, device: torch.device) -> Tensor:
    """Return random taps that are their own mirror image, as those of the models."""
    f = torch.randn(taps, device=device) / taps**0.5
    f = f + f.flip(0)
    return torch.outer(f, f) if radial else f


def work(
    rows: int, mid: int, out: int, up: int, down: int, up_taps: int, down_taps: int, planes: tuple[bool, bool]
) -> int:
    """Count the multiply-adds of a square channel: filters by phase, along x first, unless 2-D."""
    per_phase = up_taps // up
    upward = mid * mid * per_phase**2 if planes[0] else rows * mid * per_phase + mid * mid * per_phase
    downward = out * out * down_taps**2 if planes[1] else mid * out * down_taps + out * out * down_taps
    return upward + downward


def case(
    up: int,
    down: int,
    radial: bool,
    size: int,
    channels: int,
    dtype: torch.dtype,
    layout: torch.memory_format,
    backward: bool,
    device: torch.device,
    rounds: int,
    rates: tuple[float, float],
) -> Row:
    """Time a layer with `size`² outputs: forward without codes, or its gradient."""
    up_taps, down_taps, rows = 6 * up, 6 * down, size * down // up
    fu, fd = line(up_taps, False, device), line(down_taps, radial, device)
    mid = (size - 1) * down + down_taps
    total = mid - rows * up + up_taps - 1
    before = total // 2
    pads = [before, total - before] * 2
    sets = SETS if device.type == "cuda" else 1

    def images(side: int) -> list[Tensor]:
        shape = (1, channels, side, side)
        return [torch.randn(shape, device=device, dtype=dtype).contiguous(memory_format=layout) for _ in range(sets)]

    b = torch.randn(channels, device=device, dtype=dtype)
    if backward:
        sources = images(size)
        shape = (1, code_planes(channels), mid, mid)
        codes = [torch.randint(0, 256, shape, dtype=torch.uint8, device=device) for _ in range(sets)]
        first = [*adjoint_padding(mid, size, down_taps, 1, down, 0)] * 2
        second = [*adjoint_padding(rows, mid, up_taps, up, 1, before)] * 2

        def call(turn: int) -> Tensor:
            k = turn % sets
            return _filtered_codes(sources[k], codes[k], fd, fu, down, up, first, second, 1.0, 0.2, True)

        operations = channels * work(size, mid, rows, down, up, down_taps, up_taps, (radial, False))
        moved = codes[0].numel()
    else:
        sources = images(rows)

        def call(turn: int) -> Tensor:
            source = sources[turn % sets]
            return _filtered_lrelu(source, fu, fd, b, up, down, pads, 2**0.5, 0.2, 256.0, False, False)[0]

        operations = channels * work(rows, mid, size, up, down, up_taps, down_taps, (False, radial))
        moved = 0
    with torch.inference_mode():
        ms = milliseconds(call, device, rounds)
    moved += (channels * (rows**2 + size**2)) * dtype.itemsize
    floors = {"memory": moved / rates[0], "arithmetic": operations / rates[1]}
    bound = max(floors, key=lambda name: floors[name])
    what = f"up {up}, down {down}, {'radial' if radial else 'separable'}{', gradient' if backward else ''}"
    name = f"{what}, {str(dtype).removeprefix('torch.')}, {next(n for n, value in LAYOUTS.items() if value == layout)}"
    shares = {"bound by": bound, "floor ms": floors[bound], "of roofline": floors[bound] / ms}
    return {"name": name, "ms": ms, "moved": moved, **shares}  # moved: bytes, at the least


def cases(device: torch.device, quick: bool, rates: tuple[float, float], rounds: int) -> Iterator[Row]:
    """Time all cases: forward and gradients, types, layouts."""
    size, channels = (SIZE, CHANNELS) if device.type == "cuda" else (32, 8)
    for backward, table in ((False, CASES), (True, BACKWARD)):
        for up, down, radial in table:
            for dtype in [torch.float16] if quick else TYPES.values():
                for layout in LAYOUTS.values():
                    yield case(up, down, radial, size, channels, dtype, layout, backward, device, rounds, rates)


def starting(device: torch.device) -> Iterator[Row]:
    """Time compiling a kernel, finding a kept one, and a call's cost on the CPU."""
    (spec,) = tiling.specialise_layer(2, 2, 12, 12, True, (11, 11), torch.float16)
    architecture = cuda.architecture(device)
    assert architecture is not None
    chosen = tiling.choose_tile(spec, architecture)
    assert chosen is not None
    defines = spec.defines(chosen)
    nvrtc.get_cubin("resample", defines, architecture)
    start = time.perf_counter()
    cubin = nvrtc.get_cubin("resample", defines, architecture)
    Function(cubin, "resample", cuda.device_index(device), chosen.threads, defines["SHARED"])
    yield {"name": "find and load a kept kernel", "ms": 1e3 * (time.perf_counter() - start)}
    start = time.perf_counter()
    nvrtc.compile_cubin("resample", defines, architecture)
    yield {"name": "compile a kernel", "ms": 1e3 * (time.perf_counter() - start)}
    x, f, b = torch.randn(1, 8, 36, 36, device=device), line(12, False, device), torch.zeros(8, device=device)
    with torch.inference_mode():
        for count in (100, 1000):
            torch.cuda.synchronize(device)
            start = time.perf_counter()
            for _ in range(count):
                _filtered_lrelu(x, f, f, b, 2, 2, [9, 8, 9, 8], 1.4, 0.2, 256.0, False, False)
            spent = time.perf_counter() - start
    yield {"name": "call of filtered_lrelu, CPU time", "ms": 1e3 * spent / count}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--device", default="cuda", show_default=True, help="cpu only tries the program out; its times mean nothing."
)
@click.option("--quick", is_flag=True, help="float16 only, few rounds.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, header and rows, instead of text.")
def main(device: str, quick: bool, as_json: bool) -> None:
    """Time filtered_lrelu's kernels against their roofline. Run it on an otherwise idle GPU."""
    place, rounds = torch.device(device), 20 if quick else 100
    if place.type == "cuda" and not (torch.cuda.is_available() and cuda.is_available(place)):
        raise click.ClickException(cuda.explain(device))
    rates = ceilings(place, rounds)
    name = torch.cuda.get_device_name(place) if place.type == "cuda" else "CPU, times mean nothing"
    header = {"device": name, "copy GB/s": rates[0] / 1e6, "float32 TFLOP/s": 2 * rates[1] / 1e9}
    rows = [*cases(place, quick, rates, rounds), *(starting(place) if place.type == "cuda" else ())]
    if as_json:
        click.echo(json.dumps({"header": header, "rows": rows}))
        return
    for key, value in header.items():
        click.echo(f"# {key}: {value if isinstance(value, str) else f'{value:.1f}'}")
    for row in rows:
        share = f"{row['of roofline']:6.0%} of {row['bound by']}" if "bound by" in row else ""
        click.echo(f"{row['name']:60} {row['ms']:9.4f} ms {share}")


if __name__ == "__main__":
    main()
