# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Frequency responses of the layers' filters [P app. C, fig. 4a], in numpy; no network runs this."""

import math
from dataclasses import dataclass

import numpy as np

from gan.networks.config import GeneratorConfig
from gan.networks.filter_design import design_down_filter, design_up_filter
from gan.networks.layer_plan import LayerSpec

AXIS, DIAGONAL = 0.0, 45.0  # degrees: where a filter on a square grid differs most from itself
MIN_MAGNITUDE = 1e-10  # 200 dB, beyond the precision of float32 taps


@dataclass(frozen=True, eq=False)
class Filter:
    """A low-pass filter between two rates, in samples an image width; frequencies are in cycles an image width."""

    taps: np.ndarray  # [taps], run over both axes, or [taps, taps]
    kind: str
    rate: int  # s_tmp, at which it runs
    low_rate: int  # s, from which it upsamples or to which it downsamples
    cutoff: float  # f_c, up to which it is to let everything through
    half_width: float  # f_h

    @property
    def radial(self) -> bool:
        """True for a two-dimensional filter."""
        return self.taps.ndim == 2

    @property
    def stopband(self) -> float:
        """Return f_c + f_h, where the stopband begins: the larger of f_t and s/2 [P app. F.1]."""
        return self.cutoff + self.half_width

    @property
    def alias_from(self) -> float:
        """Return s - f_c, from which on frequencies alias into the band |f| <= f_c, or its images begin."""
        return self.low_rate - self.cutoff

    def edge(self, degrees: float) -> float:
        """Return the highest frequency in a direction: s_tmp/2 on the axes, more for a radial filter off them."""
        turn = math.radians(degrees)
        return self.rate / 2 / (max(abs(math.cos(turn)), abs(math.sin(turn))) if self.radial else 1.0)

    @property
    def directions(self) -> tuple[float, ...]:
        """Directions in degrees to measure it in: a separable filter needs the axis only."""
        return (AXIS, DIAGONAL) if self.radial else (AXIS,)


@dataclass(frozen=True)
class Attenuation:
    """A filter's attenuation in positive dB; for a radial filter the worse of 0 and 45 degrees.

    Upsampling from s to s_tmp repeats the band |f| <= f_c around every multiple of s: the lowest of these images begins
    at s - f_c. Downsampling from s_tmp to s folds into that band whatever lies around the multiples of s, from s - f_c
    on. So in both cases nothing should pass from s - f_c on.

    A windowed ideal filter passes about one half, 6 dB, at its cutoff, the middle of its transition (more where few
    taps have a wide one). At critical sampling, f_c = s/2, aliases begin right there, so they lose only 6 dB; what such
    a filter stops shows from its stopband's edge f_c + f_h on.
    """

    cutoff: float  # at f_c: the loss at the band's upper end, the largest of the directions
    stopband: float  # the least from f_c + f_h up to s_tmp/2
    alias: float  # the least from s - f_c up to s_tmp/2


def get_layer_filters(config: GeneratorConfig, spec: LayerSpec) -> tuple[Filter | None, Filter | None]:
    """Return the filters of a layer's up- and downsampling; None where it has none.

    The first keeps the band of the layer's input, the second that of its output [P app. F.1].
    """
    up, down = design_up_filter(spec), design_down_filter(spec)
    if config.architecture != "layers" and up is not None:  # StyleGAN2's is in the configuration
        up = np.array(config.resample_filter) / sum(config.resample_filter)
    kind, rate = spec.filter_kind, spec.temporary_rate
    return (
        None if up is None else Filter(up, kind, rate, spec.in_rate, spec.in_cutoff, spec.in_half_width),
        None if down is None else Filter(down, kind, rate, spec.out_rate, spec.out_cutoff, spec.out_half_width),
    )


def magnitude_response(taps: np.ndarray, rate: float, frequencies: np.ndarray, degrees: float = AXIS) -> np.ndarray:
    """Compute |H| at frequencies [F] along a direction, for taps [t] on both axes or [t, t] at `rate`.

    H(f) = sum over x, y of h[y, x] exp(-2 pi i (f_x x + f_y y)); separable filters need one axis at a time.
    """
    x = (np.arange(len(taps)) - (len(taps) - 1) / 2) / rate

    def waves(part: float) -> np.ndarray:
        return np.exp(-2j * math.pi * np.multiply.outer(frequencies * part, x))

    across, along = waves(math.cos(math.radians(degrees))), waves(math.sin(math.radians(degrees)))
    if taps.ndim == 2:
        return np.abs(((along @ taps) * across).sum(axis=1))
    # Sums in place of products of matrices, whose threads cost more than they save for so few numbers.
    return np.abs((across * taps).sum(axis=1)) * np.abs((along * taps).sum(axis=1))


def magnitude_response_2d(taps: np.ndarray, rate: float, frequencies: np.ndarray) -> np.ndarray:
    """Compute |H| at all pairs of frequencies [F], taps as in `magnitude_response`: [F, F], rows f_y, columns f_x."""
    x = (np.arange(len(taps)) - (len(taps) - 1) / 2) / rate
    waves = np.exp(-2j * math.pi * np.multiply.outer(frequencies, x))
    if taps.ndim == 2:
        return np.abs(waves @ taps @ waves.T)
    axis = np.abs((waves * taps).sum(axis=1))
    return np.multiply.outer(axis, axis)


def attenuation_db(magnitudes: np.ndarray) -> np.ndarray:
    """Convert magnitudes to attenuation in dB, at most 200."""
    return -20 * np.log10(np.maximum(magnitudes, MIN_MAGNITUDE))


def measure_attenuation(f: Filter) -> Attenuation:
    """Measure a filter's attenuation where it matters, as `Attenuation` defines it."""
    at_cutoff = [
        attenuation_db(magnitude_response(f.taps, f.rate, np.array([f.cutoff]), angle))[0] for angle in f.directions
    ]
    return Attenuation(float(max(at_cutoff)), _least(f, f.stopband), _least(f, f.alias_from))


def _least(f: Filter, low: float) -> float:
    """Return the least attenuation from a frequency up to the highest one."""
    points = min(32 * len(f.taps), 4096)  # 32 and more a lobe miss less than 0.02 dB of its top
    found = []
    for angle in f.directions:
        frequencies = np.linspace(min(low, f.rate / 2), f.edge(angle), points)
        found.append(attenuation_db(magnitude_response(f.taps, f.rate, frequencies, angle)).min())
    return float(min(found))
