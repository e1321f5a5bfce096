# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Enlarge small pictures for display.

A picture from an alias-free generator is a set of samples of a band-limited signal, so it is enlarged by a windowed
sinc: what moves by a third of a pixel is then seen to move by a third of a pixel. Bilinear enlargement, which is what
a texture unit offers, would add a pattern of its own that sticks to the screen.
"""

import math
import threading
from collections.abc import Callable

import numpy as np
import torch

from gan.networks.filter_design import PICTURE_LOBES, lanczos

LEAST_WEIGHT = 1 / 1024  # of a colour without alpha: a quarter of alpha's least step
SHOWN_SIZE = 512  # enlarge to at least this many pixels; the texture unit does the rest

_made: dict[tuple[int, int, torch.device], torch.Tensor] = {}
_making = threading.Lock()


def upscale_factor(resolution: int) -> int:
    """Return the whole factor by which a picture of `resolution` pixels is enlarged before upload, 1 for none."""
    return max(1, SHOWN_SIZE // resolution)


def lanczos_matrix(where: torch.Tensor, size: int, width: float = 1.0) -> torch.Tensor:
    """Return [n, size], Lanczos interpolation along one axis: edge samples repeat outside, rows sum to 1.

    `where`: [n] float64 positions in pixels, 0 being the first one's centre. `width`: the distance between the samples
    that are made, in pixels: more than 1 also removes frequencies that they could not represent.
    """
    width = max(1.0, width)
    reach = math.ceil(PICTURE_LOBES * width)
    taps = torch.floor(where)[:, None] + torch.arange(1 - reach, reach + 1, device=where.device)
    weights = lanczos((where[:, None] - taps) / width)
    weights /= weights.sum(dim=1, keepdim=True)
    matrix = torch.zeros(len(where), size, dtype=torch.float64, device=where.device)
    matrix.scatter_add_(1, taps.clamp(0, size - 1).long(), weights)
    return matrix.float()


def _matrix(size: int, enlarged: int, device: torch.device) -> torch.Tensor:
    """Return a matrix that is never freed: CUDA graphs captured with it read it. Called by the window's thread, too."""
    with _making:
        if (size, enlarged, device) not in _made:
            centres = (torch.arange(enlarged, dtype=torch.float64, device=device) + 0.5) * (size / enlarged) - 0.5
            _made[size, enlarged, device] = lanczos_matrix(centres, size)
            if device.type == "cuda":
                torch.cuda.current_stream(device).synchronize()  # once, for whatever stream reads it
        return _made[size, enlarged, device]


def upscale(image: torch.Tensor, factor: int) -> torch.Tensor:
    """Enlarge [C, H, W] floats `factor` times along both axes; the centres of the pixels stay where they were."""
    if factor == 1:
        return image
    down, across = (_matrix(size, size * factor, image.device) for size in image.shape[1:])
    return down.to(image.dtype) @ image @ across.to(image.dtype).T


def resample(
    planes: torch.Tensor, linear: Callable[[torch.Tensor], torch.Tensor], clear: float = 0, opaque: float = 255
) -> torch.Tensor:
    """Apply a `linear` resampling to [..., C, H, W]; colours of RGBA are weighted by their alpha.

    So what is hidden under no alpha does not show at an edge. `clear` and `opaque` are alpha's ends. Colours come out
    as they went in, not multiplied by alpha.
    """
    if planes.shape[-3] != 4:
        return linear(planes)
    color, alpha = planes[..., :3, :, :], planes[..., 3:, :, :]
    weight = ((alpha - clear) / (opaque - clear)).clamp(0, 1) + LEAST_WEIGHT
    color = linear(color * weight) / linear(weight).clamp(min=LEAST_WEIGHT)
    return torch.cat([color, linear(alpha)], dim=-3)


def upscale_pixels(pixels: np.ndarray, width: int) -> np.ndarray:
    """Enlarge opaque uint8 [H, W, C] to `width` pixels across, at least its own, and as high in proportion."""
    if pixels.shape[1] == width:
        return pixels
    height = round(pixels.shape[0] * width / pixels.shape[1])
    planes = torch.from_numpy(pixels).permute(2, 0, 1).float()
    down, across = _matrix(planes.shape[1], height, planes.device), _matrix(planes.shape[2], width, planes.device)
    planes = down @ planes @ across.T
    return planes.add_(0.5).clamp_(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
