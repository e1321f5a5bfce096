# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Start a run from its options, or resume one."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import torch

from gan.cli.network_options import OPTION_NAMES
from gan.data.image_dataset import ImageSource, open_images, peek_images
from gan.devices import check_device, require_device
from gan.metrics.names import parse_metrics
from gan.networks.ladder import parse_rung
from train.config import TrainConfig, configure, describe_run
from train.critters.dataset import write_dataset
from train.damage import SourceReader
from train.device import check_memory, configure_torch
from train.errors import TrainingError
from train.estimates import describe_pace
from train.loop import Loop, owes_figures
from train.manifest import check_fit, describe_changes, describe_data, write_manifest
from train.metrics.at_snapshots import SnapshotMetrics, check_metrics
from train.metrics.detectors import check_detectors, cite_detector
from train.mixed_precision import default_num_fp16_res, describe_precision
from train.progress import show_progress
from train.ranks.dealing import describe_deal
from train.ranks.errors import RanksError
from train.ranks.group import ALONE, Ranks, join_ranks
from train.resumption import check_resumable, load_state, read_device
from train.run_folder import STATE, RunLog, SilentLog, hold_folder, make_run_folder
from train.state import TrainState, deal_batch
from train.transfer.growing import Teachers, load_teachers
from train.transfer.plan import Transfer, plan_transfer
from train.transfer.source import Source, open_source

CRITTERS_SEED = 0  # of the pictures, not of the training: runs with different --seed share one data set


def start_run(
    cfg: str,
    data: str,
    outdir: Path,
    *,
    resolution: int | None = None,
    critters_num: int = 2000,
    description: str = "",
    workers: int | None = None,
    transfer: str | None = None,
    **options: Any,
) -> tuple[Path, TrainState]:
    """Train rung `cfg` on `data` in a new run folder; return the folder and the state at the end.

    `resolution` and `critters_num` are of the critters to draw, `description` ends the folder's name, `workers` is the
    number of threads that decode pictures, `transfer` names the model to start from; `options` are `cond`, those of
    train.config.configure, and the switches of gan.cli.network_options by name.
    """
    device = _check_names(cfg, data, resolution, options)
    with join_ranks(device) as ranks:
        model = None if transfer is None else _open_source(transfer, cfg, data, resolution, options)
        if data == "critters":
            path = _critters_path(outdir, critters_num, resolution or 32)
            if ranks.is_first and not path.exists():
                draw_critters(path, critters_num, resolution or 32, CRITTERS_SEED)
            data = ranks.follow(str(path))
        whole = _open_images(data, workers=workers)
        source = _choose_subset(whole, options.get("subset"), options.get("seed"))
        reader = SourceReader(source)
        reader.check()  # what an earlier run found
        config = _configure(cfg, source, device, options, ranks.count)
        config, planned = _plan_transfer(model, config)
        metrics = _open_metrics(config, whole) if ranks.is_first else None
        del whole  # which nothing else keeps in memory
        config = _cite_detectors(config, metrics, ranks)
        pace = describe_pace(config, ranks.count)
        state = TrainState(config, ranks)  # before there is a folder: a run that cannot be built leaves none behind
        teachers = None
        if planned is not None:
            planned.copy(state)
            teachers = load_teachers(planned, state.device)
        folder = Path(ranks.follow(str(make_run_folder(outdir, config, description)) if ranks.is_first else ""))
        opening = [describe_run(config, options), *(planned.describe(config) if planned else ()), pace]
        with hold_folder(folder) if ranks.is_first else nullcontext():
            _train(folder, state, reader, metrics, teachers, *filter(None, opening))
    return folder, state


def print_options(
    cfg: str,
    data: str,
    outdir: Path,
    *,
    resolution: int | None = None,
    critters_num: int = 2000,
    description: str = "",
    workers: int | None = None,
    transfer: str | None = None,
    gpus: int | None = None,
    **options: Any,
) -> None:
    """Print what `start_run` would do with the same arguments, checked as far as it can be, and write nothing."""
    device = _check_names(cfg, data, resolution, options)
    require_device(device)
    model = None if transfer is None else _open_source(transfer, cfg, data, resolution, options)
    drawn = _critters_path(outdir, critters_num, resolution or 32)
    if data == "critters" and not drawn.exists():
        with tempfile.TemporaryDirectory() as folder:
            sample = Path(folder) / drawn.name
            write_dataset(sample, 1, resolution or 32, CRITTERS_SEED)
            whole = source = open_images(sample)
        click.echo(f"{critters_num} critters would be drawn into {drawn}")
        count = options.get("subset") or critters_num
        read = {"data": os.path.abspath(drawn), "data_name": drawn.stem, "data_images": count, "data_digest": ""}
    else:
        whole, read = _open_images(str(drawn) if data == "critters" else data), {}
        source = _choose_subset(whole, options.get("subset"), options.get("seed"))
    config = _configure(cfg, source, device, options, gpus or 1, **read)
    config, planned = _plan_transfer(model, config)
    check_metrics(parse_metrics(config.metrics), config.generator, None if read else whole, config.mirror)
    check_detectors(config.detectors)
    config = _cite_detectors(config, None, ALONE)
    click.echo(json.dumps(config.to_json(), indent=1))
    click.echo(describe_run(config, options))
    for line in planned.describe(config) if planned else ():
        click.echo(line)
    click.echo(describe_pace(config, gpus or 1) or "A run this short is over before its time could be estimated.")
    click.echo(f"Dry run: no folder was made in {outdir}.")


