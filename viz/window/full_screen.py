# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Windows over a whole screen, and back to where they were."""

import sys
import warnings
from typing import Any

import imgui_bundle  # noqa: F401  (before glfw, as in viz.display.offscreen)

# isort: split
import glfw

Place = tuple[int, int, int, int]  # left, top, width, height on the desktop


class FullScreen:
    """One of GLFW's windows, over the screen that it is on or where its user put it."""

    def __init__(self, window: Any) -> None:
        self._window = window
        self._place: Place | None = None  # to come back to; None: it is there

    @property
    def is_on(self) -> bool:
        """True while the window covers a screen."""
        return self._place is not None

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height to come back to, None while the window has them."""
        return self._place[2:] if self._place else None

    def enter(self, monitor: Any = None) -> None:
        """Cover a screen, None: the one that holds most of the window. Where there is none, the window stays as it is.

        It stays there when another window is chosen: the audience goes on seeing it.
        """
        if self.is_on:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", glfw.GLFWError)  # Wayland tells no places
            self._place = find_place(self._window)
            monitor = monitor or find_monitor(self._place)
            if monitor is None:
                return
            mode = glfw.get_video_mode(monitor)
            glfw.set_window_attrib(self._window, glfw.AUTO_ICONIFY, glfw.FALSE)
            glfw.set_window_monitor(self._window, monitor, 0, 0, *mode.size, mode.refresh_rate)

    def leave(self) -> None:
        """Put the window where it was."""
        if self._place is None:
            return
        place, self._place = self._place, None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", glfw.GLFWError)
            if glfw.get_window_monitor(self._window):
                glfw.set_window_monitor(self._window, None, *place, glfw.DONT_CARE)  # type: ignore[arg-type]

    def toggle(self) -> None:
        """Enter or leave."""
        if self.is_on:
            self.leave()
        else:
            self.enter()


def fit_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return a new window's size, no larger than the screen has room for: its panels are laid out for that.

    As it is where there is no screen, or none that GLFW, initialised before, tells about.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", glfw.GLFWError)
        monitor = glfw.get_primary_monitor()
        if not monitor or glfw.get_platform() == glfw.PLATFORM_NULL:
            return size
        *_, width, height = glfw.get_monitor_workarea(monitor)
        scale = 1.0 if sys.platform == "darwin" else max(1.0, *glfw.get_monitor_content_scale(monitor))
    if min(width, height) <= 0:
        return size
    return min(size[0], int(width / scale)), min(size[1], int(height / scale))


def find_place(window: Any) -> Place:
    """Return where a window is on the desktop, and its size."""
    left, top = glfw.get_window_pos(window)
    width, height = glfw.get_window_size(window)
    return left, top, width, height


def find_monitor(place: Place) -> Any:
    """Return the monitor that holds most of a window; None where there is none."""
    found = [(_overlap(place, monitor), monitor) for monitor in glfw.get_monitors()]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _overlap(place: Place, monitor: Any) -> int:
    left, top, width, height = place
    x, y = glfw.get_monitor_pos(monitor)
    across, down = glfw.get_video_mode(monitor).size
    return max(0, min(left + width, x + across) - max(left, x)) * max(0, min(top + height, y + down) - max(top, y))
