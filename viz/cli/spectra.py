# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py spectra`: average the power spectra of models' pictures, a data set's, or layers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gan.cli.command import Command
from gan.cli.network_options import FiniteRange
from gan.cli.path_types import DataPath, ModelName, overwrite_option
from gan.data.image_dataset import open_images
from gan.devices import check_device
from gan.files.errors import sanitize_text
from gan.hub.resolve import cite_model
from gan.networks.config import ConfigError
from gan.networks.labels import Label
from viz.cli.label_options import choose_label, class_option, label_option
from viz.cli.models import read_model, user_errors
from viz.cli.output import check_export, progress_bar, write_output
from viz.cli.parameter_types import MODEL_HELP, PATH, SEED, device_option, trunc_option
from viz.core.latent import LARGEST_SEED
from viz.reports import spectra_figure
from viz.reports.export import FIGURES
from viz.reports.network_text import format_table, plain
from viz.reports.spectra_figure import describe_smoothing

if TYPE_CHECKING:  # torch takes longer to load than all the rest: not for --help
    from gan.analysis.power_spectrum import SpectrumAverage
    from gan.checkpoints.checkpoint import Header
    from viz.reports.spectra_study import Subject

NOT_SETTINGS = ("models", "data", "out", "class_", "vector", "files", "smooth")
WITH_FILES = ("files", "out", "smooth", "overwrite")  # options that mean something of spectra that are drawn again


@click.command(cls=Command, epilog=f"\b\nArrays of an .npz:\n{spectra_figure.ARRAYS.removeprefix(chr(8)).lstrip()}")
@click.option(
    "--model",
    "--network",
    "models",
    type=ModelName(),
    is_eager=True,
    multiple=True,
    metavar="MODEL",
    help=f"{MODEL_HELP}; any number.",
)
@click.option(
    "--data",
    type=DataPath(),
    help="Folder or zip of pictures to compare with, as wide as the models'; all are whitened as it is.",
)
@click.option("--num", type=click.IntRange(1, 10**7), default=200, show_default=True, help="Pictures of each.")
@click.option(
    "--out",
    required=True,
    type=PATH,
    metavar="FILE",
    help="The .png, .pdf or .svg to draw, or the .npz or .csv to keep numbers in.",
)
@click.option(
    "--from",
    "files",
    type=PATH,
    multiple=True,
    metavar="NPZ",
    help="Draw the spectra in this .npz again, of this command or the Spectrum panel, without any model; any number.",
)
@click.option(
    "--smooth",
    type=FiniteRange(0, 1000),
    default=0.0,
    show_default=True,
    metavar="CYCLES",
    help="Average the power under a Gauss curve of this deviation, in cycles a picture width.",
)
@click.option(
    "--layer", metavar="LAYER", help="Of this layer's maps instead, by number or name, or of the Fourier input (input)."
)
@click.option(
    "--seed",
    type=SEED,
    default=0,
    show_default=True,
    help="The first picture's; the next have the next. It draws from the data set, too.",
)
@trunc_option
@class_option
@label_option
@click.option(
    "--beta",
    type=FiniteRange(0, 50),
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
@device_option
@overwrite_option
def spectra(overwrite: bool, **options: Any) -> None:
    """Draw average power spectra of what models draw, beside a data set's.

    Pictures are whitened, seen through a Kaiser window and transformed; what is drawn is the mean of the squares over
    channels and pictures, in dB above white noise: heat maps with the layer's cutoff f_c, its stopband f_t and s/2, and
    slices along 0 and 45 degrees. Generated pictures are neither clamped nor rounded to 8 bits, as a data set's are.
    Of models with labels, the classes are random unless --class or --label is given. Alpha counts as a channel like
    the others. Ctrl-C ends the averaging and still draws what there is.

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
      python visualizer.py spectra --from spectra.npz --smooth 1 --out spectra.svg
                                                             the same drawn again, smoothed, for a paper
    """
    with user_errors("give a smaller --batch or --pad"):
        _check_options(options, overwrite)
        if options["files"]:
            _draw_again(options)
            return
        subjects = _choose_subjects(options)
        found, stopped = _average(subjects)
        if not found:
            raise click.ClickException("Stopped before the first picture: nothing was written.")
        _write(options, found, stopped)


def _check_options(options: dict[str, Any], overwrite: bool) -> None:
    """Refuse whatever can be refused before anything is opened."""
    out: Path = options["out"]
    if options["files"]:
        _refuse_averaging()
    elif not (options["models"] or options["data"]):
        raise click.UsageError("Give --model, --data or both, or --from: see the examples in --help.")
    if not options["models"] and (options["class_"] is not None or options["vector"] is not None):
        raise click.UsageError("--class and --label are of models: give --model, too, or leave them out.")
    if options["layer"] is not None and options["data"]:
        raise click.UsageError("--layer looks inside models, --data has no layers: leave out one of them.")
    last = options["seed"] + options["num"] - 1
    if options["models"] and last > LARGEST_SEED:
        raise click.UsageError(f"The last seed would be {last}, and the largest is {LARGEST_SEED}: give less.")
    check_export(out, overwrite)
    _check_count(out, len(options["models"]) + bool(options["data"]))


def _check_count(out: Path, count: int) -> None:
    if out.suffix.lower() in FIGURES and count > spectra_figure.MOST:
        raise click.UsageError(
            f"One picture has room for {spectra_figure.MOST} spectra, not for {count}: give fewer, or an .npz."
        )


def _refuse_averaging() -> None:
    """Raise a usage error where an option is given that is of averaging, beside --from."""
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.name in WITH_FILES or parameter.name is None:
            continue
        if context.get_parameter_source(parameter.name) == ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"--from draws what is in a file, and {parameter.opts[0]} is of averaging: leave it out."
            )


