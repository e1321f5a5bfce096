# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Edit a timeline: each function returns a new one. Keys are named by their property and their time."""

from collections.abc import Iterable
from dataclasses import replace

from viz.core.state import AppState
from viz.core.timeline import read_values
from viz.core.timeline_state import (
    MOST_SECONDS,
    OF_THE_RIGHT,
    PROPERTIES,
    SAME_SECONDS,
    SHORTEST,
    Key,
    Timeline,
    Track,
    check_timeline,
    sort_tracks,
)

KeyName = tuple[str, float]  # property, seconds
Copied = tuple[tuple[str, Key], ...]  # keys by their properties, the earliest at 0 seconds

PLACES = 9  # of a key's time, after the point
MOVES = ("latent", "truncation", "translation", "rotation", "scale")  # keyed first, before there are tracks


def find_key(timeline: Timeline, name: str, seconds: float) -> Key | None:
    """Return a property's key at a time."""
    track = timeline.track(name)
    return next((key for key in track.keys if is_same(key.seconds, seconds)), None) if track else None


def is_same(one: float, other: float) -> bool:
    """Return whether two times are those of one key."""
    return abs(one - other) <= SAME_SECONDS


def list_properties(state: AppState) -> list[str]:
    """Return the properties that decide the pictures now: without the right slot's own while both are linked."""
    empty = [f"{slot} model" for slot in ("left", "right") if not getattr(state, slot).path]
    return [name for name in PROPERTIES if name not in empty and not (state.linked and name in OF_THE_RIGHT)]


def list_listed(state: AppState) -> list[str]:
    """Return the properties that have keys; before any has, those that move the picture that the panels edit."""
    return [track.name for track in state.timeline.tracks] or [name_own(state, name) for name in MOVES]


def name_own(state: AppState, name: str) -> str:
    """Return a property's name, of the right slot if that is what the panels edit."""
    return f"right {name}" if state.focus == "right" and not state.linked else name


def key_now(state: AppState, names: Iterable[str], seconds: float) -> Timeline:
    """Return the state's timeline with a key of each property, as it is set now; ValueError, a sentence, if it is full.

    A key takes the easing of the one in whose place it comes, or else of the one before it.
    """
    timeline = state.timeline
    for name in names:
        track = timeline.track(name)
        earlier = [key for key in track.keys if key.seconds <= seconds + SAME_SECONDS] if track else []
        near = earlier[-1] if earlier else track.keys[0] if track else None
        easing = near.easing if near else Key(0.0, ()).easing
        timeline = put_keys(timeline, [(name, Key(seconds, read_values(state, name, near), easing))])
    return check_timeline(timeline)


def round_time(seconds: float) -> float:
    """Return a time as keys have it: sums of equal times are equal, however they came about."""
    return round(seconds, PLACES)


def put_keys(timeline: Timeline, keys: Iterable[tuple[str, Key]]) -> Timeline:
    """Return a timeline with further keys, each in the place of one at its time."""
    tracks = {track.name: track for track in timeline.tracks}
    for name, given in keys:
        key, track = replace(given, seconds=round_time(given.seconds)), tracks.get(name, Track(name, ()))
        others = [other for other in track.keys if not is_same(other.seconds, key.seconds)]
        tracks[name] = replace(track, keys=tuple(sorted((*others, key), key=lambda one: one.seconds)))
    return replace(timeline, tracks=sort_tracks(tracks.values()))


def put_track(timeline: Timeline, track: Track) -> Timeline:
    """Return a timeline with a track in the place of that of the same property."""
    others = (other for other in timeline.tracks if other.name != track.name)
    return replace(timeline, tracks=sort_tracks((*others, track)))


def remove_keys(timeline: Timeline, chosen: Iterable[KeyName]) -> Timeline:
    """Return a timeline without some keys; a track ends with its last one."""
    gone = list(chosen)

    def is_gone(name: str, key: Key) -> bool:
        return any(name == other and is_same(key.seconds, seconds) for other, seconds in gone)

    kept = (
        replace(track, keys=tuple(key for key in track.keys if not is_gone(track.name, key)))
        for track in timeline.tracks
    )
    return replace(timeline, tracks=sort_tracks(kept))


def take_keys(timeline: Timeline, chosen: Iterable[KeyName]) -> list[tuple[str, Key]]:
    """Return the chosen keys by their properties."""
    found = ((name, find_key(timeline, name, seconds)) for name, seconds in chosen)
    return [(name, key) for name, key in found if key is not None]


def move_keys(timeline: Timeline, chosen: Iterable[KeyName], seconds: float, *, copy: bool = False) -> Timeline:
    """Return a timeline whose chosen keys, or copies of them, are so much later; where they come, others give way.

    All move alike, by no more than leaves them between 0 and the longest timeline's end.
    """
    moved = take_keys(timeline, chosen)
    if not moved:
        return timeline
    seconds = limit_move([key.seconds for _, key in moved], seconds)
    if not copy:
        timeline = remove_keys(timeline, [(name, key.seconds) for name, key in moved])
    return put_keys(timeline, [(name, replace(key, seconds=key.seconds + seconds)) for name, key in moved])


def limit_move(times: Iterable[float], seconds: float) -> float:
    """Return how far keys at these times can be moved together, towards so many seconds."""
    known = list(times)
    return min(max(seconds, -min(known)), MOST_SECONDS - max(known))


def ease_keys(timeline: Timeline, chosen: Iterable[KeyName], easing: str) -> Timeline:
    """Return a timeline whose ways from the chosen keys on are eased so."""
    return put_keys(timeline, [(name, replace(key, easing=easing)) for name, key in take_keys(timeline, chosen)])


def copy_keys(timeline: Timeline, chosen: Iterable[KeyName]) -> Copied:
    """Return keys to be pasted elsewhere."""
    found = take_keys(timeline, chosen)
    first = min((key.seconds for _, key in found), default=0.0)
    return tuple((name, replace(key, seconds=key.seconds - first)) for name, key in found)


def paste_keys(timeline: Timeline, copied: Copied, seconds: float) -> Timeline:
    """Return a timeline with copied keys from a time on; ValueError, a sentence, if it is full."""
    later = [(name, replace(key, seconds=key.seconds + seconds)) for name, key in copied]
    return check_timeline(put_keys(timeline, [item for item in later if item[1].seconds <= MOST_SECONDS]))


def set_length(timeline: Timeline, seconds: float) -> Timeline:
    """Return a timeline of another length; its keys stay where they are."""
    return replace(timeline, seconds=min(max(seconds, SHORTEST), MOST_SECONDS))


def set_loop(timeline: Timeline, loop: bool) -> Timeline:
    """Return a timeline that is a loop, or not.

    Where a loop would never come to the last keys, it gets longer by the way from the last one back to the first, which
    takes as long as the ways between keys do.
    """
    times = sorted({key.seconds for track in timeline.tracks for key in track.keys})
    if loop and not timeline.loop and len(times) > 1 and times[-1] >= timeline.seconds - SAME_SECONDS:
        way = max((times[-1] - times[0]) / (len(times) - 1), SHORTEST)
        timeline = set_length(timeline, times[-1] + way)
    return replace(timeline, loop=loop)
