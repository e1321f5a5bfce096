# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What the user set survives a restart, and a file that cannot be used is one sentence."""

import json
import math
import os
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from viz.core import state as states
from viz.core.latent import (
    Direction,
    FileLatent,
    Mixture,
    Moved,
    NamedDirection,
    SeedPoint,
    Step,
    WeightedSum,
    read_latent,
)
from viz.core.latent_state import LatentState
from viz.core.osc_state import Binding
from viz.core.state import AppState, StateError
from viz.core.state_fields import choices_of
from viz.core.timeline_state import Key, Timeline, Track

FILE = ("/folder/é 猫.npz", "0123456789abcdef" * 4)


def changed(target: Any) -> Any:
    """Every field of a state moved off its default, within its limits."""
    for item in fields(target):
        value = getattr(target, item.name)
        if is_dataclass(value) and "read" not in item.metadata:
            changed(value)
        elif "read" in item.metadata:
            file = FileLatent("z", "/folder/é 猫.npy", "0123456789abcdef" * 4)
            steps = (Step(Direction("closed-form", 2, 1, 4), -2.5), Step(Direction("file", 0, 0, 63, *FILE), 1.0))
            kept = Moved(Mixture(SeedPoint(0.5, -7.0, "z"), file, (0, 3)), steps)
            named = (NamedDirection("0123456789abcdef" * 4, "smile é", steps[0].direction),)
            keys = (Key(0.0, (kept,)), Key(1.25, (WeightedSum(((file, 1.5), (SeedPoint(), -0.5))),), "linear"))
            timeline = Timeline((Track("latent", keys, "plane"),), 12.5, False)
            values = {"kept": kept, "steps": steps, "named_directions": named, "timeline": timeline}
            values["bindings"] = (Binding("/1/fader", "/jinc/latent/psi", 0.0, 127.0, 2.0, -1.0, "square"),)
            setattr(target, item.name, values.get(item.name, steps[1].direction))
        elif "choices" in item.metadata:
            setattr(target, item.name, item.metadata["choices"][-1])
        elif isinstance(value, bool):
            setattr(target, item.name, not value)
        elif isinstance(value, (int, float)):
            setattr(target, item.name, type(value)((value + item.metadata["high"]) / 2))
        elif isinstance(value, str):
            setattr(target, item.name, value + " é 猫")
        else:
            numbers = [1, 0] if item.metadata.get("kind") is int else [0.0, 0.25]
            setattr(target, item.name, numbers if "most" in item.metadata else ["one", "two"])
    return target


def test_round_trip_keeps_every_field(tmp_path: Path) -> None:
    state, path = changed(AppState()), tmp_path / "deep" / "state.json"
    assert states.to_json(state) != states.to_json(AppState())
    states.save(state, path)
    assert states.load(path) == state
    assert [entry.name for entry in path.parent.iterdir()] == ["state.json"], "nothing temporary is left"


def test_absent_settings_take_their_defaults() -> None:
    assert states.from_json({"schema": 1, "latent": {"psi": 0.5}}).latent == LatentState(psi=0.5)


NAMED = {"model": "0" * 64, "name": "smile", "direction": {}}
DIRECTION = {"kind": "pca", "index": 0, "first": 0, "last": 63, "path": "", "digest": ""}
STEP = {"direction": DIRECTION, "strength": 1.0}


