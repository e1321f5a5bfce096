# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Compiled kernels on disk: the folders they are kept in, their names, and the cleaning up.

The name of a kept library is <digest of what it was made from>-<digest of its bytes>-<compiler>. So a damaged file is
noticed before it is loaded (loading one can end the process), and no lock is needed, since the last rename wins.
CUDA's cubins lie in a folder beside it (cuda/nvrtc.py).
"""

import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

SUFFIX = ".dll" if os.name == "nt" else ".so"  # of libraries
PREFIX = "jinc-kernels-"  # of the names of temporary folders
LOCK_NAME = "lock"  # of the file in a temporary folder that its owner holds locked
SETTLED_SECONDS = 10.0  # a younger temporary folder's owner may not have locked it yet
ABANDONED_SECONDS = 3600.0  # an older temporary folder has no owner, where the file system has no locks
UNUSED_SECONDS = 60 * 86400.0  # a kept library that was not loaded for so long is deleted


def cache_folder(name: str = "kernels") -> Path:
    """Return one of Jinc's cache folders, which may not exist yet; RuntimeError where the user has no home folder."""
    folder = platformdirs.user_cache_path("jinc", appauthor=False, opinion=False)
    if not folder.is_absolute():  # older versions of platformdirs believe a relative XDG_CACHE_HOME
        folder = Path.home() / ".cache" / "jinc"
    return folder / name


def digest(parts: Iterable[bytes]) -> str:
    """Return 16 hexadecimal digits that depend on each part and on where it ends."""
    return hashlib.sha256(b"".join(b"%d:%b" % (len(part), part) for part in parts)).hexdigest()[:16]


def digest_files(paths: Iterable[Path]) -> str:
    """Return a digest of the names and contents of files."""
    return digest(part for path in sorted(paths) for part in (path.name.encode(), path.read_bytes()))


def find_libraries(key: str) -> Iterator[Path]:
    """Yield the kept libraries that were made from what `key` is the digest of; delete damaged ones."""
    for path in sorted(cache_folder().glob(f"{key}-*-*{SUFFIX}")):
        with suppress(OSError):  # a cache that cannot be written can be read
            if not _is_whole(path):
                path.unlink()
                continue
        with suppress(OSError):
            os.utime(path)  # still in use: see UNUSED_SECONDS
        yield path


def compiler_of(library: Path) -> str:
    """Return the name of the compiler that made a kept library."""
    return library.stem.split("-", 2)[2]


def keep_library(built: Path, key: str, compiler: str) -> Path:
    """Copy a library into the cache and return the copy; OSError or RuntimeError if it fails."""
    content = built.read_bytes()
    kept = cache_folder() / f"{key}-{digest([content])}-{compiler}{SUFFIX}"
    keep(kept, content)
    return kept


def keep(path: Path, content: bytes) -> None:
    """Write a file into a cache folder, whole or not at all; OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(path.parent) as folder:
        (folder / path.name).write_bytes(content)
        os.replace(folder / path.name, path)


def _is_whole(library: Path) -> bool:
    return library.stem.split("-", 2)[1:2] == [digest([library.read_bytes()])]


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """Make a folder in `parent` and delete it at the end.

    The folder's owner holds a lock in it, which the system takes from a process that is killed: so `clean_cache` can
    tell an abandoned folder. OSError where there can be no such folder.
    """
    from filelock import FileLock  # here and below: only who compiles needs it

    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=parent, ignore_cleanup_errors=True) as name:
        folder = Path(name).absolute()
        lock = FileLock(folder / LOCK_NAME, fallback_to_soft=False)
        with suppress(OSError):  # some file systems have no locks
            lock.acquire()
        try:
            yield folder
        finally:
            lock.release()


def clean_cache() -> list[Path]:
    """Delete what killed processes left, damaged libraries and those unused for long; return what was deleted."""
    deleted = _delete_abandoned_folders(Path(tempfile.gettempdir()))
    with suppress(OSError, RuntimeError):  # RuntimeError: there is no home folder
        deleted += _delete_abandoned_folders(cache_folder()) + _delete_abandoned_folders(
            cache_folder().with_name("cubins")
        )
        for path in sorted(cache_folder().glob(f"*{SUFFIX}")):
            if time.time() - path.stat().st_mtime > UNUSED_SECONDS or not _is_whole(path):
                path.unlink()
                deleted.append(path)
    return deleted


def _delete_abandoned_folders(parent: Path) -> list[Path]:
    """Delete the temporary folders of processes that are gone. Other users' stay, and links are not followed."""
    deleted = []
    for path in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            about = path.lstat()
            ours = os.name != "posix" or about.st_uid == os.geteuid()
            if ours and stat.S_ISDIR(about.st_mode) and _is_abandoned(path, time.time() - about.st_mtime):
                shutil.rmtree(path, ignore_errors=True)
                deleted += [] if path.exists() else [path]
    return deleted


def _is_abandoned(folder: Path, age: float) -> bool:
    from filelock import FileLock, Timeout

    try:
        with FileLock(folder / LOCK_NAME, blocking=False, fallback_to_soft=False):
            return age > SETTLED_SECONDS
    except Timeout:
        return False
    except OSError:
        return age > ABANDONED_SECONDS
