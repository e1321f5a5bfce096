# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Statistics that order a layer's feature maps: the variance of each, and its likeness to a phase signal [P fig. 6].

The paper observes that the maps of T and R turn into "phase signals that follow the features": waves whose crests
carry where things are, while their height says nothing. This is measured by the local amplitude of the monogenic signal
[Felsberg 2001]: a map and its two Riesz transforms, which are to two dimensions what the Hilbert transform is to one,
make up the local amplitude and phase of every pixel. Where all information is in the phase, the amplitude is constant.
"""

import torch
from torch import Tensor

MAX_SIZE = 96  # pixels across: larger maps are averaged down first, to about a thumbnail
NOISE_RATIO = 0.8386  # E[A]^2 / E[A^2] of isotropic Gaussian noise, where A^2 = g0^2 + (g1^2 + g2^2) / 2
EDGE_SHARE = 0.1  # of the width, left out at each side: the Riesz transform wraps around


def channel_variance(maps: Tensor) -> Tensor:
    """Compute the variance [C] over the pixels of each of maps [C, H, W]."""
    return maps.flatten(1).var(dim=1, correction=0)


def phase_likeness(maps: Tensor) -> Tensor:
    """Compute [C] in 0..1 for maps [C, H, W]: 1 for a plane wave, 0 for Gaussian noise or more varied amplitudes.

    With A the local amplitude, (E[A]^2 / E[A^2] - n) / (1 - n), n being that ratio for isotropic Gaussian noise.
    """
    factor = -(-max(maps.shape[1:]) // MAX_SIZE)
    x = torch.nn.functional.avg_pool2d(maps.float(), factor) if factor > 1 else maps.float()
    x = x - x.mean(dim=(1, 2), keepdim=True)
    height, width = x.shape[1:]
    down, right = torch.fft.fftfreq(height, device=x.device)[:, None], torch.fft.fftfreq(width, device=x.device)[None]
    radius = torch.hypot(down, right)
    radius[0, 0] = 1.0  # there is no mean left to divide
    spectrum = torch.fft.fft2(x)
    squares = x.square()
    for axis in (down, right):
        squares = squares + torch.fft.ifft2(spectrum * (-1j * axis / radius)).real.square()
    rows, columns = (slice(int(EDGE_SHARE * size), size - int(EDGE_SHARE * size)) for size in (height, width))
    inside = squares[:, rows, columns].flatten(1)
    power = inside.mean(dim=1)
    ratio = inside.sqrt().mean(dim=1).square() / power.clamp_min(1e-30)
    return torch.where(power > 1e-20, (ratio - NOISE_RATIO) / (1 - NOISE_RATIO), torch.zeros_like(ratio)).clamp(0, 1)
