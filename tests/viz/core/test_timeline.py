# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The timeline: exact at keys, without corners, loops without seams, and what files may hold."""

import json
import math
import random
from dataclasses import replace
from operator import attrgetter
from typing import Any

import numpy as np
import pytest

from gan.hub.resolve import list_bundled_files
from viz.core import state as states
from viz.core.bookmarks import capture, restore
from viz.core.latent import Blend, Direction, FileLatent, Latent, Mixture, Moved, SeedPoint, Step, WeightedSum
from viz.core.latent_state import LatentState
from viz.core.state import AppState, StateError
from viz.core.timeline import at, list_times, play, read_values
from viz.core.timeline_state import MOST_KEYS, PROPERTIES, Key, Timeline, Track, check_timeline

FILE = FileLatent("w", "/folder/w.npz", "0123456789abcdef" * 4)
STEP = Step(Direction("pca", 1), 2.5)


def numbers(name: str, *keys: tuple[float, float], easing: str = "smooth", loop: bool = True) -> Timeline:
    """A timeline of 6 s with keys (seconds, first number) of a property."""
    rest = (1.0, 0.0, False) if name == "scale" else (0,) if name == "truncation" else ()
    others = (0.0,) if name == "translation" else rest
    track = Track(name, tuple(Key(seconds, (value, *others), easing) for seconds, value in keys))
    return Timeline((track,), 6.0, loop)


def value(timeline: Timeline, setting: str, seconds: float) -> Any:
    return attrgetter(setting)(at(timeline, AppState(), seconds))


def random_state(rng: random.Random) -> AppState:
    """A state with every property at random."""
    state = AppState(linked=False)
    for latent, transform in ((state.latent, state.transform), (state.right_latent, state.right_transform)):
        point: Latent = SeedPoint(rng.uniform(0, 99), rng.uniform(0, 99), rng.choice(["w", "z"]))
        mixture = Mixture(point, Blend(FILE, SeedPoint(3.0), 0.25), (1, 4))
        latent.show(rng.choice([point, FILE, mixture, Moved(point, (STEP,)), Moved(mixture, (STEP,))]))
        latent.psi, latent.cutoff, latent.label = rng.uniform(-1, 2), rng.randrange(9), rng.randrange(100)
        latent.label_kind, latent.vector = rng.choice(["class", "vector"]), [rng.uniform(-5, 5) for _ in range(3)]
        transform.tx, transform.ty, transform.degrees = (rng.uniform(-4, 4) for _ in range(3))
        transform.degrees = rng.uniform(-180, 180)
        transform.scale, transform.stretch, transform.shear = (rng.uniform(0.3, 2) for _ in range(3))
        transform.mirror, transform.untransform = rng.random() < 0.5, rng.random() < 0.5
        transform.learned, transform.learned_degrees = "set", rng.uniform(-180, 180)
    state.noise.mode, state.noise.seed, state.noise.strength = "random", rng.uniform(0, 50), rng.uniform(0, 2)
    state.canvas.mode, state.canvas.divider = rng.choice(["side", "split", "blink"]), rng.random()
    state.canvas.gain, state.canvas.zoom = rng.uniform(1, 64), rng.uniform(0.1, 20)
    state.canvas.pan_x, state.canvas.pan_y = rng.uniform(-3, 3), rng.uniform(-3, 3)
    state.left.path, state.right.path = rng.choice(["", "/a 猫"]), str(list_bundled_files()[0])
    return state


@pytest.mark.parametrize("loop", [True, False])
@pytest.mark.parametrize("easing", ["smooth", "linear", "constant"])
def test_a_key_brings_back_all_that_was_keyed_to_the_last_bit(easing: str, loop: bool) -> None:
    rng = random.Random(1)
    shown = {seconds: random_state(rng) for seconds in (0.4, 1.0, 2.7, 5.5)}
    tracks = []
    for name in PROPERTIES:
        keys: list[Key] = []
        for seconds, state in shown.items():
            keys.append(Key(seconds, read_values(state, name, keys[-1] if keys else None), easing))
        tracks.append(Track(name, tuple(keys)))
    timeline = check_timeline(Timeline(tuple(tracks), 6.0, loop))
    for seconds, state in shown.items():
        found = at(timeline, AppState(linked=False), seconds)
        for name in set(PROPERTIES) - {"rotation", "right rotation", "learned", "right learned"}:
            assert read_values(found, name) == read_values(state, name), name
        for setting in ("transform.degrees", "transform.learned_degrees", "right_transform.degrees"):
            assert attrgetter(setting)(found) == pytest.approx(attrgetter(setting)(state), abs=1e-9)
    assert len(tracks[0].property.settings) == 1 and "file" in json.dumps(states.to_json(AppState(timeline=timeline)))


