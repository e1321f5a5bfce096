# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Measure the equivariance of checkpoints or of untrained rungs, and print a row for each."""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from gan.analysis.equivariance import Estimate, measure_equivariance
from gan.analysis.metric_names import TITLES
from gan.checkpoints.checkpoint import CheckpointError, load_generator, read_header
from gan.cli.download_bar import fetch_with_bar
from gan.cli.network_options import OPTION_NAMES
from gan.devices import check_device
from gan.hub.resolve import explain_missing, resolve, shorten_name
from gan.networks.config import GeneratorConfig
from gan.networks.generator import init_generator
from gan.networks.labels import read_label_mean
from gan.networks.ladder import parse_rungs, rung_config
from train.run_folder import nullify_nonfinite, write_json

# Defaults of untrained networks: small, so that a figure takes seconds.
UNTRAINED = {"resolution": 64, "cbase": 1024, "cmax": 32, "init_seed": 0, "calibrate": True}
COLUMN_WIDTH = 31  # characters a metric


@dataclass(frozen=True)
class Subject:
    """A network to measure."""

    name: str  # in the table
    config: GeneratorConfig
    path: Path | None  # None: untrained


def measure_all(options: dict[str, Any]) -> None:
    """Measure what the options of `train.cli.metrics` name, print a table, and write --json after each row."""
    subjects, settings = _find_subjects(options)
    device = options["device"]
    check_device(device)
    target: Path | None = options["target"]
    rows: list[dict[str, Any]] = []
    document = {"schema": 1, "seed": options["seed"], **({} if options["models"] else settings), "rows": rows}
    if target is not None:  # a path that cannot be written is refused now, not after an hour
        tempfile.TemporaryFile(dir=target.parent).close()
    width = max(len(subject.name) for subject in subjects)
    columns = "".join(f"{TITLES[name] + ' dB (rel)':>{COLUMN_WIDTH}}" for name in options["names"])
    click.echo(f"{'':{width}}  samples{columns}  deviation")
    for subject in subjects:
        estimates, stopped = _measure(subject, options, settings, device)
        if estimates or not subject.config.movable:
            click.echo(f"{subject.name:{width}}  {_format_estimates(estimates)}")
            rows.append(_to_json(subject, estimates))
            if target is not None:
                write_json(target, document)
        if stopped:
            click.echo("Stopped before the end; the figures are of the samples until then.", err=True)
            break
    if target is not None:
        click.echo(f"Wrote {target}.")


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
    subject: Subject, options: dict[str, Any], settings: dict[str, Any], device: str
) -> tuple[tuple[Estimate, ...], bool]:
    """Return the estimates, none without a Fourier input or a first batch, and whether Ctrl-C ended them."""
    found: tuple[Estimate, ...] = ()
    if not subject.config.movable:
        return found, False
    mean = None  # of labels that are vectors: random classes are none that such a model has seen
    try:
        if subject.path is not None:
            generator, facts = load_generator(subject.path, device)
            mean = read_label_mean(facts, subject.config.c_dim)
        else:
            generator = init_generator(subject.config, settings["init_seed"], settings["calibrate"]).to(device)
        with click.progressbar(
            length=options["num"],
            label=subject.name,
            file=sys.stderr,
            item_show_func=_format_progress,
            hidden=not sys.stderr.isatty(),
        ) as bar:
            for estimates in measure_equivariance(
                generator,
                options["names"],
                options["num"],
                options["seed"],
                options["batch"],
                options["stop_error"],
                mean,
            ):
                bar.update(estimates[0].num - (found[0].num if found else 0), estimates)
                found = estimates
    except KeyboardInterrupt:
        return found, True
    return found, False


def _format_estimates(estimates: Sequence[Estimate]) -> str:
    if not estimates:
        return "no Fourier input, so there is nothing to move"
    cells = (
        f"{e.db:.2f} ±{_format_error(e.db_error)}  ({e.relative_db:.2f} ±{_format_error(e.relative_error)})"
        for e in estimates
    )
    columns = "".join(f"{cell:>{COLUMN_WIDTH}}" for cell in cells)
    return f"{estimates[0].num:7}{columns}  {estimates[0].deviation:9.3f}"


def _format_error(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "?"  # of one sample, and of no error at all


def _format_progress(estimates: Sequence[Estimate] | None) -> str:
    return ", ".join(f"{TITLES[e.metric]} {e.db:.1f} ±{_format_error(e.db_error)} dB" for e in estimates or ())


def _to_json(subject: Subject, estimates: Sequence[Estimate]) -> dict[str, Any]:
    """Return a row of the JSON file; decibels that are infinite or unknown become null."""
    return {
        "name": subject.name,
        "model": None if subject.path is None else str(subject.path),
        "config": subject.config.to_json(),
        "estimates": [nullify_nonfinite(asdict(estimate)) for estimate in estimates],
    }
