# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py render --layer`: a layer's maps in place of the picture."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gan.cli.network_options import FiniteRange
from gan.networks.config import GeneratorConfig
from viz.cli.drawing import draw_picture
from viz.cli.output import write_output
from viz.core.layer_info import list_layers
from viz.core.request import PictureRequest
from viz.core.result import PICTURE

if TYPE_CHECKING:
    from gan.analysis.bands import Band

Function = TypeVar("Function", bound=Callable[..., Any])

MOST_CHANNELS = 4096
MAP_OPTIONS = ("channels", "normalize", "gain", "db", "sort")  # of maps, beside --layer
DEFAULT_REACH = "60"  # dB
SORTS = ("index", "energy", "phase")


class ChannelList(click.ParamType[tuple[int, ...]]):
    """Channels and ranges of them, such as 3,4,5 or 0-15."""

    name = "LIST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        found: list[int] = []
        for part in str(value).split(","):
            numbers = re.fullmatch(r"\s*(\d{1,6})(?:-(\d{1,6}))?\s*", part)
            if not numbers:
                self.fail(f"{value!r} is not channels such as 3,4,5 or 0-15.", param, ctx)
            first, last = int(numbers[1]), int(numbers[2] or numbers[1])
            if last < first or len(found) + last - first >= MOST_CHANNELS:
                self.fail(f"{value!r} runs backwards, or is more than {MOST_CHANNELS} channels.", param, ctx)
            found += range(first, last + 1)
        return tuple(found)


def layer_options(function: Function) -> Function:
    """Add --layer and the options of what is shown of it."""
    options = (
        click.option(
            "--layer",
            metavar="LAYER",
            help="A layer's maps instead, by its name or number (input, picture): a sheet, or numbers as .npz or .csv.",
        ),
        click.option(
            "--channels",
            type=ChannelList(),
            metavar="LIST",
            help="These maps of it (all): three are red, green and blue.",
        ),
        click.option(
            "--normalize",
            type=click.Choice(["each", "common"]),
            is_flag=False,
            flag_value="each",
            help="Grey is each channel's own mean, black and white three deviations from it; or one scale for all in "
            "common. Without it black is -1, white 1.",
        ),
        click.option("--gain", type=FiniteRange(-120, 120), metavar="DB", help="Display gain of maps, in dB (0)."),
        click.option(
            "--db",
            type=FiniteRange(1, 200),
            is_flag=False,
            flag_value=DEFAULT_REACH,
            metavar="[RANGE]",
            help=f"Magnitudes of maps in decibels, from RANGE below the largest up ({DEFAULT_REACH}).",
        ),
        click.option("--sort", type=click.Choice(SORTS), help="Order of a sheet of all maps (index)."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def check_options(layer: str | None, out: Path | None, options: Mapping[str, Any], others: Mapping[str, Any]) -> None:
    """Raise a usage error for options that do not go together; `others` are those that mean no maps."""
    if layer is None:
        for name in MAP_OPTIONS:
            if options[name] is not None:
                raise click.UsageError(f"--{name} is of a layer's maps: give --layer, too.")
        return
    for option, value in others.items():
        if value:
            raise click.UsageError(f"--layer shows the maps of one picture: leave out {option}.")
    if out is None:
        raise click.UsageError("--layer writes one file: give it a name, such as --out maps.png.")
    if options["sort"] not in (None, "index") and options["channels"]:
        raise click.UsageError("--sort orders all of a layer's maps: leave out --channels, or --sort.")


def find_map_layer(config: GeneratorConfig, layer: str) -> Band:
    """Return the layer of a name or number. Raises click.UsageError, which names those there are."""
    every = list_layers(config)
    for band in every:
        if layer == band.name or (band.name != PICTURE and layer == str(band.index)):
            return band
    names = ", ".join(band.name for band in every)
    raise click.UsageError(f"There is no layer {layer[:40]!r} here: choose one of {names}.")


def draw_layer(
    request: PictureRequest,
    config: GeneratorConfig,
    layer: str,
    out: Path,
    options: Mapping[str, Any],
    about: Mapping[str, Any],
) -> None:
    """Write a layer's maps; `about` is the request as the file is to carry it."""
    from viz.record.layer_maps import MapChoice, Scale, check_channels, export_maps
    from viz.render.renderer import Renderer
    from viz.reports.export import ExportError

    band, renderer = find_map_layer(config, layer), Renderer(enlarge=False)
    scale: Scale = options["normalize"] or "plain"
    sort, gain = options["sort"] or "index", options["gain"] or 0.0
    choice = MapChoice(options["channels"] or (), sort, scale, gain, options["db"])
    try:
        check_channels(band, choice.channels)
        draw_picture(renderer, request)  # says what of the request the model cannot follow
        export = export_maps(renderer, request, band, choice, Path(request.model).stem, {"request": about})
    except ExportError as problem:
        raise click.UsageError(str(problem)) from None
    except ValueError as problem:
        raise click.ClickException(str(problem)) from None
    count = len(export.arrays[1].values)
    write_output(out, export, f", {count} of the {band.channels} maps of {band.name}")
