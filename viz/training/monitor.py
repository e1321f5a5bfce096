# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Launch, follow and stop a training run on a thread, so that the frame loop never touches a file for it."""

from __future__ import annotations

import os
import queue
import shlex
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from viz.core.panel_state import TrainingState
from viz.core.state import absolute_path
from viz.training.process import ProcessReport, RunError, TrainerProcess, end_process_tree, trainer_program
from viz.training.run_folder import NumberedFile, RunFolder, RunSnapshot, is_process_alive

POLL_S = 0.5
IDLE_POLL_S = 3.0  # a run that has ended may be resumed elsewhere; a rare look finds out
PICTURE_LIMIT = 2048  # pixels a side; the paper's grids are 8K wide, which no panel shows
AUGMENT = {"adaptive": "ada", "never": "noaug"}  # the trainer's words


@dataclass(frozen=True, eq=False)
class Fakes:
    """The newest grid of generated pictures, uint8 [H, W, 4]."""

    file: NumberedFile
    pixels: np.ndarray


@dataclass(frozen=True, eq=False)
class RunReport:
    """The state of a run as the Training panel shows it; replaced as a whole, never changed.

    `stage`: `idle`, `launching` (a command runs, no run folder yet), or the state of `snapshot`; `failed` and `crashed`
    come with an `error` sentence and, where this window launched the trainer, with the path of its `log`. Another stage
    has an `error` where the run could not be followed.
    """

    stage: str = "idle"
    error: str = ""
    log: Path | None = None
    snapshot: RunSnapshot | None = None
    fakes: Fakes | None = None
    output: str = ""

    @property
    def active(self) -> bool:
        """True while a trainer runs."""
        return self.stage in ("launching", "starting", "training", "paused", "stopping")


def build_training_command(training: TrainingState, model: str = "") -> tuple[str, ...]:
    """Return the command that trains what `training` says, starting from the file `model`, if its slot holds one.

    RunError, one sentence, for data that does not exist, or a slot that is empty.
    """
    options = [f"--cfg={training.rung}", f"--outdir={os.path.expanduser(training.outdir)}"]
    if training.source == "critters":
        options += ["--data=critters", f"--resolution={training.resolution}", f"--critters-num={training.pictures}"]
    else:
        data = os.path.expanduser(training.source.strip())
        if not os.path.exists(data):
            raise RunError(f"There is no folder or zip {data[:200]!r}: type the path of one, or choose critters.")
        options.append(f"--data={data}")
    options.append(f"--preset={training.preset}")
    if training.start_from != "nothing":
        if not model:
            raise RunError(f"No model is open on the {training.start_from}: open one there, or start from nothing.")
        options.append(f"--transfer={model}")
    given = {"batch": training.batch, "kimg": training.kimg, "gamma": training.gamma}
    options += [f"--{name}={value:g}" for name, value in given.items() if value > 0]  # 0: as the preset says
    options += [f"--aug={AUGMENT[training.augment]}"] if training.augment in AUGMENT else []
    # Two programs that each start a thread a core slow each other by far more than half: one core stays the window's.
    return (*trainer_program(), *options, f"--threads={max((os.cpu_count() or 1) - 1, 1)}")


def build_resume_command(run_folder: Path, kimg: float = 0.0) -> tuple[str, ...]:
    """Return the command that resumes a run exactly where it stopped, up to `kimg` if given, else to its own length."""
    return (*trainer_program(), f"--resume={run_folder}", *([f"--kimg={kimg:g}"] if kimg > 0.0 else []))


def format_command(command: Sequence[str]) -> str:
    """Format a command as one line for a shell."""
    return subprocess.list2cmdline(command) if sys.platform == "win32" else shlex.join(command)


