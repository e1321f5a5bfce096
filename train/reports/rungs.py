# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Every rung of the ladder trained for a while, and what became of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from gan.checkpoints.checkpoint import load_generator
from gan.files.format import format_duration
from gan.hub.resolve import find_newest_snapshot
from train.errors import TrainingError, explain
from train.state import TrainState

CHECKED = "losses finite, snapshot loads back bit for bit"  # the loop ends a run in which a loss is not finite


def train_rungs(
    letters: tuple[str, ...], start: Callable[[str], tuple[Path, TrainState]], say: Callable[[str], None]
) -> None:
    """Train each rung with `start`, check its snapshot, and always print a table at the end.

    `start` trains a rung and returns its run folder and the state at the end. A rung that fails by what a user can
    cause does not keep the others from being trained; TrainingError at the end names those that did. A run that was
    stopped ends the whole.
    """
    lines, failed = [], []
    try:
        for name in letters:
            say(f"Rung {name}")
            try:
                folder, state = start(name)
            except Exception as error:
                message = explain(error)
                if message is None:
                    raise
                failed.append(name)
                lines.append(f"{name}  failed: {message}")
                continue
            wrong = find_differences(folder, state)
            failed += [name] * bool(wrong)
            verdict = f"snapshot differs from the trained network in {', '.join(wrong)}" if wrong else CHECKED
            pace = f"{state.images / 1000:g} kimg in {format_duration(state.seconds)}"
            lines.append(f"{name}  {pace}, {verdict}: {folder}")
            if state.images < state.config.total_images:
                lines.append("Stopped there; the rungs after it were not trained.")
                break
    finally:
        say("\n".join(lines))
    if failed:
        raise TrainingError(f"Of the rungs {', '.join(letters)} these failed: {', '.join(failed)}; see above.")


def find_differences(folder: Path, state: TrainState) -> list[str]:
    """Return the names of tensors whose bits in the newest snapshot are not those of the run's moving average."""
    path = find_newest_snapshot(folder)
    if path is None:
        return ["everything: there is no snapshot"]
    stored = load_generator(path)[0].state_dict()
    trained = {name: tensor.cpu() for name, tensor in state.ema.state_dict().items()}
    same = {name for name, tensor in trained.items() if name in stored and torch.equal(stored[name], tensor)}
    return sorted((set(trained) | set(stored)) - same)
