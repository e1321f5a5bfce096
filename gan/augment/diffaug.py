# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The three transforms of DiffAugment [Zhao et al. 2020]: always applied, cheaper than the whole pipeline."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gan.shares import Share

TRANSLATION = 8  # the largest translation is this part of the width
CUTOUT = 2  # the box that is cut out is this part of it


def diff_augment(images: Tensor, policies: Sequence[str], share: Share | None = None) -> Tensor:
    """Augment images [N, C, H, W], a `share` of a batch or all of it, by the named transforms.

    Random numbers come from torch's generator of the host.
    """
    share = share or Share(len(images))
    if "color" in policies:
        images = shift_colour(images, *(share.draw_uniform() for _ in range(3)))
    if "translation" in policies:
        reach = [(size + TRANSLATION // 2) // TRANSLATION for size in images.shape[2:]]
        images = translate(images, *(share.draw_integers(-far, far + 1) for far in reach))
    if "cutout" in policies:
        box = [(size + CUTOUT // 2) // CUTOUT for size in images.shape[2:]]
        centres = [
            share.draw_integers(0, size + 1 - part % 2) for size, part in zip(images.shape[2:], box, strict=True)
        ]
        images = cut_out(images, box, *centres)
    return images


def shift_colour(images: Tensor, brightness: Tensor, saturation: Tensor, contrast: Tensor) -> Tensor:
    """Move brightness by -0.5 to 0.5, scale saturation by 0 to 2 and contrast by 0.5 to 1.5, for [N] each in 0 to 1."""
    brightness, saturation, contrast = (
        value[:, None, None, None].to(images.device, images.dtype) for value in (brightness, saturation, contrast)
    )
    colours, alpha = (images, images[:, :0]) if images.shape[1] < 4 else (images[:, :3], images[:, 3:])
    colours = colours + (brightness - 0.5)
    grey = colours.mean(dim=1, keepdim=True)
    colours = (colours - grey) * (saturation * 2) + grey
    mean = colours.mean(dim=(1, 2, 3), keepdim=True)
    return torch.cat([(colours - mean) * (contrast + 0.5) + mean, alpha], dim=1)


def translate(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Move each image by whole pixels, [N] each; zeros come in."""
    count, _, height, width = images.shape
    sample = torch.arange(count)[:, None, None]
    # One pixel of zeros around: what lies outside is taken from there.
    rows = (torch.arange(height)[None] - down[:, None] + 1).clamp(0, height + 1)[:, :, None]
    columns = (torch.arange(width)[None] - right[:, None] + 1).clamp(0, width + 1)[:, None, :]
    index = (sample * (height + 2) + rows) * (width + 2) + columns  # [N, H, W]
    padded = F.pad(images, (1, 1, 1, 1)).permute(0, 2, 3, 1).reshape(-1, images.shape[1])
    moved = padded.index_select(0, index.flatten().to(images.device))
    return moved.view(count, height, width, -1).permute(0, 3, 1, 2)


def cut_out(images: Tensor, box: Sequence[int], row: Tensor, column: Tensor) -> Tensor:
    """Set a box of [height, width] pixels around each image's (row, column), [N] each, to zero."""
    inside = []
    for centre, part, size in ((row, box[0], images.shape[2]), (column, box[1], images.shape[3])):
        start = centre[:, None] - part // 2
        place = torch.arange(size)[None]
        inside.append((place >= start) & (place < start + part))
    mask = ~(inside[0][:, None, :, None] & inside[1][:, None, None, :])
    return images * mask.to(images.device, images.dtype)
