# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Calls of the CPU kernels: their C structures (csrc/cpu/jinc_cpu.h) filled from tensors.

Every function returns None where the kernels cannot do it, and the caller's torch reference takes over.
"""

import ctypes
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from cuda_ops.cpu import loader as cpu
from cuda_ops.shapes import memory_format

LINEAR, FORWARD, ENCODE, DECODE = range(4)  # JincMode
MAX_FACTOR, MAX_TAPS = 16, 256  # of csrc/cpu/fir.h


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


def _ready(x: Tensor) -> Tensor:
    """x in a layout and precision that the kernels read; half precision is computed in float32."""
    if x.dtype not in (torch.float32, torch.float64):
        x = x.float()
    return x.contiguous(memory_format=memory_format(x))


def supports(x: Tensor, factors: Sequence[int], *filters: Tensor) -> bool:
    """Whether the kernels are there and made for such a call."""
    if not x.dtype.is_floating_point or max(factors) > MAX_FACTOR:
        return False
    return all(max(f.shape) <= MAX_TAPS for f in filters) and cpu.load_library() is not None


def resample(
    x: Tensor,
    fu: Tensor,
    fd: Tensor,
    *,
    up: Sequence[int],
    down: Sequence[int],
    pad_up: Sequence[int],
    pad_down: Sequence[int],
    middle: tuple[int, int],
    out: tuple[int, int],
    gain: float,
    flip_filter: bool,
    mode: int = LINEAR,
    bias: Tensor | None = None,
    codes: Tensor | None = None,
    slope: float = 1.0,
    clamp: float | None = None,
) -> Tensor:
    """Upsample, apply the middle that `mode` names, downsample.

    Factors and paddings are pairs (x, y), paddings those before the first sample; `middle` and `out` are (H, W).
    `codes` is written (ENCODE) or read (DECODE). Call it only after `supports`.
    """
    dtype, source = x.dtype, _ready(x)
    n, c, height, width = source.shape
    y = torch.empty((n, c, *out), dtype=source.dtype, device=x.device, memory_format=memory_format(source))
    codes = None if codes is None else codes.contiguous()
    fu, fd = fu.to(source.dtype).contiguous(), fd.to(source.dtype).contiguous()
    bias = None if bias is None else bias.to(source.dtype).contiguous()
    axes = []
    for axis, (size, mid, result) in enumerate(((width, middle[1], out[1]), (height, middle[0], out[0]))):
        side = -1 if axis == 0 else 0
        axes.append(
            _Axis(
                size,
                mid,
                result,
                up[axis],
                down[axis],
                fu.shape[side],
                fd.shape[side],
                pad_up[axis],
                pad_down[axis],
                fu.data_ptr(),
                fd.data_ptr(),
            )
        )
    if y.numel():
        _call(
            "jinc_filter",
            _Filter(
                *axes,
                fu.data_ptr() if fu.ndim == 2 else None,
                fd.data_ptr() if fd.ndim == 2 else None,
                source.data_ptr(),
                y.data_ptr(),
                None if bias is None else bias.data_ptr(),
                None if codes is None else codes.data_ptr(),
                n,
                c,
                memory_format(source) == torch.channels_last,
                mode,
                gain,
                slope,
                math.inf if clamp is None else clamp,
                not flip_filter,
                source.dtype == torch.float64,
                torch.get_num_threads(),
            ),
        )
    return y.to(dtype)


def bias_act(x: Tensor, b: Tensor, dim: int, slope: float, gain: float, clamp: float | None) -> Tensor | None:
    """clamp(gain leaky_relu(x + b)), or None where x's layout is not made for it."""
    if not x.dtype.is_floating_point or cpu.load_library() is None:
        return None
    source = x if x.dtype in (torch.float32, torch.float64) else x.float()
    if source.is_contiguous():
        outer, inner = math.prod(x.shape[:dim]), math.prod(x.shape[dim + 1 :])
    elif dim == 1 and x.ndim == 4 and source.is_contiguous(memory_format=torch.channels_last):
        outer, inner = x.shape[0] * x.shape[2] * x.shape[3], 1
    else:
        return None
    y = torch.empty_like(source, memory_format=memory_format(source))
    b = b.to(source.dtype).contiguous()
    if y.numel():
        _call(
            "jinc_bias_act",
            _BiasAct(
                source.data_ptr(),
                y.data_ptr(),
                b.data_ptr(),
                None,
                outer,
                x.shape[dim],
                inner,
                slope,
                gain,
                math.inf if clamp is None else clamp,
                source.dtype == torch.float64,
                torch.get_num_threads(),
            ),
        )
    return y.to(x.dtype)


def bias_act_gradient(dy: Tensor, y: Tensor, slope: float, gain: float, clamp: float | None) -> Tensor | None:
    """dy times the derivative of `bias_act` where its result was y, or None where the kernels are not made for it."""
    if y.dtype not in (torch.float32, torch.float64) or dy.dtype != y.dtype or cpu.load_library() is None:
        return None
    layout = memory_format(y)
    y, dy = y.contiguous(memory_format=layout), dy.contiguous(memory_format=layout)
    dx = torch.empty_like(y)
    if y.numel():
        _call(
            "jinc_bias_act",
            _BiasAct(
                dy.data_ptr(),
                dx.data_ptr(),
                None,
                y.data_ptr(),
                1,
                1,
                y.numel(),
                slope,
                gain,
                math.inf if clamp is None else clamp,
                y.dtype == torch.float64,
                torch.get_num_threads(),
            ),
        )
    return dx


def winograd(image: Tensor, tiles: Tensor, columns: int, first: int, padding: int, *, back: bool) -> None:
    """`image` [C, H, W], channels-last, to transformed tiles [36, count, C] from number `first` on, or `back` again."""
    c, height, width = image.shape
    _call(
        "jinc_winograd",
        _Winograd(
            image.data_ptr(),
            tiles.data_ptr(),
            c,
            height,
            width,
            columns,
            first,
            tiles.shape[1],
            padding,
            back,
            torch.get_num_threads(),
        ),
    )
