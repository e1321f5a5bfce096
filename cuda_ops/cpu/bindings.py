# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Call the CPU kernels: fill their C structures (csrc/cpu/jinc_cpu.h) from tensors.

Functions return None where the kernels do not support a call; the caller then takes its torch reference.
"""

import ctypes
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from cuda_ops.cpu import loader as cpu
from cuda_ops.shapes import LINEAR, Geometry, memory_format

MAX_FACTOR, MAX_TAPS = 16, 256  # of csrc/cpu/fir.h
NATIVE = (torch.float32, torch.float64)  # types that the kernels compute in


class _Axis(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int64) for name in ("size_in", "mid", "out")),
        *((name, ctypes.c_int32) for name in ("up", "down", "up_taps", "down_taps", "pad_up", "pad_down")),
        ("up_filter", ctypes.c_void_p),
        ("down_filter", ctypes.c_void_p),
    )


class _Filter(ctypes.Structure):
    _fields_ = (
        ("x", _Axis),
        ("y", _Axis),
        *((name, ctypes.c_void_p) for name in ("up_filter_2d", "down_filter_2d", "input", "output", "bias", "codes")),
        ("n", ctypes.c_int64),
        ("c", ctypes.c_int64),
        ("channels_last", ctypes.c_int32),
        ("mode", ctypes.c_int32),
        *((name, ctypes.c_double) for name in ("gain", "slope", "clamp")),
        *((name, ctypes.c_int32) for name in ("convolve", "is_double", "threads")),
    )


class _BiasAct(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("input", "output", "bias", "result")),
        *((name, ctypes.c_int64) for name in ("outer", "c", "inner")),
        *((name, ctypes.c_double) for name in ("slope", "gain", "clamp")),
        ("is_double", ctypes.c_int32),
        ("threads", ctypes.c_int32),
    )


class _Winograd(ctypes.Structure):
    _fields_ = (
        ("image", ctypes.c_void_p),
        ("tiles", ctypes.c_void_p),
        *((name, ctypes.c_int64) for name in ("c", "height", "width", "columns", "first", "count", "padding")),
        ("back", ctypes.c_int32),
        ("threads", ctypes.c_int32),
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
        inputs = None if bias is None else bias.data_ptr(), None if codes is None else codes.data_ptr()
        options = layout == torch.channels_last, mode, gain, slope, math.inf if clamp is None else clamp
        flags = not flip_filter, source.dtype == torch.float64, torch.get_num_threads()
        arguments = _Filter(across, along, *filters, source.data_ptr(), y.data_ptr(), *inputs, n, c, *options, *flags)
        _call("jinc_filter", arguments)
    return y.to(x.dtype)


def bias_act(x: Tensor, b: Tensor, dim: int, slope: float, gain: float, clamp: float | None) -> Tensor | None:
    """Return clamp(gain leaky_relu(x + b)), or None where the kernels do not support x's type or layout."""
    if not x.dtype.is_floating_point or cpu.load_library() is None:
        return None
    source = x if x.dtype in NATIVE else x.float()
    if source.is_contiguous():
        outer, inner = math.prod(x.shape[:dim]), math.prod(x.shape[dim + 1 :])
    elif dim == 1 and x.ndim == 4 and source.is_contiguous(memory_format=torch.channels_last):
        outer, inner = x.shape[0] * x.shape[2] * x.shape[3], 1
    else:
        return None
    y = torch.empty_like(source, memory_format=memory_format(source))
    b = b.to(source.dtype).contiguous()
    if y.numel():
        x_ptr, y_ptr, c, limit = source.data_ptr(), y.data_ptr(), x.shape[dim], math.inf if clamp is None else clamp
        is_double, threads = source.dtype == torch.float64, torch.get_num_threads()
        _call(
            "jinc_bias_act",
            _BiasAct(x_ptr, y_ptr, b.data_ptr(), None, outer, c, inner, slope, gain, limit, is_double, threads),
        )
    return y.to(x.dtype)


def bias_act_gradient(dy: Tensor, y: Tensor, slope: float, gain: float, clamp: float | None) -> Tensor | None:
    """Return dy times the derivative of `bias_act` where its result was y; None where the type is not supported."""
    if y.dtype not in NATIVE or dy.dtype != y.dtype or cpu.load_library() is None:
        return None
    layout = memory_format(y)
    y, dy = y.contiguous(memory_format=layout), dy.contiguous(memory_format=layout)
    dx = torch.empty_like(y)
    if y.numel():
        dy_ptr, dx_ptr, limit = dy.data_ptr(), dx.data_ptr(), math.inf if clamp is None else clamp
        is_double, threads = y.dtype == torch.float64, torch.get_num_threads()
        _call(
            "jinc_bias_act",
            _BiasAct(dy_ptr, dx_ptr, None, y.data_ptr(), 1, 1, y.numel(), slope, gain, limit, is_double, threads),
        )
    return dx


def winograd(image: Tensor, tiles: Tensor, columns: int, first: int, padding: int, *, back: bool) -> None:
    """Transform `image` [C, H, W], channels-last, to tiles [36, count, C] from number `first` on, or `back` again."""
    sizes = (*image.shape, columns, first, tiles.shape[1], padding)
    _call("jinc_winograd", _Winograd(image.data_ptr(), tiles.data_ptr(), *sizes, back, torch.get_num_threads()))
