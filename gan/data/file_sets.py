# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The files of a set: a folder, a zip, a tar, or a text file that lists them. Names are POSIX paths below its root."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, Protocol, Self

from gan.data.picture import DAMAGE
from gan.files.errors import describe_error, sanitize_text

LISTS = (".txt", ".lst", ".list")  # suffixes of a file that names pictures, one a line
MAX_LIST = 2**28  # bytes of such a file
MAX_MEMBER = 2**28  # bytes of a file in a zip that is read bit by bit
LONG_HEADERS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)  # of a tar: they hold names, and tarfile reads them as a whole
MAX_HEADER = 2**20  # bytes of one
UNPACKED = (
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
)  # of others zipfile unpacks all that some bytes hold, GiB of zeros


class ImageError(ValueError):
    """A picture set that cannot be used; the message is one sentence naming the file and the remedy."""

    def __init__(self, why: str) -> None:
        super().__init__(sanitize_text(why))


class FileSet(Protocol):
    """Files by name, but for hidden ones.

    `sizes` and `stamps` (what changes when a file's bytes do) are read once, when it is opened.
    """

    path: Path
    sizes: dict[str, int]
    stamps: dict[str, str]
    left_out: dict[str, str]  # name -> why

    def read(self, name: str, limit: int) -> bytes: ...

    def open(self, name: str) -> IO[bytes]: ...

    def close(self) -> None: ...


class Folder:
    """A folder, with what symbolic links in it lead to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sizes: dict[str, int] = {}
        self.stamps: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        for file in self._walk():
            self._add(file.relative_to(path).as_posix(), file)

    def _add(self, name: str, file: Path) -> None:
        try:
            found = file.stat()
        except (OSError, ValueError) as error:  # ValueError: a null character, in a list
            self.left_out[name] = "a link to nothing" if os.path.islink(file) else describe_error(error)
            return
        if not stat.S_ISREG(found.st_mode):  # a pipe would be read for ever
            self.left_out[name] = "no regular file"
            return
        self.sizes[name], self.stamps[name] = found.st_size, str(found.st_mtime_ns)

    def _walk(self) -> Iterator[Path]:
        seen: dict[tuple[int, int], Path] = {}  # by what they are and not by name: a link may lead back up
        for folder, folders, files in os.walk(self.path, onerror=self._raise_at_root, followlinks=True):
            found = os.stat(folder)
            if (found.st_dev, found.st_ino) in seen and found.st_ino:
                folders.clear()
                first = seen[found.st_dev, found.st_ino]
                above = Path(folder).is_relative_to(first)
                why = "a link to a folder above" if above else f"the same as {first.relative_to(self.path).as_posix()}/"
                self.left_out[f"{Path(folder).relative_to(self.path).as_posix()}/"] = why
                continue
            seen[found.st_dev, found.st_ino] = Path(folder)
            folders[:] = sorted(name for name in folders if not is_hidden(name))
            yield from (Path(folder, file) for file in sorted(files) if not is_hidden(file))

    def _raise_at_root(self, error: OSError) -> None:
        if error.filename is None or Path(error.filename) == self.path:
            raise error
        self.left_out[f"{Path(error.filename).relative_to(self.path).as_posix()}/"] = describe_error(error)

    def read(self, name: str, limit: int) -> bytes:
        with self.open(name) as file:
            return read_limited(file, limit)

    def open(self, name: str) -> IO[bytes]:
        return (self.path / name).open("rb")

    def close(self) -> None:
        """Do nothing: a folder holds nothing open."""


class FileList(Folder):
    """Files named in a text file, one a line, relative to it; empty lines and those that begin with # are skipped.

    Who names a hidden file means it.
    """

    def _walk(self) -> Iterator[Path]:
        raise AssertionError  # a list is not walked

    def __init__(self, path: Path) -> None:
        self.path = path.parent
        self.sizes, self.stamps, self.left_out = {}, {}, {}
        with path.open("rb") as file:
            text = read_limited(file, MAX_LIST).decode("utf-8-sig", "surrogateescape")
        for line in map(str.strip, text.splitlines()):
            if line and not line.startswith("#"):
                self._add(PurePath(line).as_posix(), self.path / line)


class Zip:
    """A zip; reading it from several threads takes turns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.archive = zipfile.ZipFile(path)
        entries = [info for info in self.archive.infolist() if not info.filename.endswith(("/", "\\"))]
        entries = [info for info in entries if not is_hidden(info.filename)]
        self.left_out: dict[str, str] = {
            info.filename: "compressed otherwise than with deflate"
            for info in entries
            if info.compress_type not in UNPACKED
        }
        entries = [info for info in entries if info.filename not in self.left_out]
        self.sizes = {info.filename: info.file_size for info in entries}
        self.stamps = {info.filename: f"{info.CRC:08x}" for info in entries}
        self._lock = threading.Lock()

    def read(self, name: str, limit: int) -> bytes:
        with self._lock, self.archive.open(name) as file:
            return read_limited(file, limit)

    def open(self, name: str) -> IO[bytes]:
        if self.sizes[name] > MAX_MEMBER:  # a lying size, too, has zipfile read up to it when somebody seeks
            raise ValueError(f"it is larger than {MAX_MEMBER / 2**20:.0f} MiB")
        file = self.archive.open(name)
        if isinstance(file, zipfile.ZipExtFile):
            # Bytes that it unpacks at a time where all is read: few, since a file may be larger than it says, but a
            # share of what it says, since the steps are added up by copying, in the square of their number.
            file.MAX_N = max(2**20, self.sizes[name] // 16)
        return file

    def close(self) -> None:
        self.archive.close()


class _TarHeader(tarfile.TarInfo):
    """A header of a tar; ReadError for one that goes on in more memory than any name takes."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.type in LONG_HEADERS and found.size > MAX_HEADER:
            raise tarfile.ReadError(f"a name in it is larger than {MAX_HEADER / 2**20:.0f} MiB")
        return found


class Tar:
    """A tar, compressed or not. `sizes` has its own order: going back in a compressed one starts from its beginning."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.archive = tarfile.open(path, tarinfo=_TarHeader)
        try:
            members = {member.name.removeprefix("./"): member for member in self.archive if member.isfile()}
        except BaseException:
            self.archive.close()
            raise
        self._members = {name: member for name, member in members.items() if not is_hidden(name)}
        self.sizes = {name: member.size for name, member in self._members.items()}
        self.stamps = {name: f"{member.mtime}" for name, member in self._members.items()}
        self.left_out: dict[str, str] = {}
        self._lock = threading.Lock()

    def read(self, name: str, limit: int) -> bytes:
        with self._lock, self.open(name) as file:
            return read_limited(file, limit)

    def open(self, name: str) -> IO[bytes]:
        file = self.archive.extractfile(self._members[name])
        return io.BytesIO() if file is None else file

    def close(self) -> None:
        self.archive.close()


def read_limited(file: IO[bytes], limit: int) -> bytes:
    """Read all of a file, which may unpack to more than any memory holds; ValueError beyond `limit` bytes."""
    data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"it is larger than {limit / 2**20:.0f} MiB")
    return data


