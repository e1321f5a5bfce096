# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Small pictures of bookmarks: RGBA bytes to a PNG in memory and back. Pillow is imported when one is made or read."""

import io
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

SIDE = 96  # pixels
LARGEST_PNG = 2**17  # bytes; one of SIDE pixels squared takes at most a third of that
SHEET_COLUMNS = 16


def encode_thumbnail(pixels: np.ndarray) -> bytes:
    """Return a PNG, SIDE pixels squared, of a picture uint8 [H, W, 4]; small ones are enlarged with hard pixels."""
    from PIL import Image

    image = Image.fromarray(pixels).convert("RGBa")  # colours times alpha, so that hidden ones do not bleed
    kind = Image.Resampling.BOX if max(image.size) > SIDE else Image.Resampling.NEAREST
    data = io.BytesIO()
    image.resize((SIDE, SIDE), kind).convert("RGBA").save(data, format="PNG")
    return data.getvalue()


def decode_thumbnail(data: bytes) -> np.ndarray:
    """Return uint8 [SIDE, SIDE, 4] of a PNG; ValueError for bytes that are none of this size."""
    from PIL import Image

    if len(data) > LARGEST_PNG:
        raise ValueError("the picture is too large.")
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.size != (SIDE, SIDE):  # before a pixel is read
                raise ValueError("the picture has another size.")
            return np.asarray(image.convert("RGBA"))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as problem:
        raise ValueError("the picture is damaged.") from problem


_decode = lru_cache(256)(decode_thumbnail)  # each move of a bookmark makes the sheet anew: 200 would take 0.2 s


def make_sheet(pictures: Sequence[bytes]) -> np.ndarray:
    """Return thumbnails (b"" a transparent one) as one picture, uint8, row by row, SHEET_COLUMNS in each."""
    rows = max(1, -(-len(pictures) // SHEET_COLUMNS))
    sheet = np.zeros((rows * SIDE, SHEET_COLUMNS * SIDE, 4), np.uint8)
    for index, data in enumerate(pictures):
        row, column = divmod(index, SHEET_COLUMNS)
        if data:
            sheet[row * SIDE : (row + 1) * SIDE, column * SIDE : (column + 1) * SIDE] = _decode(data)
    return sheet
