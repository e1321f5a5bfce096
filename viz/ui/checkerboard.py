# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Squares in two greys behind pictures with alpha. They stay on the screen while the picture is moved or zoomed."""

import functools
import math

import numpy as np
from imgui_bundle import ImVec2, imgui, imgui_ctx

from viz.ui.context import PanelContext

SQUARE = 10  # pixels
TILE = 52 * SQUARE  # of the texture that is repeated: an even number of squares


@functools.cache
def make_tile(first: str, second: str) -> np.ndarray:
    """Return uint8 [TILE, TILE, 4] with squares of two colours "#rrggbb" in turn."""
    y, x = np.mgrid[0:TILE, 0:TILE] // SQUARE
    colors = np.array([[*bytes.fromhex(code[1:]), 255] for code in (first, second)], np.uint8)
    return colors[(x + y) % 2]


def draw_checkerboard(context: PanelContext, corner: ImVec2, end: ImVec2) -> None:
    """Fill a rectangle of the screen; what lies outside the current clip rectangle is not drawn."""
    draw, palette = imgui.get_window_draw_list(), context.theme.palette
    low, high = draw.get_clip_rect_min(), draw.get_clip_rect_max()
    left, top = max(corner.x, low.x), max(corner.y, low.y)
    right, bottom = min(end.x, high.x), min(end.y, high.y)
    if right <= left or bottom <= top:
        return
    handle = context.texture("checkerboard", make_tile(palette["checks"], palette["gaps"]))
    texture = imgui.ImTextureRef(handle.texture)
    with imgui_ctx.push_clip_rect(ImVec2(left, top), ImVec2(right, bottom), True):
        for y in range(math.floor(top / TILE), math.ceil(bottom / TILE)):
            for x in range(math.floor(left / TILE), math.ceil(right / TILE)):
                draw.add_image(texture, (x * TILE, y * TILE), ((x + 1) * TILE, (y + 1) * TILE))
