# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python train.py control`: pause a run that trains, let it go on, have it write a snapshot, stop it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gan.cli.command import Command
from gan.files.wishes import write_wishes
from train.cli.options import RunFolder
from train.errors import report_errors

ACTIONS = ("pause", "resume", "snapshot", "stop")
SAID = {
    "pause": "to wait after its step",
    "resume": "to go on",
    "snapshot": "for a snapshot after its step",
    "stop": "to stop after its step",
}


@click.command(cls=Command)
@click.argument("run_folder", type=RunFolder())
@click.argument("action", type=click.Choice(ACTIONS), required=False)
@click.option("--snap", type=click.IntRange(1, 2**31), help="Ticks between snapshots from now on.")
def control(run_folder: Path, action: str | None, snap: int | None) -> None:
    """Pause a run, let it go on, ask it for a snapshot, stop it.

    The trainer that works on RUN_FOLDER obeys after its step.
    """
    if action is None and snap is None:
        raise click.UsageError(f"Say what to ask for: {', '.join(ACTIONS)}, or --snap=N.")
    from train.errors import TrainingError
    from train.run_folder import ACTIVE_STATES, OPTIONS, PROGRESS, find_trainer

    with report_errors():
        try:
            state = json.loads((run_folder / PROGRESS).read_text(encoding="utf-8"))["state"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            state = None
        if state not in ACTIVE_STATES:
            if not (run_folder / OPTIONS).exists():
                raise TrainingError(f"{run_folder} is no run folder: give one that train.py made.")
            if state == "finished":
                raise TrainingError(f"{run_folder} is finished; --resume with a larger --kimg trains it further.")
            raise TrainingError(f"No trainer works on {run_folder}; `train.py --resume={run_folder}` starts one.")
        wishes = {action: True} if action else {}
        try:
            write_wishes(run_folder, **wishes, **({"snap": snap} if snap else {}))
        except OSError as error:
            raise TrainingError(f"{run_folder} cannot be written to ({error.strerror or error}).") from error
    asked = [SAID[action]] if action else []
    asked += [f"for a snapshot every {snap} ticks"] if snap else []
    click.echo(f"Asked {run_folder.name} {' and '.join(asked)}.")
    if find_trainer(run_folder) is None:  # a run in a shared folder may train on another machine
        click.echo(
            "No trainer of it runs on this machine: unless it trains on another one, it was killed, and "
            f"`train.py --resume={run_folder}` goes on.",
            err=True,
        )
