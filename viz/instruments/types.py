# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What the instruments are asked for, and what they say. Plain data: no torch, so that panels may make and read it.

Requests are those of viz.render.jobs.JobRequest; the modules that answer them are layer_view, spectrum_view and
sticking_view.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from viz.core.request import PictureRequest
from viz.core.state import Slot

if TYPE_CHECKING:
    from gan.analysis.equivariance import Estimate
    from gan.analysis.stickiness import Shares

BINS = 64  # of a histogram
AXIS, DIAGONAL = 0.0, 45.0  # degrees
DATA = "data"  # what a data set's average is called, where slots' are by slot

# -- layers ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LayerRequest:
    """What the Layers panel asks for. `channels`: the selected ones, one or three; `first` and `count`: places of the
    sheet that are visible; `thumb` its cells' width in pixels; `gain` in dB; `common`: one scale for all channels;
    `turn` counts how often sorting was asked for anew."""

    slot: Slot
    layer: str
    mode: str = "sheet"  # rgb, one
    sort: str = "index"  # energy, phase
    channels: tuple[int, ...] = (0,)
    first: int = 0
    count: int = 64
    thumb: int = 48
    gain: float = 0.0
    common: bool = False
    turn: int = 0

    live = True

    def layers(self, slot: Slot) -> tuple[str, ...]:
        """See viz.render.jobs.JobRequest."""
        return (self.layer,) if slot == self.slot else ()

    def models(self) -> tuple[tuple[Slot, str], ...]:
        """See viz.render.jobs.JobRequest."""
        return ()


@dataclass(frozen=True, eq=False)
class Numbers:
    """Mean, deviation and largest magnitude of some maps, and how often values occur: counts [BINS] over `span`."""

    mean: float
    deviation: float
    largest: float
    counts: np.ndarray
    span: tuple[float, float]


@dataclass(frozen=True, eq=False)
class LayerView:
    """What the panel shows. In mode "sheet" `cells` and `values` are of the visible places, else of the one picture."""

    model: str
    shape: tuple[int, int, int]  # [C, H, W]
    order: np.ndarray  # [C] channel at each place of the sheet
    scores: np.ndarray | None  # [C] of the channels, what they are sorted by; None for their index
    first: int  # the place of the first cell
    cells: np.ndarray  # uint8 [rows h, across w, 4], what is drawn: the cells row by row
    across: int  # cells in a row of that
    values: np.ndarray  # float32 [n, c, h, w], what the pointer reads: c is 3 where channels are shown as colours
    channels: tuple[int, ...]  # the selection, as far as there are such
    every: Numbers
    selected: Numbers


# -- spectra -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SpectrumRequest:
    """The live spectra, and how all are looked at.

    `sources`: slots, what of them (a layer or PICTURE) and its sampling rate; the heat map is the `main` slot's, of
    what is shown now or of its average, from `low` (darkest) to `high` dB; `angle` of the free slice in degrees,
    counter-clockwise; `averaged` counts the pictures that averages hold by now, 0 for none to be shown.
    """

    sources: tuple[tuple[Slot, str, float], ...]
    main: Slot
    of_average: bool
    beta: float
    pad: int
    low: float
    high: float
    angle: float
    averaged: int = 0

    live = True

    def layers(self, slot: Slot) -> tuple[str, ...]:
        """See viz.render.jobs.JobRequest."""
        return tuple(layer for name, layer, _ in self.sources if name == slot)

    def models(self) -> tuple[tuple[Slot, str], ...]:
        """See viz.render.jobs.JobRequest."""
        return ()


@dataclass(frozen=True)
class AverageRequest:
    """Spectra averaged over `num` seeds from 0 on, and over as many pictures of the data set `data` ("" for none).

    The models are those that were shown when it was started, and so is psi; nothing is moved, and labels are random.
    `turn` tells two such requests apart.
    """

    sources: tuple[tuple[Slot, PictureRequest, str], ...]
    num: int
    beta: float
    data: str
    turn: int = 0

    live = False

    def layers(self, slot: Slot) -> tuple[str, ...]:
        """See viz.render.jobs.JobRequest."""
        return ()

    def models(self) -> tuple[tuple[Slot, str], ...]:
        """See viz.render.jobs.JobRequest."""
        return tuple((slot, picture.model) for slot, picture, _ in self.sources)


