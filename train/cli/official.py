# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Options of the official trainer that have one possible value here, or none yet (docs/coming-from-stylegan3.md)."""

from __future__ import annotations

from typing import Any

import click

ELSEWHERE = {
    "--allow-tf32": "has no meaning here: --fp32 and --num-fp16-res decide what is computed in which precision.",
    "--nhwc": "has no meaning here: the layout of tensors in memory is chosen for the device; leave it out.",
}


def _refuse_metrics(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None and value.strip().lower() != "none":
        raise click.UsageError(
            f"--metrics={value}: measuring while training is not there yet, nor are FID and the like; give "
            "--metrics=none. `train.py metrics` measures the equivariance of snapshots."
        )


def official_options(command: Any) -> Any:
    """Add --metrics, which is checked and changes nothing."""
    for option in (
        click.option(
            "--metrics",
            metavar="none",
            callback=_refuse_metrics,
            expose_value=False,
            help="Nothing is measured while training: none is the only value yet.",
        ),
    ):
        command = option(command)
    return command
