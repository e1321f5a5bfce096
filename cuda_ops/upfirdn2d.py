# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""upfirdn2d: pad, upsample by zero insertion, filter, decimate. The reference below *is* the operator's definition."""

from collections.abc import Sequence
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor

from cuda_ops.cuda import bindings as cuda_kernels
from cuda_ops.registration import define_operator, differentiate
from cuda_ops.shapes import (
    Geometry,
    adjoint_paddings,
    check_image,
    check_resampling,
    empty_images,
    expand_factor,
    expand_padding,
    memory_format,
    output_size,
    output_sizes,
)


def axis_matrix(f: Tensor, size: int, up: int, down: int, before: int, after: int, flip: bool, gain: float) -> Tensor:
    """Return the banded [out, size] matrix that applies a 1-D filter with up- and downsampling along one axis.

    Matrix products reach a machine's full rate where a chain of depthwise convolutions does not: on CPUs this is about
    ten times as fast at the sizes of these models (docs/decisions/004).
    """
    taps = f.shape[0]
    out = output_size(size, taps, up, down, before, after)
    # Without `flip` the filter is convolved, which is a correlation with the flipped filter. Input h reaches output t
    # through tap before + up h - down t: a strided view, with t counted backwards, of the taps between zeros.
    first, last = before - down * (out - 1), before + up * (size - 1)
    line = f.new_zeros(last - first + 1)
    joined = slice(max(first, 0), max(min(last + 1, taps), 0))
    line[joined.start - first : joined.start - first + len(f[joined])] = (f if flip else f.flip(0))[joined] * gain
    return line.as_strided((out, size), (down, up)).flip(0)


def _two_axes(
    x: Tensor, f: Tensor, up: Sequence[int], down: Sequence[int], padding: Sequence[int], flip: bool
) -> Tensor:
    """Apply a 2-D filter by zero insertion, padding or cropping, and one single-channel convolution."""
    n, c, height, width = x.shape
    x = x.reshape(n * c, 1, height, 1, width, 1)
    x = F.pad(x, (0, up[0] - 1, 0, 0, 0, up[1] - 1)).reshape(n * c, 1, height * up[1], width * up[0])
    x = F.pad(x, [max(p, 0) for p in padding])  # first, so that even what is cropped altogether can be
    left, right, top, bottom = (max(-p, 0) for p in padding)
    x = x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]
    y = F.conv2d(x, (f if flip else f.flip(0, 1))[None, None], stride=(down[1], down[0]))
    return y.reshape(n, c, *y.shape[2:])


def upfirdn2d_reference(
    x: Tensor, f: Tensor, up: Sequence[int], down: Sequence[int], padding: Sequence[int], flip_filter: bool, gain: float
) -> Tensor:
    """Define the operator in differentiable torch functions; arguments as in `upfirdn2d`, pairs given as (x, y)."""
    f = f.to(x.dtype)
    if f.ndim == 2:
        y = _two_axes(x, f * gain, up, down, padding, flip_filter)
    else:
        across = axis_matrix(f, x.shape[3], up[0], down[0], padding[0], padding[1], flip_filter, gain)
        along = axis_matrix(f, x.shape[2], up[1], down[1], padding[2], padding[3], flip_filter, 1.0)
        y = torch.matmul(along, torch.matmul(x, across.t()))
    return y.contiguous(memory_format=memory_format(x))


def _upfirdn2d_by(
    kernels: ModuleType,
    x: Tensor,
    f: Tensor,
    up: Sequence[int],
    down: Sequence[int],
    padding: Sequence[int],
    flip_filter: bool,
    gain: float,
) -> Tensor | None:
    """Resample by kernels; None where they do not support the call."""
    is_cuda = kernels is cuda_kernels
    out = output_sizes(x.shape, f, up, down, padding)
    # The fused kernel with the identity as its other filter: decimation alone is filtering while decimating. CUDA's
    # supports only large 2-D filters well, and the models resample by small ones.
    if not (is_cuda and f.ndim == 2) and kernels.supports(x, [*up, *down], f):
        one, before = f.new_ones(1), (padding[0], padding[2])
        if max(up) == 1:
            filters, geometry = (one, f), Geometry(up, down, (0, 0), before, (x.shape[2], x.shape[3]), out)
        else:
            middle = output_sizes(x.shape, f, up, [1, 1], padding)
            filters, geometry = (f, one), Geometry(up, down, before, (0, 0), middle, out)
        y: Tensor | None = kernels.resample(x, *filters, geometry, gain, flip_filter)
        if y is not None:
            return y
    return cuda_kernels.upfirdn2d(x, f, up, down, padding, flip_filter, gain, out) if is_cuda else None


def _fake(x: Tensor, f: Tensor, up: Sequence[int], down: Sequence[int], padding: Sequence[int], *_: object) -> Tensor:
    return empty_images(x, output_sizes(x.shape, f, up, down, padding))


_upfirdn2d = define_operator(upfirdn2d_reference, _upfirdn2d_by, _fake)


def _setup_context(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
    x, f, ctx.up, ctx.down, ctx.padding, ctx.flip_filter, ctx.gain = inputs
    ctx.save_for_backward(f)
    ctx.size, ctx.out = x.shape[2:], output.shape[2:]


def _backward(ctx, dy: Tensor):  # type: ignore[no-untyped-def]
    (f,) = ctx.saved_tensors
    padding = adjoint_paddings(ctx.size, ctx.out, f, ctx.up, ctx.down, ctx.padding)
    dx = _upfirdn2d(dy, f, ctx.down, ctx.up, padding, not ctx.flip_filter, ctx.gain)
    return dx, None, None, None, None, None, None


differentiate(_upfirdn2d, _backward, _setup_context)


def upfirdn2d(
    x: Tensor,
    f: Tensor | None,
    up: int | Sequence[int] = 1,
    down: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
) -> Tensor:
    """Pad, upsample by zero insertion, filter and decimate a batch of images.

    Args:
        x: [N, C, H, W] images.
        f: [taps] filter used on both axes, [taps_y, taps_x] filter, or None for the identity. No gradient goes to it.
        up: factor, or (x, y) factors; each sample is followed by up - 1 zeros.
        down: factor, or (x, y) factors.
        padding: of the upsampled image, in pixels: one number, (x, y), or [x before, x after, y before, y after];
            negative values crop.
        flip_filter: correlate instead of convolve.
        gain: total gain.

    Returns:
        [N, C, (H up + pad - taps) // down + 1, ...], differentiable any number of times in x.
    """
    f = x.new_ones(1) if f is None else f.detach()
    up, down, padding = expand_factor(up, "up"), expand_factor(down, "down"), expand_padding(padding)
    check_image(x)
    check_resampling(x.shape, f, up, down, padding)
    return _upfirdn2d(x, f, up, down, padding, flip_filter, float(gain))
