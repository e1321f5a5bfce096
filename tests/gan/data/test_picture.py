# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Single pictures: every format upright, what phones add, and threads that share Python's warnings."""

import io
import struct
import threading
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from gan.data.picture import _quiet, load_picture, probe_picture

TILE = np.random.default_rng(0).integers(0, 256, (3, 2, 3), dtype=np.uint8)  # lossy formats keep blocks of 16


def deep_png(color: int, pixels: np.ndarray, *chunks: bytes) -> bytes:
    """Return a PNG of 16 bits, which Pillow cannot write in colour; `color`: PNG's colour type."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, color, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    parts = [chunk(b"IHDR", header), *(chunk(b"tRNS", data) for data in chunks), chunk(b"IDAT", zlib.compress(rows))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def encode(kind: str, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image, stream = Image.fromarray(TILE.repeat(16, 0).repeat(16, 1)), io.BytesIO()
    if kind == "TIFF":
        image.save(stream, kind, tiffinfo={0x0112: orientation})
    else:
        image.save(stream, kind, exif=exif)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_format_is_turned_once(kind: str, orientation: int) -> None:
    """Pillow itself turns a TIFF when it decodes it, and none of the others."""
    image = Image.fromarray(TILE.repeat(16, 0).repeat(16, 1))
    image.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image)).astype(int)
    data = encode(kind, orientation)
    assert probe_picture(io.BytesIO(data)).size == expected.shape[1::-1]
    found = np.asarray(load_picture(data, size=expected.shape[1::-1])).astype(int)
    assert np.abs(found - expected)[8::16, 8::16].max() < 24


def test_16_bits_of_color_are_not_taken_for_8() -> None:
    """Pillow calls them RGB; two bytes a pixel of 5, 6 and 5 bits, as a BMP may have, lose nothing."""
    assert probe_picture(io.BytesIO(deep_png(2, np.full((4, 4, 3), 0x80FF)))).mode == "RGB;16"
    assert not probe_picture(io.BytesIO(deep_png(6, np.full((4, 4, 4), 0x80FF)))).exact
    header = struct.pack("<IiiHHIIiiII", 40, 4, 4, 1, 16, 0, 32, 0, 0, 0, 0)
    bitmap = b"BM" + struct.pack("<IHHI", 54 + 32, 0, 0, 54) + header + bytes(32)
    assert probe_picture(io.BytesIO(bitmap)).exact


def test_a_transparent_grey_of_16_bits_stays_so() -> None:
    pixels = np.full((2, 2), 0x8000)
    pixels[0, 0] = 0x8001  # the same once there are 8 bits
    image = load_picture(deep_png(0, pixels, b"\x80\x01"), 4)
    assert np.asarray(image)[..., 3].tolist() == [[0, 255], [255, 255]]
    assert np.asarray(image)[..., 0].tolist() == [[128, 128], [128, 128]]


def test_what_a_phone_puts_behind_a_photo_is_no_part_of_it() -> None:
    """A video of 12 MiB holds the two bytes that begin a scan some 200 times."""
    video = np.random.default_rng(0).bytes(12 * 2**20)
    assert video.count(b"\xff\xda") > 150
    assert load_picture(encode("JPEG", 1) + video).size == (32, 48)


def test_warnings_are_as_before_once_no_thread_reads() -> None:
    """The first to begin is the first to end: with a pair of its own each, the other's "ignore" would stay."""
    inside, may_end = threading.Event(), threading.Event()

    def read() -> None:
        with _quiet():
            inside.set()
            may_end.wait(10)

    before = list(warnings.filters)
    with _quiet():
        thread = threading.Thread(target=read)
        thread.start()
        assert inside.wait(10)
    may_end.set()
    thread.join()
    assert list(warnings.filters) == before
