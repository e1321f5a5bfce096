# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""scale_channels: each sample's channels times factors, as modulation and demodulation do it.

Its gradient needs the products of the incoming gradient with the factors and, summed over pixels, with the input. The
CPU kernels make both in one pass over memory, where torch takes three.
"""

import torch
from torch import Tensor

from cuda_ops.cpu import bindings as cpu_kernels
from cuda_ops.cpu import loader as cpu


def scale_channels_reference(x: Tensor, factors: Tensor) -> Tensor:
    """Define the operator: x [N, C, H, W] times factors [N, C], in the type of x."""
    return x * factors[:, :, None, None].to(x.dtype)


def _supports(x: Tensor, factors: Tensor) -> bool:
    """Return whether the kernels are there and support such a call; a compiler fuses torch's own product better."""
    if torch.compiler.is_compiling():
        return False
    is_native = x.is_cpu and x.dtype == factors.dtype == torch.float32
    dense = x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last) and factors.shape == x.shape[:2]
    return is_native and dense and cpu.load_library() is not None


class _Scaling(torch.autograd.Function):
    """The operator by kernels; gradients of gradients by torch's operators."""

    @staticmethod
    def forward(ctx, x: Tensor, factors: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x, factors)
        return cpu_kernels.scale(x, factors.contiguous())[0]

    @staticmethod
    def backward(ctx, dy: Tensor):  # type: ignore[no-untyped-def]
        x, factors = ctx.saved_tensors
        if torch.is_grad_enabled():
            return scale_channels(dy, factors), (dy * x).sum([2, 3])
        dy = dy.contiguous(memory_format=torch.channels_last)
        return cpu_kernels.scale(dy, factors.contiguous(), x)


def scale_channels(x: Tensor, factors: Tensor) -> Tensor:
    """Multiply x [N, C, H, W] by factors [N, C], in the type of x; differentiable any number of times."""
    if not _supports(x, factors):
        return scale_channels_reference(x, factors)
    y: Tensor = _Scaling.apply(x, factors)
    return y