@pytest.mark.parametrize("seed", range(4))
def test_a_smooth_loop_has_no_corner_and_no_jump(seed: int) -> None:
    """Value and slope are continuous at every key and over the seam; numeric slopes from both sides agree."""
    rng = random.Random(seed)
    times = sorted(rng.sample(range(60), rng.randint(2, 7)))
    timeline = numbers("translation", *((time / 10, rng.uniform(-1, 1)) for time in times))
    step = 1e-5
    for key in (*timeline.tracks[0].keys, Key(0.0, ()), Key(6.0, ())):
        before, here, after = (value(timeline, "transform.tx", key.seconds + d) for d in (-step, 0.0, step))
        assert abs(after - here) < 1e-3 and abs(here - before) < 1e-3
        assert (after - here) / step == pytest.approx((here - before) / step, abs=2e-3)


def test_a_smooth_way_runs_into_a_straight_one_without_a_corner() -> None:
    keys = (
        Key(0.0, (0.0, 0.0)),
        Key(2.0, (1.0, 0.0), "linear"),
        Key(4.0, (1.5, 0.0)),
        Key(5.0, (0.0, 0.0), "constant"),
    )
    timeline, step = Timeline((Track("translation", keys),), 6.0, False), 1e-6
    for seconds, slope in ((2.0, 0.25), (4.0, 0.25)):
        for d in (-step, step):
            found = (value(timeline, "transform.tx", seconds + d) - value(timeline, "transform.tx", seconds)) / d
            assert found == pytest.approx(slope, abs=1e-3)


def test_a_fast_straight_way_throws_no_number_beyond_its_keys() -> None:
    def at_each(*gains: tuple[float, float]) -> list[float]:
        keys = [Key(seconds, (gain,)) for seconds, gain in gains]
        timeline = Timeline((Track("gain", (replace(keys[0], easing="linear"), *keys[1:])),), 4.0, False)
        return [value(timeline, "canvas.gain", s / 100) for s in range(401)]

    assert max(at_each((0.0, 1.0), (0.1, 32.0), (4.0, 32.0))) == 32.0, "two equal keys hold"
    assert max(at_each((0.0, 1.0), (0.1, 32.0), (4.0, 40.0))) == 40.0
    assert max(at_each((0.0, 8.0), (0.06, 42.0), (2.0, 37.0))) < 45.0, "it turns around near its key"


def test_latents_over_the_plane_go_through_w_where_one_is_no_point_of_it() -> None:
    seeds = [SeedPoint(float(place), 0.0) for place in range(3)]
    for place in range(4):
        latents = [*seeds[:place], Mixture(seeds[0], seeds[1], (1,)), *seeds[place:]]
        keys = tuple(Key(float(s), (latent,)) for s, latent in enumerate(latents))
        timeline = Timeline((Track("latent", keys, "plane"),), 4.0, True)
        found = [at(timeline, AppState(), place + s / 10).latent.latent() for s in range(1, 10)]
        assert all(isinstance(latent, WeightedSum) for latent in found)


def test_linear_is_straight_and_constant_holds() -> None:
    line = numbers("translation", (1.0, 0.0), (3.0, 1.0), easing="linear", loop=False)
    assert [value(line, "transform.tx", s) for s in (0, 1, 1.5, 2, 3, 5)] == pytest.approx([0, 0, 0.25, 0.5, 1, 1])
    held = numbers("translation", (1.0, 0.25), (3.0, 1.0), easing="constant")
    assert [value(held, "transform.tx", s) for s in (0.5, 1, 2, 2.999, 3, 5.9)] == [1.0, 0.25, 0.25, 0.25, 1.0, 1.0]


