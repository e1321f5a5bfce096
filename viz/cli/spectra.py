# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py spectra`: average power spectra of pictures, of models' and of a data set's, or of layers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan.analysis.bands import Band, find
from gan.cli.network_options import Finite
from gan.data.image_dataset import ImageError, open_images
from gan.hub.resolve import missing, resolve, short_name
from gan.networks.config import ConfigError
from viz.reports import schedule_figure, spectra_figure
from viz.reports.network_text import plain, table
from viz.reports.spectra_figure import Curve

if TYPE_CHECKING:  # torch takes longer to load than all the rest: not for --help
    from gan.analysis.power_spectrum import Average

KINDS = (".png", ".npz")
MOST_SAMPLES = 4176  # a side of a padded spectrum: more would not fit many machines, and is seen on none


@dataclass(frozen=True)
class Subject:
    """What a spectrum is taken of."""

    name: str
    band: Band | None  # None: a data set's pictures
    size: int
    rate: int
    num: int  # pictures
    averages: Callable[[], Iterator[Average]]


@contextmanager
def _one_sentence() -> Iterator[None]:
    """What a user can have caused, without a traceback."""
    try:
        yield
    except (ConfigError, ImageError, schedule_figure.PlotError) as problem:
        raise click.ClickException(str(problem)) from None
    except OSError as problem:
        raise click.ClickException(
            f"{problem.filename or 'A file'} cannot be read or written: {problem.strerror or problem}."
        ) from None
    except ValueError as problem:
        from gan.checkpoints.checkpoint import CheckpointError

        if not isinstance(problem, CheckpointError):
            raise
        raise click.ClickException(str(problem)) from None
    except (MemoryError, RuntimeError) as problem:
        text = str(problem)
        if not (isinstance(problem, MemoryError) or "DefaultCPUAllocator" in text or "out of memory" in text):
            raise
        raise click.ClickException("There is not enough memory for this: give a smaller --batch or --pad.") from None


@click.command(epilog=f"\b\nArrays of an .npz:\n{spectra_figure.ARRAYS.removeprefix(chr(8)).lstrip()}")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="MODEL",
    help="A snapshot, a run folder (its newest snapshot), an http(s) address, or a bundled model's name "
    "(b, t, ...); any number.",
)
@click.option(
    "--data", help="Folder or zip of pictures to compare with, as wide as the models'; all are whitened as it is."
)
@click.option("--num", type=click.IntRange(1, 10**7), default=200, show_default=True, help="Pictures of each.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The .png to draw, or the .npz to keep the arrays in.",
)
@click.option(
    "--layer", metavar="LAYER", help="Of this layer's maps instead, by number or name, or of the Fourier input (input)."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="The first picture's; the next have the next. It draws from the data set, too.",
)
@click.option(
    "--trunc", type=Finite(-10, 10), default=1.0, show_default=True, metavar="PSI", help="Truncation psi; 1 is none."
)
@click.option(
    "--beta",
    type=Finite(0, 50),
    default=8.0,
    show_default=True,
    help="Of the Kaiser window: more blurs the spectrum more and leaks less.",
)
@click.option(
    "--pad",
    type=click.IntRange(1, 64),
    help="Pad to so many times the width before transforming (4; small maps more, large ones less).",
)
@click.option("--batch", type=click.IntRange(1, 4096), help="Pictures at a time (16 up to 128x128, then fewer).")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, mps.")
def spectra(**options: Any) -> None:
    """Draw average power spectra of what models draw, beside a data set's.

    Pictures are whitened, seen through a Kaiser window and transformed; what is drawn is the mean of the squares over
    channels and pictures, in dB above white noise: heat maps with the layer's cutoff f_c, its stopband f_t and s/2, and
    slices along 0 and 45 degrees. Generated pictures are neither clamped nor rounded to 8 bits, as a data set's are.
    Ctrl-C ends the averaging and still draws what there is.

    \b
    Examples:
      python visualizer.py spectra --model b --model t --model r --out spectra.png
                                                             the bundled three, each whitened by itself
      python visualizer.py spectra --model t --data critters.zip --num 1000 --out spectra.png
                                                             does T draw what it was shown?
      python visualizer.py spectra --model t --model r --layer 4 --out layer.png
                                                             what a layer's filters leave beyond f_c
      python visualizer.py spectra --model my.safetensors --beta 4 --pad 8 --out spectra.npz
                                                             arrays to go on with; see below
    """
    with _one_sentence():
        _run(options)


