# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""python -m cuda_ops.bench: time the operators beside their references and beside plain convolutions.

All that is compared is timed in turns, since machines drift; a row's numbers are medians. Operators are timed here;
whole generators and training steps by gan.bench and train.bench.
"""

import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any

import click
import torch
import torch.nn.functional as F
from torch import Tensor

from cuda_ops.bias_act import bias_act, bias_act_reference
from cuda_ops.cpu import loader as cpu
from cuda_ops.filtered_lrelu import filtered_lrelu
from cuda_ops.shapes import expand_factor, expand_padding
from cuda_ops.upfirdn2d import upfirdn2d, upfirdn2d_reference

Row = dict[str, Any]  # "name"; "rounds"; milliseconds by candidate ending in " ms"; ratios and rates by their names
Header = dict[str, Any]  # what was measured, where and how carefully

CHANNELS, SIZE, TAPS = 64, 148, 12  # a middle layer of T at 128 pixels

TERMS = (
    "chain: upsampling, leaky ReLU and downsampling as general convolutions, as the official code does on a CPU.",
    "reference: the operators' torch definitions, which run where there are no kernels.",
    "kernel: the compiled CPU kernels.",
    "convolutions: only the network's conv2d calls, on inputs of its sizes.",
)
QUICK_NOTE = "quick: a check that it runs, not a measurement"

MIN_TURN_SECONDS = 0.02  # of a candidate's turn: short calls are repeated, as a model repeats them


def medians(name: str, candidates: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Time candidates in turns and return the median milliseconds a call of each; say on stderr that `name` is timed.

    Two rounds to warm up are not counted. A single round, which measures nothing, has none.
    """
    say(f"timing {name}")
    times: dict[str, list[float]] = {key: [] for key in candidates}
    repeats = dict.fromkeys(candidates, 1)
    for turn in range(0 if rounds > 1 else 2, rounds + 2):
        for key, call in candidates.items():
            start = time.perf_counter()
            for _ in range(repeats[key]):
                call()
            seconds = (time.perf_counter() - start) / repeats[key]
            if turn == 1:
                repeats[key] = max(1, round(MIN_TURN_SECONDS / seconds))
            elif turn > 1:
                times[key].append(1e3 * seconds)
    return {key: statistics.median(values) for key, values in times.items()}


def time_row(name: str, candidates: Mapping[str, Callable[[], object]], rounds: int, *ratios: str) -> Row:
    """Time candidates and return their row, with `ratios` such as "reference / kernel" of them."""
    return make_row(name, rounds, medians(name, candidates, rounds), *ratios)


def make_row(name: str, rounds: int, ms: Mapping[str, float], *ratios: str) -> Row:
    """Return the row of what was timed, in milliseconds by candidate, with `ratios` of them."""
    row: Row = {"name": name, "rounds": rounds, **{f"{key} ms": value for key, value in ms.items()}}
    for ratio in ratios:
        above, _, below = ratio.partition(" / ")
        row[ratio] = ms[above] / ms[below]
    return row


def say(text: str) -> None:
    """Print a line on stderr, which is not part of the result."""
    click.echo(f"{text} ...", err=True)


def chain_upfirdn2d(
    x: Tensor,
    f: Tensor | None,
    up: int = 1,
    down: int = 1,
    padding: Any = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
) -> Tensor:
    """Compute upfirdn2d by general operators: insert zeros, pad, one depthwise convolution an axis, decimate."""
    f = x.new_ones(1) if f is None else f.to(x.dtype)
    (ux, uy), (dx, dy), c = expand_factor(up, "up"), expand_factor(down, "down"), x.shape[1]
    n, _, height, width = x.shape
    x = F.pad(x.reshape(n, c, height, 1, width, 1), (0, ux - 1, 0, 0, 0, uy - 1)).reshape(n, c, height * uy, width * ux)
    x = F.pad(x, expand_padding(padding))
    f = (f if flip_filter else f.flip(list(range(f.ndim)))) * gain ** (f.ndim / 2)
    if f.ndim == 2:
        return F.conv2d(x, f.expand(c, 1, *f.shape), groups=c)[:, :, ::dy, ::dx]
    x = F.conv2d(x, f.expand(c, 1, 1, -1), groups=c)
    return F.conv2d(x, f[:, None].expand(c, 1, -1, 1), groups=c)[:, :, ::dy, ::dx]


