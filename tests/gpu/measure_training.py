# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Section "training": images a second and peak memory of the paper's preset: losses, gradients, Adam, averages.

R1 is due every 16th step: steps with and without it are timed apart and weighed.
"""

import statistics
from collections.abc import Iterator
from time import monotonic, perf_counter
from typing import Any

import torch

from train.config import TrainConfig, configure
from train.memory import out_of_memory
from train.state import TrainState

from .device import Choice, wait
from .rows import Row, failed, row

LETTERS = ("T", "R")
SECONDS, STEPS = 8.0, 12  # of steps without R1, at most


def config(letter: str, choice: Choice, batch: int | None) -> TrainConfig:
    wanted: dict[str, Any] = {"resolution": 16, "preset_name": "tiny", "batch": 4} if choice.small else {
        "resolution": 256, "preset_name": "paper", "batch": batch}  # fmt: skip
    return configure(letter, data="", data_name="", data_images=1, data_digest="", device=str(choice.device), **wanted)


def seconds_a_step(made: TrainConfig, choice: Choice) -> float:
    """Of the average step; the first, with R1, is not counted."""
    state, device = TrainState(made), choice.device
    shape = (made.batch, 3, made.resolution, made.resolution)
    reals = torch.randn(shape, device=device).clamp(-1, 1)

    def timed() -> float:
        start = perf_counter()
        state.step(reals, None)
        wait(device)
        return perf_counter() - start

    timed()
    if not choice.small:
        timed()  # what is compiled or chosen for a step without R1
    state.steps, plain, until = 1, [], monotonic() + SECONDS
    for _ in range(1 if choice.small else 3 if choice.quick else STEPS):
        plain.append(timed())
        if monotonic() > until:
            break
    state.steps = made.r1_interval
    return ((made.r1_interval - 1) * statistics.median(plain) + timed()) / made.r1_interval


def training(choice: Choice) -> Iterator[Row]:
    """Section "training"."""
    for letter in LETTERS[:1] if choice.small else LETTERS:
        try:
            yield _fitting(letter, choice)
        except Exception as problem:
            yield failed(f"{letter} 256², paper's preset", problem)


def _fitting(letter: str, choice: Choice) -> Row:
    """With the preset's batch, or the largest half of it that fits."""
    made, tried = config(letter, choice, None), []
    while True:
        if not choice.small:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(choice.device)
        try:
            seconds = seconds_a_step(made, choice)
            break
        except RuntimeError as problem:
            if not out_of_memory(problem) or made.batch < 8:
                raise
            tried.append(made.batch)
        made = config(letter, choice, made.batch // 2)
    peak = "" if choice.small else f"peak {torch.cuda.max_memory_allocated(choice.device) / 2**30:.1f} GiB"
    note = f"A batch of {tried[0]} does not fit." if tried else ""
    return row(f"{letter} {made.resolution}², {'tiny' if choice.small else 'paper'} preset, batch {made.batch}: "
               "images a second", made.batch / seconds, "images/s",
               against=", ".join(filter(None, [f"{1e3 * seconds:.0f} ms a step", peak])), note=note,
               name=f"training-{letter}-{made.resolution}", ms=1e3 * seconds / made.batch)  # fmt: skip
