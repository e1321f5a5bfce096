# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Measure checkpoints or untrained rungs, and print a row for each, or for each of its metrics."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from gan.analysis.equivariance import Estimate
from gan.analysis.metric_names import TITLES
from gan.checkpoints.checkpoint import CheckpointError, load_generator, read_header
from gan.cli.download_bar import fetch_with_bar
from gan.cli.network_options import OPTION_NAMES
from gan.data.image_dataset import ImageSource, open_images
from gan.devices import check_device
from gan.files.atomic_write import atomic_write
from gan.hub.resolve import explain_missing, resolve, shorten_name
from gan.metrics.features import FeatureNetwork
from gan.metrics.figure import Figure
from gan.metrics.measure import Measurement
from gan.metrics.motions import format_error
from gan.metrics.names import EQUIVARIANCE, WITH_DATA, Metric, select
from gan.metrics.reals import check_source
from gan.networks.config import GeneratorConfig
from gan.networks.generator import Generator, init_generator
from gan.networks.labels import Label, read_label_mean
from gan.networks.ladder import parse_rungs, rung_config
from train.metrics.at_snapshots import MOVING
from train.metrics.detectors import open_networks
from train.metrics.records import OPTIONS, append_record, format_figure, nullify_row, to_row

# Defaults of untrained networks: small, so that a figure takes seconds.
UNTRAINED = {"resolution": 64, "cbase": 1024, "cmax": 32, "init_seed": 0, "calibrate": True}
COLUMN_WIDTH = 31  # characters a metric
MAX_OPTIONS = 2**20  # bytes of training_options.json


@dataclass(frozen=True)
class Subject:
    """A network to measure."""

    name: str  # in the table
    config: GeneratorConfig
    path: Path | None  # None: untrained


@dataclass(frozen=True)
class Pictures:
    """The set to compare with, if any metric does."""

    source: ImageSource
    mirror: bool


def measure_all(options: dict[str, Any]) -> None:
    """Measure what the options of `train.cli.metrics` name, print tables, and write --json after each network."""
    subjects, settings = _find_subjects(options)
    device, metrics = options["device"], options["metrics"]
    check_device(device)
    target: Path | None = options["target"]
    rows: list[dict[str, Any]] = []
    document = {"schema": 1, "seed": options["seed"], **({} if options["models"] else settings), "rows": rows}
    if target is not None:  # a path that cannot be written is refused now, not after an hour
        tempfile.TemporaryFile(dir=target.parent).close()
    pictures = _open_pictures(subjects, options)
    networks, _ = open_networks(metrics, options["detectors"], device, fetch_with_bar)
    width = max(len(subject.name) for subject in subjects)
    equivariance = select(metrics, EQUIVARIANCE)
    if equivariance:
        columns = "".join(f"{TITLES[metric.kind] + ' dB (rel)':>{COLUMN_WIDTH}}" for metric in equivariance)
        click.echo(f"{'':{width}}  samples{columns}  deviation")
    for subject in subjects:
        figures, stopped = _measure(subject, options, settings, pictures, networks)
        if equivariance and (figures or not subject.config.movable):
            estimates = [figure.estimate for figure, _ in figures if figure.estimate is not None]
            if estimates or not subject.config.movable or not stopped:
                click.echo(f"{subject.name:{width}}  {_format_estimates(estimates)}")
        for figure, _ in figures:
            if figure.estimate is None:
                click.echo(f"{subject.name:{width}}  {figure.title:40}  {format_figure(figure)}")
        if figures or not subject.config.movable:
            rows.append(_to_json(subject, figures))
            if target is not None:
                with atomic_write(target) as temporary:
                    temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        _record(subject, figures)
        if stopped:
            said = "the figures are of the samples until then." if figures else "nothing was measured."
            click.echo(f"Stopped before the end; {said}", err=True)
            break
    if target is not None and rows:
        click.echo(f"Wrote {target}.")


def _open_pictures(subjects: Sequence[Subject], options: dict[str, Any]) -> Pictures | None:
    """Open --data, or the set that the first network was trained on, if a metric compares with pictures."""
    compared = select(options["metrics"], WITH_DATA)
    data, mirror = options["data"], options["mirror"]
    if not compared and data is None:
        return None
    if data is None:
        run = _find_run(subjects[0])
        with suppress(OSError, ValueError, RecursionError):
            if run is not None and isinstance(found := json.loads((run / OPTIONS).read_bytes()[:MAX_OPTIONS]), dict):
                data, mirror = found.get("data"), bool(found.get("mirror")) if mirror is None else mirror
    if not isinstance(data, str):
        raise click.UsageError(f"{compared[0].name} compares with pictures: give the --data that the model learned.")
    click.echo(f"Reading the pictures in {data}", err=True)
    source = open_images(data)
    if compared:
        for subject in subjects:
            check_source(source, subject.config.resolution, subject.config.img_channels)
    return Pictures(source, bool(mirror))


def _find_run(subject: Subject) -> Path | None:
    """Return the run folder that a snapshot lies in; None for any other network."""
    if subject.path is None or not (subject.path.parent / OPTIONS).is_file():
        return None
    return subject.path.parent


