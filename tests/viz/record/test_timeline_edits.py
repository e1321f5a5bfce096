# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Edits of a timeline and its templates; whatever is done to it can be undone, bit for bit."""

import contextlib
import json
import random

import pytest

from viz.core import gestures
from viz.core import state as states
from viz.core.history import History
from viz.core.latent import Mixture, SeedPoint, WeightedSum
from viz.core.state import AppState
from viz.core.timeline import at, play, show
from viz.core.timeline_state import MOST_KEYS, MOST_SECONDS, PROPERTIES, Key, Timeline, Track, check_timeline
from viz.record import timeline_edits as edits
from viz.record.timeline_templates import TEMPLATES, put_template


def written(state: AppState) -> str:
    return json.dumps(states.to_json(state))


def make(*seconds: float, name: str = "rotation") -> Timeline:
    return Timeline((Track(name, tuple(Key(time, (10.0 * time,)) for time in seconds)),))


def times(timeline: Timeline, name: str = "rotation") -> list[float]:
    track = timeline.track(name)
    return [key.seconds for key in track.keys] if track else []


def edit(rng: random.Random, state: AppState) -> None:
    """Do one of all things that the panel does."""
    timeline = state.timeline
    every = [(track.name, key.seconds) for track in timeline.tracks for key in track.keys]
    chosen = rng.sample(every, min(len(every), rng.randrange(4)))
    match rng.randrange(12):
        case 0:
            state.timeline = edits.key_now(state, rng.sample(list(PROPERTIES), 3), state.playback.seconds)
        case 1:
            state.timeline = edits.move_keys(timeline, chosen, rng.uniform(-3, 3), copy=rng.random() < 0.3)
        case 2:
            state.timeline = edits.remove_keys(timeline, chosen)
        case 3:
            state.timeline = edits.ease_keys(timeline, chosen, rng.choice(["smooth", "linear", "constant"]))
        case 4:
            copied = edits.copy_keys(timeline, chosen)
            state.timeline = edits.paste_keys(timeline, copied, state.playback.seconds)
        case 5:
            state.timeline = edits.set_length(timeline, rng.uniform(0.05, 10.0))
        case 6:
            state.timeline = edits.set_loop(timeline, rng.random() < 0.5)
        case 7:
            state.timeline = put_template(state, rng.choice(TEMPLATES))
        case 8:
            state.playback.playing = not state.playback.playing
        case 9:
            state.link(not state.linked)
        case 10:
            gestures.rotate(state.transform_of(state.focus), rng.uniform(-90, 90))
            state.latent_of(state.focus).x = rng.choice([0.0, -0.0, rng.uniform(0, 99)])
        case _:
            state.playback.seconds = round(rng.uniform(0, state.timeline.seconds), 2)
            show(state.timeline, state, state.playback.seconds)


@pytest.mark.parametrize("seed", range(2))
def test_500_random_edits_are_undone_bit_for_bit(seed: int) -> None:
    rng, state = random.Random(seed), states.default_state()
    history, first = History({"state": state}), written(state)
    seen = set()
    for _ in range(500):
        with contextlib.suppress(ValueError):  # a sentence in the status bar: no room, or a latent of too many others
            edit(rng, state)
        history.is_held = rng.random() < 0.2
        with history.by_itself():
            play(state, rng.choice([0.02, 0.5]))
        check_timeline(state.timeline)
        seen.add(written(state))
    history.is_held = False
    history.follow()
    last, steps = written(state), 0
    while history.undo():
        steps += 1
    assert steps > 200 and len(seen) > 300
    start, seconds = json.loads(written(state)), json.loads(first)
    start["playback"].pop("seconds"), seconds["playback"].pop("seconds")  # the playhead alone makes no step
    assert start == seconds
    while history.redo():
        pass
    again = json.loads(written(state))
    assert again["timeline"] == json.loads(last)["timeline"]


def test_keys_move_together_and_not_beyond_the_ends() -> None:
    timeline = make(1.0, 2.0, 4.0)
    chosen = [("rotation", 1.0), ("rotation", 2.0)]
    assert times(edits.move_keys(timeline, chosen, -3.0)) == [0.0, 1.0, 4.0]
    assert times(edits.move_keys(timeline, chosen, 2.0)) == [3.0, 4.0], "the one that was there gives way"
    assert times(edits.move_keys(timeline, chosen, 1e9))[-1] == MOST_SECONDS
    assert times(edits.move_keys(timeline, chosen, 0.5, copy=True)) == [1.0, 1.5, 2.0, 2.5, 4.0]
    assert edits.move_keys(timeline, [("rotation", 3.0)], 1.0) == timeline
    shifted = edits.move_keys(timeline, [("rotation", 1.0)], 1.5).track("rotation")
    assert shifted is not None and [key.values for key in shifted.keys] == [(20.0,), (10.0,), (40.0,)]


def test_a_track_ends_with_its_last_key() -> None:
    assert edits.remove_keys(make(1.0), [("rotation", 1.0)]).tracks == ()
    assert times(edits.remove_keys(make(1.0, 2.0), [("rotation", 2.0001), ("scale", 1.0)])) == [1.0]