def is_tar(path: Path) -> bool:
    """Return True for a tar, which takes long to open: all of it is read to find what it holds."""
    with suppress(*DAMAGE):
        return path.is_file() and _find_kind(path) is Tar
    return False


def _is_tarfile(path: Path) -> bool:
    """Return what tarfile.is_tarfile does, which would read a header of any size."""
    try:
        tarfile.open(path, tarinfo=_TarHeader).close()
    except tarfile.TarError:
        return False
    return True


def _find_kind(path: Path) -> Callable[[Path], FileSet] | None:
    """Return what reads the files at a path, None for what is no set. One of DAMAGE."""
    if path.is_dir():
        return Folder
    with path.open("rb") as file:
        head = file.read(4)
    if head in (b"PK\3\4", b"PK\5\6"):
        return Zip
    if _is_tarfile(path):  # before it is looked for a zip's end, which a tar of zips may have
        return Tar
    if zipfile.is_zipfile(path):
        return Zip
    return FileList if path.suffix.lower() in LISTS else None


def open_file_set(path: Path) -> FileSet:
    """Open a folder, zip, tar or list of files; ImageError says what `path` is instead."""
    try:
        if not path.exists():
            raise ImageError(f"{path} does not exist; give a folder or a zip of pictures.")
        kind = _find_kind(path)
        if kind is not None:
            return kind(path)
    except ImageError:
        raise
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise ImageError(
            f"{path} is a damaged or incomplete archive ({describe_error(error)}); copy or make it again."
        ) from error
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {describe_error(error)}.") from error
    except DAMAGE as error:
        raise ImageError(
            f"{path} is a damaged or incomplete archive ({describe_error(error)}); copy or make it again."
        ) from error
    raise ImageError(f"{path} is neither a folder nor a zip; give a folder or a zip of pictures.")


def is_hidden(name: str) -> bool:
    """Return True for hidden files and the resource forks that macOS adds to zips: they are no pictures."""
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)
