# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What tells a layer's feature maps apart: how much each varies, and how much it looks like a phase [P fig. 6].

The paper observes that the maps of T and R turn into "phase signals that follow the features": waves whose crests
carry where things are, while their height says nothing. The measure of that here is the local amplitude of the
monogenic signal (Felsberg and Sommer, "The Monogenic Signal", IEEE Transactions on Signal Processing 49, 2001): a map
and its two Riesz transforms, which are to two dimensions what the Hilbert transform is to one, make up the local
amplitude and phase of every pixel. Where all information is in the phase, the amplitude is the same everywhere.
"""

import torch
from torch import Tensor

MOST = 96  # pixels across: larger maps are averaged down first, which keeps what is seen in a thumbnail
NOISE_RATIO = 0.8386  # E[A]^2 / E[A^2] of isotropic Gaussian noise, where A^2 = g0^2 + (g1^2 + g2^2) / 2
EDGE = 0.1  # of the width, at each side: left out, for the Riesz transform takes a picture's ends for neighbours


def channel_variance(maps: Tensor) -> Tensor:
    """[C]: each map's variance over its pixels, for maps [C, H, W]; a constant map tells nothing."""
    return maps.flatten(1).var(dim=1, correction=0)


def phase_likeness(maps: Tensor) -> Tensor:
    """[C] in 0..1, for maps [C, H, W]: 1 for a plane wave, 0 for Gaussian noise and all that varies more in height.

    With A the local amplitude, (E[A]^2 / E[A^2] - n) / (1 - n), n being that ratio for isotropic Gaussian noise.
    """
    x = _reduced(maps.float())
    x = x - x.mean(dim=(1, 2), keepdim=True)
    height, width = x.shape[1:]
    down, right = torch.fft.fftfreq(height, device=x.device)[:, None], torch.fft.fftfreq(width, device=x.device)[None]
    radius = torch.hypot(down, right)
    radius[0, 0] = 1.0  # there is no mean left to divide
    spectrum = torch.fft.fft2(x)
    squares = x.square()
    for axis in (down, right):
        squares = squares + torch.fft.ifft2(spectrum * (-1j * axis / radius)).real.square()
    inside = squares[:, _middle(height), _middle(width)].flatten(1)
    power = inside.mean(dim=1)
    ratio = inside.sqrt().mean(dim=1).square() / power.clamp_min(1e-30)
    return torch.where(power > 1e-20, (ratio - NOISE_RATIO) / (1 - NOISE_RATIO), torch.zeros_like(ratio)).clamp(0, 1)


def _reduced(maps: Tensor) -> Tensor:
    """Averaged over squares until at most MOST pixels are left across."""
    factor = -(-max(maps.shape[1:]) // MOST)
    return torch.nn.functional.avg_pool2d(maps, factor) if factor > 1 else maps


def _middle(size: int) -> slice:
    edge = int(EDGE * size)
    return slice(edge, size - edge)