def chain_filtered_lrelu(
    x: Tensor,
    fu: Tensor | None = None,
    fd: Tensor | None = None,
    b: Tensor | None = None,
    up: int = 1,
    down: int = 1,
    padding: Any = 0,
    gain: float = 2**0.5,
    slope: float = 0.2,
    clamp: float | None = None,
    flip_filter: bool = False,
) -> Tensor:
    """Compute filtered_lrelu by `chain_upfirdn2d`, differentiated by torch."""
    x = x if b is None else x + b[:, None, None]
    x = F.leaky_relu(chain_upfirdn2d(x, fu, up, 1, padding, flip_filter, up * up), slope) * gain
    x = x if clamp is None else x.clamp(-clamp, clamp)
    return chain_upfirdn2d(x, fd, 1, down, 0, flip_filter)


def _without_kernels(call: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        with cpu.switched_off():
            return call()

    return run


def _time_filtered_lrelu(name: str, fd: Tensor, up: int, rounds: int, conv_rate: float) -> Row:
    """Time filtered_lrelu from an image of SIZE * 2 / up to about SIZE: forward alone, and forward with backward."""
    size = SIZE * 2 // up
    fu = torch.randn(6 * up) / 4
    x, b = torch.randn(1, CHANNELS, size, size), torch.randn(CHANNELS)
    middle = 2 * SIZE + 10  # as in T: the down filter's 12 taps need 10 more
    total = middle - size * up + 6 * up - 1
    padding = [total // 2, total - total // 2] * 2
    options: dict[str, Any] = {"up": up, "down": 2, "padding": padding, "clamp": 256.0}
    grad = x.clone().requires_grad_()

    def forward() -> Tensor:
        with torch.inference_mode():
            return filtered_lrelu(x, fu, fd, b, **options)

    def training() -> object:
        y = filtered_lrelu(grad, fu, fd, b, **options)
        return torch.autograd.grad(y, grad, y)

    def chain() -> Tensor:
        with torch.inference_mode():
            return chain_filtered_lrelu(x, fu, fd, b, **options)

    out = forward().shape[2]
    per_phase = len(fu) // up
    down_work = out**2 * fd.numel() if fd.ndim == 2 else middle * out * TAPS + out**2 * TAPS
    operations = 2 * CHANNELS * (size * middle * per_phase + middle**2 * per_phase + down_work)
    title = f"filtered_lrelu {CHANNELS}x{size}², {name}"
    row = time_row(
        title,
        {
            "chain": chain,
            "reference": _without_kernels(forward),
            "kernel": forward,
            "reference, forward and backward": _without_kernels(training),
            "kernel, forward and backward": training,
        },
        rounds,
        "reference / kernel",
        "chain / kernel",
    )
    rate = operations / row["kernel ms"] / 1e6
    return {**row, "kernel GFLOP/s": rate, "of conv2d's rate": rate / conv_rate}


def rows(quick: bool) -> Iterator[Row]:
    """Time each operator against its reference; filtered_lrelu also against the rate of a plain convolution."""
    rounds = 3 if quick else 15
    image, kernel = torch.randn(1, 256, SIZE, SIZE), torch.randn(256, 256, 3, 3)
    title, few = f"conv2d 3x3, 256 to 256, {SIZE}²", max(rounds // 3, 3)
    conv_ms = medians(title, {"conv": lambda: F.conv2d(image, kernel, padding=1)}, few)["conv"]
    conv_rate = 2 * 256 * 256 * 9 * SIZE**2 / conv_ms / 1e6
    yield {"name": title, "rounds": few, "ms": conv_ms, "GFLOP/s": conv_rate}
    line = torch.randn(TAPS) / 4
    line = line + line.flip(0)
    radial = torch.randn(TAPS, TAPS) / TAPS
    radial = radial + radial.flip(0)
    radial = radial + radial.flip(1)
    for up in (2, 4):
        yield _time_filtered_lrelu(f"up {up}, down 2, separable", line, up, rounds, conv_rate)
        yield _time_filtered_lrelu(f"up {up}, down 2, radial", radial, up, rounds, conv_rate)
    x, f, b = torch.randn(1, CHANNELS, 128, 128), torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8, torch.randn(CHANNELS)
    two = [2, 1, 2, 1]
    pairs: tuple[tuple[str, Callable[[], object], Callable[[], object]], ...] = (
        (
            "upfirdn2d 64x128², up 2, 4 taps",
            lambda: upfirdn2d(x, f, up=2, padding=two),
            lambda: upfirdn2d_reference(x, f, [2, 2], [1, 1], two, False, 1.0),
        ),
        (
            "upfirdn2d 64x128², down 2, 4 taps",
            lambda: upfirdn2d(x, f, down=2, padding=1),
            lambda: upfirdn2d_reference(x, f, [1, 1], [2, 2], [1] * 4, False, 1.0),
        ),
        (
            "bias_act 64x128², leaky ReLU",
            lambda: bias_act(x, b, act="lrelu", clamp=256.0),
            lambda: bias_act_reference(x, b, 1, "lrelu", 0.2, 2**0.5, 256.0),
        ),
    )
    for name, call, reference in pairs:
        with torch.inference_mode():
            row = time_row(name, {"reference": reference, "kernel": call}, rounds, "reference / kernel")
        yield row


def header(quick: bool) -> Header:
    """Describe how rows are measured: machine, kernels, terms."""
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else "unknown"  # Windows has none
    return {
        **({"quick": QUICK_NOTE} if quick else {}),
        "kernels": cpu.explain(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "processors": os.cpu_count(),
        "load average before": load,
        "terms": list(TERMS),
    }


def report(above: Header, timed: Iterable[Row], as_json: bool) -> None:
    """Print a header and rows: as one JSON object at the end, or as text, each row as soon as it is timed."""
    if as_json:
        click.echo(json.dumps({"header": above, "rows": list(timed)}))
        return
    for key, value in above.items():
        lines = value if key == "terms" else [value if key == "quick" else f"{key}: {value}"]
        click.echo("\n".join(f"# {line}" for line in lines))
    for row in timed:
        click.echo(row["name"])
        for key, value in row.items():
            if key != "name":
                click.echo(f"    {key:40} {value:10.2f}" if isinstance(value, float) else f"    {key:40} {value:7}")


def prepare(threads: int) -> None:
    """Set torch's threads and load the kernels, before anything is timed."""
    torch.set_num_threads(threads)
    say("looking for the CPU kernels, which may be compiled now")
    cpu.load_library()


THREADS = click.option(
    "--threads", default=2, show_default=True, type=click.IntRange(1, 1024), help="Threads of torch."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, header and rows, instead of text.")
QUICK = click.option("--quick", is_flag=True, help="Few rounds and no large model: shows that it runs, not how fast.")
CONTEXT = {"help_option_names": ["-h", "--help"]}
EPILOG = "\n\n".join(TERMS)
PARTS = {"operators": "cuda_ops.bench", "generators": "gan.bench", "training": "train.bench"}  # each has `rows`


@click.command(context_settings=CONTEXT, epilog=EPILOG)
@THREADS
@JSON
@QUICK
@click.option("--only", type=click.Choice(list(PARTS)), help="Time one part only.")
def main(threads: int, as_json: bool, quick: bool, only: str | None) -> None:
    """Time operators, generators and training steps: references, kernels, and convolutions alone.

    Run it on an otherwise idle machine. The figures of docs/benchmarks.md come from `python -m cuda_ops.bench`. Text
    is printed row by row; stderr says what is being timed.
    """
    prepare(threads)
    parts = [only] if only else PARTS
    report(header(quick), (row for part in parts for row in import_module(PARTS[part]).rows(quick)), as_json)


if __name__ == "__main__":
    main()
