# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The command line of the trainer: `python train.py [run|resume|ladder|dataset|metrics]`, `run` when none is named."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import torch

from gan.checkpoint import CheckpointError
from gan.images import ImageSource, open_images
from gan.ladder import letter, letters, rung
from gan.models import newest_snapshot
from gan.switches import NAMES, Finite, Side, switches
from train.command import guarded
from train.config import PRESETS, TrainConfig, TrainingError, configure
from train.critters import write_dataset
from train.device import prepare
from train.log import STATE, STOP, RunLog, new_run_folder, trainer_of
from train.loop import Loop
from train.memory import check_memory
from train.metrics.command import metrics
from train.precision import MOST_HALF, default_half, described
from train.rungs import train_rungs
from train.state import TrainState, usable_device

MAX_SEED = 2**63 - 1  # what torch takes
SIZES = tuple(str(2**i) for i in range(4, 10))  # of critters
CHANGEABLE = ("kimg", "snap", "tick", "device", "threads", "fp32", "num_fp16_res")  # when a run is resumed
CRITTERS_SEED = 0  # of the pictures, not of the training: runs with different --seed share one data set


class DefaultGroup(click.Group):
    """A group that runs `run` when the first word names no command, so that options may come first."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["run", *args]
        return super().parse_args(ctx, args)


EXAMPLES = """\b
Draw 2,000 critters of 32x32 and train StyleGAN3-T on them, small enough for a CPU:
    python train.py --cfg=T --data=critters --preset=tiny
Train on your own pictures (a folder or zip of square RGB PNGs or JPEGs of one size):
    python train.py --cfg=stylegan3-r --data=faces.zip --batch=32 --gamma=8 --mirror
Go on after Ctrl-C exactly where a run stopped:
    python train.py --resume=training-runs/00000-critters-2000-32-0-T-32
"""


@click.group(cls=DefaultGroup, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Train the generators of the ladder from StyleGAN2 to StyleGAN3-R.

    `run` is meant when no command is named; `run --help` lists its options.
    """
    logging.basicConfig(format="%(message)s")
    logging.getLogger("cuda_ops").setLevel(logging.INFO)  # says once what runs the operators


_PRECISION = [
    click.option("--fp32", is_flag=True, default=None, help="Everything in float32, on a GPU too."),
    click.option("--num-fp16-res", type=click.IntRange(0, MOST_HALF),
                 help="Highest resolutions whose layers compute in float16 (4 on a CUDA device, else 0)."),
]
_CHANGEABLE = [
    click.option("--kimg", type=Finite(min=0, max=1e9, min_open=True),
                 help="Length in thousands of real images (25000; tiny: 200)."),
    click.option("--snap", type=click.IntRange(min=1), help="Ticks between snapshots (10)."),
    click.option("--tick", type=Finite(min=0, max=1e9, min_open=True),
                 help="kimg a tick (4); it ends after 60 s at the latest."),
    click.option("--device", help="cpu, cuda or cuda:N (a GPU if torch has one)."),
    click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads of torch (its own choice)."),
    *_PRECISION,
]


def _with(options: list[Any], command: Any) -> Any:
    for option in reversed(options):
        command = option(command)
    return command


def _changeable(command: Any) -> Any:
    """The options that a resumed run may be given anew."""
    return _with(_CHANGEABLE, command)


def _precision(command: Any) -> Any:
    """Of these, what the networks compute in."""
    return _with(_PRECISION, command)


@main.command(epilog=EXAMPLES)
@click.option("--cfg", help="The rung: A (stylegan2), B to H, T (stylegan3-t) or R (stylegan3-r).")
@click.option("--data", help="Folder or zip of square RGB pictures, or `critters`: drawn first if need be.")
@click.option("--outdir", type=click.Path(path_type=Path), default=Path("training-runs"), show_default=True,
              help="Where run folders go.")