def with_step(step: object) -> object:
    return {"schema": 1, "latent": {"directions": {"steps": [step]}}}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "JSON object"),
        ({}, "schema"),
        ({"schema": True}, "schema"),
        ({"schema": 2}, "newer Jinc"),
        ({"schema": 1, "latnt": {}}, "'latnt'"),
        ({"schema": 1, "latent": {"psy": 1}}, "'latent.psy'"),
        ({"schema": 1, "latent": 3}, "latent"),
        ({"schema": 1, "latent": {"psi": "much"}}, "latent.psi"),
        ({"schema": 1, "latent": {"psi": True}}, "latent.psi"),
        ({"schema": 1, "latent": {"psi": 9}}, "between -1 and 2"),
        ({"schema": 1, "latent": {"x": float("nan")}}, "latent.x"),
        ({"schema": 1, "latent": {"x": 10**400}}, "latent.x"),
        ({"schema": 1, "latent": {"cutoff": 1.5}}, "latent.cutoff"),
        ({"schema": 1, "transform": {"animate": "wobble"}}, "circle"),
        ({"schema": 1, "transform": {"scale": 0.0}}, "between 0.25 and 4"),
        ({"schema": 1, "transform": {"learned": "off"}}, "model, set"),
        ({"schema": 1, "transform": {"learned_animate": "circle"}}, "off, rotate, x, y"),
        ({"schema": 1, "transform": {"untransform": 1}}, "true or false"),
        ({"schema": 1, "recents": [1]}, "recents"),
        ({"schema": 1, "canvas": {"mode": "overlay"}}, "side, split, difference, blink"),
        ({"schema": 1, "canvas": {"divider": 1.5}}, "canvas.divider must be between 0 and 1"),
        ({"schema": 1, "canvas": {"gain": 0}}, "canvas.gain must be between 1 and 64"),
        ({"schema": 1, "canvas": {"rate": 60}}, "canvas.rate must be between 0.25 and 10"),
        ({"schema": 1, "linked": 1}, "linked must be true or false"),
        ({"schema": 1, "focus": "middle"}, "focus must be one of left, right"),
        ({"schema": 1, "right_latent": {"psi": 9}}, "right_latent.psi"),
        ({"schema": 1, "right_transform": None}, "right_transform"),
        ({"schema": 1, "latent": {"space": "x"}}, "latent.space must be one of w, z"),
        ({"schema": 1, "latent": {"mixed": [64]}}, "latent.mixed must hold whole numbers between 0 and 63"),
        ({"schema": 1, "latent": {"mixed": [0.5]}}, "latent.mixed must hold whole numbers"),
        ({"schema": 1, "latent": {"kept": 3}}, "latent.kept must be a JSON object"),
        ({"schema": 1, "latent": {"kept": {"type": "w"}}}, "latent.kept is not a latent"),
        ({"schema": 1, "latent": {"kept": {"type": "seeds", "x": 1e9, "y": 0, "space": "w"}}}, "latent.kept.x"),
        ({"schema": 1, "latent": {"kept": {"type": "file", "space": "q", "path": "", "digest": "0" * 64}}}, "w or z"),
        ({"schema": 1, "latent": {"kept": {"type": "file", "space": "w", "path": "", "digest": "x"}}}, "SHA-256"),
        ({"schema": 1, "latent": {"second": {"kept": {"type": "mixture"}}}}, "latent.second.kept"),
        ({"schema": 1, "latent": {"directions": {"kind": "ica"}}}, "directions.kind must be one of pca, closed-form"),
        ({"schema": 1, "latent": {"directions": {"steps": None}}}, "steps must be a list of at most 64 steps"),
        ({"schema": 1, "latent": {"directions": {"steps": [{}] * 65}}}, "at most 64 steps"),
        ({"schema": 1, "latent": {"directions": {"steps": [3]}}}, "steps[0] must be a JSON object of a direction"),
        ({"schema": 1, "named_directions": None}, "named_directions must be a list of at most 128 directions"),
        ({"schema": 1, "named_directions": [NAMED]}, "named_directions[0].direction must be a JSON object of kind"),
        ({"schema": 1, "named_directions": [NAMED | {"model": "x"}]}, "named_directions[0].model must be a SHA-256"),
        ({"schema": 1, "named_directions": [NAMED | {"name": "a\nb"}]}, "name must be a text of 1 to 40 characters"),
        (with_step(STEP | {"strength": 21}), "steps[0].strength must be a number between -20 and 20"),
        (with_step(STEP | {"strength": math.nan}), "steps[0].strength must be a number"),
        (with_step(STEP | {"direction": {}}), "direction must be a JSON object of kind, index, first, last"),
        (with_step(STEP | {"direction": DIRECTION | {"kind": "x"}}), "direction.kind must be one of pca"),
        (with_step(STEP | {"direction": DIRECTION | {"index": -1}}), "direction.index must be a whole number from 0"),
        (
            with_step(STEP | {"direction": DIRECTION | {"last": 64}}),
            "direction.last must be a whole number from 0 to 63",
        ),
        (with_step(STEP | {"direction": DIRECTION | {"kind": "file"}}), "direction.digest must be a SHA-256"),
    ],
)
def test_unfit_documents_are_refused_by_name(document: object, words: str) -> None:
    with pytest.raises(StateError) as caught:
        states.from_json(document)
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000, json.dumps({"schema": 1, "x": 1}).encode()])
def test_damaged_files_are_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)
    with pytest.raises(StateError) as caught:
        states.load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_choices_are_offered_as_they_are_accepted() -> None:
    words = choices_of(states.TransformState(), "animate")
    assert words[0] == "off" == states.TransformState().animate
    for word in words:
        assert states.from_json({"schema": 1, "transform": {"animate": word}}).transform.animate == word


def test_config_folder_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JINC_CONFIG", str(tmp_path))
    assert states.default_path() == tmp_path / "state.json"


def test_recents_are_newest_first_without_repeats() -> None:
    state = AppState()
    for name in [*map(str, range(20)), "3"]:
        state.remember(name)
    assert state.recents[:3] == ["3", "19", "18"] and len(state.recents) == states.RECENTS_LIMIT


def test_a_file_from_before_the_modes_opens_side_by_side_and_linked() -> None:
    old = states.to_json(AppState())
    for name in ("linked", "focus", "right_latent", "right_transform"):
        del old[name]
    old["canvas"] = {"zoom": 2.0, "pan_x": 0.0, "pan_y": 0.0, "nearest": False}
    state = states.from_json(old)
    assert (state.canvas.mode, state.canvas.divider, state.linked) == ("side", 0.5, True)
    assert state.latent_of("right") is state.latent and state.transform_of("right") is state.transform


