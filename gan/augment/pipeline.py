# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The augmentation pipeline of StyleGAN2-ADA [Karras et al. 2020, app. B]: geometry, colour, filter, noise, cut-out.

Every transform is drawn for each picture and applied with probability p. All is differentiable any number of times in
the pictures.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan.augment.bands import apply_gains, draw_gains
from gan.augment.colour import apply_colour, draw_colour
from gan.augment.config import COLOUR, GEOMETRY, GEOMETRY_BLIT, AugmentConfig
from gan.augment.draws import Draws
from gan.augment.geometry import draw_geometry, warp
from gan.shares import Share


def augment(
    images: Tensor, config: AugmentConfig, p: float, percentile: float | None = None, share: Share | None = None
) -> Tensor:
    """Augment images [N, C, H, W] with probability p each; C is 1, 3 or 4 (the last is alpha and keeps its values).

    The numbers come from torch's generator of the host, whatever the images' device. With `percentile` in place of
    random numbers the result is the same each time, and p plays no part where it is positive. `share`: of a batch, that
    the images are; None, all of it.
    """
    count, channels, height, width = images.shape
    share = share or Share(count)
    draws = Draws(share, p, percentile)
    if any(getattr(config, name) > 0 for name in (*GEOMETRY_BLIT, *GEOMETRY)):
        images = warp(images, draw_geometry(config, draws, width, height))
    if any(getattr(config, name) > 0 for name in COLOUR):
        images = apply_colour(images, draw_colour(config, draws))
    if config.imgfilter > 0:
        images = apply_gains(images, draw_gains(config, draws))
    if config.noise > 0:
        sigma = draws.apply(draws.half_normal() * config.noise_std, config.noise, 0).to(images.device, images.dtype)
        images = images + share.draw_normal(channels, height, width, device=images.device) * sigma[:, None, None, None]
    if config.cutout > 0:
        images = images * draw_mask(config, draws, width, height).to(images.device, images.dtype)
    return images


def draw_mask(config: AugmentConfig, draws: Draws, width: int, height: int) -> Tensor:
    """Draw each picture's cut-out, [N, 1, H, W] on the host: 0 in a box, 1 around it."""
    size = draws.apply(torch.full((draws.count,), config.cutout_size), config.cutout, 0)[:, None] / 2
    centre = draws.uniform(2)
    x, y = (torch.arange(width) + 0.5) / width, (torch.arange(height) + 0.5) / height
    across, along = (x - centre[:, :1]).abs() >= size, (y - centre[:, 1:]).abs() >= size
    return (across[:, None, None, :] | along[:, None, :, None]).float()
