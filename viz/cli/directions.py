# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py directions`: find directions of w, write them, and draw what each one changes."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan.cli.command import Command
from gan.cli.network_options import FiniteRange
from gan.cli.path_types import ModelName, overwrite_option, refuse_existing
from gan.files.errors import sanitize_text
from gan.hub.resolve import cite_model
from viz.cli.label_options import choose_label, class_option, label_option
from viz.cli.models import read_model, user_errors
from viz.cli.output import check_writable, explain_unwritable, progress_bar
from viz.cli.parameter_types import PATH, SEED, device_option, trunc_option
from viz.cli.sheet import check_sheet, draw_cells
from viz.core.latent import FARTHEST, MOST_DIRECTIONS, MOST_LAYERS, Direction, Moved, Step, seed_point
from viz.core.request import PictureRequest

if TYPE_CHECKING:  # torch takes longer to load than all the rest: not for --help
    from gan.analysis.directions import DirectionSet

COLUMNS = 7  # of the sheet: from one end of the reach to the other
LISTED = 5  # standard deviations that are printed
ELSEWHERE = dict.fromkeys(("--model", "--network"), "is not needed here: name the model itself, as in `directions t`.")


class LayerRange(click.ParamType[tuple[int, int]]):
    """Indices of w's, the first and the last: 2-5, or one: 3."""

    name = "FIRST-LAST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        found = re.fullmatch(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", str(value))
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if first > last:
            self.fail(f"{value!r} is no range of layers such as 2-5, the smaller number first.", param, ctx)
        return first, last


