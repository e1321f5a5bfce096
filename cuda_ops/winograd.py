# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""3x3 convolution by Winograd's F(4x4, 3x3) [Lavin 2016]: a quarter of the multiplications.

A 4x4 tile of outputs is A^T [(G w G^T) * (B^T d B)] A of the 6x6 inputs d that it reads, summed over input channels
before the outer transform: 36 matrix products of [tiles, C_in] with [C_in, C_out]. The kernels transform images
(csrc/cpu/winograd.h), torch multiplies, and weights that stay are transformed once.

In float32 the error is some 2e-6 of the largest value; conv2d's is 3e-7. Inputs that are not finite spread to every
output of the tiles that read them.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from cuda_ops.cpu import bindings as cpu_kernels
from cuda_ops.cpu import loader as cpu

P, Q = 0.625, 1.5  # interpolation points 0, ±P, ±Q, infinity, as in csrc/cpu/winograd.h
CHUNK = 4 * 2**20  # bytes of transformed tiles, in and out, worked on at a time; at least as many as the weights have
MIN_CHANNELS = 16  # below which the kernels do not work
MIN_PRODUCT = 20 * 24  # of a training convolution's channels, in and out: below it transforms cost what products save
MIN_SIZE = 8  # pixels of its output: smaller ones do not win back the time for transforming the weights


def _row(x: float, scale: float) -> list[float]:
    return [1 / scale, x / scale, x * x / scale]


# [6, 3]: each point's powers, over the product of its distances to the other points.
G = torch.tensor(
    [
        _row(0.0, P * P * Q * Q),
        *(_row(x, 2 * P * P * (P * P - Q * Q)) for x in (P, -P)),
        *(_row(x, 2 * Q * Q * (Q * Q - P * P)) for x in (Q, -Q)),
        [0.0, 0.0, 1.0],
    ],
    dtype=torch.float64,
)


def supports(weight: Tensor) -> bool:
    """Return whether the kernels are there and support convolutions with such weights [C_out, C_in, k, k]."""
    right = weight.is_cpu and weight.dtype == torch.float32 and weight.shape[2:] == (3, 3)
    return right and min(weight.shape[:2]) >= MIN_CHANNELS and cpu.load_library() is not None


def transform(weight: Tensor) -> Tensor:
    """Return G w G^T [36, C_out, C_in] of weights [C_out, C_in, 3, 3]."""
    both = torch.kron(G, G).to(weight.dtype)
    return (both @ weight.permute(2, 3, 0, 1).reshape(9, -1)).view(36, *weight.shape[:2])


def _check(x: Tensor, c_in: int) -> Tensor:
    """Return x channels-last; ValueError for images that are not float32 or not of `c_in` channels."""
    if x.dtype != torch.float32 or x.shape[1] != c_in:
        raise ValueError(f"Expected float32 images of {c_in} channels, not {x.dtype} {tuple(x.shape)}.")
    return x.contiguous(memory_format=torch.channels_last)


