# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The models that come with Jinc, found by what their headers say, and the names a user may give instead of a path."""

import os
from pathlib import Path
from typing import NamedTuple

import assets
from gan.checkpoint import CheckpointError, read_header
from gan.ladder import ALIASES, RUNGS
from viz.state import AppState

FIRST_SEED = 24.0  # where all bundled models draw a whole creature in the middle


class Bundled(NamedTuple):
    """A model in assets/: rung letter, the name shown, its path."""

    rung: str
    name: str
    path: str


def bundled() -> tuple[Bundled, ...]:
    """The readable checkpoints in assets/, in the ladder's order, rungs off the ladder last.

    Empty where they were not installed.
    """
    found = []
    for path in sorted(Path(assets.__file__).parent.glob("*.safetensors")):
        try:
            header = read_header(path)
        except (CheckpointError, OSError):
            continue  # opening it by hand says what is wrong with it
        found.append(Bundled(header.config.rung, path.stem, str(path)))
    order = {letter: place for place, (letter, _) in enumerate(RUNGS)}
    return tuple(sorted(found, key=lambda model: (order.get(model.rung, len(order)), model.rung, model.name)))


def resolve(name: str) -> str:
    """The path for what a user calls a model: a file, a bundled model's name, or a rung ("b", "stylegan3-t").

    The path of a file that exists is absolute, since the state keeps it. A rung stands for the first bundled model of
    it. Anything else is taken for a path, and opening it says more.
    """
    path = os.path.expanduser(name)
    if os.path.exists(path):  # Path.exists raises for a name too long to be one
        return os.path.abspath(path)
    models = bundled()
    wanted = ALIASES.get(name.lower(), name.upper())
    for model in models:
        if name == model.name or wanted == model.rung:
            return model.path
    return path


def first_start(state: AppState) -> None:
    """Fill empty slots with the pair that shows what the window is for: the paper's baseline (B) beside T."""
    if state == AppState():
        state.latent.x = FIRST_SEED
    paths = {model.rung: model.path for model in reversed(bundled())}
    state.left.path = state.left.path or paths.get("B", "")
    state.right.path = state.right.path or paths.get("T", "")