@click.option("--resume", type=click.Path(path_type=Path), help="A run folder to go on with.")
@click.option("--preset", type=click.Choice(PRESETS), help="The paper's settings, or tiny ones for CPUs (paper).")
@click.option("--batch", type=click.IntRange(1, 2**20), help="Pictures a step (64 up to 256x256, else 32; tiny: 16).")
@click.option("--gamma", type=Finite(min=0), help="R1 weight (0.001 S^2 / batch).")
@click.option("--mirror/--no-mirror", default=None, help="Flip pictures at random (off; tiny: on).")
@click.option("--cond", is_flag=True, help="Train with the labels of dataset.json.")
@click.option("--cbase", type=click.IntRange(1, 2**24), help="Channel base, T's value (2^14 up to 256x256, else 2^15).")
@click.option("--cmax", type=click.IntRange(1, 2**16), help="Most channels of a layer, T's value (512).")
@switches
@click.option("--pl-weight", type=Finite(min=0), help="Path length regularisation (A to C: 2, else 0; tiny: 0).")
@click.option("--style-mixing", type=Finite(min=0, max=1), help="Its probability (A to C: 0.9, else 0; tiny: 0).")
@click.option("--seed", type=click.IntRange(0, MAX_SEED), help="Seed of the run (0).")
@click.option("--resolution", type=Side(), help="Of the critters to draw (32); else the data's own.")
@click.option("--critters-num", type=click.IntRange(min=1), default=2000, show_default=True, help="Critters to draw.")
@_changeable
def run(cfg: str | None, data: str | None, outdir: Path, resume: Path | None, resolution: int | None,
        critters_num: int, cond: bool, **options: Any) -> None:
    """Train a generator: a new run folder, or --resume."""
    options = {name: value for name, value in options.items() if value is not None}
    if resume is not None:
        fixed = [name for name in options if name not in CHANGEABLE]
        fixed += ["cfg"] * (cfg is not None) + ["cond"] * cond + ["resolution"] * (resolution is not None)
        if fixed:
            option = fixed[0].replace("_", "-")
            raise click.UsageError(f"--{option} is fixed for a run that is resumed; leave it out or start a new run.")
        guarded(_resume, resume, data, options)
        return
    for name, value in (("--cfg", cfg), ("--data", data)):
        if value is None:
            raise click.UsageError(f"{name} is missing; see the examples at the end of --help.")
    guarded(_start, cfg, data, outdir, resolution, critters_num, cond, options)


@main.command()
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.option("--data", help="Where the same pictures are now, if they were moved.")
@_changeable
def resume(run_folder: Path, data: str | None, **options: Any) -> None:
    """Go on with RUN_FOLDER exactly where it stopped."""
    guarded(_resume, run_folder, data, {name: value for name, value in options.items() if value is not None})


@main.command()
@click.option("--cfg", "rungs", default="all", show_default=True, help="Rungs with commas between them.")
@click.option("--data", default="critters", show_default=True, help="Folder or zip of square pictures, or critters.")
@click.option("--outdir", type=click.Path(path_type=Path), default=Path("training-runs"), show_default=True,
              help="Where run folders go.")
@click.option("--preset", type=click.Choice(PRESETS), default="tiny", show_default=True, help="As for `run`.")
@click.option("--kimg", type=Finite(min=0, max=1e9, min_open=True), default=0.3, show_default=True,
              help="Length of each run in thousands of real images.")
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0, show_default=True, help="Seed of every run.")
@click.option("--resolution", type=Side(), help="Of the critters to draw (32); else the data's own.")
@click.option("--critters-num", type=click.IntRange(min=1), default=2000, show_default=True, help="Critters to draw.")
@click.option("--device", help="cpu, cuda or cuda:N (a GPU if torch has one).")
@click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads of torch (its own choice).")
@_precision
def ladder(rungs: str, data: str, outdir: Path, resolution: int | None, critters_num: int, **options: Any) -> None:
    """Train all ten rungs on the same pictures, one after the other, each a short run of its own.

    \b
    Examples:
        python train.py ladder                                  300 critters of 32x32 each: do all rungs train?
        python train.py ladder --cfg=D,E,F,G --kimg=50          what four steps of the ladder look like
    """
    given = {name: value for name, value in options.items() if value is not None}

    def start(name: str) -> tuple[Path, TrainState]:
        return _start(name, data, outdir, resolution, critters_num, False, dict(given))

    def train() -> None:
        named = letters(rungs)
        rung(named[0], resolution or 32)  # a size that no rung has is said once, not ten times
        train_rungs(named, start, click.echo)

    guarded(train)