def _chunks(tiles: int, c_in: int, c_out: int) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Yield the first tile of each chunk, and room for it before [36, count, C_in] and after [36, count, C_out]."""
    # All weights pass through the caches once a chunk, so a chunk is no smaller than they are.
    chunks = -(-tiles * 36 * 4 * (c_in + c_out) // max(CHUNK, 36 * 4 * c_in * c_out))
    most = -(-tiles // chunks)
    before, after = torch.empty(36 * most * c_in), torch.empty(36 * most * c_out)
    for first in range(0, tiles, most):
        count = min(most, tiles - first)
        yield (
            first,
            before[: 36 * count * c_in].view(36, count, c_in),
            after[: 36 * count * c_out].view(36, count, c_out),
        )


def conv2d(x: Tensor, transformed: Tensor, padding: int) -> Tensor:
    """Convolve [N, C_in, H, W] to [N, C_out, H + 2 padding - 2, W + 2 padding - 2], channels-last, float32.

    `transformed` comes from `transform`, of weights that `supports` returned True for. There are no gradients.
    """
    if torch.is_grad_enabled() and (x.requires_grad or transformed.requires_grad):
        raise ValueError("The Winograd convolution of transformed weights has no gradients: use `convolve`.")
    _, c_out, c_in = transformed.shape
    x = _check(x, c_in)
    height, width = x.shape[2] + 2 * padding - 2, x.shape[3] + 2 * padding - 2
    y = torch.empty((len(x), c_out, height, width), memory_format=torch.channels_last)
    columns, rows = -(-width // 4), -(-height // 4)
    for first, v, m in _chunks(len(x) * columns * rows, c_in, c_out):
        cpu_kernels.winograd(x, v, columns, first, padding, cpu_kernels.READ_INPUT)
        torch.bmm(v, transformed.transpose(1, 2), out=m)
        cpu_kernels.winograd(y, m, columns, first, 0, cpu_kernels.WRITE_OUTPUT)
    return y


def weight_gradient(x: Tensor, dy: Tensor, padding: int) -> Tensor:
    """Return the gradient [C_out, C_in, 3, 3] of a convolution's weights from its input and its output's gradient.

    The algorithm transposed: G^T [sum over tiles of (A dy A^T) x (B^T d B)] G.
    """
    c_in, c_out = x.shape[1], dy.shape[1]
    x, dy = _check(x, c_in), _check(dy, c_out)
    columns, rows = -(-dy.shape[3] // 4), -(-dy.shape[2] // 4)
    total = torch.zeros(36, c_out, c_in)
    for first, v, m in _chunks(len(x) * columns * rows, c_in, c_out):
        cpu_kernels.winograd(x, v, columns, first, padding, cpu_kernels.READ_INPUT)
        cpu_kernels.winograd(dy, m, columns, first, 0, cpu_kernels.READ_GRADIENT)
        total.baddbmm_(m.transpose(1, 2), v)
    both = torch.kron(G, G).to(x.dtype)
    return (both.t() @ total.view(36, -1)).view(3, 3, c_out, c_in).permute(2, 3, 0, 1).contiguous()


def pays(x: Tensor, weight: Tensor, padding: int) -> bool:
    """Return whether `convolve` is the faster way to convolve x [N, C_in, H, W] with weights that change.

    A rule by sizes (docs/decisions/008): were it timed, a run that is resumed could compute otherwise and no
    longer repeat itself bit for bit. The batch's size does not matter, so that parts of a batch compute as the whole.
    """
    if torch.compiler.is_compiling():  # nothing but torch's own convolution can be traced
        return False
    if x.dtype != torch.float32 or not 0 <= padding <= 2 or not supports(weight):
        return False
    return weight.shape[0] * weight.shape[1] >= MIN_PRODUCT and min(x.shape[2:]) + 2 * padding - 2 >= MIN_SIZE


class _Convolution(torch.autograd.Function):
    """The convolution and its gradients by Winograd's algorithm; gradients of gradients by torch's convolution."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, padding: int) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x, weight)
        ctx.padding = padding
        return conv2d(x, transform(weight), padding)

    @staticmethod
    def backward(ctx, dy: Tensor):  # type: ignore[no-untyped-def]
        x, weight = ctx.saved_tensors
        wanted = [*ctx.needs_input_grad[:2], False]
        if torch.is_grad_enabled():  # R1 and path lengths, rare: differentiated again
            both, pad = [1, 1], [ctx.padding, ctx.padding]
            dx, dw, _ = torch.ops.aten.convolution_backward(
                dy, x, weight, None, both, pad, both, False, [0, 0], 1, wanted
            )
            return dx, dw, None
        dx = conv2d(dy, transform(weight.flip(2, 3).transpose(0, 1)), 2 - ctx.padding) if wanted[0] else None
        return dx, weight_gradient(x, dy, ctx.padding) if wanted[1] else None, None


def convolve(x: Tensor, weight: Tensor, padding: int) -> Tensor:
    """Convolve x [N, C_in, H, W] with [C_out, C_in, 3, 3] as `conv2d` does, differentiable any number of times.

    Call it only where `pays` says so.
    """
    y: Tensor = _Convolution.apply(x, weight, padding)
    return y
