# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A temporary folder and the programs that work in it: both go when this process ends, even if it is killed.

On POSIX systems a shell reads from a pipe that only this process holds open. When the process is gone, the shell comes
to the pipe's end, ends the programs (they are in its process group) and deletes the folder. That takes no signal
handler, which is the application's to set, and works from every thread. If the shell was killed too,
`kernel_cache.clean_cache` deletes the folder later.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import NamedTuple

from cuda_ops.kernel_cache import temporary_folder

# $0 is the folder. The signals that it ignores are those that the end of a session sends to all its processes.
GUARD_SCRIPT = """trap '' HUP INT TERM; read -r _; kill -TERM 0; rm -rf "$0"; kill -KILL 0"""


class BuildDir(NamedTuple):
    """A folder to work in, and a process group as subprocess.Popen takes it; None where there are no groups."""

    folder: Path
    group: int | None


@contextmanager
def build_dir(parent: Path) -> Iterator[BuildDir]:
    """Make a folder in `parent` and a process group; at the end kill what runs in the group and delete the folder.

    OSError where there can be no such folder.
    """
    with temporary_folder(parent) as folder, _guard(folder) if os.name == "posix" else nullcontext() as group:
        yield BuildDir(folder, group)


@contextmanager
def _guard(folder: Path) -> Iterator[int]:
    """Start the shell, and yield the process group that it leads."""
    with subprocess.Popen(
        ["/bin/sh", "-c", GUARD_SCRIPT, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
        env={"PATH": os.defpath},
    ) as guard:
        try:
            yield guard.pid
        finally:  # not by closing the pipe: a process that another thread forked meanwhile may hold it open too
            with suppress(OSError):
                os.killpg(guard.pid, signal.SIGKILL)
