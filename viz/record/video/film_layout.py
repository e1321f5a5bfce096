# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The picture of a film: two models' names, pictures and slices over time, and their stickiness beside. No torch."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from viz.core.state import SLOTS

if TYPE_CHECKING:
    from gan.analysis.stickiness import Shares

WIDTH, HEIGHT = 1280, 720  # of the design, in units that are pixels at this size
# Those of the window's dark theme (viz.ui.theme), but for what boils.
COLOURS = {
    "stage": "#121315",
    "field": "#27292d",
    "text": "#dcdee2",
    "dim": "#8d929b",
    "left": "#e3a24a",
    "right": "#57b0e3",
    "stays": "#e8776d",
    "follows": "#5cc98b",
    "boils": "#565b64",
}
PARTS = ("stays", "follows", "boils")
EDGE, SIDE, GAP = 36, 400, 24  # the border, a picture, and what is between two
COLUMNS = EDGE, EDGE + SIDE + GAP  # the left ends of the pictures
BESIDE = EDGE + 2 * (SIDE + GAP) + 12  # the left end of what stands beside them
ROOM = WIDTH - BESIDE - EDGE  # its width
PICTURE_TOP = 122
SLICE_TOP, SLICE_HEIGHT = PICTURE_TOP + SIDE + 34, 128
FONTS = {"plain": "Roboto/Roboto-Regular.ttf", "bold": "Roboto/Roboto-Bold.ttf", "mono": "Inconsolata-Medium.ttf"}
Segment = tuple[float, float, float, float]  # x0, y0, x1, y1 in picture widths from the upper left corner


@dataclass(frozen=True)
class Side:
    """One model's rung, name and shares of fine detail, or a sentence why there are none."""

    rung: str
    name: str
    shares: Shares | None = None
    refused: str = ""