main.add_command(metrics)


@main.group()
def dataset() -> None:
    """Make data sets."""


@dataset.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The zip to write.")
@click.option("--num", type=click.IntRange(min=1), default=2000, show_default=True, help="Pictures.")
@click.option("--size", type=click.Choice(SIZES), default="64", show_default=True, help="Their width in pixels.")
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0, show_default=True, help="Of the whole set.")
def critters(out: Path, num: int, size: str, seed: int) -> None:
    """Draw the bundled data set: one furry creature a picture, its pose in dataset.json.

    \b
    Example:
        python train.py dataset critters --out=critters.zip --num=2000 --size=64
    """
    guarded(_draw_critters, out, num, int(size), seed)


def _start(cfg: str, data: str, outdir: Path, resolution: int | None, critters_num: int, cond: bool,
           options: dict[str, Any]) -> tuple[Path, TrainState]:
    """The run's folder and what it ended with."""
    letter(cfg)  # a wrong name is said before all pictures are looked at
    device = usable_device(options.pop("device", None) or ("cuda" if torch.cuda.is_available() else "cpu"))
    if data == "critters":
        data = str(_critters(outdir, critters_num, resolution or 32))
    elif resolution is not None:
        raise click.UsageError("--resolution goes with --data=critters only; other data keep their own size.")
    source = _open(data)
    if cond and source.labels is None:
        raise TrainingError(f"{data} has no labels to train with; add them to its dataset.json or leave out --cond.")
    half = _half(options)
    threads = _set_threads(options.pop("threads", 0))
    chosen = {name: options.pop(name) for name in NAMES if name in options}
    names = {"cbase": "channel_base", "cmax": "channel_max", "preset": "preset_name"}
    config = configure(
        cfg, resolution=source.resolution, data=data, data_name=source.name, data_images=len(source),
        data_digest=source.digest, c_dim=source.c_dim if cond else 0, device=device, threads=threads,
        half=default_half(device) if half is None else half, switches=chosen,
        **_ticks(options), **{names.get(name, name): value for name, value in options.items()})
    check_memory(config)
    state = TrainState(config)  # before there is a folder: what cannot be built leaves none behind
    folder = new_run_folder(outdir, config)
    log = RunLog(folder, config.total_images)
    print(f"Run folder: {folder}", flush=True)
    log.progress("starting", 0)
    given = "as given" if "gamma" in options else "0.001 S^2 / batch"
    changed = "".join(f", {name} {value:g}" if isinstance(value, float) else f", {name} {value}"
                      for name, value in chosen.items())
    log.say(f"{config.rung}{changed} at {config.resolution}x{config.resolution} on {len(source)} pictures of "
            f"{config.data_name}, batch {config.batch}, R1 weight {config.gamma:.4g} ({given}), "
            f"{config.total_images / 1000:g} kimg, seed {config.seed}, {device}.")
    _train(folder, state, source, log)
    return folder, state


def _resume(folder: Path, data: str | None, options: dict[str, Any]) -> None:
    if not folder.is_dir():
        raise TrainingError(f"{folder} is not a folder; give the run folder to resume.")
    if not (folder / STATE).is_file():
        raise TrainingError(f"{folder} holds no {STATE}: the run wrote no snapshot yet; start it anew.")
    pid = trainer_of(folder)
    if pid is not None:
        raise TrainingError(f"{folder} is still being trained by process {pid}; stop it first, for example with a file "
                            f"named {STOP} in that folder, then resume.")
    half = _half(options)
    (folder / STOP).unlink(missing_ok=True)  # of an earlier session; one that is made from now on counts
    threads = _set_threads(options.pop("threads", 0))
    state = _load_state(folder, options.pop("device", None))
    changes = _ticks(options)
    if half is not None:  # else the run's own, on another device too
        changes["half"] = half
    if "kimg" in options:
        changes["total_images"] = round(options.pop("kimg") * 1000)
    if threads:
        changes["threads"] = threads
    else:
        _set_threads(state.config.threads)
    state.config = replace(state.config, data=data or state.config.data, **changes, **options)
    config = state.config
    if state.images >= config.total_images:
        click.echo(f"{folder} is complete ({state.images / 1000:g} kimg); give a larger --kimg to train it further.")
        return
    source = _open(config.data, config.resolution)
    _check_same_data(source, config)
    print(f"Run folder: {folder}", flush=True)
    _train(folder, state, source, RunLog(folder, config.total_images))


