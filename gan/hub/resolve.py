# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What a user may call a model: a file, a run folder, one of the models that come with Jinc, or an address."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.request import url2pathname

import assets
from gan.hub.url import SHA256, is_address, parse_address
from gan.networks.ladder import ALIASES, RUNGS

LONGEST = 400  # characters of a path that are repeated to the user


class Bundled(NamedTuple):
    """A model in assets/: rung letter, the name shown, its path."""

    rung: str
    name: str
    path: str


def bundled() -> tuple[Bundled, ...]:
    """The readable checkpoints in assets/, in the ladder's order, rungs off the ladder last.

    Empty where they were not installed.
    """
    from gan.checkpoints.checkpoint import (  # here: commands that open no model do not wait for torch
        CheckpointError,
        read_header,
    )

    found = []
    for path in bundled_files():
        try:
            header = read_header(path)
        except (CheckpointError, OSError):
            continue  # opening it by hand says what is wrong with it
        found.append(Bundled(header.config.rung, path.stem, str(path)))
    order = {letter: place for place, (letter, _) in enumerate(RUNGS)}
    return tuple(sorted(found, key=lambda model: (order.get(model.rung, len(order)), model.rung, model.name)))


def bundled_files() -> list[Path]:
    """The checkpoints in assets/, readable or not."""
    return sorted(Path(assets.__file__).parent.glob("*.safetensors"))


def newest_snapshot(run: Path) -> Path | None:
    """The newest network snapshot in a run folder."""
    return max(run.glob("network-snapshot-*.safetensors"), default=None)


def resolve(name: str, fetch: Callable[[str], str] | None = None) -> str:
    """Return the path of a checkpoint for what a user calls a model.

    A file; a run folder, which stands for its newest snapshot; a bundled model's name; or a rung ("b",
    "stylegan3-t"), which stands for the first bundled model of it. The path of what exists is absolute, since it may be
    kept. Anything else is taken for a path, and opening it says more.

    `fetch` returns the path of the model at an http or https address, and may raise. A command line passes
    gan.cli.download_bar.fetch_with_bar; the window, which cannot wait, viz.loading.downloads, fetches before it
    resolves, and passes none: an address is returned as it is.
    """
    if is_address(name) and not os.path.exists(name):
        return fetch(name) if fetch else name
    path = os.path.expanduser(name)
    if os.path.isdir(path):
        return os.path.abspath(newest_snapshot(Path(path)) or path)
    if os.path.exists(path):  # Path.exists raises for a name too long to be one
        return os.path.abspath(path)
    wanted = ALIASES.get(name.lower(), name.upper())
    for model in bundled():
        if name == model.name or wanted == model.rung:
            return model.path
    return path


def unquoted(text: str) -> str:
    """A path as people paste it: in quotation marks, with spaces around it, or as a file:// address."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    return url2pathname(text.removeprefix("file://")) if text.startswith("file:///") else text


def recorded(name: str, path: str | os.PathLike[str]) -> str:
    """What is written into files that others read about a model that the user called `name` and that lies at `path`.

    An address without the secrets that it may hold, and with the checksum of what it led to.
    """
    if not is_address(name) or os.path.exists(name):
        return name
    return f"{parse_address(name).shown}#sha256={Path(path).parent.name}"


def short_name(path: str | os.PathLike[str]) -> str:
    """What a checkpoint is called where several stand side by side: all runs call their snapshots alike."""
    path = Path(path)
    folder = path.absolute().parent.name
    folder = folder[:8] if SHA256.fullmatch(folder) else folder  # of a downloaded one
    return f"{folder}/{path.stem}" if path.stem.startswith("network-snapshot-") else path.stem


def missing(path: str | os.PathLike[str]) -> str:
    """The sentence for a model that is not there."""
    text = os.fspath(path)
    text = text if len(text) <= LONGEST else f"{text[:60]}..."
    if text in ("", "."):
        return "There is no name of a model: give a file, a run folder, an address, or a bundled one by its letter."
    if os.path.exists(path) and not os.path.isdir(path):
        return f"{text} is no file that can be read from its beginning to its end: give a checkpoint."
    if os.path.isdir(path):
        return f"{text} is a folder without a snapshot: give a run folder that has one, or a .safetensors or .pkl file."
    letters = ", ".join(model.rung.lower() for model in bundled())
    others = f", or a bundled one by its letter ({letters})" if letters else ""
    return f"There is no file {text}: choose another model{others}."
