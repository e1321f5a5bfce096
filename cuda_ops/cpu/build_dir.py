# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A temporary folder and the programs that work in it: both go when this process ends, however it ends.

On POSIX systems a shell reads from a pipe that only this process holds open. When the process is gone, killed or not,
the shell comes to the pipe's end, ends the programs (they are in its process group) and deletes the folder. That takes
no signal handler, which is the application's to set, and works from every thread. What even the shell could not delete,
because it was killed too, the next workplace beside it does: a folder whose lock nobody holds belongs to nobody.
"""

import math
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import NamedTuple

if sys.platform != "win32":
    import fcntl

PREFIX = "jinc-kernels-"  # of the folders' names
SETTLED = 10.0  # seconds: a younger folder's owner may not have come to locking it
ABANDONED = 3600.0  # seconds after which a folder belongs to nobody where locks do not exist

# $0 is the folder. The signals that it ignores are those that the end of a session sends to everybody.
GUARD = """trap '' HUP INT TERM; read -r _; kill -TERM 0; rm -rf "$0"; kill -KILL 0"""


class Workplace(NamedTuple):
    """Where to work, and in which process group, as subprocess.Popen wants it; None where there are none."""

    folder: Path
    group: int | None


@contextmanager
def workplace(parent: Path) -> Iterator[Workplace]:
    """A new folder in `parent` and a process group; at the end what runs in the group is killed, the folder deleted.

    Raises OSError where there can be no such folder.
    """
    sweep(parent)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=parent, ignore_cleanup_errors=True) as name:
        folder = Path(name).absolute()
        with _locked(folder), _guarded(folder) if os.name == "posix" else nullcontext() as group:
            yield Workplace(folder, group)


@contextmanager
def _guarded(folder: Path) -> Iterator[int]:
    """The shell, and the process group that it is the first of."""
    nothing = subprocess.DEVNULL
    with subprocess.Popen(
        ["/bin/sh", "-c", GUARD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=nothing,
        stderr=nothing,
        process_group=0,
        env={"PATH": os.defpath},
    ) as guard:
        try:
            yield guard.pid
        finally:  # not by closing the pipe: whatever another thread forked meanwhile may hold it open too
            with suppress(OSError):
                os.killpg(guard.pid, signal.SIGKILL)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system takes from a process that ends. Some file systems have no locks."""
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def sweep(parent: Path) -> list[Path]:
    """Delete the folders of processes that are gone; those that went. Other users' stay, and links are not followed."""
    gone = []
    for path in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            about = path.lstat()
            ours = os.name != "posix" or about.st_uid == os.geteuid()
            if ours and stat.S_ISDIR(about.st_mode) and time.time() - about.st_mtime > _patience(path):
                shutil.rmtree(path, ignore_errors=True)
                gone += [path] if not path.exists() else []
    return gone


def _patience(folder: Path) -> float:
    """Seconds after which a folder, if nothing is added to it, belongs to nobody."""
    if sys.platform == "win32":
        return ABANDONED
    handle = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return SETTLED
    except BlockingIOError:
        return math.inf
    except OSError:
        return ABANDONED
    finally:
        os.close(handle)
