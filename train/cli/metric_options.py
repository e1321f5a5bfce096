# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Options of metrics that several commands take."""

from __future__ import annotations

from typing import Any

import click

from gan.metrics.names import parse_metrics

NONE = "none"  # the official trainer's word for no metric


class MetricNames(click.ParamType[tuple[str, ...]]):
    """Names of metrics with commas between them, or `none` where `may_be_none`."""

    name = "NAMES"

    def __init__(self, *, may_be_none: bool = False) -> None:
        self.may_be_none = may_be_none

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        if self.may_be_none and str(value).strip().lower() == NONE:
            return ()
        names = tuple(dict.fromkeys(name.strip() for name in str(value).split(",")))
        try:
            parse_metrics(names)
        except ValueError as problem:
            self.fail(f"{problem}.", param, ctx)
        return names


detector_option = click.option(
    "--detector",
    "detectors",
    multiple=True,
    metavar="FILE|ADDRESS|lite0",
    help="Feature network in place of the fetched ones: StyleGAN2-ADA's inception-2015-12-05.pt (FID, KID, IS) or "
    "vgg16.pt (precision and recall, PPL), a program that torch runs; or lite0, EfficientNet-Lite0, which needs no "
    "download, and by which the figures are then named. Any number.",
)


def run_metric_options(command: Any) -> Any:
    """Add the options of measuring while training to a command."""
    for option in (
        detector_option,
        click.option(
            "--metrics-every", type=click.IntRange(1, 10**6), help="Measure every so many snapshots, and the last (1)."
        ),
        click.option(
            "--metrics",
            type=MetricNames(may_be_none=True),
            help="Measure snapshots: names as `train.py metrics` takes them, such as fid2k_full, or none (none).",
        ),
    ):
        command = option(command)
    return command
