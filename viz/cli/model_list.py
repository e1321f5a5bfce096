# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py models`: list the models that can be opened by name."""

from pathlib import Path

import click

from gan.cli.command import Command
from gan.hub.published import FAMILIES, LICENCE, PUBLISHED
from gan.hub.resolve import list_bundled, list_snapshots
from gan.hub.url import DownloadError, parse_address
from gan.networks.ladder import RUNGS
from viz.cli.parameter_types import PATH


@click.command(cls=Command)
@click.argument("runs", nargs=-1, type=PATH)
def models(runs: tuple[Path, ...]) -> None:
    """List the models that can be opened by name.

    Those that came with Jinc, those that others published, or the snapshots of RUNS.

    \b
    Examples:
      python visualizer.py models
      python visualizer.py models training-runs/00000-critters-T-64
      python visualizer.py --left stylegan3-t-ffhqu-256      fetched then, under its authors' licence
      python visualizer.py --left training-runs/00000-critters-T-64@12
                                                             the snapshot at 12,000 images
    """
    for run in runs:
        snapshots = list_snapshots(run)
        if not snapshots:
            raise click.ClickException(f"{run} is no run folder with snapshots: give one that has some.")
        click.echo(f"{run}, by age in thousands of images:")
        for snapshot in snapshots:
            click.echo(f"  {run}@{snapshot.kimg}")
    if runs:
        return
    titles = dict(RUNGS)
    click.echo("Bundled:")
    for model in list_bundled():
        click.echo(f"  {model.rung.lower():32}{model.name}: {titles.get(model.rung, model.rung)}")
    click.echo(f"\nPublished by NVIDIA, under {LICENCE}; fetched when named:")
    there = _list_fetched()
    for family, title in FAMILIES.items():
        click.echo(f"  {title}")
        for one in PUBLISHED:
            if one.family == family:
                mark = ", fetched before" if one.name in there else ""
                click.echo(f"    {one.name:30}{one.data}, {one.width} px{mark}")


def _list_fetched() -> set[str]:
    """Return the names of the published checkpoints that were fetched before."""
    from gan.hub.cache import Cache

    try:
        cache = Cache()
        return {one.name for one in PUBLISHED if cache.record(parse_address(one.address))}
    except DownloadError:
        return set()  # no folder to keep any in