def test_the_ends_of_a_timeline_that_is_no_loop_are_approached_at_rest() -> None:
    eased = numbers("translation", (1.0, 0.0), (3.0, 1.0), loop=False)
    assert value(eased, "transform.tx", 1.01) < 1e-4 and value(eased, "transform.tx", 2.99) > 1 - 1e-4
    assert value(eased, "transform.tx", 2.0) == pytest.approx(0.5)


def test_equal_keys_hold_and_no_number_passes_its_keys() -> None:
    timeline = numbers("translation", (0.0, 0.5), (1.0, 0.5), (2.0, 2.0), (3.5, 2.0), (5.0, -1.0))
    found = [value(timeline, "transform.tx", s / 50) for s in range(300)]
    assert found[:51] == [0.5] * 51 and min(found) == -1.0 and max(found) == 2.0


@pytest.mark.parametrize("seed", range(5))
def test_the_frame_after_the_last_one_is_the_first(seed: int) -> None:
    rng = random.Random(seed)
    tracks = []
    for name in PROPERTIES:
        keys: list[Key] = []
        for seconds in sorted(rng.sample([i / 8 for i in range(48)], 4)):
            keys.append(Key(seconds, read_values(random_state(rng), name, keys[-1] if keys else None)))
        tracks.append(Track(name, tuple(keys)))
    timeline = Timeline(tuple(tracks), 6.0, True)
    base = random_state(rng)
    first, after = states.to_json(at(timeline, base, 0.0)), states.to_json(at(timeline, base, 6.0))
    assert first == after
    near = at(timeline, base, 6.0 - 1e-7)
    for setting in ("transform.tx", "canvas.pan_x", "canvas.zoom", "latent.psi", "noise.seed", "canvas.divider"):
        seam = abs(attrgetter(setting)(near) - attrgetter(setting)(at(timeline, base, 0.0)))
        assert seam < 1e-4, setting
    turned = near.transform.degrees - at(timeline, base, 0.0).transform.degrees
    assert abs((turned + 180) % 360 - 180) < 1e-3


@pytest.mark.parametrize("fps", [24.0, 30.0, 29.97, 7.3])
def test_frames_divide_a_loop_evenly(fps: float) -> None:
    times = list_times(Timeline(seconds=6.0), fps)
    assert len(times) == round(6 * fps) and times[0] == 0.0
    assert np.allclose(np.diff([*times, 6.0]), 6.0 / len(times), atol=1e-12)


def test_scales_go_by_factors_and_angles_by_turns() -> None:
    assert value(numbers("scale", (0, 0.5), (2, 2.0), easing="linear"), "transform.scale", 1.0) == pytest.approx(1.0)
    two = numbers("rotation", (0, 0.0), (4, 720.0), easing="linear", loop=False)
    assert [value(two, "transform.degrees", s) for s in (0.5, 1.5, 2, 4)] == pytest.approx([90, -90, 0, 0])
    full = numbers("rotation", (0, 0.0), (2, 120.0), (4, 240.0), easing="linear")
    assert [value(full, "transform.degrees", s) for s in (1, 3, 5)] == pytest.approx([60, 180, -60])
    half = numbers("rotation", (0, 10.0), (3, 190.0), easing="linear")
    assert value(half, "transform.degrees", 4.5) == pytest.approx(-80.0), "half a turn goes on as it came"
    back = numbers("rotation", (0, 0.0), (3, 90.0), easing="linear")
    assert value(back, "transform.degrees", 4.5) == pytest.approx(45.0)


def test_an_angle_is_keyed_the_shorter_way_from_the_key_before() -> None:
    state = AppState()
    state.transform.degrees = -170.0
    assert read_values(state, "rotation", Key(0.0, (170.0,))) == (190.0,)
    assert read_values(state, "rotation", Key(0.0, (530.0,))) == (550.0,)


def test_the_place_that_is_magnified_moves_evenly() -> None:
    keys = (Key(0.0, (1.0, 0.0, 0.0), "linear"), Key(4.0, (16.0, -8.0, 4.0), "linear"))
    found = at(Timeline((Track("magnification", keys),), 6.0, False), AppState(), 2.0).canvas
    assert (found.zoom, found.pan_x / found.zoom, found.pan_y / found.zoom) == pytest.approx((4.0, -0.25, 0.125))


