# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py sticking`: compare two models' texture sticking in a figure [P fig. 1] and in numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan.cli.command import Command
from gan.cli.network_options import FiniteRange
from gan.cli.path_types import overwrite_option, refuse_existing_in
from gan.devices import check_device
from viz.cli.label_options import choose_label, class_option, label_option
from viz.cli.models import read_model, user_errors
from viz.cli.output import check_writable, explain_unwritable, progress_bar
from viz.cli.parameter_types import PATH, SEED, Segment, compared_models, device_option, trunc_option
from viz.core.state import FIRST_SEED, SLOTS

if TYPE_CHECKING:  # torch takes longer to load than all the rest: not for --help
    from viz.reports.sticking_study import Findings, Model, Settings


PARTS = ("centre", "mean", "walk", "glide")
ALSO = {"pdf": "figure.pdf", "svg": "figure.svg", "npz": "sticking.npz", "csv": "sticking.csv"}
FILES = ("figure.png", "sticking.json", *(f"{side}-{part}.png" for side in SLOTS for part in PARTS))


@click.command(cls=Command)
@compared_models
@click.option(
    "--out", required=True, type=PATH, metavar="DIR", help="The folder for figure.png, its parts and sticking.json."
)
@click.option(
    "--also",
    type=click.Choice([*ALSO]),
    multiple=True,
    help="Write the figure in this form, too, or the numbers in it: pictures and slices (npz), shares (csv).",
)
@click.option(
    "--seed",
    type=SEED,
    default=int(FIRST_SEED),
    show_default=True,
    help="Of the latent in the middle, of its neighbours, and of what stickiness is measured on.",
)
@click.option("--num", type=click.IntRange(2, 10**6), default=256, show_default=True, help="Neighbours to average.")
@click.option(
    "--radius",
    type=FiniteRange(0, 100),
    default=0.4,
    show_default=True,
    help="Of the neighbourhood: random numbers added to z's own, whose deviation is 1.",
)
@click.option("--frames", type=click.IntRange(16, 4096), default=240, show_default=True, help="Columns of a slice.")
@click.option(
    "--segment",
    "line",
    type=Segment(),
    default="0.6,0.2,0.6,0.8",
    show_default=True,
    help="What slices show, in picture widths from the left upper corner.",
)
@click.option(
    "--latents",
    type=click.IntRange(2, 10**6),
    default=48,
    show_default=True,
    help="Latents that stickiness is measured on.",
)
@trunc_option
@class_option
@label_option
@device_option
@overwrite_option
def sticking(
    left: str,
    right: str,
    out: Path,
    also: tuple[str, ...],
    class_: str | None,
    vector: tuple[float, ...] | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Show how much of two models' detail sticks to the screen: the paper's figure 1, with numbers.

    For each model: the picture of one latent; the mean of its neighbours' pictures, which is sharp where detail sticks;
    one segment of the picture, frame by frame side by side, while the latent walks round its neighbourhood, and while
    the content is moved along the segment. What sticks draws horizontal streaks there, what follows bends with the
    motion. And stickiness: the share of fine detail that stays where it was when the content moves by a pixel.

    \b
    Examples:
      python visualizer.py sticking --out sticking                       the bundled b and t
      python visualizer.py sticking --left b --right r --seed 7 --out b-and-r
      python visualizer.py sticking --left my.safetensors --right training-runs/00003-cats-T-64 --out mine
      python visualizer.py sticking --segment 0.2,0.5,0.8,0.5 --radius 0.6 --frames 480 --out sideways
      python visualizer.py sticking --also pdf --also npz --out paper    a figure for a paper, and its numbers
      python visualizer.py sticking --num 2 --frames 16 --latents 4 --out quick      a first look
    """
    others = list(dict.fromkeys(ALSO[kind] for kind in also))
    refuse_existing_in(out, (*FILES, *others), overwrite)
    with user_errors():
        given = [(name, *read_model(name)) for name in (left, right)]
        from viz.reports.sticking_report import build_files, describe_stickiness, write_files
        from viz.reports.sticking_study import Model, Settings

        labels = [choose_label(path.name, header, class_, vector) for _, path, header in given]
        for remark in dict.fromkeys(label.remark for label in labels if label.remark):
            click.echo(remark)
        models = [
            Model.from_header(side, *one, label=label.label)
            for side, one, label in zip(SLOTS, given, labels, strict=True)
        ]
        check_writable(out / "figure.png")
        import matplotlib.figure  # noqa: F401  if it is missing, now and not after minutes

        check_device(options["device"])
        settings = Settings(segment=options.pop("line"), **options)
        found = _study_all(models, settings)
        click.echo("\n".join(describe_stickiness(models, found)))
        files = build_files(models, settings, found, others)
    with explain_unwritable(out):
        write_files(out, files)
    click.echo(f"Wrote {', '.join(files)} to {out}.")


def _study_all(models: list[Model], settings: Settings) -> list[Findings]:
    from cuda_ops import status
    from viz.reports.sticking_study import study

    status(settings.device)  # finds the CPU kernels, and says so: not on the line of the progress bar
    steps = sum(settings.steps(model.config.resolution, model.config.movable) for model in models)
    with progress_bar(steps, "Drawing") as bar:
        return [study(str(model.path), settings, bar.update, model.label) for model in models]
