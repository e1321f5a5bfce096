# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python train.py run` and `resume`: train a generator, or continue a run."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click

from gan.cli.network_options import FiniteRange, network_options
from gan.cli.path_types import DataPath, ModelName
from train.cli.augment_options import augment_options, take_augmentation
from train.cli.official import ELSEWHERE
from train.cli.options import (
    CHANGEABLE,
    EXAMPLES,
    IS_NEW,
    NO_RESUME,
    SEED,
    ResumeSource,
    RunFolder,
    changeable_options,
    collect,
    data_changed_option,
    data_options,
    switch,
)
from train.cli.processes import ProcessesCommand, start_processes
from train.errors import report_errors
from train.presets.table import PRESETS

MAX_DESCRIPTION = 80  # characters, of a folder's name


class Description(click.ParamType[str]):
    """Words for a run folder's name, which any system can have in a file's."""

    name = "TEXT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if not re.fullmatch(r"[\w.+=,@-]+", text) or len(text) > MAX_DESCRIPTION or text.endswith("."):
            self.fail(
                f"{text[:MAX_DESCRIPTION]!r} cannot end a folder's name; give letters, digits, - and _, "
                f"{MAX_DESCRIPTION} at most.",
                param,
                ctx,
            )
        return text


class RunCommand(ProcessesCommand):
    """The command that knows before it looks at --resume, which may stand anywhere, if --cfg asks for a new run."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[IS_NEW] = any(word.partition("=")[0] == "--cfg" for word in args)
        return super().parse_args(ctx, args)


@click.command(cls=RunCommand, epilog=EXAMPLES, elsewhere=ELSEWHERE)
@click.option("--cfg", help="The rung: A (stylegan2), B to H, T (stylegan3-t) or R (stylegan3-r).")
@click.option(
    "--data", type=DataPath("critters"), help="Folder or zip of square pictures, or `critters`: drawn first if need be."
)
@click.option(
    "--resume",
    type=ResumeSource(),
    is_eager=True,
    help="A run folder to continue; beside --cfg and --data a model, the same as --transfer.",
)
@click.option(
    "--transfer",
    type=ModelName(),
    help="Start from a model: a file, an address, a run folder, or a bundled one by its letter.",
)
@click.option(
    "--freezed",
    type=click.IntRange(min=0),
    help="With --transfer: so many of the discriminator's layers are not trained, from the picture on (0).",
)
@click.option(
    "--preset", "preset_name", type=click.Choice(PRESETS), help="The paper's settings, or tiny ones for CPUs (paper)."
)
@click.option("--batch", type=click.IntRange(1, 2**20), help="Pictures a step (64 up to 256x256, else 32; tiny: 4).")
@click.option("--gamma", type=FiniteRange(min=0), help="R1 weight (0.001 S^2 / batch; tiny 0.00025).")
@switch("--mirror", help="Flip pictures at random (off; tiny: on).")
@click.option("--no-mirror", is_flag=True, help="The same as --mirror=0.")
@switch("--mirror-y", help="Flip pictures upside down at random, too (off).")
@click.option("--subset", type=click.IntRange(1), help="Train on so many pictures, chosen by --seed (all).")
@switch("--cond", help="Train with the labels of dataset.json.")
@click.option(
    "--cbase",
    "channel_base",
    type=click.IntRange(1, 2**24),
    help="Channel base, T's value (2^14 up to 256x256, else 2^15).",
)
@click.option("--cmax", "channel_max", type=click.IntRange(1, 2**16), help="Most channels of a layer, T's value (512).")
@click.option(
    "--d-cbase",
    "d_channel_base",
    type=click.IntRange(1, 2**24),
    help="Channel base of the discriminator (--cbase, else the preset's).",
)
@click.option(
    "--d-cmax",
    "d_channel_max",
    type=click.IntRange(1, 2**16),
    help="Most channels of its layers (--cmax, else the preset's).",
)
@click.option("--glr", "g_lr", type=FiniteRange(0, 1), help="Learning rate of the generator (0.0025 or 0.002).")
@click.option("--dlr", "d_lr", type=FiniteRange(0, 1), help="Learning rate of the discriminator (0.0025 or 0.002).")
@click.option("--map-depth", type=click.IntRange(1, 64), help="Layers of the mapping (A to C: 8, else 2; tiny: 2).")
@click.option(
    "--mbstd-group",
    type=click.IntRange(1, 2**20),
    help="Pictures a group of the discriminator's minibatch deviation (4; A to C up to 256x256: 8; tiny: 4).",
)
@network_options
@click.option("--pl-weight", type=FiniteRange(min=0), help="Path length weight (A to C: 2, else 0; tiny: 0).")
@click.option(
    "--style-mixing", type=FiniteRange(min=0, max=1), help="Probability of style mixing (A to C: 0.9, else 0; tiny: 0)."
)
@click.option("--seed", type=SEED, help="Seed of the run (0).")
@data_options
@click.option("--desc", "description", type=Description(), help="Words to add to the name of the run folder.")
@data_changed_option
@changeable_options
@augment_options
@click.option("-n", "--dry-run", is_flag=True, help="Print the options of the run, and stop before its folder is made.")
def run(
    data: str | None,
    outdir: Path,
    resume: str | None,
    critters_num: int,
    no_mirror: bool,
    dry_run: bool,
    **options: Any,
) -> None:
    """Train a generator: a new run folder, or --resume."""
    given = collect(options | {"no_mirror": no_mirror})
    run_folder = _take_official_resume(resume, given)
    if given.get("freezed") and "transfer" not in given and run_folder is None:
        raise click.UsageError("--freezed goes with --transfer: layers that learned nothing must be trained.")
    if run_folder is not None:
        for parameter in click.get_current_context().command.params:
            if parameter.name in given.keys() - set(CHANGEABLE):
                raise click.UsageError(
                    f"{parameter.opts[0]} is fixed for a run that is resumed; leave it out, or start a new run with "
                    "--transfer."
                )
        if dry_run:
            raise click.UsageError("--dry-run is for new runs: training_options.json in the run folder tells more.")
    elif given.pop("data_changed", False):
        raise click.UsageError("--data-changed goes with --resume: a new run takes the data as they are.")
    for name, value in (("--cfg", given.get("cfg")), ("--data", data)):
        if value is None and run_folder is None:
            raise click.UsageError(f"{name} is missing; see the examples at the end of --help.")
    if run_folder is None:
        take_augmentation(given)
    if not dry_run:
        start_processes(given)
    from train import launch  # here: torch takes longer to load than --help may

    with report_errors():
        if run_folder is not None:
            launch.resume_run(run_folder, data, **given)
        elif data is not None and dry_run:
            launch.print_options(data=data, outdir=outdir, critters_num=critters_num, **given)
        elif data is not None:
            launch.start_run(data=data, outdir=outdir, critters_num=critters_num, **given)


def _take_official_resume(resume: str | None, given: dict[str, Any]) -> Path | None:
    """Return the run folder to continue; a model, which the official tools call --resume, becomes --transfer."""
    if resume is None or resume == NO_RESUME:
        return None
    if os.path.isdir(resume):
        return Path(resume)
    if "transfer" in given:
        raise click.UsageError("--resume and --transfer both name a model to start from; give only one of the two.")
    given["transfer"] = resume
    return None


@click.command(cls=ProcessesCommand, elsewhere=ELSEWHERE)
@click.argument("run_folder", type=RunFolder(), is_eager=True)
@click.option("--data", type=DataPath(), help="The same pictures' new place, if they were moved.")
@data_changed_option
@changeable_options
def resume(run_folder: Path, data: str | None, **options: Any) -> None:
    """Continue RUN_FOLDER exactly where it stopped."""
    given = collect(options)
    start_processes(given)
    from train import launch

    with report_errors():
        launch.resume_run(run_folder, data, **given)
