# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Count the pictures that each slot shows a second, where they reach a frame, not where they are rendered."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

from viz.core.state import SLOTS, Slot

RECENT_SECONDS = 2.0


@dataclass
class FrameRate:
    """New pictures and frames, counted from the moment when every open slot has a picture: loading is no pace."""

    began: float | None = None
    now: float = 0.0
    frames: int = 0
    pictures: dict[Slot, int] = field(default_factory=lambda: dict.fromkeys(SLOTS, 0))
    _recent: dict[Slot, deque[float]] = field(default_factory=lambda: {slot: deque() for slot in SLOTS})

    def count(self, now: float, new: Collection[Slot], ready: bool) -> None:
        """Count a frame at `now` (seconds of any clock) in which the slots in `new` show a picture for the first time.

        `ready`: every open slot has a picture.
        """
        self.now = now
        for slot, times in self._recent.items():
            if slot in new:
                times.append(now)
            while times and now - times[0] > RECENT_SECONDS:
                times.popleft()
        if self.began is None:
            self.began = now if ready else None
            return
        self.frames += 1
        for slot in new:
            self.pictures[slot] += 1

    def recent(self, slot: Slot) -> float:
        """Return the new pictures a second in this slot, over the last two seconds."""
        return len(self._recent[slot]) / RECENT_SECONDS

    def describe(self) -> str:
        """Return one sentence: seconds, frames, and the pictures of each slot."""
        seconds = self.now - self.began if self.began is not None else 0.0
        if seconds <= 0.0:
            return "There was no time in which every open slot showed a picture."
        slots = (f"{slot} {self.pictures[slot]} ({self.pictures[slot] / seconds:.1f} a second)" for slot in SLOTS)
        rate = f"{seconds:.1f} s, {self.frames} frames ({self.frames / seconds:.1f} a second)"
        return f"{rate}; new pictures: {', '.join(slots)}."
