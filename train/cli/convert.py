# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python train.py dataset convert`: make a data set of any pictures."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from gan.cli.command import Command
from gan.cli.path_types import DataPath, UserPath, overwrite_option, refuse_existing
from train.errors import report_errors
from train.progress import show_progress

EXAMPLES = """\b
A folder of photos of any size and kind, the centre of each:
    python train.py dataset convert ~/photos --out photos-256.zip --size 256
A class for each of its folders, whole pictures between white bars:
    python train.py dataset convert birds --out birds.zip --size 128 --crop pad --background white --labels folders
Cars, wider than high, with labels from a table:
    python train.py dataset convert cars.tar --out cars.zip --size 512x384 --crop wide --labels makes.csv
Sprites with their transparency:
    python train.py dataset convert sprites --out sprites.zip --size 64 --channels 4
"""


class SquareSize(click.ParamType[tuple[int, int]]):
    """The width of the square pictures, or WIDTHxHEIGHT for --crop wide."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        found = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", str(value))
        width = int(found[1]) if found else 0
        height = int(found[2]) if found and found[2] else 0  # 0: not given
        if width not in (16, 32, 64, 128, 256, 512, 1024) or height > width:
            self.fail(f"{value!r} is not a power of two from 16 to 1024, such as 256, or 512x384.", param, ctx)
        return width, height


class CropName(click.Choice[str]):
    """A way to make a picture square, by our name or the official tool's."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        official = {"center-crop": "center", "center-crop-wide": "wide"}
        return super().convert(official.get(value, value), param, ctx)


class ColorName(click.ParamType[tuple[int, int, int]]):
    """A colour as CSS writes it."""

    name = "COLOUR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int, int]:
        from PIL import ImageColor

        try:
            red, green, blue = ImageColor.getrgb(str(value))[:3]
        except ValueError:
            self.fail(f"{value!r} is not a colour such as white or #8090a0.", param, ctx)
        return red, green, blue


def _count_cpus() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _explain_interrupt() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise click.ClickException("Stopped; the same command goes on where it was.") from None


@click.command(cls=Command, epilog=EXAMPLES)
@click.argument("source", metavar="SRC", type=UserPath(), required=False)
@click.option("--source", "source_option", metavar="SRC", type=UserPath(), help="The same as SRC.")
@click.option("--out", "--dest", "out", metavar="FILE.zip", type=UserPath(), required=True, help="The zip to write.")
@click.option(
    "--size",
    "--resolution",
    "size",
    type=SquareSize(),
    required=True,
    help="Width of the pictures; 512x384 goes with --crop wide.",
)
@click.option(
    "--crop",
    "--transform",
    "crop",
    type=CropName(["center", "wide", "pad", "stretch"]),
    default="center",
    show_default=True,
    help="The largest centred square; a wide part of it between bars (4:3 unless --size says otherwise); all of it "
    "between bars; or all of it, distorted.",
)
@click.option("--background", type=ColorName(), help="Colour under transparency and of bars (white; bars: black).")
@click.option(
    "--channels", type=click.Choice(["1", "3", "4"]), default="3", show_default=True, help="Grey, RGB, RGB and alpha."
)
@click.option(
    "--labels",
    type=DataPath("folders"),
    metavar="folders|FILE",
    help="A class for each folder, a .csv of file and class, or a dataset.json.",
)
@click.option(
    "--max",
    "--max-images",
    "max_num",
    type=click.IntRange(1),
    help="Only the first so many, in the order of their names.",
)
@click.option("--workers", type=click.IntRange(1, 256), help="Processes (as many as there are CPUs).")
@click.option(
    "--min-size", type=click.IntRange(1), default=1, help="Leave out pictures with a side below this (pixels)."
)
@click.option("--drop-duplicates", is_flag=True, help="Leave out pictures that are the same as an earlier one.")
@overwrite_option
def convert(
    source: Path | None,
    source_option: Path | None,
    out: Path,
    size: tuple[int, int],
    crop: str,
    background: tuple[int, int, int] | None,
    channels: str,
    labels: str | None,
    max_num: int | None,
    workers: int | None,
    min_size: int,
    drop_duplicates: bool,
    overwrite: bool,
) -> None:
    """Make a data set of the pictures in SRC: a folder, a zip, a tar, or a text file that lists them.

    Everything that Pillow reads is taken, of any size: turned upright, converted to sRGB in 8 bits, cropped, and
    resized with Lanczos' filter. SRC stays as it is. What cannot be read is left out, and listed with everything else
    in FILE.zip.report.csv. Stopped with Ctrl-C, the same command goes on where it was.
    """
    given = [path for path in (source, source_option) if path is not None]
    if len(given) != 1:
        raise click.UsageError("Give SRC, the folder, zip, tar or list to convert, once.")
    source = given[0]
    wide = crop == "wide"
    if size[1] not in (0, size[0]) and not wide:
        raise click.UsageError(f"--size {size[0]}x{size[1]} goes with --crop wide; data sets are square: {size[0]}.")
    if out.suffix.lower() != ".zip":
        raise click.UsageError(f"--out must be the name of a zip, such as {out.stem or 'set'}.zip.")
    refuse_existing(out, overwrite)
    refuse_existing(out.with_name(f"{out.name}.report.csv"), overwrite, "The report")
    from train.datasets.convert import convert_dataset
    from train.datasets.transform import Transform

    height = (size[1] or round(size[0] * 3 / 4)) if wide else 0
    transform = Transform(size[0], crop, height, int(channels), background, min_size)
    with (
        report_errors("The conversion ran out of memory: give fewer --workers; the same command goes on where it was"),
        _explain_interrupt(),
        show_progress(f"Converting {source} into {out}", "Converted") as progress,
    ):
        report = convert_dataset(
            source,
            out,
            transform,
            labels=labels,
            max_num=max_num,
            drop_duplicates=drop_duplicates,
            workers=workers or _count_cpus(),
            progress=progress,
        )
    click.echo(f"Wrote {out}: {report.describe()}")
    click.echo(f"What became of each picture is in {out.name}.report.csv.")
    labelled = " --cond=1" if report.labelled else ""
    click.echo(f"Train with: python train.py --cfg=T --data={shlex.quote(str(out))}{labelled}")
