# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Options that several of the trainer's commands take."""

from __future__ import annotations

from typing import Any

import click

from gan.cli.network_options import Finite
from train.config import MOST_HALF

MAX_SEED = 2**63 - 1  # what torch takes
CHANGEABLE = ("kimg", "snap", "tick", "device", "threads", "fp32", "num_fp16_res")  # when a run is resumed

EXAMPLES = """\b
Draw 2,000 critters of 32x32 and train StyleGAN3-T on them, small enough for a CPU:
    python train.py --cfg=T --data=critters --preset=tiny
Train on your own pictures (a folder or zip of square RGB PNGs or JPEGs of one size):
    python train.py --cfg=stylegan3-r --data=faces.zip --batch=32 --gamma=8 --mirror
Go on after Ctrl-C exactly where a run stopped:
    python train.py --resume=training-runs/00000-critters-2000-32-0-T-32
"""


_PRECISION = [
    click.option("--fp32", is_flag=True, default=None, help="Everything in float32, on a GPU too."),
    click.option(
        "--num-fp16-res",
        type=click.IntRange(0, MOST_HALF),
        help="Highest resolutions whose layers compute in float16 (4 on a CUDA device, else 0).",
    ),
]
_CHANGEABLE = [
    click.option(
        "--kimg",
        type=Finite(min=0, max=1e9, min_open=True),
        help="Length in thousands of real images (25000; tiny: 200).",
    ),
    click.option("--snap", type=click.IntRange(min=1), help="Ticks between snapshots (10)."),
    click.option(
        "--tick", type=Finite(min=0, max=1e9, min_open=True), help="kimg a tick (4); it ends after 60 s at the latest."
    ),
    click.option("--device", help="cpu, cuda or cuda:N (a GPU if torch has one)."),
    click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads of torch (its own choice)."),
    *_PRECISION,
]


def _with(options: list[Any], command: Any) -> Any:
    for option in reversed(options):
        command = option(command)
    return command


def changeable(command: Any) -> Any:
    """The options that a resumed run may be given anew."""
    return _with(_CHANGEABLE, command)


def precision(command: Any) -> Any:
    """Of these, what the networks compute in."""
    return _with(_PRECISION, command)
