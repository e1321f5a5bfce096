# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The colour transforms of a batch as one affine map of RGB for each picture [ADA, app. B]."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan.augment.config import AugmentConfig
from gan.augment.draws import Draws

GREY = torch.tensor([1.0, 1.0, 1.0, 0.0]) / math.sqrt(3)  # the axis of greys: its component is the luma


def draw_colour(config: AugmentConfig, draws: Draws) -> Tensor:
    """Draw each picture's map of (R, G, B, 1), [N, 4, 4] on the host."""
    count = draws.count
    matrix = torch.eye(4).expand(count, 4, 4)
    grey = torch.outer(GREY, GREY)
    if config.brightness > 0:
        shift = draws.apply(draws.normal() * config.brightness_std, config.brightness, 0)
        added = torch.eye(4).repeat(count, 1, 1)
        added[:, :3, 3] = shift[:, None]
        matrix = added @ matrix
    if config.contrast > 0:
        factor = draws.apply(torch.exp2(draws.normal() * config.contrast_std), config.contrast, 1)
        matrix = torch.diag_embed(torch.stack([factor, factor, factor, torch.ones(count)], dim=1)) @ matrix
    if config.lumaflip > 0:
        flipped = draws.apply((draws.uniform() * 2).floor(), config.lumaflip, 0)
        matrix = (torch.eye(4) - 2 * grey * flipped[:, None, None]) @ matrix
    if config.hue > 0:
        angle = draws.apply((draws.uniform() * 2 - 1) * (math.pi * config.hue_max), config.hue, 0)
        matrix = _rotate_about_grey(angle) @ matrix
    if config.saturation > 0:
        factor = draws.apply(torch.exp2(draws.normal() * config.saturation_std), config.saturation, 1)
        matrix = (grey + (torch.eye(4) - grey) * factor[:, None, None]) @ matrix
    return matrix


def apply_colour(images: Tensor, matrix: Tensor) -> Tensor:
    """Map the colours of images [N, 1, 3 or 4, H, W] by matrices [N, 4, 4] on the host.

    Grey pictures take the mean of the map's rows; alpha stays as it is.
    """
    if torch.equal(matrix, torch.eye(4).expand_as(matrix)):
        return images
    matrix = matrix.to(images.device, images.dtype, non_blocking=True)
    if images.shape[1] == 1:
        row = matrix[:, :3].mean(dim=1)
        return images * row[:, :3].sum(dim=1)[:, None, None, None] + row[:, 3, None, None, None]
    colours, alpha = images[:, :3], images[:, 3:]
    mapped = torch.baddbmm(matrix[:, :3, 3:], matrix[:, :3, :3], colours.flatten(2)).view_as(colours)
    return torch.cat([mapped, alpha], dim=1) if alpha.shape[1] else mapped


def _rotate_about_grey(angle: Tensor) -> Tensor:
    """Return rotations about the axis of greys, [N, 4, 4] (Rodrigues)."""
    x, y, z = GREY[:3].tolist()
    across = torch.tensor([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    along = torch.outer(GREY[:3], GREY[:3])
    sin, cos = angle.sin()[:, None, None], angle.cos()[:, None, None]
    matrix = torch.eye(4).repeat(len(angle), 1, 1)
    matrix[:, :3, :3] = cos * torch.eye(3) + sin * across + (1 - cos) * along
    return matrix
