# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Where downloaded models are kept: by what they hold, so that one content is one file whatever its addresses.

    models/<sha256>/<name>       a whole file; the folder's time says when it was last used
    models/addresses/<key>.json  what an address led to last
    models/parts/<key>-<n>.*     what is not finished: .part the bytes, .json what they belong to, .lock whose they are

Everything appears under its name at once, so that nothing needs a common lock; locks end with the process that holds
them, however it ends.
"""

import errno
import hashlib
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any

from gan.files.atomic_write import atomic_write
from gan.files.format import format_bytes
from gan.hub.url import SHA256, Address, DownloadError, file_name, is_header

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LIMIT = 16 * 2**30  # bytes of whole files; the newest stays whatever its size
ABANDONED = 14 * 86400.0  # seconds after which nobody goes on with a part
RECORDS = 1000  # addresses that are remembered
SPARE = 2**26  # bytes of the disk that are left to others
HASHED = 2**20  # bytes at a time
LATEST = 253402300800.0  # seconds since 1970: the year 10000, which no date is written in
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Record:
    """What an address led to. `address` is "" where it held a secret; `checked`: when the server was last asked."""

    address: str
    sha256: str
    name: str
    bytes: int
    etag: str = ""
    modified: str = ""  # the server's Last-Modified, as it wrote it
    checked: float = 0.0  # seconds since 1970


def cache_folder() -> Path:
    """Where downloaded models are kept: beside the compiled kernels (cuda_ops.cpu.loader), without torch."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Jinc" / "models"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "Jinc" / "models"
    wanted = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (wanted if wanted.is_absolute() else Path.home() / ".cache") / "jinc" / "models"


# -- files in use --------------------------------------------------------------------------------------------------
# An open file with a shared lock says so to other processes. On Windows being open is enough: it cannot be deleted.

_held: dict[Path, IO[bytes]] = {}
_holding = threading.RLock()


def hold(path: Path) -> bool:
    """Keep a file of the cache from being evicted by anybody as long as this process lives; False if it is gone."""
    with _holding:
        if path not in _held:
            try:
                file = open(path, "rb")
            except OSError:
                return False
            _lock(file, shared=True)
            if not _still(file, path):  # evicted in between
                file.close()
                return False
            _held[path] = file
        with suppress(OSError):
            os.utime(path.parent)  # used now
        return path.exists()


