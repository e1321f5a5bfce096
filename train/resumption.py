# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The state that a run goes on from, or its first one again where it was ended before its first snapshot."""

from __future__ import annotations

import json
from pathlib import Path

from gan.checkpoints.checkpoint import CheckpointError
from gan.hub.resolve import find_newest_snapshot
from train.config import TrainConfig
from train.device import check_memory
from train.errors import TrainingError
from train.ranks.group import Ranks
from train.run_folder import OPTIONS, STATE
from train.state import TrainState

MAX_OPTIONS = 2**20  # bytes of training_options.json


def read_device(folder: Path) -> str:
    """Return the device that a run was trained on; "cpu" where that is not known."""
    try:
        with (folder / OPTIONS).open("rb") as file:
            return str(json.loads(file.read(MAX_OPTIONS))["device"])
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return "cpu"


def check_resumable(folder: Path) -> None:
    """Raise TrainingError if a run folder has neither a state nor, without any snapshot, its options."""
    if (folder / STATE).is_file():
        return
    snapshot = find_newest_snapshot(folder)
    if snapshot is not None:
        raise TrainingError(
            f"{folder} holds no {STATE}, without which the run cannot go on from {snapshot.name}; "
            "start a new run from that, with --transfer."
        )
    if not (folder / OPTIONS).is_file():
        raise TrainingError(f"{folder} holds no {STATE} and no {OPTIONS}: it is no run folder; start a new run.")


def load_state(folder: Path, device: str | None, ranks: Ranks) -> TrainState:
    """Return the state of a run to go on from, on another device if one is given; TrainingError, DeviceError."""
    if not (folder / STATE).is_file():
        return _begin_again(folder, device, ranks)
    try:
        return TrainState.load(folder / STATE, device, ranks)
    except CheckpointError as error:
        snapshot = find_newest_snapshot(folder)
        kept = f"; {snapshot.name} still opens in the window" if snapshot else ""
        raise TrainingError(f"{error} Without it the run cannot be resumed{kept}.") from error


def _begin_again(folder: Path, device: str | None, ranks: Ranks) -> TrainState:
    """Return the first state of the run whose options lie in `folder`."""
    path = folder / OPTIONS
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MAX_OPTIONS))
    except (ValueError, RecursionError) as error:
        raise TrainingError(f"{path} is damaged and cannot be resumed from; start a new run.") from error
    if not isinstance(document, dict):
        raise TrainingError(f"{path} holds no training options; start a new run.")
    config = TrainConfig.from_json(document if device is None else {**document, "device": device})
    if config.transfer:
        raise TrainingError(
            f"{folder} was ended before what it took from another model was stored; start a new run with --transfer."
        )
    check_memory(config, ranks.count)
    return TrainState(config, ranks)
