# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python train.py dataset check`: say what a picture set holds, and whether a run would take it."""

from __future__ import annotations

from pathlib import Path

import click

from gan.cli.command import Command
from gan.cli.path_types import UserPath
from gan.files.errors import sanitize_text
from train.errors import report_errors
from train.progress import show_progress

EXAMPLE = """\b
Example:
    python train.py dataset check faces.zip
"""


@click.command(cls=Command, epilog=EXAMPLE)
@click.argument("data", metavar="DATA", type=UserPath(), required=False)
@click.option("--data", "data_option", metavar="DATA", type=UserPath(), help="The same as DATA.")
@click.pass_context
def check(context: click.Context, data: Path | None, data_option: Path | None) -> None:
    """Check the pictures and labels in DATA, a folder or zip, without changing anything.

    Every picture is decoded. All that a run would say is said, every unfit or damaged picture is named, and so are
    duplicates and what is left out. The exit status is 1 if a run would refuse the set. Ctrl-C ends the check and
    still reports what was found.
    """
    given = [path for path in (data, data_option) if path is not None]
    if len(given) != 1:
        raise click.UsageError("Give DATA, the folder or zip to check, once.")
    data = given[0]
    from train.datasets.check import check_dataset

    too_large = "The check ran out of memory: end other programs, then check again"
    with report_errors(too_large), show_progress(f"Checking the pictures in {data}", "Decoded") as progress:
        found = check_dataset(data, progress)
    for line in found.lines:
        click.echo(line)
    for line in found.problems:
        click.echo(f"Problem: {line}")
    for name, why in found.damaged.items():
        click.echo(f"Damaged: {sanitize_text(name)} ({why})")
    if found.damaged and not found.refused:
        click.echo(f"A run would leave the damaged pictures out, as it does up to {found.limit}.")
    if found.refused:
        click.echo(
            "A run would refuse this set: correct what is named above, or have `python train.py dataset convert` make "
            "another set of what can be read."
        )
        context.exit(1)
    click.echo("A run would take this set." if found.complete else "So far nothing keeps a run from taking it.")