def test_latents_go_through_w_by_weights_that_add_up_to_one() -> None:
    latents: tuple[Latent, ...] = (SeedPoint(1.0), FILE, Moved(SeedPoint(5.0), (STEP,)), SeedPoint(9.0, 0.0, "z"))
    track = Track("latent", tuple(Key(1.5 * i, (latent,)) for i, latent in enumerate(latents)))
    timeline = Timeline((track,), 6.0, True)
    shown = at(timeline, AppState(), 2.0).latent.latent()
    assert isinstance(shown, WeightedSum) and len(shown.parts) == 4
    assert sum(weight for _, weight in shown.parts) == pytest.approx(1.0, abs=1e-12)
    assert at(timeline, AppState(), 3.0).latent.latent() == latents[2]
    line = Timeline((replace(track, keys=tuple(replace(key, easing="linear") for key in track.keys)),), 6.0, True)
    half = at(line, AppState(), 0.75).latent.latent()
    assert half == WeightedSum(((latents[0], 0.5), (latents[1], 0.5)))
    mixed = AppState()
    mixed.latent.mixed, mixed.latent.second.x = [2, 3], 40.0
    at(timeline, mixed, 2.0).latent.latent()
    assert at(timeline, mixed, 2.0).latent.latent() == shown, "what was mixed in before is not mixed in again"
    assert states.from_json(json.loads(json.dumps(states.to_json(at(timeline, mixed, 2.0))))).latent.latent() == shown


def test_the_weights_of_a_walk_through_w_have_no_corners() -> None:
    latents = (SeedPoint(1.0), SeedPoint(5.0), SeedPoint(9.0))
    times, step = (0.0, 1.0, 4.0), 1e-5
    track = Track("latent", tuple(Key(time, (latent,)) for time, latent in zip(times, latents, strict=True)))

    def weights(seconds: float) -> np.ndarray:
        latent = at(Timeline((track,), 6.0, True), AppState(), seconds).latent.latent()
        parts = dict(latent.parts) if isinstance(latent, WeightedSum) else {latent: 1.0}
        return np.array([parts.get(one, 0.0) for one in latents])

    for time in (*times, 6.0):
        slopes = [(weights(time + d) - weights(time)) / d for d in (-step, step)]
        assert np.allclose(*slopes, atol=1e-3) and np.abs(slopes).max() > 0.05


@pytest.mark.parametrize("seed", range(20))
def test_weights_stay_sane_however_close_keys_are_and_go_into_a_state_file(seed: int) -> None:
    rng = random.Random(seed)
    latents = [SeedPoint(float(place)) for place in range(rng.randint(2, 5))]
    times = {0.0, *(round(10 ** rng.uniform(-3, 1), 3) for _ in range(5)), round(10 - 10 ** rng.uniform(-3, 0), 3)}
    easings = ["smooth"] * rng.choice([1, 6]) + ["linear"]
    keys = tuple(Key(time, (rng.choice(latents),), rng.choice(easings)) for time in sorted(times))
    timeline = check_timeline(Timeline((Track("latent", keys),), 10.0, rng.random() < 0.5))
    for start, end in zip(keys, (*keys[1:], Key(10.0, ())), strict=True):
        for place in range(20):
            shown = at(timeline, AppState(), start.seconds + place / 20 * (end.seconds - start.seconds))
            latent = shown.latent.latent()
            weights = [weight for _, weight in latent.parts] if isinstance(latent, WeightedSum) else [1.0]
            assert -0.5 - 1e-9 <= min(weights) and max(weights) <= 1.5 + 1e-9 and sum(weights) == pytest.approx(1.0)
        assert states.from_json(json.loads(json.dumps(states.to_json(shown)))) == shown


