# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Edit and play the timeline: what its panel and the keys do. What cannot be done is a sentence in the status bar."""

from collections.abc import Callable, Iterable

from gan.hub.resolve import format_title
from viz.core import timeline as timelines
from viz.core.layer_info import breaks_when_turned
from viz.core.state import SLOTS, AppState
from viz.core.timeline_state import Timeline
from viz.record import timeline_edits as edits
from viz.record.timeline_edits import KeyName
from viz.record.timeline_templates import Template, put_template
from viz.ui.context import PanelContext

DIGITS = 2  # of a time, after the point


def key(state: AppState, context: PanelContext, names: Iterable[str]) -> None:
    """Key these properties, as they are set now, at the playhead."""
    seconds, listed = _round(state, state.playback.seconds), list(names)
    _change(state, context, lambda: edits.key_now(state, listed, seconds))
    context.timeline.chosen = frozenset((name, seconds) for name in listed)


def toggle_key(state: AppState, context: PanelContext, name: str) -> None:
    """Key a property at the playhead, or take away the key that is there."""
    seconds = state.playback.seconds
    if edits.find_key(state.timeline, name, seconds):
        remove(state, context, [(name, seconds)])
    else:
        key(state, context, [name])


def remove(state: AppState, context: PanelContext, chosen: Iterable[KeyName]) -> None:
    """Delete keys."""
    names = list(chosen)
    count = len(edits.take_keys(state.timeline, names))
    put(state, edits.remove_keys(state.timeline, names))
    context.timeline.chosen = frozenset()
    context.message = (
        f"Deleted {count} {'key' if count == 1 else 'keys'}: Ctrl-Z brings {'it' if count == 1 else 'them'} back."
    )


def copy(state: AppState, context: PanelContext) -> None:
    """Copy the chosen keys, to be pasted at another time."""
    context.timeline.copied = edits.copy_keys(state.timeline, context.timeline.chosen)


def paste(state: AppState, context: PanelContext) -> None:
    """Put the copied keys at the playhead, and choose them."""
    seconds, copied = state.playback.seconds, context.timeline.copied
    _change(state, context, lambda: edits.paste_keys(state.timeline, copied, seconds))
    context.timeline.chosen = frozenset((name, edits.round_time(key.seconds + seconds)) for name, key in copied)
    timelines.show(state.timeline, state, seconds)


def use_template(state: AppState, context: PanelContext, template: Template) -> None:
    """Put a template's keys on the timeline, and play it from the start."""
    before = state.timeline
    _change(state, context, lambda: put_template(state, template))
    if state.timeline is not before:
        state.playback.seconds, state.playback.playing = 0.0, True
        timelines.show(state.timeline, state, 0.0)


def explain_turn(state: AppState, context: PanelContext, template: Template) -> str:
    """Return a sentence where a template turns models that are not made for it, "" where all is well."""
    if template.track != "rotation":
        return ""
    slots = SLOTS if state.linked else (state.focus,)
    shown = {slot: known for slot in slots if (known := context.facts(slot))}
    names = dict.fromkeys(
        format_title(state.slot(slot).path) for slot, known in shown.items() if breaks_when_turned(known.config)
    )
    if not names:
        return ""
    verb = "is" if len(names) == 1 else "are"
    return f"{' and '.join(names)} {verb} not made to be turned, and will fall apart; rung R is."


def put(state: AppState, timeline: Timeline) -> None:
    """Take another timeline, and show it at the playhead."""
    state.timeline = timeline
    timelines.show(timeline, state, state.playback.seconds)


def scrub(state: AppState, seconds: float) -> None:
    """Put the playhead at a time, of a loop before its end, and show what is there."""
    state.playback.seconds = _round(state, seconds)
    timelines.show(state.timeline, state, state.playback.seconds)


def _round(state: AppState, seconds: float) -> float:
    """Return the nearest time that keys can have and the timeline comes to: a key's own, wherever it is."""
    timeline, unit = state.timeline, 10.0**-DIGITS
    times = (key.seconds for track in timeline.tracks for key in track.keys)
    near = min(times, key=lambda time: abs(time - seconds), default=-1.0)
    if abs(near - seconds) <= 0.5 * unit and timeline.wrap(near) == near:
        return near
    last = timeline.seconds - (unit if timeline.loop else 0.0)
    return max(min(round(seconds, DIGITS), round(last, DIGITS)), 0.0)


def toggle_play(state: AppState) -> None:
    """Play or stop; from the start if a timeline that is no loop has come to its end."""
    playback = state.playback
    playback.playing = not playback.playing
    if playback.playing and not state.timeline.loop and playback.seconds >= state.timeline.seconds:
        playback.seconds = 0.0
    elif not playback.playing:
        scrub(state, playback.seconds)  # a time that keys can have


def _change(state: AppState, context: PanelContext, make: Callable[[], Timeline]) -> None:
    try:
        state.timeline = make()
    except ValueError as problem:
        context.message = str(problem)
