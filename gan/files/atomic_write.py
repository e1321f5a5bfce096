# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Writing files so that a crash or a full disk never leaves half of one behind."""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUSY_SECONDS = 1.0  # how long Windows may refuse to replace a file that somebody is reading


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; it takes the place of `path` when the block ends well.

    The folder is made if it is missing. If the block raises, the temporary file is deleted and `path` stays as it was.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{uuid.uuid4().hex[:12]}{target.suffix}")
    temporary.touch(0o666)  # less the user's umask
    mode = temporary.stat().st_mode
    try:
        yield temporary
        temporary.chmod(mode)  # whatever a library that writes its own way made of it
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())  # or a power cut could leave the new name on an empty file
        _replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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
