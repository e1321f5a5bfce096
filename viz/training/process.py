# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Run the trainer as a process of its own: started by its command line, stopped through its run folder.

A trainer that dies takes nothing with it but its last sentence, which is shown.
"""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from viz.training.run_folder import RunFolder, find_error_sentence, read_tail

STOP_GRACE_S = 300.0  # a step of a large model on a CPU takes minutes, and a lost snapshot is worse than a wait
TERM_GRACE_S = 10.0


class RunError(ValueError):
    """A run that cannot be started or resumed, said in one sentence."""


def trainer_program() -> tuple[str, ...]:
    """Return the start of every trainer command: `python train.py` in a checkout, else `python -P -m train`.

    With -P the folder that the window was opened in, whose own train.py may be anything, is not looked through.
    Raises RunError when neither is found.
    """
    script = Path(__file__).resolve().parents[2] / "train.py"
    if script.is_file():
        return (sys.executable, str(script))
    if importlib.util.find_spec("train") is not None:  # looks, without importing
        return (sys.executable, "-P", "-m", "train")
    raise RunError("The trainer (train.py) is not installed beside this viewer: reinstall Jinc as a whole.")


@dataclass(frozen=True)
class ProcessReport:
    """The state of a trainer's process: `running`, `done` or `failed`, with `error` one sentence if it failed."""

    state: str
    run_folder: Path | None
    error: str = ""
    output: str = ""


class TrainerProcess:
    """One trainer, in a session of its own.

    The session is its own so that Ctrl-C in the window's terminal does not reach the trainer, and so that training
    outlives the window: hours of work do not hang on a window that is closed by habit. The window finds the run
    again through its folder, whose progress.json names the process. Output goes to a file, never to a pipe, which would
    fill up unread.
    """

    def __init__(self, command: Sequence[str], log: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """`log`: file that both output streams are appended to. Raises RunError if it or the program cannot start."""
        self.log = log
        self._clock = clock
        self._stop_at: float | None = None
        self._stop_sent = False
        self._term_at: float | None = None
        self._run_folder: Path | None = None
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            self._log_start = log.stat().st_size if log.exists() else 0
            log.touch()
        except OSError as error:
            raise RunError(f"Cannot write into the output folder {log.parent}: {error.strerror}.") from error
        self._process = self._spawn(tuple(command))

    @property
    def pid(self) -> int:
        """Process number of the trainer."""
        return self._process.pid

    def poll(self) -> ProcessReport:
        """Look after the process, and press a stop that was asked for. Never waits."""
        code = self._process.poll()
        output = read_tail(self.log, self._log_start)
        if self._run_folder is None and (match := re.search(r"^Run folder: (.+?)\r?$\n", output, re.MULTILINE)):
            self._run_folder = Path(match[1].strip()).absolute()
        if code is None:
            self._press_stop()
            return ProcessReport("running", self._run_folder, output=output)
        if code == 0 or self._term_at is not None:  # it ended well, or because we ended it
            return ProcessReport("done", self._run_folder, output=output)
        return ProcessReport("failed", self._run_folder, _exit_sentence(code, output), output)

    def stop(self) -> None:
        """Ask for a clean end through the run folder's `stop` file.

        Before there is a run there is nothing to save, and the process is terminated; so it is when it has not ended
        after STOP_GRACE_S.
        """
        if self._stop_at is None:
            self._stop_at = self._clock()
        self._press_stop()

    def end(self) -> None:
        """Terminate now; what was trained since the last snapshot is lost. Killed if it still runs after a while."""
        self._stop_at = self._stop_at if self._stop_at is not None else self._clock()
        if self._term_at is None:
            self._term_at = self._clock()
            end_process_tree(self._process.pid)

    def release(self) -> None:
        """Release a process that is meant to go on, or about to end: Python warns of a child that it loses."""
        if self._process.poll() is None:
            self._process.returncode = 0

    def _press_stop(self) -> None:
        if self._stop_at is None:
            return
        if self._term_at is not None:
            if self._clock() - self._term_at > TERM_GRACE_S:
                end_process_tree(self._process.pid, force=True)
        elif self._run_folder is None or self._clock() - self._stop_at > STOP_GRACE_S:
            self.end()
        elif not self._stop_sent:  # once only: the trainer may have taken the file away as it stopped
            self._stop_sent = True
            try:
                RunFolder(self._run_folder).request_stop()
            except OSError:
                self.end()

    def _spawn(self, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
        own_group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows; elsewhere a new session does it
        try:
            with open(self.log, "ab") as log:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    start_new_session=True,
                    creationflags=own_group,
                )
        except OSError as error:
            raise RunError(f"Cannot start the trainer ({command[0]}): {error.strerror}.") from error
        try:  # the window stays smooth beside a trainer that takes every core
            psutil.Process(process.pid).nice(getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 5))
        except psutil.Error:
            pass
        return process


def _exit_sentence(code: int, output: str) -> str:
    if code < 0:
        names = {number.value: number.name for number in signal.Signals}
        hint = " (often because memory ran out)" if code == -9 else ""
        return f"The trainer was ended by {names.get(-code, f'signal {-code}')}{hint}."
    return find_error_sentence(output) or f"The trainer ended with code {code} and no message: see its log."


def end_process_tree(pid: int, *, force: bool = False) -> None:
    """Terminate (or kill) a process and its children; one that is already gone is no error."""
    try:
        process = psutil.Process(pid)
        family = [*process.children(recursive=True), process]
    except psutil.Error:
        return
    for member in family:
        try:
            member.kill() if force else member.terminate()
        except psutil.Error:
            pass
