# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Animated WebP, GIF and folders of PNGs, a frame at a time: Pillow encodes each frame, and the file is written here.

Pillow's own writers of animations keep every frame in memory until the last one is there.
"""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from gan.files.atomic_write import NameTaken, NewFile

FRAME = "frame_{:06d}.png"
OURS = re.compile(r"frame_[0-9]{6}\.png")
COMPRESSION = 1  # of PNGs: a third larger than at 6, and several times as fast


class FrameTimes:
    """The lengths of frames in whole units of time, which add up to the time that passes."""

    def __init__(self, fps: float, units: int) -> None:
        """`units` a second."""
        self._unit, self._passed, self._count = units / fps, 0, 0

    def next(self) -> int:
        """Return the length of the next frame."""
        self._count += 1
        before, self._passed = self._passed, round(self._count * self._unit)
        return self._passed - before


class WebpEncoder:
    """An animated WebP that repeats for ever (RFC 9649): frames with loss, each by itself, at `quality`."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float, quality: int) -> None:
        self._file, self._size, self._quality = open(path, "wb"), size, quality
        self._times = FrameTimes(fps, 1000)
        features = bytes([2, 0, 0, 0]) + _three(size[0] - 1) + _three(size[1] - 1)  # 2: it is animated
        self._file.write(b"RIFF\0\0\0\0WEBP" + _chunk(b"VP8X", features) + _chunk(b"ANIM", bytes(6)))

    def add(self, frame: np.ndarray) -> None:
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, format="WEBP", quality=self._quality, method=2)
        place = bytes(6) + _three(self._size[0] - 1) + _three(self._size[1] - 1)
        picture = buffer.getvalue()[12:]  # its chunk, behind RIFF, a length and WEBP
        # 2: the frame is put in the place of the one before, not blended with it
        self._file.write(_chunk(b"ANMF", place + _three(self._times.next()) + bytes([2]) + picture))

    def finish(self) -> None:
        length = self._file.tell() - 8
        self._file.seek(4)
        self._file.write(length.to_bytes(4, "little"))
        self._file.close()

    def close(self) -> None:
        self._file.close()


def _three(value: int) -> bytes:
    return value.to_bytes(3, "little")


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


class GifEncoder:
    """A GIF that repeats for ever, each frame with the 256 colours that suit it best.

    They are not dithered: the grain would boil, which is what these pictures are looked at for.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        self._file, self._times = open(path, "wb"), FrameTimes(fps, 100)
        sides = b"".join(side.to_bytes(2, "little") for side in size)
        self._file.write(b"GIF89a" + sides + bytes([0x70, 0, 0]) + b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")

    def add(self, frame: np.ndarray) -> None:
        buffer = io.BytesIO()
        Image.fromarray(frame).quantize(256, Image.Quantize.MEDIANCUT).save(buffer, format="GIF", interlace=0)
        colours, picture = _split_gif(buffer.getvalue())
        depth = (len(colours) // 3).bit_length() - 2  # a table of 2^(depth + 1) colours
        control = b"!\xf9\x04\x04" + self._times.next().to_bytes(2, "little") + b"\0\0"
        self._file.write(control + picture[:9] + bytes([0x80 | depth]) + colours + picture[10:])

    def finish(self) -> None:
        self._file.write(b";")
        self._file.close()

    def close(self) -> None:
        self._file.close()


def _split_gif(data: bytes) -> tuple[bytes, bytes]:
    """Return the table of colours of a GIF of one picture, and the picture: its descriptor of 10 bytes, its data."""
    depth = data[10] & 7
    at = 13 + 3 * 2 ** (depth + 1)
    colours = data[13:at]
    while data[at] == 0x21:  # extensions: a kind, then blocks up to an empty one
        at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    return colours, data[at:-1]


class FolderEncoder:
    """PNGs, numbered from 0."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def add(self, frame: np.ndarray) -> None:
        Image.fromarray(frame).save(self._folder / FRAME.format(self._count), compress_level=COMPRESSION)
        self._count += 1

    def finish(self) -> None:
        pass

    def close(self) -> None:
        pass


def holds_other_files(folder: Path) -> bool:
    """Return whether a folder holds anything that is no frame of a video."""
    return any(not OURS.fullmatch(entry.name) for entry in folder.iterdir())


@contextlib.contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`, which takes its place when the block ends well.

    A folder that is there already goes only if it holds nothing but frames; OSError otherwise.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and (not path.is_dir() or holds_other_files(path)):
        raise OSError("it holds other files than frames" if path.is_dir() else "it is a file")
    old = path.with_name(f".{uuid.uuid4().hex[:12]}-old")
    try:
        with _temporary(path) as temporary:
            yield temporary
            if path.exists():
                path.rename(old)
            try:
                temporary.rename(path)
            except OSError:
                if old.exists():
                    old.rename(path)
                raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def new_folder(names: Iterable[Path]) -> Iterator[NewFile]:
    """Yield a folder that gets the first of these names that is free when the block ends well; NameTaken if none is."""
    names = iter(names)
    first = next(names)
    with _temporary(first) as temporary:
        new = NewFile(temporary)
        yield new
        for path in itertools.chain([first], names):
            with contextlib.suppress(FileExistsError):
                path.mkdir()  # nobody else has it from now on
                if os.name == "nt":  # where no folder takes the place of another
                    path.rmdir()
                temporary.rename(path)
                new.path = path
                return
        raise NameTaken(errno.EEXIST, "there is a folder of this name already")


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; what is left of it afterwards is deleted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex[:12]}")
    temporary.mkdir()
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
