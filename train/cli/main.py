# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The trainer's command line; `run` is its default command."""

from __future__ import annotations

import logging

import click

from gan.cli.group import HELP_OPTIONS, Entry, LazyGroup
from train.cli.options import EXAMPLES

COMMANDS = (
    Entry("run", "train.cli.run:run", "Train a generator: a new run folder, or --resume (the default)."),
    Entry("resume", "train.cli.run:resume", "Continue RUN_FOLDER exactly where it stopped."),
    Entry("ladder", "train.cli.ladder:ladder", "Train all ten rungs on the same pictures, one after the other."),
    Entry("dataset", "train.cli.dataset:dataset", "Make and check data sets."),
    Entry("presets", "train.cli.presets:presets", "Print the settings of each preset."),
    Entry("control", "train.cli.control:control", "Pause a run, let it go on, ask it for a snapshot, stop it."),
    Entry("report", "train.cli.report:report", "Write a run as one page: options, curves, fakes, metrics."),
    Entry(
        "metrics",
        "train.cli.metrics:metrics",
        "Measure generators: FID, KID, precision and recall, inception score, path length, equivariance, stickiness.",
    ),
)

ELSEWHERE = {
    "dataset_tool": "There is no dataset_tool here: `train.py dataset convert SRC --out FILE.zip --size 256` does it.",
    "calc_metrics": "There is no calc_metrics here: `train.py metrics --model MODEL --metrics NAMES` does it.",
}
SETTINGS = {**HELP_OPTIONS, "show_default": True}


@click.group(
    cls=LazyGroup, entries=COMMANDS, default="run", elsewhere=ELSEWHERE, epilog=EXAMPLES, context_settings=SETTINGS
)
def main() -> None:
    """Train the generators of the ladder from StyleGAN2 to StyleGAN3-R.

    `run` is the default command; `run --help` lists its options.
    """
    logging.basicConfig(format="%(message)s")
    logging.getLogger("cuda_ops").setLevel(logging.INFO)  # logs once which kernels are used
