# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sheets: many seeds in one picture, with their numbers below them if wanted (`render --grid`)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan.cli.path_types import refuse_existing
from viz.cli.drawing import draw_picture
from viz.cli.output import check_picture_name, check_writable, explain_unwritable, progress_bar
from viz.core.latent import LARGEST_SEED, Latent, seed_point

if TYPE_CHECKING:
    import numpy as np

    from viz.core.request import PictureRequest

MOST_CELLS = 4096
LARGEST_SIDE = 16_383  # pixels, what a WebP holds
CAPTION_ROOM, CAPTION_WIDTH = 42, 102  # pixels that two lines of a caption take at most
LARGEST_AREA = 2**27  # pixels: 400 MB, and three copies of it while it is put together

Grid = tuple[int, int]  # columns, rows


class GridSize(click.ParamType[Grid]):
    """COLUMNSxROWS of a sheet."""

    name = "CxR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Grid:
        found = re.fullmatch(r"([0-9]{1,4})x([0-9]{1,4})", str(value))
        columns, rows = (int(found[1]), int(found[2])) if found else (0, 0)
        if not columns * rows:
            self.fail(f"{value!r} is not columns and rows such as 8x4.", param, ctx)
        if columns * rows > MOST_CELLS:
            self.fail(f"{value} has {columns * rows} places, and {MOST_CELLS} are the most.", param, ctx)
        return columns, rows


def choose_seeds(grid: Grid, seed: int | None, seeds: Sequence[int] | None, others: Sequence[str]) -> list[int]:
    """Return the seeds of a sheet: those listed, else as many as fit from `seed` (0) on.

    Raises click.UsageError for more than fit, and for `others`, options that are given and mean no sheet.
    """
    if others:
        raise click.UsageError(f"--grid draws seeds: leave out {others[0]}.")
    places = grid[0] * grid[1]
    if seeds is None:
        return [number for number in range(seed or 0, (seed or 0) + places) if number <= LARGEST_SEED]
    if seed is not None:
        raise click.UsageError("Give --seed or --seeds, not both.")
    if len(seeds) > places:
        raise click.UsageError(f"--grid {grid[0]}x{grid[1]} has {places} places, and these are {len(seeds)} seeds.")
    return list(seeds)


def check_sheet(
    grid: Grid,
    resolution: int,
    out: Path | None,
    *,
    captions: bool,
    overwrite: bool,
    fewer: str = "--grid fewer columns or rows",
) -> Path:
    """Return the file to write. Raises click.UsageError or ClickException for one that cannot hold the sheet.

    `fewer` says what to give for a smaller one.
    """
    if out is None:
        raise click.UsageError("--grid writes one picture: give it a name, such as --out sheet.png.")
    refuse_existing(out, overwrite)
    check_picture_name(out, "--out")
    width, height = (
        grid[0] * max(resolution, CAPTION_WIDTH * captions),
        grid[1] * (resolution + CAPTION_ROOM * captions),
    )
    if max(width, height) > LARGEST_SIDE or width * height > LARGEST_AREA:
        raise click.UsageError(f"A sheet of {width}x{height} pixels is too large: give {fewer}.")
    check_writable(out)
    return out


def draw_cells(request: PictureRequest, latents: Sequence[Latent]) -> np.ndarray:
    """Return the pictures of latents, uint8 [N, H, W, C], fit for a sheet."""
    import numpy as np

    from gan.data.image_io import prepare_for_grid, select_channels
    from viz.render.renderer import Renderer

    renderer, pictures = Renderer(enlarge=False), []
    with progress_bar(len(latents), "Drawing") as bar:
        for latent in latents:
            drawn = draw_picture(renderer, replace(request, latent=latent))
            image = select_channels(drawn.image, drawn.facts.config.img_channels)
            pictures.append(image if image.ndim == 3 else image[:, :, None])
            bar.update(1)
    return prepare_for_grid(np.stack(pictures))


def draw_sheet(
    request: PictureRequest, seeds: Sequence[int], grid: Grid, out: Path, *, captions: bool, model: str, words: str
) -> None:
    """Draw the seeds row by row and write them as one picture; `model` and `words` name the model and the label."""
    import numpy as np

    from gan.data.image_io import caption_images, save_image, tile_images
    from viz.record.numbers import describe_request

    cells = draw_cells(request, [seed_point(seed) for seed in seeds])
    if captions:
        label = [(words, words.removeprefix("class "))] if words else []
        cells = caption_images(cells, [[(f"seed {seed}", str(seed)), *label] for seed in seeds])
    rows = -(-len(seeds) // grid[0])
    sheet = tile_images(cells, grid[0])
    missing = (grid[1] - rows) * cells.shape[1]
    sheet = np.concatenate([sheet, np.zeros((missing, *sheet.shape[1:]), np.uint8)])
    document = {"schema": 1, "request": describe_request(request, model), "grid": grid, "seeds": list(seeds)}
    with explain_unwritable(out):
        save_image(out, sheet, {"jinc": json.dumps(document)})
    of = f", {words}" if words else ""
    click.echo(f"Wrote {out} ({sheet.shape[1]}x{sheet.shape[0]}, {len(seeds)} seeds{of}).")
