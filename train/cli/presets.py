# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python train.py presets`: the table of presets."""

from __future__ import annotations

import click

from gan.cli.command import Command
from train.presets.table import describe_defaults, tabulate_presets


@click.command(cls=Command)
def presets() -> None:
    """Print the settings of each preset, by rung and size of the pictures."""
    lines = list(tabulate_presets())
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    click.echo(describe_defaults())
