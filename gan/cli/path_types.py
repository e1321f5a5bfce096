# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Paths on a command line: the types of all options of both programs, and the rule for files that exist."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from gan.files.errors import sanitize_text
from gan.files.numbered import split_age
from gan.hub.url import is_address

MAX_SHOWN = 100  # characters of a path in a message


def expand_path(text: str) -> str:
    """Return a path with ~ at its beginning expanded; ValueError, half a sentence, for one that no file can have."""
    if not text.strip():
        raise ValueError("it is empty; give a path")
    if "\0" in text:
        raise ValueError("it holds a null character; give a path")
    found = os.path.expanduser(text)
    if found.startswith("~") and not os.path.exists(found):
        shown = sanitize_text(text, MAX_SHOWN)
        raise ValueError(f"the home folder that {shown} begins with is not known; write ./{shown} for a name with ~")
    return found


class UserPath(click.ParamType[Path]):
    """A path; ~ at its beginning is the user's home, as the shell leaves it after `--out=`."""

    name = "PATH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        try:
            return Path(expand_path(str(value)))
        except ValueError as problem:
            self.fail(f"{problem}.", param, ctx)


class DataPath(click.ParamType[str]):
    """The path of a picture set, or one of `words` that stand for something else."""

    name = "DATA"

    def __init__(self, *words: str) -> None:
        self.words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self.words:
            return str(value)
        try:
            return expand_path(str(value))
        except ValueError as problem:
            self.fail(f"{problem}.", param, ctx)


class ModelName(click.ParamType[str]):
    """A model as gan.hub.resolve takes it: a file, a run folder, an address, or a bundled model's name.

    A file that is missing is said by whoever opens it; options that decide what others mean are checked before them
    if `is_checked`, unless finding out would take time (addresses, names of bundled models).
    """

    name = "MODEL"

    def __init__(self, *, is_checked: bool = True, may_be_empty: bool = False) -> None:
        self.is_checked, self.may_be_empty = is_checked, may_be_empty

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if is_address(text) or (self.may_be_empty and not text):
            return text
        try:
            path = expand_path(text)
        except ValueError as problem:
            self.fail(f"{problem}.".replace("give a path", "give a model"), param, ctx)
        is_there = os.path.exists(path) or os.path.isdir(split_age(path)[0])
        if self.is_checked and looks_like_path(path) and not is_there:
            from gan.hub.resolve import explain_missing

            raise click.ClickException(explain_missing(path))
        return path


def looks_like_path(text: str) -> bool:
    """Return whether a model's name can only be a file's: it names a folder, or has a suffix."""
    return os.path.dirname(text) != "" or os.path.splitext(text)[1] != ""


overwrite_option = click.option("--overwrite", is_flag=True, help="Replace files that are there already.")


def refuse_existing(path: Path, overwrite: bool, option: str = "--out") -> None:
    """Raise a usage error if `path` is a folder, or there already without --overwrite."""
    shown = sanitize_text(path)
    if os.path.isdir(path):
        raise click.UsageError(f"{option} {shown} is a folder: give the name of a file in it.")
    if not overwrite and os.path.exists(path):  # Path.exists raises for a name too long to be one
        _refuse(f"{option} {shown} is there already: give another name, or --overwrite to replace it.")


def refuse_existing_in(folder: Path, names: Sequence[str], overwrite: bool, option: str = "--out") -> None:
    """Raise a usage error if `folder` is a file, or without --overwrite holds any of `names`."""
    shown = sanitize_text(folder)
    if os.path.exists(folder) and not os.path.isdir(folder):
        _refuse(f"{option} {shown} is a file: give the name of a folder.")
    there = [] if overwrite else [name for name in names if os.path.exists(folder / name)]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        _refuse(
            f"{option} {shown} holds {there[0]}{more} already: give another folder, or --overwrite to replace "
            f"{'them' if more else 'it'}."
        )


def _refuse(sentence: str) -> NoReturn:
    raise click.UsageError(sentence)
