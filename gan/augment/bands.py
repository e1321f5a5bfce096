# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Four frequency bands of a picture, amplified each by itself [ADA, app. B]."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gan.augment.config import AugmentConfig
from gan.augment.draws import Draws

SYM2 = (-0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025)  # wavelet low-pass
BANDS = 4
POWER = torch.tensor([10.0, 1.0, 1.0, 1.0]) / 13  # of natural pictures in each band: spectra fall as 1 / frequency


@cache
def build_bank() -> Tensor:
    """Return the bands' filters, the lowest first, [4, taps]; they add up to the identity."""
    low = np.array(SYM2)
    high = low * (-1.0) ** np.arange(len(low))
    low_pass, high_pass = np.convolve(low, low[::-1]) / 2, np.convolve(high, high[::-1]) / 2
    bank = [np.ones(1)]
    for _ in range(BANDS - 1):
        wide = []
        for band in bank:
            spread = np.zeros(2 * len(band) - 1)
            spread[::2] = band
            wide.append(np.convolve(spread, low_pass))
        middle = np.zeros(len(wide[0]))
        start = (len(middle) - len(high_pass)) // 2
        middle[start : start + len(high_pass)] = high_pass
        bank = [*wide, middle]
    return torch.from_numpy(np.stack(bank)).float()


def draw_gains(config: AugmentConfig, draws: Draws) -> Tensor:
    """Draw the gain of each picture's bands, [N, 4] on the host; the expected power stays the same."""
    gains = torch.ones(draws.count, BANDS)
    for band, strength in enumerate(config.imgfilter_bands):
        gain = draws.apply(torch.exp2(draws.normal() * config.imgfilter_std), config.imgfilter * strength, 1)
        one = torch.ones(draws.count, BANDS)
        one[:, band] = gain
        gains = gains * one / (POWER * one.square()).sum(dim=1, keepdim=True).sqrt()
    return gains


def apply_gains(images: Tensor, gains: Tensor) -> Tensor:
    """Amplify the bands of images [N, C, H, W] by gains [N, 4] on the host."""
    if bool((gains == 1).all()):
        return images
    count, channels, height, width = images.shape
    filters = (gains @ build_bank()).to(images.device, images.dtype, non_blocking=True)
    filters = filters.repeat_interleave(channels, dim=0)  # [N C, taps]
    reach = filters.shape[1] // 2
    folded = _reflect(images, reach).reshape(1, count * channels, height + 2 * reach, width + 2 * reach)
    rows = F.conv2d(folded, filters[:, None, None, :], groups=count * channels)
    return F.conv2d(rows, filters[:, None, :, None], groups=count * channels).reshape(images.shape)


def _reflect(images: Tensor, reach: int) -> Tensor:
    """Pad by reflection, again and again where `reach` is more than the picture has."""
    while reach > 0:
        step = min(reach, images.shape[2] - 1, images.shape[3] - 1)
        images = F.pad(images, (step, step, step, step), mode="reflect")
        reach -= step
    return images
