# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Captures in the window: take pictures of it, open those that carry a state, hand states and commands on as text."""

import copy
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from imgui_bundle import imgui
from imgui_bundle import portable_file_dialogs as dialogs

from gan.hub.resolve import unquote_path
from viz import invocation
from viz.canvas.canvas import Canvas
from viz.core.state import SLOTS, AppState
from viz.record.capture import Captured, CaptureRequest
from viz.record.command import make_command
from viz.record.png_text import RecordError
from viz.record.record import Located, Record, What, locate, make_record, restore
from viz.record.short_text import encode_text, holds_text
from viz.record.sources import name_source, read_source
from viz.ui.context import PanelContext

JOB = "capture"
LONG_SECONDS = 0.8  # after which a capture may be cancelled
LONG_TEXT = 4000  # characters, from which some chats cut a message off
FRAMES = 3  # in which a menu closes and what the pointer lights up goes out, before the screen is taken
KINDS = ["Captures", "*.png", "All files", "*"]


@dataclass(frozen=True, eq=False)
class _Opened:
    name: str
    record: Record
    located: Located


class Capturing:
    """The captures of one window. Nothing here waits: pictures are drawn by jobs, files are read on a thread."""

    def __init__(
        self, state: AppState, context: PanelContext, canvas: Canvas, folder: Path | None, wake: Callable[[], object]
    ) -> None:
        """`folder` is for latents that come along with captures; None keeps them as long as the window is open."""
        self._state, self._context, self._canvas, self._wake = state, context, canvas, wake
        self._folder, self._passing = folder, ExitStack()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="captures")
        self._reading: Future[_Opened] | None = None
        self._texts: Future[tuple[str, str]] | None = None  # a text for the clipboard, and what is said of it
        self._jobs: dict[str, float] = {}  # that are under way, and when they began
        self._cancelled: list[str] = []  # of which word may still come
        self._count = 0
        self._screen: tuple[What, int, bool] | None = None  # a part of it, the frames until then, and whether to copy
        self._dialog: Any = None
        actions = context.captures
        actions.take, actions.copy, actions.open, actions.browse = self.take, self.copy, self.open, self.browse
        actions.cancel = self.cancel
        actions.copy_command, actions.copy_state, actions.paste = self.copy_command, self.copy_state, self.paste

    # -- taking ----------------------------------------------------------------------------------------------------

    def take(self, what: What | None = None) -> None:
        """Write a picture of `what`, by default of what the Capture panel says."""
        self._take(what or self._chosen(), copies=False)

    def copy(self) -> None:
        """Put the picture that the Capture panel names on the clipboard."""
        self._take(self._chosen(), copies=True)

    def _chosen(self) -> What:
        return self._state.capture.what  # type: ignore[return-value]  # its choices are these

    def _take(self, what: What, *, copies: bool) -> None:
        slots = SLOTS if what not in SLOTS else (what,)
        if not any(self._state.slot(slot).path for slot in slots):
            of = f" in the {what} slot" if what in SLOTS else ""
            self._context.message = f"There is no picture{of} to capture: open a model first."
        elif what in ("canvas", "window"):
            self._screen = (what, FRAMES, copies)
            self._canvas.is_bare = True
        else:
            self._start(what, copies, None)

    def _start(self, what: What, copies: bool, pixels: np.ndarray | None) -> None:
        self._count += 1
        name = f"{JOB} {self._count}"
        self._context.jobs.start(name, CaptureRequest(copy.deepcopy(self._state), what, copies, pixels))
        self._jobs[name] = time.monotonic()

    def cancel(self) -> None:
        """End the captures that are under way; nothing of them is left."""
        if self._jobs:
            self._context.message = "The capture was cancelled: nothing was written."
        for name in self._jobs:
            self._context.jobs.cancel(name)
        self._cancelled += self._jobs
        self._jobs.clear()

    def is_waiting(self) -> bool:
        """Return whether frames must be drawn for a capture to come about."""
        return self._screen is not None

    def is_busy(self) -> bool:
        """Return whether a capture, or what was opened, is under way."""
        return bool(self._jobs or self._screen or self._reading or self._texts)

    def take_screen(self, gl: Any) -> None:
        """Read the frame that was just drawn, if it is to be captured. On the window's thread, before the swap."""
        if self._screen is None:
            return
        what, frames, copies = self._screen
        if frames:
            self._screen = (what, frames - 1, copies)
            self._wake()
            return
        self._screen, self._canvas.is_bare = None, False  # whatever becomes of it
        io = imgui.get_io()
        scale, size = io.display_framebuffer_scale, io.display_size
        width, height = round(size.x * scale.x), round(size.y * scale.y)
        gl.glPixelStorei(gl.GL_PACK_ALIGNMENT, 1)
        data = gl.glReadPixels(0, 0, width, height, gl.GL_RGB, gl.GL_UNSIGNED_BYTE)
        pixels = np.frombuffer(data, np.uint8).reshape(height, width, 3)[::-1]
        if what == "canvas":
            area = self._canvas.bounds
            rows = slice(max(0, round(area.top * scale.y)), round(area.bottom * scale.y))
            pixels = pixels[rows, max(0, round(area.left * scale.x)) : round(area.right * scale.x)]
        self._start(what, copies, np.ascontiguousarray(pixels))

    # -- opening ---------------------------------------------------------------------------------------------------

    def open(self, source: str) -> None:
        """Bring back the state in a PNG, a state file or a short text, once its models are found."""
        source = source.strip() if holds_text(source) else unquote_path(source)
        if not source:
            return
        own = (*(self._state.slot(slot).path for slot in SLOTS), *self._state.recents)
        if self._folder is None:
            self._folder = Path(self._passing.enter_context(tempfile.TemporaryDirectory(prefix="jinc-")))
        folder = self._folder

        def read() -> _Opened:
            record = read_source(source)
            return _Opened(name_source(source), record, locate(record, own, folder))

        self._reading = self._reader.submit(read)
        self._reading.add_done_callback(lambda _: self._wake())

    def browse(self) -> None:
        """Ask for a capture with the desktop's own dialog; the answer is picked up in a later frame."""
        self._dialog = dialogs.open_file("Open a capture", "", KINDS)

    def paste(self) -> None:
        """Bring back the state whose short text, or whose file's path, is on the clipboard."""
        text = imgui.get_clipboard_text() or ""
        if holds_text(text) or os.path.isfile(unquote_path(text)[:4096].replace("\0", "")):
            self.open(text)
        else:
            self._context.message = "There is no state on the clipboard: copy a text that begins with jinc1:."

    # -- texts -----------------------------------------------------------------------------------------------------

    def copy_command(self) -> None:
        """Put the command that draws the focused slot's picture on the clipboard."""
        slot, state = self._state.focus, copy.deepcopy(self._state)
        slot = slot if state.slot(slot).path else "left" if state.left.path else "right"
        shown = self._context.results[slot]

        def make() -> tuple[str, str]:
            command = invocation.format_command(*make_command(state, slot, shown))
            return command, f"Copied the command that draws the {slot} picture: paste it into a terminal."

        self._make_text(make)

    def copy_state(self) -> None:
        """Put the short text of the state on the clipboard."""
        state = copy.deepcopy(self._state)
        there = [slot for slot in SLOTS if state.slot(slot).path]

        def make() -> tuple[str, str]:
            text = encode_text(make_record(state, "both" if len(there) == 2 else there[0] if there else "left"))
            sentence = "Copied the state as text: Edit, Paste state brings it back, here or elsewhere."
            if len(text) > LONG_TEXT:
                sentence += f" It has {len(text):,} characters, and a chat may cut it off: send a capture instead."
            return text, sentence

        self._make_text(make)

    def _make_text(self, make: Callable[[], tuple[str, str]]) -> None:
        """Make a text on the thread: the models' checksums take a while."""
        self._texts = self._reader.submit(make)
        self._texts.add_done_callback(lambda _: self._wake())

    # -- a frame ---------------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Say what became of captures, and bring back what was opened; once a frame."""
        for name in list(self._jobs):
            self._finish(name)
        for name in self._cancelled:
            late = self._context.jobs.statuses.pop(name, None)
            if late is not None and isinstance(late.result, Captured):
                self._context.message = f"It was too late to cancel. {late.result.sentence}"
        now = time.monotonic()
        self._context.captures.is_long = any(now - began > LONG_SECONDS for began in self._jobs.values())
        if self._dialog and self._dialog.ready(0):
            chosen, self._dialog = self._dialog.result()[:1], None
            for path in chosen:
                self.open(path)
        if self._texts and self._texts.done():
            done, self._texts = self._texts, None
            try:
                text, self._context.message = done.result()
                imgui.set_clipboard_text(text)
            except (ValueError, OSError) as problem:
                self._context.message = str(problem)
        if self._reading and self._reading.done():
            done_reading, self._reading = self._reading, None
            try:
                self._restore(done_reading.result())
            except RecordError as problem:
                self._context.message = str(problem)

    def _finish(self, name: str) -> None:
        jobs = self._context.jobs
        status = jobs.statuses.get(name)
        if status is None or not status.finished:  # a status that comes later would stay, with all pixels
            return
        if isinstance(status.result, Captured):
            self._context.message, self._context.captures.last = status.result.sentence, status.result.path
            if status.result.text:
                imgui.set_clipboard_text(status.result.text)
        else:
            self._context.message = status.error or "Nothing was captured."
        jobs.cancel(name)
        jobs.statuses.pop(name, None)
        del self._jobs[name]

    def _restore(self, opened: _Opened) -> None:
        if sentence := opened.located.explain(opened.name, opened.record.slots()):
            self._context.message = sentence
            return
        restore(opened.located.state, self._state)
        self._context.models.downloads.keep(self._state.slot(slot).path for slot in SLOTS)
        other = opened.located.explain(opened.name)
        self._context.message = f"Brought back the state of {opened.name}: Ctrl-Z returns. {other}".strip()

    def close(self) -> None:
        """End the thread after what it reads, and forget latents that nobody keeps."""
        self._reader.shutdown(wait=True, cancel_futures=True)
        self._passing.close()