def _check_names(cfg: str, data: str, resolution: int | None, options: dict[str, Any]) -> str:
    """Refuse a wrong rung, device or size before all pictures are read; take the device out of `options`."""
    parse_rung(cfg)
    device: str = options.pop("device", None) or ("cuda" if torch.cuda.is_available() else "cpu")
    check_device(device)
    if data != "critters" and resolution is not None:
        raise click.UsageError("--resolution goes with --data=critters only; other data keep their own size.")
    return device


def _configure(
    cfg: str, source: ImageSource, device: str, options: dict[str, Any], ranks: int, **read: Any
) -> TrainConfig:
    """Return the configuration of a run on `source`, of which `read` says otherwise what is yet to be drawn."""
    cond = options.get("cond", False)
    if cond and source.labels is None:
        raise TrainingError(
            f"{source.path} has no labels to train with; add them to its dataset.json, make a class of each folder "
            "with `python train.py dataset convert --labels folders`, or leave out --cond."
        )
    switches, values = _split(options)
    read = {
        "data": os.path.abspath(source.path),  # the run may be resumed from another folder
        "data_name": source.name,
        "data_images": len(source),
        "data_digest": source.digest,
    } | read
    values = {"num_fp16_res": default_num_fp16_res(device), **values, **read, "device": device}
    shape: dict[str, Any] = {"resolution": source.resolution, "img_channels": source.channels}
    shape["c_dim"] = source.c_dim if cond else 0
    config = configure(cfg, switches=switches, **shape, **values)
    deal_batch(config, ranks)
    check_memory(config, ranks)
    return config


