# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Writing files so that a crash or a full disk never leaves half of one behind."""

import errno
import itertools
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

BUSY_SECONDS = 1.0  # how long Windows may refuse to replace a file that somebody is reading


class NameTaken(FileExistsError):
    """There is another file of this name already."""


class NewFile:
    """A file under way: what is written to `temporary` gets its `path`, None so far, when all is well."""

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        self.path: Path | None = None


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; it takes the place of `path` when the block ends well.

    The folder is made if it is missing. If the block raises, the temporary file is deleted and `path` stays as it was.
    """
    target = Path(path)
    with _temporary(target) as temporary:
        mode = temporary.stat().st_mode
        yield temporary
        _settle(temporary, mode)
        _replace(temporary, target)


@contextmanager
def write_new(names: Iterable[Path]) -> Iterator[NewFile]:
    """Do the same for a new file, which gets the first of these names that is free then; they are of one folder.

    It never takes the place of another file, whoever else writes there. NameTaken if no name is free.
    """
    names = iter(names)
    first = next(names)
    with _temporary(first) as temporary:
        new, mode = NewFile(temporary), temporary.stat().st_mode
        yield new
        _settle(temporary, mode)
        new.path = take_name(temporary, itertools.chain([first], names))


def take_name(source: Path, names: Iterable[Path]) -> Path:
    """Move a file to the first of these names that is free, and return that. NameTaken if none is."""
    for path in names:
        try:
            os.link(source, path)
        except FileExistsError:
            continue
        except OSError:  # a file system without links: the name is taken first, and the file follows
            try:
                path.open("xb").close()
            except FileExistsError:
                continue
            try:
                os.replace(source, path)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        source.unlink(missing_ok=True)
        return path
    raise NameTaken(errno.EEXIST, "there is a file of this name already")


def list_numbered(path: Path, suffix: str | None = None) -> Iterator[Path]:
    """Yield a path, and then with -2, -3 and so on behind its stem; `suffix` is its ending, None: what `path` has."""
    suffix = path.suffix if suffix is None else suffix
    stem = path.name[: len(path.name) - len(suffix)] if path.name.lower().endswith(suffix.lower()) else path.name
    for number in itertools.count(1):
        yield path.with_name(f"{stem}-{number}{suffix}" if number > 1 else f"{stem}{suffix}")


def find_free(names: Iterable[Path]) -> Path:
    """Return the first of these names that is free at present: to show it, since it may be taken when it is needed."""
    return next(path for path in names if not os.path.lexists(path))


@contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """Yield an empty file beside `target`, which is deleted if the block raises; the block's end gives it its name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{uuid.uuid4().hex[:12]}{target.suffix}")
    temporary.touch(0o666)  # less the user's umask
    try:
        yield temporary
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _settle(temporary: Path, mode: int) -> None:
    """Bring a finished file to the disk, with the mode that it was made with."""
    temporary.chmod(mode)  # whatever a library that writes its own way made of it
    with open(temporary, "rb+") as file:
        os.fsync(file.fileno())  # or a power cut could leave the new name on an empty file


def _replace(source: Path, target: Path) -> None:
    """os.replace, patient with Windows, where it fails as long as anybody has the target open."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return os.replace(source, target)
        except PermissionError:
            if os.name != "nt" or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