def _load_state(folder: Path, device: str | None) -> TrainState:
    try:
        return TrainState.load(folder / STATE, device)
    except CheckpointError as error:
        snapshot = newest_snapshot(folder)
        kept = f"; {snapshot.name} still opens in the window" if snapshot else ""
        raise TrainingError(f"{error} Without it the run cannot go on{kept}.") from error


def _train(folder: Path, state: TrainState, source: ImageSource, log: RunLog) -> None:
    prepare(state.device)
    half = state.config.half
    log.say(f"Computing in {described(half, state.config.resolution)}.")
    if half and state.device.type == "cpu":
        log.say("On a CPU float16 is slower than float32; --fp32, which --resume takes too, computes in float32 from "
                "then on.")
    outcome = Loop(folder, state, source, log=log).run()
    if outcome == "stopped":
        log.say(f"Stopped at {state.images / 1000:g} kimg; go on with: python train.py --resume={folder}")
    else:
        log.say(f"Finished {state.images / 1000:g} kimg in {folder}.")


def _open(data: str, resolution: int | None = None) -> ImageSource:
    """The pictures, all of which are looked at first: that can take a while."""
    click.echo(f"Reading the pictures in {data}")
    return open_images(data, resolution)


def _check_same_data(source: ImageSource, config: TrainConfig) -> None:
    if len(source) != config.data_images:
        raise TrainingError(f"{source.path} holds {len(source)} pictures, but the run was trained on "
                            f"{config.data_images}; give the same data to resume, or start a new run.")
    if source.digest != config.data_digest:
        raise TrainingError(f"The pictures in {source.path} changed since the run was started (their names or sizes "
                            "differ); give the same data to resume, or start a new run.")


def _ticks(options: dict[str, Any]) -> dict[str, Any]:
    """--tick in kimg as the configuration's field."""
    return {"tick_images": max(round(options.pop("tick") * 1000), 1)} if "tick" in options else {}


def _half(options: dict[str, Any]) -> int | None:
    """--fp32 and --num-fp16-res as the configuration's field; None if neither was given."""
    fp32, half = options.pop("fp32", None), options.pop("num_fp16_res", None)
    if fp32 and half:
        raise click.UsageError(f"--fp32 is --num-fp16-res=0; leave it out, or --num-fp16-res={half}.")
    return 0 if fp32 else half


def _set_threads(threads: int) -> int:
    if threads:
        torch.set_num_threads(threads)
    return threads


def _say_tenths(done: int, total: int) -> None:
    if done % max(total // 10, 1) == 0:
        click.echo(f"Drawn {done} of {total}")


def _critters(outdir: Path, num: int, size: int) -> Path:
    """The critters of a size, drawn unless an earlier run drew them."""
    path = outdir / f"critters-{num}-{size}-{CRITTERS_SEED}.zip"
    if not path.exists():
        _draw_critters(path, num, size, CRITTERS_SEED)
    return path


def _draw_critters(path: Path, num: int, size: int, seed: int) -> None:
    click.echo(f"Drawing {num} critters of {size}x{size} into {path}")
    try:
        _write_critters(path, num, size, seed)
    except ValueError as error:
        raise TrainingError(str(error)) from error


def _write_critters(path: Path, num: int, size: int, seed: int) -> None:
    if not sys.stdout.isatty():  # a pipe or a log: a line for every tenth
        write_dataset(path, num, size, seed, progress=_say_tenths)
        return
    with click.progressbar(length=num, label="Drawing") as bar:
        write_dataset(path, num, size, seed, progress=lambda done, total: bar.update(done - bar.pos))
