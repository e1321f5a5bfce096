# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python train.py metrics`: FID and the like, equivariance and stickiness of checkpoints or of untrained rungs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gan.analysis.metric_names import MIN_SAMPLES
from gan.cli.command import Command
from gan.cli.network_options import FiniteRange, ImageSize, network_options
from gan.cli.path_types import DataPath, ModelName, UserPath, overwrite_option, refuse_existing
from gan.metrics.names import EQUIVARIANCE, KNOWN, MOST, WITH_DATA, Metric, parse_metrics, select
from train.cli.metric_options import MetricNames, detector_option
from train.cli.options import SEED, switch
from train.errors import report_errors

OUT_OF_MEMORY = "Measuring ran out of memory; start again with a smaller --batch, or a smaller network"

ELSEWHERE = {
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
The figures of papers, for which two feature networks are fetched once; and a quick look that needs none:
    python train.py metrics --model=network.pkl --data=set.zip --mirror --metrics=fid50k_full,kid50k_full,pr50k3_full
    python train.py metrics --model=training-runs/00000-x-T-32 --metrics=fid50k_full --num=2000 --detector=lite0
"""


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
    type=MetricNames(),
    default=",".join(EQUIVARIANCE),
    show_default="the three of equivariance",
    help=f"Any of {', '.join(KNOWN)}; the names mean what they mean in papers, other numbers as in fid10k_full.",
)
@click.option("--data", type=DataPath(), help="The set to compare with (that of the first model's run).")
@switch("--mirror", help="Compare with the set's mirror images too (as in that run; of other models: no).")
@detector_option
@click.option(
    "--num", type=click.IntRange(1, MOST), help="Number of samples, for a quick look; the figures are named by it."
)
@click.option(
    "--stop-error",
    type=FiniteRange(min=0, min_open=True),
    metavar="NUMBER",
    help="Stop sooner, once every standard error is below this, in dB for equivariance, else in the figures' own "
    f"measure ({MIN_SAMPLES} samples at least, 1000 pictures; FID, precision and recall have no error).",
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
    """Measure generators: FID, KID, precision and recall, inception score, path length, equivariance, stickiness.

    FID and the like compare with the pictures of --data, through the feature networks that the literature uses
    (fetched once, or --detector). Equivariance, EQ-T, EQ-T_frac and EQ-R of the paper's appendix E, is in dB; above
    about 50 dB in translation and 40 dB in rotation motion looks right. Its second figure, "rel", compares the error
    with the pictures' own variance instead of the full range of white to black, so that pale pictures do not look
    better than they are. Ctrl-C ends the measurement and still reports what was measured. Figures of a run's snapshot
    are added to the run folder, metric-NAME.jsonl.
    """
    names: tuple[str, ...] = options["metrics"]
    found: tuple[Metric, ...] = parse_metrics(names, options.pop("num"))
    options["metrics"] = found
    if options["cfg"] and not options["models"] and options["data"] is None and (missing := select(found, WITH_DATA)):
        raise click.UsageError(f"{missing[0].name} compares with pictures: give --data.")
    target: Path | None = options["target"]
    if target is not None:
        refuse_existing(target, overwrite, "--json")
    from train.metrics.report import measure_all  # here: torch takes longer to load than --help may

    with report_errors(OUT_OF_MEMORY):
        measure_all(options)
