# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py curves`: draw the losses of training runs, or write their numbers."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gan.cli.command import Command
from gan.cli.path_types import overwrite_option
from gan.files.errors import sanitize_text
from viz.cli.output import check_export, write_output
from viz.cli.parameter_types import PATH
from viz.reports.curves_figure import RunCurves, build_curves
from viz.reports.export import ExportError
from viz.training.run_folder import RunFolder


@click.command(cls=Command)
@click.argument("runs", metavar="RUN...", type=PATH, nargs=-1, required=True)
@click.option(
    "--out",
    required=True,
    type=PATH,
    metavar="FILE",
    help="The .png, .pdf or .svg to draw, or the .npz or .csv to keep numbers in.",
)
@click.option("--log", is_flag=True, help="A logarithmic axis for the losses, too.")
@overwrite_option
def curves(runs: tuple[Path, ...], out: Path, log: bool, overwrite: bool) -> None:
    """Draw the losses and the R1 penalty of training runs.

    They are drawn over the images that the runs have seen, or written as numbers. RUN is a run folder, of a run that
    goes on or has ended; nothing in it is changed.

    \b
    Examples:
      python visualizer.py curves training-runs/00003-cats-T-64 --out losses.png
      python visualizer.py curves training-runs/00003* training-runs/00004* --log --out races.svg
      python visualizer.py curves training-runs/00003-cats-T-64 --out losses.csv
    """
    check_export(out, overwrite)
    found = [_read_run(path) for path in runs]
    try:
        export = build_curves(found, log=log)
    except ExportError as problem:
        raise click.ClickException(str(problem)) from None
    ticks = sum(len(run.columns["kimg"]) for run in found)
    write_output(out, export, f", {ticks:,} ticks of {len(found)} run{'s' if len(found) > 1 else ''}")


def _read_run(path: Path) -> RunCurves:
    """Return the curves of a run folder. Raises click.ClickException for what is none."""
    shown = sanitize_text(path, 100)
    if not os.path.isdir(path):
        raise click.ClickException(f"There is no folder {shown}: give a run folder.")
    if not os.path.isfile(path / "stats.jsonl"):
        raise click.ClickException(f"{shown} holds no stats.jsonl: give the folder of a run that has begun.")
    folder, before = RunFolder(path), -1
    while len(folder.poll().curves.get("kimg", ())) != before:  # a few megabytes at a time
        before = len(folder.poll().curves.get("kimg", ()))
    name = sanitize_text(path.absolute().name, 60)
    return RunCurves(name, folder.poll().curves)
