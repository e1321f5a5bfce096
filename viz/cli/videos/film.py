# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py film`: two models under one motion, slices over time below, stickiness beside [P fig. 1]."""

from __future__ import annotations

from pathlib import Path

import click

from gan.cli.command import Command
from gan.cli.network_options import FiniteRange
from gan.devices import check_device
from viz.cli.models import find_model, user_errors
from viz.cli.parameter_types import SEED, Segment, compared_models, device_option, trunc_option
from viz.cli.videos.writing import check_video, video_options, write_with_progress
from viz.core.latent import seed_point
from viz.core.state import FIRST_SEED, AppState
from viz.record.video.formats import VideoError

FPS = 30.0
LEAST_HEIGHT = 360  # below, nobody reads its words


@click.command(cls=Command)
@compared_models
@click.option(
    "--motion",
    type=click.Choice(["circle", "x", "rotate", "walk"]),
    default="circle",
    show_default=True,
    help="What moves: the content on a circle, back and forth, or about the centre; or the latent.",
)
@click.option("--seconds", type=FiniteRange(0.1, 600), default=6.0, show_default=True, metavar="S", help="Its length.")
@click.option("--seed", type=SEED, default=int(FIRST_SEED), show_default=True, help="Of the latent.")
@trunc_option
@click.option("--segment", type=Segment(), help="The line of the slices, in picture widths; one that suits the motion.")
@click.option(
    "--latents",
    type=click.IntRange(1, 10_000),
    default=24,
    show_default=True,
    help="Latents that stickiness is measured on.",
)
@click.option(
    "--height",
    type=click.IntRange(LEAST_HEIGHT, 2160),
    default=720,
    show_default=True,
    metavar="PX",
    help=f"Of frames of 16:9; at {LEAST_HEIGHT} the words in it can just be read.",
)
@device_option
@video_options
def film(
    left: str,
    right: str,
    motion: str,
    seconds: float,
    seed: int,
    trunc: float,
    segment: tuple[float, float, float, float] | None,
    latents: int,
    height: int,
    device: str,
    out: Path,
    kind: str | None,
    fps: float | None,
    quality: int,
    overwrite: bool,
) -> None:
    """Film two models under one motion, to show what sticks to the screen and what follows.

    Below the pictures, one line of each grows frame by frame: what sticks draws straight streaks there. Beside them
    stands their stickiness, the share of fine detail that stays when the content moves by a pixel.

    \b
    Examples:
      python visualizer.py film --out film.mp4                                the bundled b and t
      python visualizer.py film --left b --right r --motion rotate --out turn.webm
      python visualizer.py film --left t --right my.safetensors --motion x --seconds 4 --fps 60 --out mine.mp4
      python visualizer.py film --motion walk --height 360 --fps 15 --out walk.gif
    """
    options = check_video(out, kind, fps, quality, overwrite=overwrite, usual_fps=FPS)
    state, point = AppState(), seed_point(seed)
    state.left.path, state.right.path = str(find_model(left)), str(find_model(right))
    state.latent.x, state.latent.y, state.latent.psi = point.x, point.y, trunc
    state.display.device = device
    with user_errors():
        check_device(device)
        from viz.record.video.film import Film

        try:
            frames = Film(state, motion, seconds, options.fps, height=height, latents=latents, segment=segment)
        except VideoError as problem:
            raise click.UsageError(str(problem)) from None
    write_with_progress(out, frames, options)
