# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Turn a generator's output into bytes, sheets and picture files."""

import io
import json
import math
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import ExifTags, Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from gan.files.atomic_write import atomic_write

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
FORMAT_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True, "exact": True},
}
MAX_EXIF = 65_000  # bytes, what a JPEG has room for
MAX_FONT, FONT_MARGIN, MAX_ROW_NAME = 14.0, 4, 20  # pixels, pixels, characters of a grid's row
SMALLEST_FONT = 11.0  # of a caption below a small picture, pixels
CAPTION_GAP, WIDEST_CAPTION = 6, 96  # pixels between captions; what small pictures give way for
CHECK_LIGHT, CHECK_DARK = 200, 176  # greys of a checkerboard


def to_uint8(images: torch.Tensor) -> torch.Tensor:
    """Convert [N, C, H, W] floats in about [-1, 1] to [N, H, W, C] bytes: 127.5 x + 128, clamped and truncated.

    One channel becomes three equal ones; two become red and green.
    """
    pixels = images.detach().float().mul(127.5).add(128).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
    if pixels.shape[3] == 2:
        return torch.cat([pixels, torch.zeros_like(pixels[..., :1])], dim=3)
    return pixels.expand(-1, -1, -1, 3) if pixels.shape[3] == 1 else pixels


def to_rgb(images: torch.Tensor) -> torch.Tensor:
    """Return [N, 3, H, W] of pictures [N, C, H, W] in about [-1, 1], for instruments that look at three channels.

    Grey becomes three equal channels, two become red and green, and RGBA is seen on middle grey: what is transparent
    is then as far from black as from white.
    """
    channels = images.shape[1]
    if channels == 1:
        return images.expand(-1, 3, -1, -1)
    if channels == 2:
        return torch.cat([images, torch.full_like(images[:, :1], -1)], dim=1)
    if channels == 4:
        return images[:, :3] * images[:, 3:].add(1).div(2).clamp(0, 1)
    return images


def select_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Return of RGBA bytes [H, W, 4] those that a picture of so many channels has: [H, W] of grey, else [H, W, 3 or 4].

    A PNG of them is grey, RGB or RGBA. Two channels are red and green of an RGB picture.
    """
    return pixels[:, :, 0] if channels == 1 else pixels if channels == 4 else pixels[:, :, :3]


def prepare_for_grid(pictures: np.ndarray) -> np.ndarray:
    """Return bytes [N, H, W, 1, 3 or 4] as RGB [N, H, W, 3]: grey as grey, RGBA on a checkerboard of 8 x 8 squares.

    In a grid, transparency must be seen by any program that shows a PNG, most of which would show it as black or white.
    """
    if pictures.shape[3] == 1:
        return np.repeat(pictures, 3, axis=3)
    if pictures.shape[3] != 4:
        return pictures
    height, width = pictures.shape[1:3]
    rows, columns = np.arange(height)[:, None] * 8 // height, np.arange(width)[None] * 8 // width
    checks = np.where((rows + columns) % 2, CHECK_LIGHT, CHECK_DARK)[None, :, :, None].astype(np.float32)
    alpha = pictures[..., 3:].astype(np.float32) / 255
    return np.rint(pictures[..., :3] * alpha + checks * (1 - alpha)).astype(np.uint8)


def tile_images(pictures: np.ndarray, columns: int) -> np.ndarray:
    """Tile [N, H, W, C] bytes row by row into one [rows H, columns W, C] picture; the rest of the last row is 0."""
    count, height, width, channels = pictures.shape
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, height, width, channels), pictures.dtype)
    sheet[:count] = pictures
    sheet = sheet.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(sheet).reshape(rows * height, columns * width, channels)


def name_rows(sheet: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Put each row's name at its left: a sheet [H, W, 3] of len(names) rows becomes [H, margin + W, 3]."""
    height = sheet.shape[0] // len(names)
    font = ImageFont.load_default(min(MAX_FONT, 0.7 * height))
    shown = [name if len(name) <= MAX_ROW_NAME else f"{name[: MAX_ROW_NAME - 1]}\u2026" for name in names]
    margin = 2 * FONT_MARGIN + math.ceil(max(font.getlength(name) for name in shown))
    image = Image.new("RGB", (margin + sheet.shape[1], sheet.shape[0]))
    image.paste(Image.fromarray(sheet), (margin, 0))
    draw = ImageDraw.Draw(image)
    for row, name in enumerate(shown):
        draw.text((FONT_MARGIN, (row + 0.5) * height), name, fill="white", font=font, anchor="lm")
    return np.asarray(image)