@lru_cache(maxsize=64)
def load_font(face: str, size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return a font of the window's library; Pillow's own where that is not installed."""
    found = importlib.util.find_spec("imgui_bundle")
    for place in (found and found.submodule_search_locations) or ():
        file = Path(place) / "assets" / "fonts" / FONTS[face]
        if file.is_file():
            return ImageFont.truetype(str(file), size)
    return ImageFont.load_default(size)


class FilmLayout:
    """Composes frames: what stays is drawn once, then pictures and slices are put on it."""

    def __init__(
        self, size: tuple[int, int], heading: str, motion: str, sides: Sequence[Side], segment: Segment
    ) -> None:
        """`size` of the frames in pixels, 16 : 9 to the nearest even width. `motion` says what moves, briefly."""
        self.scale = size[1] / HEIGHT
        self.size = size
        self.side, self.slice_size = self._at(SIDE), (self._at(SIDE), self._at(SLICE_HEIGHT))
        self._segment = segment
        self._image = Image.new("RGB", self.size, COLOURS["stage"])
        self._draw = ImageDraw.Draw(self._image)
        self._write(EDGE, 30, heading, "bold", 27)
        self._write(WIDTH - EDGE, 33, motion, "plain", 18, "dim", anchor="ra")
        for slot, column, side in zip(SLOTS, COLUMNS, sides, strict=True):
            self._name(slot, column, side)
        self._explain(sides)
        self._base = np.asarray(self._image)

    def _at(self, units: float) -> int:
        return round(units * self.scale)

    def _write(
        self, x: float, y: float, text: str, face: str, size: float, colour: str = "text", anchor: str = "la"
    ) -> float:
        """Write a text, and return where it ends."""
        font = load_font(face, size * self.scale)
        place = x * self.scale, y * self.scale
        self._draw.text(place, text, font=font, fill=COLOURS[colour], anchor=anchor)
        return x + font.getlength(text) / self.scale

    def _fit(self, text: str, face: str, size: float, width: float) -> str:
        """Return as much of a text as fits."""
        font = load_font(face, size * self.scale)
        if font.getlength(text) <= width * self.scale:
            return text
        while text and font.getlength(text + "…") > width * self.scale:
            text = text[:-1]
        return text.rstrip() + "…"

    def _wrap(self, x: float, y: float, text: str, size: float, colour: str, width: float) -> float:
        """Write a text in lines; return the y of the next one."""
        font, line = load_font("plain", size * self.scale), ""
        for word in [*text.split(), ""]:
            longer = f"{line} {word}".strip()
            if word and font.getlength(longer) <= width * self.scale:
                line = longer
                continue
            self._write(x, y, line, "plain", size, colour)
            y, line = y + 1.38 * size, word
        return y

    def _name(self, slot: str, column: float, side: Side) -> None:
        """Write a model's name above its picture, and what the strip below is."""
        rung = self._fit(side.rung, "bold", 19, SIDE)
        end = self._write(column, PICTURE_TOP - 34, rung, "bold", 19, slot)
        room = column + SIDE - end - 12
        if room > 60:
            self._write(end + 12, PICTURE_TOP - 31, self._fit(side.name, "plain", 15, room), "plain", 15, "dim")
        self._write(column, SLICE_TOP - 24, "the line, frame by frame", "plain", 14, "dim")
        self._write(column + SIDE - 14, SLICE_TOP - 24, "time", "plain", 14, "dim", anchor="ra")
        x, y = ((place * self.scale) for place in (column + SIDE - 1, SLICE_TOP - 15))
        size = 4.5 * self.scale  # an arrow, which the fonts lack
        self._draw.polygon(((x, y), (x - 1.7 * size, y - size), (x - 1.7 * size, y + size)), fill=COLOURS["dim"])
        self._box(column, SLICE_TOP, SIDE, SLICE_HEIGHT, "field")

    def _box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        left, top, right, bottom = map(self._at, (x, y, x + width, y + height))
        if left < right and top < bottom:
            self._draw.rectangle((left, top, right - 1, bottom - 1), fill=COLOURS[colour])

    def _explain(self, sides: Sequence[Side]) -> None:
        """Write what stickiness is, and each model's."""
        self._write(BESIDE, PICTURE_TOP - 34, "Stickiness", "bold", 19)
        words = "The share of the fine detail that stays on the screen while the content moves by one pixel; turns "
        words += "are not measured."
        y = self._wrap(BESIDE, PICTURE_TOP - 2, words, 16, "dim", ROOM) + 14
        for slot, side in zip(SLOTS, sides, strict=True):
            self._measure(slot, side, y)
            y += 112
        x = float(BESIDE)
        for part in PARTS:
            self._box(x, y + 3, 12, 12, part)
            x = self._write(x + 19, y, part, "plain", 15, "dim") + 22
        self._write(BESIDE, SLICE_TOP - 28, "Over time", "bold", 19)
        words = "One line of each picture, a column a frame: what follows the motion bends with it, what sticks draws "
        self._wrap(BESIDE, SLICE_TOP + 2, words + "straight streaks, and what boils breaks up.", 16, "dim", ROOM)

    def _measure(self, slot: str, side: Side, y: float) -> None:
        if side.shares is None:
            self._write(BESIDE, y, side.rung, "plain", 16, slot)
            self._wrap(BESIDE, y + 26, side.refused, 16, "dim", ROOM)
            return
        values = np.clip([side.shares.stays, side.shares.follows, side.shares.boils], 0, None)
        number = f"{100 * values[0]:.0f} %"
        end = self._write(BESIDE, y, number, "bold", 44, slot)
        error = 100 * side.shares.stays_error
        name = self._fit(side.rung, "plain", 16, BESIDE + ROOM - end - 14)
        self._write(end + 14, y + 7, name, "plain", 16, slot)
        if math.isfinite(error):
            self._write(end + 14, y + 28, f"± {error:.1f}, {side.shares.num} latents", "plain", 14, "dim")
        x = float(BESIDE)
        for part, value in zip(PARTS, values / values.sum(), strict=True):
            self._box(x, y + 62, ROOM * value, 24, part)
            x += ROOM * value

    def compose(
        self, pictures: Sequence[np.ndarray], slices: Sequence[np.ndarray], done: int, count: int
    ) -> np.ndarray:
        """Return a frame, uint8 [H, W, 3].

        `pictures` are [side, side, 3], `slices` [samples, done, 3] so far, of `count` columns in the end.
        """
        image = Image.fromarray(self._base)
        draw = ImageDraw.Draw(image)
        width = max(1, round(self.slice_size[0] * done / count))
        for slot, column, picture, slice_ in zip(SLOTS, COLUMNS, pictures, slices, strict=True):
            corner = self._at(column), self._at(PICTURE_TOP)
            image.paste(Image.fromarray(picture), corner)
            self._mark(draw, corner, COLOURS[slot])
            strip = Image.fromarray(np.ascontiguousarray(slice_)).resize(
                (width, self.slice_size[1]), Image.Resampling.BICUBIC
            )
            image.paste(strip, (corner[0], self._at(SLICE_TOP)))
            if done < count:
                x, y = corner[0] + width, self._at(SLICE_TOP)
                draw.line((x, y, x, y + self.slice_size[1] - 1), fill=COLOURS[slot], width=max(1, self._at(1.5)))
        return np.asarray(image)

    def _mark(self, draw: ImageDraw.ImageDraw, corner: tuple[int, int], colour: str) -> None:
        """Draw the line of the slice on a picture."""
        x0, y0, x1, y1 = (part * self.side + corner[index % 2] for index, part in enumerate(self._segment))
        for shade, width in (("#000000", 4.2), (colour, 2.0)):
            draw.line((x0, y0, x1, y1), fill=shade, width=max(1, self._at(width)))
        for x, y in ((x0, y0), (x1, y1)):
            for shade, radius in (("#000000", 5.0), (colour, 3.8)):
                size = radius * self.scale
                draw.ellipse((x - size, y - size, x + size, y + size), fill=shade)
