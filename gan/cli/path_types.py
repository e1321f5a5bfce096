# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Paths on a command line: one type for all options of both programs, and the rule for files that exist."""

from pathlib import Path
from typing import Any

import click


class UserPath(click.ParamType[Path]):
    """A path; ~ at its beginning is the user's home, as the shell leaves it after `--out=`."""

    name = "PATH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        text = str(value)
        if not text:
            self.fail("it is empty; give a path.", param, ctx)
        if "\0" in text:
            self.fail("it holds a null character; give a path.", param, ctx)
        try:
            return Path(text).expanduser()
        except RuntimeError as error:
            self.fail(f"{text!r}: {error}.", param, ctx)


overwrite_option = click.option("--overwrite", is_flag=True, help="Replace files that are there already.")


def refuse_existing(path: Path, overwrite: bool, option: str = "--out") -> None:
    """Raise a usage error if `path` is a folder, or there already without --overwrite."""
    if path.is_dir():
        raise click.UsageError(f"{option} {path} is a folder: give the name of a file in it.")
    if not overwrite and path.exists():
        raise click.UsageError(f"{option} {path} is there already: give another name, or --overwrite to replace it.")
