# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python train.py dataset`: make and check data sets."""

from __future__ import annotations

from pathlib import Path

import click

from gan.cli.command import Command
from gan.cli.path_types import UserPath, overwrite_option, refuse_existing
from train.cli.augment import augment
from train.cli.check import check
from train.cli.convert import convert
from train.cli.options import SEED
from train.errors import report_errors

CRITTERS_SIZES = tuple(str(2**i) for i in range(4, 10))
EXAMPLE = """\b
Examples:
    python train.py dataset critters --out=critters.zip --num=2000 --size=64
    python train.py dataset critters --out=foxes.zip --species=fox,"red panda"
    python train.py dataset critters --out=faces.zip --size=128 --aligned --plush
"""


@click.group()
def dataset() -> None:
    """Make and check data sets."""


@dataset.command(cls=Command, epilog=EXAMPLE)
@click.option("--out", metavar="FILE.zip", type=UserPath(), required=True, help="The zip to write.")
@click.option("--num", type=click.IntRange(min=1), default=2000, help="Number of pictures.")
@click.option("--size", type=click.Choice(CRITTERS_SIZES), default="64", help="Width of a picture in pixels.")
@click.option("--seed", type=SEED, default=0, help="Seed of the set.")
@click.option("--species", metavar="NAME,...", help="Only these, of twelve; a wrong name lists them.")
@click.option("--aligned", is_flag=True, help="Heads upright and of one size, their eyes in one place, as in FFHQ.")
@click.option("--plush", is_flag=True, help="Fur of thick strands that grow alike on all of a species.")
@overwrite_option
def critters(
    out: Path, num: int, size: str, seed: int, species: str | None, aligned: bool, plush: bool, overwrite: bool
) -> None:
    """Draw the bundled data set: one furry creature a picture, its pose in dataset.json."""
    if out.suffix.lower() != ".zip":
        raise click.UsageError(f"--out must be the name of a zip, such as {out.stem or 'critters'}.zip.")
    refuse_existing(out, overwrite)
    from train import launch  # here: torch takes longer to load than --help may

    with report_errors("Drawing ran out of memory: give a smaller --size or --num"):
        names = [name.strip() for name in (species or "").split(",") if name.strip()]
        launch.draw_critters(out, num, int(size), seed, names, aligned, plush)


dataset.add_command(convert)
dataset.add_command(check)
dataset.add_command(augment)
