# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""3x3 convolution by Winograd's F(4x4, 3x3) [Lavin 2016]: a quarter of the multiplications.

A 4x4 tile of outputs is A^T [(G w G^T) * (B^T d B)] A of the 6x6 inputs d that it reads, summed over input channels
before the outer transform: 36 matrix products of [tiles, C_in] with [C_in, C_out]. The kernels transform images
(csrc/cpu/winograd.h), torch multiplies, and weights that stay are transformed once.

In float32 the error is some 2e-6 of the largest value; conv2d's is 3e-7. Inputs that are not finite spread to every
output of the tiles that read them.
"""

import torch
from torch import Tensor

from cuda_ops.cpu import bindings as cpu_kernels
from cuda_ops.cpu import loader as cpu

P, Q = 0.625, 1.5  # interpolation points 0, ±P, ±Q, infinity, as in csrc/cpu/winograd.h
CHUNK = 4 * 2**20  # bytes of transformed tiles, in and out, worked on at a time; at least as many as the weights have
MIN_CHANNELS = 16  # below which the kernels do not work


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


def conv2d(x: Tensor, transformed: Tensor, padding: int) -> Tensor:
    """Convolve [N, C_in, H, W] to [N, C_out, H + 2 padding - 2, W + 2 padding - 2], channels-last, float32.

    `transformed` comes from `transform`, of weights that `supports` returned True for. There are no gradients.
    """
    if torch.is_grad_enabled() and (x.requires_grad or transformed.requires_grad):
        raise ValueError("The Winograd convolution has no gradients: use torch.nn.functional.conv2d for training.")
    if x.dtype != torch.float32 or x.shape[1] != transformed.shape[2]:
        raise ValueError(f"Expected float32 images of {transformed.shape[2]} channels, not {x.dtype} {tuple(x.shape)}.")
    x = x.contiguous(memory_format=torch.channels_last)
    n, c_in, height, width = x.shape
    c_out = transformed.shape[1]
    height, width = height + 2 * padding - 2, width + 2 * padding - 2
    y = torch.empty((n, c_out, height, width), memory_format=torch.channels_last)
    columns = -(-width // 4)
    tiles = columns * -(-height // 4)
    # All weights pass through the caches once a chunk, so a chunk is no smaller than they are.
    chunks = -(-tiles * 36 * 4 * (c_in + c_out) // max(CHUNK, transformed.nbytes))
    most = -(-tiles // chunks)
    before, after = torch.empty(36 * most * c_in), torch.empty(36 * most * c_out)
    for source, result in zip(x, y, strict=True):
        for first in range(0, tiles, most):
            count = min(most, tiles - first)
            v, m = before[: 36 * count * c_in].view(36, count, c_in), after[: 36 * count * c_out].view(36, count, c_out)
            cpu_kernels.winograd(source, v, columns, first, padding, back=False)
            torch.bmm(v, transformed.transpose(1, 2), out=m)
            cpu_kernels.winograd(result, m, columns, first, 0, back=True)
    return y