def caption_images(pictures: np.ndarray, captions: Sequence[Sequence[Sequence[str]]]) -> np.ndarray:
    """Put lines of text below each of [N, H, W, 3] pictures: [N, H + strip, cell, 3].

    A cell is as wide as its picture, or wider where the captions need it, WIDEST_CAPTION and a gap at most; the picture
    is in its middle. `captions`: each picture's lines, as many for all; a line is the same words in several lengths, of
    which the first that fits is taken, the last one cut if none does.
    """
    count, height, width, _ = pictures.shape
    size = max(SMALLEST_FONT, min(MAX_FONT, width / 6))
    font = ImageFont.load_default(size)
    line = math.ceil(1.5 * size)
    lines = max(map(len, captions))
    longest = max((font.getlength(lengths[0]) for texts in captions for lengths in texts), default=0)
    cell = max(width, math.ceil(min(longest, WIDEST_CAPTION)) + CAPTION_GAP)
    left = (cell - width) // 2
    done = np.zeros((count, height + lines * line, cell, 3), np.uint8)
    for index, texts in enumerate(captions):
        image = Image.new("RGB", (cell, lines * line))
        draw = ImageDraw.Draw(image)
        for row, lengths in enumerate(texts):
            fitting = (text for text in lengths if font.getlength(text) <= cell - CAPTION_GAP + 1)
            text = next(fitting, None) or _cut(lengths[-1], font, cell - CAPTION_GAP)
            draw.text((cell / 2, (row + 0.5) * line), text, fill="white", font=font, anchor="mm")
        done[index, :height, left : left + width], done[index, height:] = pictures[index], np.asarray(image)
    return done


def _cut(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    """Return as much of a text's beginning as fits, with an ellipsis behind it."""
    while text and font.getlength(f"{text}\u2026") > width:
        text = text[:-1]
    return f"{text}\u2026" if text else ""


def save_png(path: str | os.PathLike[str], pixels: np.ndarray, text: Mapping[str, str] | None = None) -> None:
    """Write bytes [H, W] (grey), [H, W, 3] or [H, W, 4] (RGBA) as a PNG.

    `text`: its text chunks, keyword to value.
    """
    with atomic_write(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG", pnginfo=_make_info(text or {}))


def encode_png(pixels: np.ndarray, text: Mapping[str, str], stop: threading.Event) -> bytes:
    """Return the bytes that `save_png` writes; InterruptedError as soon as `stop` is set."""
    buffer = _Stoppable(stop)
    Image.fromarray(pixels).save(buffer, format="PNG", pnginfo=_make_info(text))
    return buffer.getvalue()


def _make_info(text: Mapping[str, str]) -> PngInfo:
    info = PngInfo()
    for key, value in text.items():
        info.add_itxt(key, value)
    return info


class _Stoppable(io.BytesIO):
    """Takes what is written until `stop` is set."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._stop = stop

    def write(self, data: Any) -> int:
        if self._stop.is_set():
            raise InterruptedError("stopped")
        return super().write(data)


def save_image(path: str | os.PathLike[str], pixels: np.ndarray, text: Mapping[str, str] | None = None) -> None:
    """Write bytes, shaped as for `save_png`, in the format that `path` ends in: PNG, JPEG, or WebP without loss.

    `text` goes into text chunks of a PNG, and as a JSON object into the EXIF description of the others. A JPEG holds no
    alpha. Raises OSError for other suffixes, alpha in a JPEG, and text that a JPEG has no room for.
    """
    kind = FORMATS.get(Path(path).suffix.lower())
    if kind is None:
        raise OSError(f"{Path(path).name} must end in {', '.join(FORMATS)}")
    if kind == "PNG":
        save_png(path, pixels, text)
        return
    if kind == "JPEG" and pixels.shape[2:] == (4,):
        raise OSError("a JPEG holds no transparency; give a name that ends in .png or .webp")
    exif, options = Image.Exif(), dict(FORMAT_OPTIONS[kind])
    if text:
        exif[ExifTags.Base.ImageDescription] = json.dumps(dict(text))
        options["exif"] = exif
    if len(exif.tobytes()) > MAX_EXIF and kind == "JPEG":
        raise OSError("a JPEG has no room for all its settings; give a name that ends in .png or .webp")
    with atomic_write(path) as temporary:
        Image.fromarray(pixels).save(temporary, format=kind, **options)