def hold_only(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Hold those of these files that are in the cache, and no others any more."""
    wanted = {Path(path) for path in paths if is_kept(path)}
    with _holding:
        for path in set(_held) - wanted:
            _held.pop(path).close()
        for path in wanted:
            hold(path)


def is_kept(path: str | os.PathLike[str]) -> bool:
    """Whether a path is that of a file in the cache, present or evicted."""
    path = Path(path)
    try:
        return SHA256.fullmatch(path.parent.name) is not None and path.parent.parent == cache_folder()
    except RuntimeError:  # there is no home
        return False


def _lock(file: IO[Any], *, shared: bool = False) -> bool:
    """Take a file's lock, which the system takes back when it is closed; False if another has it."""
    try:
        if sys.platform == "win32":
            if not shared:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as problem:  # some file systems have no locks: there, nobody can be found out
        return problem.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
    return True


def _still(file: IO[Any], path: Path) -> bool:
    """Whether `path` still leads to the open file."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except OSError:
        return False


# -- the cache -----------------------------------------------------------------------------------------------------


class Part:
    """A file that is being downloaded, and what is known of it; this process is the only one that writes it."""

    def __init__(self, stem: Path, lock: IO[bytes]) -> None:
        self.path, self._about, self._lock_path = (
            stem.with_name(f"{stem.name}.{end}") for end in ("part", "json", "lock")
        )
        self._lock = lock
        self.facts: dict[str, Any] = {}
        document = _document(self._about)
        if self.size and document and _is_told(document):
            self.facts = document
        else:
            self.reset({})

    @property
    def size(self) -> int:
        """Bytes that are there."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def reset(self, facts: dict[str, Any]) -> None:
        """Start over, with a file of which the server says this. OSError."""
        self.facts = facts
        self.path.unlink(missing_ok=True)
        if facts:
            with atomic_write(self._about) as temporary:
                temporary.write_text(json.dumps(facts), encoding="utf-8")
        else:
            self._about.unlink(missing_ok=True)

    def delete(self) -> None:
        """Leave nothing of it."""
        for path in (self.path, self._about):
            with suppress(OSError):
                path.unlink()

    def close(self) -> None:
        """Give it back, for whoever goes on with it."""
        if not self.path.exists() and sys.platform != "win32":  # an open file cannot be deleted there
            with suppress(OSError):
                self._about.unlink(missing_ok=True)
                self._lock_path.unlink()
        self._lock.close()


class Cache:
    """The models that were downloaded. Whatever is damaged in it counts as not there."""

    def __init__(self, folder: Path | None = None, limit: int = LIMIT) -> None:
        try:
            self.folder, self.limit = folder or cache_folder(), limit
        except RuntimeError:
            raise DownloadError("There is no home folder to keep models in: set XDG_CACHE_HOME to a folder.") from None

    def record(self, address: Address) -> Record | None:
        """What is remembered of an address."""
        return _record(self.folder / "addresses" / f"{address.key}.json")

    def remember(self, address: Address, record: Record) -> None:
        """Keep a record. OSError."""
        with atomic_write(self.folder / "addresses" / f"{address.key}.json") as temporary:
            temporary.write_text(json.dumps(asdict(record)), encoding="utf-8")

    def address_of(self, path: str | os.PathLike[str]) -> str:
        """The address that a file of this cache, present or evicted, came from; "" if that is not known."""
        sha256, found = Path(path).parent.name, [_record(file) for file in self._records()]
        known = [record for record in found if record and record.sha256 == sha256 and record.address]
        return max(known, key=lambda record: record.checked).address if known else ""

    def find(self, sha256: str, watch: Callable[[int, int], None]) -> Path | None:
        """The file with this content, held; a damaged one is deleted. `watch`: see `digest`."""
        for path in self._files(sha256):
            if hold(path):
                with suppress(OSError):
                    if digest(path, watch) == sha256:
                        return path
                _discard(path)
        return None

    @contextmanager
    def part(self, address: Address) -> Iterator[Part]:
        """The place of an unfinished download: the one begun before, or a new one where another process is at it.

        OSError where there can be none.
        """
        folder = self.folder / "parts"
        folder.mkdir(parents=True, exist_ok=True)
        number = 0
        while True:
            stem = folder / f"{address.key}-{number}"
            lock_path = stem.with_name(f"{stem.name}.lock")
            lock = open(lock_path, "ab")
            if _lock(lock) and _still(lock, lock_path):
                break
            lock.close()
            number += 1
        part = Part(stem, lock)
        try:
            yield part
        finally:
            part.close()

    def store(self, part: Part, sha256: str, name: str) -> Path:
        """Make a whole part a file of the cache, held; the oldest others go where there are too many. OSError."""
        with open(part.path, "rb+") as file:
            os.fsync(file.fileno())  # or a power cut could leave the new name on an empty file
        path = self.find(sha256, lambda *_: None)
        if path is None:
            path = self.folder / sha256 / name
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part.path, path)
            hold(path)
        part.delete()
        self.evict(path)
        return path

    def evict(self, newest: Path) -> list[Path]:
        """Delete what was not used for longest until all is within the limit, but nothing that anybody holds."""
        kept: list[tuple[float, int, Path]] = []
        for folder in self._folders():
            for path in self._files(folder.name):
                with suppress(OSError):
                    kept.append((folder.stat().st_mtime, path.stat().st_size, path))
        excess, gone = sum(size for _, size, _ in kept) - self.limit, []
        for _, size, path in sorted(kept):
            if excess > 0 and path != newest and path not in _held and _evicted(path):
                gone.append(path)
                excess -= size
        return gone

    def sweep(self) -> list[Path]:
        """Delete parts that nobody goes on with, and what is remembered of the oldest addresses; the parts."""
        gone = []
        with suppress(OSError):
            for path in sorted((self.folder / "parts").iterdir()):
                with suppress(OSError):
                    if time.time() - path.stat().st_mtime > ABANDONED and _unlocked(path.with_suffix(".lock")):
                        path.unlink()
                        gone += [path] if path.suffix == ".part" else []
            for path in sorted(self._records(), key=lambda path: path.stat().st_mtime)[:-RECORDS]:
                path.unlink()
        return gone

    def check_space(self, more: int) -> None:
        """DownloadError unless the disk has room for so many bytes."""
        existing = next(path for path in (self.folder, *self.folder.absolute().parents) if path.exists())
        free = shutil.disk_usage(existing).free
        if more + SPARE > free:
            raise DownloadError(
                f"{format_bytes(more)} are still to come and only {format_bytes(free)} are free in {self.folder}: "
                "make room there, or set XDG_CACHE_HOME to a folder on another disk."
            )

    @contextmanager
    def written(self) -> Iterator[None]:
        """What goes wrong with the disk is a DownloadError."""
        try:
            yield
        except OSError as problem:
            reason = problem.strerror or type(problem).__name__
            advice = "make it writable, or set XDG_CACHE_HOME to another folder"
            if problem.errno in NO_SPACE:
                advice = "make room there and try again, it goes on where it stopped"
            raise DownloadError(f"{self.folder} cannot be written ({reason}): {advice}.") from problem

    def _files(self, sha256: str) -> list[Path]:
        with suppress(OSError):
            return sorted(path for path in (self.folder / sha256).iterdir() if path.is_file())
        return []

    def _folders(self) -> list[Path]:
        with suppress(OSError):
            return [path for path in self.folder.iterdir() if SHA256.fullmatch(path.name)]
        return []

    def _records(self) -> list[Path]:
        return list((self.folder / "addresses").glob("*.json"))


