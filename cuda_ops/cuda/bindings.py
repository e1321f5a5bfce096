# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Call the CUDA kernels: choose a call's specialisation and fill its arguments from tensors.

The interface is that of cpu/bindings.py. Torch allocates the results, nothing waits for the device, and no value is
read, so a call can be captured in a CUDA graph once its kernel has been loaded (by `loader.precompile` or an earlier
call).
"""

import ctypes
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from cuda_ops.cuda import loader as cuda
from cuda_ops.cuda import tiling
from cuda_ops.cuda.driver import Arguments
from cuda_ops.cuda.tiling import TYPES, specialise
from cuda_ops.shapes import ENCODE, LINEAR, Geometry, memory_format

POINTER, INT, LONG, FLOAT = ctypes.c_void_p, ctypes.c_int, ctypes.c_longlong, ctypes.c_float
WAVES = 16  # of blocks, at most: each thread then takes several values
MAX_BLOCKS = 2**31 - 1
MAX_EXTENT = 2**30  # values of an image


def _fields(kind: type, names: str) -> tuple[tuple[str, type], ...]:
    return tuple((name, kind) for name in names.split())


class _Resample(ctypes.Structure):
    """The parameters of csrc/cuda/resample.cuh."""

    _fields_ = (
        *_fields(POINTER, "x y bias codes fu fd"),
        *_fields(INT, "c in_h in_w mid_h mid_w out_h out_w pad_up_y pad_up_x pad_down_y pad_down_x"),
        *_fields(LONG, "x_n y_n"),
        *_fields(INT, "x_c x_h x_w y_c y_h y_w wide_x wide_y convolve"),
        *_fields(FLOAT, "gain slope clamp"),
    )


class _Upfirdn2d(ctypes.Structure):
    """The parameters of csrc/cuda/upfirdn2d.cuh."""

    _fields_ = (
        *_fields(POINTER, "x f y"),
        *_fields(LONG, "count"),
        *_fields(INT, "c in_h in_w out_h out_w taps_y taps_x pad_y pad_x"),
        *_fields(LONG, "x_n x_c x_h x_w y_n y_c y_h y_w"),
        *_fields(INT, "channels_first convolve"),
        *_fields(FLOAT, "gain"),
    )


class _BiasAct(ctypes.Structure):
    """The parameters of bias_act in csrc/cuda/bias_act.cuh."""

    _fields_ = (
        *_fields(POINTER, "x bias y"),
        *_fields(LONG, "count"),
        *_fields(INT, "c"),
        *_fields(LONG, "inner"),
        *_fields(FLOAT, "slope gain clamp"),
    )


class _BiasActGradient(ctypes.Structure):
    """The parameters of bias_act_gradient."""

    _fields_ = (*_fields(POINTER, "dy y dx"), *_fields(LONG, "count"), *_fields(FLOAT, "slope gain clamp"))


_resample, _upfirdn2d = Arguments(_Resample), Arguments(_Upfirdn2d)
_bias_act, _gradient = Arguments(_BiasAct), Arguments(_BiasActGradient)


def supports(x: Tensor, factors: Sequence[int], *filters: Tensor) -> bool:
    """Return whether the kernels are there and may support such a call; `resample` can still return None."""
    if x.dtype not in TYPES or max(factors) > tiling.MAX_FACTOR:
        return False
    return all(len(set(f.shape)) == 1 for f in filters) and cuda.is_available(x.device)


def _prepare_filter(f: Tensor, x: Tensor) -> Tensor:
    return f.to(device=x.device, dtype=torch.float32).contiguous()


def _address(x: Tensor | None) -> int | None:
    return None if x is None else x.data_ptr()


def _limit(clamp: float | None) -> float:
    return math.inf if clamp is None else clamp


def _has_wide_access(x: Tensor, channels_last: bool) -> bool:
    """Return whether all groups of neighbouring values, 8 of channels-last images, else 4, begin at their multiples."""
    count = 8 if channels_last else 4
    whole = x.shape[1] % 8 == 0 if channels_last else x.shape[3] % 4 == 0 and x.stride(3) == 1
    return (
        whole
        and x.data_ptr() % (count * x.element_size()) == 0
        and all(
            stride % count == 0 for size, stride in zip(x.shape, x.stride(), strict=True) if stride != 1 and size > 1
        )
    )


def _extent(x: Tensor) -> int:
    """Return how many values apart the first and the last value of an image lie."""
    return sum((size - 1) * stride for size, stride in zip(x.shape[1:], x.stride()[1:], strict=True))


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
) -> Tensor | None:
    """As in cpu/bindings.py; None where the fused kernel does not support the call. Call it after `supports`."""
    up, down, pad_up, pad_down, middle, out = geometry
    if up[0] != up[1] or down[0] != down[1] or _extent(x) > MAX_EXTENT:
        return None
    layout = memory_format(x)
    last = layout == torch.channels_last
    planes = (fu.ndim == 2 and fu.shape[0] > 1, fd.ndim == 2 and fd.shape[0] > 1)
    taps = fu.shape[0], fd.shape[0]
    spec = specialise(up[0], down[0], *taps, *planes, mode, x.dtype, last, tuple(pad_up), tuple(pad_down))
    tile = cuda.choose_tile(spec, x.device)
    if tile is None:
        return None
    n, c, *size = x.shape
    y = torch.empty((n, c, *out), dtype=x.dtype, device=x.device, memory_format=layout)
    if not y.numel():
        return y
    if _extent(y) > MAX_EXTENT:
        return None
    channels = 8 if last or mode == ENCODE else tile.channels
    grid = n * -(-c // channels) * -(-out[0] // tile.height) * -(-out[1] // tile.width)
    fu, fd = _prepare_filter(fu, x), _prepare_filter(fd, x)
    bias = None if bias is None else bias.to(x.dtype).contiguous()
    codes = None if codes is None else codes.contiguous()
    tensors = (x.data_ptr(), y.data_ptr(), _address(bias), _address(codes), fu.data_ptr(), fd.data_ptr())
    sizes = (c, *size, *middle, *out, pad_up[1], pad_up[0], pad_down[1], pad_down[0])
    strides = (x.stride(0), y.stride(0), *x.stride()[1:], *y.stride()[1:])
    wide = _has_wide_access(x, last), _has_wide_access(y, last)
    arguments = _resample.fill(*tensors, *sizes, *strides, *wide, not flip_filter, gain, slope, _limit(clamp))
    done = grid <= MAX_BLOCKS and cuda.launch_resampling(spec, x.device, grid, arguments)
    return y if done else None


def upfirdn2d(
    x: Tensor,
    f: Tensor,
    up: Sequence[int],
    down: Sequence[int],
    padding: Sequence[int],
    flip_filter: bool,
    gain: float,
    out: tuple[int, int],
) -> Tensor | None:
    """Resample by the general kernel, with any filter and factors; None where there are no kernels for the tensor."""
    if x.dtype not in TYPES or not cuda.is_available(x.device):
        return None
    y = torch.empty((*x.shape[:2], *out), dtype=x.dtype, device=x.device, memory_format=memory_format(x))
    defines = {"UP_X": up[0], "UP_Y": up[1], "DOWN_X": down[0], "DOWN_Y": down[1], "PLANE": int(f.ndim == 2)}
    f = _prepare_filter(f, x)
    sizes = (y.numel(), x.shape[1], *x.shape[2:], *out, f.shape[0], f.shape[-1], padding[2], padding[0])
    flags = memory_format(x) != torch.channels_last, not flip_filter
    tensors = x.data_ptr(), f.data_ptr(), y.data_ptr()
    arguments = _upfirdn2d.fill(*tensors, *sizes, *x.stride(), *y.stride(), *flags, gain)
    done = not y.numel() or _launch_pointwise("upfirdn2d", "upfirdn2d", x, y.numel(), arguments, defines)
    return y if done else None


def bias_act(x: Tensor, b: Tensor, dim: int, slope: float, gain: float, clamp: float | None) -> Tensor | None:
    """As in cpu/bindings.py."""
    if x.dtype not in TYPES or not cuda.is_available(x.device):
        return None
    if x.is_contiguous():
        inner = math.prod(x.shape[dim + 1 :])
    elif dim == 1 and x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last):
        inner = 1
    else:
        return None
    y = torch.empty_like(x, memory_format=memory_format(x))
    b = b.to(x.dtype).contiguous()
    sizes = y.numel(), x.shape[dim], inner
    arguments = _bias_act.fill(x.data_ptr(), b.data_ptr(), y.data_ptr(), *sizes, slope, gain, _limit(clamp))
    vector = _vector(x, y)
    done = not y.numel() or _launch_pointwise(
        "bias_act", "bias_act", x, y.numel() // vector, arguments, {"VECTOR": vector}
    )
    return y if done else None


def bias_act_gradient(dy: Tensor, y: Tensor, slope: float, gain: float, clamp: float | None) -> Tensor | None:
    """As in cpu/bindings.py."""
    if y.dtype not in TYPES or dy.dtype != y.dtype or not cuda.is_available(y.device):
        return None
    layout = memory_format(y)
    y, dy = y.contiguous(memory_format=layout), dy.contiguous(memory_format=layout)
    dx = torch.empty_like(y)
    limit = math.nan if clamp is None else clamp
    arguments = _gradient.fill(dy.data_ptr(), y.data_ptr(), dx.data_ptr(), y.numel(), slope, gain, limit)
    vector, name = _vector(dy, y, dx), "bias_act_gradient"
    done = not y.numel() or _launch_pointwise("bias_act", name, y, y.numel() // vector, arguments, {"VECTOR": vector})
    return dx if done else None


def _vector(*tensors: Tensor) -> int:
    """Return how many values a thread takes at once: 16 bytes of them where all tensors are so aligned, else one."""
    count = 16 // tensors[0].element_size()
    return count if all(x.data_ptr() % 16 == 0 and x.numel() % count == 0 for x in tensors) else 1


def _launch_pointwise(
    source: str, name: str, x: Tensor, tasks: int, arguments: Arguments, defines: dict[str, int]
) -> bool:
    macros = {"TYPE": TYPES[x.dtype], "THREADS": cuda.THREADS, "BLOCKS": cuda.BLOCKS, **defines}
    blocks = min(-(-tasks // cuda.THREADS), WAVES * cuda.count_multiprocessors(x.device) * 4)
    return cuda.launch(source, name, macros, x.device, blocks, arguments, cuda.THREADS, 0)
