# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`train.py ladder`: a run of every rung on the same pictures, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from gan.checkpoints.checkpoint import load_generator
from gan.files.format import format_duration
from gan.hub.resolve import newest_snapshot
from train.cli.errors import sentence_of
from train.config import TrainingError
from train.state import TrainState

# Losses were: the loop ends a run in which one is not.
OK = "losses finite, snapshot loads back bit for bit"
Start = Callable[[str], tuple[Path, TrainState]]  # trains a rung: its run folder, and what the run ended with


def train_rungs(letters: tuple[str, ...], start: Start, say: Callable[[str], None]) -> None:
    """Train each rung with `start`, check what it left behind, and print a table at the end, however it comes.

    A rung that fails by what a user can cause does not keep the others from being trained; TrainingError at the end
    names those that did. A run that was stopped ends the whole.
    """
    lines: list[str] = []
    failed = []
    try:
        for letter in letters:
            say(f"Rung {letter}")
            try:
                line, ended = _trained(letter, *start(letter))
            except Exception as error:
                sentence = sentence_of(error)
                if sentence is None:
                    raise
                line, ended = f"{letter}  failed: {sentence}", False
            lines.append(line)
            if OK not in line:
                failed.append(letter)
            if ended:
                lines.append("Stopped there; the rungs after it were not trained.")
                break
    finally:
        say("\n".join(lines))
    if failed:
        raise TrainingError(f"Of the rungs {', '.join(letters)} these failed: {', '.join(failed)}; see above.")


def _trained(letter: str, folder: Path, state: TrainState) -> tuple[str, bool]:
    """A rung's line of the table, and whether its run was stopped."""
    wrong = differing(folder, state)
    verdict = f"snapshot differs from what was trained in {', '.join(wrong)}" if wrong else OK
    pace = f"{state.images / 1000:g} kimg in {format_duration(state.seconds)}"
    return f"{letter}  {pace}, {verdict}: {folder}", state.images < state.config.total_images


def differing(folder: Path, state: TrainState) -> list[str]:
    """Names of tensors whose bits in the newest snapshot are not those of the run's moving average."""
    path = newest_snapshot(folder)
    if path is None:
        return ["everything: there is no snapshot"]
    stored = load_generator(path)[0].state_dict()
    trained = {name: tensor.cpu() for name, tensor in state.ema.state_dict().items()}
    same = {name for name, tensor in trained.items() if name in stored and torch.equal(stored[name], tensor)}
    return sorted((set(trained) | set(stored)) - same)
