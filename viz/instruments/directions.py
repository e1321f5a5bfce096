# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The directions that a model has, found while its pictures go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from viz.core.latent import Direction
from viz.core.request import PictureRequest, RenderRequest
from viz.render.jobs import JobRequest

if TYPE_CHECKING:
    from viz.render.renderer import Renderer


@dataclass(frozen=True)
class DirectionsView:
    """A set of directions as a panel shows it: the standard deviations of w along them, none before all are `done`.

    `model` is the fingerprint under which they are named. `problem` is a sentence where the set does not fit it.
    """

    model: str
    sigmas: tuple[float, ...] = ()
    problem: str = ""
    done: int = 0  # of `total` w's that have been mapped
    total: int = 0


@dataclass(frozen=True)
class DirectionsRequest(JobRequest[DirectionsView]):
    """Find the set of directions of a model that `direction` is of; its index is 0.

    `version` is that of the model's file (viz.core.result).
    """

    model: str
    device: str
    direction: Direction
    version: tuple[int, int] = (0, 0)

    live = False

    def run(self, renderer: Renderer, shown: RenderRequest) -> Iterator[DirectionsView | None]:
        """Map a batch of w's a slice, unless they were mapped before."""
        from gan.analysis.directions import SAMPLES

        subject = renderer.subject(PictureRequest(self.model, device=self.device))
        name = renderer.directions.name(subject)
        yield None
        for done in renderer.directions.measure(subject):
            yield DirectionsView(name, done=done, total=SAMPLES)
        try:
            sigmas = tuple(map(float, renderer.directions.find_set(subject, self.direction).sigmas))
        except ValueError as problem:  # the set's; what keeps the model from being read came above
            yield DirectionsView(name, (), str(problem))
        else:
            yield DirectionsView(name, sigmas, "", SAMPLES, SAMPLES)