def _run(options: dict[str, Any]) -> None:
    out: Path = options["out"]
    _check_options(options)
    subjects = _subjects(options)
    _check_padding(subjects, options["pad"])
    found, stopped = _measured(subjects)
    if not found:
        raise click.ClickException("Stopped before the first picture: nothing was written.")
    curves = _curves(found, options["pad"])
    _report(found)
    if stopped:
        click.echo("Stopped before the end; the spectra are of the pictures until then.", err=True)
    if out.suffix.lower() == ".npz":
        spectra_figure.save_arrays(out, curves)
        click.echo(f"Wrote {out}.")
        return
    layer, first = options["layer"], curves[0]
    title = "Average spectra of pictures" if layer is None else f"Average spectra of maps: layer {plain(layer)}"
    title += "" if options["trunc"] == 1 else f", truncation ψ = {options['trunc']:g}"
    by = "by the mean and deviation of each"
    if first.band is None:
        by = f"by the mean and deviation of {first.name}, {first.mean:.3f} and {first.deviation:.3f}"
    document = {"schema": 1, "spectra": {name: value for name, value in options.items() if name != "out"}}
    note = f"{'Pictures' if layer is None else 'Maps'} are whitened {by}; 0 dB is white noise."
    width, height = spectra_figure.draw(out, curves, title, note, {"jinc": json.dumps(document)})
    click.echo(f"Wrote {out} ({width}x{height}).")


def _check_options(options: dict[str, Any]) -> None:
    """All that can be refused before anything is opened."""
    out: Path = options["out"]
    if not (options["models"] or options["data"]):
        raise click.UsageError("Give --model, --data or both: see the examples in --help.")
    if options["layer"] is not None and options["data"]:
        raise click.UsageError("--layer looks inside models, --data has no layers: leave out one of them.")
    if out.suffix.lower() not in KINDS:
        raise click.UsageError(f"Let the name {out.name!r} end in .png, for a picture, or .npz, for arrays.")
    schedule_figure.check_place(out)
    if out.suffix.lower() == ".png":
        schedule_figure.load()
        count = len(options["models"]) + bool(options["data"])
        if count > spectra_figure.MOST:
            raise click.UsageError(
                f"One picture has room for {spectra_figure.MOST} spectra, not for {count}: give fewer, or an .npz."
            )


