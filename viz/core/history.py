# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Undo and redo of the state: every change that the user makes, a whole gesture as one step.

The state is compared from frame to frame, so nothing that changes it has to know of this. What changes by itself (an
animation's values, the newest snapshot of a run that is followed) makes no step; undoing the step that started it
brings back what it was.
"""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from functools import cached_property
from operator import attrgetter, is_
from typing import Any

STEPS_KEPT = 2000
Values = dict[str, Any]  # of settings, by their dotted names, the root's first: "state.latent.psi"

UNRECORDED = {"state.recents", "state.display.width", "state.display.height"}
"""Settings that are never undone: a list of what was done, and the window's size, which its frame shows."""
PASSENGERS = {"state.focus", "state.playback.seconds"}
"""Settings that a mere click changes, on a side or the timeline: they make no step, and go along with the next one."""
STARTERS = {
    "animate",
    "playing",
    "mode",
    "spin",
    "learned_animate",
    "learned",
    "source",
    "mixed",
    "mix_with",
    "moving",
    "linked",
    "follow_left",
    "follow_right",
}
"""Names of settings that start and stop what changes by itself."""
RATES = {"speed", "radius", "octaves", "reach"}
"""Names of settings that start it when they leave 0."""
# The first that a step touches names it: what follows from another change stands below that.
NAMES = {
    "shelf.items": "change of bookmarks",
    "bookmarks.blend": "blend of bookmarks",
    "timeline": "change of the timeline",
    "playing": "playing of the timeline",
    "linked": "link of the models",
    "left.path": "opening on the left",
    "right.path": "opening on the right",
    "animate": "animation",
    "learned_animate": "animation",
    "transform.degrees": "turn",
    "transform.scale": "scaling",
    "transform.tx": "move",
    "transform.ty": "move",
    "latent.second": "second latent",
    "named_directions": "name of a direction",
    "latent.directions": "direction",
    "latent.mixed": "style mixing",
    "latent.kept": "latent",
    "latent.psi": "truncation",
    "latent.cutoff": "truncation cutoff",
    "latent.label": "class",
    "latent.vector": "label",
    "latent.x": "walk in the latent",
    "latent.y": "walk in the latent",
    "canvas.zoom": "zoom",
    "canvas.pan_x": "pan",
    "canvas.pan_y": "pan",
    "canvas.mode": "comparison",
    "canvas.divider": "divider",
    "sticking.x0": "line of the slice",
    "sticking.x1": "line of the slice",
    "sticking.y0": "line of the slice",
    "sticking.y1": "line of the slice",
    "display.theme": "theme",
    "playback.seconds": "way of the playhead",
}


@dataclass
class Step:
    """The values of the settings that a gesture changed, before and after; more may be undone than done again."""

    before: Values
    after: Values

    @property
    def name(self) -> str:
        """The words for it in a menu."""
        return name_changes(self.after)

    @cached_property
    def is_start(self) -> bool:
        """True if it may have started something that changes by itself."""
        return any(itertools.starmap(_is_starter, self.before.items()))


class History:
    """The steps that can be undone and done again.

    Call `follow` once a frame. While `is_held`, a gesture is under way: its changes become one step when it ends.
    """

    def __init__(self, roots: Mapping[str, Any]) -> None:
        """`roots`: dataclasses by name, the "state" and whatever else is undone with it."""
        self._roots = dict(roots)
        self.is_held = False
        self._done: deque[Step] = deque(maxlen=STEPS_KEPT)
        self._undone: list[Step] = []
        self._open: Values = {}  # of the gesture under way: what the settings that it changed were before
        self._stream: Values = {}  # the same of what comes from outside
        self._names = [name for root, owner in roots.items() for name in _list_settings(owner, f"{root}.")]
        self._getters = [
            attrgetter(*(name.partition(".")[2] for name in self._names if name.startswith(f"{root}.")), "__class__")
            for root in roots
        ]
        self._seen: list[Any] = [None] * len(self._names)
        self._seen = self._read()

    @property
    def undo_name(self) -> str | None:
        """The words for the step that would be undone, None without one."""
        return self._done[-1].name if self._done else None

    @property
    def redo_name(self) -> str | None:
        """The words for the step that would be done again, None without one."""
        return self._undone[-1].name if self._undone else None

    def find_before(self, name: str) -> Any:
        """Return what a setting was before the newest step that changed it, None if none of the steps kept did."""
        return next((step.before[name] for step in reversed(self._done) if name in step.before), None)

    def follow(self) -> None:
        """Take note of what the user changed since the last call."""
        for name, (before, _) in self._look().items():
            self._open.setdefault(name, before)
        if self.is_held or not self._open:
            return
        now = dict(zip(self._names, self._seen, strict=True))
        before = {name: value for name, value in self._open.items() if not _is_same(now[name], value)}
        if before.keys() - PASSENGERS:
            if before.keys() & self._stream.keys():  # what came first is undone last
                self._keep_stream({**now, **before})
            self._done.append(Step(before, {name: now[name] for name in before}))
            self._undone.clear()
            before = {}
        self._open = before

    @contextmanager
    def streamed(self) -> Iterator[None]:
        """Let the block change the state as one of many messages from outside: all until `end_stream` are one step.

        The user's own gestures meanwhile stay steps of their own.
        """
        self.follow()
        yield
        for name, (before, _) in self._look().items():
            if name not in self._open:
                self._stream.setdefault(name, before)

    def end_stream(self) -> None:
        """Make a step of what came from outside since the last one."""
        self.follow()
        if self._stream:
            self._keep_stream({**dict(zip(self._names, self._seen, strict=True)), **self._open})

    def _keep_stream(self, now: Values) -> None:
        """Make a step of what came from outside until the settings were as they are in `now`."""
        before, self._stream = self._stream, {}
        before = {name: value for name, value in before.items() if not _is_same(now[name], value)}
        if before:
            self._done.append(Step(before, {name: now[name] for name in before}))
            self._undone.clear()

    @contextmanager
    def by_itself(self) -> Iterator[None]:
        """Let the block change the state without a step, as animations do."""
        self.follow()
        yield
        known = self._open.keys() | self._stream.keys()  # what these were before is known already
        changes = {name: before for name, (before, _) in self._look().items() if name not in known}
        for values in (self._open, self._stream):
            if any(itertools.starmap(_is_starter, values.items())):  # what is under way may have started it
                values.update(changes)
                return
        if changes:
            self._attach(changes)

    def _attach(self, changes: Values) -> None:
        """Let undoing the newest step that may have started them bring back what changed by itself."""
        later: list[Step] = []  # the steps since then, newest first
        for step in reversed(self._done):
            if step.is_start:
                for name in changes.keys() - step.before.keys():
                    # What the user changed since then had another value when that step was done.
                    earlier = (one.before[name] for one in reversed(later) if name in one.before)
                    step.before[name] = next(earlier, changes[name])
                return
            later.append(step)

    def undo(self) -> bool:
        """Bring back what was before the last step; return False if there is none, or a gesture is under way."""
        self.follow()
        if self._is_changing() or not self._done:
            return False
        step = self._done.pop()
        self._undone.append(step)
        self._write({**self._open, **step.before})
        return True

    def redo(self) -> bool:
        """Do the step undone last again; return False if there is none, or a gesture is under way."""
        self.follow()
        if self._is_changing() or not self._undone:
            return False
        step = self._undone.pop()
        self._done.append(step)
        self._write(step.after)
        return True

    def _is_changing(self) -> bool:
        """Return whether a gesture is under way that has changed something: the click on a menu has not."""
        return self.is_held and bool(self._open.keys() - PASSENGERS)

    def _look(self) -> dict[str, tuple[Any, Any]]:
        """Return (before, now) of each setting that changed since the last look."""
        before, self._seen = self._seen, self._read()
        if all(map(is_, before, self._seen)):
            return {}
        pairs = zip(self._names, before, self._seen, strict=True)
        return {name: (old, new) for name, old, new in pairs if old is not new and not _is_same(old, new)}

    def _read(self) -> list[Any]:
        """Return the value of every setting, the very same object where it did not change."""
        values: list[Any] = []
        for owner, get in zip(self._roots.values(), self._getters, strict=True):
            values.extend(get(owner)[:-1])
        for index, value in enumerate(values):
            if type(value) is list:
                seen = self._seen[index]
                values[index] = seen if _is_same(seen, _List(value)) else _List(value)
        return values

    def _write(self, values: Values) -> None:
        for name, value in values.items():
            self._stream.pop(name, None)  # what came from outside is gone
            root, *path, last = name.split(".")
            owner = self._roots[root]
            for part in path:
                owner = getattr(owner, part)
            setattr(owner, last, list(value) if isinstance(value, _List) else value)
        self._open, self._seen = {}, self._read()


def _is_starter(name: str, before: Any) -> bool:
    last = name.rpartition(".")[2]
    return last in STARTERS or (last in RATES and before == 0.0)


class _List(tuple[Any, ...]):
    """A list of the state, as it was."""


def _list_settings(owner: Any, prefix: str) -> Iterator[str]:
    """Yield the dotted name of every setting of a state dataclass."""
    for name in type(owner).__dataclass_fields__:
        value = getattr(owner, name)
        if is_dataclass(value) and type(value).__hash__ is None:  # not a frozen one, which is a value
            yield from _list_settings(value, f"{prefix}{name}.")
        elif prefix + name not in UNRECORDED:
            yield prefix + name


def _is_same(one: Any, other: Any) -> bool:
    """Return whether two values are the same to the last bit: 0, 0.0 and -0.0 are three, also within a value."""
    if one is other:
        return True
    if type(one) is not type(other) or one != other:
        return False
    # Text takes 2 ms for a label of 4,096 zeros, and seconds for bookmarks with their pictures.
    if isinstance(one, tuple) and all(map(is_, one, other)):
        return True
    return isinstance(one, str) or repr(one) == repr(other)


def name_changes(settings: Iterable[str]) -> str:
    """Return words for a step that changed these settings, by dotted names, such as "move" or "spectrum: gain"."""
    texts = [setting.removeprefix("state.").removeprefix("right_") for setting in settings]
    for known, words in NAMES.items():
        if any(text.startswith(known) or text.endswith(f".{known}") for text in texts):
            return words
    *owner, name = texts[0].split(".")
    setting = name.replace("_", " ").strip()
    return f"{owner[0]}: {setting}" if owner else setting
