# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Show a state at a time of its timeline: pure, without torch.

Between two keys a number is on a straight line ("linear") or on a cubic through the keys ("smooth"), or waits for the
next key ("constant"), as everything does that is no number. A smooth way is a Hermite cubic: its slope at a key is that
of the parabola through the key and its neighbours (Catmull-Rom for uneven times), 0 at the ends of a timeline, beside
"constant" and at turning points, and that of the line beside "linear", unless that is far steeper than the way itself:
so it has no corners else. A loop has no ends.
Scales go by factors, angles by as many turns as their keys say, and w's along one curve through all keys' w's.
"""

import copy
import functools
import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from gan.hub.resolve import list_bundled_files
from viz.core.gestures import set_clamped, wrap_degrees
from viz.core.latent import Latent, SeedPoint, WeightedSum
from viz.core.state import AppState
from viz.core.state_fields import read_limits
from viz.core.timeline_state import LATENTS, PROPERTIES, SAME_SECONDS, Key, Timeline, Track, Value

ANGLES = ("degrees", "learned_degrees")
STEPS = ("label", "cutoff")  # whole numbers
FACTORS = ("scale", "stretch", "gain", "zoom")
STEEPEST = 3.0  # times the flatter of the lines beside a key: a cubic then stays between its keys (Fritsch and Carlson)
FASTEST = 2.0  # ways to the next latent, in the longer of the times beside a key: weights then stay in [-0.5, 1.5]


def at(timeline: Timeline, state: AppState, seconds: float) -> AppState:
    """Return a copy of the state as the timeline shows it at a time; what has no keys stays."""
    moved = copy.deepcopy(state)
    show(timeline, moved, seconds)
    return moved


def show(timeline: Timeline, state: AppState, seconds: float) -> None:
    """Set what has keys to what it is at a time."""
    for track in timeline.tracks:
        for setting, value in zip(track.property.settings, evaluate(timeline, track, seconds), strict=True):
            _set(state, setting, value)


def play(state: AppState, seconds: float) -> None:
    """Go on by so many seconds of the clock: frames that there was no time for are passed over.

    A timeline that is no loop stops at its end.
    """
    timeline, playback = state.timeline, state.playback
    playback.playing = playback.playing and bool(timeline.tracks)
    if playback.playing:
        reached = playback.seconds + seconds
        playback.playing = timeline.loop or reached < timeline.seconds
        playback.seconds = timeline.wrap(reached)
        show(timeline, state, playback.seconds)


def list_times(timeline: Timeline, fps: float) -> list[float]:
    """Return the times of a video's frames; after the last one of a loop comes the first."""
    count = max(1, round(timeline.seconds * fps))
    return [place * timeline.seconds / count for place in range(count)]


def read_values(state: AppState, name: str, near: Key | None = None) -> tuple[Value, ...]:
    """Return the values of a property as a key holds them; angles take the way from the key `near` that is shorter."""
    values = []
    for index, setting in enumerate(PROPERTIES[name].settings):
        value: Any = attrgetter(setting)(state)
        if name in LATENTS:
            value = value.latent()
        elif setting.endswith(".path"):
            value = next((stem for stem, path in _bundled().items() if path == value), value)
        elif isinstance(value, list):
            value = tuple(value)
        elif near is not None and setting.endswith(ANGLES) and _is_number(start := near.values[index]):
            value += 360.0 * round((start - value) / 360.0)
        values.append(value)
    return tuple(values)


@functools.cache
def _bundled() -> dict[str, str]:
    """Return the paths of the models that come with Jinc, by the names that keys hold: paths differ elsewhere."""
    return {path.stem: str(path) for path in list_bundled_files()}


