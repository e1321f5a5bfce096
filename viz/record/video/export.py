# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Videos as jobs of the window: they are drawn beside its pictures, with its models, in slices of a frame each."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gan.files.atomic_write import list_numbered
from viz.core.panel_state import ExportState
from viz.core.request import RenderRequest
from viz.core.state import SLOTS, AppState, Slot
from viz.record.video.formats import VideoError, VideoOptions, describe_video, find_format
from viz.render.jobs import JobRequest

if TYPE_CHECKING:  # it brings torch, which the window's panels do without
    from viz.record.video.moving import FrameSource
    from viz.render.renderer import Renderer


@dataclass(frozen=True)
class VideoProgress:
    """A video under way: frames that are drawn, of all. One that is whole has a `path`, and `words` on what it is."""

    done: int
    total: int
    path: Path | None = None
    words: str = ""


@dataclass(frozen=True, eq=False)
class ExportRequest(JobRequest[VideoProgress]):
    """The video of a state, a copy that nobody changes any more, as its `export` says; written to `path`.

    `numbered`: the name gets the first number that is free. No other file is ever replaced.
    """

    state: AppState
    path: Path
    numbered: bool = False

    live = False

    def run(self, renderer: Renderer, shown: RenderRequest) -> Iterator[VideoProgress | None]:
        """Draw a frame a slice. VideoError and what `describe_error` describes, where the video cannot be made."""
        from viz.record.video.moving import write_video

        options, frames = make_options(self.state.export), choose_frames(self.state, renderer)
        suffix, total = self.path.suffix if options.format.suffixes else "", frames.count
        yield VideoProgress(0, total)
        names = list_numbered(self.path, suffix) if self.numbered else [self.path]
        path = yield from _follow(write_video(self.path, frames, options, names), total)
        yield VideoProgress(total, total, path, describe_video(path, frames.size, total, options))


def _follow(steps: Generator[int, None, Path], total: int) -> Generator[VideoProgress, None, Path]:
    """Yield the progress of a video; return its path."""
    with contextlib.closing(steps):
        while True:
            try:
                done = next(steps)
            except StopIteration as end:
                path: Path = end.value
                return path
            yield VideoProgress(done, total)


def make_options(export: ExportState) -> VideoOptions:
    """Return the options of the file."""
    return VideoOptions(find_format(export.format), export.fps, export.quality)


def list_slots(state: AppState) -> tuple[Slot, ...]:
    """Return the slots that a video shows: a film's are both. VideoError if one of them is empty."""
    wanted = SLOTS if state.export.shows == "film" else [slot for slot in SLOTS if state.export.slots in (slot, "both")]
    for slot in wanted:
        if not state.slot(slot).path:
            raise VideoError(f"Nothing is open in the {slot} slot: open a model there, or choose the other slot.")
    return tuple(wanted)


def choose_frames(state: AppState, renderer: Renderer | None = None) -> FrameSource:
    """Return the frames that a state's `export` asks for; `renderer` lends its models."""
    from viz.record.video.film import Film
    from viz.record.video.moving import MovingPictures

    export, slots = state.export, list_slots(state)
    if export.shows == "film":
        return Film(state, export.motion, export.seconds, export.fps, renderer=renderer)
    seconds = None if export.shows == "timeline" else export.seconds
    size = (len(slots) * export.size, export.size) if export.size else None
    return MovingPictures(state, slots, export.fps, seconds, size, renderer)
