# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""One picture of any kind to one square PNG of a data set."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image

from gan.data.picture import DAMAGE, MODES, Color, PictureInfo, load_picture, probe_picture, resize_picture
from gan.files.errors import describe_error

CROPS = ("center", "wide", "pad", "stretch")
MAX_FILE = 2**30  # bytes of a picture
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True)
class Transform:
    """Make a picture `size` wide and high.

    `crop`: "center" takes the largest centred square, "wide" the largest centred part of aspect size : `wide_height`
    and puts bars above and below, "pad" all of it with bars where it is narrower, "stretch" all of it, distorted.
    `channels`: 1 grey, 3 RGB, 4 RGB and alpha. `background`: under what is transparent and of bars; None: white and
    black. `min_size`: pixels that the smaller side of a picture must have, or it is left out.
    """

    size: int
    crop: str = "center"
    wide_height: int = 0
    channels: int = 3
    background: Color | None = None
    min_size: int = 1


class Converted(NamedTuple):
    """A converted picture, or why there is none. `key` is a digest of its pixels, `notes` say what was changed."""

    png: bytes
    key: str
    width: int = 0
    height: int = 0
    notes: tuple[str, ...] = ()
    error: str = ""


def convert_picture(data: bytes, transform: Transform) -> Converted:
    """Convert the bytes of a picture file; nothing is raised for a damaged one."""
    try:
        info = probe_picture(io.BytesIO(data))
        if min(info.size) < transform.min_size:
            return Converted(b"", "", *info.size, error=f"smaller than {transform.min_size} pixels")
        notes = _list_changes(info, transform)
        image = load_picture(data, transform.channels, transform.background or WHITE, at_least=2 * transform.size)
        square = make_square(image, transform)
    except MemoryError:
        return Converted(b"", "", error="it needs more memory than there is")
    except DAMAGE as error:
        return Converted(b"", "", error=describe_error(error, "no picture, or damaged"))
    square.info.clear()  # a colour profile, which the pixels no longer need and which holds the time
    stream = io.BytesIO()
    square.save(stream, "PNG")
    key = hashlib.sha256(square.tobytes()).hexdigest()
    return Converted(stream.getvalue(), key, *info.size, notes=notes)


def make_square(image: Image.Image, transform: Transform) -> Image.Image:
    """Crop, resize and pad a picture as `transform` says."""
    size, (width, height) = transform.size, image.size
    if transform.crop == "stretch":
        return resize_picture(image, (size, size))
    if transform.crop == "center":
        return resize_picture(image, (size, size), _center_box(width, height, 1.0))
    if transform.crop == "wide":
        inner = size, transform.wide_height
        part = resize_picture(image, inner, _center_box(width, height, inner[0] / inner[1]))
    else:
        scale = size / max(width, height)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        part = resize_picture(image, inner)
    return _put_on_bars(part, transform)


def _center_box(width: int, height: int, aspect: float) -> tuple[float, float, float, float]:
    """Return the largest centred box of width : height = `aspect`, (left, top, right, bottom)."""
    inner_width, inner_height = min(width, height * aspect), min(height, width / aspect)
    left, top = (width - inner_width) / 2, (height - inner_height) / 2
    return left, top, left + inner_width, top + inner_height


def _put_on_bars(part: Image.Image, transform: Transform) -> Image.Image:
    size, mode = transform.size, MODES[transform.channels]
    color = transform.background or BLACK
    bars = Image.new("RGBA", (size, size), (*color, 0 if transform.background is None else 255)).convert(mode)
    bars.paste(part, ((size - part.width) // 2, (size - part.height) // 2))
    return bars


def _list_changes(info: PictureInfo, transform: Transform) -> tuple[str, ...]:
    """Return what is done to a picture beyond cropping and shrinking it."""
    mode, notes = info.mode, []
    if info.turned:
        notes.append("turned upright")
    if mode.startswith("I") or mode == "F" or mode.endswith(";16"):
        notes.append(f"{mode} scaled to 8 bits")
    if mode in ("CMYK", "LAB", "YCbCr", "HSV"):
        notes.append(f"{mode} to sRGB")
    if info.channels == 4 and transform.channels != 4:
        notes.append("transparency on a background")
    if info.channels != 1 and transform.channels == 1:
        notes.append("made grey")
    if min(info.size) < transform.size:
        notes.append("enlarged")
    return tuple(notes)
