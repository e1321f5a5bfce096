# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The hours that a run will take, from steps that are timed before it starts."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import replace

import click
import torch

from gan.files.format import format_duration
from train.config import TrainConfig
from train.device import configure_torch, synchronize, to_device
from train.losses import build_phases
from train.state import TrainState

LEAST_STEPS = 100  # a run of fewer is over before an estimate is worth its time
CPU_PIXELS = 16 * 64**2  # of the batch that is timed on a CPU, where time goes with the number of pictures
LONG_SECONDS = 10.0  # a step that takes longer is not repeated
TYPICAL_P = 0.2  # of adaptive augmentation, which begins at 0 and then costs something


def count_step_kinds(config: TrainConfig) -> dict[int, int]:
    """Return {first step: number of steps in a period} for each combination of phases that are due together."""
    phases = build_phases(config)
    period = math.lcm(*(phase.interval for phase in phases))
    due = [tuple(phase.name for phase in phases if step % phase.interval == 0) for step in range(period)]
    return {due.index(names): count for names, count in Counter(due).items()}


def describe_pace(config: TrainConfig, ranks: int = 1) -> str:
    """Say how long a run will take, by steps timed now; "" for one that is too short to ask.

    It trains a network of its own, and leaves torch's random numbers elsewhere: call it before the run's is made.
    """
    if config.total_images < LEAST_STEPS * config.batch:
        return ""
    click.echo("Timing a few steps.")
    rate = ranks * measure_rate(_shrink(config, ranks))
    hours = format_duration(config.total_images / rate)
    shared = f", if {ranks} processes are {ranks} times as fast as one" if ranks > 1 else ""
    return f"Expect about {hours} at {rate:.3g} images/s, by steps timed before the start{shared}."


def _shrink(config: TrainConfig, ranks: int) -> TrainConfig:
    """Return the options of the steps that are timed: one process's part of a batch, on a CPU a part of that."""
    group = config.discriminator.group_size(config.batch)
    batch = config.batch_gpu or config.batch // ranks
    if config.device == "cpu":
        batch = min(batch, max(CPU_PIXELS // config.resolution**2 // group, 1) * group)
    batch = max(batch // group, 1) * group
    augment = config.augment
    if augment.mode == "ada":
        augment = replace(augment, p=max(augment.p, TYPICAL_P))
    return replace(config, batch=batch, batch_gpu=0, warmup_images=0, augment=augment)


def measure_rate(config: TrainConfig) -> float:
    """Return images a second of training on random pictures: each kind of step once, after one to warm up."""
    device = torch.device(config.device)
    configure_torch(device, config.threads, config.cudnn_benchmark)
    state = TrainState(config)
    size = config.resolution
    noise = torch.randint(0, 256, (config.batch, config.generator.img_channels, size, size), dtype=torch.uint8)
    reals = to_device(noise.numpy(), device).float().div_(127.5).sub_(1)
    c_dim = config.generator.c_dim
    labels = torch.zeros(config.batch, c_dim, device=device) if c_dim else None
    kinds = count_step_kinds(config)
    seconds = 0.0
    for number, count in kinds.items():
        for _ in range(2):
            state.steps = number
            synchronize(device)
            begun = time.perf_counter()
            state.step(reals, labels)
            synchronize(device)
            taken = time.perf_counter() - begun
            if taken > LONG_SECONDS:
                break
        seconds += taken * count
    return config.batch * sum(kinds.values()) / seconds
