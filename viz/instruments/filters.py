# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A layer's filters and the schedule of all layers as arrays to plot [P fig. 4a, 4c]: numpy only, kept per layer.

Frequencies are in cycles a picture width, gains in dB, 0 being all and -200 nothing. Arrays are shared between calls,
and cannot be written to.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gan.analysis import filter_response
from gan.analysis.bands import Band, distance_to_square, find_band, list_bands
from gan.analysis.filter_response import AXIS, DIAGONAL, Attenuation, Filter, attenuation_db, magnitude_response
from gan.networks.config import GeneratorConfig
from gan.networks.layer_plan import plan
from viz.instruments.colormap import apply_colormap

DIRECTIONS = (AXIS, DIAGONAL)
GRID = 160  # cells a side of a response in the plane
POINTS = 512  # of a slice


@dataclass(frozen=True, eq=False)
class Slice:
    """A response along a direction, from 0 to the edge of the plane: s_tmp/2 at 0 degrees, sqrt(2) more at 45."""

    degrees: float
    frequencies: np.ndarray  # [POINTS]
    gains: np.ndarray  # [POINTS], dB


@dataclass(frozen=True, eq=False)
class FilterView:
    """One filter. `filter` has its taps, rates, f_c, f_c + f_h (`stopband`) and s - f_c (`alias_from`)."""

    filter: Filter
    positions: np.ndarray  # [taps], of the taps on either axis, in samples at s_tmp, 0 in the middle
    gains: np.ndarray  # [GRID, GRID], dB: cells of the square from -extent to extent; rows f_y, columns f_x
    extent: float  # s_tmp/2
    slices: tuple[Slice, ...]  # along each of DIRECTIONS
    attenuation: Attenuation


@dataclass(frozen=True, eq=False)
class ScheduleView:
    """Of every layer's output, ToRGB's last: arrays [layers]."""

    names: tuple[str, ...]
    cutoffs: np.ndarray  # f_c
    stopbands: np.ndarray  # f_t
    rates: np.ndarray  # s, samples a picture width
    edges: np.ndarray  # f_c + f_h


@dataclass(frozen=True, eq=False)
class FiltersView:
    """A layer's band, its filters, and the schedule; the Fourier input has no filters."""

    band: Band
    up: FilterView | None
    down: FilterView | None
    schedule: ScheduleView

    @property
    def place(self) -> int | None:
        """Return the layer's place in the schedule; None for the input."""
        return None if self.band.index is None else self.schedule.names.index(self.band.name)


@lru_cache(maxsize=256)
def view_filters(config: GeneratorConfig, layer: str) -> FiltersView:
    """Return the view of a layer by name or number, or of the "input"; ConfigError names the layers that exist."""
    band = find_band(config, layer)
    if layer != band.name:
        return view_filters(config, band.name)
    up = down = None
    if band.index is not None:
        spec = next(spec for spec in plan(config).layers if spec.name == band.name)
        up, down = filter_response.get_layer_filters(config, spec)
    return FiltersView(band, _filter_view(up), _filter_view(down), view_schedule(config))


@lru_cache(maxsize=64)
def view_schedule(config: GeneratorConfig) -> ScheduleView:
    """Return the whole schedule."""
    layers = [band for band in list_bands(config) if band.index is not None]
    measures = ("cutoff", "stopband", "rate", "edge")
    columns = (_shared(np.array([float(getattr(band, name)) for band in layers])) for name in measures)
    return ScheduleView(tuple(band.name for band in layers), *columns)


def _filter_view(f: Filter | None) -> FilterView | None:
    if f is None:
        return None
    _shared(f.taps)
    extent = f.rate / 2
    cells = (np.arange(GRID) + 0.5 - GRID / 2) * (2 * extent / GRID)
    return FilterView(
        f,
        _shared(np.arange(len(f.taps)) - (len(f.taps) - 1) / 2),
        _shared(-attenuation_db(filter_response.magnitude_response_2d(f.taps, f.rate, cells))),
        extent,
        tuple(_slice(f, degrees) for degrees in DIRECTIONS),
        filter_response.measure_attenuation(f),
    )


def _slice(f: Filter, degrees: float) -> Slice:
    frequencies = np.linspace(0, distance_to_square(f.rate / 2, degrees), POINTS)
    gains = -attenuation_db(magnitude_response(f.taps, f.rate, frequencies, degrees))
    return Slice(degrees, _shared(frequencies), _shared(gains))


def _shared(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


@lru_cache(maxsize=16)
def response_image(view: FilterView, floor: float) -> np.ndarray:
    """Return uint8 [GRID, GRID, 4], the plane from `floor` dB (darkest) to 0, the very same array each time."""
    return apply_colormap(view.gains, floor, 0.0)
