# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Image sets on disk: a folder or a zip of PNG/JPEG files, any depth, all one size, with optional labels.

Everything a user can get wrong is refused here, when the set is opened, with the name of the file and one sentence
that says what to do; nothing is converted silently, because a silently cropped or greyed set trains a wrong model.
Pure numpy and Pillow: no torch.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import struct
import threading
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

import numpy as np
from PIL import Image

from gan.files.errors import sanitize_text

SUFFIXES = (".png", ".jpg", ".jpeg")
RESOLUTIONS = (16, 32, 64, 128, 256, 512, 1024)
MAX_CLASSES = 100_000
PICTURE_FLOOR, PICTURE_EACH = 4 * 2**20, 16  # bytes of a file, out of a zip too: in all, and for each of its pixels
LABELS_FLOOR, LABELS_EACH = 2**20, 2**14  # bytes of dataset.json: in all, and for each picture
LARGEST_NUMBER = float(np.finfo(np.float32).max)  # of a label
MOST_SCANS = 100  # of a JPEG; encoders write 10, and each takes as long as all others, however few bytes it has
MEMORY_LIMIT = 512 * 2**20  # bytes of decoded pictures kept in memory; larger sets are read on demand
READERS = 4  # threads that decode an uncached batch; Pillow releases the interpreter lock while it decodes

# What Pillow and zipfile raise on damaged input (UnidentifiedImageError is an OSError, encryption a RuntimeError).
_DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    Image.DecompressionBombError,
)


class ImageError(ValueError):
    """An image set that cannot be used; the message is one sentence naming the file and the remedy."""

    def __init__(self, why: str) -> None:
        super().__init__(sanitize_text(why))


class _Files(NamedTuple):
    """The files of a set, in a folder or a zip; names are POSIX paths relative to its root."""

    sizes: dict[str, int]
    open: Callable[[str], IO[bytes]]
    lock: AbstractContextManager[Any]  # around reading

    def read(self, name: str, limit: int) -> bytes:
        """Read all of a file, which may unpack to more than any memory holds; ValueError beyond `limit` bytes."""
        with self.lock, self.open(name) as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise ValueError(f"it is larger than {limit / 2**20:.0f} MiB")
        return data


