# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Section "training": images a second and peak memory of the paper's preset: whole steps, in both precisions."""

from collections.abc import Iterator

import torch

from gan.networks.precision import NUM_FP16_RES
from train.bench import measure_throughput
from train.errors import is_out_of_memory

from ..device import Choice
from ..rows import Row, failed, row

CASES = (("T", 256, 64), ("R", 256, 64))
SMALL = (("T", 16, 4),)
STEPS = 4  # of each kind: with R1 and without


def training(choice: Choice) -> Iterator[Row]:
    """Section "training"."""
    for letter, resolution, batch in SMALL if choice.small else CASES:
        for half in (0,) if choice.small else (NUM_FP16_RES, 0):
            try:
                yield _fitting(letter, resolution, batch, half, choice)
            except Exception as problem:
                yield failed(f"{letter} {resolution}², {'mixed precision' if half else 'float32'}", problem)


def _fitting(letter: str, resolution: int, batch: int, half: int, choice: Choice) -> Row:
    """With the preset's batch, or the largest half of it that fits."""
    preset, tried, asked = "tiny" if choice.small else "paper", batch, batch
    steps = 1 if choice.small or choice.quick else STEPS
    while True:
        if not choice.small:
            torch.cuda.empty_cache()
        try:
            found = measure_throughput(
                letter,
                resolution,
                device=str(choice.device),
                num_fp16_res=half,
                batch=tried,
                preset_name=preset,
                steps=steps,
            )
            break
        except RuntimeError as problem:
            if not is_out_of_memory(problem) or tried < 8:
                raise
        tried //= 2
    step, rate = float(found["step ms"]), float(found["images/s"])
    note = f"A batch of {asked} does not fit." if tried < asked else ""
    name = f"training-{letter}-{resolution}" if half or choice.small else ""  # what an opponent is compared with
    return row(
        f"{letter} {resolution}², {preset} preset, batch {tried}, {found['precision']}",
        rate,
        "images/s",
        against=f"{step:.0f} ms a step, peak {float(found['memory MB']) / 1024:.1f} GiB",
        note=note,
        name=name,
        ms=1e3 / rate,
    )
