# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Read run folders (docs/run-folder.md): what is new in one since the last look.

Nothing here imports `train` and nothing raises on what it reads: a half-written, damaged or missing file leaves what
was known before. Calls are short but touch files, so `viz.training.monitor` makes them away from the frame loop.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil

from gan.files.errors import sanitize_text
from gan.files.numbered import find_newest
from gan.files.wishes import write_wishes

ACTIVE = ("starting", "training", "paused", "stopping")  # states in which progress.json claims a living trainer
STATES = (*ACTIVE, "stopped", "finished", "failed")
STATE = "training-state.safetensors"  # that a run is resumed from
COLUMNS = ("kimg", "loss_g", "loss_d", "r1")  # of stats.jsonl: what curves are drawn over, and the curves
_READ_LIMIT = 4 << 20  # bytes of one file read in one poll, so that a huge file never stalls the follower
TAIL_LIMIT = 1 << 16  # bytes of the trainer's output kept: enough for its last sentence
_DOCUMENT_LIMIT = 1 << 20  # bytes of a JSON document: ours have some thousand, and objects take thirty times as much
_METRIC = re.compile(r"metric-.{1,120}\.jsonl")
MOST_METRICS = 32  # files
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Progress:
    """progress.json. `seconds_left` and `images_per_s` are 0 before the trainer knows them."""

    state: str = "starting"
    images: int = 0
    total_images: int = 0
    images_per_s: float = 0.0
    seconds_left: float = 0.0
    pid: int = 0
    error: str = ""

    @property
    def fraction(self) -> float:
        """Part of the run that is done, 0 to 1."""
        return min(self.images / self.total_images, 1.0) if self.total_images > 0 else 0.0

    @staticmethod
    def from_json(document: Mapping[str, object]) -> Progress:
        """Read progress.json. What is missing or of the wrong type takes its default: a follower never fails."""

        def number(name: str) -> float:
            value = document.get(name)
            return float(value) if isinstance(value, (int, float)) and abs(value) < 1e15 else 0.0

        error, state = document.get("error"), document.get("state", "starting")
        images, total_images, pid = (int(number(name)) for name in ("images", "total_images", "pid"))
        known = state if isinstance(state, str) and state in STATES else "unknown"
        sentence = sanitize_text(error) if isinstance(error, str) else ""
        return Progress(known, images, total_images, number("images_per_s"), number("seconds_left"), pid, sentence)


class NumberedFile(NamedTuple):
    """A picture or model of a run. Earlier versions wrote a name again within 1 kimg: the time tells which it is."""

    path: Path
    kimg: float
    written_ns: int


@dataclass(frozen=True)
class RunSnapshot:
    """One reading of a run folder.

    `state` is progress.json's, or `absent` (no such folder), `unknown` (no progress yet), `crashed` (progress claims a
    living trainer, but its process is gone). `curves` maps each of COLUMNS to float64 arrays of one length,
    NaN where a tick measured nothing. `metrics` maps the names of snapshots' figures to [2, n]: kimg in order, figures.
    """

    folder: Path
    state: str = "absent"
    progress: Progress = Progress()
    changed_at: float = 0.0  # seconds since the epoch: when progress.json was last written
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)
    metrics: Mapping[str, np.ndarray] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    fakes: NumberedFile | None = None
    network: NumberedFile | None = None
    resumable: bool = False
    error: str = ""

    @property
    def active(self) -> bool:
        """True while a trainer works on this run."""
        return self.state in ACTIVE


