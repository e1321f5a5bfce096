# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The line on the pictures that the x-t slices are taken along: drawn on both, dragged on either."""

import math
from typing import Literal

from imgui_bundle import imgui

from viz.canvas.overlays import Frame
from viz.core import gestures
from viz.core.state import StickingState
from viz.ui.theme import rgb

END = 5.0  # radius of its ends, pixels
REACH = 9.0  # within which an end is taken hold of

End = Literal["first", "last"]


def find_end(line: StickingState, frame: Frame, x: float, y: float) -> End | None:
    """Return the end of the line that is at a point of the window, if any."""
    first, last = (math.hypot(x - end[0], y - end[1]) for end in _ends(line, frame))
    if min(first, last) > REACH:
        return None
    return "first" if first < last else "last"


def drag_end(line: StickingState, end: End, dx: float, dy: float) -> None:
    """Move an end by so many picture widths; it stays within the picture."""
    name = "0" if end == "first" else "1"
    for axis, step in (("x", dx), ("y", dy)):
        gestures.set_clamped(line, axis + name, getattr(line, axis + name) + step)


def draw(line: StickingState, frame: Frame, lit: bool) -> None:
    """Draw the line over a slot's picture. Its first end, the top of the slice, is the filled one."""
    first, last = _ends(line, frame)
    to = imgui.get_window_draw_list()
    dark, ink = imgui.get_color_u32(rgb("#000000", 0.6)), imgui.get_color_u32(rgb("#ffffff", 0.9))
    to.add_line(first, last, dark, 3.5)
    to.add_line(first, last, ink, 1.5)
    for at in (first, last):
        to.add_circle_filled(at, END + 1.5, dark)
        to.add_circle_filled(at, END, ink)
    to.add_circle_filled(last, END - 2, dark)
    if lit:
        to.add_circle(first, END + 3, ink)
        to.add_circle(last, END + 3, ink)


def _ends(line: StickingState, frame: Frame) -> tuple[tuple[float, float], tuple[float, float]]:
    left, top = frame.centre_x - frame.side / 2, frame.centre_y - frame.side / 2
    return (
        (left + line.x0 * frame.side, top + line.y0 * frame.side),
        (left + line.x1 * frame.side, top + line.y1 * frame.side),
    )
