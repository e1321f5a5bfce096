# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py sticking`: texture sticking of two models as a figure [P fig. 1], its parts, and in numbers."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan.cli.network_options import Finite
from gan.files.atomic_write import atomic_write
from gan.hub.resolve import missing, recorded, resolve
from gan.networks.config import ConfigError, GeneratorConfig
from viz.reports import schedule_figure
from viz.reports.network_text import plain, rung_title

if TYPE_CHECKING:
    from viz.reports.sticking_study import Findings, Segment, Settings

SIDES = ("left", "right")
DEFINITIONS = {
    "stickiness": "share of the energy of fine detail (1/8 cycle a pixel and more) that stays where it is on the "
    "screen while the input moves the content by `distance` of the model's own pixels; `follows` moves with it, "
    "`boils` does neither; standard errors over latents (gan.analysis.stickiness has the formula)",
    "kept": "share of fine detail (a picture less its blur of 2 pixels) that the neighbours have in common, at the "
    "same place",
    "streaks": "share of a slice's fine detail that stays at its place in time, from pairs of columns at least an "
    "eighth of the slice apart; walk: the latent goes round its neighbourhood; glide: the content moves along the "
    "segment and back by 1/8 picture width; content that does not move draws streaks, too, so that two models compare "
    "only where their contents move alike",
    "radius": "neighbours are (z + radius n) / sqrt(1 + radius^2), n normal random numbers: an angle of about "
    "atan(radius) in a model of any z_dim",
    "sizes": "lengths and the segment are in picture widths, fine detail and distances in each model's own pixels",
}


class SegmentType(click.ParamType["Segment"]):
    """X0,Y0,X1,Y1 in picture widths."""

    name = "X0,Y0,X1,Y1"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Segment:
        if isinstance(value, tuple):
            return value
        try:
            x0, y0, x1, y1 = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not two points such as 0.5,0.25,0.5,0.75.", param, ctx)
        if not all(0 <= part <= 1 for part in (x0, y0, x1, y1)):
            self.fail(f"{value!r} leaves the picture, from 0,0 (left upper corner) to 1,1 (right lower).", param, ctx)
        if math.hypot(x1 - x0, y1 - y0) < 0.05:
            self.fail(f"{value!r} is too short: let it be 0.05 picture widths at least.", param, ctx)
        return x0, y0, x1, y1


@dataclass(frozen=True)
class Model:
    """One side of the comparison, as its checkpoint's header tells."""

    side: str
    given: str
    path: Path
    config: GeneratorConfig
    kimg: float | None

    @property
    def name(self) -> str:
        return plain(self.path.stem)

    @property
    def title(self) -> str:
        return f"{rung_title(self.config)}, {self.config.resolution}x{self.config.resolution}"