class ImageSource:
    """A checked image set. Indexing order is the sorted order of file names, whatever the file system says.

    Attributes: `path`, `name` (stem, for run folders), `names` (relative POSIX paths), `resolution`, `labels`
    (class numbers int64 [num], or vectors float32 [num, c_dim], or None), `digest` (of names and byte sizes: tells
    whether the set changed).
    """

    def __init__(
        self, path: Path, files: _Files, names: Sequence[str], resolution: int, labels: np.ndarray | None, digest: str
    ) -> None:
        self.path, self.names, self.resolution = path, tuple(names), resolution
        self.labels, self.digest = labels, digest
        self._files = files
        self._pictures: np.ndarray | None = None

    @property
    def name(self) -> str:
        return self.path.stem if self.path.is_file() else self.path.resolve().name

    @property
    def c_dim(self) -> int:
        if self.labels is None:
            return 0
        return int(self.labels.max()) + 1 if self.labels.ndim == 1 else int(self.labels.shape[1])

    @property
    def cached(self) -> bool:
        """True if the pictures are kept decoded in memory."""
        return self._pictures is not None

    def __len__(self) -> int:
        return len(self.names)

    def read(self, index: int) -> np.ndarray:
        """Return picture `index` as uint8 [3, S, S]; ImageError names a file that does not decode."""
        if self._pictures is not None:
            return self._pictures[index]
        return _decode(self._files, self.names[index], self.resolution, self.path)

    def batch(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return pictures `indices` as uint8 [N, 3, S, S]."""
        if self._pictures is not None:
            return self._pictures[np.asarray(indices)]
        with ThreadPoolExecutor(READERS) as pool:
            return np.stack(list(pool.map(self.read, (int(i) for i in indices))))

    def label_batch(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the labels of pictures `indices` as float32 [N, c_dim]: classes one-hot, vectors as they are."""
        if self.labels is None:
            return np.zeros((len(indices), 0), np.float32)
        chosen = self.labels[np.asarray(indices)]
        if chosen.ndim == 2:
            return chosen
        return (chosen[:, None] == np.arange(self.c_dim)).astype(np.float32)

    def cache(self) -> None:
        """Decode the whole set into memory: 3·S² bytes a picture."""
        pictures = np.empty((len(self), 3, self.resolution, self.resolution), np.uint8)
        for index in range(len(self)):
            pictures[index] = self.read(index)
        self._pictures = pictures


def open_images(path: str | Path, resolution: int | None = None, *, memory_limit: int = MEMORY_LIMIT) -> ImageSource:
    """Open the folder or zip `path` and check every picture's header.

    Pictures must be RGB, square, a power of two from 16 to 1024 wide, and all of one size (`resolution`, when given).
    Sets that decode to at most `memory_limit` bytes are decoded now; larger ones are read on demand, and a file whose
    header is sound but whose pixels are damaged is then found only when it is read. Raises ImageError.
    """
    path = Path(path)
    try:
        files = _open_files(path)
        sizes = {name: size for name, size in files.sizes.items() if _visible(name)}
    except OSError as error:
        raise ImageError(f"{path} cannot be read ({error.strerror or error}); check its permissions.") from error
    names = sorted(name for name in sizes if name.lower().endswith(SUFFIXES))
    if not names:
        raise ImageError(f"{path} holds no PNG or JPEG pictures; give a folder or zip of square RGB pictures.")
    for name in names:
        resolution = _check_header(files, name, resolution, names[0], path)
    assert resolution is not None
    labels = _read_labels(files, names, path) if "dataset.json" in sizes else None
    digest = hashlib.sha256("".join(f"{name}\0{sizes[name]}\n" for name in names).encode()).hexdigest()[:16]
    source = ImageSource(path, files, names, resolution, labels, digest)
    if len(names) * 3 * resolution**2 <= memory_limit:
        source.cache()
    return source


def _open_files(path: Path) -> _Files:
    if path.is_dir():
        sizes = {p.relative_to(path).as_posix(): p.stat().st_size for p in path.rglob("*") if p.is_file()}
        return _Files(sizes, lambda name: (path / name).open("rb"), nullcontext())
    if not path.is_file():
        raise ImageError(f"{path} does not exist; give a folder or a zip of pictures.")
    try:
        archive = zipfile.ZipFile(path)
    except OSError:
        raise
    except _DAMAGE as error:
        raise ImageError(
            f"{path} is not a readable zip ({error}); it may be damaged or incomplete: copy or make it again."
        ) from error
    sizes = {i.filename: i.file_size for i in archive.infolist() if not i.filename.endswith(("/", "\\"))}
    return _Files(sizes, archive.open, threading.Lock())


def _visible(name: str) -> bool:
    """Return False for hidden files and the resource forks that macOS adds to zips: they are no pictures."""
    return not any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _damaged(name: str, path: Path, error: BaseException) -> ImageError:
    return ImageError(f"{name} in {path} cannot be read as a picture ({error}); replace or remove it.")


def _check_header(files: _Files, name: str, resolution: int | None, first: str, path: Path) -> int:
    """Check size and mode from the header alone; return the resolution that every further picture must have."""
    try:
        with files.open(name) as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # such sizes are refused just below
            with Image.open(stream, formats=("PNG", "JPEG")) as picture:
                (width, height), mode = picture.size, picture.mode
    except _DAMAGE as error:
        raise _damaged(name, path, error) from error
    where = f"{name} in {path} is {width}x{height} {mode}"
    if mode != "RGB":
        raise ImageError(
            f"{where}, not RGB; convert the set first, for example with Pillow's "
            "Image.open(file).convert('RGB').save(file)."
        )
    if width != height:
        raise ImageError(f"{where}, not square; crop or pad the pictures to a square first.")
    if width not in RESOLUTIONS:
        raise ImageError(f"{where}, but the width must be a power of two from 16 to 1024; resize the pictures first.")
    if resolution is not None and width != resolution:
        told = "as asked for" if name == first else f"as {first} is"
        raise ImageError(f"{where}, not {resolution}x{resolution} {told}; bring all pictures to one size first.")
    return width


def _decode(files: _Files, name: str, resolution: int, path: Path) -> np.ndarray:
    try:
        data = files.read(name, PICTURE_FLOOR + PICTURE_EACH * resolution**2)
        if data.startswith(b"\xff\xd8") and data.count(b"\xff\xda") > MOST_SCANS:
            raise ValueError("it has far more scans than a JPEG needs")
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            if picture.size != (resolution, resolution) or picture.mode != "RGB":
                raise ValueError("it changed since the set was opened")
            pixels = np.asarray(picture)
    except _DAMAGE as error:
        raise _damaged(name, path, error) from error
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _read_labels(files: _Files, names: Sequence[str], path: Path) -> np.ndarray | None:
    """Read dataset.json in the order of `names`, into an array as ImageSource.labels holds; None if labels are null."""
    where = f"dataset.json in {path}"
    try:
        document = json.loads(files.read("dataset.json", LABELS_FLOOR + LABELS_EACH * len(names)))
    except _DAMAGE as error:
        raise ImageError(f"{where} is not readable JSON ({error}); repair or remove it.") from error
    if not isinstance(document, dict) or "labels" not in document:
        raise ImageError(f'{where} has no "labels" entry; write {{"labels": null}} or [[file, label], ...].')
    entries = document["labels"]
    if entries is None:
        return None
    shape_ok = isinstance(entries, list) and all(
        isinstance(e, list) and len(e) == 2 and isinstance(e[0], str) for e in entries
    )
    if not shape_ok:
        raise ImageError(f"{where} holds labels that are not [file, label] pairs; write them so or as null.")
    labels: dict[str, Any] = dict(entries)
    known = set(names)
    for name in labels:
        if name not in known:
            raise ImageError(f"{where} labels {name}, which is not among the pictures; correct or remove the entry.")
    for name in names:
        if name not in labels:
            raise ImageError(f"{where} has no label for {name}; label every picture or none.")
    return _label_array([labels[name] for name in names], names, where)


def _label_array(values: list[Any], names: Sequence[str], where: str) -> np.ndarray:
    if all(type(v) is int for v in values):
        for name, value in zip(names, values, strict=True):
            if not 0 <= value < MAX_CLASSES:
                raise ImageError(f"{where} gives {name} the class {value}; classes run from 0 to {MAX_CLASSES - 1}.")
        return np.asarray(values, np.int64)
    for name, value in zip(names, values, strict=True):
        vector = isinstance(value, list) and all(type(x) in (int, float) and abs(x) <= LARGEST_NUMBER for x in value)
        if not vector or len(value) != len(values[0]) or not value:
            raise ImageError(
                f"{where} gives {name} an unusable label; labels must all be classes (integers), or all "
                "be lists of numbers of one length."
            )
    return np.asarray(values, np.float32)