class GrowingFile:
    """Reader of the complete lines that were added to a file since the last call, a few megabytes at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._identity = 0

    def lines(self) -> tuple[bool, list[bytes]]:
        """Return (whether the file began anew, new lines without their ends). A line still being written waits."""
        try:
            status = self.path.stat()
            anew = status.st_size < self._offset or status.st_ino != self._identity  # a resumed run replaces the file
            if anew:
                self._offset, self._identity = 0, status.st_ino
            if status.st_size == self._offset:
                return anew, []
            with open(self.path, "rb") as file:
                file.seek(self._offset)
                block = file.read(_READ_LIMIT)
        except OSError:
            return False, []
        end = block.rfind(b"\n") + 1
        if end == 0 and len(block) == _READ_LIMIT:
            end = len(block)  # no line of ours is this long: damaged, so skip it rather than read it for ever
        self._offset += end
        return anew, block[:end].splitlines()


class MetricFile:
    """Figures of one metric-NAME.jsonl by name; of a snapshot that was measured twice the last ones count."""

    def __init__(self, path: Path) -> None:
        self._file = GrowingFile(path)
        self._figures: dict[str, dict[float, float]] = {}  # name of the figure -> kimg -> figure
        self._curves: dict[str, np.ndarray] = {}

    def read(self) -> Mapping[str, np.ndarray]:
        """Return the curves, [2, n] each, with what was added since the last call."""
        anew, lines = self._file.lines()
        if anew:
            self._figures.clear()
        for kimg, results in filter(None, map(_parse_metric, lines)):
            for name, figure in results.items():
                self._figures.setdefault(name, {})[kimg] = figure
        if anew or lines:
            self._curves = {name: np.array(sorted(of.items()), np.float64).T for name, of in self._figures.items()}
        return self._curves


class RunFolder:
    """Follows one run folder; `poll` reads what changed since the last time. Not thread-safe: one thread owns it."""

    def __init__(self, path: str | os.PathLike[str], *, stale_s: float = 5.0) -> None:
        """Follow `path`. A progress file younger than `stale_s` is a sign of life, whatever its process number says.

        The trainer may run on another machine that shares the folder.
        """
        self.path = Path(path)
        self._stale_s = stale_s
        self._stats = GrowingFile(self.path / "stats.jsonl")
        self._rows: list[tuple[float, ...]] = []
        self._curves: Mapping[str, np.ndarray] = {}
        self._metrics: dict[str, MetricFile] = {}  # by the file's name
        self._progress = Progress()
        self._progress_seen = (0, 0)
        self._options: Mapping[str, object] | None = None

    def poll(self) -> RunSnapshot:
        """Return the run as it is now. Damaged or missing files leave what was known before; nothing raises."""
        try:
            names = [entry.name for entry in os.scandir(self.path)]
        except (OSError, ValueError):  # ValueError: a name that no file can have
            return RunSnapshot(self.path)
        self._read_stats()
        metrics = self._read_metrics(names)
        if self._options is None:
            self._options = _read_json(self.path / "training_options.json")
        changed_at = self._read_progress()
        state, error = self._state(changed_at)
        return RunSnapshot(
            folder=self.path,
            state=state,
            progress=self._progress,
            changed_at=changed_at,
            curves=self._curves,
            metrics=metrics,
            options=self._options or {},
            fakes=newest(self.path, names, "fakes", ".png"),
            network=newest(self.path, names, "network-snapshot-", ".safetensors"),
            resumable=is_resumable(names) and state not in ACTIVE,
            error=error,
        )

    def request_stop(self) -> None:
        """Ask the trainer for a clean stop: it finishes its step, writes its snapshot and state, and ends."""
        (self.path / "stop").touch()

    def request(self, **wishes: bool) -> None:
        """Ask the trainer to pause, to resume, or for a snapshot, by control.json (docs/run-folder.md)."""
        write_wishes(self.path, **wishes)

    def _read_stats(self) -> None:
        anew, lines = self._stats.lines()
        if anew:
            self._rows.clear()
        self._rows += [row for row in map(_parse_stats, lines) if row is not None]
        if anew or lines:
            columns = np.array(self._rows, np.float64).reshape(len(self._rows), len(COLUMNS)).T
            self._curves = dict(zip(COLUMNS, np.ascontiguousarray(columns), strict=True))

    def _read_metrics(self, names: Sequence[str]) -> Mapping[str, np.ndarray]:
        """Read what is new in the files of metrics; return the curves of all, by name."""
        found = sorted(name for name in names if _METRIC.fullmatch(name))[:MOST_METRICS]
        self._metrics = {name: self._metrics.get(name) or MetricFile(self.path / name) for name in found}
        curves: dict[str, np.ndarray] = {}
        for name in found:
            curves |= self._metrics[name].read()
        return curves

    def _read_progress(self) -> float:
        """Read progress.json if it changed; return its modification time (0: there is none)."""
        path = self.path / "progress.json"
        try:
            status = path.stat()
        except OSError:
            return 0.0
        seen = (status.st_mtime_ns, status.st_size)
        if seen != self._progress_seen:
            document = _read_json(path)
            if document is not None:
                self._progress = Progress.from_json(document)
                self._progress_seen = seen
        return status.st_mtime

    def _state(self, changed_at: float) -> tuple[str, str]:
        if changed_at == 0.0 or self._progress_seen == (0, 0):
            return "unknown", ""
        if self._progress.state not in ACTIVE:
            return self._progress.state, self._progress.error
        if time.time() - changed_at < self._stale_s or is_process_alive(self._progress.pid, changed_at):
            return self._progress.state, ""
        return "crashed", self._progress.error or find_error_sentence(read_tail(self.path / "log.txt"))


def is_resumable(names: Sequence[str]) -> bool:
    """Return whether a run folder with files of these names can be resumed, be it from its beginning."""
    started = "training_options.json" in names and not any(name.startswith("network-snapshot-") for name in names)
    return STATE in names or started


def newest(folder: Path, names: Sequence[str], before: str, after: str) -> NumberedFile | None:
    """Return the newest of the files named `before`, images, `after` (gan.files.numbered); None if there is none."""
    found = find_newest(names, before, after)
    if found is None:
        return None
    name, images = found
    try:
        return NumberedFile(folder / name, images / 1000, (folder / name).stat().st_mtime_ns)
    except OSError:
        return None


def is_process_alive(pid: int, seen_at: float) -> bool:
    """Return whether process `pid` runs and wrote at time `seen_at` (a younger one only has its number)."""
    if pid <= 0:
        return False
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= seen_at + 2.0
    except psutil.Error:
        return False


def find_error_sentence(output: str) -> str:
    """Return what went wrong from a program's output: its last `Error: ...` line, else its last non-blank line."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", _ANSI.sub("", output)) if line.strip()]
    errors = [line for line in lines if line.startswith("Error: ")]
    return sanitize_text(errors[-1].removeprefix("Error: ") if errors else (lines[-1] if lines else ""))


