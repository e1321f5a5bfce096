# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Undo and redo in the window: when a gesture ends, the Edit menu and its keys."""

import time
from collections.abc import Callable

from imgui_bundle import imgui

from viz.core.history import History
from viz.core.state import SLOTS, AppState
from viz.ui import modifiers
from viz.ui.context import PanelContext

WHEEL_SECONDS = 0.4  # without a notch, after which a turn of the wheel is over
REST_SECONDS = 0.1  # the same, after which it can be undone
STREAM_SECONDS = 0.6  # without a message, after which a movement from outside is over


class Undo:
    """The history of one window's state."""

    def __init__(self, state: AppState, context: PanelContext) -> None:
        self._state, self._context = state, context
        self.history = History({"state": state, "shelf": context.bookmarks.shelf})
        self._turned_at = -WHEEL_SECONDS  # when the wheel was last turned
        context.models.before = lambda slot: self.history.find_before(f"state.{slot}.path") or ""
        self._streamed_at = -STREAM_SECONDS  # when something last came from outside

    def follow(self) -> None:
        """Take note of what the last frame changed; once a frame, before anything changes by itself."""
        self.history.is_held = (
            imgui.is_any_item_active()
            or any(map(imgui.is_mouse_down, range(imgui.MouseButton_.count)))
            or any(imgui.is_key_down(imgui.Key(key)) for key in _REPEATED)
            or time.monotonic() - self._turned_at < WHEEL_SECONDS
        )
        self.history.follow()

    def stream(self, apply: Callable[[], bool]) -> None:
        """Let `apply` change the state by what comes from outside, once a frame; it returns whether anything came."""
        now = time.monotonic()
        with self.history.streamed():
            if apply():
                self._streamed_at = now
        if now - self._streamed_at > STREAM_SECONDS:
            self.history.end_stream()

    def menu(self) -> None:
        """Draw the items of the Edit menu, each with what it would do."""
        for text, keys, name, step in (
            ("Undo", "Ctrl-Z", self.history.undo_name, self.undo),
            ("Redo", "Ctrl-Shift-Z", self.history.redo_name, self.redo),
        ):
            words = f"{text} {name}###{text}" if name else f"{text}###{text}"
            if imgui.menu_item(words, keys, False, name is not None)[0]:
                step()

    def keys(self) -> None:
        """Handle Ctrl-Z, Ctrl-Shift-Z and Ctrl-Y, and see the wheel; a text that is being typed has its own."""
        io, key = imgui.get_io(), imgui.Key
        if io.mouse_wheel:  # within a frame: between two it is 0
            self._turned_at = time.monotonic()
        if not modifiers.ctrl() or io.want_text_input:
            return
        if imgui.is_key_pressed(key.y) or (modifiers.shift() and imgui.is_key_pressed(key.z)):
            self.redo()
        elif imgui.is_key_pressed(key.z):
            self.undo()

    def undo(self) -> None:
        """Undo a step and say which."""
        if time.monotonic() - self._streamed_at > REST_SECONDS:
            self.history.end_stream()  # and not while it goes on, or it would be all that can ever be undone
        name = self.history.undo_name
        self._report(f"Undone: {name}.", self.history.undo())

    def redo(self) -> None:
        """Redo a step and say which."""
        name = self.history.redo_name
        self._report(f"Done again: {name}.", self.history.redo())

    def _report(self, sentence: str, is_done: bool) -> None:
        if is_done:
            self._context.message = sentence
            self._context.models.downloads.keep(self._state.slot(slot).path for slot in SLOTS)


_REPEATED = tuple(
    int(key)
    for key in (
        imgui.Key.left_arrow,
        imgui.Key.right_arrow,
        imgui.Key.up_arrow,
        imgui.Key.down_arrow,
        imgui.Key.comma,
        imgui.Key.period,
    )
)