def _draw_again(options: dict[str, Any]) -> None:
    """Draw or write spectra that were written before."""
    from viz.reports.spectra_file import SpectraFileError, read_spectra, smooth_curve

    out, given = options["out"], options["smooth"]
    files = []
    for path in options["files"]:
        try:
            files.append(read_spectra(path))
        except SpectraFileError as problem:
            raise click.ClickException(str(problem)) from None
    for path, found in zip(options["files"], files, strict=True):
        smooth = found.smooth or given
        if given and smooth != given:
            raise click.ClickException(
                f"{path.name} was smoothed by {smooth:g} cycles a picture width already: leave out --smooth."
            )
        if smooth != (files[0].smooth or given):
            raise click.ClickException("These files are smoothed in different ways: give those of one --smooth.")
    curves = [curve if found.smooth else smooth_curve(curve, smooth) for found in files for curve in found.curves]
    _check_count(out, len(curves))
    names = [sanitize_text(path.name, 100) for path in options["files"]]
    title, note, says_so = found.title or "Average spectra", found.note, bool(found.smooth)
    if len(names) > 1 or not note:
        note, says_so = "Whitened; 0 dB is white noise.", False
    if len(names) > 1:
        title = f"Average spectra of {len(names)} files"
    note += "" if says_so else describe_smoothing(smooth)
    about = {"spectra": {"from": names, "smooth": smooth}}
    write_output(out, spectra_figure.build_spectra(curves, title, note, about, smooth=smooth))


def _choose_subjects(options: dict[str, Any]) -> list[Subject]:
    """Open what the spectra are of; whatever is wrong with any is said before any averaging."""
    models = [read_model(name) for name in options["models"]]
    labels = [_choose_label(path, header, options["class_"], options["vector"]) for path, header in models]
    cited = [cite_model(name, path) for name, (path, _) in zip(options["models"], models, strict=True)]
    options["models"] = cited  # as files that others read may name them
    check_device(options["device"])
    from viz.reports.spectra_study import Settings, choose_subjects

    data = None
    if options["data"]:
        click.echo(f"Reading the pictures in {options['data']}", err=True)
        data = open_images(options["data"])
    settings = Settings(**{name: value for name, value in options.items() if name not in NOT_SETTINGS})
    try:
        subjects = choose_subjects([path for path, _ in models], data, settings, labels)
    except ConfigError as problem:
        raise click.UsageError(str(problem)) from None
    for subject in subjects:
        pad, most = settings.pad, subject.largest_pad
        if pad is not None and pad > most:
            raise click.UsageError(
                f"--pad {pad} makes {pad * subject.size} samples a side of {subject.name}'s {subject.size}: "
                f"give {most} at most."
            )
    return subjects


def _choose_label(path: Path, header: Header, class_: str | None, vector: tuple[float, ...] | None) -> Label | None:
    """Return the label of all of a model's pictures; None: random classes, unless it was trained with vectors."""
    label = choose_label(path.name, header, class_, vector)
    if class_ is None and vector is None and not isinstance(label.label, tuple):
        return None
    if label.remark:
        click.echo(label.remark, err=True)
    return label.label


def _average(subjects: Sequence[Subject]) -> tuple[list[tuple[Subject, SpectrumAverage]], bool]:
    """Return the latest average of each subject that has one, and whether Ctrl-C ended it."""
    found: list[tuple[Subject, SpectrumAverage]] = []
    width = max(len(subject.name) for subject in subjects)
    try:
        for subject in subjects:
            with progress_bar(subject.num, subject.name.ljust(width)) as bar:
                for average in subject.averages():
                    if not (found and found[-1][0] is subject):
                        found.append((subject, average))
                    bar.update(average.pictures - bar.pos)
    except ConfigError as problem:
        raise ConfigError(f"{subject.name}: {problem}") from None
    except KeyboardInterrupt:
        return found, True
    return found, False


def _write(options: dict[str, Any], found: Sequence[tuple[Subject, SpectrumAverage]], stopped: bool) -> None:
    from viz.reports.spectra_file import smooth_curve
    from viz.reports.spectra_study import build_curves

    out, layer = options["out"], options["layer"]
    curves = [smooth_curve(curve, options["smooth"]) for curve in build_curves(found, options["pad"])]
    first = curves[0]
    rows = [(subject.name, str(a.pictures), f"{a.mean:.4f}", f"{a.deviation:.4f}") for subject, a in found]
    click.echo("\n".join(format_table([("", "pictures", "mean", "deviation")], rows, left=(0,))))
    if stopped:
        click.echo("Stopped before the end; the spectra are of the pictures until then.", err=True)
    title = "Average spectra of pictures" if layer is None else f"Average spectra of maps: layer {plain(layer)}"
    title += "" if options["trunc"] == 1 else f", truncation ψ = {options['trunc']:g}"
    by = "by the mean and deviation of each"
    if first.band is None:
        by = f"by the mean and deviation of {first.name}, {first.mean:.3f} and {first.deviation:.3f}"
    settings = {name: value for name, value in options.items() if name not in ("out", "files")}
    note = f"{'Pictures' if layer is None else 'Maps'} are whitened {by}; 0 dB is white noise."
    note += describe_smoothing(options["smooth"])
    about = {"spectra": settings}
    write_output(out, spectra_figure.build_spectra(curves, title, note, about, smooth=options["smooth"]))
