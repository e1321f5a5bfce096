# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Videos of states: what is on screen as its animations move it, or its timeline. Each frame follows from its time."""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Protocol

import numpy as np

from viz.core import gestures
from viz.core.state import AppState, Slot
from viz.core.timeline import at, list_times
from viz.record.video.formats import MOST_FRAMES, VideoError, VideoOptions
from viz.record.video.frames import FramePainter, measure_frame, pick_requests
from viz.record.video.writer import open_video
from viz.render.renderer import Renderer

ANIMATED = ("latent", "right_latent", "transform", "right_transform", "noise")  # parts that `gestures.advance` changes


class FrameSource(Protocol):
    """The frames of a video: `count` of (width, height) `size`, prepared for and drawn in order."""

    @property
    def size(self) -> tuple[int, int]: ...

    @property
    def count(self) -> int: ...

    def prepare(self) -> Iterable[None]:
        """Do what is to be done before the first frame, in steps."""

    def draw(self, index: int) -> np.ndarray:
        """Return a frame, uint8 [H, W, 3]. VideoError, and what `describe_error` describes."""


def write_video(
    path: Path, frames: FrameSource, options: VideoOptions, names: Iterable[Path] = ()
) -> Generator[int, None, Path]:
    """Draw and write all frames; yield how many are done after each step. Closed early, it leaves nothing behind.

    Returns the file's path: with `names` that of the first of them that is free at the end.
    """
    with open_video(path, frames.size, options, names) as video:
        for _ in frames.prepare():
            yield 0
        for index in range(frames.count):
            video.add(frames.draw(index))
            yield index + 1
    return video.path or path


def count_frames(seconds: float, fps: float) -> int:
    """Return the number of frames, one at least. VideoError for more than there may be."""
    count = max(1, round(seconds * fps))
    if count > MOST_FRAMES:
        raise VideoError(f"This video has {count:,} frames, and {MOST_FRAMES:,} are the most: make it shorter.")
    return count


def play_until(state: AppState, seconds: float) -> AppState:
    """Return a copy of a state as its animations have moved it after so many seconds."""
    moved = copy.copy(state)
    for name in ANIMATED:
        setattr(moved, name, copy.deepcopy(getattr(state, name)))
    gestures.advance(moved, seconds)
    return moved


class MovingPictures:
    """The pictures of some slots, as animations move them for `seconds`, or along the timeline (`seconds` None)."""

    def __init__(
        self,
        state: AppState,
        slots: tuple[Slot, ...],
        fps: float,
        seconds: float | None = None,
        size: tuple[int, int] | None = None,
        renderer: Renderer | None = None,
    ) -> None:
        """`size` None: the models' own. Raises VideoError, and what `describe_error` describes."""
        self._state, self._slots = copy.deepcopy(state), slots
        count = count_frames(state.timeline.seconds if seconds is None else seconds, fps)
        self._times = list_times(state.timeline, fps) if seconds is None else [index / fps for index in range(count)]
        self._along_timeline = seconds is None
        first = self._show(0)
        self.size = size or measure_frame(pick_requests(first, slots))
        self._painter = FramePainter(self.size, len(slots), renderer=renderer)

    @property
    def count(self) -> int:
        return len(self._times)

    def prepare(self) -> Iterable[None]:
        return ()

    def draw(self, index: int) -> np.ndarray:
        return self._painter.draw_state(self._show(index), self._slots)

    def _show(self, index: int) -> AppState:
        time = self._times[index]
        return at(self._state.timeline, self._state, time) if self._along_timeline else play_until(self._state, time)
