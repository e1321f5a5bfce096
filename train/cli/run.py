# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python train.py run` and `resume`: train a generator, or go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gan.cli.network_options import Finite, Side, switches
from train.cli.errors import guarded
from train.cli.options import CHANGEABLE, EXAMPLES, MAX_SEED, changeable
from train.config import PRESETS


@click.command(epilog=EXAMPLES)
@click.option("--cfg", help="The rung: A (stylegan2), B to H, T (stylegan3-t) or R (stylegan3-r).")
@click.option("--data", help="Folder or zip of square RGB pictures, or `critters`: drawn first if need be.")
@click.option(
    "--outdir",
    type=click.Path(path_type=Path),
    default=Path("training-runs"),
    show_default=True,
    help="Where run folders go.",
)
@click.option("--resume", type=click.Path(path_type=Path), help="A run folder to go on with.")
@click.option("--preset", type=click.Choice(PRESETS), help="The paper's settings, or tiny ones for CPUs (paper).")
@click.option("--batch", type=click.IntRange(1, 2**20), help="Pictures a step (64 up to 256x256, else 32; tiny: 16).")
@click.option("--gamma", type=Finite(min=0), help="R1 weight (0.001 S^2 / batch).")
@click.option("--mirror/--no-mirror", default=None, help="Flip pictures at random (off; tiny: on).")
@click.option("--cond", is_flag=True, help="Train with the labels of dataset.json.")
@click.option("--cbase", type=click.IntRange(1, 2**24), help="Channel base, T's value (2^14 up to 256x256, else 2^15).")
@click.option("--cmax", type=click.IntRange(1, 2**16), help="Most channels of a layer, T's value (512).")
@switches
@click.option("--pl-weight", type=Finite(min=0), help="Path length regularisation (A to C: 2, else 0; tiny: 0).")
@click.option("--style-mixing", type=Finite(min=0, max=1), help="Its probability (A to C: 0.9, else 0; tiny: 0).")
@click.option("--seed", type=click.IntRange(0, MAX_SEED), help="Seed of the run (0).")
@click.option("--resolution", type=Side(), help="Of the critters to draw (32); else the data's own.")
@click.option("--critters-num", type=click.IntRange(min=1), default=2000, show_default=True, help="Critters to draw.")
@changeable
def run(
    cfg: str | None,
    data: str | None,
    outdir: Path,
    resume: Path | None,
    resolution: int | None,
    critters_num: int,
    cond: bool,
    **options: Any,
) -> None:
    """Train a generator: a new run folder, or --resume."""
    from train import launch  # here: torch takes longer to load than --help may

    options = {name: value for name, value in options.items() if value is not None}
    if resume is not None:
        fixed = [name for name in options if name not in CHANGEABLE]
        fixed += ["cfg"] * (cfg is not None) + ["cond"] * cond + ["resolution"] * (resolution is not None)
        if fixed:
            option = fixed[0].replace("_", "-")
            raise click.UsageError(f"--{option} is fixed for a run that is resumed; leave it out or start a new run.")
        guarded(launch.resume, resume, data, options)
        return
    for name, value in (("--cfg", cfg), ("--data", data)):
        if value is None:
            raise click.UsageError(f"{name} is missing; see the examples at the end of --help.")
    guarded(launch.start, cfg, data, outdir, resolution, critters_num, cond, options)


@click.command()
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.option("--data", help="Where the same pictures are now, if they were moved.")
@changeable
def resume(run_folder: Path, data: str | None, **options: Any) -> None:
    """Go on with RUN_FOLDER exactly where it stopped."""
    from train import launch

    guarded(launch.resume, run_folder, data, {name: value for name, value in options.items() if value is not None})