def _record(subject: Subject, figures: Sequence[tuple[Figure, float]]) -> None:
    """Add the figures of a run's snapshot to the run."""
    run = _find_run(subject)
    if run is None or subject.path is None:
        return
    for figure, seconds in figures:
        try:
            append_record(run, figure, seconds, subject.path.name)
        except OSError as error:
            click.echo(f"The figures could not be added to {run} ({error.strerror or error}).", err=True)
            return


def _find_subjects(options: dict[str, Any]) -> tuple[list[Subject], dict[str, Any]]:
    """Return the networks to measure, and untrained ones' settings; raise for a wrong name before any measuring."""
    if bool(options["models"]) == bool(options["cfg"]):
        raise click.UsageError("Give either --model, or --cfg for untrained networks.")
    given = {name: options[name] for name in (*UNTRAINED, *OPTION_NAMES) if options[name] is not None}
    if options["models"]:
        if given:
            name = next(iter(given)).replace("_", "-")
            raise click.UsageError(f"--{name} is for untrained networks (--cfg); a model has its own.")
        return [_open_model(model) for model in options["models"]], UNTRAINED
    settings = {name: given.pop(name, default) for name, default in UNTRAINED.items()}
    sizes = {"channel_base": settings["cbase"], "channel_max": settings["cmax"]}
    names = parse_rungs(options["cfg"])
    return [
        Subject(name, rung_config(name, settings["resolution"], **sizes, **given), None) for name in names
    ], settings


def _open_model(model: str) -> Subject:
    path = Path(resolve(model, fetch_with_bar))
    if not os.path.isfile(path):  # Path.is_file raises for a name too long to be one
        raise CheckpointError(explain_missing(path))
    return Subject(shorten_name(path), read_header(path).config, path)


def _measure(
    subject: Subject,
    options: dict[str, Any],
    settings: dict[str, Any],
    pictures: Pictures | None,
    networks: Mapping[str, FeatureNetwork],
) -> tuple[tuple[tuple[Figure, float], ...], bool]:
    """Return the figures, with their seconds, and whether Ctrl-C ended them."""
    metrics: tuple[Metric, ...] = options["metrics"]
    if not subject.config.movable:
        metrics = tuple(metric for metric in metrics if metric.kind not in MOVING)
    measurement = None
    try:
        generator, mean = _load(subject, settings, options["device"])
        measurement = Measurement(
            generator,
            metrics,
            networks,
            None if pictures is None else pictures.source,
            mirror=pictures is not None and pictures.mirror,
            seed=options["seed"],
            batch=options["batch"],
            label=mean,
        )
        with _Bars(subject.name) as bars:
            measurement.run(bars.show, options["stop_error"])
    except KeyboardInterrupt:
        return () if measurement is None else measurement.figures(), True
    return measurement.figures(), False


def _load(subject: Subject, settings: dict[str, Any], device: str) -> tuple[Generator, Label | None]:
    """Return a network, and the mean of its labels if they are vectors: random classes are none that it has seen."""
    if subject.path is None:
        return init_generator(subject.config, settings["init_seed"], settings["calibrate"]).to(device), None
    generator, facts = load_generator(subject.path, device)
    return generator, read_label_mean(facts, subject.config.c_dim)


class _Bars(ExitStack):
    """Progress bars on a terminal, one after the other."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self._stage, self._done, self._said = name, "", 0, ""
        self._bar: Any = None

    def show(self, stage: str, done: int, total: int, said: str) -> None:
        if not sys.stderr.isatty():
            return
        if stage != self._stage or done < self._done:
            self.close()
            self._stage, self._done = stage, 0
            self._bar = self.enter_context(
                click.progressbar(
                    length=total, label=f"{self._name}, {stage}", file=sys.stderr, item_show_func=lambda _: self._said
                )
            )
        more, self._done, self._said = done - self._done, done, said
        self._bar.update(more)


def _format_estimates(estimates: Sequence[Estimate]) -> str:
    if not estimates:
        return "no Fourier input, so there is nothing to move"
    cells = (
        f"{e.db:.2f} ±{format_error(e.db_error)}  ({e.relative_db:.2f} ±{format_error(e.relative_error)})"
        for e in estimates
    )
    columns = "".join(f"{cell:>{COLUMN_WIDTH}}" for cell in cells)
    return f"{estimates[0].num:7}{columns}  {estimates[0].deviation:9.3f}"


def _to_json(subject: Subject, figures: Sequence[tuple[Figure, float]]) -> dict[str, Any]:
    """Return a row of the JSON file; numbers that are infinite or unknown become null."""
    estimates = (figure.estimate for figure, _ in figures)
    return {
        "name": subject.name,
        "model": None if subject.path is None else str(subject.path),
        "config": subject.config.to_json(),
        "estimates": [nullify_row(asdict(estimate)) for estimate in estimates if estimate is not None],
        "figures": [to_row(figure, seconds) for figure, seconds in figures],
    }