class RunMonitor:
    """Owns the thread. Every method returns at once; `report` is what is known now.

    Closing it ends the thread, not the trainer: see TrainerProcess.
    """

    def __init__(self, run_folder: str = "", *, poll_s: float = POLL_S) -> None:
        """`run_folder`: a run to follow from the start, "" none."""
        self.shown: dict[str, NumberedFile] = {}  # the snapshot that following last put into each slot; the panel's
        self._poll_s = poll_s
        self._lock = threading.Lock()  # between an order's first words in the report and the thread's own
        self._report = RunReport()
        self._orders: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._folder: RunFolder | None = RunFolder(Path(absolute_path(run_folder))) if run_folder else None
        self._process: TrainerProcess | None = None
        self._unwatched: list[TrainerProcess] = []  # launched here, still running, but another run is looked at
        self._launched_at = 0.0
        self._stop_asked = False
        self._error = ""
        self._log: Path | None = None
        self._fakes: Fakes | None = None
        self._thread = threading.Thread(target=self._work, name="run-monitor", daemon=True)
        self._thread.start()

    @property
    def report(self) -> RunReport:
        return self._report

    def start(self, training: TrainingState, model: str = "") -> None:
        """Launch what `training` says now, `model` being what it starts from; the report says what became of it."""
        wish = replace(training)
        command = partial(build_training_command, wish, model)
        self._order(RunReport("launching"), lambda: self._launch(command, wish.outdir))

    def resume(self, run_folder: Path, kimg: float = 0.0) -> None:
        """Go on with a stopped run, or train a finished one further, up to `kimg`."""
        words = replace(self._report, stage="launching", error="", output="")
        command = partial(build_resume_command, run_folder, kimg)
        self._order(words, lambda: self._launch(command, str(run_folder.parent), run_folder))

    def stop(self) -> None:
        """Ask the trainer for a clean stop, even if another program launched it."""
        self._order(replace(self._report, stage="stopping"), self._stop)

    def pause(self, paused: bool) -> None:
        """Have the trainer wait after its step, or go on."""
        self._order(self._report, lambda: self._request(pause=paused))

    def snapshot(self) -> None:
        """Have the trainer write a snapshot after its step."""
        self._order(self._report, lambda: self._request(snapshot=True))

    def end(self) -> None:
        """Terminate the trainer now: what it learned since its last snapshot is lost."""
        self._order(self._report, self._end)

    def follow(self, run_folder: str) -> None:
        """Read this run from now on, "" none; a trainer that runs goes on, unwatched."""
        self._order(RunReport(), lambda: self._follow(Path(absolute_path(run_folder)) if run_folder else None))

    def _order(self, first_words: RunReport, action: Callable[[], None]) -> None:
        """Give `action` to the thread. The report says `first_words` at once, so that no second click repeats it."""
        with self._lock:
            self._report = first_words
            self._orders.put(action)

    def close(self) -> None:
        """End the thread (within a second or two, whatever it does now)."""
        self._orders.put(None)
        self._thread.join(timeout=5.0)
        for process in (self._process, *self._unwatched):
            if process is not None:
                process.release()

    # ------------------------------------------------------------------------------------ on the thread from here on

    def _work(self) -> None:
        while True:
            try:
                self._look()
            except Exception as problem:  # the thread must outlive whatever a run folder holds
                self._report_failure(problem)
            try:
                order = self._orders.get(timeout=self._poll_s if self._report.active else IDLE_POLL_S)
            except queue.Empty:
                continue
            if order is None:
                return
            try:
                order()
            except RunError as problem:
                self._error = str(problem)
            except Exception as problem:
                if not isinstance(problem, (OSError, ValueError)):
                    self._report_failure(problem)
                self._error = f"The trainer could not be started or stopped ({problem})."

    def _launch(self, command: Callable[[], Sequence[str]], outdir: str, run_folder: Path | None = None) -> None:
        self._follow(run_folder)
        if run_folder is not None:
            (run_folder / "stop").unlink(missing_ok=True)  # an old wish must not end the new session
        log = Path(os.path.expanduser(outdir)) / time.strftime("trainer-%Y%m%d-%H%M%S.log")
        self._launched_at = time.time()
        self._process, self._log = TrainerProcess(command(), log), log

    def _follow(self, run_folder: Path | None) -> None:
        self._folder = RunFolder(run_folder) if run_folder is not None else None
        self._stop_asked, self._error, self._log, self._fakes = False, "", None, None
        if self._process is not None:
            self._unwatched.append(self._process)
            self._process = None

    def _stop(self) -> None:
        self._stop_asked = True
        if self._process is not None:
            self._process.stop()
        elif self._folder is not None:
            self._folder.request_stop()

    def _request(self, **wishes: bool) -> None:
        if self._folder is not None:
            self._folder.request(**wishes)

    def _end(self) -> None:
        self._stop_asked = True
        if self._process is not None:
            self._process.end()
        elif self._folder is not None:
            snapshot = self._folder.poll()
            if snapshot.active and is_process_alive(snapshot.progress.pid, snapshot.changed_at):
                end_process_tree(snapshot.progress.pid)

    def _look(self) -> None:
        self._unwatched = [process for process in self._unwatched if process.poll().state == "running"]
        process = ProcessReport("done", None)
        if self._process is not None:
            process = self._process.poll()
            if process.run_folder is not None and (self._folder is None or self._folder.path != process.run_folder):
                self._folder = RunFolder(process.run_folder)
            if process.state != "running":
                self._process, self._error = None, process.error
        snapshot = self._folder.poll() if self._folder is not None else None
        if snapshot is not None and snapshot.fakes and (self._fakes is None or self._fakes.file != snapshot.fakes):
            self._fakes = read_fakes(snapshot.fakes) or self._fakes
        report = self._compose(process, snapshot)
        with self._lock:
            if self._orders.empty():  # else an order on its way has put its first words there
                self._report = report

    def _report_failure(self, problem: Exception) -> None:
        """Report an unexpected error; the next look may do better. A trainer that runs is not stopped by it."""
        error = f"The run could not be followed ({type(problem).__name__}: {problem})."
        with self._lock:
            if error == self._report.error or not self._orders.empty():
                return
            self._report = replace(self._report, error=error)
        traceback.print_exc()  # once, not twice a second

    def _compose(self, process: ProcessReport, snapshot: RunSnapshot | None) -> RunReport:
        running = process.state == "running"
        stage, error = "idle", self._error
        if snapshot is not None and snapshot.state == "absent" and not running:
            snapshot = None  # moved or deleted, or a typing error: nothing to show
        if snapshot is not None and snapshot.state not in ("absent", "unknown"):
            stage = snapshot.state
            error = snapshot.error if stage == "failed" and snapshot.error else error or snapshot.error
        if running and (snapshot is None or snapshot.changed_at < self._launched_at):
            stage = "launching"  # the step before the run, or a run folder that still tells of its last session
        elif not running and self._error:
            stage = "failed" if stage in ("idle", "failed") else "crashed"
        if stage == "crashed" and not error:
            error = "It exited without a message: it was probably killed, or the machine was switched off."
        if self._stop_asked and stage in ("launching", "starting", "training", "paused"):
            stage = "stopping"
        error = error if stage in ("failed", "crashed") else ""
        return RunReport(stage, error, self._log, snapshot, self._fakes, process.output if running else "")


def read_fakes(file: NumberedFile) -> Fakes | None:
    """Read a grid of pictures from a run folder, reduced to PICTURE_LIMIT; None if the file is damaged or gone."""
    try:
        with Image.open(file.path) as image:
            picture: Any = image.convert("RGBA")
        picture.thumbnail((PICTURE_LIMIT, PICTURE_LIMIT))
        return Fakes(file, np.ascontiguousarray(picture, np.uint8))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
