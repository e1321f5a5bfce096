# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Critters, the bundled data set: procedural pictures of one furry creature each, by default unaligned as in FFHQ-U.

Nothing is downloaded. `species` samples an animal from a seed, `patterns` has its fur and markings, `paint` the
picture. Here are the two entry points: one picture, and a data set in one zip.
"""

import io
import json
import multiprocessing
import signal
import threading
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan.data.dataset_zip import make_entry, name_picture
from gan.files.atomic_write import atomic_write
from train.critters.paint import paint
from train.critters.species import SPECIES, align, make_plush, sample_critter, sample_species

MIN_SIZE, MAX_SIZE = 16, 512
# The data set with seed k has the critters of the seeds from k * SEED_STRIDE on, so that no two sets share one.
SEED_STRIDE = 1_000_000

Pose = dict[str, Any]
_Job = tuple[int, int, bool, bool]  # what `draw_critter` takes


def _check_arguments(size: int, seed: int) -> None:
    if not MIN_SIZE <= size <= MAX_SIZE or size & (size - 1):
        raise ValueError(f"The size of critters must be a power of two from {MIN_SIZE} to {MAX_SIZE}, not {size}.")
    if seed < 0:
        raise ValueError(f"The seed of critters must be 0 or more, not {seed}.")


def draw_critter(seed: int, size: int, aligned: bool = False, plush: bool = False) -> tuple[NDArray[np.uint8], Pose]:
    """Draw the critter of a seed; another size gives the same creature at another resolution.

    `aligned` shows it upright and straight ahead, `plush` with a toy's fur.

    Returns the picture, uint8 RGB [size, size, 3], and its pose: `x`, `y` (centre of the head, image widths from the
    top left), `scale` (width of the head, image widths), `tilt` (degrees, clockwise), `yaw` and `pitch` (degrees;
    right and down are positive), `species`, `pattern`, `palette` and `seed`. Raises ValueError for a size that is not
    a power of two from 16 to 512 and for a negative seed.
    """
    _check_arguments(size, seed)
    critter = sample_critter(seed)
    critter = align(critter) if aligned else critter
    critter = make_plush(critter) if plush else critter
    pose = {name: round(float(getattr(critter, name)), 5) for name in ("x", "y", "scale", "tilt")}
    pose |= {name: round(float(np.rad2deg(getattr(critter, name))), 5) for name in ("yaw", "pitch")}
    words = {"species": critter.species.name, "pattern": critter.pattern, "palette": critter.coat.name, "seed": seed}
    return paint(critter, size), pose | words


def choose_seeds(num: int, seed: int, species: Collection[str] = ()) -> list[int]:
    """Return the seeds of a data set's critters: the first `num` from its own first one on that are of these species.

    Without species any will do. Raises ValueError for a species that does not exist, and where the set's seeds end
    before there are `num`.
    """
    known = [one.name for one in SPECIES]
    for name in species:
        if name not in known:
            raise ValueError(f"There are no critters called {name!r}, but there are {', '.join(known)}.")
    seeds: Iterator[int] = iter(range(seed * SEED_STRIDE, (seed + 1) * SEED_STRIDE))
    if species:
        seeds = (one for one in seeds if sample_species(np.random.Generator(np.random.PCG64(one))).name in species)
    chosen = list(islice(seeds, max(num, 0)))
    if not 1 <= num == len(chosen):
        raise ValueError(f"The number of critters must be from 1 to {len(chosen) or SEED_STRIDE}, not {num}.")
    return chosen


def _draw_png(job: _Job) -> tuple[bytes, Pose]:
    picture, pose = draw_critter(*job)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "png")
    return buffer.getvalue(), pose


def _start_pool(workers: int) -> Pool:
    """Spawn workers that ignore Ctrl-C: it reaches the whole process group, and the parent ends them."""
    # Where signals are inherited, a worker ignores it from its first moment and not only after its imports.
    main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        return multiprocessing.get_context("spawn").Pool(workers, signal.signal, (signal.SIGINT, signal.SIG_IGN))
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)


@contextmanager
def _draw_all(jobs: list[_Job], workers: int) -> Iterator[Iterator[tuple[bytes, Pose]]]:
    """Yield the PNGs and poses of the jobs, in their order."""
    if workers <= 1 or len(jobs) == 1:
        yield map(_draw_png, jobs)
        return
    with _start_pool(min(workers, len(jobs))) as pool:  # leaving it, by an interrupt too, terminates the workers
        yield pool.imap(_draw_png, jobs, chunksize=4)


def write_dataset(
    path: str | Path,
    num: int,
    size: int,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 2,
    species: Collection[str] = (),
    aligned: bool = False,
    plush: bool = False,
) -> None:
    """Write `num` critters as an uncompressed zip of PNGs with a dataset.json, the same bytes for any `workers`.

    Where `species` are named, only these; `aligned`, with all heads in one place; `plush`, with a toy's fur. The zip
    holds `00000/img00000000.png` and so on, a thousand a folder, and `dataset.json` with `labels` (null) and `poses`
    (name of the picture -> what `draw_critter` returns). `progress(done, num)` is called after each picture. The file
    appears under its name when it is complete; an interrupt leaves nothing behind. Raises ValueError for bad
    arguments, OSError where the file cannot be written.
    """
    _check_arguments(size, seed)
    poses: dict[str, Pose] = {}
    jobs = [(one, size, aligned, plush) for one in choose_seeds(num, seed, species)]
    with (
        atomic_write(Path(path)) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive,
        _draw_all(jobs, workers) as pictures,
    ):
        for index, (png, pose) in enumerate(pictures):
            name = name_picture(index)
            archive.writestr(make_entry(name), png)
            poses[name] = pose
            if progress is not None:
                progress(index + 1, num)
        archive.writestr(make_entry("dataset.json"), json.dumps({"labels": None, "poses": poses}))
