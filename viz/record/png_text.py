# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Read a text chunk of a PNG, wherever in the file it stands, and no pixel. Safe for any file."""

import os
import zlib
from typing import BinaryIO

from gan.files.errors import sanitize_text

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST_TEXT = 12 * 2**20  # bytes, unpacked
MOST_CHUNKS = 100_000  # a picture in chunks of 8 KiB has ten thousand


class RecordError(ValueError):
    """A picture or a text from which no state can be had; one sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(sanitize_text(why))


def is_png(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a PNG, by its first bytes. Raises OSError."""
    with open(path, "rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE


def read_png_text(file: BinaryIO, keyword: str, name: str) -> str | None:
    """Return the text under a keyword of a PNG, None without one; `name` is the file's, for messages.

    Raises RecordError for a damaged file and for one that unpacks to more than any state has, OSError.
    """
    if file.read(len(SIGNATURE)) != SIGNATURE:
        raise RecordError(f"{name} is no PNG: choose a picture that Jinc captured.")
    damaged = RecordError(f"{name} is damaged: take another copy of it.")
    for _ in range(MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return None
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind not in (b"tEXt", b"zTXt", b"iTXt") or length > LARGEST_TEXT:
            file.seek(length + 4, os.SEEK_CUR)
            continue
        data, check = file.read(length), file.read(4)
        key, separator, rest = data.partition(b"\0")
        if key != keyword.encode("latin-1") or not separator:
            continue
        if len(check) < 4 or zlib.crc32(kind + data) != int.from_bytes(check, "big"):
            raise damaged
        try:
            return _decode(kind, rest)
        except (ValueError, IndexError, zlib.error):
            raise damaged from None
    raise damaged


def _decode(kind: bytes, rest: bytes) -> str:
    """Return the text behind a chunk's keyword [PNG, 11.3.3]."""
    if kind == b"tEXt":
        return rest.decode("latin-1")
    if kind == b"zTXt":
        return unpack(rest[1:], LARGEST_TEXT).decode("latin-1")
    is_packed, (_, _, text) = rest[0] == 1, rest[2:].split(b"\0", 2)
    return (unpack(text, LARGEST_TEXT) if is_packed else text).decode("utf-8")


def unpack(data: bytes, most: int) -> bytes:
    """Return what zlib packed. Raises ValueError for more than `most` bytes of it, zlib.error for what it did not."""
    unpacker = zlib.decompressobj()
    found = unpacker.decompress(data, most + 1)
    if len(found) > most or not unpacker.eof:
        raise ValueError("too large, or cut off")
    return found
