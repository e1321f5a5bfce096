# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""filtered_lrelu: upsample, leaky ReLU, downsample [P fig. 2b, app. D]. The reference below *is* the definition.

The gradient needs only two bits of each upsampled value (negative, clamped). So the operator returns *codes* beside
its output, and a second, linear operator, `jinc::filtered_codes`, applies stored codes in place of the
nonlinearity. It is the gradient of the first, and its own gradient is again itself with up and down swapped, which is
how a double backward costs no third kernel.

Codes are bytes [N, 2 ceil(C / 8), H, W] of the upsampled size: for every 8 channels a plane whose bits say which of
them are negative (the lowest bit is the first channel), then one whose bits say which were clamped.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from cuda_ops.registration import define_operator, differentiate
from cuda_ops.shapes import (
    DECODE,
    ENCODE,
    FORWARD,
    Geometry,
    adjoint_paddings,
    check_image,
    check_resampling,
    empty_images,
    expand_factor,
    expand_padding,
    memory_format,
    output_sizes,
)
from cuda_ops.upfirdn2d import upfirdn2d_reference


def _split(x: Tensor) -> tuple[Tensor, ...]:
    """Split a batch for the CPU into single images, whose upsampled signal stays in the cache.

    That halves the time of a training batch. Other devices work on the whole batch.
    """
    return x.split(1) if x.is_cpu and x.shape[0] > 1 else (x,)


def _join(parts: Sequence[Tensor]) -> Tensor:
    """Join what `_split` returned, without a copy where it is one part."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def _pack(bits: Tensor) -> Tensor:
    """Pack [N, C, H, W] booleans into [N, ceil(C / 8), H, W] bytes."""
    planes = bits.view(torch.uint8)
    packed = planes[:, 0::8].clone()
    for bit in range(1, min(8, planes.shape[1])):
        these = planes[:, bit::8]
        packed[:, : these.shape[1]] |= these << bit
    return packed


def _unpack(packed: Tensor, channels: int) -> Tensor:
    """Invert `_pack`."""
    bits = torch.stack([packed >> bit & 1 for bit in range(8)], dim=2)
    return bits.flatten(1, 2)[:, :channels].bool()


def _encode(u: Tensor, slope: float, clamp: float | None, keep: bool) -> Tensor:
    """Apply the nonlinearity to the upsampled, amplified signal in place; return the codes, none unless `keep`."""
    negative = u < 0 if slope > 0 else u <= 0
    F.leaky_relu(u, slope, inplace=True)
    limit = float("inf") if clamp is None else clamp
    # On a CPU one look at the extremes saves two passes: a clamp of 256 is hardly ever reached. NaN compares false.
    beyond = clamp is not None and not (u.is_cpu and u.numel() > 0 and max(map(abs, torch.aminmax(u))) <= limit)
    codes = u.new_empty(0, dtype=torch.uint8)
    if keep:
        packed = _pack(negative)
        codes = torch.stack([packed, _pack(u.abs() > limit) if beyond else torch.zeros_like(packed)], dim=2)
        codes = codes.flatten(1, 2)
    if beyond:
        u.clamp_(-limit, limit)
    return codes


def _decode(u: Tensor, codes: Tensor, slope: float) -> Tensor:
    """Multiply in place by the nonlinearity's derivative that the codes stand for."""
    negative, beyond = codes[:, 0::2], codes[:, 1::2]
    u.addcmul_(u, _unpack(negative, u.shape[1]).to(u.dtype), value=slope - 1)
    return u.masked_fill_(_unpack(beyond, u.shape[1]), 0) if beyond.any() else u


