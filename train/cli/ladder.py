# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python train.py ladder`: all rungs, one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan.cli.command import Command
from gan.cli.path_types import DataPath
from gan.networks.ladder import parse_rungs, rung_config
from train.cli.options import SEED, Kimg, collect, data_options, session_options
from train.errors import report_errors
from train.presets.table import PRESETS
from train.ranks.launcher import is_rank

if TYPE_CHECKING:
    from train.state import TrainState

EXAMPLES = """\b
Examples:
    python train.py ladder                            300 critters of 32x32 each: do all rungs train?
    python train.py ladder --cfg=D,E,F,G --kimg=50    the effect of four steps of the ladder
"""


@click.command(cls=Command, epilog=EXAMPLES)
@click.option("--cfg", "rungs", default="all", help="Rungs with commas between them.")
@click.option(
    "--data", type=DataPath("critters"), default="critters", help="Folder or zip of square pictures, or critters."
)
@click.option("--preset", "preset_name", type=click.Choice(PRESETS), default="tiny", help="As for `run`.")
@click.option(
    "--kimg", "total_images", type=Kimg(), default=0.3, help="Length of each run in thousands of real images."
)
@click.option("--seed", type=SEED, default=0, help="Seed of every run.")
@data_options
@session_options
def ladder(rungs: str, data: str, outdir: Path, critters_num: int, **options: Any) -> None:
    """Train all ten rungs on the same pictures, one after the other, each a short run of its own."""
    given = collect(options)
    if is_rank():
        raise click.UsageError("The ladder is trained by one process: start it without torchrun.")
    from train import launch  # here: torch takes longer to load than --help may
    from train.reports.rungs import train_rungs

    def start(letter: str) -> tuple[Path, TrainState]:
        return launch.start_run(letter, data, outdir, critters_num=critters_num, **given)

    with report_errors():
        chosen = parse_rungs(rungs)
        rung_config(chosen[0], given.get("resolution", 32))  # a size that no rung has is refused once, not ten times
        train_rungs(chosen, start, click.echo)