def test_a_new_key_takes_the_easing_of_the_one_before_it() -> None:
    state = AppState(timeline=edits.ease_keys(make(1.0, 3.0), [("rotation", 1.0)], "linear"))
    for seconds, easing in ((0.5, "linear"), (1.0, "linear"), (2.0, "linear"), (4.0, "smooth")):
        key = edits.find_key(edits.key_now(state, ["rotation"], seconds), "rotation", seconds)
        assert key is not None and key.easing == easing


def test_what_is_keyed_depends_on_what_is_shown() -> None:
    state = AppState()
    assert not {"left model", "right model", "right latent"} & set(edits.list_properties(state))
    state.left.path, state.linked = "/a", False
    assert {"left model", "right latent", "right scale"} <= set(edits.list_properties(state))
    assert edits.list_listed(AppState()) == list(edits.MOVES)
    assert edits.list_listed(AppState(timeline=make(1.0))) == ["rotation"]
    state.focus = "right"
    assert edits.list_listed(state) == [f"right {name}" for name in edits.MOVES], "what the panels edit"
    state.linked = True
    assert edits.list_listed(state) == list(edits.MOVES)


def test_a_loop_gets_longer_for_the_way_back_from_keys_at_its_end() -> None:
    open_ended = Timeline(make(0.0, 3.0, 6.0).tracks, 6.0, False)
    loop = edits.set_loop(open_ended, True)
    assert loop.loop and loop.seconds == 9.0
    assert edits.set_loop(Timeline(make(0.0, 3.0).tracks, 6.0, False), True).seconds == 6.0
    assert edits.set_loop(loop, False) == Timeline(loop.tracks, 9.0, False)


def test_copies_come_at_the_playhead_in_their_order() -> None:
    copied = edits.copy_keys(make(1.0, 2.5, 4.0), [("rotation", 2.5), ("rotation", 4.0)])
    assert times(edits.paste_keys(make(1.0), copied, 3.0)) == [1.0, 3.0, 4.5]
    assert times(edits.paste_keys(make(1.0), copied, MOST_SECONDS)) == [1.0, MOST_SECONDS]
    full = Timeline((Track("gain", tuple(Key(float(i), (4.0,)) for i in range(MOST_KEYS))),))
    with pytest.raises(ValueError, match="full"):
        edits.paste_keys(full, copied, 0.0)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.title)
@pytest.mark.parametrize("linked", [True, False])
def test_templates_are_loops_that_move_one_property_and_are_kept_in_files(template: object, linked: bool) -> None:
    chosen = next(one for one in TEMPLATES if one is template)
    state = states.default_state()
    state.link(linked)
    state.focus = "right"
    state.timeline = edits.put_track(state.timeline, Track("gain", (Key(0.0, (4.0,)),)))
    state.timeline = put_template(state, chosen)
    (track,) = (track for track in state.timeline.tracks if track.name != "gain")
    assert track.name.startswith("right") == (not linked or chosen.title == "Rung by rung")
    assert state.timeline.loop and len({key.values for key in track.keys}) == len(track.keys) > 1
    assert states.from_json(json.loads(written(state))).timeline == state.timeline
    shown = [written(at(state.timeline, state, seconds)) for seconds in (0.0, 2.9, 6.0)]
    assert shown[0] == shown[2] != shown[1]


def test_the_circle_is_round_and_begins_at_the_picture() -> None:
    state = AppState()
    state.transform.tx, state.playback.radius = 0.3, 0.2
    timeline = put_template(state, TEMPLATES[2])
    for step in range(48):
        transform = at(timeline, state, step / 8).transform
        radius = ((transform.tx - 0.1) ** 2 + transform.ty**2) ** 0.5
        assert radius == pytest.approx(0.2, rel=0.02)
    assert at(timeline, state, 0.0).transform.tx == 0.3


def test_the_loop_stays_near_its_latent() -> None:
    state = AppState()
    state.latent.show(Mixture(SeedPoint(5.0), SeedPoint(8.0), (0, 1)))
    timeline = put_template(state, TEMPLATES[1])
    for step in range(1, 30):
        latent = at(timeline, state, 0.2 * step + 0.01).latent.latent()
        assert isinstance(latent, WeightedSum)
        assert sum(weight for _, weight in latent.parts) == pytest.approx(1.0)
        assert all(part.amount == state.playback.spread for part, _ in latent.parts)  # type: ignore[union-attr]


def test_times_that_are_equal_on_paper_are_equal() -> None:
    timeline = edits.put_track(make(0.1, 1.0), Track("gain", (Key(0.3, (1.0,)),)))
    moved = edits.move_keys(timeline, [("rotation", 0.1)], 0.2)
    assert times(moved)[0] == times(moved, "gain")[0] == 0.3, "0.1 + 0.2 is dragged along with the key at 0.3"
    pasted = edits.paste_keys(timeline, edits.copy_keys(moved, [("rotation", 0.3), ("rotation", 1.0)]), 0.1)
    assert times(pasted) == [0.1, 0.8, 1.0]
