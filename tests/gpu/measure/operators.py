# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sections "kernels" and "bandwidth": each operator against its reference, and filtered_lrelu against its roofline."""

from collections.abc import Callable, Iterator

import torch
from bench.bench_roofline import BACKWARD, CASES, LAYOUTS, ceilings, line, milliseconds
from bench.bench_roofline import case as bench_case
from torch import Tensor

from cuda_ops.bias_act import _bias_act, bias_act_reference
from cuda_ops.cpu import loader as cpu
from cuda_ops.cuda import loader as cuda
from cuda_ops.upfirdn2d import _upfirdn2d, upfirdn2d_reference

from ..calls import TOLERANCE, Layer, relative
from ..device import Choice, exact
from ..rows import Row, row

CHANNELS, SIZE = 32, 512  # outputs, as in bench.bench_roofline
ROUNDS, REFERENCE_ROUNDS = 50, 5
LEAST = 0.5  # of the roofline
CLAIMED = ("float16", "float32")  # that this is claimed of


def sizes(choice: Choice) -> tuple[int, int]:
    """(channels, outputs on a side)."""
    return (8, 32) if choice.small else (CHANNELS, SIZE)


def types(choice: Choice) -> list[torch.dtype]:
    return [torch.float32] if choice.small else [torch.float16, torch.float32] if choice.quick else list(TOLERANCE)


def plain(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _without_kernels(call: Callable[[], object], choice: Choice) -> Callable[[int], object]:
    off = cpu.switched_off if choice.small else cuda.switched_off

    def run(_: int) -> object:
        with off():
            return call()

    return run


def against_reference(
    case: str, choice: Choice, dtype: torch.dtype, call: Callable[[], Tensor], expected: Callable[[], Tensor]
) -> Row:
    """Error against the definition in float64, and both times in the type itself."""
    with torch.inference_mode(), exact():
        error = relative(call(), expected())
        ms = milliseconds(lambda _: call(), choice.device, 10 if choice.quick else ROUNDS)
        reference = milliseconds(_without_kernels(call, choice), choice.device, REFERENCE_ROUNDS)
    limit = TOLERANCE[dtype]
    return row(
        f"{case}, {plain(dtype)}",
        ms,
        against=f"reference {reference:.3g} ms",
        ratio=reference / ms,
        error=error,
        bar=f"error <= {limit:g}",
        met=error <= limit,
    )


def made(up: int, down: int, radial: bool, rows: int, size: int, device: torch.device) -> Layer:
    """A layer from rows² to size² values."""
    total = (size - 1) * down + 6 * down - rows * up + 6 * up - 1
    pads = [total // 2, total - total // 2] * 2
    fu, fd = line(6 * up, False, device), line(6 * down, radial, device)
    return Layer(fu / fu.sum(), fd / fd.sum(), up, down, pads, clamp=256.0)


def kernels(choice: Choice) -> Iterator[Row]:
    """Section "kernels"."""
    torch.manual_seed(0)
    channels, size = sizes(choice)
    for up, down, radial in CASES:
        title = f"filtered_lrelu {channels} x {size}², up {up}, down {down}, {'radial' if radial else 'separable'}"
        for dtype in types(choice):
            for name, layout in LAYOUTS.items():
                if layout == torch.channels_last and (choice.quick or dtype == torch.bfloat16):
                    continue
                yield from _layer_rows(choice, f"{title}, {name}", (up, down, radial), dtype, layout)
    yield from _other_rows(choice)


def _layer_rows(choice: Choice, title: str, numbers, dtype: torch.dtype, layout: torch.memory_format) -> Iterator[Row]:
    (up, down, radial), (channels, size), device = numbers, sizes(choice), choice.device
    side = size * down // up
    layer = made(up, down, radial, side, size, device)
    x = torch.randn(1, channels, side, side, device=device).to(dtype).contiguous(memory_format=layout)
    b = torch.randn(channels, device=device).to(dtype)
    yield against_reference(
        f"{title}, output", choice, dtype, lambda: layer.forward(x, b, False)[0], lambda: layer.forward_reference(x, b)
    )
    with torch.inference_mode():
        y, codes = layer.forward(x, b, True)
    dy = torch.randn_like(y)
    yield against_reference(
        f"{title}, gradient",
        choice,
        dtype,
        lambda: layer.gradient(dy, codes, x.shape[2:]),
        lambda: layer.gradient(dy, codes, x.shape[2:], double=True),
    )


def _other_rows(choice: Choice) -> Iterator[Row]:
    channels, size = sizes(choice)
    f = torch.tensor([1.0, 3.0, 3.0, 1.0], device=choice.device) / 8
    for dtype in types(choice):
        x = torch.randn(4, channels, size, size, device=choice.device).to(dtype)
        b = torch.randn(channels, device=choice.device).to(dtype)
        for name, up, down, pads in (("up 2", 2, 1, [2, 1, 2, 1]), ("down 2", 1, 2, [1, 1, 1, 1])):
            arguments = [up] * 2, [down] * 2, pads, False, 1.0
            yield against_reference(
                f"upfirdn2d 4 x {channels} x {size}², {name}, 4 taps",
                choice,
                dtype,
                lambda x=x, a=arguments: _upfirdn2d(x, f, *a),
                lambda x=x, a=arguments: upfirdn2d_reference(x.double(), f.double(), *a),
            )
        yield against_reference(
            f"bias_act 4 x {channels} x {size}², leaky ReLU",
            choice,
            dtype,
            lambda x=x, b=b: _bias_act(x, b, 1, "lrelu", 0.2, 2**0.5, 256.0),
            lambda x=x, b=b: bias_act_reference(x.double(), b.double(), 1, "lrelu", 0.2, 2**0.5, 256.0),
        )


def bandwidth(choice: Choice) -> Iterator[Row]:
    """Section "bandwidth": what a copy and a matrix product reach, then each case beside them."""
    rounds = 20 if choice.quick else 100
    rates = ceilings(choice.device, rounds)
    yield row("copy from device to device, read and written", rates[0] / 1e6, "GB/s")
    yield row("float32 multiply-adds, a matrix product without tf32", 2 * rates[1] / 1e9, "TFLOP/s")
    channels, size = sizes(choice)
    for backward, cases in ((False, CASES), (True, BACKWARD)):
        for up, down, radial in cases:
            for dtype in types(choice):
                for layout in LAYOUTS.values():
                    found = bench_case(
                        up, down, radial, size, channels, dtype, layout, backward, choice.device, rounds, rates
                    )
                    claimed = plain(dtype) in CLAIMED and not choice.small
                    yield _bandwidth_row(found, rates, (up, down, radial), backward, dtype, layout, claimed)


def _bandwidth_row(
    found: Row,
    rates: tuple[float, float],
    numbers: tuple,
    backward: bool,
    dtype: torch.dtype,
    layout: torch.memory_format,
    claimed: bool,
) -> Row:
    up, down, radial = numbers
    share, kind = found["of roofline"], "radial" if radial else "separable"
    name = f"filtered_lrelu-{up}-{down}-{kind}-{plain(dtype)}{'-gradient' if backward else ''}"
    return row(
        f"filtered_lrelu {found['name']}",
        found["ms"],
        against=f"{found['moved'] / found['ms'] / 1e6:.0f} of {rates[0] / 1e6:.0f} GB/s; bound by {found['bound by']}: "
        f"{found['floor ms']:.3g} ms",
        ratio=share,
        bar=f">= {LEAST:g} of roofline" if claimed else "",
        met=share >= LEAST if claimed else None,
        name=name if layout == torch.contiguous_format else "",
    )
