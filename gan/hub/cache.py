# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The cache of downloaded models, which are kept by their content: one file whatever its addresses.

    models/<sha256>/<name>       a whole file; the folder's time says when it was last used
    models/addresses/<key>.json  the content of an address when the server was last asked
    models/parts/<key>-<n>.*     an unfinished download: .part its bytes, .json its record, .lock its process
    models/locks/<sha256>-<n>    locked by a process that uses this file; evict: by one that deletes or begins to use

Everything appears under its name at once. Locks are the system's, and end with the process that holds them.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Self

from gan.files.atomic_write import atomic_write
from gan.files.format import format_bytes
from gan.files.locks import release_and_delete, take_lock
from gan.files.user_cache import find_user_cache
from gan.hub.url import SHA256, Address, DownloadError, is_header, safe_file_name

if TYPE_CHECKING:
    from filelock import FileLock  # a program that locks nothing does not wait for its import

CACHE_LIMIT = 16 * 2**30  # bytes of whole files; the newest stays whatever its size
PART_SECONDS = 14 * 86400.0  # after which an unfinished download is deleted
MAX_RECORDS = 1000  # addresses that are remembered
SPARE_BYTES = 2**26  # of the disk that are left to others
LOCK_SECONDS = 10.0  # in which another process has begun to use a file, or deleted some
HASH_BYTES = 2**20  # at a time
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Record:
    """A file as a server described it, and its content and name once it is whole."""

    address: str = ""  # "" where it held a secret
    sha256: str = ""
    name: str = ""
    bytes: int | None = None
    etag: str = ""
    modified: str = ""  # the server's Last-Modified, as it wrote it
    checked: float = 0.0  # seconds since 1970: when the server was last asked, by the time of the record's own file

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read a JSON file; None where there is none, or one that this program did not write."""
        with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            document = json.loads(path.read_text(encoding="utf-8"))
            known = {item.name: document[item.name] for item in fields(cls)}
            found = cls(**{**known, "checked": path.stat().st_mtime})
            texts = (found.address, found.sha256, found.name)
            if (
                all(isinstance(text, str) and text.isprintable() for text in texts)
                and SHA256.fullmatch(found.sha256 or "0" * 64)
                and found.name == safe_file_name(found.name)
                and (found.bytes is None or type(found.bytes) is int and found.bytes >= 0)
                and is_header(found.etag)
                and is_header(found.modified)
            ):
                return found
        return None

    def write(self, path: Path) -> None:
        """Write a JSON file. OSError."""
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(asdict(self)), encoding="utf-8")


def cache_folder() -> Path:
    """Return the folder of downloaded models in the user's cache folder; DownloadError where there is none."""
    folder = find_user_cache()
    if folder is None:
        raise DownloadError("There is no home folder to keep models in: set XDG_CACHE_HOME to an absolute folder.")
    return folder / "models"


