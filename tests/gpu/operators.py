# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""python -m gpu.operators: launches every kind of kernel at small sizes and prints a digest of what came out.

This is what the memory checker watches, and what runs twice at once to see whether processes disturb each other. Every
input is made on the CPU and copied, so that torch launches hardly anything beside: the checker has nobody else to
complain about.
"""

import hashlib
import sys
from collections.abc import Iterator

import click
import torch
from test_cuda_host import FILTERED, LAST, PLANAR, RESAMPLED, random_filter
from torch import Tensor

from cuda_ops.bias_act import _bias_act, _bias_act_gradient
from cuda_ops.cuda import bindings as cuda_kernels
from cuda_ops.cuda import loader as cuda
from cuda_ops.cuda.tiling import TYPES
from cuda_ops.upfirdn2d import _upfirdn2d

from .calls import Layer
from .device import missing

# Beside the tests' own cases, images of several tiles: (image, up filter, down filter, up, down, padding, _, layout).
LARGER = (
    ((1, 9, 70, 66), (12,), (12,), 2, 2, [9, 8, 9, 8], 0, PLANAR),
    ((1, 16, 70, 66), (12,), (12,), 2, 2, [9, 8, 9, 8], 0, LAST),
    ((1, 8, 40, 68), (24,), (12,), 4, 2, [-6, -9, -6, -9], 0, PLANAR),
    ((1, 8, 62, 64), (12,), (12, 12, "m"), 2, 2, [11, 10, 11, 10], 0, PLANAR),
    ((1, 8, 62, 64), (12,), (12, 12, "m"), 2, 2, [11, 10, 11, 10], 0, LAST),
    ((1, 8, 40, 36), (24,), (12, 12, "m"), 4, 2, [-2, -5, -2, -5], 0, LAST),
)
PLANTED = "An error was planted: a kernel was told of more values than its tensor has."


def there(x: Tensor, device: torch.device) -> Tensor:
    """A copy on the device, in the same layout, by a copy of bytes alone."""
    return x.to(device)


def filtered(device: torch.device, few: bool) -> Iterator[tuple[str, Tensor]]:
    """filtered_lrelu and its gradients: each case in one type, some in all."""
    for number, case in enumerate((FILTERED + LARGER)[:: 6 if few else 1]):
        shape, fu, fd, up, down, padding, _, layout = case
        for dtype in TYPES if number in (1, 2, 3) and not few else [list(TYPES)[number % 2]]:
            layer = Layer(there(random_filter(fu), device), there(random_filter(fd), device), up, down, padding)
            x = torch.randn(shape).to(dtype).contiguous(memory_format=layout)
            b = there(torch.randn(shape[1]).to(dtype), device)
            name = f"filtered_lrelu {tuple(shape)} up {up} down {down} {dtype}"
            x = there(x, device)
            yield f"{name}, output", layer.forward(x, b, False)[0]
            y, codes = layer.forward(x, b, True)
            yield f"{name}, output with codes", y
            yield f"{name}, codes", codes
            dy = torch.randn(y.shape).to(dtype).contiguous(memory_format=layout)
            dx = layer.gradient(there(dy, device), codes, shape[2:])
            yield f"{name}, gradient", dx
            yield f"{name}, second gradient", layer.second(dx, codes, y.shape[2:])


def others(device: torch.device, few: bool) -> Iterator[tuple[str, Tensor]]:
    """upfirdn2d by either kernel, bias_act and its gradient; parts of larger tensors."""
    for number, (shape, taps, up, down, padding) in enumerate(RESAMPLED[:: 4 if few else 1]):
        up, down = ([v] * 2 if isinstance(v, int) else v for v in (up, down))
        for layout, dtype in ((PLANAR, torch.float32), (LAST, torch.float16)):
            x = there(torch.randn(shape).to(dtype).contiguous(memory_format=layout), device)
            f = there(random_filter(taps), device)
            yield f"upfirdn2d {number} {dtype}", _upfirdn2d(x, f, up, down, padding, False, 1.7)
    for dtype in TYPES:
        for shape in ((3, 5), (2, 8, 6, 4), (1, 3, 7, 9)):
            x, b = torch.randn(shape).to(dtype), there(torch.randn(shape[1]).to(dtype), device)
            y = _bias_act(there(x, device), b, 1, "lrelu", 0.2, 1.4, 0.9)
            yield f"bias_act {shape} {dtype}", y
            dy = there(torch.randn(shape).to(dtype), device)
            yield f"bias_act {shape} {dtype}, gradient", _bias_act_gradient(dy, y, 0.2, 1.4, 0.9)
    f = there(random_filter((12,)), device)
    layer, base = Layer(f, f, 2, 2, [9, 8, 9, 8]), there(torch.randn(3, 4, 12, 16), device)
    b = there(torch.zeros(3), device)
    yield "filtered_lrelu of a part", layer.forward(base[::2, 1:, 2:9, 3:12], b, True)[0]
    yield "filtered_lrelu of a transposed image", layer.forward(base[:, :3].transpose(2, 3), b, False)[0]


def calls(device: torch.device, few: bool = False) -> Iterator[tuple[str, Tensor]]:
    """Names and results, one launch each, always of the same numbers."""
    torch.manual_seed(0)
    yield from filtered(device, few)
    yield from others(device, few)


def plant(device: torch.device) -> None:
    """Launch bias_act over 4096 values more than there are: what a checker that works must complain about."""
    x = there(torch.zeros(1, 4, 16, 16), device)
    y, b = torch.empty_like(x), there(torch.zeros(4), device)
    count = x.numel() + 4096
    arguments = cuda_kernels._bias_act.fill(x.data_ptr(), b.data_ptr(), y.data_ptr(), count, 4, 256, 0.2, 1.0, 1.0)
    defines = {"TYPE": 0, "THREADS": cuda.THREADS, "BLOCKS": cuda.BLOCKS, "VECTOR": 1}
    cuda.launch("bias_act", "bias_act", defines, device, -(-count // cuda.THREADS), arguments, cuda.THREADS, 0)
    torch.cuda.synchronize(device)


@click.command()
@click.option("--device", default="cuda", show_default=True)
@click.option("--few", is_flag=True, help="A sixth of it.")
@click.option("--planted", is_flag=True, help="Go wrong on purpose.")
def main(device: str, few: bool, planted: bool) -> None:
    """Launch every kind of kernel at small sizes and print a digest of the results."""
    place = torch.device(device)
    why = missing() if place.type == "cuda" else None
    if why:
        raise click.ClickException(why)
    if planted:
        plant(place)
        click.echo(PLANTED)
        return
    whole, count, bad = hashlib.sha256(), 0, []
    with torch.inference_mode():
        for name, result in calls(place, few):
            found = result.cpu()
            if found.is_floating_point() and not bool(found.isfinite().all()):
                bad.append(name)
            whole.update(found.contiguous().view(torch.uint8).numpy().tobytes())
            count += 1
    if bad:
        raise click.ClickException(f"{len(bad)} of {count} results are not finite, the first of {bad[0]}.")
    click.echo(f"{count} results, digest {whole.hexdigest()[:16]}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
