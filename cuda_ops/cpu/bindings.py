# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Call the CPU kernels: fill their C structures (csrc/cpu/jinc_cpu.h) from tensors.

Functions return None where the kernels do not support a call; the caller then takes its torch reference.
"""

import ctypes
from collections.abc import Sequence

import torch
from torch import Tensor

from cuda_ops.cpu import loader as cpu
from cuda_ops.shapes import LINEAR, Geometry, address, limit, memory_format
from cuda_ops.shapes import structure_fields as fields

MAX_FACTOR, MAX_TAPS = 16, 256  # of csrc/cpu/fir.h
POINTER, INT, LONG, DOUBLE = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64, ctypes.c_double
READ_INPUT, WRITE_OUTPUT, READ_GRADIENT = range(3)  # passes of Winograd's convolution, of csrc/cpu/jinc_cpu.h
BAND = 512  # pixels that a thread scales at a time
NATIVE = (torch.float32, torch.float64)  # types that the kernels compute in


class _Axis(ctypes.Structure):
    _fields_ = (
        *fields(LONG, "size_in mid out"),
        *fields(INT, "up down up_taps down_taps pad_up pad_down"),
        *fields(POINTER, "up_filter down_filter"),
    )


class _Filter(ctypes.Structure):
    _fields_ = (
        *fields(_Axis, "x y"),
        *fields(POINTER, "up_filter_2d down_filter_2d input output bias codes"),
        *fields(LONG, "n c"),
        *fields(INT, "channels_last mode"),
        *fields(DOUBLE, "gain slope clamp"),
        *fields(INT, "convolve is_double threads"),
    )


class _BiasAct(ctypes.Structure):
    _fields_ = (
        *fields(POINTER, "input output bias result"),
        *fields(LONG, "outer c inner"),
        *fields(DOUBLE, "slope gain clamp"),
        *fields(INT, "is_double threads"),
    )


class _Winograd(ctypes.Structure):
    _fields_ = (
        *fields(POINTER, "images tiles"),
        *fields(LONG, "c height width columns in_image first count padding"),
        *fields(INT, "winograd_pass threads"),
    )


class _Scale(ctypes.Structure):
    _fields_ = (
        *fields(POINTER, "input other factors output sums"),
        *fields(LONG, "n pixels c bands"),
        *fields(INT, "threads"),
    )


def _call(function: str, arguments: ctypes.Structure) -> None:
    library = cpu.load_library()
    assert library is not None
    if getattr(library, function)(ctypes.byref(arguments)):
        raise MemoryError("The CPU kernels got no working memory; close other programs or lower the batch.")


def supports(x: Tensor, factors: Sequence[int], *filters: Tensor) -> bool:
    """Return whether the kernels are there and support such a call."""
    if not x.dtype.is_floating_point or max(factors) > MAX_FACTOR:
        return False
    return all(max(f.shape) <= MAX_TAPS for f in filters) and cpu.load_library() is not None


def resample(
    x: Tensor,
    fu: Tensor,
    fd: Tensor,
    geometry: Geometry,
    gain: float,
    flip_filter: bool,
    mode: int = LINEAR,
    bias: Tensor | None = None,
    codes: Tensor | None = None,
    slope: float = 1.0,
    clamp: float | None = None,
) -> Tensor:
    """Upsample, do what `mode` says, downsample. Call it only after `supports`.

    Half precision is computed in float32. `codes` is written (ENCODE) or read (DECODE).
    """
    source = x if x.dtype in NATIVE else x.float()
    layout = memory_format(source)
    source = source.contiguous(memory_format=layout)
    n, c, height, width = source.shape
    up, down, pad_up, pad_down, middle, out = geometry
    y = torch.empty((n, c, *out), dtype=source.dtype, device=x.device, memory_format=layout)
    codes = None if codes is None else codes.contiguous()
    fu, fd = fu.to(source.dtype).contiguous(), fd.to(source.dtype).contiguous()
    bias = None if bias is None else bias.to(source.dtype).contiguous()
    if y.numel():
        across = _Axis(width, middle[1], out[1], up[0], down[0], fu.shape[-1], fd.shape[-1], pad_up[0], pad_down[0])
        along = _Axis(height, middle[0], out[0], up[1], down[1], fu.shape[0], fd.shape[0], pad_up[1], pad_down[1])
        across.up_filter = along.up_filter = fu.data_ptr()
        across.down_filter = along.down_filter = fd.data_ptr()
        filters = fu.data_ptr() if fu.ndim == 2 else None, fd.data_ptr() if fd.ndim == 2 else None
        inputs = address(bias), address(codes)
        options = layout == torch.channels_last, mode, gain, slope, limit(clamp)
        flags = not flip_filter, source.dtype == torch.float64, torch.get_num_threads()
        arguments = _Filter(across, along, *filters, source.data_ptr(), y.data_ptr(), *inputs, n, c, *options, *flags)
        _call("jinc_filter", arguments)
    return y.to(x.dtype)


def bias_act(x: Tensor, b: Tensor, inner: int, slope: float, gain: float, clamp: float | None) -> Tensor | None:
    """Return clamp(gain leaky_relu(x + b)), or None where the kernels do not support x's type.

    `inner`: how many values with the same bias follow each other in memory.
    """
    if not x.dtype.is_floating_point or cpu.load_library() is None:
        return None
    source = x if x.dtype in NATIVE else x.float()
    y = torch.empty_like(source, memory_format=memory_format(source))
    b = b.to(source.dtype).contiguous()
    _call_bias_act(source, y, b, None, inner, slope, gain, clamp)
    return y.to(x.dtype)


def bias_act_gradient(dy: Tensor, y: Tensor, slope: float, gain: float, clamp: float | None) -> Tensor | None:
    """Return dy times the derivative of `bias_act` where its result was y; None where the type is not supported.

    Both are dense, of one type and one layout.
    """
    if y.dtype not in NATIVE or cpu.load_library() is None:
        return None
    dx = torch.empty_like(y)
    _call_bias_act(dy, dx, None, y, y.numel(), slope, gain, clamp)
    return dx


def _call_bias_act(
    source: Tensor,
    target: Tensor,
    b: Tensor | None,
    y: Tensor | None,
    inner: int,
    slope: float,
    gain: float,
    clamp: float | None,
) -> None:
    if target.numel():
        pointers, c = map(address, (source, target, b, y)), 1 if b is None else b.numel()
        sizes = source.numel() // (c * inner), c, inner
        flags = source.dtype == torch.float64, torch.get_num_threads()
        _call("jinc_bias_act", _BiasAct(*pointers, *sizes, slope, gain, limit(clamp), *flags))


def winograd(images: Tensor, tiles: Tensor, columns: int, first: int, padding: int, what: int) -> None:
    """Run a pass over `images` [N, C, H, W], channels-last, and tiles [36, count, C] from number `first` on.

    `what` is READ_INPUT, WRITE_OUTPUT or READ_GRADIENT; there are `columns` tiles in a row of them.
    """
    c, height, width = images.shape[1:]
    out = height if what else height + 2 * padding - 2
    sizes = (c, height, width, columns, columns * -(-out // 4), first, tiles.shape[1], padding)
    _call("jinc_winograd", _Winograd(images.data_ptr(), tiles.data_ptr(), *sizes, what, torch.get_num_threads()))


def scale(x: Tensor, factors: Tensor, other: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return x [N, C, H, W] times factors [N, C], and the sums of x times `other` over the pixels, [N, C].

    All are float32 and dense, x and `other` channels-last. The sums are empty without `other`; their order depends on
    the sizes alone, not on the number of threads.
    """
    n, c, height, width = x.shape
    y, bands = torch.empty_like(x), -(-height * width // BAND)
    sums = torch.empty((n, bands, c) if other is not None else (0, 0, 0))
    if y.numel():
        pointers = map(address, (x, other, factors, y, sums))
        _call("jinc_scale", _Scale(*pointers, n, height * width, c, bands, torch.get_num_threads()))
    return y, sums.sum(1)
