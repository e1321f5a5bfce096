# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Where the playhead comes to rest, and what is keyed there."""

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
