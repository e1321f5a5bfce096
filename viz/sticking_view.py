# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sticking made visible beside the pictures: x-t slices of what is shown, a latent's neighbourhood, and live meters."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from gan.equivariance import METRICS, Estimate, Meter, Pair
from gan.latents import z_from_seed
from gan.pictures import to_uint8
from gan.stickiness import Shares, StickinessMeter
from gan.sticking import Neighbourhood, Slice, neighbour, segment, streaks
from viz.request import PictureRequest, RenderRequest
from viz.result import RenderResult, explained
from viz.state import SLOTS, Slot, StickingState

if TYPE_CHECKING:
    from viz.renderer import Renderer

COLUMNS = 320  # of a slice
SAMPLES = 128  # along the segment, more where it passes more pixels
SHARE_COLUMNS = 10  # between two looks at a slice's streaks
SAY_SECONDS = 0.25
NEIGHBOURS_SEED = 0


@dataclass
class _Recording:
    """A slot's slice. `about` is what its columns have in common: model, segment and the picture's size."""

    about: tuple[str, float, float, float, float, int]
    slice: Slice
    added: int = 0
    pixels: tuple[int, np.ndarray] | None = None  # with `added` when they were made
    share: tuple[int, float] | None = None


class Recorder:
    """The x-t slices: one column for each new picture of a slot, while somebody looks."""

    def __init__(self) -> None:
        self._recordings: dict[Slot, _Recording] = {}
        self._last: dict[Slot, RenderResult] = {}

    def record(self, slot: Slot, result: RenderResult, where: StickingState) -> None:
        """Append the picture's column, if it is another picture than the one before."""
        last, image = self._last.get(slot), result.image
        if image is None or last is result or (last is not None and last.request == result.request):
            return
        self._last[slot] = result
        ends = where.x0, where.y0, where.x1, where.y1
        about = (result.request.model, *ends, image.shape[0])
        recording = self._recordings.get(slot)
        if recording is None or recording.about != about:
            samples = max(SAMPLES, math.ceil(_pixels(about)))
            recording = self._recordings[slot] = _Recording(about, Slice(COLUMNS, samples))
        recording.slice.append(segment(image[:, :, :3], *ends, recording.slice.samples))
        recording.added += 1

    def _of(self, slot: Slot, model: str, where: StickingState) -> _Recording | None:
        """The slot's recording, if it is of this model and line."""
        found = self._recordings.get(slot)
        return found if found and found.about[:5] == (model, where.x0, where.y0, where.x1, where.y1) else None

    def pixels(self, slot: Slot, model: str, where: StickingState) -> np.ndarray | None:
        """uint8 [samples, COLUMNS, 4], the newest column at the right; None while there is none of this model and line.
        The very same array as long as nothing is added."""
        recording = self._of(slot, model, where)
        if recording is None:
            return None
        if recording.pixels is None or recording.pixels[0] != recording.added:
            count = len(recording.slice)
            pixels = np.zeros((recording.slice.samples, COLUMNS, 4), np.uint8)
            pixels[:, COLUMNS - count :, :3] = recording.slice.picture
            pixels[:, COLUMNS - count :, 3] = 255
            recording.pixels = (recording.added, pixels)
        return recording.pixels[1]

    def streaks(self, slot: Slot, model: str, where: StickingState) -> float:
        """The share of fine detail that stays where it is (gan.sticking), every few columns anew; nan of too few."""
        recording = self._of(slot, model, where)
        if recording is None:
            return math.nan
        if recording.share is None or recording.added - recording.share[0] >= SHARE_COLUMNS:
            per_pixel = (recording.slice.samples - 1) / max(1.0, _pixels(recording.about))
            recording.share = (recording.added, streaks(recording.slice.columns, per_pixel))
        return recording.share[1]

    def clear(self) -> None:
        """Begin anew."""
        self._recordings.clear()


def _pixels(about: tuple[str, float, float, float, float, int]) -> float:
    """How many pixels of the picture a segment passes."""
    _, x0, y0, x1, y1, size = about
    return math.hypot(x1 - x0, y1 - y0) * size


