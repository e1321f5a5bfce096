# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""filtered_lrelu: upsample, leaky ReLU, downsample [P fig. 2b, app. D]. The reference below *is* the definition.

The gradient needs nothing of the upsampled signal but two bits a value (negative, clamped). So the operator hands out
*codes* beside its output, and a second, linear operator, `jinc::filtered_codes`, applies stored codes in place of the
nonlinearity. It is the gradient of the first, and its own gradient is again itself with up and down swapped, which is
how a double backward costs no third kernel.

Codes are bytes [N, 2 ceil(C / 8), H, W] of the upsampled size: for every 8 channels a plane whose bits say which of
them are negative (the lowest bit is the first channel), then one whose bits say which were clamped.
"""

from collections.abc import Sequence
from functools import partial
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor

from cuda_ops.cpu import bindings as cpu_kernels
from cuda_ops.cuda import bindings as cuda_kernels
from cuda_ops.registration import define_operator, differentiate
from cuda_ops.shapes import adjoint_padding, check, check_size, four, memory_format, output_size, pair
from cuda_ops.upfirdn2d import upfirdn2d_reference


def _parts(x: Tensor) -> tuple[Tensor, ...]:
    """A batch as what is worked on at once: on a CPU single images, whose upsampled signal stays in the cache.

    That halves the time of a training batch; on other devices the whole batch.
    """
    return x.split(1) if x.is_cpu and x.shape[0] > 1 else (x,)


def _whole(parts: Sequence[Tensor]) -> Tensor:
    """The inverse of `_parts`, without a copy where there was nothing to part."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def _pack(bits: Tensor) -> Tensor:
    """[N, C, H, W] booleans to [N, ceil(C / 8), H, W] bytes."""
    planes = bits.view(torch.uint8)
    packed = planes[:, 0::8].clone()
    for bit in range(1, min(8, planes.shape[1])):
        these = planes[:, bit::8]
        packed[:, : these.shape[1]] |= these << bit
    return packed


def _unpack(packed: Tensor, channels: int) -> Tensor:
    """The inverse of `_pack`."""
    bits = torch.stack([packed >> bit & 1 for bit in range(8)], dim=2)
    return bits.flatten(1, 2)[:, :channels].bool()


