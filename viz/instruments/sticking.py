# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sticking made visible beside the pictures: x-t slices of what is shown, a latent's neighbourhood, and live meters."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from gan.analysis.equivariance import Meter, Pair
from gan.analysis.metric_names import METRICS
from gan.analysis.stickiness import StickinessMeter
from gan.analysis.texture_sticking import Neighbourhood, neighbour
from gan.data.image_io import to_uint8
from gan.networks.latents import z_from_seed
from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import explained
from viz.core.state import SLOTS, Slot
from viz.instruments.types import Mean, Measured, MeterRequest, MeterView, NeighbourhoodRequest

if TYPE_CHECKING:
    from viz.render.renderer import Renderer

SAY_SECONDS = 0.25
NEIGHBOURS_SEED = 0


def neighbourhood(
    renderer: Renderer, request: NeighbourhoodRequest, shown: RenderRequest
) -> Iterator[dict[str, Mean] | None]:
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
