# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Place both pictures in an area, as mode, zoom and pan say: in the canvas, or in a window of their own."""

import math
from collections.abc import Mapping

from viz.canvas.overlays import Frame, Rect
from viz.core.state import SLOTS, CanvasState, Slot

GAP = 1.0  # between two pictures side by side, pixels


def place(canvas: CanvasState, area: Rect, frames: Mapping[Slot, Frame], margin: float) -> float:
    """Set the slots' frames within an area; return where the left slot's side ends.

    `margin` is left around a fitted picture.
    """
    half = max(1.0, math.floor((area.width - GAP) / 2))
    border = area.left + half + GAP
    if canvas.mode == "split":
        border = area.left + round(canvas.divider * area.width)
    for slot in SLOTS:
        frame = frames[slot]
        left, right, full_left, full_width = area.left, area.right, area.left, area.width
        if canvas.mode == "side":
            left = full_left = area.left if slot == "left" else border
            right, full_width = left + half, half
        elif canvas.mode == "split":
            left, right = (left, border) if slot == "left" else (border, right)
        frame.left, frame.top, frame.width, frame.height = left, area.top, right - left, area.height
        _fit(canvas, frame, full_left, full_width, margin)
    return border


def _fit(canvas: CanvasState, frame: Frame, left: float, width: float, margin: float) -> None:
    """Place the picture's square within the area from `left` over `width`, as zoomed and panned."""
    frame.middle_x, frame.middle_y = left + width / 2, frame.top + frame.height / 2
    frame.fitted = max(16.0, math.floor(min(width, frame.height) - 2 * margin))
    frame.side = frame.fitted * canvas.zoom
    # The picture's corner falls on a whole pixel, so that 1:1 is exact.
    x = frame.middle_x + canvas.pan_x * frame.fitted - frame.side / 2
    y = frame.middle_y + canvas.pan_y * frame.fitted - frame.side / 2
    frame.centre_x, frame.centre_y = round(x) + frame.side / 2, round(y) + frame.side / 2
