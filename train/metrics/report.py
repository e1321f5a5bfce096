# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Measure the equivariance of checkpoints or of untrained rungs, and print a row for each."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from gan.analysis.equivariance import Estimate, measure
from gan.analysis.metric_names import TITLES
from gan.checkpoints.checkpoint import CheckpointError, load_generator, read_header
from gan.cli.network_options import NAMES
from gan.files.atomic_write import atomic_write
from gan.hub.resolve import missing, resolve, short_name
from gan.networks.config import GeneratorConfig
from gan.networks.generator import Generator, untrained
from gan.networks.ladder import letters, rung
from train.state import usable_device

# Of untrained networks, and what they are unless told otherwise. Small, so that a figure takes seconds.
UNTRAINED = {"resolution": 64, "cbase": 1024, "cmax": 32, "init_seed": 0, "calibrate": True}


@dataclass(frozen=True)
class Subject:
    """What is measured."""

    name: str  # in the table
    config: GeneratorConfig
    path: Path | None  # None: untrained


def measure_all(options: dict[str, Any]) -> None:
    subjects, shape = _subjects(options)
    device = usable_device(options["device"])
    target: Path | None = options["target"]
    rows: list[dict[str, Any]] = []
    document = {"schema": 1, "seed": options["seed"], **({} if options["models"] else shape), "rows": rows}
    if target is not None:  # a path that cannot be written is said now, not after an hour
        tempfile.TemporaryFile(dir=target.parent).close()
    width = max(len(subject.name) for subject in subjects)
    click.echo(_header(width, options["names"]))
    for subject in subjects:
        estimates, stopped = _measure(subject, options, shape, device)
        if estimates or not subject.config.movable:
            click.echo(_line(subject, width, estimates))
            rows.append(_row(subject, estimates))
            if target is not None:
                _write(target, document)
        if stopped:
            click.echo("Stopped before the end; the figures are of the samples until then.", err=True)
            break
    if target is not None:
        click.echo(f"Wrote {target}.")


def _subjects(options: dict[str, Any]) -> tuple[list[Subject], dict[str, Any]]:
    """What is to be measured, and the settings of untrained networks; a wrong name is said before any measuring."""
    if bool(options["models"]) == bool(options["cfg"]):
        raise click.UsageError("Give --model, or --cfg for networks that nobody trained yet.")
    given = {name: options[name] for name in (*UNTRAINED, *NAMES) if options[name] is not None}
    if options["models"]:
        if given:
            name = next(iter(given)).replace("_", "-")
            raise click.UsageError(f"--{name} is for untrained networks (--cfg); a model has its own.")
        return [_trained(model) for model in options["models"]], UNTRAINED
    shape = {name: given.pop(name, default) for name, default in UNTRAINED.items()}
    subjects = [
        Subject(
            name, rung(name, shape["resolution"], channel_base=shape["cbase"], channel_max=shape["cmax"], **given), None
        )
        for name in letters(options["cfg"])
    ]
    return subjects, shape


def _trained(model: str) -> Subject:
    path = Path(resolve(model))
    if not os.path.isfile(path):  # Path.is_file raises for a name too long to be one
        raise CheckpointError(missing(path))
    return Subject(short_name(path), read_header(path).config, path)


def _generator(subject: Subject, shape: dict[str, Any], device: str) -> Generator:
    if subject.path is not None:
        return load_generator(subject.path, device)[0]
    return untrained(subject.config, shape["init_seed"], calibrated=shape["calibrate"]).to(device)


def _measure(
    subject: Subject, options: dict[str, Any], shape: dict[str, Any], device: str
) -> tuple[tuple[Estimate, ...], bool]:
    """The estimates, none if there was no time for any or nothing to move, and whether Ctrl-C ended them."""
    found: tuple[Estimate, ...] = ()
    if not subject.config.movable:
        return found, False
    try:
        generator = _generator(subject, shape, device)
        with click.progressbar(
            length=options["num"],
            label=subject.name,
            file=sys.stderr,
            item_show_func=_shown,
            hidden=not sys.stderr.isatty(),
        ) as bar:
            for estimates in measure(
                generator, options["names"], options["num"], options["seed"], options["batch"], options["stop_error"]
            ):
                bar.update(estimates[0].num - (found[0].num if found else 0), estimates)
                found = estimates
    except KeyboardInterrupt:
        return found, True
    return found, False


COLUMN = 31  # characters a metric


def _header(width: int, names: Sequence[str]) -> str:
    columns = "".join(f"{TITLES[name] + ' dB (rel)':>{COLUMN}}" for name in names)
    return f"{'':{width}}  samples{columns}  deviation"


def _line(subject: Subject, width: int, estimates: Sequence[Estimate]) -> str:
    if not estimates:
        return f"{subject.name:{width}}  no Fourier input, so there is nothing to move"
    cells = (f"{e.db:.2f} ±{_error(e.db_error)}  ({e.relative_db:.2f} ±{_error(e.relative_error)})" for e in estimates)
    columns = "".join(f"{cell:>{COLUMN}}" for cell in cells)
    return f"{subject.name:{width}}  {estimates[0].num:7}{columns}  {estimates[0].deviation:9.3f}"


def _error(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "?"  # of one sample, and of no error at all


def _shown(estimates: Sequence[Estimate] | None) -> str:
    return ", ".join(f"{TITLES[e.metric]} {e.db:.1f} ±{_error(e.db_error)} dB" for e in estimates or ())


def _row(subject: Subject, estimates: Sequence[Estimate]) -> dict[str, Any]:
    return {
        "name": subject.name,
        "model": None if subject.path is None else str(subject.path),
        "config": subject.config.to_json(),
        # Infinite or unknown decibels are no JSON numbers.
        "estimates": [
            {
                name: value if not isinstance(value, float) or math.isfinite(value) else None
                for name, value in asdict(estimate).items()
            }
            for estimate in estimates
        ],
    }


def _write(path: Path, document: dict[str, Any]) -> None:
    with atomic_write(path) as temporary:
        Path(temporary).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
