# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Energy and phase-likeness of maps whose answer is known."""

import math

import pytest
import torch

from gan.analysis.feature_maps import MAX_SIZE, NOISE_RATIO, channel_variance, phase_likeness

SIZE = 64


def waves(*cycles: tuple[float, float]) -> torch.Tensor:
    """One plane wave a map, (across, down) cycles a map."""
    x = (torch.arange(SIZE) + 0.5) / SIZE
    return torch.stack([torch.sin(2 * math.pi * (fx * x + fy * x[:, None]) + 0.3) for fx, fy in cycles])


def noise(count: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
    """Gaussian noise between two frequencies, in cycles a pixel."""
    spectrum = torch.fft.fft2(torch.randn(count, SIZE, SIZE, generator=torch.Generator().manual_seed(0)))
    frequencies = torch.fft.fftfreq(SIZE)
    radius = torch.hypot(frequencies[:, None], frequencies)
    return torch.fft.ifft2(spectrum * ((radius >= low) & (radius <= high))).real


def test_energy_is_the_variance_and_knows_no_mean() -> None:
    maps = waves((3, 2), (5, 0))
    assert channel_variance(3 * maps + 7) == pytest.approx(9 * channel_variance(maps))
    assert float(channel_variance(maps)[0]) == pytest.approx(0.5, abs=0.01)
    assert float(channel_variance(torch.full((1, 8, 8), 5.0))) == 0


def test_the_constant_is_that_of_gaussian_noise() -> None:
    g0, g1, g2 = torch.randn(3, 2_000_000, generator=torch.Generator().manual_seed(0)).double()
    squares = g0**2 + (g1**2 + g2**2) / 2
    assert float(squares.sqrt().mean() ** 2 / squares.mean()) == pytest.approx(NOISE_RATIO, abs=5e-4)


def test_a_wave_is_a_phase_and_noise_is_none() -> None:
    assert (phase_likeness(waves((1.5, 0.75), (3.3, 1.6), (0, 7), (7, 7))) > 0.95).all()
    for band in ((0.0, 1.0), (0.02, 0.1), (0.1, 0.2)):
        assert float(phase_likeness(noise(50, *band)).mean()) < 0.1, band
    x = torch.arange(SIZE) - SIZE / 2
    blob = torch.exp(-(x**2 + x[:, None] ** 2) / 50)[None]
    assert float(phase_likeness(blob)) == 0
    assert float(phase_likeness(torch.ones(1, SIZE, SIZE))) == 0


def test_it_knows_neither_scale_nor_offset_nor_sign() -> None:
    maps = torch.cat([waves((4, 1)), noise(1, 0.03, 0.1)])
    assert phase_likeness(-5 * maps + 3) == pytest.approx(phase_likeness(maps), abs=1e-4)


def test_what_a_nonlinearity_does_to_a_wave_leaves_it_a_phase() -> None:
    rectified = torch.nn.functional.leaky_relu(waves((3.3, 1.6)), 0.2)
    assert float(phase_likeness(rectified)) > 0.6


def test_large_maps_are_averaged_down() -> None:
    x = (torch.arange(4 * MAX_SIZE) + 0.5) / (4 * MAX_SIZE)
    wave = torch.sin(2 * math.pi * (6 * x + 3 * x[:, None]))[None]
    assert float(phase_likeness(wave)) > 0.95
