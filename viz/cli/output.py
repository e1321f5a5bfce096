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

from gan.cli.path_types import refuse_existing
from gan.files.errors import describe_error, sanitize_text
from viz.reports.export import FIGURES, Export, ExportError, check_kind, write_export

PICTURES = (".png", ".jpg", ".jpeg", ".webp")  # the suffixes for which gan.data.image_io.save_image has a format


def check_picture_name(path: Path, option: str) -> None:
    """Raise a usage error unless the suffix of `path` says which kind of picture to write."""
    if path.suffix.lower() not in PICTURES:
        name = sanitize_text(path.name, 100) or "picture"
        raise click.UsageError(f"{option} {name} must end in .png, .jpg or .webp, as in {path.stem or name}.png.")


@contextlib.contextmanager
def explain_unwritable(path: Path | None) -> Iterator[None]:
    """Turn an OSError into click.ClickException: `path` cannot be written."""
    try:
        yield
    except OSError as problem:
        raise click.ClickException(f"{sanitize_text(path)} cannot be written: {describe_error(problem)}.") from None


def check_writable(path: Path) -> None:
    """Raise click.ClickException now, not after minutes, where no file can be written; a missing folder can be made."""
    with explain_unwritable(path):
        if os.path.isdir(path):
            raise OSError("it is a folder")
        with contextlib.suppress(FileNotFoundError):
            os.stat(path)  # a name may be too long
        existing = next(folder for folder in path.absolute().parents if os.path.exists(folder))
        tempfile.TemporaryFile(dir=existing).close()


def check_export(path: Path, overwrite: bool, option: str = "--out") -> None:
    """Refuse now, not after minutes, a file that an instrument's figure or numbers cannot be written to."""
    try:
        check_kind(path, option)
    except ExportError as problem:
        raise click.UsageError(str(problem)) from None
    check_writable(path)
    refuse_existing(path, overwrite, option)
    if path.suffix.lower() in FIGURES:
        import matplotlib.figure  # noqa: F401  if it is missing


def write_output(path: Path, export: Export, more: str = "") -> None:
    """Write what an instrument shows, and say so; `more` are words on what it is. Raises click.ClickException."""
    try:
        with explain_unwritable(path):
            words = write_export(path, export)
    except ExportError as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(f"Wrote {path} ({words}){more}.")


def progress_bar(length: int, label: str) -> Any:
    """Return click's progress bar on the terminal; none is shown where standard error is a file."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())
