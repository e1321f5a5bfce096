# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python train.py ladder`: all rungs, one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan.cli.network_options import Finite, Side
from gan.networks.ladder import letters, rung
from train.cli.errors import guarded
from train.cli.options import MAX_SEED, precision
from train.config import PRESETS

if TYPE_CHECKING:
    from train.state import TrainState


@click.command()
@click.option("--cfg", "rungs", default="all", show_default=True, help="Rungs with commas between them.")
@click.option("--data", default="critters", show_default=True, help="Folder or zip of square pictures, or critters.")
@click.option(
    "--outdir",
    type=click.Path(path_type=Path),
    default=Path("training-runs"),
    show_default=True,
    help="Where run folders go.",
)
@click.option("--preset", type=click.Choice(PRESETS), default="tiny", show_default=True, help="As for `run`.")
@click.option(
    "--kimg",
    type=Finite(min=0, max=1e9, min_open=True),
    default=0.3,
    show_default=True,
    help="Length of each run in thousands of real images.",
)
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0, show_default=True, help="Seed of every run.")
@click.option("--resolution", type=Side(), help="Of the critters to draw (32); else the data's own.")
@click.option("--critters-num", type=click.IntRange(min=1), default=2000, show_default=True, help="Critters to draw.")
@click.option("--device", help="cpu, cuda or cuda:N (a GPU if torch has one).")
@click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads of torch (its own choice).")
@precision
def ladder(rungs: str, data: str, outdir: Path, resolution: int | None, critters_num: int, **options: Any) -> None:
    """Train all ten rungs on the same pictures, one after the other, each a short run of its own.

    \b
    Examples:
        python train.py ladder                                  300 critters of 32x32 each: do all rungs train?
        python train.py ladder --cfg=D,E,F,G --kimg=50          what four steps of the ladder look like
    """
    from train import launch  # here: torch takes longer to load than --help may
    from train.rungs import train_rungs

    given = {name: value for name, value in options.items() if value is not None}

    def start(name: str) -> tuple[Path, TrainState]:
        return launch.start(name, data, outdir, resolution, critters_num, False, dict(given))

    def train() -> None:
        named = letters(rungs)
        rung(named[0], resolution or 32)  # a size that no rung has is said once, not ten times
        train_rungs(named, start, click.echo)

    guarded(train)
