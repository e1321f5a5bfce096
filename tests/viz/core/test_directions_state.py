# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Steps along directions in the state: where they go, what they are a part of, how they move by themselves."""

import json

import pytest

from viz.core import bookmarks, gestures
from viz.core.history import History
from viz.core.latent import FARTHEST, LONGEST_NAME, MOST_NAMED, MOST_STEPS, Direction, Mixture, Moved, SeedPoint, Step
from viz.core.latent_state import DirectionsState, LayersDrag
from viz.core.request import build_request
from viz.core.state import AppState, from_json, to_json


def test_a_step_goes_to_a_place_and_back_to_none() -> None:
    state, one, other = DirectionsState(), Direction(index=1), Direction(index=2)
    state.go(one, 1.5)
    state.go(other, -1.0)
    state.go(one, 2.0)
    assert state.steps == (Step(one, 2.0), Step(other, -1.0)) and state.strength(one) == 2.0
    state.go(one, -0.0)
    assert state.steps == (Step(other, -1.0),) and state.strength(one) == 0.0
    state.go(one, 1e9)
    assert state.strength(one) == FARTHEST
    for index in range(200):
        state.go(Direction(index=index), 1.0)
    assert len(state.steps) == MOST_STEPS


def test_other_layers_take_what_is_set_along() -> None:
    state, kept = DirectionsState(), Direction("closed-form", 3, 1, 2)
    state.go(kept, 1.0)
    offered = state.offered(4)
    assert offered == Direction("pca", 4)
    state.go(offered, 2.0)
    state.moving = offered
    state.offer_layers(2, 5)
    assert state.steps == (Step(kept, 1.0), Step(Direction("pca", 4, 2, 5), 2.0))
    assert state.moving == Direction("pca", 4, 2, 5)
    state.offer_layers(5, 2)
    assert state.offered(0) == Direction("pca", 0, 2, 5), "in either order"


def test_a_drag_of_the_layers_leaves_the_steps_that_it_passes() -> None:
    passed, taken = Step(Direction("pca", 0, 4, 7), 2.0), Step(Direction("pca", 0, 4, 63), 1.0)
    state = DirectionsState(steps=(taken, passed), first=4, moving=taken.direction)
    drag = LayersDrag(state)
    state.offer_layers(4, 9, drag)
    assert state.steps == (Step(Direction("pca", 0, 4, 9), 1.0), passed)
    state.offer_layers(4, 7, drag)
    assert state.steps == (taken, passed) and state.moving == taken.direction, "its place is taken: it waits"
    state.go(taken.direction, 1.5)  # as an animation does
    state.offer_layers(4, 5, drag)
    assert state.steps == (Step(Direction("pca", 0, 4, 5), 1.5), passed)
    assert state.moving == Direction("pca", 0, 4, 5)
    state.offer_layers(4, 7, drag)
    assert state.steps == (Step(taken.direction, 1.5), passed), "where it ends there, neither is lost"


def test_one_choice_of_layers_merges_no_steps() -> None:
    whole, part = Step(Direction("pca", 0), 1.0), Step(Direction("pca", 0, 4, 7), 2.0)
    for steps in ((whole, part), (part, whole)):
        state = DirectionsState(steps=steps)
        state.offer_layers(4, 7)
        assert state.steps == steps and (state.first, state.last) == (4, 7)


def test_without_a_file_none_of_a_file_is_offered() -> None:
    state = DirectionsState(kind="file")
    assert state.offered(0) is None
    state.offer_layers(1, 2)
    state.file = Direction("file", 0, 0, 63, "/d.npy", "0" * 64)
    assert state.offered(3) == Direction("file", 3, 1, 2, "/d.npy", "0" * 64)


def test_the_request_holds_what_is_mixed_and_then_moved() -> None:
    state, step = AppState(), Step(Direction(), 1.0)
    state.left.path, state.right.path = "a", "b"
    plain = build_request(state).left
    state.latent.directions.go(*vars(step).values())
    moved = build_request(state).left
    assert plain and moved and moved.latent == Moved(plain.latent, (step,)) and hash(moved)
    state.latent.mixed = [1]
    mixed = build_request(state).left
    assert mixed and mixed.latent == Moved(Mixture(plain.latent, SeedPoint(1.0), (1,)), (step,))
    state.latent.mix_with = "other slot"
    other = build_request(state).left
    assert other and isinstance(other.latent, Moved) and isinstance(other.latent.base, Mixture)


def test_an_animation_sways_about_the_place_where_it_began_and_is_undone_with_its_start() -> None:
    state, direction = AppState(), Direction(index=2)
    directions = state.latent.directions
    directions.go(direction, 1.0)
    history = History({"state": state})
    directions.moving, directions.animate, directions.speed, directions.reach = direction, True, 0.5, 2.0
    assert gestures.is_animating(state)
    seen = []
    for _ in range(40):
        history.follow()
        with history.by_itself():
            gestures.advance(state, 0.05)
        seen.append(directions.strength(direction))
    assert max(seen) == pytest.approx(3.0, abs=0.02) and min(seen) == pytest.approx(-1.0, abs=0.02)
    assert seen[-1] == pytest.approx(1.0, abs=1e-6), "a whole turn"
    with history.by_itself():
        gestures.advance(state, 0.3)
    assert history.undo() and not directions.animate and directions.strength(direction) == 1.0


def test_a_bookmark_brings_steps_back() -> None:
    state, direction = AppState(), Direction("closed-form", 1, 2, 3)
    state.latent.directions.go(direction, 2.5)
    for kind in ("latent", "everything"):
        kept = bookmarks.capture(state, kind)  # type: ignore[arg-type]
        state.latent.directions.go(direction, 0.0)
        assert not bookmarks.is_restored(kept, state)
        bookmarks.restore(kept, state)
        assert state.latent.directions.steps == (Step(direction, 2.5),)


def test_names_are_of_a_model_and_have_an_end() -> None:
    state, one = AppState(), Direction(index=1)
    state.name_direction("0" * 64, one, "  age\n ")
    state.name_direction("1" * 64, one, "x" * 99)
    assert [(named.model[0], named.name) for named in state.named_directions] == [
        ("0", "age"),
        ("1", "x" * LONGEST_NAME),
    ]
    state.name_direction("0" * 64, one, "smile")
    assert [named.name for named in state.named_directions] == ["x" * LONGEST_NAME, "smile"]
    state.name_direction("1" * 64, one, " ")
    assert [named.name for named in state.named_directions] == ["smile"]
    for index in range(200):
        state.name_direction("2" * 64, Direction(index=index), "name")
    assert len(state.named_directions) == MOST_NAMED
    assert from_json(json.loads(json.dumps(to_json(state)))) == state
