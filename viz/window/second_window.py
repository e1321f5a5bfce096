# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A second window with the pictures alone, for a projector: it shows what the canvas compares, zoomed and panned alike.

Its OpenGL context shares the textures of the first one's, where pictures are brought to the card.
"""

import warnings
from dataclasses import replace
from typing import Any

import imgui_bundle  # noqa: F401  (before glfw, as in viz.display.offscreen)
from imgui_bundle import glfw_utils

from viz.canvas.canvas import Canvas
from viz.canvas.overlays import Frame, Rect
from viz.canvas.placing import place
from viz.core.state import SLOTS, AppState, Slot
from viz.display import gl as opengl
from viz.display import offscreen
from viz.display.quads import Box, Quads
from viz.display.texture import TextureHandle
from viz.ui.context import PanelContext, Pictures
from viz.ui.theme import rgb
from viz.window.full_screen import FullScreen, find_monitor, find_place
from viz.window.uploads import CanvasUploads

# isort: split
import glfw

TITLE = "Jinc: pictures"
SIZE = (1280, 720)  # where there is no second screen, that it could cover
DIVIDER = 2.0  # width, pixels


class SecondWindow:
    """The window, while it is open. Only on the first window's thread, with its context current before and after."""

    def __init__(self, state: AppState, context: PanelContext, canvas: Canvas) -> None:
        self._state, self._context, self._canvas = state, context, canvas
        self._window: Any = None
        self._quads: Quads | None = None
        self.full_screen: FullScreen | None = None
        self._frames: dict[Slot, Frame] = {slot: Frame() for slot in SLOTS}

    @property
    def is_open(self) -> bool:
        """True while it is there."""
        return self._window is not None

    def toggle(self) -> None:
        """Open or close it; a sentence in the status bar where it cannot be opened."""
        if self.is_open:
            self.close()
            return
        try:
            self._open()
        except (OSError, glfw.GLFWError) as problem:
            self.close()
            self._context.message = f"The second window cannot be opened: {problem}"

    def _open(self) -> None:
        first = glfw_utils.glfw_window_hello_imgui()
        hints = (glfw.CONTEXT_VERSION_MAJOR, glfw.CONTEXT_VERSION_MINOR, glfw.OPENGL_PROFILE, glfw.CONTEXT_CREATION_API)
        asked = [(hint, glfw.get_window_attrib(first, hint)) for hint in hints]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", glfw.GLFWError)  # None says it
            glfw.default_window_hints()
            for hint, value in (*asked, (glfw.OPENGL_FORWARD_COMPAT, glfw.TRUE), (glfw.FOCUS_ON_SHOW, glfw.FALSE)):
                glfw.window_hint(hint, value)
            self._window = glfw.create_window(*SIZE, TITLE, None, first)
            if not self._window:
                self._window = None
                raise OSError("this graphics driver opens no other window beside the first one.")
            self.full_screen = FullScreen(self._window)
            glfw.set_key_callback(self._window, self._on_key)
            other = [one for one in glfw.get_monitors() if not _is_same(one, find_monitor(find_place(first)))]
            if other:
                self.full_screen.enter(other[0])
        glfw.make_context_current(self._window)
        try:
            glfw.swap_interval(0)  # the first window waits for its screen; waiting for both would halve the rate
            self._quads = Quads(opengl.of_window())
        finally:
            glfw.make_context_current(first)

    def close(self) -> None:
        """Close it."""
        window, self._window, self.full_screen = self._window, None, None
        quads, self._quads = self._quads, None
        if window is None:
            return
        first = glfw_utils.glfw_window_hello_imgui()
        glfw.make_context_current(window)
        if quads:
            quads.delete()
        glfw.make_context_current(first)
        glfw.destroy_window(window)

    def show(self, uploads: CanvasUploads) -> None:
        """Draw the pictures as they are now, and present them; once a frame, before the first window is presented."""
        if self.is_open and glfw.window_should_close(self._window):
            self.close()
        if not self.is_open:
            return
        size = glfw.get_framebuffer_size(self._window)
        if min(size) < 1:
            return
        mode = self._arrange(size)
        pictures = uploads.prepare_beside(self._state, self._context, {slot: self._frames[slot].side for slot in SLOTS})
        glfw.make_context_current(self._window)
        try:
            self.draw(size, mode, pictures)
            glfw.swap_buffers(self._window)
            if offscreen.in_use():
                uploads.textures.finish()  # as for the first one: nothing is presented
        finally:
            glfw.make_context_current(glfw_utils.glfw_window_hello_imgui())

    def _arrange(self, size: tuple[int, int]) -> str:
        """Place the pictures as in the canvas; one that is alone takes all. Return how they are compared."""
        canvas = self._state.canvas
        there = [slot for slot in SLOTS if self._has_picture(slot)]
        if len(there) < 2 and canvas.mode != "blink":
            canvas = replace(canvas, mode="blink")
        place(canvas, Rect(0.0, 0.0, *map(float, size)), self._frames, 0.0)
        return canvas.mode

    def _has_picture(self, slot: Slot) -> bool:
        result = self._context.drawn[slot]
        return result is not None and result.picture is not None

    def draw(self, size: tuple[int, int], mode: str, pictures: Pictures) -> None:
        """Draw into the context that is current."""
        assert self._quads is not None
        quads, palette = self._quads, self._context.theme.palette
        quads.begin(size, _colour(palette["stage"]))
        there: list[tuple[Slot, TextureHandle | None]]
        if mode == "difference":
            there = [("left", pictures.difference)]
        elif mode == "blink":
            turn = self._canvas.turn if pictures.slot(self._canvas.turn) else "left" if pictures.left else "right"
            there = [(turn, pictures.slot(turn))]
        else:
            there = [(slot, pictures.slot(slot)) for slot in SLOTS]
        for slot, shown in there:
            frame = self._frames[slot]
            if shown is not None:
                half = frame.side / 2
                x, y = frame.centre_x, frame.centre_y
                quads.draw(shown.texture, (x - half, y - half, x + half, y + half), _box(frame))
        if mode == "split":
            border = self._frames["right"].left
            edges = (border - DIVIDER / 2, 0.0, border + DIVIDER / 2, float(size[1]))
            quads.fill(edges, _colour(palette["text"]))

    def _on_key(self, window: Any, key: int, scancode: int, action: int, modifiers: int) -> None:
        """F11 covers the screen and comes back, Esc comes back or closes."""
        if action != glfw.PRESS or self.full_screen is None:
            return
        if key == glfw.KEY_F11 and not modifiers & glfw.MOD_SHIFT:
            self.full_screen.toggle()
        elif key in (glfw.KEY_ESCAPE, glfw.KEY_F11):
            if self.full_screen.is_on and key == glfw.KEY_ESCAPE:
                self.full_screen.leave()
            else:
                glfw.set_window_should_close(window, True)


def _box(frame: Rect) -> Box:
    return frame.left, frame.top, frame.right, frame.bottom


def _is_same(one: Any, other: Any) -> bool:
    return other is not None and bool(glfw.get_monitor_pos(one) == glfw.get_monitor_pos(other))


def _colour(code: str) -> tuple[float, float, float]:
    found = rgb(code)
    return found.x, found.y, found.z