def test_two_close_keys_throw_no_latent_far_away() -> None:
    latents = [SeedPoint(float(place)) for place in range(3)]
    for times in ((0.0, 1 / 60, 15.0), (0.0, 0.001, 10.0), (0.0, 9.999, 10.0)):
        keys = tuple(Key(round(time, 6), (latent,)) for time, latent in zip(times, latents, strict=True))
        state = AppState(timeline=check_timeline(Timeline((Track("latent", keys),), 20.0, False)))
        state.playback.playing = True
        for _ in range(30):
            play(state, 0.5)
            assert states.from_json(states.to_json(state)).latent == state.latent
            for _, weight in getattr(state.latent.latent(), "parts", ()):
                assert -0.5 <= weight <= 1.5


def test_seeds_may_walk_over_the_plane() -> None:
    keys = tuple(Key(2.0 * i, (SeedPoint(x, y),), "linear") for i, (x, y) in enumerate([(0.0, 0.0), (4.0, 2.0)]))
    timeline = Timeline((Track("latent", keys, "plane"),), 6.0, False)
    assert at(timeline, AppState(), 1.0).latent.latent() == SeedPoint(2.0, 1.0)


@pytest.mark.parametrize("seed", range(20))
def test_showing_a_latent_inverts_what_the_settings_show(seed: int) -> None:
    latent = random_state(random.Random(seed)).latent
    shown = LatentState(mixed=[9], second=LatentState(x=77.0))
    shown.show(latent.latent())
    assert shown.latent() == latent.latent()
    assert (shown.mixed, shown.directions.steps) == (latent.mixed, latent.directions.steps)


def test_models_are_keyed_by_the_names_of_those_that_come_along() -> None:
    path = list_bundled_files()[0]
    state = AppState()
    state.left.path = str(path)
    assert read_values(state, "left model") == (path.stem,)
    timeline = Timeline((Track("left model", (Key(0.0, (path.stem,)), Key(3.0, ("/my/own.pkl",)))),), 6.0, True)
    assert [at(timeline, AppState(), s).left.path for s in (1.0, 4.0)] == [str(path), "/my/own.pkl"]


def test_a_state_stays_as_it_was() -> None:
    timeline, state = numbers("translation", (0.0, 0.0), (3.0, 1.0)), AppState()
    before = states.to_json(state)
    at(timeline, state, 1.0)
    assert states.to_json(state) == before


def test_playing_keeps_to_the_clock_and_passes_over_frames() -> None:
    """Frames of half a second come to the same times as those of 1/60 s: nothing slows down."""
    for frame in (1 / 60, 0.5, 2.5):
        state = AppState(timeline=numbers("translation", (0.0, 0.0), (3.0, 1.0)))
        state.playback.playing = True
        for _ in range(round(10.0 / frame)):
            play(state, frame)
        assert state.playback.seconds == pytest.approx(10.0 % 6.0) and state.playback.playing
        assert state.transform.tx == pytest.approx(value(state.timeline, "transform.tx", 4.0))


def test_what_is_no_loop_stops_at_its_end() -> None:
    state = AppState(timeline=numbers("translation", (0.0, 0.0), (3.0, 1.0), loop=False))
    state.playback.playing = True
    play(state, 5.0)
    assert state.playback.playing
    play(state, 5.0)
    assert not state.playback.playing and state.playback.seconds == 6.0 and state.transform.tx == 1.0


def test_keys_that_a_loop_never_comes_to_are_passed_over() -> None:
    timeline = numbers("translation", (0.0, 0.0), (2.0, 1.0), (6.0, 4.0), (9.0, 4.0))
    assert max(value(timeline, "transform.tx", s / 10) for s in range(60)) <= 1.0
    only = numbers("translation", (7.0, 0.5))
    assert value(only, "transform.tx", 3.0) == 0.5


def written(timeline: Timeline) -> Any:
    return json.loads(json.dumps(states.to_json(AppState(timeline=timeline))))


def test_a_state_file_keeps_it() -> None:
    rng = random.Random(3)
    tracks = tuple(Track(name, (Key(1.5, read_values(random_state(rng), name), "linear"),)) for name in PROPERTIES)
    timeline = Timeline(tracks, 12.5, False)
    assert states.from_json(written(timeline)).timeline == timeline
    old = written(timeline)
    del old["timeline"], old["playback"]
    assert states.from_json(old).timeline == Timeline()


