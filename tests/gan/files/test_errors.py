# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Errors of libraries as parts of sentences: no objects of Python's, no loose ends."""

import io
import struct
from pathlib import Path

import pytest
from PIL import Image, UnidentifiedImageError

from gan.data.file_sets import ImageError
from gan.data.image_dataset import open_images
from gan.files.errors import describe_error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UnidentifiedImageError("cannot identify image file <_io.BufferedReader name='/a b/c.png'>"), "it is damaged"),
        (UnidentifiedImageError("cannot identify image file <_io.BytesIO object at 0x7f00>"), "it is damaged"),
        (ValueError("<zipfile.ZipExtFile object at 0x7f00> ended"), "it is damaged"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("image file is truncated, ."), "image file is truncated"),
        (ValueError("Bad magic number, "), "Bad magic number"),
        (ValueError(""), "it is damaged"),
        (KeyError("'size'"), "it is damaged"),
        (AttributeError("'NoneType' object has no attribute 'read'"), "it is damaged"),
        (struct.error("unpack requires a buffer of 4 bytes"), "it is damaged"),
        (ValueError("a < b, and c > d"), "a < b, and c > d"),
    ],
)
def test_an_error_is_a_part_of_a_sentence(error: Exception, said: str) -> None:
    assert describe_error(error) == said


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"II*\0\xff\xff\xff\xff", b"BM" + b"\xff" * 60]
)
def test_no_object_in_what_is_said_of_a_damaged_picture(tmp_path: Path, kind: str, content: bytes) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    whole = io.BytesIO()
    Image.new("RGB", (16, 16)).save(whole, "PNG")
    (folder / "a.png").write_bytes(whole.getvalue())
    (folder / "b.png").write_bytes(content)
    path = folder
    if kind == "zip":
        import zipfile

        path = tmp_path / "set.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in folder.iterdir():
                archive.write(file, file.name)
    with pytest.raises(ImageError) as caught:
        open_images(path)
    said = str(caught.value)
    assert "b.png" in said and "<" not in said and "0x" not in said
    assert (
        said.endswith(".") and not said.endswith((" .", ",.", ", .", "..")) and "()" not in said and ", )" not in said
    )