@click.command(cls=Command, elsewhere=ELSEWHERE)
@click.argument("model", type=ModelName())
@click.option(
    "--kind",
    type=click.Choice(["pca", "closed-form"]),
    default="pca",
    show_default=True,
    help="Principal components of 10,000 w's, or what changes the styles of the layers most, by their weights alone.",
)
@click.option("--file", "file", type=PATH, metavar="FILE", help="Those of a .npz, .npy or .safetensors file instead.")
@click.option("--layers", type=LayerRange(), help="The w's that are moved, counted from 0, such as 2-5 (all of them).")
@click.option("--num", type=click.IntRange(1, MOST_DIRECTIONS), help="How many directions, the strongest first (10).")
@click.option("--out", type=PATH, metavar="FILE", help="Write them to this .npz, .npy or .safetensors file.")
@click.option("--sheet", type=PATH, metavar="FILE", help="Draw this .png, .jpg or .webp: a row for each direction.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="The seed that the sheet starts from.")
@click.option(
    "--reach",
    type=FiniteRange(0.01, FARTHEST),
    default=3.0,
    show_default=True,
    metavar="SIGMA",
    help="Standard deviations of w to either side on the sheet.",
)
@trunc_option
@class_option
@label_option
@device_option
@overwrite_option
def directions(
    model: str,
    kind: str,
    file: Path | None,
    layers: tuple[int, int] | None,
    num: int | None,
    out: Path | None,
    sheet: Path | None,
    seed: int,
    reach: float,
    trunc: float,
    class_: str | None,
    vector: tuple[float, ...] | None,
    device: str,
    overwrite: bool,
) -> None:
    """Find directions of w that change a model's pictures, write them to a file, and draw what each one changes.

    What is written adds one standard deviation of w: an array "directions" [n, 1 or layers, w_dim], and "sigmas" [n].

    \b
    Examples:
      python visualizer.py directions t --kind pca --out dirs.npz --sheet sheet.png
      python visualizer.py directions t --kind closed-form --layers 2-5 --num 6 --sheet sheet.png
      python visualizer.py directions t --file dirs.npz --reach 5 --sheet far.png
    """
    if out is None and sheet is None:
        raise click.UsageError("Give --out, a file for the directions, or --sheet, a picture of them, or both.")
    if out is not None:
        _check_name(out, overwrite)
    with user_errors():
        path, header = read_model(model)
    most = header.config.num_ws - 1
    first, last = layers or (0, MOST_LAYERS - 1)
    if layers is not None and last > most:
        raise click.UsageError(f"{path.name} has w's 0 to {most}: give --layers some of them, not {last}.")
    label = choose_label(path.name, header, class_, vector)
    if label.remark:
        click.echo(label.remark)
    offered = Direction("closed-form" if kind == "closed-form" else "pca", 0, first, last)
    request = PictureRequest(model=str(path), psi=trunc, device=device, **label.as_request())
    found, chosen = _find(request, offered, file)
    count = min(num or 10, len(found.sigmas))
    if sheet is not None:
        grid = (COLUMNS, count)
        check_sheet(grid, header.config.resolution, sheet, captions=True, overwrite=overwrite, fewer="a smaller --num")
    listed = ", ".join(f"{sigma:.3g}" for sigma in found.sigmas[: min(LISTED, count)])
    more = ", …" if count > LISTED else ""
    click.echo(f"{count} of {len(found.sigmas)} directions, {chosen.kind}; standard deviations {listed}{more}.")
    if out is not None:
        from gan.data.direction_files import write_direction_file

        with explain_unwritable(out):
            write_direction_file(out, found.units[:count], found.sigmas[:count])
        click.echo(f"Wrote {out}.")
    if sheet is not None:
        _draw(request, chosen, count, seed, reach, sheet, cite_model(model, request.model))


def _check_name(out: Path, overwrite: bool) -> None:
    """Raise click.UsageError or ClickException unless directions can be written to `out`."""
    from gan.data.latent_files import SUFFIXES

    refuse_existing(out, overwrite)
    if out.suffix.lower() not in SUFFIXES:
        name = sanitize_text(out.name, 100) or "directions"
        raise click.UsageError(f"--out {name} must end in .npz, .npy or .safetensors, as in {out.stem or name}.npz.")
    check_writable(out)


def _find(request: PictureRequest, offered: Direction, file: Path | None) -> tuple[DirectionSet, Direction]:
    """Return the directions and the first of them, of `offered` or of a file; what fails is click.ClickException."""
    from gan.analysis.directions import SAMPLES
    from viz.loading.direction_files import open_directions
    from viz.render.renderer import Renderer

    renderer = Renderer(enlarge=False)
    with user_errors():
        try:
            if file is not None:
                offered = replace(open_directions(str(file)), first=offered.first, last=offered.last)
            subject = renderer.subject(request)
            with progress_bar(SAMPLES, "Drawing w's") as bar:
                seen = 0
                for done in renderer.directions.measure(subject):
                    bar.update(done - seen)
                    seen = done
            return renderer.directions.find_set(subject, offered), offered
        except ValueError as problem:
            from gan.checkpoints.checkpoint import CheckpointError

            if isinstance(problem, CheckpointError):
                raise
            raise click.ClickException(str(problem)) from None


def _format(strength: float) -> str:
    return f"{strength:+.3g}" if strength else "0"


def _draw(
    request: PictureRequest, first: Direction, count: int, seed: int, reach: float, out: Path, model: str
) -> None:
    """Draw a row for each direction, from `reach` standard deviations before the seed's picture to as many behind."""
    from gan.data.image_io import caption_images, save_image, tile_images
    from viz.record.numbers import describe_request, hide_folders

    strengths = [reach * (2 * column / (COLUMNS - 1) - 1) for column in range(COLUMNS)]
    cells = [(replace(first, index=index), strength) for index in range(count) for strength in strengths]
    base = seed_point(seed)
    drawn = draw_cells(request, [Moved(base, (Step(*cell),)) if cell[1] else base for cell in cells])
    captions = [[(f"{step.index}: {_format(way)}", _format(way))] for step, way in cells]
    sheet = tile_images(caption_images(drawn, captions), COLUMNS)
    shown = {"seed": seed, "direction": hide_folders(asdict(first)), "strengths": strengths}
    document = {"schema": 1, "request": describe_request(request, model), **shown}
    with explain_unwritable(out):
        save_image(out, sheet, {"jinc": json.dumps(document)})
    click.echo(f"Wrote {out} ({sheet.shape[1]}x{sheet.shape[0]}, {count} directions, -{reach:g} to {reach:g} σ).")
