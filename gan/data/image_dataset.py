# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Picture sets to train on: a folder or a zip of square pictures of one size, with optional labels.

What a user can get wrong is refused here, when the set is opened, with the name of the file and one sentence that says
what to do; nothing is converted with a loss, because a silently cropped or greyed set trains a wrong model. `train.py
dataset convert` (train.datasets) makes such a set of any other. Pure numpy and Pillow: no torch.
"""

from __future__ import annotations

import copy
import hashlib
import shlex
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Self

import numpy as np
from PIL import Image

from gan.data.file_sets import FileSet, ImageError, is_tar, open_file_set
from gan.data.labels import LABELS, Labels, read_labels
from gan.data.picture import DAMAGE, PictureInfo, list_suffixes, load_picture, probe_picture
from gan.files.errors import describe_error, sanitize_text

RESOLUTIONS = (16, 32, 64, 128, 256, 512, 1024)
PICTURE_FLOOR, PICTURE_EACH = 4 * 2**20, 16  # bytes of a file, out of a zip too: in all, and for each of its pixels
MEMORY_LIMIT = 512 * 2**20  # bytes of decoded pictures kept in memory; larger sets are read on demand
READERS = 4  # threads that decode an uncached batch; Pillow releases the interpreter lock while it decodes
LEAST_LIMIT, LIMIT_SHARE = 10, 0.01  # of damaged pictures in a run: so many, or this share if that is more
LISTED = 3  # names that a sentence has room for
HEIC = (".heic", ".heif")  # photos that Pillow reads with a package of its own only


def advise_convert(path: Path, size: int) -> str:
    """Return the clause that advises to convert a set, to the largest width that its pictures of `size` pixels fill."""
    fitting = max((width for width in RESOLUTIONS if width <= size), default=RESOLUTIONS[0])
    command = f"python train.py dataset convert {shlex.quote(str(path))} --out SET.zip --size {fitting}"
    return f"`{command}` makes a set of it, and leaves it as it is"


class DamagedPicture(ImageError):
    """A file that does not decode: its `name` as the set has it, and `why`, a few words."""

    def __init__(self, name: str, path: Path, why: str) -> None:
        super().__init__(
            f"{name} in {path} cannot be read as a picture ({why}); replace or remove it. "
            "`python train.py dataset check` names all such files, `dataset convert` leaves them out."
        )
        self.name, self.why = name, sanitize_text(why)


class ImageSource:
    """A checked picture set. Indexing order is the sorted order of file names, whatever the file system says.

    Attributes: `path`, `name` (stem, for run folders), `names` (relative POSIX paths), `resolution`, `channels` (1
    grey, 3 RGB, 4 RGB and alpha), `labels` (Labels or None), `c_dim` (theirs, 0 without), `left_out` (other files:
    name -> why), `sizes` (bytes of each picture), `digest` (of names and byte sizes: tells whether the set changed),
    `stamp` (of what changes with any byte, too), `readers` (threads that decode a batch; may be set).
    """

    def __init__(self, files: FileSet, names: Sequence[str], resolution: int, channels: int, path: Path) -> None:
        self.path, self.resolution, self.channels = path, resolution, channels
        self.labels: Labels | None = read_labels(files, names)
        self.c_dim = 0 if self.labels is None else self.labels.c_dim
        self.left_out = list_left_out(files, set(names))
        self.readers = READERS
        self._files = files
        self._pictures: np.ndarray | None = None
        self._name(names)

    def _name(self, names: Sequence[str]) -> None:
        """Set what follows from the pictures' names."""
        files = self._files
        self.names = tuple(names)
        self.sizes = tuple(files.sizes[name] for name in names)
        self.digest = _digest(f"{name}\0{size}\n" for name, size in zip(names, self.sizes, strict=True))[:16]
        stamps = (f"{name}\0{files.sizes[name]}\0{files.stamps[name]}\n" for name in names)
        self.stamp = _digest([f"{self.resolution}x{self.channels}\n", *stamps])

    @property
    def name(self) -> str:
        return self.path.stem if self.path.is_file() else self.path.resolve().name

    @property
    def cached(self) -> bool:
        """True if the pictures are kept decoded in memory."""
        return self._pictures is not None

    @property
    def bytes(self) -> int:
        """Size of all pictures once decoded."""
        return len(self) * self.channels * self.resolution**2

    def __len__(self) -> int:
        return len(self.names)

    def read(self, index: int) -> np.ndarray:
        """Return picture `index` as uint8 [channels, S, S]; DamagedPicture if it does not decode."""
        if self._pictures is not None:
            return self._pictures[index]
        size = self.resolution
        image = decode_picture(self._files, self.names[index], self.path, (size, size), self.channels)
        pixels = np.asarray(image).reshape(size, size, self.channels)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))

    def batch(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return pictures `indices` as uint8 [N, channels, S, S]."""
        if self._pictures is not None:
            return self._pictures[np.asarray(indices)]
        with ThreadPoolExecutor(self.readers) as pool:
            return np.stack(list(pool.map(self.read, (int(i) for i in indices))))

    def label_batch(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the labels of pictures `indices` as float32 [N, c_dim]: classes one-hot, vectors as they are."""
        if self.labels is None:
            return np.zeros((len(indices), 0), np.float32)
        chosen = self.labels.values[np.asarray(indices)]
        if chosen.ndim == 2:
            return chosen
        return (chosen[:, None] == np.arange(self.c_dim)).astype(np.float32)

    def cache(self) -> None:
        """Decode the whole set into memory: channels·S² bytes a picture."""
        pictures = np.empty((len(self), self.channels, self.resolution, self.resolution), np.uint8)
        for index in range(len(self)):
            pictures[index] = self.read(index)
        self._pictures = pictures

    def choose_subset(self, count: int, seed: int) -> Self:
        """Return a set of `count` pictures, chosen by `seed`, in their order; this one stays whole. ImageError.

        Labels keep their number of classes.
        """
        if count > len(self):
            raise ImageError(f"{self.path} holds {len(self)} pictures, fewer than the {count} of --subset; give fewer.")
        chosen = np.sort(np.random.default_rng([seed, len(self)]).permutation(len(self))[:count])
        subset = copy.copy(self)
        if subset.labels is not None:
            subset.labels = subset.labels._replace(values=subset.labels.values[chosen])
        if subset._pictures is not None:
            subset._pictures = subset._pictures[chosen]
        subset._name([self.names[index] for index in chosen])
        if subset._pictures is None and subset.bytes <= MEMORY_LIMIT:
            subset.cache()
        return subset

    def describe(self) -> str:
        """Say in a line what the set holds, and what was left out and why."""
        kinds = {1: "grey pictures", 3: "pictures", 4: "pictures with alpha"}
        said = f"{len(self)} {kinds[self.channels]} of {self.resolution}x{self.resolution}"
        if self.labels is not None:
            vectors = self.labels.values.ndim == 2
            said += f", {'labels of' if vectors else 'in'} {self.c_dim} {'numbers' if vectors else 'classes'}"
        return f"{said}{describe_left_out(self.left_out)}."


def open_images(path: str | Path, resolution: int | None = None, *, memory_limit: int = MEMORY_LIMIT) -> ImageSource:
    """Open the folder or zip `path` and check every picture's header.

    Pictures must be square, a power of two from 16 to 1024 wide, all of one size (`resolution`, when given), 8-bit,
    and either none or all of them with alpha; grey ones among coloured ones become RGB. Sets that decode to at most
    `memory_limit` bytes are decoded now; larger ones are read on demand, up to limit_damage of their files may be
    damaged, and pixels are looked at only when they are read (gan.data.verify). Raises ImageError.
    """
    path = Path(path)
    files, names = open_pictures(path, resolution or 256)
    infos: dict[str, PictureInfo] = {}
    damaged: list[DamagedPicture] = []
    for name in names:
        try:
            infos[name] = read_info(files, name, path)
        except DamagedPicture as error:
            damaged.append(error)
    if not infos:
        raise damaged[0]
    first = next(iter(infos))
    size = resolution or infos[first].size[0]
    for name, info in infos.items():
        misfit = find_misfit(info, size, first if resolution is None else None)
        if misfit:
            raise ImageError(f"{name} in {path} is {info.describe()}, {misfit[0]}; {advise_convert(path, misfit[1])}.")
    source = ImageSource(files, names, size, choose_channels(list(infos), list(infos.values()), path), path)
    kept = source.bytes <= memory_limit
    if damaged and (kept or len(damaged) > limit_damage(len(names))):
        raise damaged[0]
    if kept:
        source.cache()
    return source


def peek_images(path: str | Path) -> tuple[int, int]:
    """Return the width and the channels of a set's first picture that can be read, without checking the others.

    Raises ImageError as `open_images` does.
    """
    path = Path(path)
    files, names = open_pictures(path)
    try:
        for name in names[:-1]:
            with suppress(DamagedPicture):
                return _measure(files, name, path)
        return _measure(files, names[-1], path)
    finally:
        files.close()


def _measure(files: FileSet, name: str, path: Path) -> tuple[int, int]:
    info = read_info(files, name, path)
    misfit = find_misfit(info, info.size[0], None)
    if misfit:
        raise ImageError(f"{name} in {path} is {info.describe()}, {misfit[0]}; {advise_convert(path, misfit[1])}.")
    return info.size[0], info.channels


def limit_damage(count: int) -> int:
    """Return how many of the `count` pictures of a set too large for memory may be damaged; a run leaves them out."""
    return min(max(LEAST_LIMIT, int(LIMIT_SHARE * count)), count - 1)


def open_pictures(path: Path, size: int = 256) -> tuple[FileSet, list[str]]:
    """Open a set's files, and list its pictures by their suffixes, sorted. ImageError; `size`: what it advises."""
    if is_tar(path):
        raise ImageError(f"{path} is a tar; training reads folders and zips: {advise_convert(path, size)}.")
    files, suffixes = open_file_set(path), list_suffixes()
    names = sorted(name for name in files.sizes if Path(name).suffix.lower() in suffixes)
    if not names:
        raise ImageError(
            f"{path} holds no pictures{describe_left_out(list_left_out(files, set()))}; give a folder or zip of them."
        )
    return files, names


def describe_left_out(left_out: dict[str, str]) -> str:
    """Say which files were left out and why, in the order of how many, to be put behind a sentence's first part."""
    reasons: dict[str, list[str]] = {}
    for name, why in left_out.items():
        reasons.setdefault(why, []).append(sanitize_text(name, 100))
    parts = []
    for why, names in sorted(reasons.items(), key=lambda item: -len(item[1])):
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        parts.append(f"{', '.join(names[:LISTED])}{more} ({why})")
    return f"; left out: {'; '.join(parts)}" if parts else ""


def list_left_out(files: FileSet, taken: set[str]) -> dict[str, str]:
    """Return what of a set is not read, name -> why."""
    others = sorted(name for name in files.sizes if name not in taken and PurePosixPath(name).name != LABELS)
    return files.left_out | {name: describe_no_picture(name) for name in others}


def describe_no_picture(name: str) -> str:
    """Say why a file is not taken for a picture."""
    suffix = Path(name).suffix
    if suffix.lower() in HEIC:
        return "HEIC photos: export them as JPEG"
    return f"no picture: {suffix or 'no suffix'}"


def _digest(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def read_info(files: FileSet, name: str, path: Path) -> PictureInfo:
    """Read a picture's header. DamagedPicture."""
    try:
        with files.open(name) as stream:
            return probe_picture(stream)
    except DAMAGE as error:
        raise DamagedPicture(name, path, describe_error(error, "it is damaged, or no picture")) from error


def decode_picture(files: FileSet, name: str, path: Path, size: tuple[int, int], channels: int) -> Image.Image:
    """Decode a picture of the set at `path` whose header says `size`. DamagedPicture."""
    try:
        data = files.read(name, PICTURE_FLOOR + PICTURE_EACH * size[0] * size[1])
        return load_picture(data, channels, size=size)
    except DAMAGE as error:
        raise DamagedPicture(name, path, describe_error(error, "it is damaged, or no picture")) from error


def find_misfit(info: PictureInfo, resolution: int, first: str | None) -> tuple[str, int] | None:
    """Return why a picture cannot be trained on as it is, and the size to convert it to; None if it can.

    `first`: the picture that has the set's `resolution`, None where it was asked for.
    """
    width, height = info.size
    if not info.exact:
        return "not 8-bit grey, RGB or RGBA", resolution
    if width != height:
        return "not square", min(width, height)
    if width not in RESOLUTIONS:
        return "not a power of two from 16 to 1024 wide", width
    if width != resolution:
        return f"not {resolution}x{resolution} {'as asked for' if first is None else f'as {first} is'}", resolution
    return None


def choose_channels(names: Sequence[str], infos: Sequence[PictureInfo], path: Path) -> int:
    """Return 4 if all pictures have alpha, 1 if all are grey, else 3; ImageError if only some have alpha."""
    clear = [info.channels == 4 for info in infos]
    if all(clear):
        return 4
    if any(clear):
        name = names[clear.index(True)]
        raise ImageError(
            f"{name} in {path} has transparency and {names[clear.index(False)]} has none; "
            f"{advise_convert(path, min(infos[0].size))}, on one background or, with --channels 4, with alpha for all."
        )
    return 1 if all(info.channels == 1 for info in infos) else 3
