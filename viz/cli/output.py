# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Say in one sentence that a command's output cannot be written, before the work or after it, and show progress."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gan.files.errors import sanitize_text


@contextlib.contextmanager
def explain_unwritable(path: Path | None) -> Iterator[None]:
    """Turn an OSError into click.ClickException: `path` cannot be written."""
    try:
        yield
    except OSError as problem:
        raise click.ClickException(f"{sanitize_text(path)} cannot be written: {problem.strerror or problem}.") from None


def check_writable(path: Path) -> None:
    """Raise click.ClickException now, not after minutes, where no file can be written; a missing folder can be made."""
    with explain_unwritable(path):
        if os.path.isdir(path):
            raise OSError("it is a folder")
        with contextlib.suppress(FileNotFoundError):
            os.stat(path)  # a name may be too long
        existing = next(folder for folder in path.absolute().parents if os.path.exists(folder))
        tempfile.TemporaryFile(dir=existing).close()


def progress_bar(length: int, label: str) -> Any:
    """Return click's progress bar on the terminal; none is shown where standard error is a file."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())