@dataclass(frozen=True, eq=False)
class Curve:
    """A slice: frequencies in cycles a picture width, and dB."""

    frequencies: np.ndarray
    levels: np.ndarray


@dataclass(frozen=True, eq=False)
class Look:
    """One spectrum. `levels` [M, M] in dB, f_y down and f_x right, 0 in the middle; `reach` is its edge, s/2."""

    levels: np.ndarray
    reach: float
    slices: dict[float, Curve]  # by angle
    pictures: int
    model: str = ""  # what it is of

    def at(self, x: float, y: float) -> float:
        """dB at frequencies right and down, in cycles a picture width, within the square."""
        size = len(self.levels)
        column, row = (min(max(round(f / (2 * self.reach) * size) + size // 2, 0), size - 1) for f in (x, y))
        return float(self.levels[row, column])


@dataclass(frozen=True, eq=False)
class SpectrumView:
    """What the panel shows: spectra of what is shown by slot; averages by slot and "data", as far as they are of what
    is open; the main one's heat map, uint8 [M, M, 4]; and why a slot has none."""

    looks: dict[str, Look]
    averages: dict[str, Look]
    heat: np.ndarray | None
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """Pictures done, and to be done."""

    done: int
    total: int


# -- sticking ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NeighbourhoodRequest:
    """The mean picture of `num` latents within `radius` of the one that is shown, in each slot."""

    radius: float
    num: int

    live = True

    def layers(self, slot: Slot) -> tuple[str, ...]:
        """See viz.render.jobs.JobRequest."""
        return ()

    def models(self) -> tuple[tuple[Slot, str], ...]:
        """See viz.render.jobs.JobRequest."""
        return ()


@dataclass(frozen=True, eq=False)
class Mean:
    """A slot's: uint8 [H, W, 4], over how many latents, and the share of fine detail that they have in common."""

    pixels: np.ndarray
    count: int
    kept: float
    model: str = ""


@dataclass(frozen=True)
class MeterRequest:
    """EQ-T, EQ-T_frac, EQ-R and stickiness of the models shown when it was started, `num` samples of each.

    Latents and labels are random, as the metrics want them; stickiness has the shown psi. `turn` tells two such
    requests apart.
    """

    pictures: tuple[tuple[Slot, PictureRequest], ...]
    num: int
    turn: int = 0

    live = False

    def layers(self, slot: Slot) -> tuple[str, ...]:
        """See viz.render.jobs.JobRequest."""
        return ()

    def models(self) -> tuple[tuple[Slot, str], ...]:
        """See viz.render.jobs.JobRequest."""
        return tuple((slot, picture.model) for slot, picture in self.pictures)


@dataclass(frozen=True, eq=False)
class Measured:
    """A slot's: what was found so far, and a sentence on what cannot be. `errors` are each metric's last pair's
    |found - expected|, float32 [H, W, 3] in units of the picture's range of 2, 0 where it is not valid."""

    estimates: tuple[Estimate, ...] = ()
    shares: Shares | None = None
    errors: dict[str, np.ndarray] = field(default_factory=dict)
    refused: str = ""
    done: int = 0
    model: str = ""


@dataclass(frozen=True, eq=False)
class MeterView:
    """By slot; `done` of `total` samples."""

    slots: dict[Slot, Measured] = field(default_factory=dict)
    done: int = 0
    total: int = 0


@lru_cache(maxsize=4)
def amplified(measured: Measured, metric: str, gain: float) -> np.ndarray:
    """A metric's error picture times `gain` as uint8 [H, W, 4]; black is equal."""
    error = measured.errors[metric]
    pixels = np.full((*error.shape[:2], 4), 255, np.uint8)
    pixels[:, :, :3] = np.clip(error * (255 * gain), 0, 255)
    return pixels
