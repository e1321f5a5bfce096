# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Detect a file's type by its first bytes, never by its name."""

import os
import re
from enum import Enum
from pathlib import Path

from gan.checkpoints.other_files import ARRAY
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
    ((b"/annex/objects/",), "is a git-annex pointer, not the file itself: fetch it with git annex get"),
    ((b"GGUF", b"GGML"), f"is a language model, not a checkpoint: {CHOOSE}"),
    ((b"TFL3",), f"is a model of TensorFlow Lite: {CHOOSE}"),
    ((b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"RIFF"), f"is a picture or a film, not a checkpoint: {CHOOSE}"),
    (
        (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"),
        "is a compressed archive: unpack it and open what is inside",
    ),
    ((b"\x89HDF",), f"is an HDF5 file of another framework: {CHOOSE}"),
)
PAGES = (
    b"<!doctype",
    b"<html",
    b"<head",
    b"<?xml",
    b"<body",
    b"<!--",
    b"<script",
    b"<meta",
    b"<title",
    b"<div",
    b"<p>",
)
NUMPY = b"\x93NUMPY"
NUMPY_SHAPE = re.compile(rb"'shape': \(([\d, ]{0,40})\)")
TEXT, MIN_TEXT_BYTES = bytes(range(32, 127)) + b"\t\r\n", 8  # of a text that says something
# Graphs of TensorFlow's (.meta, .pb) and ONNX begin with a field's number, and then with its length or a version.
GRAPH = "is {}, which describes how a network computes and cannot be opened here: " + CHOOSE
TENSORFLOW_WORDS = (b"Const", b"Placeholder", b"Identity", b"Variable", b"Add", b"serve", b"Assign")
ONNX_VERSIONS, ONNX_FIELDS = range(3, 32), (0x12, 0x1A, 0x22, 0x2A, 0x32, 0x3A, 0x42)


def detect_file_type(path: Path) -> FileType:
    """Return a file's type. RefusedError says what another file is; OSError where it cannot be read."""
    with open(path, "rb", buffering=0) as file:
        head, size = file.read(HEAD_BYTES), os.fstat(file.fileno()).st_size
    if not head:
        raise RefusedError("is empty: the download or the copy failed, get it again")
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and length < 2**40:  # first: a header of 0x280 bytes begins as a pickle of protocol 2
        if length > MAX_HEADER_BYTES or length + 8 > size:
            raise RefusedError("is damaged or not a .safetensors file (its header is cut off): get a fresh copy of it")
        return FileType.SAFETENSORS
    if head[:1] == b"\x80" and len(head) > 1 and head[1] < 16:
        return FileType.PICKLE
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return FileType.ZIP
    for beginnings, sentence in OTHERS:
        if head.startswith(beginnings):
            raise RefusedError(sentence)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(PAGES):
        raise RefusedError(
            "is a web page, not a checkpoint: perhaps the site asks for a click; download the file itself"
        )
    if head.startswith(NUMPY):
        found = NUMPY_SHAPE.search(head)
        raise RefusedError(ARRAY.format(f"[{found[1].decode().rstrip(', ')}]" if found else "of a damaged shape"))
    if head[257:262] == b"ustar":
        raise RefusedError("is an archive of files: unpack it and open what is inside")
    if head[0] == 8 and len(head) > 2 and head[1] in ONNX_VERSIONS and head[2] in ONNX_FIELDS:
        raise RefusedError(GRAPH.format("an ONNX file"))
    if head[:3] == b"\x08\x01\x12" or (head[:1] == b"\n" and any(word in head for word in TENSORFLOW_WORDS)):
        raise RefusedError(GRAPH.format("a graph of TensorFlow's (.meta or .pb)"))
    if head.startswith((b"model_checkpoint_path:", b"all_model_checkpoint_paths:")):
        raise RefusedError(f"lists the checkpoints of a TensorFlow session, which cannot be opened here: {CHOOSE}")
    if len(head) >= MIN_TEXT_BYTES and all(byte in TEXT for byte in head):
        raise RefusedError(f"is a text, perhaps what a failed download said, and not a checkpoint: {CHOOSE}")
    raise RefusedError(f"is damaged or not a checkpoint: {CHOOSE}, or get a fresh copy of it")
