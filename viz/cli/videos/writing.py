# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Options of a video's file, which commands share, and writing it with a progress bar."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan.cli.network_options import FiniteRange
from gan.cli.path_types import overwrite_option, refuse_existing
from gan.files.errors import sanitize_text
from viz.cli.models import user_errors
from viz.cli.output import check_writable, explain_unwritable, progress_bar
from viz.cli.parameter_types import PATH
from viz.record.video.formats import (
    FORMATS,
    LARGEST_SIDE,
    LEAST_FPS,
    MOST_FPS,
    VideoError,
    VideoFormat,
    VideoOptions,
    check_options,
    choose_format,
    describe_video,
)

if TYPE_CHECKING:  # it brings torch, which --help does without
    from viz.record.video.moving import FrameSource

SMALLEST_SIDE = 16


class FrameSize(click.ParamType[tuple[int, int]]):
    """WIDTHxHEIGHT of frames."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        found = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", str(value))
        if not found:
            self.fail(f"{value!r} is not a size such as 1280x720.", param, ctx)
        width, height = int(found[1]), int(found[2])
        if not (SMALLEST_SIDE <= min(width, height) and max(width, height) <= LARGEST_SIDE):
            self.fail(f"{value} is not a size of {SMALLEST_SIDE} to {LARGEST_SIDE} pixels a side.", param, ctx)
        return width, height


_OPTIONS = (
    click.option(
        "--out",
        "--output",
        "out",
        type=PATH,
        required=True,
        metavar="FILE",
        help="An .mp4, .webm, .webp or .gif; a name without an ending is a folder of PNGs.",
    ),
    click.option(
        "--format",
        "kind",
        type=click.Choice([one.key for one in FORMATS], case_sensitive=False),
        help="h264 for .mp4, vp9 for .webm and so on, unless this says otherwise.",
    ),
    click.option(
        "--fps",
        type=FiniteRange(LEAST_FPS, MOST_FPS),
        metavar="N",
        help="Frames a second: 60 of a walk, 30 else, 50 of a GIF at most.",
    ),
    click.option(
        "--quality",
        type=click.IntRange(1, 100),
        default=80,
        show_default=True,
        help="From 1, the smallest file, to 100; GIFs and PNGs have but one.",
    ),
    overwrite_option,
)


def video_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a video's file: out, kind, fps, quality, overwrite."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_video(
    out: Path, kind: str | None, fps: float | None, quality: int, *, overwrite: bool, usual_fps: float
) -> VideoOptions:
    """Return the options of a file to write; `usual_fps`, or what the format can hold, if no `fps` are given.

    Raises click.UsageError or ClickException, before anything is drawn.
    """
    try:
        chosen = choose_format(out, (kind or "").lower())
        _refuse_existing(out, chosen, overwrite)
        options = VideoOptions(chosen, min(usual_fps, chosen.most_fps) if fps is None else fps, quality)
        check_options(options)
    except VideoError as problem:
        raise click.UsageError(str(problem)) from None
    if chosen.suffixes:
        check_writable(out)
    else:
        check_writable(out / "frame.png")
    return options


def _refuse_existing(out: Path, chosen: VideoFormat, overwrite: bool) -> None:
    if chosen.suffixes:
        refuse_existing(out, overwrite)
        return
    shown = sanitize_text(out)
    if out.exists() and not out.is_dir():
        raise VideoError(f"--out {shown} is a file, and a PNG sequence a folder: give another name.")
    if not out.is_dir():
        return
    from viz.record.video.animations import holds_other_files

    with explain_unwritable(out):
        if holds_other_files(out):
            raise VideoError(f"--out {shown} holds other files than frames: give the name of a new folder.")
        if any(out.iterdir()) and not overwrite:
            raise VideoError(f"--out {shown} is there already: give another name, or --overwrite to replace it.")


def write_with_progress(out: Path, frames: FrameSource, options: VideoOptions) -> None:
    """Write a video and say what was written; Ctrl-C ends it in a sentence and leaves nothing behind."""
    from viz.record.video.moving import write_video

    with user_errors("close other programs, or give a smaller --size"):
        try:
            with progress_bar(frames.count, "Drawing") as bar:
                done = 0
                for count in write_video(out, frames, options):
                    bar.update(count - done)
                    done = count
        except VideoError as problem:
            raise click.ClickException(str(problem)) from None
        except KeyboardInterrupt:
            raise click.ClickException(f"Stopped: {sanitize_text(out)} was not written.") from None
    is_padded = options.format.is_even and any(side % 2 for side in frames.size)
    note = f" {options.format.title} has even sides, so the last pixels are there twice." if is_padded else ""
    click.echo(f"Wrote {out} ({describe_video(out, frames.size, frames.count, options)}).{note}")
