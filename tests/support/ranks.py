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
from train.ranks.group import join_ranks
from train.state import TrainState

BATCH = 8
LABELS = 3
ADA = AugmentOptions("ada", PIPES["bgcfnc"], p=0.5, ramp_images=320, target=0.1, interval=2)


def configs() -> dict[str, TrainConfig]:
    """Return runs that together visit every phase, average and random draw."""
    t = small_config("T", batch=BATCH)
    wide = {"generator": replace(t.generator, c_dim=LABELS), "discriminator": replace(t.discriminator, c_dim=LABELS)}
    return {
        "A": small_config("A", batch=BATCH),
        "R": small_config("R", batch=BATCH),
        "labels": small_config("T", batch=BATCH, **wide),
        "ada": small_config("T", batch=BATCH, augment=ADA),
        "reuse": small_config("B", batch=BATCH, reuse_fakes=True, augment=AugmentOptions(diffaug=("color", "cutout"))),
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


def spawn(count: int, *words: str) -> None:
    """Run this module in `count` processes as torchrun would, without its seconds."""
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
    assert [process.wait(timeout=120) for process in processes] == [0] * count


def main(folder: Path, steps: int, *names: str) -> None:
    torch.set_num_threads(1)
    with join_ranks("cpu") as ranks:
        for name in names:
            state = TrainState(configs()[name], ranks)
            found = results(state, steps)
            torch.save(found, folder / f"{name}-{ranks.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
