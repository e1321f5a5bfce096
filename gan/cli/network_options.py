# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Options of a command line for the paper's ablations (StyleGAN3, figures 3 and 5), by GeneratorConfig's fields."""

import math
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from gan.networks.config import FILTER_KINDS, MAX_OVERSAMPLING, MAX_TAPS


class FiniteRange(click.FloatRange):
    """A range of finite numbers: click lets nan and inf through."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


class ImageSize(click.ParamType[int]):
    """The width of a square picture in pixels; the configuration checks it."""

    name = "PIXELS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", str(value))
        if not found:
            self.fail(f"{value!r} is not a width in pixels such as 256.", param, ctx)
        width, height = int(found[1]), int(found[2] or found[1])
        if width != height:
            wider = max(width, height)
            self.fail(f"Generators are square: give {wider} instead of {value}.", param, ctx)
        return width


OPTIONS = {
    "filter_size": click.option(
        "--filter-size", type=click.IntRange(1, MAX_TAPS), help="n: taps a filter has for each factor (6; D: 2)."
    ),
    "filter_kind": click.option(
        "--filter-kind",
        type=click.Choice(FILTER_KINDS),
        help="Low-pass filters; binomial is StyleGAN2's [1,3,3,1] (kaiser; D: binomial).",
    ),
    "lrelu_upsampling": click.option(
        "--lrelu-upsampling",
        type=click.IntRange(1, MAX_OVERSAMPLING),
        help="m: oversampling around the nonlinearity (2; D, E: 1).",
    ),
    "first_stopband": click.option(
        "--first-stopband",
        type=FiniteRange(0, 512, min_open=True),
        help="f_t0 of T and R, in cycles an image width (2^2.1 = 4.287).",
    ),
    "num_layers": click.option(
        "--num-layers", type=click.IntRange(2, 64), help="N of T and R, without ToRGB (14; tiny at 32: 8)."
    ),
    "num_critical": click.option(
        "--num-critical",
        type=click.IntRange(0, 64),
        help="N_crit: critically sampled layers at the end (2; D to F: all).",
    ),
    "margin_size": click.option(
        "--margin-size", type=click.IntRange(0, 64), help="Pixels kept around the canvas of every layer (10; D: 0)."
    ),
    "learned_transform": click.option(
        "--learned-transform/--fixed-fourier",
        default=None,
        help="Whether w rotates and moves the Fourier input (fixed; H to R: learned).",
    ),
    "capacity": click.option(
        "--capacity",
        type=FiniteRange(0, 16, min_open=True),
        help="Multiplies channel base and maximum of the generator (1).",
    ),
}
OPTION_NAMES = tuple(OPTIONS)
Command = TypeVar("Command", bound=Callable[..., Any])


def network_options(command: Command) -> Command:
    """Give a click command these options: keyword arguments by OPTION_NAMES, None where nothing was given."""
    for option in reversed(OPTIONS.values()):
        command = option(command)
    return command