def _parse_stats(line: bytes) -> tuple[float, ...] | None:
    """Parse one line of stats.jsonl as a row of COLUMNS; None if the line is damaged."""
    try:
        document = json.loads(line)
        row = tuple(float("nan") if document.get(name) is None else float(document[name]) for name in COLUMNS)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return row if np.isfinite(row[0]) else None


def _parse_metric(line: bytes) -> tuple[float, dict[str, float]] | None:
    """Parse one line of metric-NAME.jsonl as (kimg of its snapshot, finite figures by name); None if it is damaged."""
    try:
        document = json.loads(line)
        found = find_newest([str(document["snapshot_pkl"])], "network-snapshot-", ".safetensors")
        results = {
            sanitize_text(name, 80): float(figure) for name, figure in document["results"].items() if figure is not None
        }
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError):
        return None
    finite = {name: figure for name, figure in results.items() if np.isfinite(figure)}
    return None if found is None or not finite else (found[1] / 1000, finite)


def _read_json(path: Path) -> Mapping[str, object] | None:
    try:
        with open(path, "rb") as file:
            document = json.loads(file.read(_DOCUMENT_LIMIT))
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def read_tail(path: Path, start: int = 0) -> str:
    """Return the end of a text file, at most TAIL_LIMIT bytes and none before `start`; '' if unreadable."""
    try:
        with open(path, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(start, end - TAIL_LIMIT))
            return file.read(TAIL_LIMIT).decode("utf-8", "replace")
    except OSError:
        return ""
