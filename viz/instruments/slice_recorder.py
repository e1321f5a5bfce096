# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Slices over time along a line of the pictures, as they come to the window. No torch."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from gan.analysis.texture_sticking import SliceBuffer, sample_segment, temporal_persistence
from viz.core.images import Pixels, poll_host, put_on_grey
from viz.core.result import RenderResult
from viz.core.state import SLOTS, Slot, StickingState

COLUMNS = 320  # of a slice
SAMPLES = 128  # along the line, more where it passes more pixels
SHARE_COLUMNS = 10  # between two looks at a slice's streaks
COMING = 8  # pictures of a slot that may be on their way to memory

_About = tuple[str, float, float, float, float, int, bool]


@dataclass
class _Recording:
    """A slot's slice. `about` is what its columns have in common: model, segment, the picture's size and alpha."""

    about: _About
    slice: SliceBuffer
    added: int = 0
    pixels: tuple[int, np.ndarray] | None = None  # with `added` when they were made
    share: tuple[int, float] | None = None


class SliceRecorder:
    """The x-t slices: one column for each new picture of a slot, while the slices are looked at."""

    def __init__(self) -> None:
        self.wanted = False  # the slices are looked at in this frame
        self.line_shown = False  # they were in the frame before: then their line is on the pictures
        self.line_pointed = False  # and the pointer is on them: the line is then seen even away from the pictures
        self._recordings: dict[Slot, _Recording] = {}
        self._last: dict[Slot, RenderResult] = {}
        self._coming: dict[Slot, deque[tuple[Pixels, _About]]] = {slot: deque(maxlen=COMING) for slot in SLOTS}

    def record(self, slot: Slot, result: RenderResult, where: StickingState) -> None:
        """Append the picture's column, if it is another picture than the one before; once it is in memory."""
        last = self._last.get(slot)
        if result.picture is None or last is result or (last is not None and last.request == result.request):
            return
        self._last[slot] = result
        about = (result.request.model, where.x0, where.y0, where.x1, where.y1, result.width, result.has_alpha)
        self._coming[slot].append((result.picture, about))
        self.collect()

    def collect(self) -> bool:
        """Append the pictures that have come to memory, in order; return True while any is on its way."""
        for slot, coming in self._coming.items():
            while coming and (image := poll_host(coming[0][0])) is not None:
                self._append(slot, image, coming.popleft()[1])
        return any(self._coming.values())

    def _append(self, slot: Slot, image: np.ndarray, about: _About) -> None:
        recording = self._recordings.get(slot)
        if recording is None or recording.about != about:
            samples = max(SAMPLES, math.ceil(_pixels(about)))
            recording = self._recordings[slot] = _Recording(about, SliceBuffer(COLUMNS, samples))
        pixels = put_on_grey(image) if about[6] else image[:, :, :3]
        recording.slice.append(sample_segment(pixels, *about[1:5], recording.slice.samples))
        recording.added += 1

    def _of(self, slot: Slot, model: str, where: StickingState) -> _Recording | None:
        """Return the slot's recording, if it is of this model and line."""
        found = self._recordings.get(slot)
        return found if found and found.about[:5] == (model, where.x0, where.y0, where.x1, where.y1) else None

    def pixels(self, slot: Slot, model: str, where: StickingState) -> np.ndarray | None:
        """Return uint8 [samples, COLUMNS, 4], the newest column at the right; None if none is of this model and line.

        It is the very same array as long as nothing is added.
        """
        recording = self._of(slot, model, where)
        if recording is None:
            return None
        if recording.pixels is None or recording.pixels[0] != recording.added:
            count = len(recording.slice)
            pixels = np.zeros((recording.slice.samples, COLUMNS, 4), np.uint8)
            pixels[:, COLUMNS - count :, :3] = recording.slice.picture
            pixels[:, COLUMNS - count :, 3] = 255
            recording.pixels = (recording.added, pixels)
        return recording.pixels[1]

    def streaks(self, slot: Slot, model: str, where: StickingState) -> float:
        """Return the share of fine detail that stays where it is (texture_sticking), nan of too few columns."""
        recording = self._of(slot, model, where)
        if recording is None:
            return math.nan
        if recording.share is None or recording.added - recording.share[0] >= SHARE_COLUMNS:
            per_pixel = (recording.slice.samples - 1) / max(1.0, _pixels(recording.about))
            recording.share = (recording.added, temporal_persistence(recording.slice.columns, per_pixel))
        return recording.share[1]

    def clear(self) -> None:
        """Start again with empty slices."""
        self._recordings.clear()
        for coming in self._coming.values():
            coming.clear()


def _pixels(about: _About) -> float:
    """Return the number of the picture's pixels that a segment passes."""
    _, x0, y0, x1, y1, size, _ = about
    return math.hypot(x1 - x0, y1 - y0) * size
