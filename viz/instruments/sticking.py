# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sticking made visible beside the pictures: the mean of a latent's neighbourhood, and live meters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from gan.analysis.metric_names import METRICS
from gan.analysis.texture_sticking import NeighbourhoodMean, perturb_latent
from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import describe_error
from viz.core.state import SLOTS, Slot
from viz.render.jobs import JobRequest, take_turns

if TYPE_CHECKING:
    from gan.analysis.equivariance import Estimate, Pair
    from gan.analysis.stickiness import Shares
    from viz.render.renderer import Renderer

NEIGHBOURS_SEED = 0


@dataclass(frozen=True, eq=False)
class Mean:
    """A slot's mean picture, uint8 [H, W, 4], over `count` latents, and the share of fine detail that they share."""

    pixels: np.ndarray
    count: int
    kept: float
    model: str = ""


@dataclass(frozen=True)
class NeighbourhoodRequest(JobRequest[dict[Slot, Mean]]):
    """The mean picture of `num` latents within `radius` of the one that is shown, in each slot."""

    radius: float
    num: int

    def run(self, renderer: Renderer, shown: RenderRequest) -> Iterator[dict[Slot, Mean] | None]:
        """Render a picture a slice, left and right in turn."""
        runs = {slot: self._average(renderer, picture) for slot in SLOTS if (picture := shown.slot(slot))}
        return take_turns(runs, lambda found: {slot: mean() for slot, mean in found.items()})

    def _average(self, renderer: Renderer, picture: PictureRequest) -> Iterator[Callable[[], Mean]]:
        """Add one neighbour after another; yield a function that returns the mean so far."""
        from gan.data.image_io import to_rgb, to_uint8

        found = NeighbourhoodMean()
        for index in range(self.num):
            try:
                near = partial(perturb_latent, radius=self.radius, seed=NEIGHBOURS_SEED, index=index)
                found.add(to_uint8(to_rgb(renderer.render_apart(picture, near)))[0].cpu().numpy())
            except (ValueError, OSError, RuntimeError, MemoryError):
                return  # the slot itself says why there is no picture
            yield lambda: Mean(_to_rgba(found.mean), found.count, found.kept, picture.model)


def _to_rgba(values: np.ndarray) -> np.ndarray:
    """[H, W, 3] of 0 to 255 as uint8 [H, W, 4]."""
    pixels = np.full((*values.shape[:2], 4), 255, np.uint8)
    pixels[:, :, :3] = np.clip(np.rint(values), 0, 255)
    return pixels


@dataclass(frozen=True, eq=False)
class Measured:
    """The figures of one slot's model so far, and a sentence on what cannot be measured.

    `errors` are each metric's last pair's |found - expected|, float32 [H, W, 3] in units of the picture's range of 2, 0
    where it is not valid.
    """

    estimates: tuple[Estimate, ...] = ()
    shares: Shares | None = None
    errors: dict[str, np.ndarray] = field(default_factory=dict)
    refused: str = ""
    done: int = 0
    model: str = ""


@dataclass(frozen=True, eq=False)
class MeterView:
    """Figures by slot; `done` of `total` samples."""

    slots: dict[Slot, Measured] = field(default_factory=dict)
    done: int = 0
    total: int = 0


@dataclass(frozen=True, eq=False)
class MeterRequest(JobRequest[MeterView]):
    """EQ-T, EQ-T_frac, EQ-R and stickiness of the models shown when it was started, `num` samples of each.

    Latents and classes are random, as the metrics want them, and a label that is a vector is the shown one; stickiness
    has the shown psi.
    """

    pictures: tuple[tuple[Slot, PictureRequest], ...]
    num: int

    live = False

    def models(self) -> tuple[tuple[Slot, str], ...]:
        return tuple((slot, picture.model) for slot, picture in self.pictures)

    def run(self, renderer: Renderer, shown: RenderRequest) -> Iterator[MeterView | None]:
        """Do one forward pass or comparison a slice, left and right in turn."""
        total = self.num * len(self.pictures)

        def view(found: dict[Slot, Measured]) -> MeterView:
            return MeterView(dict(found), sum(one.done for one in found.values()), total)

        return take_turns({slot: _measure(renderer, picture, self.num) for slot, picture in self.pictures}, view)


def _measure(renderer: Renderer, picture: PictureRequest, num: int) -> Iterator[Measured]:
    """Yield the figures of one model after each slice; what cannot be measured of it is said and ends there."""
    from gan.analysis.equivariance import EquivarianceMeter
    from gan.analysis.stickiness import StickinessMeter

    measured = Measured(model=picture.model)
    try:
        generator, _ = renderer.generator(picture)
        label, options = renderer.vector(picture), renderer.noise_options(picture)
        meter, sticks = EquivarianceMeter(generator, METRICS, label=label, options=options), None
        try:
            sticks = StickinessMeter(generator, psi=picture.psi, label=label, options=options)
        except ValueError as problem:  # a picture too small to be moved by whole pixels
            measured = replace(measured, refused=str(problem))
        while meter.num < num:
            for _ in meter.slices(1):
                yield measured
            errors = {metric: _to_error(pair) for metric, pair in meter.pairs.items()}
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
        yield replace(measured, refused=describe_error(problem) or "", done=num)


def _to_error(pair: Pair) -> np.ndarray:
    """Return the error as RGB: grey of one channel, two as red and green, and alpha's shows in all three as white."""
    error = ((pair.found - pair.reference).abs() * pair.mask)[0].float().cpu().numpy() / 2
    shown = np.zeros((3, *error.shape[1:]), np.float32)
    shown[: min(len(error), 3)] = error[:3]
    if len(error) in (1, 4):
        shown = np.maximum(shown, error[-1])
    return np.ascontiguousarray(shown.transpose(1, 2, 0))


@lru_cache(maxsize=4)
def amplify_error(measured: Measured, metric: str, gain: float) -> np.ndarray:
    """Return a metric's error picture times `gain` as uint8 [H, W, 4]; black is equal."""
    return _to_rgba(measured.errors[metric] * (255 * gain))
