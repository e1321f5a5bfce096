# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py video`: a grid that walks through seeds, or what a state shows as it moves."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gan.cli.command import Command
from gan.cli.network_options import FiniteRange
from gan.cli.path_types import ModelName
from viz.cli.label_options import choose_label, class_option, label_option
from viz.cli.models import read_model, user_errors
from viz.cli.parameter_types import MODEL_HELP, SEED, Seeds, device_option, trunc_option
from viz.cli.sheet import Grid, GridSize
from viz.cli.videos.writing import FrameSize, check_video, video_options, write_with_progress
from viz.core.request import PictureRequest
from viz.core.state import SLOTS
from viz.core.timeline_state import Timeline
from viz.record.video.formats import VideoError, VideoOptions

if TYPE_CHECKING:  # it brings torch, which --help does without
    from viz.core.state import AppState
    from viz.record.video.moving import FrameSource

MOST_CELLS = 256
SEED_FPS, STATE_FPS = 60.0, 30.0
OF_STATES = ("seconds", "slot")
OF_SEEDS = ("seeds", "shuffle_seed", "grid", "num_keyframes", "w_frames", "trunc", "class_", "vector")


@click.command(cls=Command)
@click.option(
    "--model",
    "--network",
    "model",
    type=ModelName(),
    is_eager=True,
    metavar="MODEL",
    help=f"{MODEL_HELP}: walk through its seeds.",
)
@click.option("--seeds", type=Seeds(), help="The seeds that are passed, such as 0-31: each cell takes its share.")
@click.option("--shuffle-seed", type=SEED, metavar="N", help="Shuffle them, by this seed.")
@click.option("--grid", type=GridSize(), default="1x1", show_default=True, help="Columns and rows of pictures.")
@click.option(
    "--num-keyframes", type=click.IntRange(1, 10_000), metavar="N", help="Seeds a cell passes; repeated if need be."
)
@click.option(
    "--w-frames",
    type=click.IntRange(1, 100_000),
    default=120,
    show_default=True,
    metavar="N",
    help="Frames from one seed to the next.",
)
@trunc_option
@class_option
@label_option
@click.option(
    "--state",
    metavar="SOURCE",
    help="In place of a model: a state file, a captured PNG or a copied state, as it moves, or its timeline.",
)
@click.option(
    "--seconds", type=FiniteRange(0.01, 3600), metavar="S", help="With --state: of its animations, not its timeline."
)
@click.option("--slot", type=click.Choice(["left", "right", "both"]), help="With --state: whose pictures (both).")
@click.option("--size", type=FrameSize(), help="Of the frames, such as 1280x720; the models' own if it is left out.")
@device_option
@video_options
@click.pass_context
def video(
    ctx: click.Context,
    model: str | None,
    seeds: tuple[int, ...] | None,
    shuffle_seed: int | None,
    grid: Grid,
    num_keyframes: int | None,
    w_frames: int,
    trunc: float,
    class_: str | None,
    vector: tuple[float, ...] | None,
    state: str | None,
    seconds: float | None,
    slot: str | None,
    size: tuple[int, int] | None,
    device: str,
    out: Path,
    kind: str | None,
    fps: float | None,
    quality: int,
    overwrite: bool,
) -> None:
    """Write a video without a window: a walk through seeds, or a state as it moves.

    Each cell of the grid passes its seeds on a smooth closed curve: seeds / cells x w-frames frames, and after the last
    one comes the first.

    \b
    Examples:
      python visualizer.py video --model t --seeds 0-31 --grid 4x2 --w-frames 60 --out walk.mp4
      python visualizer.py video --model t --seeds 0-3 --size 512x512 --fps 25 --out walk.gif
      python visualizer.py video --model b --seeds 0-7 --trunc 0.7 --out frames           a folder of PNGs
      python visualizer.py video --state state.json --seconds 6 --slot both --out moving.webm
      python visualizer.py video --state state.json --out timeline.mp4                    its timeline
    """
    _check_choice(ctx, model, state)
    usual = SEED_FPS if state is None else STATE_FPS
    options = check_video(out, kind, fps, quality, overwrite=overwrite, usual_fps=usual)
    try:
        if state is not None:
            own = None if _is_default(ctx, "device") else device
            with _read_state(state, own) as shown:
                frames = _move(shown, slot, seconds, size, options)
                write_with_progress(out, frames, options)
            return
        dealing = grid, num_keyframes, shuffle_seed
        frames = _walk(model or "", seeds, dealing, w_frames, size, trunc, (class_, vector), device)
    except VideoError as problem:
        raise click.UsageError(str(problem)) from None
    write_with_progress(out, frames, options)


