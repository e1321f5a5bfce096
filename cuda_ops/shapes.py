# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sizes, paddings, factors, layouts and modes that the operators and their kernels agree on."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

MAX_PADDING = 2**24  # far beyond any image, and small enough for every index
# What a kernel does between its two filters: nothing, the nonlinearity, the nonlinearity with codes written, or stored
# codes in place of it. As JincMode in csrc/cpu/jinc_cpu.h and MODE in csrc/cuda/layout.cuh.
LINEAR, FORWARD, ENCODE, DECODE = range(4)


class Geometry(NamedTuple):
    """Geometry of upsampling, filtering, filtering again and downsampling: factors and paddings (x, y), sizes (H, W).

    Paddings are those before the first sample, of the up-filter's and of the down-filter's input; `middle` is the size
    between the filters.
    """

    up: Sequence[int]
    down: Sequence[int]
    pad_up: tuple[int, int]
    pad_down: tuple[int, int]
    middle: tuple[int, int]
    out: tuple[int, int]


def output_size(size: int, taps: int, up: int, down: int, before: int, after: int) -> int:
    """Count samples along one axis after padding, upsampling, filtering without borders, and decimation."""
    return (size * up + before + after - taps) // down + 1


def output_sizes(
    shape: Sequence[int], f: Tensor, up: Sequence[int], down: Sequence[int], padding: Sequence[int]
) -> tuple[int, int]:
    """Return (H, W) after resampling a `shape` [..., H, W]; factors (x, y), padding as from `expand_padding`."""
    return (
        output_size(shape[-2], f.shape[0], up[1], down[1], padding[2], padding[3]),
        output_size(shape[-1], f.shape[-1], up[0], down[0], padding[0], padding[1]),
    )


def adjoint_padding(size: int, out: int, taps: int, up: int, down: int, before: int) -> tuple[int, int]:
    """Return the padding (before, after) of the transposed operator: up and down swapped, the filter flipped."""
    return taps - 1 - before, size * up - out * down + before - up + 1


def adjoint_paddings(
    size: Sequence[int], out: Sequence[int], f: Tensor, up: Sequence[int], down: Sequence[int], padding: Sequence[int]
) -> list[int]:
    """Return the padding of the transposed operator, [x before, x after, y before, y after], from (H, W) sizes."""
    width = adjoint_padding(size[1], out[1], f.shape[-1], up[0], down[0], padding[0])
    height = adjoint_padding(size[0], out[0], f.shape[0], up[1], down[1], padding[2])
    return [*width, *height]


def expand_factor(value: int | Sequence[int], name: str) -> list[int]:
    """Return a factor for both axes, or (x, y) factors, as two integers; ValueError unless they are positive."""
    both = [value, value] if isinstance(value, int) else list(value)
    if len(both) != 2 or min(both) < 1:
        raise ValueError(f"{name} must be a positive integer or a pair of them, not {value}.")
    return both


def expand_padding(padding: int | Sequence[int]) -> list[int]:
    """Return padding that is given as one, two or four integers as [x before, x after, y before, y after]."""
    if isinstance(padding, int):
        return [padding] * 4
    if len(padding) == 2:
        return [padding[0], padding[0], padding[1], padding[1]]
    if len(padding) != 4:
        raise ValueError(f"padding must be one, two or four integers, not {padding}.")
    return list(padding)


def check_image(x: Tensor) -> None:
    """Raise ValueError where `x` does not hold floating-point numbers."""
    if not x.dtype.is_floating_point:
        raise ValueError(f"Expected an image of floating-point numbers, not of {x.dtype}; convert it first.")


def check_resampling(
    shape: Sequence[int], f: Tensor, up: Sequence[int], down: Sequence[int], padding: Sequence[int]
) -> None:
    """Raise ValueError where `shape` is not that of images, `f` is no filter, or nothing is left of the images."""
    if len(shape) != 4 or f.ndim not in (1, 2) or not f.numel():
        raise ValueError(f"Expected an NCHW image and a 1-D or 2-D filter, not {tuple(shape)} and {tuple(f.shape)}.")
    if max(map(abs, padding)) > MAX_PADDING:
        raise ValueError(f"padding {list(padding)} is beyond {MAX_PADDING} pixels.")
    for axis, size, taps in ((0, shape[3], f.shape[-1]), (1, shape[2], f.shape[0])):
        if size < 1 or output_size(size, taps, up[axis], down[axis], padding[2 * axis], padding[2 * axis + 1]) < 1:
            raise ValueError(f"Nothing is left of {size} pixels after a filter of {taps} taps and padding {padding}.")


def empty_images(x: Tensor, size: Sequence[int]) -> Tensor:
    """Return images of `size` (H, W) without values, else like `x`."""
    return torch.empty((*x.shape[:2], *size), dtype=x.dtype, device=x.device, memory_format=memory_format(x))


def structure_fields(kind: type, names: str) -> tuple[tuple[str, type], ...]:
    """Return fields of one type for a ctypes.Structure."""
    return tuple((name, kind) for name in names.split())


def address(x: Tensor | None) -> int | None:
    """Return a tensor's address for a kernel; None for none."""
    return None if x is None else x.data_ptr()


def limit(clamp: float | None) -> float:
    """Return a clamp as kernels take it: infinity for none."""
    return math.inf if clamp is None else clamp


def memory_format(x: Tensor) -> torch.memory_format:
    """Return the layout of an operator's result: channels-last if the input is only that, else contiguous."""
    last = x.ndim == 4 and not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format
