# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Start a run from its options, or go on with one."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import torch

from gan.checkpoints.checkpoint import CheckpointError
from gan.cli.network_options import NAMES
from gan.data.image_dataset import ImageSource, open_images
from gan.hub.resolve import newest_snapshot
from gan.networks.ladder import letter
from train.config import TrainConfig, TrainingError, configure
from train.critters.dataset import write_dataset
from train.device import prepare
from train.loop import Loop
from train.memory import check_memory
from train.mixed_precision import default_half, described
from train.run_folder import STATE, STOP, RunLog, new_run_folder, trainer_of
from train.state import TrainState, usable_device

CRITTERS_SEED = 0  # of the pictures, not of the training: runs with different --seed share one data set


def start(
    cfg: str, data: str, outdir: Path, resolution: int | None, critters_num: int, cond: bool, options: dict[str, Any]
) -> tuple[Path, TrainState]:
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
        cfg,
        resolution=source.resolution,
        data=data,
        data_name=source.name,
        data_images=len(source),
        data_digest=source.digest,
        c_dim=source.c_dim if cond else 0,
        device=device,
        threads=threads,
        half=default_half(device) if half is None else half,
        switches=chosen,
        **_ticks(options),
        **{names.get(name, name): value for name, value in options.items()},
    )
    check_memory(config)
    state = TrainState(config)  # before there is a folder: what cannot be built leaves none behind
    folder = new_run_folder(outdir, config)
    log = RunLog(folder, config.total_images)
    print(f"Run folder: {folder}", flush=True)
    log.progress("starting", 0)
    given = "as given" if "gamma" in options else "0.001 S^2 / batch"
    changed = "".join(
        f", {name} {value:g}" if isinstance(value, float) else f", {name} {value}" for name, value in chosen.items()
    )
    log.say(
        f"{config.rung}{changed} at {config.resolution}x{config.resolution} on {len(source)} pictures of "
        f"{config.data_name}, batch {config.batch}, R1 weight {config.gamma:.4g} ({given}), "
        f"{config.total_images / 1000:g} kimg, seed {config.seed}, {device}."
    )
    _train(folder, state, source, log)
    return folder, state


def resume(folder: Path, data: str | None, options: dict[str, Any]) -> None:
    if not folder.is_dir():
        raise TrainingError(f"{folder} is not a folder; give the run folder to resume.")
    if not (folder / STATE).is_file():
        raise TrainingError(f"{folder} holds no {STATE}: the run wrote no snapshot yet; start it anew.")
    pid = trainer_of(folder)
    if pid is not None:
        raise TrainingError(
            f"{folder} is still being trained by process {pid}; stop it first, for example with a file "
            f"named {STOP} in that folder, then resume."
        )
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
        log.say(
            "On a CPU float16 is slower than float32; --fp32, which --resume takes too, computes in float32 from "
            "then on."
        )
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
        raise TrainingError(
            f"{source.path} holds {len(source)} pictures, but the run was trained on "
            f"{config.data_images}; give the same data to resume, or start a new run."
        )
    if source.digest != config.data_digest:
        raise TrainingError(
            f"The pictures in {source.path} changed since the run was started (their names or sizes "
            "differ); give the same data to resume, or start a new run."
        )


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


def _critters(outdir: Path, num: int, size: int) -> Path:
    """The critters of a size, drawn unless an earlier run drew them."""
    path = outdir / f"critters-{num}-{size}-{CRITTERS_SEED}.zip"
    if not path.exists():
        draw_critters(path, num, size, CRITTERS_SEED)
    return path


def draw_critters(path: Path, num: int, size: int, seed: int) -> None:
    """Draw a data set with progress on the terminal; TrainingError for sizes and seeds that there are not."""
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


def _say_tenths(done: int, total: int) -> None:
    if done % max(total // 10, 1) == 0:
        click.echo(f"Drawn {done} of {total}")
