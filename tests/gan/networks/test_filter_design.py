# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Low-pass filters against scipy's, and what each kind promises."""

import math

import numpy as np
import pytest
import scipy.signal
import scipy.special

from gan.networks.filter_design import bessel_j1, design_down_filter, design_low_pass, design_up_filter
from gan.networks.ladder import rung_config
from gan.networks.layer_plan import plan


def kaiser(taps: int, radial: bool = False):
    """A filter of cutoff 3 and transition half-width 1.3 at rate 16."""
    return design_low_pass("kaiser", taps, 3.0, 1.3, 16.0, 8.0, radial)


@pytest.mark.parametrize(("taps", "cutoff", "half_width", "rate"), [(12, 3.0, 1.3, 16.0), (24, 8.0, 4.5, 64.0)])
def test_separable_filters_are_scipys(taps, cutoff, half_width, rate):
    expected = scipy.signal.firwin(taps, cutoff=cutoff, width=2 * half_width, fs=rate)
    np.testing.assert_allclose(design_low_pass("kaiser", taps, cutoff, half_width, rate, rate / 2), expected, atol=1e-7)


def anisotropy(f: np.ndarray) -> float:
    """Difference of a 12-tap filter's gain at 3 cycles of 16 samples between the axis and the diagonal."""
    x = (np.arange(12) - 5.5) / 16
    gain = lambda fx, fy: np.abs((f * np.exp(-2j * np.pi * (fx * x + fy * x[:, None]))).sum())  # noqa: E731
    return float(abs(gain(3.0, 0.0) - gain(3 / 2**0.5, 3 / 2**0.5)))


def test_radial_filters_are_jincs():
    x = np.linspace(0, 200, 4001)
    np.testing.assert_allclose(bessel_j1(x), scipy.special.j1(x), atol=1e-13)
    f = kaiser(12, radial=True)
    assert f.shape == (12, 12)
    assert abs(f.sum() - 1) < 1e-6
    for turned in (f.T, f[::-1], f[:, ::-1]):
        np.testing.assert_allclose(f, turned, atol=1e-8)
    # At 3 cycles, its cutoff, a separable filter responds differently along the diagonal; this one does not.
    separable = kaiser(12)
    assert anisotropy(f) < 0.2 * anisotropy(np.outer(separable, separable))
    assert kaiser(5, radial=True)[2, 2] == kaiser(5, radial=True).max()
    assert kaiser(1) is None
    with pytest.raises(ValueError, match="positive cutoff"):
        design_low_pass("kaiser", 12, 0.0, 1.0, 16.0, 8.0)


def test_binomial_is_stylegan2s():
    np.testing.assert_allclose(
        design_low_pass("binomial", 4, 2.0, 1.0, 8.0, 4.0), np.array([1, 3, 3, 1]) / 8, rtol=1e-6
    )


def gain(f: np.ndarray, frequency: float, rate: float) -> float:
    """Response of a symmetric filter at a frequency in cycles an image width."""
    x = (np.arange(len(f)) - (len(f) - 1) / 2) / rate
    return float(np.sum(f * np.cos(2 * math.pi * frequency * x)))


def test_gaussian_is_a_bell_of_the_lower_rate():
    """A Gaussian of sigma 0.4 samples of rate 8 passes exp(-2 pi^2 sigma^2 f^2), f in cycles a sample."""
    f = design_low_pass("gaussian", 24, 2.0, 1.0, 32.0, 8.0)  # up 4, n = 6
    for frequency in (0.0, 2.0, 4.0, 8.0):
        assert gain(f, frequency, 32.0) == pytest.approx(math.exp(-2 * (math.pi * 0.4 * frequency / 8) ** 2), abs=1e-4)
    assert design_low_pass("gaussian", 12, 2.0, 1.0, 16.0, 8.0, radial=True).shape == (12,)  # a bell is radial as it is


def test_lanczos_is_zero_beyond_two_samples_of_the_lower_rate():
    f = design_low_pass("lanczos", 12, 2.0, 1.0, 16.0, 8.0)  # up 2: taps 1/2 sample apart
    x = (np.arange(12) - 5.5) / 2
    expected = np.where(np.abs(x) < 2, np.sinc(x) * np.sinc(x / 2), 0)
    np.testing.assert_allclose(f, expected / expected.sum(), atol=1e-7)
    assert f[0] == f[1] == 0 != f[2]
    radial = design_low_pass("lanczos", 12, 2.0, 1.0, 16.0, 8.0, radial=True)
    assert anisotropy(radial) < 0.5 * anisotropy(np.outer(f, f))
    with pytest.raises(ValueError, match="no filter of the kind"):
        design_low_pass("box", 12, 2.0, 1.0, 16.0, 8.0)


def test_layers_filters_are_of_their_input_and_output():
    """The up filter keeps the input's band, the down filter the output's; critical layers of R are separable."""
    layers = plan(rung_config("R", 64)).layers
    doubling = next(x for x in layers if x.out_rate > x.in_rate)
    up, down = design_up_filter(doubling), design_down_filter(doubling)
    assert up.shape == (24,) and down.shape == (12, 12)
    expected = scipy.signal.firwin(
        24, cutoff=doubling.in_cutoff, width=2 * doubling.in_half_width, fs=doubling.temporary_rate
    )
    np.testing.assert_allclose(up, expected, atol=1e-7)
    assert design_down_filter(layers[-2]).shape == (12,)
    assert design_up_filter(layers[-1]) is None and design_down_filter(layers[-1]) is None
