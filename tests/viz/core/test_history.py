# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Every change can be undone and done again, a gesture at once, and nothing that moves by itself makes a step."""

import copy
import json
import random
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any

import pytest

from viz.core import gestures
from viz.core import history as history_module
from viz.core import state as states
from viz.core.bookmarks import Bookmark, BookmarkShelf
from viz.core.history import STEPS_KEPT, UNRECORDED, History
from viz.core.latent import Direction, FileLatent, Mixture, SeedPoint
from viz.core.osc_state import Binding
from viz.core.state import AppState, TransformState
from viz.core.timeline import play
from viz.core.timeline_state import EASINGS, Key, Timeline, Track

FILE = FileLatent("w", "/folder/w.npz", "0123456789abcdef" * 4)


def written(state: AppState) -> str:
    """The state as text, in which 0, 0.0 and -0.0 differ."""
    return json.dumps(states.to_json(state))


def list_settings(owner: Any, prefix: str = "state") -> list[tuple[Any, Any]]:
    """Every (owner, field) of the state that is recorded."""
    found = []
    for item in fields(owner):
        value, name = getattr(owner, item.name), f"{prefix}.{item.name}"
        if is_dataclass(value) and "read" not in item.metadata:
            found += list_settings(value, name)
        elif name not in UNRECORDED:
            found.append((owner, item))
    return found


def edit(rng: random.Random, state: AppState) -> None:
    """Change a random setting to a random value that it takes, or do what changes several."""
    action = rng.randrange(12)
    if action == 0:
        state.link(not state.linked)
        return
    if action == 1:
        gestures.rotate(state.transform_of("right"), rng.uniform(-90, 90))
        return
    owner, item = rng.choice(list_settings(state))
    limits, value = item.metadata, getattr(owner, item.name)
    if item.name == "steps":
        owner.go(Direction(index=rng.randrange(3), first=rng.randrange(2)), rng.choice([0.0, -0.0, rng.random()]))
    elif item.name == "named_directions":
        state.name_direction("0" * 64, Direction(index=rng.randrange(3)), rng.choice(["", "a", "b 猫"]))
    elif item.name == "timeline":
        key = Key(round(rng.uniform(0, 6), 2), (rng.choice([-0.0, 0.0, 0.5]), rng.random()), rng.choice(EASINGS))
        state.timeline = Timeline((Track("translation", (key,)),), rng.uniform(1, 9), rng.random() < 0.5)
    elif item.name == "bindings":
        owner.bind(Binding(f"/{rng.randrange(3)}", "/jinc/transform/tx", high=rng.random()))
    elif item.name in ("file", "moving"):
        setattr(owner, item.name, rng.choice([None, Direction("file", 2, 0, 5, "/d.npz", FILE.digest), Direction()]))
    elif "read" in limits:
        point = SeedPoint(rng.random(), -0.0, "z")
        setattr(owner, item.name, rng.choice([None, FILE, point, Mixture(point, FILE, (0, 2))]))
    elif "choices" in limits:
        setattr(owner, item.name, rng.choice(limits["choices"]))
    elif isinstance(value, bool):
        setattr(owner, item.name, not value)
    elif isinstance(value, list):
        kind = limits["kind"]
        numbers = [kind(rng.uniform(max(limits["low"], -5), 5)) for _ in range(rng.randrange(4))]
        if rng.random() < 0.5:
            value[:] = numbers  # in place, as a slider of a vector does
        else:
            setattr(owner, item.name, numbers)
    elif isinstance(value, str):
        setattr(owner, item.name, rng.choice(["", "/a", "/b 猫"]))
    else:
        low, high = limits["low"], limits["high"]
        choices = [value, low, high, type(value)(rng.uniform(low, high)), *([-0.0, 0.0] if low < 0.0 < high else [])]
        setattr(owner, item.name, type(value)(rng.choice(choices)))


