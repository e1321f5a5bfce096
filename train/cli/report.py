# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python train.py report`: a run as one page."""

from __future__ import annotations

from pathlib import Path

import click

from gan.cli.command import Command
from gan.cli.path_types import UserPath, overwrite_option, refuse_existing
from train.cli.options import RunFolder
from train.errors import report_errors


@click.command(cls=Command)
@click.argument("run_folder", type=RunFolder())
@click.option("--out", type=UserPath(), help="The page, .html (RUN_FOLDER's name, here).")
@overwrite_option
def report(run_folder: Path, out: Path | None, overwrite: bool) -> None:
    """Write a run as one page: options, curves, fakes, metrics.

    The page holds all that it shows, and can be sent or kept. It needs no network.
    """
    out = out or Path(f"{run_folder.resolve().name}.html")
    if out.suffix.lower() not in (".html", ".htm"):
        raise click.UsageError(f"A report is a page: give --out a name that ends in .html, not {out.name}.")
    refuse_existing(out, overwrite)
    from train.errors import TrainingError
    from train.reports.page import write_report
    from train.run_folder import OPTIONS

    with report_errors("Writing the page ran out of memory: end other programs, then try again"):
        if not (run_folder / OPTIONS).is_file():
            raise TrainingError(f"{run_folder} holds no {OPTIONS}: it is no run folder; give one that train.py made.")
        try:
            write_report(run_folder, out)
        except OSError as error:
            raise TrainingError(f"{out} cannot be written ({error.strerror or error}).") from error
    click.echo(f"Wrote {out}.")