def digest(path: Path, watch: Callable[[int, int], None]) -> str:
    """The sha256 of a file, in hexadecimal; `watch(bytes read, of how many)` may raise to end it. OSError."""
    found, done = hashlib.sha256(), 0
    buffer = memoryview(bytearray(HASHED))
    with open(path, "rb", buffering=0) as file:
        total = os.fstat(file.fileno()).st_size
        while count := file.readinto(buffer):
            found.update(buffer[:count])
            done += count
            watch(done, total)
    return found.hexdigest()


def _document(path: Path) -> dict[str, Any]:
    """A JSON object, {} where there is none that can be read."""
    with suppress(OSError, ValueError, RecursionError):
        document = json.loads(path.read_text(encoding="utf-8"))
        return document if isinstance(document, dict) else {}
    return {}


def _record(path: Path) -> Record | None:
    document = _document(path)
    kinds = {item.name: item.type for item in fields(Record)}
    if any(type(document.get(name)) is not kind for name, kind in kinds.items()):
        return None
    record = Record(**{name: document[name] for name in kinds})
    named = SHA256.fullmatch(record.sha256) and record.name == file_name(record.name)
    sane = record.address.isprintable() and record.bytes >= 0 and 0 <= record.checked < LATEST
    return record if named and sane and _is_told(document) else None


def _is_told(document: Mapping[str, Any]) -> bool:
    """Whether what stands there as a server's description of a file can be one."""
    length = document.get("length")
    return all(is_header(document.get(name, "")) for name in ("etag", "modified")) and (
        length is None or type(length) is int and length >= 0
    )


def _unlocked(path: Path) -> bool:
    if not path.exists():
        return True
    with open(path, "ab") as file:
        return _lock(file)


def _evicted(path: Path) -> bool:
    """Delete a file unless some process holds it. One that begins to at this moment finds it gone (see `hold`)."""
    try:
        with open(path, "rb+" if os.access(path, os.W_OK) else "rb") as file:
            if sys.platform != "win32":
                if not _lock(file):
                    return False
                path.unlink()
        _discard(path)
        return not path.exists()
    except OSError:
        return False


def _discard(path: Path) -> None:
    """Delete a file of the cache, and its folder."""
    with _holding:
        if path in _held:
            _held.pop(path).close()
    with suppress(OSError):
        path.unlink(missing_ok=True)
        path.parent.rmdir()
