# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Find the file of a model that a user names: a file, a run folder, a bundled model, or an address."""

import os
import re
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple
from urllib.request import url2pathname

import assets
from gan.files.errors import sanitize_text
from gan.files.numbered import sort_by_age, split_age
from gan.hub.published import PUBLISHED, find_published
from gan.hub.url import SHA256, is_address, parse_address
from gan.networks.ladder import ALIASES, RUNGS

MAX_SHOWN = 100  # characters of a path in a message
MOST_AGES = 12  # of snapshots in a message


class Bundled(NamedTuple):
    """A model in assets/: rung letter, the name shown, its path."""

    rung: str
    name: str
    path: str


def list_bundled() -> tuple[Bundled, ...]:
    """Return the readable ones of `list_bundled_files`, in the ladder's order, rungs off the ladder last."""
    from gan.checkpoints.checkpoint import (  # here: commands that open no model do not wait for torch
        CheckpointError,
        read_header,
    )

    found = []
    for path in list_bundled_files():
        try:
            header = read_header(path)
        except (CheckpointError, OSError):
            continue  # opening it by hand says what is wrong with it
        found.append(Bundled(header.config.rung, path.stem, str(path)))
    order = {letter: place for place, (letter, _) in enumerate(RUNGS)}
    return tuple(sorted(found, key=lambda model: (order.get(model.rung, len(order)), model.rung, model.name)))


def list_bundled_files() -> list[Path]:
    """Return the checkpoints in assets/, or in the folder that JINC_MODELS names, readable or not."""
    folder = os.environ.get("JINC_MODELS") or Path(assets.__file__).parent
    return sorted(Path(folder).glob("*.safetensors"))


class Snapshot(NamedTuple):
    """A network snapshot of a run."""

    path: Path
    images: int  # seen in training

    @property
    def kimg(self) -> str:
        """Thousands of images, as RUN@AGE has it."""
        return f"{self.images / 1000:.3f}".rstrip("0").rstrip(".")


def list_snapshots(run: str | os.PathLike[str]) -> list[Snapshot]:
    """Return the network snapshots in a run folder, the oldest first; none where it cannot be read."""
    paths = {path.name: path for path in Path(run).glob("network-snapshot-*.safetensors")}
    return [Snapshot(paths[name], images) for name, images in sort_by_age(paths, "network-snapshot-", ".safetensors")]


def find_newest_snapshot(run: Path) -> Path | None:
    """Return the newest network snapshot in a run folder; None where it has none."""
    snapshots = list_snapshots(run)
    return snapshots[-1].path if snapshots else None


def read_age(path: str | os.PathLike[str]) -> str | None:
    """Return a snapshot's age in thousands of images, by its name; None for any other file."""
    path = Path(path)
    found = sort_by_age([path.name], "network-snapshot-", ".safetensors")
    return Snapshot(path, found[0][1]).kimg if found else None


def find_snapshot(run: str | os.PathLike[str], age: str) -> Path | None:
    """Return the snapshot of an age in thousands of images: "12" is the last from 12,000 on that is below 13,000."""
    snapshots = list_snapshots(run)
    images = round(1000 * float(age))
    found = [one for one in snapshots if one.images == images or ("." not in age and one.images // 1000 == int(age))]
    return found[-1].path if found else None


def resolve(name: str, fetch: Callable[[str], str] | None = None) -> str:
    """Return the path of a checkpoint for what a user calls a model.

    A file; a run folder, which stands for its newest snapshot, or RUN@12, that at 12,000 images; the name of a
    published checkpoint, which stands for its address; a bundled model's name; or a rung ("b", "stylegan3-t"), which
    stands for the first bundled model of it. The path of what exists is absolute, since it may be kept. Anything else
    is taken for a path, and opening it says more.

    `fetch` returns the path of the model at an http or https address, and may raise. A command line passes
    gan.cli.download_bar.fetch_with_bar; the window, which cannot wait, viz.loading.downloads, fetches before it
    resolves, and passes none: an address is returned as it is.
    """
    if is_address(name) and not os.path.exists(name):
        return fetch(name) if fetch else name
    path = os.path.expanduser(name)
    if os.path.isdir(path):
        return os.path.abspath(find_newest_snapshot(Path(path)) or path)
    if os.path.exists(path):  # Path.exists raises for a name too long to be one
        return os.path.abspath(path)
    run, age = split_age(path)
    if os.path.isdir(run):
        snapshot = find_snapshot(run, age)
        return path if snapshot is None else os.path.abspath(snapshot)
    published = find_published(name)
    if published is not None:
        return fetch(published.address) if fetch else published.address
    wanted = ALIASES.get(name.lower(), name.upper())
    for model in list_bundled():
        if name == model.name or wanted == model.rung:
            return model.path
    return path


def unquote_path(text: str) -> str:
    """Return the path in what people paste: in quotation marks, with spaces around it, or as a file:// address."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    return url2pathname(text.removeprefix("file://")) if text.startswith("file:///") else text


def cite_model(name: str, path: str | os.PathLike[str]) -> str:
    """Return the user's `name` of the model at `path` as it may be written into files that others read.

    An address loses the secrets that it may hold, and gains the checksum of the model.
    """
    if not is_address(name) or os.path.exists(name):
        return name
    return f"{parse_address(name).shown}#sha256={Path(path).parent.name}"


def shorten_name(path: str | os.PathLike[str]) -> str:
    """Return a checkpoint's name beside others: its stem, with the folder of a snapshot, which all runs name alike."""
    path = Path(path)
    folder = path.absolute().parent.name
    folder = folder[:8] if SHA256.fullmatch(folder) else folder  # of a downloaded one
    return f"{folder}/{path.stem}" if path.stem.startswith("network-snapshot-") else path.stem


def format_title(path: str | os.PathLike[str]) -> str:
    """Return a model's name for people: its stem, or for a snapshot its run and how far that was."""
    path = Path(path)
    found = re.fullmatch(r"network-snapshot-(\d{1,12})(?:-(\d{3}))?", path.stem, re.ASCII)
    folder = path.absolute().parent.name
    if found is None or SHA256.fullmatch(folder):
        return path.stem
    return f"{folder} at {int(found[1])}{f'.{found[2]}' if found[2] else ''} kimg"


def explain_missing(path: str | os.PathLike[str]) -> str:
    """Return the sentence for a path at which there is no model."""
    text = sanitize_text(os.fspath(path), MAX_SHOWN)
    if text in ("", "."):
        return "No model is named: give a file, a run folder, an address, or a bundled one by its letter."
    if os.path.exists(path) and not os.path.isdir(path):
        return f"{text} is not a regular file: give a checkpoint."
    if os.path.isdir(path):
        return f"{text} is a folder without a snapshot: give a run folder that has one, or a .safetensors or .pkl file."
    run, age = split_age(os.fspath(path))
    if os.path.isdir(run):
        ages = [one.kimg for one in list_snapshots(run)]
        listed = ", ".join(ages if len(ages) <= MOST_AGES else [*ages[: MOST_AGES - 1], "…", ages[-1]]) or "none"
        return f"{sanitize_text(run, MAX_SHOWN)} has no snapshot at {age} kimg: it has {listed}."
    similar = get_close_matches(os.path.basename(text).lower(), [one.name for one in PUBLISHED], n=1, cutoff=0.8)
    if similar:
        return f"There is no file {text}: do you mean {similar[0]}?"
    letters = ", ".join(model.rung.lower() for model in list_bundled())
    others = f", or a bundled one by its letter ({letters})" if letters else ""
    return f"There is no file {text}: choose another model{others}."
