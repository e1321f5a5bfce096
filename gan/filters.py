# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Low-pass filters [P app. C]: designed in float64 with numpy, handed out as float32."""

import math

import numpy as np


def kaiser_beta(taps: int, half_width: float, rate: float) -> float:
    """Kaiser's window parameter for a transition band of 2 half_width at sampling rate `rate`.

    The attenuation is A = 2.285 (taps - 1) pi df + 7.95 dB with df = 2 half_width / (rate / 2); beta is Kaiser's
    three-branch formula of A.
    """
    attenuation = 2.285 * (taps - 1) * math.pi * (2 * half_width / (rate / 2)) + 7.95
    if attenuation > 50:
        return 0.1102 * (attenuation - 8.7)
    if attenuation > 21:
        return 0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21)
    return 0.0


def bessel_j1(x: np.ndarray) -> np.ndarray:
    """The Bessel function J1 of x >= 0, from its integral (1/pi) int_0^pi cos(t - x sin t) dt.

    The midpoint rule converges faster than any power for a periodic integrand: 256 points give full float64 precision
    up to x of about 200, far beyond any filter here, which saves a dependency on scipy.
    """
    t = (np.arange(256) + 0.5) * (math.pi / 256)
    return np.cos(t - np.asarray(x, np.float64)[..., None] * np.sin(t)).mean(axis=-1)


def low_pass(taps: int, cutoff: float, half_width: float, rate: float, radial: bool = False) -> np.ndarray | None:
    """A Kaiser-windowed ideal low-pass filter, normalised to sum 1; None for one tap (no filter).

    Separable: [taps], h = 2 f_c sinc(2 f_c x) w(x) (the same as scipy.signal.firwin). Radial: [taps, taps], the jinc
    J1(2 pi f_c r) / (pi r) times the *separable* window, which makes the response isotropic (StyleGAN3-R).
    """
    if taps == 1:
        return None
    if taps < 1 or cutoff <= 0 or half_width <= 0 or rate <= 0:
        raise ValueError("A filter needs at least one tap, and a positive cutoff, transition width and rate.")
    x = (np.arange(taps) - (taps - 1) / 2) / rate
    window = np.kaiser(taps, kaiser_beta(taps, half_width, rate))
    if radial:
        r = np.hypot(*np.meshgrid(x, x))
        # J1(y) -> y / 2 as y -> 0, which happens at the centre of a filter with an odd number of taps.
        safe = np.where(r > 0, r, 1.0)
        ideal = np.where(r > 0, bessel_j1(2 * math.pi * cutoff * safe) / (math.pi * safe), math.pi * cutoff**2)
        taps_2d = ideal * np.outer(window, window)
        return (taps_2d / taps_2d.sum()).astype(np.float32)
    ideal = 2 * cutoff * np.sinc(2 * cutoff * x) * window
    return (ideal / ideal.sum()).astype(np.float32)
