# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Options that several commands of the viewer share, and option types: sizes, pairs, lists of seeds, panels."""

import math
import re
from collections.abc import Callable
from typing import Any

import click

from gan.cli.network_options import FiniteRange
from gan.cli.path_types import ModelName, UserPath
from viz.core.latent import LARGEST_SEED

SEEDS_LIMIT = 100_000
MODEL_HELP = "A checkpoint, a run folder, an http(s) address, or a bundled model's name (b, t, ...)"
PATH, SEED = UserPath(), click.IntRange(0, LARGEST_SEED)


def model_option(required: bool = True) -> Callable[..., Any]:
    """Return the option of commands that draw with one model; the official programs call it --network."""
    return click.option(
        "--model",
        "--network",
        "model",
        type=ModelName(),
        is_eager=True,
        required=required,
        metavar="MODEL",
        help=f"{MODEL_HELP}.",
    )


def compared_models(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --left and --right, the two models that a command compares: the bundled B and T by default."""
    of_model: dict[str, Any] = {"type": ModelName(), "is_eager": True, "show_default": True, "metavar": "MODEL"}
    function = click.option("--right", default="t", help="What it is compared with.", **of_model)(function)
    return click.option("--left", default="b", help=f"{MODEL_HELP}.", **of_model)(function)


trunc_option = click.option(
    "--trunc",
    type=FiniteRange(-10, 10),
    default=1.0,
    show_default=True,
    metavar="PSI",
    help="Truncation psi; 1 is none.",
)
network_option = click.option(
    "--network", metavar="NAME", help="Which generator of a file with several, such as G (G_ema)."
)
device_option = click.option("--device", default="cpu", show_default=True, help="cpu, cuda, mps.")


class Size(click.ParamType[tuple[int, int]]):
    """WIDTHxHEIGHT in pixels."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", str(value))
        if not found:
            self.fail(f"{value!r} is not a size such as 1600x1000.", param, ctx)
        width, height = int(found[1]), int(found[2])
        if not (320 <= width <= 16384 and 240 <= height <= 16384):
            self.fail(f"{value} is not a size between 320x240 and 16384x16384.", param, ctx)
        return width, height


class Numbers(click.ParamType[tuple[float, ...]]):
    """Numbers with commas between them, as many as `name` has."""

    words = ""  # for them, with an example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        try:
            numbers = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            numbers = ()
        if len(numbers) != len(self.name.split(",")):
            self.fail(f"{value!r} is not {self.words}.", param, ctx)
        return numbers


class Pair(Numbers):
    """Two numbers of at most `most`."""

    name, words = "X,Y", "two numbers such as 0.25,-0.1"

    def __init__(self, most: float = 1e6) -> None:
        self.most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        numbers = super().convert(value, param, ctx)
        if not all(abs(number) <= self.most for number in numbers):
            self.fail(f"{value!r} is out of range.", param, ctx)
        return numbers


class Segment(Numbers):
    """Two points in picture widths."""

    name, words = "X0,Y0,X1,Y1", "two points such as 0.5,0.25,0.5,0.75"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        x0, y0, x1, y1 = numbers = super().convert(value, param, ctx)
        if not all(0 <= number <= 1 for number in numbers):
            self.fail(f"{value!r} leaves the picture, from 0,0 (left upper corner) to 1,1 (right lower).", param, ctx)
        if math.hypot(x1 - x0, y1 - y0) < 0.05:
            self.fail(f"{value!r} is too short: let it be 0.05 picture widths at least.", param, ctx)
        return numbers


class Seeds(click.ParamType[tuple[int, ...]]):
    """Numbers and ranges: 0-5,9."""

    name = "SEEDS"
    what, example, largest = "seeds", "0-5,9", LARGEST_SEED

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        seeds: list[int] = []
        for part in str(value).split(","):
            found = re.fullmatch(r"([0-9]{1,20})(?:-([0-9]{1,20}))?", part.strip())
            if not found:
                self.fail(f"{value!r} is not a list of {self.what} such as {self.example}.", param, ctx)
            first, last = int(found[1]), int(found[2] or found[1])
            if last - first >= SEEDS_LIMIT or last < first:
                self.fail(f"{part!r} is not a range of at most {SEEDS_LIMIT} {self.what}, smaller first.", param, ctx)
            if last > self.largest:
                self.fail(f"{last} is too large: {self.what} run from 0 to {self.largest}.", param, ctx)
            seeds.extend(range(first, last + 1))
            if len(seeds) > SEEDS_LIMIT:
                self.fail(f"these are more than {SEEDS_LIMIT} {self.what}: give fewer.", param, ctx)
        return tuple(dict.fromkeys(seeds))


class PanelTitle(click.ParamType[str]):
    """The title of one of the window's panels, in upper or lower case."""

    name = "PANEL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from viz.panels import PANELS  # here: --help is not to wait for the window's library

        titles = {panel.TITLE.lower(): panel.TITLE for panel in PANELS}
        if str(value).lower() not in titles:
            self.fail(f"{value!r} is no panel: choose one of {', '.join(titles.values())}.", param, ctx)
        return titles[str(value).lower()]