def _encode(u: Tensor, slope: float, clamp: float | None, keep: bool) -> Tensor:
    """Apply the nonlinearity to the upsampled, amplified signal in place; returns the codes, none unless `keep`."""
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
    """Planes of codes for so many channels."""
    return 2 * ((channels + 7) // 8)


def _middle_size(shape: Sequence[int], fu: Tensor, up: int, padding: Sequence[int]) -> tuple[int, int]:
    """(H, W) of the upsampled signal of an NCHW image."""
    return (
        output_size(shape[2], fu.shape[0], up, 1, padding[2], padding[3]),
        output_size(shape[3], fu.shape[-1], up, 1, padding[0], padding[1]),
    )


def _out_size(middle: Sequence[int], fd: Tensor, down: int, padding: Sequence[int] = (0, 0, 0, 0)) -> tuple[int, int]:
    """(H, W) of the result, from those of the upsampled signal."""
    return (
        output_size(middle[0], fd.shape[0], 1, down, padding[2], padding[3]),
        output_size(middle[1], fd.shape[-1], 1, down, padding[0], padding[1]),
    )


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
    """The definition: the output, and its codes if `keep_codes`, else an empty tensor."""
    outputs, codes = [], []
    for part in _parts(x):
        part = part + b.to(x.dtype)[:, None, None]
        # The nonlinearity is positively homogeneous, so its gain can be part of the upsampling filter's.
        u = upfirdn2d_reference(part, fu, [up, up], [1, 1], padding, flip_filter, up * up * gain)
        codes.append(_encode(u, slope, clamp, keep_codes))
        outputs.append(upfirdn2d_reference(u, fd, [1, 1], [down, down], [0, 0, 0, 0], flip_filter, 1.0))
    return _whole(outputs).contiguous(memory_format=memory_format(x)), _whole(codes)


def _filtered_lrelu_by(
    kernels: ModuleType,
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
    """By kernels where they are made for it, else the reference."""
    if kernels.supports(x, [up, down], fu, fd):
        middle = _middle_size(x.shape, fu, up, padding)
        codes = x.new_empty((x.shape[0], code_planes(x.shape[1]), *middle) if keep_codes else (0,), dtype=torch.uint8)
        y = kernels.resample(
            x,
            fu,
            fd,
            up=(up, up),
            down=(down, down),
            pad_up=(padding[0], padding[2]),
            pad_down=(0, 0),
            middle=middle,
            out=_out_size(middle, fd, down),
            gain=up * up * gain,
            flip_filter=flip_filter,
            bias=b,
            slope=slope,
            clamp=clamp,
            codes=codes,
            mode=kernels.ENCODE if keep_codes else kernels.FORWARD,
        )
        if y is not None:
            return y, codes
    return filtered_lrelu_reference(x, fu, fd, b, up, down, padding, gain, slope, clamp, flip_filter, keep_codes)


def _fake(
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
    n, c = x.shape[:2]
    middle = _middle_size(x.shape, fu, up, padding)
    codes = x.new_empty((n, code_planes(c), *middle) if keep_codes else (0,), dtype=torch.uint8)
    return x.new_empty(n, c, *_out_size(middle, fd, down)).contiguous(memory_format=memory_format(x)), codes


_filtered_lrelu = define_operator(
    filtered_lrelu_reference,
    name="filtered_lrelu",
    fake=_fake,
    cpu=partial(_filtered_lrelu_by, cpu_kernels),
    cuda=partial(_filtered_lrelu_by, cuda_kernels),
)


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
    """The definition of the linear operator that codes stand for: upsample, multiply, downsample."""
    outputs = []
    for part, code in zip(_parts(x), _parts(codes), strict=True):
        u = upfirdn2d_reference(part, fu, [up, up], [1, 1], padding_up, flip_filter, gain)
        u = _decode(u, code, slope)
        outputs.append(upfirdn2d_reference(u, fd, [1, 1], [down, down], padding_down, flip_filter, 1.0))
    return _whole(outputs).contiguous(memory_format=memory_format(x))


def _filtered_codes_by(
    kernels: ModuleType,
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
    """By kernels where they are made for it, else the reference."""
    if kernels.supports(x, [up, down], fu, fd):
        middle = (codes.shape[2], codes.shape[3])
        y = kernels.resample(
            x,
            fu,
            fd,
            up=(up, up),
            down=(down, down),
            pad_up=(padding_up[0], padding_up[2]),
            pad_down=(padding_down[0], padding_down[2]),
            middle=middle,
            out=_out_size(middle, fd, down, padding_down),
            gain=gain,
            flip_filter=flip_filter,
            slope=slope,
            codes=codes,
            mode=kernels.DECODE,
        )
        if y is not None:
            return y
    return filtered_codes_reference(x, codes, fu, fd, up, down, padding_up, padding_down, gain, slope, flip_filter)


def _fake_codes(
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
    size = _out_size(codes.shape[2:], fd, down, padding_down)
    return x.new_empty(*x.shape[:2], *size).contiguous(memory_format=memory_format(x))


_filtered_codes = define_operator(
    filtered_codes_reference,
    name="filtered_codes",
    fake=_fake_codes,
    cpu=partial(_filtered_codes_by, cpu_kernels),
    cuda=partial(_filtered_codes_by, cuda_kernels),
)


def _adjoint(
    sizes: Sequence[int], out: Sequence[int], f: Tensor, up: int, down: int, padding: Sequence[int]
) -> list[int]:
    """Padding of the transposed resampling, [x before, x after, y before, y after], from (H, W) sizes."""
    width = adjoint_padding(sizes[1], out[1], f.shape[-1], up, down, padding[0])
    height = adjoint_padding(sizes[0], out[0], f.shape[0], up, down, padding[2])
    return [*width, *height]


def _setup_context(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
    x, fu, fd, b, ctx.up, ctx.down, ctx.padding, ctx.gain, ctx.slope, _, ctx.flip_filter, keep_codes = inputs
    if not keep_codes:
        raise RuntimeError("filtered_lrelu was called without codes where a gradient is needed.")
    y, codes = output
    ctx.mark_non_differentiable(codes)
    ctx.save_for_backward(codes, fu, fd)
    ctx.sizes, ctx.out_sizes, ctx.bias_dtype = x.shape[2:], y.shape[2:], b.dtype


def _backward(ctx, dy: Tensor, _: Tensor):  # type: ignore[no-untyped-def]
    codes, fu, fd = ctx.saved_tensors
    middle = codes.shape[2:]
    dx = _filtered_codes(
        dy,
        codes,
        fd,
        fu,
        ctx.down,
        ctx.up,
        _adjoint(middle, ctx.out_sizes, fd, 1, ctx.down, [0, 0, 0, 0]),
        _adjoint(ctx.sizes, middle, fu, ctx.up, 1, ctx.padding),
        ctx.up**2 * ctx.gain,
        ctx.slope,
        not ctx.flip_filter,
    )
    db = dx.sum([0, 2, 3], dtype=ctx.bias_dtype) if ctx.needs_input_grad[3] else None
    return dx, None, None, db, None, None, None, None, None, None, None, None


differentiate(_filtered_lrelu, _backward, _setup_context)


def _setup_context_codes(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
    (x, codes, fu, fd, ctx.up, ctx.down, ctx.padding_up, ctx.padding_down, ctx.gain, ctx.slope, ctx.flip_filter) = (
        inputs
    )
    ctx.save_for_backward(codes, fu, fd)
    ctx.sizes, ctx.out_sizes = x.shape[2:], output.shape[2:]


def _backward_codes(ctx, dy: Tensor):  # type: ignore[no-untyped-def]
    codes, fu, fd = ctx.saved_tensors
    middle = codes.shape[2:]
    dx = _filtered_codes(
        dy,
        codes,
        fd,
        fu,
        ctx.down,
        ctx.up,
        _adjoint(middle, ctx.out_sizes, fd, 1, ctx.down, ctx.padding_down),
        _adjoint(ctx.sizes, middle, fu, ctx.up, 1, ctx.padding_up),
        ctx.gain,
        ctx.slope,
        not ctx.flip_filter,
    )
    return (dx, *(None for _ in range(10)))


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
    """Leaky ReLU at a higher sampling rate: bias, upsample, gain and clamp, downsample [P fig. 2b, app. D].

    Args:
        x: [N, C, H, W] images.
        fu, fd: up- and downsampling filter, [taps] for both axes, [taps_y, taps_x], or None for the identity.
        b: [C] bias, added before upsampling.
        up, down: integer factors; upsampling has the gain up^2 that keeps the signal's level.
        padding: of the upsampled image; one number, (x, y), or [x before, x after, y before, y after], negative crops.
        gain, slope, clamp: the nonlinearity is clamp(gain leaky_relu(x, slope), -clamp, clamp).
        flip_filter: correlate instead of convolve.

    Returns:
        [N, C, H', W'], differentiable any number of times in x and b.
    """
    fu = x.new_ones(1) if fu is None else fu.detach()
    fd = x.new_ones(1) if fd is None else fd.detach()
    b = x.new_zeros(x.shape[1]) if b is None else b
    padding = four(padding)
    pair(up, "up"), pair(down, "down")
    check(x, fu, [up, up], [1, 1], padding)
    middle = _middle_size(x.shape, fu, up, padding)
    check_size((*x.shape[:2], *middle), fd, [1, 1], [down, down], [0, 0, 0, 0])
    if b.shape != x.shape[1:2]:
        raise ValueError(f"The bias has shape {tuple(b.shape)} for {x.shape[1]} channels.")
    if slope < 0 or gain <= 0:
        raise ValueError("The nonlinearity needs a gain above 0 and a slope of at least 0.")
    keep_codes = torch.is_grad_enabled() and (x.requires_grad or b.requires_grad)
    return _filtered_lrelu(x, fu, fd, b, up, down, padding, gain, slope, clamp, flip_filter, keep_codes)[0]
