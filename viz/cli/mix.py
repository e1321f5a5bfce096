# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py mix`: a grid of seeds (rows) that take the styles of some layers from others (columns)."""

import json
from pathlib import Path

import click

from gan.cli.command import Command
from gan.cli.path_types import overwrite_option
from gan.hub.resolve import cite_model
from viz.cli.label_options import choose_label, class_option, label_option
from viz.cli.models import read_model, user_errors
from viz.cli.output import explain_unwritable
from viz.cli.parameter_types import PATH, Seeds, device_option, model_option, trunc_option
from viz.cli.sheet import MOST_CELLS, check_sheet, draw_cells
from viz.core.latent import MOST_LAYERS, Latent, Mixture, seed_point
from viz.core.request import PictureRequest

ELSEWHERE = {"--outdir": "is not needed here: --out names the one picture, the grid."}


class Layers(Seeds):
    """Indices of w's: 0-6,9."""

    name = "LAYERS"
    what, example, largest = "layers", "0-6,9", MOST_LAYERS - 1


@click.command(cls=Command, elsewhere=ELSEWHERE)
@model_option()
@click.option("--rows", "--row-seeds", type=Seeds(), required=True, help="Seeds of the rows, such as 0-4.")
@click.option("--cols", "--col-seeds", type=Seeds(), required=True, help="Seeds whose styles the columns take.")
@click.option(
    "--layers",
    "--styles",
    "--col-styles",
    type=Layers(),
    default="0-6",
    show_default=True,
    help="The w's that are taken from the columns' seeds, counted from 0.",
)
@trunc_option
@class_option
@label_option
@device_option
@click.option("--captions", is_flag=True, help="The seeds below each picture.")
@click.option("--out", type=PATH, required=True, metavar="FILE", help="The .png, .jpg or .webp to write.")
@overwrite_option
def mix(
    model: str,
    rows: tuple[int, ...],
    cols: tuple[int, ...],
    layers: tuple[int, ...],
    trunc: float,
    class_: str | None,
    vector: tuple[float, ...] | None,
    device: str,
    captions: bool,
    out: Path,
    overwrite: bool,
) -> None:
    """Draw a grid of seeds that take the styles of some layers from others (style mixing): rows keep, columns give.

    \b
    Examples:
      python visualizer.py mix --model t --rows 0-4 --cols 5-9 --layers 0-3 --captions --out grid.png
      python visualizer.py mix --network=network.pkl --rows=85,100 --cols=55,821 --styles=0-6 --out=mix.png
    """
    grid = (len(cols) + 1, len(rows) + 1)
    if grid[0] * grid[1] > MOST_CELLS:
        raise click.UsageError(f"These are {grid[0] * grid[1]} pictures, and {MOST_CELLS} are the most: give fewer.")
    with user_errors():
        path, header = read_model(model)
    num_ws = header.config.num_ws
    if max(layers) >= num_ws:
        raise click.UsageError(f"{path.name} has w's 0 to {num_ws - 1}: give --layers some of them, not {max(layers)}.")
    fewer = "fewer --rows or --cols"
    check_sheet(grid, header.config.resolution, out, captions=captions, overwrite=overwrite, fewer=fewer)
    label = choose_label(path.name, header, class_, vector)
    if label.remark:
        click.echo(label.remark)
    request = PictureRequest(model=str(path), psi=trunc, device=device, **label.as_request())
    _draw(request, rows, cols, layers, out, cite_model(model, request.model), captions=captions)


def _draw(
    request: PictureRequest,
    rows: tuple[int, ...],
    cols: tuple[int, ...],
    layers: tuple[int, ...],
    out: Path,
    model: str,
    *,
    captions: bool,
) -> None:
    """Draw the grid and write it: the columns' own pictures on top, the rows' at the left, an empty corner."""
    import numpy as np

    from gan.data.image_io import caption_images, save_image, tile_images
    from viz.record.numbers import describe_request

    latents: list[Latent] = [seed_point(seed) for seed in cols]
    words = ["", *(f"seed {seed}" for seed in cols)]
    for row in rows:
        base = seed_point(row)
        latents += [base, *(Mixture(base, seed_point(col), tuple(sorted(layers))) for col in cols)]
        words += [f"seed {row}", *(f"{row} + {col}" for col in cols)]
    cells = draw_cells(request, latents)
    cells = np.concatenate([np.zeros_like(cells[:1]), cells])
    if captions:
        cells = caption_images(cells, [[(each, each.removeprefix("seed "))] for each in words])
    sheet = tile_images(cells, len(cols) + 1)
    mixed = {"rows": rows, "cols": cols, "layers": layers}
    document = {"schema": 1, "request": describe_request(request, model), "mix": mixed}
    with explain_unwritable(out):
        save_image(out, sheet, {"jinc": json.dumps(document)})
    counts = f"{_count(rows, 'row')}, {_count(cols, 'column')}"
    click.echo(f"Wrote {out} ({sheet.shape[1]}x{sheet.shape[0]}, {counts}).")


def _count(seeds: tuple[int, ...], word: str) -> str:
    return f"{len(seeds)} {word}{'s' if len(seeds) > 1 else ''}"
