# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Move a picture back by the inverse of the user's transform: content then stays in place, and what sticks moves.

The picture is treated as the band-limited signal that it is a set of samples of: interpolated by windowed sincs, and
held back to what the new pixels can represent where it is made smaller. Translations by whole pixels are exact.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from viz.render.upscale import lanczos_matrix

FINE_SIZE, MOST = 1024, 8  # a turned picture is looked up in itself enlarged to about so many pixels, at most 8 times


def inverse_warp(picture: Tensor, forward: Tensor) -> Tensor:
    """Move [N, C, S, S] floats back by the inverse of `forward` (input_transform.forward_matrix, on the CPU).

    Beyond the picture its edge is repeated; `coverage` says where.
    """
    size, spread = picture.shape[3], abs(float(torch.linalg.det(forward))) ** 0.5
    if float(forward[0, 1]) == 0.0 == float(forward[1, 0]):  # not turned: one axis after the other, in one step
        across, down = (_axis(forward, axis, size, picture.device).to(picture) for axis in (0, 1))
        return down @ picture @ across.T
    factor = min(max(2, FINE_SIZE // size), MOST)
    fine_centres = (torch.arange(size * factor, dtype=torch.float64, device=picture.device) + 0.5) / factor - 0.5
    enlarge = lanczos_matrix(fine_centres, size, spread).to(picture)
    fine = enlarge @ picture @ enlarge.T
    # grid_sample counts from -1 to 1 between the outer edges of the outer pixels.
    grid = (2 * _sources(forward, size, picture.device)).to(picture)[None].expand(len(picture), -1, -1, -1)
    return F.grid_sample(fine, grid, mode="bicubic", padding_mode="border", align_corners=False)


def coverage(forward: Tensor, size: int, device: torch.device | str = "cpu") -> Tensor:
    """Return [size, size] in 0..1, the share of each pixel of a moved-back picture that lies inside the picture."""
    spread = abs(float(torch.linalg.det(forward))) ** 0.5
    inside = (0.5 - _sources(forward, size, device).abs()) * size / spread + 0.5  # from the edge, in pixels moved back
    return inside.clamp(0, 1).prod(dim=2).float()


def _sources(forward: Tensor, size: int, device: torch.device | str) -> Tensor:
    """Return [size, size, 2] float64 (x, y), each pixel's source in the picture, in image widths from its centre."""
    x, y = torch.meshgrid(*[_centres(size, device)] * 2, indexing="xy")
    # The matrix's entries as numbers: copying it to a GPU would wait for the device.
    (a, b, tx), (c, d, ty), _ = forward.tolist()
    return torch.stack([a * x + b * y + tx, c * x + d * y + ty], dim=2)


def _axis(forward: Tensor, axis: int, size: int, device: torch.device) -> Tensor:
    """Return [size, size], the interpolation along one axis of a transform without rotation."""
    scale, shift = float(forward[axis, axis]), float(forward[axis, 2])
    where = (scale * _centres(size, device) + shift + 0.5) * size - 0.5
    return lanczos_matrix(where, size, abs(scale))


def _centres(size: int, device: torch.device | str) -> Tensor:
    """Return [size] float64, the pixels' centres in image widths from the picture's."""
    return (torch.arange(size, dtype=torch.float64, device=device) + 0.5) / size - 0.5