@click.command()
@click.option(
    "--left",
    default="b",
    show_default=True,
    metavar="MODEL",
    help="A checkpoint, a run folder, an http(s) address, or a bundled model's name (b, t, ...).",
)
@click.option("--right", default="t", show_default=True, metavar="MODEL", help="What it is compared with.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder for figure.png, its parts and sticking.json.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=24,
    show_default=True,
    help="Of the latent in the middle, of its neighbours, and of what stickiness is measured on.",
)
@click.option("--num", type=click.IntRange(2, 10**6), default=256, show_default=True, help="Neighbours to average.")
@click.option(
    "--radius",
    type=Finite(0, 100),
    default=0.4,
    show_default=True,
    help="Of the neighbourhood: random numbers added to z's own, whose deviation is 1.",
)
@click.option("--frames", type=click.IntRange(16, 4096), default=240, show_default=True, help="Columns of a slice.")
@click.option(
    "--segment",
    "line",
    type=SegmentType(),
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
@click.option(
    "--trunc", type=Finite(-10, 10), default=1.0, metavar="PSI", show_default=True, help="Truncation psi; 1 is none."
)
@click.option("--class", "label", type=click.IntRange(0), help="Class label, for models with labels.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, mps.")
def sticking(left: str, right: str, out: Path, label: int | None, **options: Any) -> None:
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
      python visualizer.py sticking --num 2 --frames 16 --latents 4 --out quick      a first look
    """
    with _one_sentence():
        models = [_model(side, given) for side, given in zip(SIDES, (left, right), strict=True)]
        for model in models:
            _check_label(model, label)
        _check_folder(out)
        with schedule_figure.drawing():  # that there is no matplotlib is said now, not after minutes
            pass
        from viz.render.renderer import devices
        from viz.reports.sticking_study import Settings

        if options["device"] not in (*devices(), "cuda" if "cuda:0" in devices() else "cpu"):
            raise click.ClickException(
                f"There is no device {plain(options['device'])} on this machine: choose one of {', '.join(devices())}."
            )
        settings = Settings(label=label or 0, segment=options.pop("line"), **options)
        found = _study_all(models, settings)
        click.echo("\n".join(_table(models, found)))
        files = _files(models, settings, found)
    try:
        _write(out, files)
    except OSError as problem:
        raise click.ClickException(f"{out} cannot be written: {problem.strerror or problem}.") from None
    click.echo(f"Wrote {', '.join(files)} to {out}.")


@contextmanager
def _one_sentence() -> Iterator[None]:
    """What a user can cause ends in one sentence."""
    from gan.checkpoints.checkpoint import CheckpointError  # here, so that `--help` does not wait for torch

    try:
        yield
    except (CheckpointError, ConfigError, schedule_figure.PlotError) as problem:
        raise click.ClickException(str(problem)) from None
    except (MemoryError, RuntimeError) as problem:
        if isinstance(problem, RuntimeError) and "memory" not in str(problem):
            raise
        raise click.ClickException(
            "There is not enough memory for this: close other programs or choose a smaller model."
        ) from None


def _model(side: str, given: str) -> Model:
    from gan.checkpoints.checkpoint import read_header

    path = Path(resolve(given))
    if not os.path.isfile(path):  # Path.is_file raises for a name too long to be one
        raise click.ClickException(missing(path))
    try:
        header = read_header(path)
    except OSError as problem:
        raise click.ClickException(f"{plain(path.name)} cannot be read: {problem.strerror or problem}.") from None
    kimg = header.facts.get("kimg")
    return Model(side, given, path, header.config, float(kimg) if isinstance(kimg, int | float) else None)


def _check_label(model: Model, label: int | None) -> None:
    labels = model.config.c_dim
    if label is not None and not labels:
        raise click.ClickException(f"{model.name} was trained without labels: leave out --class.")
    if label is not None and label >= labels:
        raise click.ClickException(f"{model.name} has labels 0 to {labels - 1}: choose one of them for --class.")


def _check_folder(out: Path) -> None:
    """A place that cannot be written is said now, not after minutes."""
    try:
        with contextlib.suppress(FileNotFoundError):
            os.stat(out)  # a name that is too long, say
        existing = next(folder for folder in (out, *out.absolute().parents) if os.path.exists(folder))
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as problem:
        raise click.ClickException(f"{out} cannot be written: {problem.strerror or problem}.") from None


def _study_all(models: list[Model], settings: Settings) -> list[Findings]:
    from cuda_ops import status
    from viz.reports.sticking_study import study

    status(settings.device)  # finds the CPU kernels, and says so: not on the line of the progress bar
    steps = sum(settings.steps(model.config.resolution, model.config.movable) for model in models)
    with click.progressbar(length=steps, label="Drawing", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        return [study(str(model.path), settings, bar.update) for model in models]


def _table(models: list[Model], found: list[Findings]) -> list[str]:
    width = max(len(model.name) for model in models)
    lines = []
    for model, findings in zip(models, found, strict=True):
        if findings.shares is None:
            text = "no Fourier input (rung B on): its content cannot be moved, so there is no stickiness to measure"
        else:
            parts = (f"{percent(s.stays)} ± {percent(s.stays_error)} % at {s.distance} px" for s in findings.shares)
            text = "stickiness " + ", ".join(parts)
        lines.append(f"{model.side:5}  {model.name:{width}}  {text}")
    return lines


def percent(share: float) -> str:
    """A share to a tenth of a percent, without a sign on what is nothing; of an unknown one a question mark."""
    if not math.isfinite(share):
        return "?"
    return f"{round(100 * share, 1) + 0.0:.1f}".replace("-", "−")


def _files(models: list[Model], settings: Settings, found: list[Findings]) -> dict[str, bytes]:
    """Everything that is written, by name."""
    from viz.reports.sticking_figure import draw

    files = {"figure.png": draw(models, settings, found)}
    document: dict[str, Any] = {"schema": 1, "settings": asdict(settings), "definitions": DEFINITIONS}
    for model, findings in zip(models, found, strict=True):
        parts = {"centre": findings.centre, "mean": findings.mean, "walk": findings.walk, "glide": findings.glide}
        names = {part: f"{model.side}-{part}.png" for part, pixels in parts.items() if pixels is not None}
        files |= {name: _png(parts[part]) for part, name in names.items()}
        document[model.side] = {
            "model": recorded(model.given, model.path),
            "name": model.name,
            "rung": model.config.rung,
            "resolution": model.config.resolution,
            "z_dim": model.config.z_dim,
            "kimg": model.kimg,
            "stickiness": None if findings.shares is None else [_json(asdict(shares)) for shares in findings.shares],
            **_json({"kept": findings.kept}),
            "streaks": _json({"walk": findings.walk_streaks, "glide": findings.glide_streaks}),
            "files": names,
        }
    files["sticking.json"] = (json.dumps(document, indent=2) + "\n").encode()
    return files


def _json(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """What is unknown is no JSON number."""
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}


def _png(pixels: Any) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """All of them or, if anything goes wrong before the last one is written, none."""
    new = not os.path.isdir(folder)
    try:
        with ExitStack() as stack:
            for name, content in files.items():
                stack.enter_context(atomic_write(folder / name)).write_bytes(content)
    except BaseException:
        if new and os.path.isdir(folder) and not os.listdir(folder):
            folder.rmdir()
        raise
