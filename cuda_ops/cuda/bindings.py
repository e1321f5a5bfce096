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
from cuda_ops.shapes import ENCODE, LINEAR, Geometry, address, empty_images, limit, memory_format
from cuda_ops.shapes import structure_fields as fields

POINTER, INT, LONG, FLOAT = ctypes.c_void_p, ctypes.c_int, ctypes.c_longlong, ctypes.c_float
WAVES = 16  # of blocks, at most: each thread then takes several values
MAX_BLOCKS = 2**31 - 1
MAX_EXTENT = 2**30  # values of an image


class _Resample(ctypes.Structure):
    """The parameters of csrc/cuda/resample.cuh."""

    _fields_ = (
        *fields(POINTER, "x y bias codes fu fd"),
        *fields(INT, "c in_h in_w mid_h mid_w out_h out_w pad_up_y pad_up_x pad_down_y pad_down_x"),
        *fields(LONG, "x_n y_n"),
        *fields(INT, "x_c x_h x_w y_c y_h y_w wide_x wide_y convolve"),
        *fields(FLOAT, "gain slope clamp"),
    )


class _Upfirdn2d(ctypes.Structure):
    """The parameters of csrc/cuda/upfirdn2d.cuh."""

    _fields_ = (
        *fields(POINTER, "x f y"),
        *fields(LONG, "count"),
        *fields(INT, "c in_h in_w out_h out_w taps_y taps_x pad_y pad_x"),
        *fields(LONG, "x_n x_c x_h x_w y_n y_c y_h y_w"),
        *fields(INT, "channels_first convolve"),
        *fields(FLOAT, "gain"),
    )


class _BiasAct(ctypes.Structure):
    """The parameters of bias_act in csrc/cuda/bias_act.cuh."""

    _fields_ = (
        *fields(POINTER, "x bias y"),
        *fields(LONG, "count"),
        *fields(INT, "c"),
        *fields(LONG, "inner"),
        *fields(FLOAT, "slope gain clamp"),
    )


class _BiasActGradient(ctypes.Structure):
    """The parameters of bias_act_gradient."""

    _fields_ = (*fields(POINTER, "dy y dx"), *fields(LONG, "count"), *fields(FLOAT, "slope gain clamp"))


_resample, _upfirdn2d = Arguments(_Resample), Arguments(_Upfirdn2d)
_bias_act, _gradient = Arguments(_BiasAct), Arguments(_BiasActGradient)


def supports(x: Tensor, factors: Sequence[int], *filters: Tensor) -> bool:
    """Return whether the kernels are there and may support such a call; `resample` can still return None."""
    if x.dtype not in TYPES or max(factors) > tiling.MAX_FACTOR:
        return False
    return all(len(set(f.shape)) == 1 for f in filters) and cuda.is_available(x.device)


def _prepare_filter(f: Tensor, x: Tensor) -> Tensor:
    return f.to(device=x.device, dtype=torch.float32).contiguous()


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
    last = memory_format(x) == torch.channels_last
    planes = (fu.ndim == 2 and fu.shape[0] > 1, fd.ndim == 2 and fd.shape[0] > 1)
    taps = fu.shape[0], fd.shape[0]
    spec = specialise(up[0], down[0], *taps, *planes, mode, x.dtype, last, tuple(pad_up), tuple(pad_down))
    tile = cuda.choose_tile(spec, x.device)
    if tile is None:
        return None
    n, c, *size = x.shape
    y = empty_images(x, out)
    if not y.numel():
        return y
    if _extent(y) > MAX_EXTENT:
        return None
    channels = 8 if last or mode == ENCODE else tile.channels
    grid = n * -(-c // channels) * -(-out[0] // tile.height) * -(-out[1] // tile.width)
    fu, fd = _prepare_filter(fu, x), _prepare_filter(fd, x)
    bias = None if bias is None else bias.to(x.dtype).contiguous()
    codes = None if codes is None else codes.contiguous()
    tensors = map(address, (x, y, bias, codes, fu, fd))
    sizes = (c, *size, *middle, *out, pad_up[1], pad_up[0], pad_down[1], pad_down[0])
    strides = (x.stride(0), y.stride(0), *x.stride()[1:], *y.stride()[1:])
    wide = _has_wide_access(x, last), _has_wide_access(y, last)
    arguments = _resample.fill(*tensors, *sizes, *strides, *wide, not flip_filter, gain, slope, limit(clamp))
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
    y = empty_images(x, out)
    defines = {"UP_X": up[0], "UP_Y": up[1], "DOWN_X": down[0], "DOWN_Y": down[1], "PLANE": int(f.ndim == 2)}
    f = _prepare_filter(f, x)
    sizes = (y.numel(), x.shape[1], *x.shape[2:], *out, f.shape[0], f.shape[-1], padding[2], padding[0])
    flags = memory_format(x) != torch.channels_last, not flip_filter
    arguments = _upfirdn2d.fill(*map(address, (x, f, y)), *sizes, *x.stride(), *y.stride(), *flags, gain)
    return y if _launch_pointwise("upfirdn2d", "upfirdn2d", x, y.numel(), arguments, defines) else None


def bias_act(x: Tensor, b: Tensor, inner: int, slope: float, gain: float, clamp: float | None) -> Tensor | None:
    """As in cpu/bindings.py."""
    if x.dtype not in TYPES or not cuda.is_available(x.device):
        return None
    y = torch.empty_like(x, memory_format=memory_format(x))
    b = b.to(x.dtype).contiguous()
    arguments = _bias_act.fill(*map(address, (x, b, y)), y.numel(), b.numel(), inner, slope, gain, limit(clamp))
    vector = _vector(x, y)
    done = _launch_pointwise("bias_act", "bias_act", x, y.numel() // vector, arguments, {"VECTOR": vector})
    return y if done else None


def bias_act_gradient(dy: Tensor, y: Tensor, slope: float, gain: float, clamp: float | None) -> Tensor | None:
    """As in cpu/bindings.py."""
    if y.dtype not in TYPES or not cuda.is_available(y.device):
        return None
    dx = torch.empty_like(y)
    clamp = math.nan if clamp is None else clamp
    arguments = _gradient.fill(*map(address, (dy, y, dx)), y.numel(), slope, gain, clamp)
    vector = _vector(dy, y, dx)
    done = _launch_pointwise("bias_act", "bias_act_gradient", y, y.numel() // vector, arguments, {"VECTOR": vector})
    return dx if done else None


def _vector(*tensors: Tensor) -> int:
    """Return how many values a thread takes at once: 16 bytes of them where all tensors are so aligned, else one."""
    count = 16 // tensors[0].element_size()
    return count if all(x.data_ptr() % 16 == 0 and x.numel() % count == 0 for x in tensors) else 1


def _launch_pointwise(
    source: str, name: str, x: Tensor, tasks: int, arguments: Arguments, defines: dict[str, int]
) -> bool:
    if not tasks:
        return True
    macros = {"TYPE": TYPES[x.dtype], "THREADS": cuda.THREADS, "BLOCKS": cuda.BLOCKS, **defines}
    blocks = min(-(-tasks // cuda.THREADS), WAVES * cuda.count_multiprocessors(x.device) * 4)
    return cuda.launch(source, name, macros, x.device, blocks, arguments, cuda.THREADS, 0)
