# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The viewer's command line: `view` when no command is named."""

import logging
import os
from typing import Any

import click

from gan.cli.group import HELP_OPTIONS, Entry, LazyGroup
from gan.files.numbered import split_age
from viz import invocation

COMMANDS = (
    Entry("view", "viz.cli.view:view", "Open the window (the default)."),
    Entry("render", "viz.cli.render:render", "Write a picture, or one a seed, without a window."),
    Entry("mix", "viz.cli.mix:mix", "Draw a grid of seeds that take the styles of some layers from others."),
    Entry(
        "directions",
        "viz.cli.directions:directions",
        "Find directions of w that change a model's pictures, write them to a file, and draw what each one changes.",
    ),
    Entry("inspect", "viz.cli.inspect:inspect", "Print what is inside a network: layers, filters, parameters."),
    Entry("convert", "viz.cli.convert:convert", "Write the generator in IN as a .safetensors file."),
    Entry("spectra", "viz.cli.spectra:spectra", "Draw average power spectra of what models draw."),
    Entry("curves", "viz.cli.figures.curves:curves", "Draw the losses and the R1 penalty of training runs."),
    Entry("sticking", "viz.cli.sticking:sticking", "Show how much of two models' detail sticks to the screen."),
    Entry("osc", "viz.cli.osc:osc", "List the OSC addresses that move the window's settings, or send one a value."),
    Entry(
        "video",
        "viz.cli.videos.video:video",
        "Write a video without a window: a walk through seeds, or a state as it moves.",
    ),
    Entry(
        "film",
        "viz.cli.videos.film:film",
        "Film two models under one motion, to show what sticks to the screen and what follows.",
    ),
    Entry("models", "viz.cli.model_list:models", "List the models that can be opened by name."),
    Entry("doctor", "viz.cli.doctor:doctor", "Say what keeps Jinc from running here, and how to fix it."),
)


ELSEWHERE = {
    "gen_images": "There is no gen_images here: `render` takes the same options.",
    "style_mixing": "There is no style_mixing here: `mix` takes the same options, and writes one grid.",
    "gen_video": "There is no gen_video here: `video` takes the same options.",
    "avg_spectra": "There is no avg_spectra here: `spectra` averages and draws at once.",
    "calc_metrics": "Models are measured by the trainer: `python train.py metrics --model MODEL`.",
    "metrics": "Models are measured by the trainer: `python train.py metrics --model MODEL`.",
}
# Of models and captures: what is missing is then named as a file, not as a command.
WINDOW_SUFFIXES = (".pkl", ".safetensors", ".pt", ".pth", ".ckpt", ".zip", ".png")
OUR_PACKAGES = ("assets", "cuda_ops", "gan", "viz")


class ViewerGroup(LazyGroup):
    """The viewer's commands; a package of others that is found missing only when one runs is one sentence."""

    def is_for_default(self, first: str) -> bool:
        """Return True for options and for models, as the official window is given them."""
        if first in self.entries or super().is_for_default(first):
            return first not in self.entries
        path = os.path.expanduser(first)
        if first.endswith(WINDOW_SUFFIXES) or "/" in first or os.sep in first or os.path.exists(path):
            return True
        if os.path.isdir(split_age(path)[0]) or first.startswith("jinc") and ":" in first:
            return True
        from gan.hub.published import find_published
        from gan.hub.url import is_address  # here: a start waits for nothing that most of them do without
        from gan.networks.ladder import ALIASES, RUNGS

        if is_address(first) or find_published(first):
            return True
        return first.lower() in ALIASES or first.upper() in dict(RUNGS)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ImportError as problem:
            package = (problem.name or "").partition(".")[0]
            if package in OUR_PACKAGES:
                raise  # a mistake of ours, which no installation repairs
            if package == "matplotlib":
                raise click.ClickException("Figures need matplotlib: python -m pip install matplotlib") from None
            raise click.ClickException(invocation.describe_failed_start(problem)) from None


@click.group(cls=ViewerGroup, entries=COMMANDS, default="view", elsewhere=ELSEWHERE, context_settings=HELP_OPTIONS)
def main() -> None:
    """Look at alias-free generators.

    \b
    Examples:
      python visualizer.py                                   open the window
      python visualizer.py --left b --right my.safetensors   with these two models
      python visualizer.py render --model t --seed 7 --translate 0.25,0 --rotate 10 --out creature.png
      python visualizer.py mix --model t --rows 0-4 --cols 5-9 --out grid.png
                                                             style mixing: seeds that take layers from others
      python visualizer.py inspect --cfg T --size 256        layers, filters and parameters in numbers
      python visualizer.py inspect network-snapshot-025000.pkl
                                                             what any checkpoint is; code in it is never run
      python visualizer.py convert network-snapshot-025000.pkl --out cats.safetensors
      python visualizer.py spectra --model b --model t --out spectra.png
                                                             what they draw, frequency by frequency
      python visualizer.py sticking --left b --right t --out sticking
                                                             what sticks to the screen: the paper's figure 1
      python visualizer.py film --left b --right t --out film.mp4
                                                             the same as a film
      python visualizer.py video --model t --seeds 0-31 --grid 4x2 --out walk.mp4
                                                             a walk through seeds
      python visualizer.py render --model t --layer 5 --normalize --out maps.pdf
                                                             a layer's maps; also .png, .svg, .npz, .csv
      python visualizer.py curves training-runs/00003-cats-T-64 --out losses.svg
      python visualizer.py doctor                            what keeps it from running here, and how to fix it

    Without a command the options are those of `view`.
    """
    logging.basicConfig(format="%(message)s")
    logging.getLogger("cuda_ops").setLevel(logging.INFO)  # says once what runs the operators
