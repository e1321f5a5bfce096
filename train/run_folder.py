# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The files of a run folder, for people and programs to follow: docs/run-folder.md is the contract."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from gan.files.atomic_write import atomic_write
from gan.files.format import format_duration, format_kimg
from gan.files.locks import release_and_delete, take_lock
from gan.files.numbered import format_images
from gan.files.wishes import CONTROL
from train.config import TrainConfig
from train.errors import TrainingError

OPTIONS = "training_options.json"
STATE = "training-state.safetensors"
STATS = "stats.jsonl"
PROGRESS = "progress.json"
LOG = "log.txt"
STOP = "stop"
LOCK = ".trainer.lock"

ERASE_LINE = "\r\x1b[K"  # of a terminal
ACTIVE_STATES = ("starting", "training", "paused", "stopping")  # of progress.json, while a trainer holds the folder


def snapshot_name(images: int) -> str:
    """Return the file name of the snapshot taken after `images` images."""
    return f"network-snapshot-{format_images(images)}.safetensors"


def fakes_name(images: int) -> str:
    """Return the file name of the grid of generated pictures after `images` images."""
    return f"fakes{format_images(images)}.png"


def make_run_folder(outdir: Path, config: TrainConfig, description: str = "") -> Path:
    """Make <outdir>/NNNNN-<data>-<rung>-<resolution>[-<description>], NNNNN one above the highest number there."""
    tail = f"{config.data_name}-{config.rung}-{config.resolution}{'-' * bool(description)}{description}"
    try:
        outdir.mkdir(parents=True, exist_ok=True)
        while True:
            taken = [int(p.name[:5]) for p in outdir.iterdir() if p.name[:5].isdecimal() and p.name[5:6] == "-"]
            run = outdir / f"{max(taken, default=-1) + 1:05d}-{tail}"
            try:
                run.mkdir()
                return run
            except FileExistsError:  # another run was started at the same moment
                continue
    except OSError as error:
        raise TrainingError(
            f"Cannot make a run folder in {outdir} ({error.strerror or error}); give a writable --outdir."
        ) from error


def find_trainer(run: Path) -> int | None:
    """Return the id of another process that still trains in a run folder, or None.

    A killed trainer leaves its id behind, and the system reuses ids: a process that began after progress.json was last
    written is another one.
    """
    try:
        progress = json.loads((run / PROGRESS).read_text(encoding="utf-8"))
        pid, state = progress["pid"], progress["state"]
        if state not in ACTIVE_STATES or pid == os.getpid():
            return None
        process = psutil.Process(pid)
        written = (run / PROGRESS).stat().st_mtime
        alive = process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= written + 1
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
    return pid if alive else None


@contextmanager
def hold_folder(run: Path) -> Iterator[None]:
    """Keep other processes from training in a run folder; remove requests of an earlier session at the beginning.

    TrainingError if another process trains in it, or is about to. OSError.
    """
    pid = find_trainer(run)
    lock = take_lock(run / LOCK) if pid is None else None  # its holder may read pictures for minutes before it says so
    if lock is None:
        raise TrainingError(
            f"{run} is still being trained by {f'process {pid}' if pid else 'another process'}; stop it first, for "
            f"example with a file named {STOP} in that folder, then resume."
        )
    try:
        for name in (STOP, CONTROL):  # those that are made from now on count
            (run / name).unlink(missing_ok=True)
        yield
    finally:
        release_and_delete(lock)


def write_json(path: Path, document: Any) -> None:
    """Write `document` to `path` atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def nullify_nonfinite(row: dict[str, Any]) -> dict[str, Any]:
    """Return `row` with None for numbers that are not finite: JSON has none."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}


class RunLog:
    """A run's log.txt, stats.jsonl and progress.json, and the same on the terminal."""

    def __init__(self, run: Path, total_images: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.run, self.total_images, self.clock = run, total_images, clock
        self._bar_shown = False
        self._written = -math.inf

    def say(self, line: str, is_printed: bool = True) -> None:
        """Keep one line in log.txt, and print it unless the terminal gets it elsewhere. OSError of log.txt alone."""
        line = line.encode("utf-8", "replace").decode()  # names of files may hold what no text can
        with (self.run / LOG).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        _show((ERASE_LINE if self._bar_shown else "") + (f"{line}\n" if is_printed else ""))
        self._bar_shown = False

    def append_row(self, row: dict[str, Any]) -> None:
        """Append one tick to stats.jsonl."""
        with (self.run / STATS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(nullify_nonfinite(row)) + "\n")

    def drop_rows_after(self, images: int) -> None:
        """Drop the rows of stats.jsonl that a resumed run is about to write again, and half-written ones."""
        path = self.run / STATS
        if not path.exists():
            return
        kept = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and row.get("images", 0) <= images:
                kept.append(line)
        with atomic_write(path) as temporary:
            temporary.write_text("".join(line + "\n" for line in kept), encoding="utf-8")

    def write_progress(self, state: str, images: int, images_per_s: float = 0.0, error: str | None = None) -> None:
        """Rewrite progress.json and the bar: at once when a session begins or ends, else at most once a second.

        A progress.json that cannot be written stays as it was: a run does not end for that.
        """
        now = self.clock()
        if state in ("training", "paused") and now - self._written < 1:
            return
        self._written = now
        left = max(self.total_images - images, 0) / images_per_s if images_per_s > 0 else None
        counts = {"state": state, "images": images, "total_images": self.total_images}
        pace = {"images_per_s": round(images_per_s, 3), "seconds_left": None if left is None else round(left, 1)}
        with suppress(OSError):  # Windows refuses while somebody reads it; the next write will do
            write_json(self.run / PROGRESS, {**counts, **pace, "pid": os.getpid(), "error": error})
        if state == "training":
            self._draw_bar(images, images_per_s, left)

    def _draw_bar(self, images: int, images_per_s: float, left: float | None) -> None:
        if not sys.stdout.isatty():  # a file or a pipe gets the line of each tick only
            return
        fraction = min(images / self.total_images, 1)
        bar = "#" * round(24 * fraction)
        tail = "" if left is None else f"  {format_duration(left)} left"
        text = f"[{bar:<24}] {fraction:4.0%}  {format_kimg(images)} kimg  {images_per_s:.1f} img/s{tail}"
        _show(f"{ERASE_LINE}{text}")
        self._bar_shown = True


def _show(text: str) -> None:
    """Print, unless nobody reads any more: Ctrl-C ends `| tee run.log` too, and the run has yet to be saved."""
    try:
        print(text, end="", flush=True)
    except OSError:
        with suppress(OSError), open(os.devnull, "wb") as nowhere:  # where all that follows goes
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


class SilentLog(RunLog):
    """The log of a process that is not the first of its run: nothing is written or said."""

    def say(self, line: str, is_printed: bool = True) -> None:
        pass

    def append_row(self, row: dict[str, Any]) -> None:
        pass

    def drop_rows_after(self, images: int) -> None:
        pass

    def write_progress(self, state: str, images: int, images_per_s: float = 0.0, error: str | None = None) -> None:
        pass
