# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python train.py dataset augment`: see what augmentation does to pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gan.augment.options import AugmentOptions
from gan.cli.command import Command
from gan.cli.path_types import UserPath, overwrite_option, refuse_existing
from train.cli.augment_options import augment_options, take_augmentation
from train.cli.options import SEED
from train.errors import report_errors

EXAMPLE = """\b
Examples:
    python train.py dataset augment faces.zip --p=0.5 --out=sheet.png
    python train.py dataset augment faces.zip --augpipe=bg --p=1 --out=moved.png
    python train.py dataset augment faces.zip --diffaug=color,translation,cutout --out=diffaug.png
"""


@click.command(cls=Command, epilog=EXAMPLE)
@click.argument("data", metavar="DATA", type=UserPath())
@click.option("--out", metavar="FILE.png", type=UserPath(), required=True, help="The picture to write.")
@click.option("--rows", type=click.IntRange(1, 64), default=6, help="Pictures of the set, one in each row.")
@click.option("--columns", type=click.IntRange(2, 64), default=8, help="The picture itself, then augmented.")
@click.option("--seed", type=SEED, default=0, help="Seed of the random numbers.")
@augment_options
@overwrite_option
def augment(data: Path, out: Path, rows: int, columns: int, seed: int, overwrite: bool, **given: Any) -> None:
    """Draw a sheet of augmented pictures of DATA: what the discriminator would see of them in a run.

    The options are those of a run. As nothing adapts here, --p is the probability (0.5).
    """
    values = {name: value for name, value in given.items() if value is not None}
    if values.keys() & {"aug", "augpipe"} or not values.get("diffaug"):
        values.setdefault("p", 0.5)
    if values.get("aug", "fixed") != "fixed" or values.keys() & {"target", "ada_images"}:
        raise click.UsageError("Nothing is trained here: give --p, how often each transform is applied.")
    take_augmentation(values)
    options: AugmentOptions = values["augment"]
    if out.suffix.lower() != ".png":
        raise click.UsageError(f"--out must be the name of a PNG, such as {out.stem or 'sheet'}.png.")
    refuse_existing(out, overwrite)
    from train.reports.augment_sheet import draw_sheet  # here: torch takes longer to load than --help may

    with report_errors("The pictures need more memory than there is: give fewer --rows or --columns"):
        draw_sheet(data, out, options, rows, columns, seed)
    click.echo(f"Wrote {out}: {options.describe()}.")