def _is_default(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) in (None, click.core.ParameterSource.DEFAULT)


def _check_choice(ctx: click.Context, model: str | None, state: str | None) -> None:
    """Raise click.UsageError unless either a model or a state is given, with the options that belong to it."""
    if (model is None) == (state is None):
        raise click.UsageError("Give --model, whose seeds are walked through, or --state, which moves by itself.")
    names = OF_STATES if state is None else OF_SEEDS
    options = {parameter.name: parameter.opts[0] for parameter in ctx.command.params}
    given = [options[name] for name in names if not _is_default(ctx, name)]
    if given:
        raise click.UsageError(f"{given[0]} goes with {'--state' if state is None else '--model'}: leave it out here.")


def _walk(
    model: str,
    seeds: tuple[int, ...] | None,
    dealing: tuple[Grid, int | None, int | None],
    w_frames: int,
    size: tuple[int, int] | None,
    trunc: float,
    named: tuple[str | None, tuple[float, ...] | None],
    device: str,
) -> FrameSource:
    """Return the frames of a walk; `dealing` is grid, keyframes and shuffling, `named` class and label.

    Raises VideoError and click's errors.
    """
    grid, num_keyframes, shuffle_seed = dealing
    if seeds is None:
        raise click.UsageError("Give the seeds to walk through, such as --seeds 0-7.")
    cells = grid[0] * grid[1]
    if cells > MOST_CELLS:
        raise click.UsageError(f"--grid {grid[0]}x{grid[1]} has {cells} cells, and {MOST_CELLS} are the most.")
    with user_errors():
        path, header = read_model(model)
        from viz.record.video.moving import count_frames
        from viz.record.video.seed_walk import SeedWalk, deal_seeds

        dealt = deal_seeds(seeds, cells, num_keyframes, shuffle_seed)
        count_frames(dealt.shape[1] * w_frames, 1)
        if dealt.shape[1] == 1:
            click.echo(f"Nothing moves: each cell has one seed alone. Give {2 * cells} seeds or more for a walk.")
        label = choose_label(path.name, header, *named)
        if label.remark:
            click.echo(label.remark)
        request = PictureRequest(model=str(path), psi=trunc, device=device, **label.as_request())
        return SeedWalk(request, dealt, grid, w_frames, size)


def _move(
    state: AppState, slot: str | None, seconds: float | None, size: tuple[int, int] | None, options: VideoOptions
) -> FrameSource:
    """Return the frames of a state as it moves. Raises VideoError and click's errors."""
    from viz.core.gestures import is_animating
    from viz.record.video.export import list_slots
    from viz.record.video.moving import MovingPictures

    if seconds is None and not state.timeline.tracks:
        raise click.UsageError("This state has no timeline: say by --seconds for how long its animations play.")
    if seconds is not None and not is_animating(state):
        click.echo("No animation plays in this state: all frames are the same.")
    there = [name for name in SLOTS if state.slot(name).path]
    state.export.shows, state.export.slots = "on screen", slot or (there[0] if len(there) == 1 else "both")
    with user_errors():
        return MovingPictures(state, list_slots(state), options.fps, seconds, size)


@contextlib.contextmanager
def _read_state(source: str, device: str | None) -> Iterator[AppState]:
    """Yield the state in a file, a PNG or a text, with its models found; click.ClickException without them."""
    from viz.cli.render_state import choose_device, list_own_models
    from viz.record.png_text import RecordError
    from viz.record.record import locate
    from viz.record.sources import name_source, read_source

    with tempfile.TemporaryDirectory(prefix="jinc-") as folder:
        try:
            record = choose_device(read_source(source), device)
            located = locate(record, list_own_models(), Path(folder))
        except RecordError as problem:
            raise click.ClickException(str(problem)) from None
        if sentence := located.explain(name_source(source), list(record.models)):
            raise click.ClickException(sentence)
        located.state.timeline = _read_timeline(source)
        yield located.state


def _read_timeline(source: str) -> Timeline:
    """Return the timeline of a window's state file; an empty one for other sources, which hold one moment."""
    from viz.core import state as states

    path = Path(os.path.expanduser(source))
    try:
        return states.load(path).timeline if path.suffix.lower() == ".json" else Timeline()
    except states.StateError:
        return Timeline()