def _check_padding(subjects: Sequence[Subject], pad: int | None) -> None:
    for subject in subjects:
        most = max(MOST_SAMPLES // subject.size, 1)
        if pad is not None and pad > most:
            raise click.UsageError(
                f"--pad {pad} makes {pad * subject.size} samples a side of {subject.name}'s "
                f"{subject.size}: give {most} at most."
            )


def _subjects(options: dict[str, Any]) -> list[Subject]:
    """What the spectra are of, the data set first; whatever is wrong with any is said before any averaging."""
    paths = [Path(resolve(name)) for name in options["models"]]
    for path in paths:
        if not os.path.isfile(path):  # Path.is_file raises for a name too long to be one
            raise click.ClickException(missing(path))
    from viz.render.renderer import check_device

    try:
        check_device(options["device"])
    except ValueError as problem:
        raise click.ClickException(str(problem)) from None
    subjects = [_model(path, options) for path in paths]
    if options["layer"] is None:
        _check_widths(subjects)
    if options["data"]:
        subjects.insert(0, _data(options, subjects))
    counts: dict[str, int] = {}
    for i, subject in enumerate(subjects):
        counts[subject.name] = number = counts.get(subject.name, 0) + 1
        if number > 1:
            subjects[i] = replace(subject, name=f"{subject.name} ({number})")
    return subjects


def _model(path: Path, options: dict[str, Any]) -> Subject:
    from gan.analysis.power_spectrum import of_generator
    from gan.checkpoints.checkpoint import load_generator, read_header

    name, config = plain(short_name(path)), read_header(path).config
    try:
        band = find(config, options["layer"])
    except ConfigError as problem:
        raise ConfigError(f"{name}: {problem}" if len(options["models"]) > 1 else str(problem)) from None

    def averages() -> Iterator[Average]:
        generator, _ = load_generator(path, options["device"])
        yield from of_generator(
            generator,
            options["num"],
            seed=options["seed"],
            psi=options["trunc"],
            layer=options["layer"],
            beta=options["beta"],
            batch=options["batch"],
        )

    if options["layer"] is not None:
        name = f"{name} {band.name}"
    return Subject(name, band, band.size, band.rate, options["num"], averages)


def _check_widths(subjects: Sequence[Subject]) -> None:
    for subject in subjects[1:]:
        first = subjects[0]
        if subject.size != first.size:
            raise click.ClickException(
                f"{first.name} draws {first.size}x{first.size} and {subject.name} {subject.size}x{subject.size}: white "
                "noise, which is 0 dB, is another thing at every size, so give models of one size."
            )


def _data(options: dict[str, Any], models: Sequence[Subject]) -> Subject:
    from gan.analysis.power_spectrum import of_images

    click.echo(f"Reading the pictures in {options['data']}", err=True)
    source = open_images(options["data"])
    width = source.resolution
    for model in models[:1]:
        if model.size != width:
            raise click.ClickException(
                f"{plain(source.name)} holds pictures of {width}x{width}, but {model.name} "
                f"draws {model.size}x{model.size}: give data of that size."
            )
    num = min(options["num"], len(source))

    def averages() -> Iterator[Average]:
        return of_images(source, num, seed=options["seed"], beta=options["beta"], batch=options["batch"])

    return Subject(plain(source.name), None, width, width, num, averages)


def _measured(subjects: Sequence[Subject]) -> tuple[list[tuple[Subject, Average]], bool]:
    """What was averaged, the latest of each, and whether Ctrl-C ended it."""
    found: list[tuple[Subject, Average]] = []
    width = max(len(subject.name) for subject in subjects)
    try:
        for subject in subjects:
            with click.progressbar(
                length=subject.num, label=subject.name.ljust(width), file=sys.stderr, hidden=not sys.stderr.isatty()
            ) as bar:
                for average in subject.averages():
                    if not (found and found[-1][0] is subject):
                        found.append((subject, average))
                    bar.update(average.pictures - bar.pos)
    except ConfigError as problem:
        raise ConfigError(f"{subject.name}: {problem}") from None
    except KeyboardInterrupt:
        return found, True
    return found, False


def _curves(found: Sequence[tuple[Subject, Average]], pad: int | None) -> list[Curve]:
    """Whitened by the data set's mean and deviation, where there is one, else each by its own."""
    first, reference = found[0]
    curves = []
    for subject, average in found:
        by = reference if first.band is None else average
        try:
            spectrum = average.spectrum(by.mean, by.deviation)
        except ConfigError as problem:
            raise ConfigError(f"{subject.name}: {problem}") from None
        curves.append(
            Curve(
                subject.name,
                average.pictures,
                by.mean,
                by.deviation,
                subject.size,
                subject.rate,
                subject.band,
                spectrum.frequencies(pad),
                spectrum.power(pad),
                tuple(spectrum.slice(degrees) for degrees in spectra_figure.DIRECTIONS),
            )
        )
    return curves


def _report(found: Sequence[tuple[Subject, Average]]) -> None:
    rows = [
        (subject.name, str(average.pictures), f"{average.mean:.4f}", f"{average.deviation:.4f}")
        for subject, average in found
    ]
    for line in table([("", "pictures", "mean", "deviation")], rows, left=(0,)):
        click.echo(line)
