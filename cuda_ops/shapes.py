# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sizes, paddings, factors and layouts that the operators and their kernels agree on."""

from collections.abc import Sequence

import torch
from torch import Tensor


def output_size(size: int, taps: int, up: int, down: int, before: int, after: int) -> int:
    """Samples along one axis after padding, upsampling, filtering without borders, and decimation."""
    return (size * up + before + after - taps) // down + 1


def adjoint_padding(size: int, out: int, taps: int, up: int, down: int, before: int) -> tuple[int, int]:
    """Padding (before, after) of the transposed operator, which has up and down swapped and the filter flipped."""
    return taps - 1 - before, size * up - out * down + before - up + 1


def pair(value: int | Sequence[int], name: str) -> list[int]:
    """A factor for both axes, or (x, y) factors, as two positive integers."""
    both = [value, value] if isinstance(value, int) else list(value)
    if len(both) != 2 or min(both) < 1:
        raise ValueError(f"{name} must be a positive integer or a pair of them, not {value}.")
    return both


def four(padding: int | Sequence[int]) -> list[int]:
    """Padding as [x before, x after, y before, y after]."""
    if isinstance(padding, int):
        return [padding] * 4
    if len(padding) == 2:
        return [padding[0], padding[0], padding[1], padding[1]]
    if len(padding) != 4:
        raise ValueError(f"padding must be one, two or four integers, not {padding}.")
    return list(padding)


MAX_PADDING = 2**24  # far beyond any image, and small enough for every index


def check(x: Tensor, f: Tensor, up: Sequence[int], down: Sequence[int], padding: Sequence[int]) -> None:
    """ValueError where `x` is no batch of images, `f` no filter, or nothing would be left of the image."""
    if not x.dtype.is_floating_point:
        raise ValueError(f"Expected an image of floating-point numbers, not of {x.dtype}; convert it first.")
    check_size(x.shape, f, up, down, padding)


def check_size(shape: Sequence[int], f: Tensor, up: Sequence[int], down: Sequence[int], padding: Sequence[int]) -> None:
    """The part of `check` that needs the image's shape alone."""
    if len(shape) != 4 or f.ndim not in (1, 2) or not f.numel():
        raise ValueError(f"Expected an NCHW image and a 1-D or 2-D filter, not {tuple(shape)} and {tuple(f.shape)}.")
    if max(map(abs, padding)) > MAX_PADDING:
        raise ValueError(f"padding {list(padding)} is beyond {MAX_PADDING} pixels.")
    for axis, size, taps in ((0, shape[3], f.shape[-1]), (1, shape[2], f.shape[0])):
        if size < 1 or output_size(size, taps, up[axis], down[axis], padding[2 * axis], padding[2 * axis + 1]) < 1:
            raise ValueError(f"Nothing is left of {size} pixels after a filter of {taps} taps and padding {padding}.")


def memory_format(x: Tensor) -> torch.memory_format:
    """The layout of an operator's result: channels-last where the input is that and nothing else, else contiguous."""
    last = x.ndim == 4 and not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format
