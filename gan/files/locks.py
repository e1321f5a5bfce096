# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Locks that only one process, and only one thread of it, holds; they end with the process, however it ends."""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import FileLock  # a program that locks nothing does not wait for its import

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)  # of a file system, such as some NFS


def take_lock(path: str | Path, timeout: float = 0.0) -> FileLock | None:
    """Take a lock that any thread may release; None if another process, or another thread, has it. OSError.

    Where the file system has no locks, it is one that nothing holds.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    except OSError as problem:
        if problem.errno not in NO_LOCKS:
            raise
    return lock


def release_and_delete(lock: FileLock) -> None:
    """Release a lock and delete its file; while it is held, since afterwards it may be another process's."""
    with suppress(OSError):  # Windows deletes no open file, and there filelock deletes it afterwards
        Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()