@pytest.mark.parametrize("seed", range(5))
def test_a_thousand_edits_and_undos_return_to_the_first_state(seed: int) -> None:
    rng, state = random.Random(seed), states.default_state()
    history, first = History({"state": state}), written(state)
    seen = [first]
    for _ in range(1000):
        edit(rng, state)
        history.is_held = rng.random() < 0.2
        with history.by_itself():
            gestures.advance(state, 0.03)
            play(state, 0.03)
        if rng.random() < 0.1:
            history.is_held = False
            for _ in range(rng.randrange(4)):
                history.undo()
            for _ in range(rng.randrange(4)):
                history.redo()
        seen.append(written(state))
    history.is_held = False
    while history.redo():
        pass
    steps = 0
    while history.undo():
        steps += 1
    assert steps > 300 and len(set(seen)) > 500
    assert written(state) == first
    while history.redo():
        steps -= 1
    assert steps == 0


def test_redo_returns_to_the_last_state() -> None:
    rng, state = random.Random(7), AppState()
    history, seen = History({"state": state}), []
    for _ in range(1000):
        edit(rng, state)
        history.follow()
        seen.append(written(state))
    while history.undo():
        pass
    while history.redo():
        pass
    assert written(state) == seen[-1]


def test_a_gesture_is_one_step() -> None:
    state = AppState()
    history = History({"state": state})
    history.is_held = True
    for _ in range(30):
        gestures.translate(state.transform, 0.01, 0.0)
        history.follow()
    assert history.undo_name is None and not history.undo(), "not while it is under way"
    assert state.transform.tx == pytest.approx(0.3)
    history.is_held = False
    history.follow()
    assert history.undo_name == "move" and history.undo() and state.transform.tx == 0.0
    assert not history.undo() and history.redo_name == "move"
    assert history.redo() and state.transform.tx == pytest.approx(0.3) and not history.redo()


def test_a_gesture_that_comes_back_is_no_step() -> None:
    state = AppState()
    history = History({"state": state})
    for tx in (0.2, 0.0):
        history.is_held, state.transform.tx = True, tx
        history.follow()
    history.is_held = False
    history.follow()
    assert history.undo_name is None


def test_a_new_change_ends_what_could_be_redone() -> None:
    state = AppState()
    history = History({"state": state})
    state.latent.psi = 0.5
    history.undo()
    assert history.redo_name == "truncation" and state.latent.psi == 1.0
    state.transform.degrees = 3.0
    assert not history.redo() and history.undo_name == "turn"


def test_animations_make_no_steps_and_end_where_they_began() -> None:
    state = AppState()
    history, first = History({"state": state}), written(state)

    def play() -> None:
        for _ in range(10):
            with history.by_itself():
                gestures.advance(state, 0.1)

    state.transform.animate = "circle"
    play()
    state.latent.psi = 0.5
    play()
    before = state.transform.phase
    assert history.undo_name == "truncation" and history.undo()
    assert state.transform.phase == before and state.latent.psi == 1.0, "the circle goes on where it is"
    play()
    assert history.undo_name == "animation" and history.undo()
    assert written(state) == first
    assert not history.undo() and history.redo() and state.transform.animate == "circle"


def test_what_an_animation_moves_and_the_user_sets_returns_too() -> None:
    state = AppState()
    history, first = History({"state": state}), written(state)
    state.transform.animate = "circle"
    history.follow()
    state.transform.phase = 0.75
    with history.by_itself():
        gestures.advance(state, 0.1)
    assert history.undo() and history.undo() and written(state) == first


def test_an_animation_that_begins_within_a_gesture_belongs_to_it() -> None:
    state = AppState()
    history, first = History({"state": state}), written(state)
    history.is_held, state.transform.animate = True, "circle"
    for _ in range(3):
        with history.by_itself():
            gestures.advance(state, 0.1)
    history.is_held = False
    history.follow()
    assert state.transform.phase > 0 and history.undo() and written(state) == first and not history.undo()


