# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Ready-made motions: each puts one property's keys on the timeline, over its whole length, and leaves the others."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from gan.hub.resolve import list_bundled
from viz.core.latent import PLANE_WIDTH, Blend, Latent, SeedPoint, find_seed, seed_point
from viz.core.latent_state import LatentState
from viz.core.state import AppState, TransformState
from viz.core.timeline_state import Key, Timeline, Track, Value, check_timeline
from viz.record.timeline_edits import name_own, put_track, round_time

CIRCLE_KEYS = 8
LOOP_KEYS = 5  # latents around the one that is shown
LOOP_STRIDE = 7919  # between their seeds: a prime, so that they are no neighbours on the plane
LARGEST_SEED = 2**32


class Template(NamedTuple):
    """A motion: its name, a sentence on it, the number of PlaybackState that it has, what it moves, and its track."""

    title: str
    tip: str
    number: str
    track: str  # the property's name, in the left slot
    make: Callable[[AppState], Track]


def put_template(state: AppState, template: Template) -> Timeline:
    """Return the state's timeline with a template's track, a loop; ValueError, a sentence, where there is no room."""
    return check_timeline(replace(put_track(state.timeline, template.make(state)), loop=True))


def _spread(state: AppState, name: str, values: list[tuple[Value, ...]], easing: str = "smooth") -> Track:
    """Return a track with keys at even distances over a loop."""
    step = state.timeline.seconds / len(values)
    return Track(name, tuple(Key(round_time(place * step), value, easing) for place, value in enumerate(values)))


def _latent(state: AppState) -> LatentState:
    return state.latent_of(state.focus)


def _transform(state: AppState) -> TransformState:
    return state.transform_of(state.focus)


def walk_seeds(state: AppState) -> Track:
    """Walk through seeds, from the one that is shown or is nearest to it on."""
    shown = _latent(state).base()
    point = shown if isinstance(shown, SeedPoint) else SeedPoint()
    first = round(point.x) + PLANE_WIDTH * round(point.y)
    seeds = [(first + place) % LARGEST_SEED for place in range(state.playback.seeds)]
    return _spread(
        state, name_own(state, "latent"), [(replace(seed_point(seed), space=point.space),) for seed in seeds]
    )


def circle_latent(state: AppState) -> Track:
    """Go around a latent, at a small distance in w: the cinemagraphs of the paper's videos."""
    centre = _latent(state).latent()
    base = find_seed(centre) or 0
    around: list[tuple[Latent, ...]] = [
        (Blend(centre, seed_point((base + LOOP_STRIDE * (place + 1)) % LARGEST_SEED), state.playback.spread),)
        for place in range(LOOP_KEYS)
    ]
    return _spread(state, name_own(state, "latent"), [(one[0],) for one in around])


def circle_translation(state: AppState) -> Track:
    """Move in a circle that begins, on its right, where the picture is."""
    transform, radius = _transform(state), state.playback.radius
    angles = [2 * math.pi * place / CIRCLE_KEYS for place in range(CIRCLE_KEYS)]
    x, y = transform.tx - radius, transform.ty
    values: list[tuple[Value, ...]] = [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]
    return _spread(state, name_own(state, "translation"), values)


def turn_fully(state: AppState) -> Track:
    """Turn once, counter-clockwise, at one speed."""
    start = _transform(state).degrees
    return _spread(state, name_own(state, "rotation"), [(start,), (start + 120.0,), (start + 240.0,)], "linear")


def sweep_truncation(state: AppState) -> Track:
    """Go from the present truncation to another and back."""
    latent = _latent(state)
    ends: list[tuple[Value, ...]] = [(latent.psi, latent.cutoff), (state.playback.psi, latent.cutoff)]
    return _spread(state, name_own(state, "truncation"), ends)


def climb_ladder(state: AppState) -> Track:
    """Show one bundled model after the other, in the ladder's order, in one slot."""
    names: list[tuple[Value, ...]] = [(model.name,) for model in list_bundled()]
    if not names:
        raise ValueError("No models came with this Jinc, so there are no rungs to show.")
    return _spread(state, f"{state.playback.rungs} model", names, "constant")


TEMPLATES = (
    Template(
        "Walk through seeds",
        "So many seeds from this one on, smoothly through their w's.",
        "seeds",
        "latent",
        walk_seeds,
    ),
    Template(
        "Loop around the latent",
        "A small closed way around it in w, towards other latents by this share: the paper's cinemagraphs.",
        "spread",
        "latent",
        circle_latent,
    ),
    Template(
        "Translation circle", "A circle of this radius, in image widths.", "radius", "translation", circle_translation
    ),
    Template("Full turn", "Once around, at one speed.", "", "rotation", turn_fully),
    Template("Truncation sweep", "From the present ψ to this one and back.", "psi", "truncation", sweep_truncation),
    Template("Rung by rung", "The bundled models one after the other, in this slot.", "rungs", "model", climb_ladder),
)
