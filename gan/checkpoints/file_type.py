# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Detect a file's type by its first bytes, never by its name."""

import os
from enum import Enum
from pathlib import Path

from gan.checkpoints.read_limits import RefusedError

HEAD_BYTES = 512
MAX_HEADER_BYTES = 2 * 2**20  # of a .safetensors file; ours have some 100 kB, and JSON takes 20 times as much memory
CHOOSE = "choose a .safetensors or .pkl checkpoint"


class FileType(Enum):
    """Types of files that may be checkpoints."""

    SAFETENSORS = "safetensors"
    PICKLE = "pickle"
    ZIP = "zip"


# Other files that may have a checkpoint's name: their first bytes, and what to say.
OTHERS = (
    ((b"version https:",), "is a Git LFS pointer, not the file itself: fetch it with git lfs pull"),
    ((b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"RIFF"), f"is a picture or a film, not a checkpoint: {CHOOSE}"),
    (
        (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd"),
        "is a compressed archive: unpack it and open what is inside",
    ),
    ((b"\x89HDF",), f"is an HDF5 file of another framework: {CHOOSE}"),
)
PAGES = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<body")


def detect_file_type(path: Path) -> FileType:
    """Return a file's type. RefusedError says what another file is; OSError where it cannot be read."""
    with open(path, "rb", buffering=0) as file:
        head, size = file.read(HEAD_BYTES), os.fstat(file.fileno()).st_size
    if not head:
        raise RefusedError("is empty: the download or the copy failed, get it again")
    if head[:1] == b"\x80" and len(head) > 1 and head[1] < 16:
        return FileType.PICKLE
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return FileType.ZIP
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and length < 2**40:
        if length > MAX_HEADER_BYTES or length + 8 > size:
            raise RefusedError("is damaged or not a .safetensors file (its header is cut off): get a fresh copy of it")
        return FileType.SAFETENSORS
    for beginnings, sentence in OTHERS:
        if head.startswith(beginnings):
            raise RefusedError(sentence)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(PAGES):
        raise RefusedError(
            "is a web page, not a checkpoint: perhaps the site asks for a click; download the file itself"
        )
    if head[257:262] == b"ustar":
        raise RefusedError("is an archive of files: unpack it and open what is inside")
    raise RefusedError(f"is damaged or not a checkpoint: {CHOOSE}, or get a fresh copy of it")
