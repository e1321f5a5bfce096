# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sampling rate and frequency band of each layer's output [P fig. 4c], in pure numbers."""

import math
from dataclasses import dataclass
from functools import lru_cache

from gan.networks.config import ConfigError, GeneratorConfig
from gan.networks.layer_plan import compute_schedule, plan

INPUT = "input"  # name of the Fourier input in `steps`


@dataclass(frozen=True)
class Band:
    """The band of a layer's output or of the Fourier input, in cycles an image width.

    The map is `size` samples wide, of which `rate` make an image width and the rest is margin. `radial`: its last
    filter, or the disc of the input's sinusoids, ends the band on circles of radius f_c and f_t, else on squares.
    """

    name: str
    index: int | None  # the number in the layer's name, or its place; None for the input
    channels: int
    size: int
    rate: int  # s
    cutoff: float  # f_c
    stopband: float  # f_t as designed: beyond s/2 where sampling is critical
    edge: float  # f_c + f_h, of the filter's design: the larger of f_t and s/2 in T and R
    radial: bool
    critical: bool

    @property
    def nyquist(self) -> float:
        """Return s/2, the highest frequency that the samples can hold along an axis."""
        return self.rate / 2

    def along(self, frequency: float, degrees: float) -> float:
        """Return the distance of the contour of a cutoff or stopband `frequency` from the centre, in a direction."""
        return frequency if self.radial else distance_to_square(frequency, degrees)


def distance_to_square(frequency: float, degrees: float) -> float:
    """Return the distance from the centre to the square |f_x|, |f_y| <= frequency: sqrt(2) times more at 45 degrees."""
    turn = math.radians(degrees)
    return frequency / max(abs(math.cos(turn)), abs(math.sin(turn)))


@lru_cache(maxsize=64)
def list_bands(config: GeneratorConfig) -> tuple[Band, ...]:
    """Return the bands of the Fourier input, if there is one, and of every layer, by the names of `synthesis.steps`."""
    planned = plan(config)
    found = []
    if config.fourier_input:
        grid, cutoff = (planned.input_channels, planned.input_size, planned.input_rate), planned.input_cutoff
        edge = planned.input_rate / 2  # sinusoids moved beyond the disc fade out up to here
        found.append(Band(INPUT, None, *grid, cutoff, edge, edge, radial=True, critical=cutoff == edge))
    stopbands = None if config.architecture != "layers" else compute_schedule(config)[1]
    for place, spec in enumerate(planned.layers):
        edge = spec.out_cutoff + spec.out_half_width
        stopband = edge if stopbands is None else float(stopbands[place])
        grid, radial = (spec.out_channels, spec.out_size, spec.out_rate), spec.radial_down and spec.down_taps > 1
        found.append(Band(spec.name, spec.index, *grid, spec.out_cutoff, stopband, edge, radial, spec.is_critical))
    return tuple(found)


def find_band(config: GeneratorConfig, layer: str | None = None) -> Band:
    """Return the band of a layer by name or number, or of "input"; None is the picture, the last layer's.

    ConfigError names the layers of this network.
    """
    every = list_bands(config)
    if layer is None:
        return every[-1]
    for band in every:
        if layer in (band.name, str(band.index)):
            return band
    names = ", ".join(band.name for band in every)
    raise ConfigError(
        f"There is no layer {layer[:40]!r} here: choose one of {names}, or one's number, 0 to {every[-1].index}."
    )
