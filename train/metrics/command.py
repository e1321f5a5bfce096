# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`train.py metrics`: the equivariance metrics of checkpoints, or of rungs that nobody has trained yet."""

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

from gan.checkpoint import CheckpointError, load_generator, read_header
from gan.config import GeneratorConfig
from gan.equivariance import FEWEST, METRICS, TITLES, Estimate, measure
from gan.files import replaced
from gan.generator import Generator, untrained
from gan.ladder import letters, rung
from gan.models import missing, resolve, short_name
from gan.switches import NAMES, Finite, Side, switches
from train.command import guarded
from train.state import usable_device

MEMORY = "Measuring ran out of memory; start again with a smaller --batch, or a smaller network"
# Of untrained networks, and what they are unless told otherwise. Small, so that a figure takes seconds.
UNTRAINED = {"resolution": 64, "cbase": 1024, "cmax": 32, "init_seed": 0, "calibrate": True}


@dataclass(frozen=True)
class Subject:
    """What is measured."""

    name: str  # in the table
    config: GeneratorConfig
    path: Path | None  # None: untrained


EXAMPLES = """\b
How well the bundled StyleGAN3-T follows translation, until that is known to a tenth of a decibel:
    python train.py metrics --model=t --metrics=eq_t --stop-error=0.1
The newest snapshots of two runs, side by side, with all details in a file:
    python train.py metrics --model=training-runs/00000-x-T-32 --model=training-runs/00001-x-R-32 --json=eq.json
The whole ladder before any training, and what a filter of 8 taps would change for T:
    python train.py metrics --cfg=all --resolution=64 --num=100
    python train.py metrics --cfg=T --resolution=64 --num=100 --filter-size=8
"""


class Names(click.ParamType[tuple[str, ...]]):
    """Names with commas between them, each one of those known."""

    name = "NAMES"

    def __init__(self, known: Sequence[str]) -> None:
        self.known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        names = tuple(dict.fromkeys(name.strip() for name in str(value).split(",")))
        for name in names:
            if name not in self.known:
                self.fail(f"{name!r} is not one of {', '.join(self.known)}.", param, ctx)
        return names


@click.command(epilog=EXAMPLES)
@click.option("--model", "models", multiple=True, metavar="MODEL",
              help="A snapshot, a run folder (its newest snapshot), an http(s) address, or a bundled model's name "
                   "(b, t, ...); any number.")
@click.option("--cfg", help="Untrained networks instead: rungs with commas between them, or all.")
@click.option("--resolution", type=Side(), help="Of untrained networks (64).")
@click.option("--cbase", type=click.IntRange(1, 2**24), help="Channel base of untrained networks, T's value (1024).")
@click.option("--cmax", type=click.IntRange(1, 2**16),
              help="Most channels of a layer of untrained networks, T's value (32).")
@click.option("--init-seed", type=click.IntRange(0, 2**63 - 1), help="Seed of untrained weights (0).")
@click.option("--calibrate/--as-built", default=None,
              help="Set the input magnitudes of untrained layers to what they see, or leave them at 1 (calibrate).")
@switches
@click.option("--metrics", "names", type=Names(METRICS), default=METRICS, show_default="all three",
              help="Which of eq_t, eq_t_frac and eq_r.")
@click.option("--num", type=click.IntRange(1, 10**7), default=1000, show_default=True, help="Samples.")
@click.option("--stop-error", type=Finite(min=0, min_open=True), metavar="DB",
              help=f"Stop sooner, once every standard error is below this ({FEWEST} samples at least).")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True,
              help="Of latents, offsets and angles.")
@click.option("--batch", type=click.IntRange(1, 2**16), help="Pictures at a time (16 up to 128x128, then fewer).")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:N, mps.")
@click.option("--json", "target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write the figures and what they are of to this file, too.")
def metrics(**options: Any) -> None:
    """Measure how exactly pictures move with their input: EQ-T, EQ-T_frac and EQ-R of the paper's appendix E.

    Each figure is in dB, with its standard error; above about 50 dB in translation and 40 dB in rotation motion looks
    right. The second figure, "rel", compares the error with the pictures' own variance instead of the full range of
    white to black, so that pale pictures do not look better than they are. Ctrl-C ends the measurement and still
    reports what was found.
    """
    guarded(_measure_all, options, memory=MEMORY)


def _measure_all(options: dict[str, Any]) -> None:
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
    subjects = [Subject(name, rung(name, shape["resolution"], channel_base=shape["cbase"], channel_max=shape["cmax"],
                                   **given), None) for name in letters(options["cfg"])]
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
        with click.progressbar(length=options["num"], label=subject.name, file=sys.stderr, item_show_func=_shown,
                               hidden=not sys.stderr.isatty()) as bar:
            for estimates in measure(generator, options["names"], options["num"], options["seed"], options["batch"],
                                     options["stop_error"]):
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
        "estimates": [{name: value if not isinstance(value, float) or math.isfinite(value) else None
                       for name, value in asdict(estimate).items()} for estimate in estimates],
    }


def _write(path: Path, document: dict[str, Any]) -> None:
    with replaced(path) as temporary:
        Path(temporary).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
