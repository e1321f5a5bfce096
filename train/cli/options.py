# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Options that several of the trainer's commands take, as arguments of train.config.configure."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gan.cli.network_options import FiniteRange, ImageSize
from gan.cli.path_types import ModelName, UserPath
from gan.files.errors import sanitize_text
from gan.hub.url import is_address
from train.cli.metric_options import run_metric_options
from train.config import MAX_FP16_RES

SEED = click.IntRange(0, 2**32 - 1)  # of a larger one torch, on a CPU, takes the lower 32 bits
CHANGEABLE = (  # when a run is resumed
    "total_images",
    "snap",
    "img_snap",
    "cudnn_benchmark",
    "tick_images",
    "device",
    "threads",
    "num_fp16_res",
    "workers",
    "data_changed",
    "gpus",
    "batch_gpu",
    "metrics",
    "metrics_every",
    "detectors",
)
MAX_GPUS = 64  # of one machine
MODEL_SUFFIXES = (".pkl", ".safetensors", ".pt", ".pth", ".ckpt")
NEW_RUN = "a new run starts from a model with --transfer, or with --resume beside --cfg and --data"
IS_NEW = "train.cli.is_new"  # of a context: a new run is asked for, by --cfg
NO_RESUME = "noresume"  # the official tools' word for a run that starts from nothing

EXAMPLES = """\b
Draw 2,000 critters of 32x32 and train StyleGAN3-T on them, small enough for a CPU:
    python train.py --cfg=T --data=critters --preset=tiny
Make a data set of your own pictures, of any kind and size, and train on it:
    python train.py dataset convert photos --out faces.zip --size 256
    python train.py --cfg=stylegan3-r --data=faces.zip --batch=32 --gamma=8 --mirror
Start from another model, your own or somebody else's; a table says what fits:
    python train.py --cfg=stylegan3-t --data=faces.zip --transfer=stylegan3-t-ffhq-256.pkl --freezed=10
Continue exactly where a run stopped, after Ctrl-C for example:
    python train.py --resume=training-runs/00000-critters-2000-32-0-T-32
"""


class Kimg(FiniteRange):
    """Thousands of images on the command line, images in the program."""

    def __init__(self) -> None:
        super().__init__(min=0, max=1e9, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        images = round(super().convert(value, param, ctx) * 1000)
        if images < 1:
            self.fail(f"{value} is less than one image.", param, ctx)
        return images


class RunFolder(UserPath):
    """The folder of a run to continue; what people try instead (models) is refused with where it belongs."""

    name = "RUN_FOLDER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        text = str(value)
        shown = sanitize_text(text, 200)
        if is_address(text):  # which may hold a password: it is not repeated
            raise click.UsageError(f"An address is no run folder to resume: {NEW_RUN}.", ctx)
        path = super().convert(value, param, ctx)
        if os.path.isdir(path):
            return path
        if not os.path.exists(path):
            is_model = path.suffix in MODEL_SUFFIXES or path.name == text
            beside = f"; {NEW_RUN}" if is_model else ""
            raise click.UsageError(f"There is no run folder {shown}: give one that train.py made{beside}.", ctx)
        if (path.absolute().parent / "training_options.json").exists():
            advice = f"to continue the run that it is of, give its folder, {sanitize_text(path.absolute().parent, 200)}"
            raise click.UsageError(f"{shown} is a file and no run folder: {advice}; {NEW_RUN}.", ctx)
        raise click.UsageError(f"{shown} is a file and no run folder: {NEW_RUN}.", ctx)


class ResumeSource(ModelName):
    """The value of --resume: a run folder, or beside --cfg a model to start from, as in the official tools."""

    name = "RUN_FOLDER|MODEL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if text.lower() == NO_RESUME:
            return NO_RESUME
        is_new = ctx is not None and ctx.meta.get(IS_NEW, False)
        if not is_new or os.path.isdir(os.path.expanduser(text)):
            return str(RunFolder().convert(value, param, ctx))
        return super().convert(value, param, ctx)


def switch(*names: str, help: str) -> Decorator:
    """Return an option that may stand alone, as a flag, or with a value, as in the official tools: --name=1, --name=0.

    None where it is not given.
    """
    return click.option(*names, type=click.BOOL, is_flag=False, flag_value="1", metavar="[0|1]", help=help)


Decorator = Callable[[Any], Any]


def _join(*options: Decorator) -> Decorator:
    """Return one decorator that adds all `options` to a command, in this order."""

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


data_options = _join(
    click.option("--outdir", type=UserPath(), default="training-runs", metavar="DIR", help="Folder for run folders."),
    click.option("--resolution", type=ImageSize(), help="Size of drawn critters (32); other data have their own."),
    click.option("--critters-num", type=click.IntRange(min=1), default=2000, help="Number of critters to draw."),
)
session_options = _join(
    click.option("--device", help="cpu, cuda or cuda:N, mps (a GPU if torch has one)."),
    click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads of torch (its own choice)."),
    switch("--fp32", help="Compute everything in float32, on a GPU too."),
    click.option(
        "--num-fp16-res",
        type=click.IntRange(0, MAX_FP16_RES),
        help="Highest resolutions whose layers compute in float16 (4 on a CUDA device, else 0).",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1, 64),
        help="Threads that decode pictures of a set too large to be kept decoded, ahead of the step (4).",
    ),
    switch("--nobench", help="Do not time a GPU's convolutions to choose the fastest algorithms."),
)
changeable_options = _join(
    click.option("--kimg", "total_images", type=Kimg(), help="Length in thousands of real images (25000; tiny: 100)."),
    click.option("--snap", type=click.IntRange(min=1), help="Ticks between snapshots (10)."),
    click.option(
        "--img-snap",
        type=click.IntRange(min=0),
        help="Ticks between grids of fakes (with the snapshots; 0 goes back to that).",
    ),
    click.option("--tick", "tick_images", type=Kimg(), help="Length of a tick in kimg (4); at most 60 s."),
    click.option(
        "--gpus",
        type=click.IntRange(1, MAX_GPUS),
        help="Processes to start here, one a GPU, or with --device=cpu on the CPU (1); torchrun starts its own.",
    ),
    click.option(
        "--batch-gpu",
        type=click.IntRange(1, 2**20),
        help="Pictures of a batch that a process computes at once; the gradients add up (all it gets).",
    ),
    session_options,
    run_metric_options,
)


data_changed_option = click.option(
    "--data-changed", is_flag=True, default=None, help="With --resume: go on although the pictures are not the same."
)


def collect(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given; --fp32 becomes num_fp16_res = 0, --no-mirror mirror = False.

    --nobench becomes cudnn_benchmark.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if not given.get("detectors", True):  # of an option that may be given many times, none
        del given["detectors"]
    if given.pop("fp32", False):
        if given.get("num_fp16_res"):
            raise click.UsageError("--fp32 means --num-fp16-res=0; give only one of the two.")
        given["num_fp16_res"] = 0
    if "nobench" in given:
        given["cudnn_benchmark"] = not given.pop("nobench")
    if given.pop("no_mirror", False):
        if given.get("mirror"):
            raise click.UsageError("--mirror and --no-mirror contradict each other; give only one of the two.")
        given["mirror"] = False
    return given
