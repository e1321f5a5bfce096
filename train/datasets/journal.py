# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The pictures that a conversion has finished, in one file that survives an interrupt or a crash.

A line of JSON that says for what it is, then for each picture a line of JSON and the bytes of its PNG. A half-written
end is cut off when it is opened again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO, Any

from gan.data.file_sets import ImageError
from gan.files.locks import release_and_delete, take_lock
from train.datasets.transform import Converted


class Journal:
    """Records in the order in which they were made; a context manager.

    Only one process at a time has it: ImageError if another does. OSError where the file cannot be written.
    """

    def __init__(self, path: Path, purpose: dict[str, Any]) -> None:
        """Open `path`; what it holds is kept if it was made for the same `purpose` (JSON), else dropped."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = take_lock(path.with_suffix(".lock"))
        if lock is None:
            raise ImageError(f"Another process writes {path}: let it end, or give another --out.")
        self._lock = lock
        try:
            self._file: IO[bytes] = open(path, "a+b")
            self._open_records(purpose)
        except BaseException:
            release_and_delete(lock)
            raise

    def _open_records(self, purpose: dict[str, Any]) -> None:
        self._offsets: list[int] = []  # of each record
        self._head = json.dumps(purpose, sort_keys=True).encode() + b"\n"
        self._file.seek(0)
        if self._file.readline(len(self._head) + 1) == self._head:
            self._find_records()
        else:
            self._file.truncate(0)
            self._file.write(self._head)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._file.close()  # OSError on a full disk
        finally:
            release_and_delete(self._lock)

    def __len__(self) -> int:
        return len(self._offsets)

    def read(self, number: int) -> Converted:
        """Return a record."""
        self._file.seek(self._offsets[number])
        facts = json.loads(self._file.readline())
        facts["notes"] = tuple(facts["notes"])
        return Converted(self._file.read(facts.pop("bytes")), **facts)

    def append(self, picture: Converted) -> None:
        """Add the next record."""
        self._file.seek(0, os.SEEK_END)
        offset = self._file.tell()
        facts = picture._asdict() | {"bytes": len(picture.png)}
        del facts["png"]
        self._file.write(json.dumps(facts).encode() + b"\n" + picture.png)
        self._file.flush()
        self._offsets.append(offset)

    def remove(self) -> None:
        """Close and delete the file."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _find_records(self) -> None:
        end = os.fstat(self._file.fileno()).st_size
        offset = self._file.tell()
        while line := self._file.readline():
            try:
                following = self._file.tell() + json.loads(line)["bytes"]
            except (ValueError, KeyError, TypeError):
                break
            if not line.endswith(b"\n") or following > end:
                break
            self._offsets.append(offset)
            offset = following
            self._file.seek(offset)
        self._file.truncate(offset)
