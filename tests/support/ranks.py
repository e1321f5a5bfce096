# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Runs of a few steps by one process or several: `python -m support.ranks FOLDER NAME ...` is one of them."""

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gan.augment.config import PIPES
from gan.augment.options import AugmentOptions
from gan.shares import Share
from support.paths import ROOT
from support.steps import bits, small_config
from train.config import TrainConfig
from train.errors import TrainingError
from train.ranks.errors import LostRankError
from train.ranks.group import Ranks, join_ranks
from train.state import TrainState

BATCH = 8
LABELS = 3
ADA = AugmentOptions("ada", PIPES["bgcfnc"], p=0.5, ramp_images=320, target=0.1, interval=2)


def configs() -> dict[str, TrainConfig]:
    """Return runs that together visit every phase, average and random draw.

    With Adam's usual epsilon, a weight whose gradient is no more than rounding moves as far as any other, to either
    side; with this one, runs that compute the same stay together.
    """
    t = small_config("T")
    networks = {name: replace(getattr(t, name), c_dim=LABELS) for name in ("generator", "discriminator")}
    common = {"batch": BATCH, "adam_eps": 0.01}
    return {
        "A": small_config("A", reuse_fakes=True, augment=AugmentOptions(diffaug=("color", "cutout")), **common),
        "R": small_config("R", seed=1, **common),  # at 0, rounding decides on which side of its kink an activation is
        "T": small_config("T", augment=ADA, **networks, **common),
    }


def train(state: TrainState, steps: int) -> dict[str, torch.Tensor]:
    """Train on batches of noise; return the sum of each statistic over the steps."""
    share, c_dim = Share(BATCH, state.ranks.rank, state.ranks.count), state.config.generator.c_dim
    sums: dict[str, torch.Tensor] = {}
    for _ in range(steps):
        generator = torch.Generator().manual_seed(state.steps)
        reals = torch.rand(BATCH, 3, 16, 16, generator=generator) * 2 - 1
        classes = torch.randint(max(c_dim, 1), (BATCH,), generator=generator)
        labels = torch.nn.functional.one_hot(classes, c_dim).float() if c_dim else None
        found = state.step(reals[share.slice], None if labels is None else labels[share.slice])
        sums = {**sums, **{name: sums.get(name, 0) + value for name, value in found.items()}}
    return sums


def results(state: TrainState, steps: int) -> dict[str, Any]:
    sums = train(state, steps)
    return {**bits(state), **{f"stat {name}": value for name, value in sums.items()}, "p": state.augmenter.p}


def spawn(count: int, *words: str, ends: tuple[int, ...] = (0, 0)) -> None:
    """Run this module in `count` processes as torchrun would, without its seconds, and expect their statuses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    processes = []
    for rank in range(count):
        numbers = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
        environment = os.environ | address | {name: str(value) for name, value in numbers.items()}
        command = [sys.executable, "-P", "-m", "support.ranks", *words]
        processes.append(subprocess.Popen(command, env=environment | {"PYTHONPATH": paths}))
    assert tuple(process.wait(timeout=240) for process in processes) == ends


def main(folder: Path, *words: str) -> None:
    """Train each NAME:STEPS of `configs` or a state in the folder, and keep what came of it on every rank."""
    torch.set_num_threads(1)
    with join_ranks("cpu") as ranks:
        for word in words:
            name, steps = word.split(":")
            if name == "lost":
                lose_rank(ranks, folder)
                continue
            known = configs().get(name)
            path = folder / f"{name}.safetensors"
            state = TrainState.load(path, ranks=ranks) if known is None else TrainState(known, ranks)
            torch.save(results(state, int(steps)), folder / f"{name}-{ranks.rank}.pt")
            if ranks.is_first:
                state.save(path)


def lose_rank(ranks: Ranks, folder: Path) -> None:
    if ranks.rank == 1:
        raise TrainingError("The disk is full.")
    try:
        ranks.any(False)
    except LostRankError as error:
        (folder / "lost.txt").write_text(f"{error}.")
        os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