@pytest.mark.parametrize(
    ("still", "name", "value"),
    [
        ({"latent.second.animate": True, "latent.mix_with": "other slot"}, "latent.mix_with", "second"),
        ({"latent.second.animate": True, "latent.second.speed": 0.0}, "latent.second.speed", 0.5),
        ({"transform.animate": "circle", "transform.speed": 0.0}, "transform.speed", 0.5),
        ({"transform.animate": "circle", "transform.radius": 0.0}, "transform.radius", 0.2),
        ({"latent.directions.animate": True}, "latent.directions.moving", Direction()),
        (
            {
                "latent.directions.animate": True,
                "latent.directions.moving": Direction(),
                "latent.directions.reach": 0.0,
            },
            "latent.directions.reach",
            2.0,
        ),
    ],
)
def test_undoing_what_starts_an_animation_that_was_on_goes_back(still: dict[str, Any], name: str, value: Any) -> None:
    state = AppState()
    state.latent.mixed = [0]

    def change(name: str, value: Any) -> None:
        owner, _, last = name.rpartition(".")
        setattr(attrgetter(owner)(state), last, value)

    for each, at_first in still.items():
        change(each, at_first)
    history, first = History({"state": state}), written(state)
    change(name, value)
    for _ in range(5):
        history.follow()
        with history.by_itself():
            gestures.advance(state, 0.1)
    assert history.undo() and written(state) == first and not history.undo()


def test_a_click_alone_is_no_step_and_goes_along_with_the_next() -> None:
    state = AppState()
    history, first = History({"state": state}), written(state)
    state.focus = "right"
    history.follow()
    assert history.undo_name is None
    state.canvas.zoom = 2.0
    history.follow()
    state.focus = "left"
    history.follow()
    state.focus = "right"
    assert history.undo() and written(state) == first


def test_the_size_of_the_window_and_the_recent_files_stay() -> None:
    state = AppState()
    history = History({"state": state})
    state.remember("/a")
    state.display.width = 900
    assert not history.undo() and state.recents == ["/a"]


def test_steps_are_bounded() -> None:
    state = AppState()
    history = History({"state": state})
    for step in range(STEPS_KEPT + 10):
        state.latent.x = float(step + 1)
        history.follow()
    steps = 0
    while history.undo():
        steps += 1
    assert steps == STEPS_KEPT and state.latent.x == 10.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda state: gestures.walk(state.latent, 1, 2), "walk in the latent"),
        (lambda state: gestures.rotate(state.transform, 5), "turn"),
        (lambda state: gestures.zoom(state.canvas, 2, 0.1, 0.2), "zoom"),
        (lambda state: state.link(False), "link of the models"),
        (lambda state: setattr(state.right, "path", "/x"), "opening on the right"),
        (lambda state: setattr(state.right_latent, "label", 3), "class"),
        (lambda state: setattr(state.latent.second, "x", 3.0), "second latent"),
        (lambda state: setattr(state.spectrum, "pad", 2), "spectrum: pad"),
    ],
)
def test_a_step_says_what_it_changed(change: Any, words: str) -> None:
    state = AppState()
    history = History({"state": state})
    change(state)
    history.follow()
    assert history.undo_name == words


class Zero(float):
    """A zero that counts how often it is written as text."""

    written = 0

    def __repr__(self) -> str:
        Zero.written += 1
        return float.__repr__(self)


def test_frames_that_change_nothing_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    state = AppState()
    history = History({"state": state})
    state.latent.vector = [Zero()] * 4096
    for step in range(STEPS_KEPT):
        state.latent.psi = 0.5 + 1e-4 * step
        history.follow()
    with history.by_itself():
        state.latent.x = 1.0
    looks = []
    monkeypatch.setattr(history_module, "_is_starter", lambda name, before: looks.append(name))
    Zero.written = 0
    with history.by_itself():
        state.latent.x = 2.0
    assert Zero.written == 0 and not looks, "2,000 steps are not searched, nor a label compared as text, in each frame"