def code_planes(channels: int) -> int:
    """Return how many planes of codes so many channels have."""
    return 2 * ((channels + 7) // 8)


def filtered_lrelu_reference(
    x: Tensor,
    fu: Tensor,
    fd: Tensor,
    b: Tensor,
    up: int,
    down: int,
    padding: Sequence[int],
    gain: float,
    slope: float,
    clamp: float | None,
    flip_filter: bool,
    keep_codes: bool,
) -> tuple[Tensor, Tensor]:
    """Define the operator: return the output, and its codes if `keep_codes`, else an empty tensor."""
    outputs, codes = [], []
    for part in _split(x):
        part = part + b.to(x.dtype)[:, None, None]
        # The nonlinearity is positively homogeneous, so its gain can be part of the upsampling filter's.
        u = upfirdn2d_reference(part, fu, [up, up], [1, 1], padding, flip_filter, up * up * gain)
        codes.append(_encode(u, slope, clamp, keep_codes))
        outputs.append(upfirdn2d_reference(u, fd, [1, 1], [down, down], [0, 0, 0, 0], flip_filter, 1.0))
    return _join(outputs).contiguous(memory_format=memory_format(x)), _join(codes)


def _sizes(
    x: Tensor, fu: Tensor, fd: Tensor, up: int, down: int, padding: Sequence[int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (H, W) of the upsampled signal and of the result."""
    middle = output_sizes(x.shape, fu, [up, up], [1, 1], padding)
    return middle, output_sizes(middle, fd, [1, 1], [down, down], [0, 0, 0, 0])


def _empty_codes(x: Tensor, middle: tuple[int, int], keep_codes: bool) -> Tensor:
    shape = (x.shape[0], code_planes(x.shape[1]), *middle) if keep_codes else (0,)
    return x.new_empty(shape, dtype=torch.uint8)


def _filtered_lrelu_by(kernels: ModuleType, *arguments: Any) -> tuple[Tensor, Tensor] | None:
    """Compute the operator by kernels; None where they do not support the call."""
    x, fu, fd, b, up, down, padding, gain, slope, clamp, flip_filter, keep_codes = arguments
    if not kernels.supports(x, [up, down], fu, fd):
        return None
    middle, out = _sizes(x, fu, fd, up, down, padding)
    geometry = Geometry((up, up), (down, down), (padding[0], padding[2]), (0, 0), middle, out)
    codes, mode = _empty_codes(x, middle, keep_codes), ENCODE if keep_codes else FORWARD
    y = kernels.resample(x, fu, fd, geometry, up * up * gain, flip_filter, mode, b, codes, slope, clamp)
    return None if y is None else (y, codes)


def _fake(
    x: Tensor, fu: Tensor, fd: Tensor, b: Tensor, up: int, down: int, padding: Sequence[int], *others: object
) -> tuple[Tensor, Tensor]:
    middle, out = _sizes(x, fu, fd, up, down, padding)
    return empty_images(x, out), _empty_codes(x, middle, keep_codes=bool(others[-1]))


_filtered_lrelu = define_operator(filtered_lrelu_reference, _filtered_lrelu_by, _fake)


def filtered_codes_reference(
    x: Tensor,
    codes: Tensor,
    fu: Tensor,
    fd: Tensor,
    up: int,
    down: int,
    padding_up: Sequence[int],
    padding_down: Sequence[int],
    gain: float,
    slope: float,
    flip_filter: bool,
) -> Tensor:
    """Define the linear operator that codes stand for: upsample, multiply, downsample."""
    outputs = []
    for part, code in zip(_split(x), _split(codes), strict=True):
        u = upfirdn2d_reference(part, fu, [up, up], [1, 1], padding_up, flip_filter, gain)
        u = _decode(u, code, slope)
        outputs.append(upfirdn2d_reference(u, fd, [1, 1], [down, down], padding_down, flip_filter, 1.0))
    return _join(outputs).contiguous(memory_format=memory_format(x))


def _filtered_codes_by(kernels: ModuleType, *arguments: Any) -> Tensor | None:
    """Compute the operator by kernels; None where they do not support the call."""
    x, codes, fu, fd, up, down, padding_up, padding_down, gain, slope, flip_filter = arguments
    if not kernels.supports(x, [up, down], fu, fd):
        return None
    middle = (codes.shape[2], codes.shape[3])
    out = output_sizes(middle, fd, [1, 1], [down, down], padding_down)
    pads = (padding_up[0], padding_up[2]), (padding_down[0], padding_down[2])
    geometry = Geometry((up, up), (down, down), *pads, middle, out)
    y: Tensor | None = kernels.resample(x, fu, fd, geometry, gain, flip_filter, DECODE, None, codes, slope)
    return y


def _fake_codes(*arguments: Any) -> Tensor:
    x, codes, _, fd, _, down, _, padding_down, *_ = arguments
    return empty_images(x, output_sizes(codes.shape, fd, [1, 1], [down, down], padding_down))


_filtered_codes = define_operator(filtered_codes_reference, _filtered_codes_by, _fake_codes)


def _differentiate_codes(
    ctx: Any, dy: Tensor, padding_up: Sequence[int], padding_down: Sequence[int], gain: float
) -> Tensor:
    """Apply the transposed operator of the codes, filters and sizes in `ctx`: up and down change places."""
    codes, fu, fd = ctx.saved_tensors
    middle, up, down = codes.shape[2:], (ctx.up, ctx.up), (ctx.down, ctx.down)
    first = adjoint_paddings(middle, ctx.out, fd, (1, 1), down, padding_down)
    second = adjoint_paddings(ctx.size, middle, fu, up, (1, 1), padding_up)
    return _filtered_codes(dy, codes, fd, fu, ctx.down, ctx.up, first, second, gain, ctx.slope, not ctx.flip_filter)


def _setup_context(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
    x, fu, fd, b, ctx.up, ctx.down, ctx.padding, ctx.gain, ctx.slope, _, ctx.flip_filter, keep_codes = inputs
    if not keep_codes:
        raise RuntimeError("filtered_lrelu was called without codes where a gradient is needed.")
    y, codes = output
    ctx.mark_non_differentiable(codes)
    ctx.save_for_backward(codes, fu, fd)
    ctx.size, ctx.out, ctx.bias_dtype = x.shape[2:], y.shape[2:], b.dtype


def _backward(ctx, dy: Tensor, _: Tensor):  # type: ignore[no-untyped-def]
    dx = _differentiate_codes(ctx, dy, ctx.padding, [0, 0, 0, 0], ctx.up**2 * ctx.gain)
    # Torch sums one image after the other twice as fast as all of them at once.
    db = dx.sum([2, 3], dtype=ctx.bias_dtype).sum(0) if ctx.needs_input_grad[3] else None
    return dx, None, None, db, *[None] * 8


differentiate(_filtered_lrelu, _backward, _setup_context)


def _setup_context_codes(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
    x, codes, fu, fd, ctx.up, ctx.down, ctx.padding_up, ctx.padding_down, ctx.gain, ctx.slope, ctx.flip_filter = inputs
    ctx.save_for_backward(codes, fu, fd)
    ctx.size, ctx.out = x.shape[2:], output.shape[2:]


def _backward_codes(ctx, dy: Tensor):  # type: ignore[no-untyped-def]
    return _differentiate_codes(ctx, dy, ctx.padding_up, ctx.padding_down, ctx.gain), *[None] * 10


differentiate(_filtered_codes, _backward_codes, _setup_context_codes)


def filtered_lrelu(
    x: Tensor,
    fu: Tensor | None = None,
    fd: Tensor | None = None,
    b: Tensor | None = None,
    up: int = 1,
    down: int = 1,
    padding: int | Sequence[int] = 0,
    gain: float = 2**0.5,
    slope: float = 0.2,
    clamp: float | None = None,
    flip_filter: bool = False,
) -> Tensor:
    """Apply a leaky ReLU at a higher sampling rate: bias, upsample, gain and clamp, downsample [P fig. 2b, app. D].

    Args:
        x: [N, C, H, W] images.
        fu: upsampling filter, [taps] for both axes, [taps_y, taps_x], or None for the identity.
        fd: downsampling filter, likewise.
        b: [C] bias, added before upsampling.
        up: integer factor; upsampling has the gain up^2 that keeps the signal's level.
        down: integer factor.
        padding: of the upsampled image; one number, (x, y), or [x before, x after, y before, y after], negative crops.
        gain: of the nonlinearity, which is clamp(gain leaky_relu(x, slope), -clamp, clamp).
        slope: for negative values.
        clamp: limit of the absolute value, or None.
        flip_filter: correlate instead of convolve.

    Returns:
        [N, C, H', W'], differentiable any number of times in x and b.
    """
    fu = x.new_ones(1) if fu is None else fu.detach()
    fd = x.new_ones(1) if fd is None else fd.detach()
    b = x.new_zeros(x.shape[1]) if b is None else b
    padding, ups, downs = expand_padding(padding), expand_factor(up, "up"), expand_factor(down, "down")
    check_image(x)
    check_resampling(x.shape, fu, ups, [1, 1], padding)
    middle = output_sizes(x.shape, fu, ups, [1, 1], padding)
    check_resampling((*x.shape[:2], *middle), fd, [1, 1], downs, [0, 0, 0, 0])
    if b.shape != x.shape[1:2]:
        raise ValueError(f"The bias has shape {tuple(b.shape)} for {x.shape[1]} channels.")
    if slope < 0 or gain <= 0:
        raise ValueError("The nonlinearity needs a gain above 0 and a slope of at least 0.")
    keep_codes = torch.is_grad_enabled() and (x.requires_grad or b.requires_grad)
    return _filtered_lrelu(x, fu, fd, b, up, down, padding, gain, slope, clamp, flip_filter, keep_codes)[0]
