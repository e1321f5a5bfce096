# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Showing a small picture large.

A picture from an alias-free generator is a set of samples of a band-limited signal, so it is enlarged by a windowed
sinc: what moves by a third of a pixel is then seen to move by a third of a pixel. Bilinear enlargement, which is what
a texture unit offers, would add a pattern of its own that sticks to the screen.
"""

import math
from functools import lru_cache

import numpy as np
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
def _matrix(size: int, enlarged: int) -> torch.Tensor:
    return interpolation((torch.arange(enlarged, dtype=torch.float64) + 0.5) * (size / enlarged) - 0.5, size)


def magnified(image: torch.Tensor, factor: int) -> torch.Tensor:
    """[C, H, W] floats enlarged `factor` times along both axes; the centres of the pixels stay where they were."""
    return image if factor == 1 else _enlarged(image, image.shape[1] * factor, image.shape[2] * factor)


def magnified_pixels(pixels: np.ndarray, width: int) -> np.ndarray:
    """uint8 [H, W, C] enlarged to `width` pixels across, at least its own, and as high in proportion."""
    if pixels.shape[1] == width:
        return pixels
    height = round(pixels.shape[0] * width / pixels.shape[1])
    planes = _enlarged(torch.from_numpy(pixels).permute(2, 0, 1).float(), height, width)
    return planes.add_(0.5).clamp_(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def _enlarged(image: torch.Tensor, height: int, width: int) -> torch.Tensor:
    return _matrix(image.shape[1], height).to(image) @ image @ _matrix(image.shape[2], width).to(image).T