def test_bookmarks_are_not_compared_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bookmark, "__repr__", lambda self: pytest.fail("their pictures are long"))
    shelf = BookmarkShelf((Bookmark("a", "latent", AppState()), Bookmark("b", "latent", AppState())))
    history = History({"state": AppState(), "shelf": shelf})
    history.is_held = True
    for _ in range(2):
        shelf.move(shelf.items[0].key, 1)  # there and back again within a gesture
        history.follow()
    history.is_held = False
    assert not history.undo()


def test_zeros_within_a_latent_have_signs() -> None:
    state = AppState()
    history = History({"state": state})
    for zero in (0.0, -0.0):
        state.latent.kept = SeedPoint(zero, 1.0)
        history.follow()
    assert history.undo() and str(state.latent.kept.x) == "0.0"


def test_a_picture_at_rest_is_not_turned_by_its_last_bits() -> None:
    state = AppState()
    state.transform.degrees, state.right_transform.degrees, state.linked = 0.1, 180.0, False
    gestures.advance(state, 0.02)
    assert (state.transform.degrees, state.right_transform.degrees) == (0.1, 180.0)


def test_what_replaces_a_part_of_the_state_is_undone_too() -> None:
    state = AppState()
    history, first = History({"state": state}), written(state)
    other = copy.deepcopy(state.latent)
    other.psi, other.second.x = 0.25, -4.0
    state.latent = other
    assert history.undo() and written(state) == first


def test_a_stream_from_outside_is_one_step_beside_those_of_the_user() -> None:
    state = AppState()
    history = History({"state": state})
    first = written(state)
    for step in range(1, 20):
        with history.streamed():
            state.transform.tx = step / 20
        if step == 10:
            state.latent.psi = 0.5
            history.follow()
    assert history.undo() and (state.latent.psi, state.transform.tx) == (1.0, 0.95), "the stream goes on"
    assert history.redo() and state.latent.psi == 0.5
    history.end_stream()
    history.end_stream()
    assert history.undo() and (state.latent.psi, state.transform.tx) == (0.5, 0.0), "all of it at once"
    assert history.undo() and written(state) == first and not history.undo()
    assert history.redo() and history.redo() and state.transform.tx == 0.95


def test_an_animation_that_a_stream_starts_is_undone_with_it() -> None:
    state = AppState()
    history = History({"state": state})
    first = written(state)
    with history.streamed():
        state.transform.animate = "circle"
    for _ in range(5):
        with history.by_itself():
            gestures.advance(state, 0.1)
    history.end_stream()
    with history.by_itself():
        gestures.advance(state, 0.1)
    assert state.transform.tx != 0.0
    assert history.undo() and written(state) == first


@pytest.mark.parametrize("seed", range(6))
def test_streams_and_gestures_that_change_the_same_settings_are_undone_to_the_start(seed: int) -> None:
    rng, state = random.Random(seed), AppState()
    history, first = History({"state": state}), written(state)
    names = ("tx", "ty", "degrees", "scale")
    for _ in range(300):
        match rng.randrange(6):
            case 0:
                setattr(state.transform, rng.choice(names), rng.choice([0.5, 1.0, rng.uniform(0.5, 2)]))
            case 1:
                state.transform = TransformState()  # a reset, or a capture that comes back
            case 2:
                state.transform.animate = rng.choice(["off", "circle", "rotate"])
            case 3:
                rng.choice([history.undo, history.redo])()
        history.is_held = rng.random() < 0.4
        history.follow()
        if rng.random() < 0.5:
            with history.streamed():
                setattr(state.transform, rng.choice(names), rng.choice([0.5, 1.0, rng.uniform(0.5, 2)]))
        elif rng.random() < 0.3:
            history.end_stream()
        with history.by_itself():
            gestures.advance(state, 0.02)
    history.is_held = False
    history.end_stream()
    while history.undo():
        pass
    assert written(state) == first
