# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Where the playhead comes to rest, and what is keyed there."""

from types import SimpleNamespace
from typing import Any

import pytest

from gan.networks.ladder import rung_config
from viz.core.layer_info import breaks_when_turned
from viz.core.state import AppState
from viz.core.timeline_state import Key, Timeline, Track
from viz.record import timeline_edits as edits
from viz.record.timeline_templates import TEMPLATES, put_template
from viz.ui import timelining


def test_the_playhead_rests_on_a_key_that_is_at_no_hundredth() -> None:
    state = AppState()
    state.playback.seeds = 7
    state.timeline = put_template(state, TEMPLATES[0])  # keys at sevenths of 6 s
    for key in state.timeline.tracks[0].keys:
        timelining.scrub(state, key.seconds + 0.004)
        assert state.playback.seconds == key.seconds
        state.timeline = edits.key_now(state, ["latent"], state.playback.seconds)
    assert len(state.timeline.tracks[0].keys) == 7, "no second key beside one"
    timelining.scrub(state, 0.8512)
    assert state.playback.seconds == 0.85


def test_the_playhead_of_a_loop_stays_before_its_end() -> None:
    state = AppState()
    for loop, last in ((True, 5.99), (False, 6.0)):
        state.timeline = Timeline((Track("gain", (Key(0.0, (1.0,)), Key(6.0, (2.0,)))),), 6.0, loop)
        timelining.scrub(state, 6.0)
        assert state.playback.seconds == last


@pytest.mark.parametrize(("letter", "breaks"), [("A", False), ("B", True), ("H", True), ("T", True), ("R", False)])
def test_what_falls_apart_when_turned(letter: str, breaks: bool) -> None:
    assert breaks_when_turned(rung_config(letter, 64)) is breaks


def test_full_turn_names_the_models_that_it_breaks() -> None:
    state = AppState()
    state.left.path, state.right.path = "b.safetensors", "r.safetensors"
    rungs = {"left": "B", "right": "R"}
    context: Any = SimpleNamespace(facts=lambda slot: SimpleNamespace(config=rung_config(rungs[slot], 64)))
    said = {template.title: timelining.explain_turn(state, context, template) for template in TEMPLATES}
    assert {title for title, sentence in said.items() if sentence} == {"Full turn"}
    assert said["Full turn"] == "b is not made to be turned, and will fall apart; rung R is."
    rungs["right"] = "T"
    turn = next(template for template in TEMPLATES if template.title == "Full turn")
    assert timelining.explain_turn(state, context, turn).startswith("b and r are not made")
    rungs["left"] = rungs["right"] = "R"
    assert timelining.explain_turn(state, context, turn) == ""
    state.linked, state.focus, rungs["left"] = False, "right", "B"
    assert timelining.explain_turn(state, context, turn) == "", "the turn is the right one's alone"
    context.facts = lambda slot: None  # nothing has come yet
    assert timelining.explain_turn(state, context, turn) == ""
