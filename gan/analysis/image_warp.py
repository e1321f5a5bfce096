# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Move a picture as a band-limited signal: the operators of the equivariance metrics [P app. E].

Each takes images [N, C, S, S] and returns the moved images and a mask [1, 1, S, S] of the pixels that depend only on
pixels inside the picture. Positive t moves right and down, in image widths; positive angles turn counter-clockwise.
"""

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from cuda_ops import upfirdn2d
from gan.networks.filter_design import PICTURE_LOBES, lanczos, lanczos_window

ROTATION_FACTOR = 4  # a rotation looks values up in a picture enlarged so much
RADIUS = 64  # pixels on which the filters are convolved with each other

Moved = tuple[Tensor, Tensor]


def integer_translation(x: Tensor, tx: float, ty: float) -> Moved:
    """Shift by t rounded to whole pixels; zeros come in."""
    height, width = x.shape[2:]
    dx, dy = round(tx * width), round(ty * height)
    moved, mask = torch.zeros_like(x), torch.zeros_like(x[:1, :1])
    if abs(dx) < width and abs(dy) < height:
        to = (..., slice(max(dy, 0), height + min(dy, 0)), slice(max(dx, 0), width + min(dx, 0)))
        moved[to] = x[..., max(-dy, 0) : height - max(dy, 0), max(-dx, 0) : width - max(dx, 0)]
        mask[to] = 1
    return moved, mask


def fractional_translation(x: Tensor, tx: float, ty: float, a: int = PICTURE_LOBES) -> Moved:
    """Shift by any t, interpolated by a Lanczos filter of 2a taps on each axis."""
    mask = torch.ones_like(x[:1, :1])
    for axis, t in ((3, tx), (2, ty)):
        size = x.shape[axis]
        whole = math.floor(t * size)
        taps = torch.arange(1 - a, a + 1, dtype=torch.float64) - (t * size - whole)
        f = lanczos(taps, a)
        # Output i reads inputs i - whole - k, k being the taps 1 - a ... a.
        before, after = whole + a, a - 1 - whole
        padding = [before, after, 0, 0] if axis == 3 else [0, 0, before, after]
        f = (f / f.sum()).to(x)
        x = upfirdn2d(x, f[None] if axis == 3 else f[:, None], padding=padding)
        inside = torch.arange(size, device=x.device) - whole
        inside = (inside - a >= 0) & (inside + a - 1 < size)
        mask = mask * (inside if axis == 3 else inside[:, None])
    return x, mask


def fractional_rotation(x: Tensor, angle: float, a: int = PICTURE_LOBES) -> Moved:
    """Turn about the centre by `angle` radians: enlarge with the rotation's filter, then look up every pixel."""
    size = x.shape[3]
    f = _filter(angle, a, ROTATION_FACTOR).to(x)
    reach = f.shape[0] // 2  # p
    # Its borders take in all that the filter smears beyond the picture's.
    large = upfirdn2d(x, f, up=ROTATION_FACTOR, padding=2 * reach, gain=ROTATION_FACTOR**2)
    centres = torch.arange(size, device=x.device, dtype=torch.float64) - (size - 1) / 2
    down, right = torch.meshgrid(centres, centres, indexing="ij")
    cos, sin = math.cos(angle), math.sin(angle)
    source = torch.stack([cos * right - sin * down, sin * right + cos * down], dim=2) + (size - 1) / 2
    # grid_sample counts from -1 to 1 between the outer edges of the outer pixels.
    grid = (2 * (ROTATION_FACTOR * source + reach) + 1) / large.shape[3] - 1
    # In float64, because a coordinate in float32 is off by a hundred-thousandth of a pixel.
    grid = grid[None].expand(x.shape[0], -1, -1, -1)
    moved = F.grid_sample(large.double(), grid, mode="bilinear", align_corners=False).to(x)
    first, last = (reach - 1.5) / ROTATION_FACTOR, size - 1 - (reach - 0.5) / ROTATION_FACTOR
    mask = ((source >= first) & (source <= last)).all(dim=2)[None, None].to(x)
    return moved, mask


def fractional_pseudo_rotation(x: Tensor, angle: float, a: int = PICTURE_LOBES) -> Moved:
    """Apply the band limit of a rotation by `angle`, without the rotation: the filter of the inverse rotation."""
    f = _filter(-angle, a, 1).to(x)
    border = 2 * a - 1
    mask = torch.zeros_like(x[:1, :1])
    mask[..., border : x.shape[2] - border, border : x.shape[3] - border] = 1
    return upfirdn2d(x, f, padding=border), mask


@lru_cache(maxsize=64)
def _filter(angle: float, a: int, factor: int) -> Tensor:
    """Compute the filter [2p + 1, 2p + 1], p = 2 a factor - 1, that keeps the bands of both pixel grids.

    Both ideal filters, each a product of sincs, are convolved, and so are their windows; each of the factor^2 phases
    sums to 1 / factor^2.
    """
    steps = _steps(factor)
    cos, sin = math.cos(angle), math.sin(angle)
    x = cos * steps + sin * steps[:, None]
    y = -sin * steps + cos * steps[:, None]
    ideal, window = _convolutions(a, factor)
    h = ideal @ (torch.sinc(x) * torch.sinc(y)) @ ideal.t()
    h = h * (window @ (lanczos_window(x, a) * lanczos_window(y, a)) @ window.t())
    for i in range(factor):
        for j in range(factor):
            h[i::factor, j::factor] /= h[i::factor, j::factor].sum() * factor**2
    return h


def _steps(factor: int) -> Tensor:
    """Return the positions at which the filters are sampled, in pixels."""
    return torch.arange(1 - RADIUS * factor, RADIUS * factor, dtype=torch.float64) / factor


@lru_cache(maxsize=4)
def _convolutions(a: int, factor: int) -> tuple[Tensor, Tensor]:
    """Compute the matrices [2p + 1, n] of the circular convolution with sinc(x), and with its window, on one axis.

    The pixel grid's own filter is a product of one-dimensional ones, and only the middle of the result is needed.
    """
    steps, reach = _steps(factor), 2 * a * factor - 1
    n = len(steps)
    offsets = torch.arange(-reach, reach + 1)[:, None] - (torch.arange(n) - n // 2)
    x = ((offsets + n // 2) % n - n // 2).double() / factor
    return torch.sinc(x), lanczos_window(x, a)
