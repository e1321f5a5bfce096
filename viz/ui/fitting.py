# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Words in little room: labels above their controls, smaller letters, an ellipsis at last."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from imgui_bundle import ImVec2, imgui, imgui_ctx

NARROW = 14.5  # font sizes of a panel's width, below which labels stand above their controls
LEAST_PADDING = 3.0  # pixels at both ends of a button's words
LEAST = 0.6  # of the font size: smaller letters nobody reads


def is_narrow() -> bool:
    """Return whether there is no room for a label beside its control."""
    return imgui.get_content_region_avail().x < NARROW * imgui.get_font_size()


def elide(text: str, width: float) -> str:
    """Return a text that fits into `width` pixels in the current font: a longer one ends in an ellipsis."""
    if imgui.calc_text_size(text).x <= width:
        return text
    fits = bisect_right(range(len(text)), width, key=lambda end: imgui.calc_text_size(text[:end] + "…").x)
    return text[: max(fits - 1, 0)].rstrip() + "…"


def letters(font: imgui.ImFont | None, size: float) -> AbstractContextManager[object]:
    """Write with letters of `size` pixels on screen for a `with` block; 0: of the size that there is."""
    base = imgui.get_style().font_size_base  # imgui takes sizes before the text size is applied
    return imgui_ctx.push_font(font, size * base / imgui.get_font_size())


@contextmanager
def fitted(text: str, width: float, font: imgui.ImFont | None = None) -> Iterator[None]:
    """Let a control of `width` pixels hold a text of this font: by less space at its ends, then by smaller letters.

    It stays as high as it is. 0 and less are widths that follow from the text, or from the room in the row.
    """
    padding, em = imgui.get_style().frame_padding, imgui.get_font_size()
    with imgui_ctx.push_font(font, 0.0):
        natural = imgui.calc_text_size(text).x
    room = width - 2 * padding.x if width > 0 else natural
    if natural <= room:
        with imgui_ctx.push_font(font, 0.0):
            yield
        return
    least = min(LEAST_PADDING, padding.x)
    size = _shrink(text, width - 2 * least, font)
    space = ImVec2(least, padding.y + (em - size) / 2)
    with letters(font, size), imgui_ctx.push_style_var(imgui.StyleVar_.frame_padding, space):
        yield


def _shrink(text: str, room: float, font: imgui.ImFont | None) -> float:
    """Return the size of letters with which a text has so many pixels, LEAST of the present one at least."""
    em = imgui.get_font_size()
    for size in range(math.floor(em), math.ceil(LEAST * em), -1):
        with letters(font, size):  # letters have whole pixels, so their widths do not follow from their size
            if imgui.calc_text_size(text).x <= room:
                return float(size)
    return LEAST * em
