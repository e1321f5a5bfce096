# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What each layer's output may hold: how it is sampled, and where its band is to end [P fig. 4c]. Pure numbers."""

import math
from dataclasses import dataclass
from functools import lru_cache

from gan.networks.config import ConfigError, GeneratorConfig
from gan.networks.layer_plan import compute_schedule, plan

INPUT = "input"  # what `steps` calls the Fourier input


@dataclass(frozen=True)
class Band:
    """A layer's output, or the Fourier input. Frequencies are in cycles an image width, the rate in samples of it.

    The map is `size` samples wide, of which `rate` make an image width and the rest is margin. `radial`: its last
    filter (or the disc of the input's sinusoids) ends the band on circles of radius f_c and f_t, else on squares.
    """

    name: str
    index: int | None  # of the layer; None for the input
    channels: int
    size: int
    rate: int  # s
    cutoff: float  # f_c
    stopband: float  # f_t, asked for: beyond s/2 where sampling is critical
    edge: float  # f_c + f_h, what the filter is designed for: the larger of f_t and s/2 in T and R
    radial: bool
    critical: bool

    @property
    def nyquist(self) -> float:
        """s/2, the most that the samples can hold along an axis."""
        return self.rate / 2

    def along(self, frequency: float, degrees: float) -> float:
        """How far from the centre a direction meets the contour of a cutoff or stopband `frequency`."""
        return frequency if self.radial else distance_to_square(frequency, degrees)


def distance_to_square(frequency: float, degrees: float) -> float:
    """How far it is from the centre to the square |f_x|, |f_y| <= frequency in a direction: sqrt(2) more at 45."""
    turn = math.radians(degrees)
    return frequency / max(abs(math.cos(turn)), abs(math.sin(turn)))


@lru_cache(maxsize=64)
def list_bands(config: GeneratorConfig) -> tuple[Band, ...]:
    """Of the Fourier input, where there is one, and of every layer, under the names that `synthesis.steps` yields."""
    planned = plan(config)
    found = []
    if config.fourier_input:
        nyquist = planned.input_rate / 2  # until there fades out what the transform moves beyond the disc
        found.append(
            Band(
                INPUT,
                None,
                planned.input_channels,
                planned.input_size,
                planned.input_rate,
                planned.input_cutoff,
                nyquist,
                nyquist,
                radial=True,
                critical=planned.input_cutoff == nyquist,
            )
        )
    stopbands = None if config.architecture != "layers" else compute_schedule(config)[1]
    for spec in planned.layers:
        edge = spec.out_cutoff + spec.out_half_width
        stopband = edge if stopbands is None else float(stopbands[spec.index])
        found.append(
            Band(
                spec.name,
                spec.index,
                spec.out_channels,
                spec.out_size,
                spec.out_rate,
                spec.out_cutoff,
                stopband,
                edge,
                radial=spec.radial_down and spec.down_taps > 1,
                critical=spec.is_critical,
            )
        )
    return tuple(found)


def find_band(config: GeneratorConfig, layer: str | None = None) -> Band:
    """The band of a layer by name or number, of the input by "input"; None: of the picture, the last layer's.

    ConfigError names the layers that there are.
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