def _set(state: AppState, setting: str, value: Any) -> None:
    """Set a setting within its limits; leave it where the value is of a kind that it does not take."""
    *path, name = setting.split(".")
    owner: Any = attrgetter(*path)(state) if path else state
    current = getattr(owner, name)
    if setting.endswith("latent"):
        current.show(value)
        return
    limits = read_limits(owner, name)
    if "choices" in limits:
        if value in limits["choices"]:
            setattr(owner, name, value)
    elif isinstance(current, bool | str):
        if type(value) is type(current):
            setattr(owner, name, _bundled().get(value, value) if isinstance(value, str) else value)
    elif isinstance(current, list):
        if isinstance(value, tuple):
            low, high = limits["low"], limits["high"]
            setattr(owner, name, [min(max(number, low), high) for number in value[: limits["most"]]])
    elif _is_number(value):
        is_turned = setting.endswith(ANGLES) and not -180.0 <= value <= 180.0
        set_clamped(owner, name, wrap_degrees(value) if is_turned else value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# -- the way between two keys ------------------------------------------------------------------------------------------


class _Points(NamedTuple):
    """Four keys, each with its time: the way is from the second to the third; None where there are no more."""

    keys: tuple[Key | None, Key, Key, Key | None]
    times: tuple[float, float, float, float]
    turns: tuple[int, int, int, int]  # of the loop, since the one that the time is in


SlopeFinder = Callable[[str | None, float, float, _Points, int], float]


def evaluate(timeline: Timeline, track: Track, seconds: float) -> tuple[Value, ...]:
    """Return the values of a track's settings at a time: a key's own, to the last bit, at its time."""
    seconds = timeline.wrap(seconds)
    keys = list_reached(timeline, track)
    place = bisect_right(keys, seconds, key=lambda key: key.seconds) - 1
    if not timeline.loop and place < 0:
        return keys[0].values
    start = keys[place]  # of a loop, the last one before the first
    is_last = not timeline.loop and place == len(keys) - 1
    if is_last or len(keys) == 1 or start.seconds == seconds or start.easing == "constant":
        return start.values
    points = _find_points(timeline, keys, place)
    if track.name in LATENTS:
        return (_bend(track, points, seconds),)
    settings = track.property.settings
    straight = [_straighten(track.name, key.values) if key else None for key in points.keys]
    values = []
    for index, setting in enumerate(settings):
        ends: list[Any] = [key and key[index] for key in straight]
        if setting.endswith(ANGLES) and all(end is None or _is_number(end) for end in ends):
            turn = _find_turn(keys, index)
            ends = [None if end is None else end + n * turn for end, n in zip(ends, points.turns, strict=True)]
        values.append(_glide(ends, points, seconds, setting))
    return _curve(track.name, tuple(values))


def list_reached(timeline: Timeline, track: Track) -> tuple[Key, ...]:
    """Return a track's keys without those that a loop never comes to, at its end and later; all if it comes to none."""
    if not timeline.loop or track.keys[-1].seconds < timeline.seconds - SAME_SECONDS:
        return track.keys
    return tuple(key for key in track.keys if key.seconds < timeline.seconds - SAME_SECONDS) or track.keys[:1]


def _find_points(timeline: Timeline, keys: Sequence[Key], place: int) -> _Points:
    found: list[Key | None] = []
    times, turns = [], []
    for index in range(place - 1, place + 3):
        turn, around = divmod(index, len(keys))
        key = keys[around] if timeline.loop or turn == 0 else None
        found.append(key)
        times.append(key.seconds + turn * timeline.seconds if key else 0.0)
        turns.append(turn)
    before, start, end, after = found
    assert start is not None and end is not None
    return _Points((before, start, end, after), (times[0], times[1], times[2], times[3]), tuple(turns))  # type: ignore[arg-type]


def _find_turn(keys: Sequence[Key], index: int) -> float:
    """Return the degrees, full turns, that an angle gains in a loop: from the last key it takes the shorter way on.

    Half a turn goes on as the way to the last key went.
    """
    values: list[Any] = [key.values[index] for key in keys]
    if not all(map(_is_number, values)):
        return 0.0
    way = wrap_degrees(values[0] - values[-1])
    if way == -180.0 and values[-1] > values[-2]:
        way = 180.0
    return 360.0 * round((values[-1] + way - values[0]) / 360.0)


def _straighten(name: str, values: tuple[Value, ...]) -> tuple[Any, ...]:
    """Return the magnification with its pan at zoom 1: the place that is looked at, which moves evenly."""
    zoom, *pan = values
    if name != "magnification" or not all(map(_is_number, values)) or zoom <= 0.0:  # type: ignore[operator]
        return values
    return (zoom, *(number / zoom for number in pan))  # type: ignore[operator]


def _curve(name: str, values: tuple[Any, ...]) -> tuple[Value, ...]:
    """Invert `_straighten`."""
    zoom, *pan = values
    return (
        (zoom, *(number * zoom for number in pan))
        if name == "magnification" and all(map(_is_number, values))
        else values
    )


def _glide(ends: Sequence[Any], points: _Points, seconds: float, setting: str) -> Any:
    """Return a setting's value between the second and the third of the ends."""
    start, end = ends[1], ends[2]
    if isinstance(start, tuple) and isinstance(end, tuple):
        return _glide_vector(ends, points, seconds)
    known = [value for value in ends if value is not None]
    if setting.endswith(STEPS) or not all(map(_is_number, known)) or all(value == start for value in known):
        return start
    if setting.endswith(FACTORS) and all(value > 0.0 for value in known):
        logs = [None if value is None else math.log(value) for value in ends]
        return math.exp(_interpolate(logs, points, seconds))
    return _interpolate(ends, points, seconds)


def _glide_vector(ends: Sequence[Any], points: _Points, seconds: float) -> tuple[float, ...]:
    """Return a label's vector, number by number; one of another length than its neighbours waits."""
    if len({len(value) if isinstance(value, tuple) else -1 for value in ends if value is not None}) > 1:
        return ends[1]
    columns = ([value and value[index] for value in ends] for index in range(len(ends[1])))
    return tuple(_interpolate(column, points, seconds) for column in columns)


def _bend(track: Track, points: _Points, seconds: float) -> Latent:
    """Return the latent on the way from one key's to the next one's, in w or along the seed plane."""
    latents: list[Any] = [key and key.values[0] for key in points.keys]
    start = latents[1]
    known = [latent for latent in latents if latent is not None]
    if all(latent == start for latent in known):
        return start
    is_plane = track.through == "plane" and all(isinstance(one, SeedPoint) for one in known)
    if is_plane and len({one.space for one in known}) == 1:
        x, y = ([one and getattr(one, name) for one in latents] for name in ("x", "y"))
        return SeedPoint(_interpolate(x, points, seconds), _interpolate(y, points, seconds), start.space)
    parts = []
    for latent in dict.fromkeys(known):
        shares = [None if one is None else float(one == latent) for one in latents]
        weight = _interpolate(shares, points, seconds, _find_share_slope)
        if weight:
            parts.append((latent, weight))
    return parts[0][0] if len(parts) == 1 else WeightedSum(tuple(parts))


def _interpolate(
    values: Sequence[Any], points: _Points, seconds: float, find_slope: SlopeFinder | None = None
) -> float:
    """Return the number at a time between the second and the third value; `find_slope` is as `_find_slope` is."""
    find_slope = find_slope or _find_slope
    before, start, end, after = points.keys
    length = points.times[2] - points.times[1]
    along = (seconds - points.times[1]) / length
    way = (values[2] - values[1]) / length
    if start.easing == "linear":
        return float(values[1] + along * (values[2] - values[1]))
    first = find_slope(before.easing if before else None, _divide(values, points, 0), way, points, 1)
    last = find_slope(end.easing if after else None, _divide(values, points, 2), way, points, 2)
    u, v = along, 1.0 - along
    ends = values[1] + u * u * (3 - 2 * u) * (values[2] - values[1])  # equal ends: that very number
    return float(ends + length * u * v * (v * first - u * last))


def _divide(values: Sequence[Any], points: _Points, place: int) -> float:
    """Return the slope of the line from a value to the next; 0 at the ends of a timeline."""
    if values[place] is None or values[place + 1] is None:
        return 0.0
    return float((values[place + 1] - values[place]) / (points.times[place + 1] - points.times[place]))


def _find_slope(beside: str | None, other: float, way: float, points: _Points, place: int) -> float:
    """Return the slope at a key between the way that is smooth, and the `other`, whose easing is `beside`."""
    if beside is None or beside == "constant":
        return 0.0
    if beside == "linear":  # no steeper than ways may be: a fast one would throw the number far beyond its key
        return math.copysign(min(abs(other), STEEPEST * abs(way)), other)
    if other * way <= 0.0:
        return 0.0
    before, after = points.times[place] - points.times[place - 1], points.times[place + 1] - points.times[place]
    arriving, leaving = (other, way) if place == 1 else (way, other)
    slope = (arriving * after + leaving * before) / (before + after)
    most = STEEPEST * min(abs(other), abs(way))
    return math.copysign(min(abs(slope), most), slope)


def _find_share_slope(beside: str | None, other: float, way: float, points: _Points, place: int) -> float:
    """Return the slope of a latent's share at a key, as `_find_slope` does a number's.

    A curve through w's may turn anywhere, so only its speed is limited: each line's part of the slope leads no further
    than FASTEST times that line in the longer of the times beside the key. The factors are those of all shares, which
    so add up to 1, and of both ways, which so meet without a corner.
    """
    if beside is None or beside == "constant":
        return 0.0
    before, after = points.times[place] - points.times[place - 1], points.times[place + 1] - points.times[place]
    arriving, leaving = (other, way) if place == 1 else (way, other)
    if beside == "linear":
        aside, along = (before, after) if place == 1 else (after, before)
        return other * min(1.0, FASTEST * aside / along)
    longer, both = max(before, after), before + after
    first, second = min(after / both, FASTEST * before / longer), min(before / both, FASTEST * after / longer)
    return arriving * first + leaving * second