def test_a_file_from_before_latents_were_objects_opens_on_the_same_point() -> None:
    old = states.to_json(AppState())
    for part in ("latent", "right_latent"):
        old[part] = {"x": 3.5, "y": 1.0, "animate": False, "speed": 0.25, "psi": 0.7, "cutoff": 2}
    state = states.from_json(old)
    assert state.latent.latent() == SeedPoint(3.5, 1.0, "w") and (state.latent.psi, state.latent.cutoff) == (0.7, 2)


def test_latents_inside_one_another_have_an_end() -> None:
    document: dict[str, object] = {"type": "seeds", "x": 0, "y": 0, "space": "w"}
    for _ in range(9):
        document = {"type": "mixture", "base": document, "other": document, "layers": [0]}
    with pytest.raises(ValueError, match="more than 8 latents inside one another"):
        read_latent("kept", document)


def test_unlinking_changes_nothing_until_one_side_moves() -> None:
    state = AppState()
    state.latent.x, state.transform.tx, state.right_latent.x = 7.0, 0.25, 99.0
    state.link(False)
    assert state.latent_of("right") == state.latent_of("left") == LatentState(x=7.0)
    assert state.transform_of("right") == state.transform_of("left") == states.TransformState(tx=0.25)
    state.latent_of("right").x, state.transform_of("left").tx = 8.0, 0.5
    assert (state.latent_of("left").x, state.transform_of("right").tx) == (7.0, 0.25)


@pytest.mark.parametrize(("focus", "x"), [("left", 7.0), ("right", 8.0)])
def test_linking_again_takes_the_focused_side_for_both(focus: states.Slot, x: float) -> None:
    state = AppState()
    state.link(False)
    state.latent_of("left").x, state.latent_of("right").x, state.focus = 7.0, 8.0, focus
    state.link(True)
    assert [state.latent_of(slot).x for slot in states.SLOTS] == [x, x]
    state.latent.x = 3.0
    state.link(True)  # linked already: nothing to take
    assert state.latent_of("right").x == 3.0


# What the fuzz harness (tests/fuzz/fuzzing.py) found.


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"latent": {"cutoff": 10**400}}, "latent.cutoff must be between"),
        ({"latent": {"label": -(10**4000)}}, "latent.label must be between"),
        ({"x" * 5000: 1}, "no setting called 'xxx"),
        ({"canvas": {"mode": "x" * 4000}}, "canvas.mode must be one of"),
        ({"canvas": {"\x1b[2J\n": 1}}, "no setting called"),
        ({"left": {"path": "a\0b"}}, "left.path must be a text"),
        ({"left": {"path": "x" * 5000}}, "left.path must be a text"),
        ({"recents": ["\ud800"]}, "half a character"),
        ({"latent": {"vector": 0.5}}, "latent.vector must be a list of at most"),
        ({"latent": {"vector": [0.0] * 5000}}, "latent.vector must be a list of at most"),
        ({"latent": {"vector": ["a"]}}, "latent.vector must hold numbers"),
        ({"latent": {"vector": [10**400]}}, "latent.vector must hold numbers"),
        ({"latent": {"vector": [math.nan]}}, "latent.vector must hold numbers"),
        ({"display": {"device": [[]]}}, "display.device must be a text, not a list"),
    ],
    ids=range(14),
)
def test_wild_values_are_one_sentence(tmp_path: Path, document: dict[str, Any], words: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"schema": 1, **document}))
    with pytest.raises(StateError, match=words) as caught:
        states.load(path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 600


def test_names_that_are_no_utf_8_survive(tmp_path: Path) -> None:
    """Linux has such files."""
    state = AppState()
    state.remember(b"caf\xe9.pkl".decode("utf-8", "surrogateescape"))
    states.save(state, tmp_path / "state.json")
    assert states.load(tmp_path / "state.json") == state


def test_a_state_without_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text('{"schema": 1, "recents": [' + '"",' * (states.LARGEST_FILE // 3) + '""]}')
    with pytest.raises(StateError, match="damaged"):
        states.load(path)


def test_a_state_that_would_not_be_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, state = tmp_path / "state.json", AppState()
    states.save(state, path)
    before = path.read_bytes()
    state.latent.vector = [0.123456789] * 4096
    monkeypatch.setattr(states, "LARGEST_FILE", 70_000)
    states.save(state, path)
    assert states.load(path) == state and len(path.read_text().splitlines()) == 1, "a line for each number is too much"
    states.save(AppState(), path)
    assert path.read_bytes() == before and len(path.read_text().splitlines()) > 100
    state.right_latent.vector = state.latent.vector
    with pytest.raises(StateError, match="more than the .* MiB that are read again"):
        states.save(state, path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == [path.name], "the last good one stays"


def test_texts_that_cannot_be_paths_are_not_saved() -> None:
    """Whoever pastes a page into a path's field has still a state that can be read again."""
    state = AppState()
    state.left.path, state.right.path, state.training.source = "x" * 5000, "a\0b", "\ud800"
    state.recents = ["/good.pkl", "y" * 5000]
    found = states.from_json(states.to_json(state))
    assert (found.left.path, found.right.path, found.training.source, found.recents) == ("", "", "", ["/good.pkl"])
    assert state.left.path == "x" * 5000, "what is shown stays"
