# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python train.py metrics`: the equivariance metrics of checkpoints or of untrained rungs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gan.analysis.metric_names import METRICS, MIN_SAMPLES
from gan.cli.command import Command
from gan.cli.network_options import FiniteRange, ImageSize, network_options
from gan.cli.path_types import ModelName, UserPath, overwrite_option, refuse_existing
from train.cli.options import SEED
from train.errors import report_errors

OUT_OF_MEMORY = "Measuring ran out of memory; start again with a smaller --batch, or a smaller network"

DEFAULT_NUM, OFFICIAL_NUM = 1000, 50_000  # samples
OFFICIAL = {"eqt50k_int": "eq_t", "eqt50k_frac": "eq_t_frac", "eqr50k": "eq_r"}
UNAVAILABLE = r"(fid|kid|pr|is)\d*(k\d?)?(_full)?|ppl\d?_\w+"
NO_DATA = "goes with FID and the like, which are not there yet: equivariance needs no pictures; leave it out."
ELSEWHERE = {
    "--data": NO_DATA,
    "--mirror": NO_DATA,
    "--gpus": "is not there: --device says where to measure.",
    "--verbose": "is not there: progress is shown on a terminal.",
}

EXAMPLES = """\b
How well the bundled StyleGAN3-T follows translation, until that is known to a tenth of a decibel:
    python train.py metrics --model=t --metrics=eq_t --stop-error=0.1
The newest snapshots of two runs, side by side, with all details in a file:
    python train.py metrics --model=training-runs/00000-x-T-32 --model=training-runs/00001-x-R-32 --json=eq.json
The whole ladder before any training, and what a filter of 8 taps would change for T:
    python train.py metrics --cfg=all --resolution=64 --num=100
    python train.py metrics --cfg=T --resolution=64 --num=100 --filter-size=8
"""


class NameList(click.ParamType[tuple[str, ...]]):
    """Names with commas between them, each one of those known."""

    name = "NAMES"

    def __init__(self, known: Sequence[str], unavailable: str = "(?!)") -> None:
        """`unavailable`: pattern of names that are known, and not there yet."""
        self.known, self.unavailable = known, unavailable

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        names = tuple(dict.fromkeys(name.strip() for name in str(value).split(",")))
        for name in names:
            if re.fullmatch(self.unavailable, name):
                self.fail(f"{name} is not there yet; what is: {', '.join(self.known)}.", param, ctx)
            if name not in self.known:
                self.fail(f"{name[:60]!r} is not one of {', '.join(self.known)}.", param, ctx)
        return names


@click.command(cls=Command, epilog=EXAMPLES, elsewhere=ELSEWHERE)
@click.option(
    "--model",
    "--network",
    "models",
    type=ModelName(),
    is_eager=True,
    multiple=True,
    metavar="MODEL",
    help="A snapshot, a run folder (its newest snapshot), an http(s) address, or a bundled model's name "
    "(b, t, ...); any number.",
)
@click.option("--cfg", help="Untrained networks instead: rungs with commas between them, or all.")
@click.option("--resolution", type=ImageSize(), help="Resolution of untrained networks (64).")
@click.option("--cbase", type=click.IntRange(1, 2**24), help="Channel base of untrained networks, T's value (1024).")
@click.option(
    "--cmax", type=click.IntRange(1, 2**16), help="Most channels of a layer of untrained networks, T's value (32)."
)
@click.option("--init-seed", type=SEED, help="Seed of untrained weights (0).")
@click.option(
    "--calibrate/--as-built",
    default=None,
    help="Set the input magnitudes of untrained layers to those measured, or leave them at 1 (calibrate).",
)
@network_options
@click.option(
    "--metrics",
    "names",
    type=NameList((*METRICS, *OFFICIAL), UNAVAILABLE),
    default=METRICS,
    show_default="all three",
    help="Which of eq_t, eq_t_frac and eq_r; the official names, such as eqt50k_int, mean 50,000 samples.",
)
@click.option("--num", type=click.IntRange(1, 10**7), help="Number of samples (1000).")
@click.option(
    "--stop-error",
    type=FiniteRange(min=0, min_open=True),
    metavar="DB",
    help=f"Stop sooner, once every standard error is below this ({MIN_SAMPLES} samples at least).",
)
@click.option("--seed", type=SEED, default=0, help="Seed of latents, offsets and angles.")
@click.option("--batch", type=click.IntRange(1, 2**16), help="Pictures at a time (16 up to 128x128, then fewer).")
@click.option("--device", default="cpu", help="cpu, cuda or cuda:N, mps.")
@click.option(
    "--json",
    "target",
    type=UserPath(),
    metavar="FILE",
    help="Write the figures and the networks' settings to this file, too.",
)
@overwrite_option
def metrics(overwrite: bool, **options: Any) -> None:
    """Measure how exactly pictures move with their input: EQ-T, EQ-T_frac and EQ-R of the paper's appendix E.

    Each figure is in dB, with its standard error; above about 50 dB in translation and 40 dB in rotation motion looks
    right. The second figure, "rel", compares the error with the pictures' own variance instead of the full range of
    white to black, so that pale pictures do not look better than they are. Ctrl-C ends the measurement and still
    reports what was measured.
    """
    names: tuple[str, ...] = options["names"]
    options["names"] = tuple(dict.fromkeys(OFFICIAL.get(name, name) for name in names))
    options["num"] = options["num"] or (OFFICIAL_NUM if OFFICIAL.keys() & set(names) else DEFAULT_NUM)
    target: Path | None = options["target"]
    if target is not None:
        refuse_existing(target, overwrite, "--json")
    from train.metrics.report import measure_all  # here: torch takes longer to load than --help may

    with report_errors(OUT_OF_MEMORY):
        measure_all(options)