@dataclass(frozen=True)
class NeighbourhoodRequest:
    """The mean picture of `num` latents within `radius` of the one that is shown, in each slot."""

    radius: float
    num: int

    live = True

    def layers(self, slot: Slot) -> tuple[str, ...]:
        """See viz.instruments.JobRequest."""
        return ()

    def models(self) -> tuple[tuple[Slot, str], ...]:
        """See viz.instruments.JobRequest."""
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
        """See viz.instruments.JobRequest."""
        return ()

    def models(self) -> tuple[tuple[Slot, str], ...]:
        """See viz.instruments.JobRequest."""
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


def neighbourhood(renderer: Renderer, request: NeighbourhoodRequest, shown: RenderRequest
                  ) -> Iterator[dict[str, Mean] | None]:  # fmt: skip
    """A picture a slice, left and right in turn."""
    runs = {slot: (picture, Neighbourhood()) for slot in SLOTS if (picture := shown.slot(slot)) is not None}
    said = time.monotonic()
    for index in range(request.num):
        for slot, (picture, found) in list(runs.items()):
            try:
                z_dim = renderer.generator(picture)[1].z_dim
                z = sum((weight * z_from_seed(seed, z_dim)[0] for seed, weight in picture.seeds), np.zeros(z_dim))
                near = neighbour(z, request.radius, NEIGHBOURS_SEED, index)
                found.add(to_uint8(renderer.draw(picture, near))[0].cpu().numpy())
            except (ValueError, OSError, RuntimeError, MemoryError):
                del runs[slot]  # the slot itself says why there is no picture
            yield None
        if time.monotonic() - said > SAY_SECONDS or index + 1 == request.num:
            said = time.monotonic()
            yield {slot: _mean(found, picture.model) for slot, (picture, found) in runs.items()}


def _mean(found: Neighbourhood, model: str) -> Mean:
    values = np.clip(np.rint(found.mean), 0, 255).astype(np.uint8)[:, :, :3]
    alpha = np.full((*values.shape[:2], 1), 255, np.uint8)
    return Mean(np.concatenate([values, alpha], axis=2), found.count, found.kept, model)


def meters(renderer: Renderer, request: MeterRequest) -> Iterator[MeterView | None]:
    """Forward passes and comparisons one by one, left and right in turn."""
    runs = {slot: _measured(renderer, picture, request.num) for slot, picture in request.pictures}
    found: dict[Slot, Measured] = {}
    total, said = request.num * len(request.pictures), 0.0
    while runs:
        for slot in list(runs):
            measured = next(runs[slot], None)
            if measured is None:
                del runs[slot]
            else:
                found[slot] = measured
            if time.monotonic() - said > SAY_SECONDS or not runs:
                said = time.monotonic()
                yield MeterView(dict(found), sum(one.done for one in found.values()), total)
            else:
                yield None
    yield MeterView(dict(found), total, total)


def _measured(renderer: Renderer, picture: PictureRequest, num: int) -> Iterator[Measured]:
    """What is known of one model after each slice; what cannot be measured of it is said and ends there."""
    measured = Measured(model=picture.model)
    try:
        generator, _ = renderer.generator(picture)
        meter, sticks = Meter(generator, METRICS), None
        try:
            sticks = StickinessMeter(generator, psi=picture.psi)
        except ValueError as problem:  # a picture too small to be moved by whole pixels
            measured = replace(measured, refused=str(problem))
        while meter.num < num:
            for _ in meter.slices(1):
                yield measured
            errors = {metric: _error(pair) for metric, pair in meter.pairs.items()}
            measured = replace(measured, estimates=meter.estimates, errors=errors, done=meter.num)
            if sticks is not None:
                try:
                    for _ in range(sticks.pictures_per_latent):
                        sticks.add()
                        yield measured
                    measured = replace(measured, shares=sticks.estimate)
                except ValueError as problem:  # no fine detail
                    sticks, measured = None, replace(measured, refused=str(problem))
            yield measured
    except (ValueError, OSError, RuntimeError, MemoryError) as problem:
        yield replace(measured, refused=explained(problem) or "", done=num)


def _error(pair: Pair) -> np.ndarray:
    with torch.inference_mode():
        error = ((pair.found - pair.reference).abs() * pair.mask)[0].float().cpu().numpy() / 2
    shown = error[[0, 1, 2]] if len(error) >= 3 else error[[0, 0, 0]]  # of one or two channels the first, in grey
    return np.ascontiguousarray(shown.transpose(1, 2, 0))