def is_cached(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is that of a file in the cache, present or evicted."""
    path = Path(path)
    with suppress(DownloadError):
        return SHA256.fullmatch(path.parent.name) is not None and path.parent.parent == cache_folder()
    return False


# -- files in use --------------------------------------------------------------------------------------------------

_held: dict[Path, FileLock | None] = {}
_holding = threading.RLock()


def hold(path: Path) -> bool:
    """Keep a file of the cache from being evicted by any process as long as this one lives; False if it is gone."""
    with _holding:
        if _held.get(path) is None:  # tried again: another process may have been busy for long
            lock = None
            with suppress(OSError):  # where nothing can be written, nothing is evicted
                with _only_process(path.parent.parent):
                    if path.exists():
                        lock = _lock_first_free(path.parent.parent / "locks" / path.parent.name)
            if not path.exists():
                return False
            _held[path] = lock
        with suppress(OSError):
            os.utime(path.parent)  # used now
        return path.exists()


def hold_only(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Hold those of these files that are in the cache, and release all others."""
    wanted = {Path(path) for path in paths if is_cached(path)}
    with _holding:
        for path in set(_held) - wanted:
            _release(path)
        for path in wanted:
            hold(path)


def _release(path: Path) -> None:
    lock = _held.pop(path, None)
    if lock is not None:
        lock.release()


def _lock_first_free(stem: Path) -> FileLock:
    """Take the first of the locks `stem`-0.lock, `stem`-1.lock, ... that nobody has. OSError."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    return next(lock for number in count() if (lock := take_lock(f"{stem}-{number}.lock")))


@contextmanager
def _only_process(folder: Path) -> Iterator[None]:
    """Be the only process to evict or begin to hold files. OSError."""
    (folder / "locks").mkdir(parents=True, exist_ok=True)
    path = folder / "locks" / "evict.lock"
    lock = take_lock(path, LOCK_SECONDS)
    if lock is None:
        raise TimeoutError(f"another process has held {path} for {LOCK_SECONDS:g} s")
    try:
        yield
    finally:
        lock.release()


# -- the cache -----------------------------------------------------------------------------------------------------


class Part:
    """An unfinished download and what its server said of it; this process is the only one that writes it."""

    def __init__(self, lock: FileLock) -> None:
        path = Path(lock.lock_file)
        self.path, self._record_path, self._lock = path.with_suffix(".part"), path.with_suffix(".json"), lock
        record = Record.read(self._record_path)
        if record is None:
            self.delete()
        self.record = record or Record()

    @property
    def size(self) -> int:
        """Bytes that are there."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def reset(self, record: Record) -> None:
        """Start over with another file. OSError."""
        self.record = record
        self.path.unlink(missing_ok=True)
        record.write(self._record_path)

    def delete(self) -> None:
        for path in (self.path, self._record_path):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Release it to whatever resumes it."""
        if self.path.exists():
            self._lock.release()
        else:
            self.delete()
            release_and_delete(self._lock)


class Cache:
    """The models that were downloaded. Anything damaged in it counts as absent. `limit`: bytes."""

    def __init__(self, folder: Path | None = None, limit: int = CACHE_LIMIT) -> None:
        self.folder, self.limit = folder or cache_folder(), limit

    def record(self, address: Address) -> Record | None:
        """Return what is remembered of an address."""
        record = Record.read(self._record_path(address))
        return record if record and record.sha256 else None

    def remember(self, address: Address, record: Record) -> None:
        """Keep a record. OSError."""
        record.write(self._record_path(address))

    def find_address(self, path: str | os.PathLike[str]) -> str:
        """Return the address that a file of this cache, present or evicted, came from; "" if that is not known."""
        sha256, found = Path(path).parent.name, [Record.read(file) for file in self._records()]
        known = [record for record in found if record and record.sha256 == sha256 and record.address]
        return max(known, key=lambda record: record.checked).address if known else ""

    def find(self, sha256: str, progress: Callable[[int, int], None]) -> Path | None:
        """Return the file with this content, held; delete a damaged one. `progress`: as in `compute_sha256`."""
        for path in self._files(sha256):
            if hold(path):
                with suppress(OSError):
                    if compute_sha256(path, progress) == sha256:
                        return path
                _delete(path)
        return None

    @contextmanager
    def part(self, address: Address) -> Iterator[Part]:
        """Yield an address's unfinished download, or a new one where another process is at it. OSError."""
        part = Part(_lock_first_free(self.folder / "parts" / address.key))
        try:
            yield part
        finally:
            part.close()

    def store(self, part: Part, sha256: str, name: str) -> Path:
        """Make a whole part a file of the cache, held, and evict others beyond the limit. OSError."""
        with open(part.path, "rb+") as file:
            os.fsync(file.fileno())  # or a power cut could leave the new name on an empty file
        path = self.find(sha256, lambda *_: None)
        if path is None:
            path = self.folder / sha256 / name
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part.path, path)
            hold(path)
        part.delete()
        with suppress(OSError):  # too much is kept until the next download
            self.evict(path)
        return path

    def evict(self, newest: Path) -> list[Path]:
        """Delete the least recently used files beyond the limit, but none in use; return them. OSError."""
        kept: list[tuple[float, int, Path]] = []
        for folder in (folder for folder in self.folder.iterdir() if SHA256.fullmatch(folder.name)):
            for path in self._files(folder.name):
                with suppress(OSError):
                    kept.append((folder.stat().st_mtime, path.stat().st_size, path))
        excess, gone = sum(size for _, size, _ in kept) - self.limit, []
        with _holding, _only_process(self.folder):  # in the order of `hold`
            for _, size, path in sorted(kept):
                if excess > 0 and path != newest and path not in _held and not self._is_held(path):
                    _delete(path)
                    if not path.exists():
                        gone.append(path)
                        excess -= size
        return gone

    def _is_held(self, path: Path) -> bool:
        """Return whether a process holds a file; the locks that nobody has any more are deleted."""
        for lock_path in (self.folder / "locks").glob(f"{path.parent.name}-*.lock"):
            lock = take_lock(lock_path)
            if lock is None:
                return True
            release_and_delete(lock)
        return False

    def sweep(self) -> list[Path]:
        """Delete old unfinished downloads, which are returned, and the records of the oldest addresses."""
        gone: list[Path] = []
        with suppress(OSError):
            files_of: dict[Path, list[Path]] = defaultdict(list)
            for path in sorted((self.folder / "parts").iterdir()):
                files_of[path.with_suffix("")].append(path)
            for stem, paths in files_of.items():
                with suppress(OSError):
                    age = time.time() - max(path.stat().st_mtime for path in paths)
                    if age > PART_SECONDS and (lock := take_lock(stem.with_suffix(".lock"))):
                        with closing(Part(lock)) as part:
                            part.delete()
                        gone += [path for path in paths if path == part.path and not path.exists()]
            for path in sorted(self._records(), key=lambda path: path.stat().st_mtime)[:-MAX_RECORDS]:
                path.unlink()
        return gone

    def check_space(self, needed: int) -> None:
        """Raise DownloadError unless the disk has room for so many bytes."""
        existing = next(path for path in (self.folder, *self.folder.absolute().parents) if path.exists())
        free = shutil.disk_usage(existing).free
        if needed + SPARE_BYTES > free:
            raise DownloadError(
                f"{format_bytes(needed)} more are needed and only {format_bytes(free)} are free in {self.folder}: "
                "make room there, or set XDG_CACHE_HOME to a folder on another disk."
            )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn what goes wrong with the disk into a DownloadError."""
        try:
            yield
        except OSError as problem:
            reason = problem.strerror or type(problem).__name__
            advice = "make it writable, or set XDG_CACHE_HOME to another folder"
            if problem.errno in FULL_DISK:
                advice = "make room there and try again, the download resumes"
            raise DownloadError(f"{self.folder} cannot be written ({reason}): {advice}.") from problem

    def _files(self, sha256: str) -> list[Path]:
        with suppress(OSError):
            return sorted(path for path in (self.folder / sha256).iterdir() if path.is_file())
        return []

    def _record_path(self, address: Address) -> Path:
        return self.folder / "addresses" / f"{address.key}.json"

    def _records(self) -> list[Path]:
        return list((self.folder / "addresses").glob("*.json"))


def compute_sha256(path: Path, progress: Callable[[int, int], None]) -> str:
    """Return a file's sha256 in hexadecimal; `progress(bytes read, of how many)` may raise to end it. OSError."""
    found, done = hashlib.sha256(), 0
    with open(path, "rb") as file:
        total = os.fstat(file.fileno()).st_size
        while block := file.read(HASH_BYTES):
            found.update(block)
            done += len(block)
            progress(done, total)
    return found.hexdigest()


def _delete(path: Path) -> None:
    """Delete a file of the cache and its folder."""
    with _holding:
        _release(path)
    with suppress(OSError):
        path.unlink(missing_ok=True)
        path.parent.rmdir()
