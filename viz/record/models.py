# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Models by their content: a record names them by checksum, and they are found among those that this user has."""

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gan.files.errors import sanitize_text
from gan.hub import cache
from gan.hub.resolve import list_bundled_files
from gan.hub.url import DownloadError

LONGEST_NAME, LONGEST_PATH = 255, 4096
LARGEST_MODEL = 2**40  # bytes
HASH_BYTES = 2**20  # at a time
KNOWN = 256  # files whose checksums are remembered


@dataclass(frozen=True)
class ModelMark:
    """A model as a record names it. `path` is where it lay, "" if that is nobody's business; it is only looked at."""

    name: str
    sha256: str
    bytes: int
    path: str = ""

    def describe(self) -> str:
        """Return its name and as much of its checksum as a message has room for."""
        return f"{sanitize_text(self.name, 80)} (sha256 {self.sha256[:12]}…, {self.bytes:,} bytes)"


def mark_model(path: str) -> ModelMark:
    """Return the mark of a file. Raises OSError."""
    status = os.stat(path)
    sha256 = _hash(path, status.st_mtime_ns, status.st_size)
    return ModelMark(sanitize_text(Path(path).name, LONGEST_NAME), sha256, status.st_size, shorten_path(path))


def read_mark(label: str, document: object) -> ModelMark:
    """Return the mark of a JSON object. Raises ValueError, a sentence."""
    if not isinstance(document, Mapping) or not {"name", "sha256", "bytes"} <= document.keys() <= {
        "name",
        "sha256",
        "bytes",
        "path",
    }:
        raise ValueError(f"{label} must be a JSON object of name, sha256, bytes and path.")
    name, sha256, size, path = document["name"], document["sha256"], document["bytes"], document.get("path", "")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise ValueError(f"{label}.name must be a text of at most {LONGEST_NAME} characters.")
    if not isinstance(sha256, str) or not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError(f"{label}.sha256 must be a checksum of 64 digits 0-9a-f.")
    if type(size) is not int or not 0 <= size <= LARGEST_MODEL:
        raise ValueError(f"{label}.bytes must be a number of bytes.")
    if not isinstance(path, str) or len(path) > LONGEST_PATH or "\0" in path:
        raise ValueError(f"{label}.path must be a text of at most {LONGEST_PATH} characters.")
    return ModelMark(name, sha256, size, path)


def find_model(mark: ModelMark, among: Iterable[str]) -> str | None:
    """Return the path of a file with a mark's content, None where there is none.

    Looked for are `among` (the user's own), the bundled and the downloaded models, and last where it lay. Nothing is
    fetched, and a file whose size differs is not read.
    """
    for path in (*among, *_list_own(mark), local_path(mark.path)):
        with suppress(OSError, ValueError):
            status = os.stat(path) if path else None
            if status is not None and stat.S_ISREG(status.st_mode) and status.st_size == mark.bytes:
                if _hash(path, status.st_mtime_ns, status.st_size) == mark.sha256:
                    return path
    return None


def _list_own(mark: ModelMark) -> Iterator[str]:
    """Yield the bundled models, and the downloads with this checksum."""
    yield from map(str, list_bundled_files())
    with suppress(DownloadError, OSError):
        yield from map(str, sorted((cache.cache_folder() / mark.sha256).iterdir()))


def shorten_path(path: str) -> str:
    """Return a path as others may read it: what lies in the user's home folder begins with ~."""
    home = os.path.expanduser("~")
    full = os.path.abspath(path)
    return f"~{full[len(home) :]}" if full.startswith(home.rstrip(os.sep) + os.sep) else full


def local_path(text: str) -> str:
    """Return the path that a record names, "" for one that may not lie on this machine: another's share, an address."""
    path = os.path.expanduser(text) if text and "\0" not in text else ""
    is_elsewhere = path.startswith(("//", "\\\\", "/net/", "/dev/", "/proc/", "/sys/"))
    return path if os.path.isabs(path) and not is_elsewhere else ""


@lru_cache(KNOWN)
def _hash(path: str, written_ns: int, size: int) -> str:
    """Return the SHA-256 of a file; its time and size are parts of the key under which it is remembered."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(HASH_BYTES):
            found.update(block)
    return found.hexdigest()
