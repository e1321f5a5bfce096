# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Low-pass filters [P app. C, fig. 5]: designed in float64 with numpy, returned in float32."""

import math
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gan.networks.layer_plan import LayerSpec

if TYPE_CHECKING:  # panels read filters without torch
    from torch import Tensor

LANCZOS_LOBES = 2  # in samples of the lower rate [P fig. 5]
GAUSSIAN_SIGMA = 0.4  # in the same unit
PICTURE_LOBES = 3  # of the Lanczos filter that interpolates pictures [P app. E]


Array = TypeVar("Array", np.ndarray, "Tensor")


def lanczos_window(x: Array, lobes: int) -> Array:
    """Compute the Lanczos window sinc(x / lobes) for |x| < lobes, 0 beyond, of an array or a tensor."""
    sinc: Any = np.sinc if isinstance(x, np.ndarray) else type(x).sinc
    return sinc(x / lobes) * (abs(x) < lobes)


def lanczos(x: Array, lobes: int = PICTURE_LOBES) -> Array:
    """Compute the Lanczos filter sinc(x) sinc(x / lobes) for |x| < lobes, 0 beyond, of an array or a tensor."""
    sinc: Any = np.sinc if isinstance(x, np.ndarray) else type(x).sinc
    return sinc(x) * lanczos_window(x, lobes)


def kaiser_beta(taps: int, half_width: float, rate: float) -> float:
    """Compute the Kaiser window's parameter for a transition band of 2 half_width at sampling rate `rate`.

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
    """Compute the Bessel function J1 of x >= 0 by its integral (1/pi) int_0^pi cos(t - x sin t) dt.

    The midpoint rule converges faster than any power for a periodic integrand: 256 points give full float64 precision
    up to x of about 200, far beyond any filter here, which saves a dependency on scipy.
    """
    t = (np.arange(256) + 0.5) * (math.pi / 256)
    return np.cos(t - np.asarray(x, np.float64)[..., None] * np.sin(t)).mean(axis=-1)


def design_up_filter(spec: LayerSpec) -> np.ndarray | None:
    """Design a layer's upsampling filter [taps], which keeps the input's band; None if the layer has none."""
    band = (spec.in_cutoff, spec.in_half_width, spec.temporary_rate, spec.in_rate)
    return design_low_pass(spec.filter_kind, spec.up_taps, *band)


def design_down_filter(spec: LayerSpec) -> np.ndarray | None:
    """Design a layer's downsampling filter [taps] or [taps, taps] for the output's band; None if it has none."""
    band = (spec.out_cutoff, spec.out_half_width, spec.temporary_rate, spec.out_rate)
    return design_low_pass(spec.filter_kind, spec.down_taps, *band, spec.radial_down)


def design_low_pass(
    kind: str, taps: int, cutoff: float, half_width: float, rate: float, low_rate: float, radial: bool = False
) -> np.ndarray | None:
    """Design a low-pass filter at `rate` samples an image width, normalised to sum 1; None for one tap (no filter).

    `kind` "kaiser": a windowed ideal filter of that cutoff and transition half-width, h = 2 f_c sinc(2 f_c x) w(x) (the
    same as scipy.signal.firwin). The others depend on `low_rate` alone, the lower of the two rates between which
    they resample: "lanczos" is the ideal filter of that rate under a sinc window, "gaussian" a bell,
    "binomial" StyleGAN2's [1, 3, 3, 1] and its like.

    Separable: [taps]. Radial: [taps, taps], the jinc J1(2 pi f_c r) / (pi r) times the *separable* window, which makes
    the response isotropic (StyleGAN3-R); "gaussian" is so by itself, "binomial" never: both stay [taps].
    """
    if taps == 1:
        return None
    if taps < 1 or min(cutoff, half_width, rate, low_rate) <= 0:
        raise ValueError("A filter needs at least one tap, and a positive cutoff, transition width and rate.")
    x = (np.arange(taps) - (taps - 1) / 2) / rate
    if kind == "gaussian":
        h = np.exp(-0.5 * (x * low_rate / GAUSSIAN_SIGMA) ** 2)
    elif kind == "binomial":
        h = np.array([math.comb(taps - 1, i) for i in range(taps)], np.float64)
    elif kind == "kaiser":
        h = _windowed(x, cutoff, np.kaiser(taps, kaiser_beta(taps, half_width, rate)), radial)
    elif kind == "lanczos":
        h = _windowed(x, low_rate / 2, lanczos_window(x * low_rate, LANCZOS_LOBES), radial)
    else:
        raise ValueError(f"There is no filter of the kind {kind!r}.")
    return (h / h.sum()).astype(np.float32)


def _windowed(x: np.ndarray, cutoff: float, window: np.ndarray, radial: bool) -> np.ndarray:
    """Multiply the ideal low-pass filter at positions x [taps] by a window: on a line or, radial, in the plane."""
    if not radial:
        return 2 * cutoff * np.sinc(2 * cutoff * x) * window
    # Each radius occurs up to eight times.
    r, places = np.unique(np.hypot(*np.meshgrid(x, x)), return_inverse=True)
    # J1(y) -> y / 2 as y -> 0, which happens at the centre of a filter with an odd number of taps.
    safe = np.where(r > 0, r, 1.0)
    ideal = np.where(r > 0, bessel_j1(2 * math.pi * cutoff * safe) / (math.pi * safe), math.pi * cutoff**2)
    return ideal[places].reshape(len(x), len(x)) * np.outer(window, window)
