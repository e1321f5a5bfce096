# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Critters, the bundled data set: procedural pictures of one furry creature each, unaligned as in FFHQ-U.

Nothing is downloaded. `critters_species` draws an animal from a seed, `critters_patterns` its fur and markings,
`critters_paint` the picture. Here are the two entry points: one picture, and a data set in one zip.
"""

import io
import json
import multiprocessing
import os
import signal
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan.files.atomic_write import atomic_write
from train.critters.paint import paint
from train.critters.species import sample_critter

SMALLEST, LARGEST = 16, 512
# The picture i of the data set with seed k is the critter of seed k * SEED_STRIDE + i, so that no two sets share one.
SEED_STRIDE = 1_000_000

Pose = dict[str, Any]


def _check(size: int, seed: int) -> None:
    if size < SMALLEST or size > LARGEST or size & (size - 1):
        raise ValueError(f"The size of critters must be a power of two from {SMALLEST} to {LARGEST}, but it is {size}.")
    if seed < 0:
        raise ValueError(f"The seed must be zero or more, but it is {seed}.")


def draw_critter(seed: int, size: int) -> tuple[NDArray[np.uint8], Pose]:
    """Draw the critter of a seed; another size gives the same creature at another resolution.

    Returns the picture, uint8 RGB [size, size, 3], and its pose: `x`, `y` (centre of the head, image widths from the
    top left), `scale` (width of the head, image widths), `tilt` (degrees, clockwise), `yaw` and `pitch` (degrees;
    right and down are positive), `species`, `pattern`, `palette` and `seed`. Raises ValueError for a size that is not
    a power of two from 16 to 512 and for a negative seed.
    """
    _check(size, seed)
    critter = sample_critter(seed)
    pose = {
        name: round(float(value), 5)
        for name, value in (
            ("x", critter.x),
            ("y", critter.y),
            ("scale", critter.scale),
            ("tilt", critter.tilt),
            ("yaw", np.rad2deg(critter.yaw)),
            ("pitch", np.rad2deg(critter.pitch)),
        )
    }
    words = {"species": critter.species.name, "pattern": critter.pattern, "palette": critter.coat.name, "seed": seed}
    return paint(critter, size), pose | words


def _encoded(job: tuple[int, int]) -> tuple[bytes, Pose]:
    picture, pose = draw_critter(*job)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "png")
    return buffer.getvalue(), pose


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _pool(workers: int) -> Pool:
    """Spawned workers of one thread each, deaf to Ctrl-C: it reaches the whole group, and the parent ends them."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    before = {name: os.environ.get(name) for name in threads}
    os.environ.update(threads)  # read when a worker imports numpy
    # Where signals are inherited, a worker is deaf from its first moment and not only after its imports.
    main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        return multiprocessing.get_context("spawn").Pool(workers, _ignore_interrupts)
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _drawn(jobs: list[tuple[int, int]], workers: int) -> Iterator[Iterator[tuple[bytes, Pose]]]:
    """The encoded pictures of the jobs in their order."""
    if workers <= 1 or len(jobs) == 1:
        yield map(_encoded, jobs)
        return
    with _pool(min(workers, len(jobs))) as pool:  # leaving it, by an interrupt too, terminates the workers
        yield pool.imap(_encoded, jobs, chunksize=4)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))  # no clock and no platform in the bytes
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    return entry


def write_dataset(
    path: str | Path,
    num: int,
    size: int,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 2,
) -> None:
    """Write `num` critters as an uncompressed zip of PNGs with a dataset.json, the same bytes for any `workers`.

    The zip holds `00000/img00000000.png` and so on, a thousand a folder, and `dataset.json` with `labels` (null) and
    `poses` (name of the picture -> what `draw_critter` says of it). `progress(done, num)` is called after each
    picture. The file appears under its name when it is complete; an interrupt leaves nothing behind. Raises
    ValueError for bad arguments, OSError where the file cannot be written.
    """
    _check(size, seed)
    if not 1 <= num <= SEED_STRIDE:
        raise ValueError(f"The number of critters must be from 1 to {SEED_STRIDE}, but it is {num}.")
    poses: dict[str, Pose] = {}
    jobs = [(seed * SEED_STRIDE + index, size) for index in range(num)]
    with (
        atomic_write(Path(path)) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive,
        _drawn(jobs, workers) as pictures,
    ):
        for index, (png, pose) in enumerate(pictures):
            name = f"{index // 1000:05d}/img{index:08d}.png"
            archive.writestr(_entry(name), png)
            poses[name] = pose
            if progress is not None:
                progress(index + 1, num)
        archive.writestr(_entry("dataset.json"), json.dumps({"labels": None, "poses": poses}))
