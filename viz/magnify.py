# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Showing a small picture large.

A picture from an alias-free generator is a set of samples of a band-limited signal, so it is enlarged by a windowed
sinc: what moves by a third of a pixel is then seen to move by a third of a pixel. Bilinear enlargement, which is what
a texture unit offers, would add a pattern of its own that sticks to the screen.
"""

import math
from functools import lru_cache

import torch

LOBES = 3  # of the Lanczos window, as in the paper's fractional translation (EQ-T_frac)
SHOWN_SIZE = 512  # enlarge to at least this many pixels; the texture unit does the rest


def factor_for(resolution: int) -> int:
    """The whole factor by which a picture of `resolution` pixels is enlarged before upload, 1 for none."""
    return max(1, SHOWN_SIZE // resolution)


def interpolation(where: torch.Tensor, size: int, width: float = 1.0) -> torch.Tensor:
    """[n, size] Lanczos interpolation along one axis, edge samples repeated outside, rows summing to 1.

    `where`: [n] float64 positions in pixels, 0 being the first one's centre. `width`: how far apart the samples are
    that it serves, in pixels: more than 1 also holds back what they could not represent.
    """
    width = max(1.0, width)
    reach = math.ceil(LOBES * width)
    taps = torch.floor(where)[:, None] + torch.arange(1 - reach, reach + 1)
    offset = (where[:, None] - taps) / width
    weights = torch.sinc(offset) * torch.sinc(offset / LOBES) * (offset.abs() < LOBES)
    weights /= weights.sum(dim=1, keepdim=True)
    matrix = torch.zeros(len(where), size, dtype=torch.float64)
    matrix.scatter_add_(1, taps.clamp(0, size - 1).long(), weights)
    return matrix.float()


@lru_cache(maxsize=16)
def _matrix(size: int, factor: int) -> torch.Tensor:
    return interpolation((torch.arange(size * factor, dtype=torch.float64) + 0.5) / factor - 0.5, size)


def magnified(image: torch.Tensor, factor: int) -> torch.Tensor:
    """[C, H, W] floats enlarged `factor` times along both axes; the centres of the pixels stay where they were."""
    if factor == 1:
        return image
    rows = _matrix(image.shape[1], factor).to(image)
    columns = rows if image.shape[1] == image.shape[2] else _matrix(image.shape[2], factor).to(image)
    return rows @ image @ columns.T