def _split(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the switches of the networks and the fields of TrainConfig among a command's options."""
    switches = {name: options[name] for name in OPTION_NAMES if name in options}
    return switches, {name: value for name, value in options.items() if name not in (*OPTION_NAMES, "cond")}


def _open_source(transfer: str, cfg: str, data: str, resolution: int | None, options: dict[str, Any]) -> Source:
    """Open the model to start from, and refuse one of which nothing fits before all pictures are read.

    The set's first picture tells their size; labels, which it does not, leave most of a network as it is.
    """
    model = open_source(transfer)
    size, channels = (resolution or 32, 3) if data == "critters" else peek_images(data)
    switches, values = _split(options)
    unread: dict[str, Any] = {"data": data, "data_name": "", "data_images": 1, "data_digest": ""}
    plan_transfer(model, configure(cfg, resolution=size, img_channels=channels, switches=switches, **unread, **values))
    return model


def _plan_transfer(model: Source | None, config: TrainConfig) -> tuple[TrainConfig, Transfer | None]:
    """Return a new run's options, which may depend on the model that it starts from, and what it takes of that."""
    if model is None:
        return config, None
    planned = plan_transfer(model, config)
    return planned.configure(config), planned


def resume_run(
    folder: Path,
    data: str | None = None,
    *,
    device: str | None = None,
    workers: int | None = None,
    data_changed: bool = False,
    **changes: Any,
) -> None:
    """Continue the run in `folder`; `changes` are fields of TrainConfig, `data` the pictures' new place.

    `data_changed`: go on even if they are not the pictures that the run was started with. A run that was ended before
    its first snapshot begins again.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder} is not a folder; give the run folder to resume.")
    with join_ranks(device or read_device(folder)) as ranks:
        check_resumable(folder)
        with hold_folder(folder) if ranks.is_first else nullcontext():
            _resume(folder, ranks, data, device, workers, data_changed, changes)


def _resume(
    folder: Path,
    ranks: Ranks,
    data: str | None,
    device: str | None,
    workers: int | None,
    data_changed: bool,
    changes: dict[str, Any],
) -> None:
    state = load_state(folder, device, ranks)
    was_complete = state.images >= state.config.total_images
    state.config = config = replace(state.config, data=os.path.abspath(data or state.config.data), **changes)
    deal_batch(config, ranks.count)
    if state.images >= config.total_images and not ranks.follow(owes_figures(folder, state)):
        click.echo(f"{folder} is complete ({state.images / 1000:g} kimg); give a larger --kimg to train it further.")
        return
    if not os.path.exists(config.data):
        raise TrainingError(f"{config.data} does not exist; give the place of the run's pictures with --data=PATH.")
    whole = _open_images(config.data, config.resolution, workers)
    source = _choose_subset(whole, config.subset, config.seed)
    check_fit(source, config)
    reader = SourceReader(source)
    differences = describe_changes(folder, source, config)
    if differences and not data_changed:
        raise TrainingError(
            f"{source.path} changed since the run was started: {differences}; give the same data to resume, "
            "--data-changed to go on with what is there now, or start a new run."
        )
    opening = []
    if not state.images:
        opening.append("The run was ended before its first snapshot: it begins again, with the same options.")
    if differences:
        state.config = replace(config, data_images=len(source), data_digest=source.digest)
        opening.append(f"The data changed: {differences}; from here on its pictures come in another order.")
    elif data_changed:
        opening.append("The data did not change.")
    metrics = _open_metrics(state.config, whole, "detectors" in changes) if ranks.is_first else None
    del whole  # which nothing else keeps in memory
    state.config = _cite_detectors(state.config, metrics, ranks)
    _train(folder, state, reader, metrics, None, *opening, was_complete=was_complete)


def _cite_detectors(config: TrainConfig, metrics: SnapshotMetrics | None, ranks: Ranks) -> TrainConfig:
    """Return the options with what may be kept of the detectors' names, as the first rank knows them."""
    cited = tuple(map(cite_detector, config.detectors)) if metrics is None else metrics.detectors
    return replace(config, detectors=ranks.follow(cited))


def _open_metrics(config: TrainConfig, source: ImageSource, is_asked: bool = True) -> SnapshotMetrics | None:
    """Open what measures a run's snapshots, before anything is written; None where nothing is to be measured.

    `source` is the whole set, with which figures of any run on it compare.
    Its detectors are programs: `is_asked` tells that the user named them, and not only the run's files.
    """
    if not config.metrics:
        return None
    given = (config.metrics, config.detectors, config.generator, source, config.mirror, config.device)
    return SnapshotMetrics(*given, is_asked=is_asked)


def _train(
    folder: Path,
    state: TrainState,
    reader: SourceReader,
    metrics: SnapshotMetrics | None,
    teachers: Teachers | None,
    *opening: str,
    was_complete: bool = False,
) -> None:
    config, ranks = state.config, state.ranks
    if ranks.is_first:
        write_manifest(folder, reader.source)
    print(f"Run folder: {folder}", flush=True)  # the line that docs/run-folder.md promises
    log = (RunLog if ranks.is_first else SilentLog)(folder, config.total_images)
    log.write_progress("starting", state.images)
    for line in opening:
        log.say(line)
    configure_torch(state.device, config.threads, config.cudnn_benchmark)
    _check_agreement(state)
    if ranks.count > 1 or len(state.shares) > 1:
        log.say(describe_deal(state.shares, ranks.count))
    log.say(f"Computing in {describe_precision(config.num_fp16_res, config.resolution)}.")
    if config.num_fp16_res and state.device.type == "cpu":
        log.say("On a CPU float16 is slower than float32; stop, and resume with --fp32 to change to float32.")
    for line in describe_data(reader, config):
        log.say(line)
    outcome = Loop(folder, state, reader, log, metrics, teachers, was_complete=was_complete).run()
    if outcome == "stopped" and config.transfer and not state.images and not (folder / STATE).is_file():
        log.say("Stopped before the first image, and nothing of it is kept: start the run anew.")
    elif outcome == "stopped":
        log.say(f"Stopped at {state.images / 1000:g} kimg; continue with: python train.py --resume={folder}")
    else:
        log.say(f"Finished {state.images / 1000:g} kimg in {folder}.")


def _check_agreement(state: TrainState) -> None:
    """Raise RanksError unless all ranks train the same run on the same pictures; give them rank 0's first weights.

    Those of machines of different kinds, drawn from one seed, may differ by rounding.
    """
    document = {**state.config.to_json(), "data": "", "device": ""}  # which may have another path elsewhere
    if len(set(state.ranks.collect(json.dumps([document, state.images], sort_keys=True)))) > 1:
        raise RanksError(
            "The processes do not train the same: give every machine the same command, the same pictures and the same "
            "run folder."
        )
    for network in state.networks.values():
        state.ranks.spread(network.state_dict().values())


def _open_images(data: str, resolution: int | None = None, workers: int | None = None) -> ImageSource:
    click.echo(f"Reading the pictures in {data}")  # every one of them is checked, which can take a while
    source = open_images(data, resolution)
    source.readers = workers or source.readers
    return source


def _choose_subset(whole: ImageSource, count: int | None, seed: int | None) -> ImageSource:
    """Return what --subset chooses of a set by the run's seed, or all of it."""
    return whole.choose_subset(count, seed or 0) if count else whole


def _critters_path(outdir: Path, num: int, size: int) -> Path:
    return outdir / f"critters-{num}-{size}-{CRITTERS_SEED}.zip"


def draw_critters(
    path: Path,
    num: int,
    size: int,
    seed: int,
    species: Collection[str] = (),
    aligned: bool = False,
    plush: bool = False,
) -> None:
    """Draw a data set with progress on the terminal; TrainingError for a size, number, seed or species that is none."""
    with show_progress(f"Drawing {num} critters of {size}x{size} into {path}", "Drawn") as progress:
        try:
            write_dataset(path, num, size, seed, progress=progress, species=species, aligned=aligned, plush=plush)
        except ValueError as error:
            raise TrainingError(str(error)) from error
