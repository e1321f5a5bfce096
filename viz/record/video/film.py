# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Films: two models under one scripted motion, slices over time growing below, their stickiness beside [P fig. 1]."""

from __future__ import annotations

import copy
import math
from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np

from gan.analysis.stickiness import StickinessMeter
from gan.analysis.texture_sticking import sample_segment
from gan.hub.resolve import format_title
from gan.networks.describe import describe_rung
from viz.core import gestures
from viz.core.images import put_on_grey
from viz.core.request import PictureRequest
from viz.core.state import SLOTS, AppState
from viz.record.video.film_layout import FilmLayout, Segment, Side
from viz.record.video.formats import VideoError
from viz.record.video.frames import fit_picture, pick_requests
from viz.record.video.moving import count_frames
from viz.render.renderer import Renderer

LATENTS = 24  # that stickiness is measured on
HEIGHT = 720
VERTICAL, HORIZONTAL = (0.6, 0.2, 0.6, 0.8), (0.2, 0.4, 0.8, 0.4)
# Of each motion: what moves, in a few words, and the line of the slices, which the content moves along.
MOTIONS: dict[str, tuple[str, Segment]] = {
    "circle": ("The content moves on a circle.", VERTICAL),
    "x": ("The content moves back and forth.", HORIZONTAL),
    "rotate": ("The content turns once.", HORIZONTAL),
    "walk": ("The latent moves on a circle, the content stays.", VERTICAL),
}
HEADING = "One latent, one motion, two models"
CIRCLE, SWAY, WALK = 0.09, 0.125, 0.35  # image widths, image widths, seeds


def move(state: AppState, motion: str, turns: float) -> AppState:
    """Return a copy of a state as a motion has moved it after so many turns; 0 and 1 are the same."""
    moved = copy.copy(state)
    moved.latent, moved.transform = copy.deepcopy(state.latent), copy.deepcopy(state.transform)
    cos, sin = math.cos(2 * math.pi * turns), math.sin(2 * math.pi * turns)
    match motion:
        case "circle":
            gestures.translate(moved.transform, CIRCLE * cos, CIRCLE * sin)
        case "x":
            gestures.translate(moved.transform, SWAY * sin, 0.0)
        case "rotate":
            moved.transform.degrees = gestures.wrap_degrees(360.0 * turns)
        case "walk":
            gestures.go_to(moved.latent, moved.latent.x + WALK * cos, moved.latent.y + WALK * sin)
    return moved


class Film:
    """The frames of a film. They are drawn in order, each once: the slices grow by a column a frame."""

    def __init__(
        self,
        state: AppState,
        motion: str,
        seconds: float,
        fps: float,
        *,
        height: int = HEIGHT,
        latents: int = LATENTS,
        segment: Segment | None = None,
        renderer: Renderer | None = None,
    ) -> None:
        """Take the state's models, latent and label, and not its transform: the motion starts from rest.

        Raises VideoError without two models.
        """
        self._state, self._motion = copy.deepcopy(state), motion
        self._state.link(True)
        transform = self._state.transform
        gestures.reset(transform)
        transform.untransform = transform.snap = False
        transform.snap_degrees = 0.0
        self._requests = pick_requests(self._state, SLOTS)
        self._words, own = MOTIONS[motion]
        self._segment, self._latents = segment or own, latents
        self._renderer = Renderer(enlarge=False)
        if renderer is not None:
            self._renderer.models = renderer.models
        self.count = count_frames(seconds, fps)
        self.size = 2 * round(height * 8 / 9), height  # an even width, as most formats have
        self._layout: FilmLayout | None = None
        self._slices: list[list[np.ndarray]] = [[], []]

    def prepare(self) -> Iterator[None]:
        """Measure stickiness, a picture a step."""
        sides = []
        for request in self._requests:
            sides.append((yield from self._measure(request)))
        self._layout = FilmLayout(self.size, HEADING, self._words, sides, self._segment)

    def _describe(self, request: PictureRequest) -> Side:
        config = self._renderer.generator(request)[1].config
        letter, _, phrase = describe_rung(config).partition(" ")
        name = phrase[phrase.find("(") + 1 : -1] if phrase.endswith(")") else phrase
        return Side(f"{letter} {name}", format_title(request.model))

    def _measure(self, request: PictureRequest) -> Generator[None, None, Side]:
        """Measure a model's stickiness, a picture a step; return what is said of it."""
        side, (generator, _) = self._describe(request), self._renderer.generator(request)
        try:
            label, options = self._renderer.vector(request), self._renderer.noise_options(request)
            meter = StickinessMeter(generator, psi=request.psi, label=label, distances=(1,), options=options)
            while meter.num < self._latents:
                meter.add()
                yield
            return replace(side, shares=meter.estimate)
        except ValueError as problem:  # a rung that cannot be moved, a picture that is too small or flat
            return replace(side, refused=str(problem))

    def draw(self, index: int) -> np.ndarray:
        """Return the next frame, uint8 [H, W, 3]. VideoError if there is no picture."""
        if self._layout is None:
            raise ValueError("A film is prepared before its frames are drawn.")
        requests = pick_requests(move(self._state, self._motion, index / self.count), SLOTS)
        pictures = []
        for slices, request in zip(self._slices, requests, strict=True):
            result = self._renderer.render(request)
            if result.picture is None or result.image is None:
                raise VideoError(result.error or "No picture came back.")
            pixels = put_on_grey(result.image) if result.has_alpha else result.image[:, :, :3]
            column = sample_segment(pixels, *self._segment, self._layout.slice_size[1])
            slices.append(np.clip(np.rint(column), 0, 255).astype(np.uint8))
            pictures.append(fit_picture(result.picture, self._layout.side, has_alpha=result.has_alpha))
        grown = [np.stack(slices, 1) for slices in self._slices]
        return self._layout.compose(pictures, grown, index + 1, self.count)