NONSENSE: list[tuple[tuple[Any, ...], Any]] = [
    ((), None),
    ((), []),
    ((), {"tracks": []}),
    (("seconds",), 0),
    (("seconds",), float("nan")),
    (("seconds",), "6"),
    (("loop",), 1),
    (("tracks",), {}),
    (("tracks", 0), None),
    (("tracks", 0, "name"), "nothing"),
    (("tracks", 0, "name"), []),
    (("tracks", 0, "through"), "z"),
    (("tracks", 0, "through"), []),
    (("tracks", 0, "keys"), []),
    (("tracks", 0, "keys", 0), 3),
    (("tracks", 0, "keys", 0, "seconds"), -1.0),
    (("tracks", 0, "keys", 0, "seconds"), True),
    (("tracks", 0, "keys", 0, "seconds"), 3.0001),
    (("tracks", 0, "keys", 0, "easing"), {}),
    (("tracks", 0, "keys", 0, "values"), [1.0]),
    (("tracks", 0, "keys", 0, "values"), [1.0, float("inf")]),
    (("tracks", 0, "keys", 0, "values"), [1.0, None]),
    (("tracks", 0, "keys", 0, "values"), [1.0, "a\ud800"]),
    (("tracks", 0, "keys", 0, "values"), [1.0, ["x"]]),
    (("tracks", 0, "keys", 0, "values"), [1.0, 10**400]),
]


@pytest.mark.parametrize(("where", "nonsense"), NONSENSE, ids=str)
def test_nonsense_in_a_file_is_one_sentence(where: tuple[Any, ...], nonsense: Any) -> None:
    document = written(numbers("translation", (0.0, 0.0), (3.0, 1.0)))
    owner: Any = document
    for part in ("timeline", *where)[:-1]:
        owner = owner[part]
    owner[("timeline", *where)[-1]] = nonsense
    with pytest.raises(StateError, match="timeline"):
        states.from_json(document)


def test_values_of_another_kind_change_nothing() -> None:
    """A file that is right in form and wrong in meaning shows what there was, whatever it keys."""
    kinds: list[Any] = [0.5, -3, True, "words", (1.0, 2.0), 1e30, -1e30, ()]
    rng = random.Random(5)
    for _ in range(100):
        tracks = []
        for name in set(PROPERTIES) - {"latent", "right latent"}:
            count = len(PROPERTIES[name].settings)
            keys = (Key(t, tuple(rng.choice(kinds) for _ in range(count)), "smooth") for t in (0.0, 1.0, 2.5, 4.0))
            tracks.append(Track(name, tuple(keys)))
        timeline = Timeline(tuple(tracks), 6.0, rng.random() < 0.5)
        shown = at(timeline, AppState(), rng.uniform(0, 6))
        found = json.loads(json.dumps(states.to_json(shown)))
        assert states.to_json(states.from_json(found)) == states.to_json(shown), "its settings are within their limits"
        assert all(math.isfinite(x) for x in (shown.canvas.pan_x, shown.transform.tx, shown.latent.psi))


def test_a_full_timeline_says_so_before_its_file_would_be_refused() -> None:
    keys = tuple(Key(float(i), (0.0,)) for i in range(MOST_KEYS + 1))
    with pytest.raises(ValueError, match="The timeline is full"):
        check_timeline(Timeline((Track("gain", keys),)))
    long = tuple(Key(float(i), (0, "vector", (0.12345678901234567,) * 4096)) for i in range(40))
    with pytest.raises(ValueError, match="The timeline is full"):
        check_timeline(Timeline((Track("label", long),)))
    deep: Latent = SeedPoint()
    for _ in range(7):
        deep = Mixture(deep, SeedPoint(), (0,))
    with pytest.raises(ValueError, match="too many others to be keyed"):
        check_timeline(Timeline((Track("latent", (Key(0.0, (deep,)),)),)))
    with pytest.raises(ValueError, match="half a character"):
        check_timeline(Timeline((Track("left model", (Key(0.0, ("\ud800",)),)),)))


def test_a_bookmark_of_everything_leaves_the_timeline_alone() -> None:
    kept = capture(AppState(), "everything")
    state = AppState(timeline=numbers("gain", (0.0, 4.0)))
    state.playback.seconds = 2.0
    restore(kept, state)
    assert state.timeline.tracks and state.playback.seconds == 2.0
