# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Drive the real window with random input until it breaks, leaks, or time is up: `python tests/soak/soak.py`.

Everything a hand could do is done at random: moves, drags with every button and modifier, wheel, keys, typing, clicks
on every panel, resizes, good and bad files in both slots, a run that grows under the Training panel. Two things are
left out on purpose. No trainer is started, however often the button is hit: the Start and Resume buttons show a
stand-in run instead, so that a soak never fills a disk or a processor for hours. And quitting is ignored.
"""

from __future__ import annotations

import ctypes
import faulthandler
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import click
import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from soak.fixtures import StandInMonitor, StandInRun, save_bad_files, save_models  # noqa: E402
from soak.random_input import Hand  # noqa: E402
from viz.core import state as states  # noqa: E402
from viz.core.panel_state import TrainingState  # noqa: E402
from viz.core.state import AppState  # noqa: E402

if TYPE_CHECKING:
    from viz.window.window import Window

GROWTH_LIMIT_MB = 20.0
SAMPLE_S = 2.0  # between two looks at the state
REST_S = 15.0  # between two rests, at which memory is weighed
RESTORE_S = 20.0  # after so long, panels that were closed come back: else soon nothing is left to click on


@dataclass
class Outcome:
    """What a soak came to: `rss_mb`, the memory held at rest at the warm-up's end; `growth_mb`, the most above it."""

    seconds: float = 0.0
    events: int = 0
    frames: int = 0
    rss_mb: float = 0.0
    growth_mb: float = 0.0
    errors: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.errors and self.growth_mb <= GROWTH_LIMIT_MB


class Memory:
    """The memory held whenever the window is back in one and the same state: only then do two numbers tell of a leak.
    Another size of the window alone, drawn in software, is tens of MB."""

    def __init__(self, warm_up: float) -> None:
        self.warm_up = warm_up
        self.before = 0.0  # at the last rest of the warm-up
        self.growth = 0.0  # at the worst rest after it

    def weigh(self, seconds: float, held: float) -> None:
        """`held` MB at rest, `seconds` after the start."""
        if seconds <= self.warm_up or not self.before:
            self.before = held
        else:
            self.growth = max(self.growth, held - self.before)


class Driver:
    """Sits in the window's frame callbacks: input before each frame, measurements, and the end."""

    def __init__(self, window: Window, hand: Hand, seconds: float, warm_up: float, frames: int) -> None:
        self.window, self.hand, self.seconds, self.warm_up, self.frames = window, hand, seconds, warm_up, frames
        self.outcome = Outcome()
        self._process = psutil.Process()
        self._started = self._sampled = self._restored = time.monotonic()
        self._said = 0
        self._memory = Memory(warm_up)
        self._held: list[float] = []  # frame by frame during a rest
        self._rested = 0.0

    def attach(self, params: Any) -> None:
        """Wrap the callbacks of hello_imgui's RunnerParams."""
        frame, self._params = params.callbacks.pre_new_frame, params

        def before() -> None:
            self.window.context.models.has_dialogs = False  # a desktop's file dialog is not ours to soak
            self.hand.move()
            frame()

        params.callbacks.pre_new_frame = before
        params.callbacks.after_swap = self._after
        params.fps_idling.fps_idle = 0.0  # never idle: the input does not come through GLFW, which would wake it

    def _after(self) -> None:
        now = time.monotonic()
        self.outcome.frames += 1
        self.outcome.seconds = now - self._started
        self._params.app_shall_exit = self.outcome.seconds >= self.seconds and self.outcome.frames >= self.frames
        self._weigh()
        if now - self._sampled >= SAMPLE_S:
            self._sampled = now
            self.hand.run.grow()
            self._look()
        if now - self._restored >= RESTORE_S:
            self._restored = now
            self._params.docking_params.layout_reset = True
            for dockable in self._params.docking_params.dockable_windows:
                dockable.is_visible = True

    def _weigh(self) -> None:
        seconds = self.outcome.seconds
        if self.hand.resting:
            if not self._held:
                give_back_free_memory()
            self._held.append(self._process.memory_info().rss / 2**20)
        elif self._held:
            self._memory.weigh(seconds, sum(self._held) / len(self._held))
            self._held.clear()
        if seconds - self._rested >= REST_S:
            self._rested, self.hand.rest_wanted = seconds, True

    def _look(self) -> None:
        outcome = self.outcome
        outcome.events = self.hand.events
        states.from_json(states.to_json(self.window.state))  # a state that is saved must be one that can be read
        outcome.rss_mb, outcome.growth_mb = self._memory.before, self._memory.growth
        if outcome.seconds // 60 > self._said:
            self._said = int(outcome.seconds // 60)
            click.echo(
                f"{self._said} min: {outcome.frames} frames, {outcome.events} events, "
                f"{outcome.rss_mb:.0f} MB and at most {outcome.growth_mb:.1f} MB more"
            )


def give_back_free_memory() -> None:
    """Let the C library return what it keeps free for later (glibc): 15 MB and more of the process, and no leak."""
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(ctypes.c_size_t(0))


def run(seconds: float, warm_up: float, seed: int, *, frames: int = 0) -> Outcome:
    """Open the window and soak it for `seconds`, and `frames` at least.

    An exception anywhere ends it and is in the outcome's errors.
    """
    with tempfile.TemporaryDirectory(prefix="jinc-soak-") as name:
        folder = Path(name)
        good = save_models(folder)
        stand_in = StandInRun(folder / "00000-critters-T-32", good[0])
        from viz.window.window import Window

        state = AppState(training=TrainingState(outdir=str(folder / "runs")))
        state.left.path, state.right.path = good[1], good[2]
        window = Window(state, strict=True)
        if window.context.training is not None:
            window.context.training.close()
        window.context.training = StandInMonitor(stand_in.folder)
        hand = Hand(random.Random(seed), window, good, save_bad_files(folder, good[0]), stand_in)
        driver = Driver(window, hand, seconds, warm_up, frames)
        # Captures go there, whatever is typed: Ctrl-S is one of the keys.
        with mock.patch("viz.record.naming.choose_folder", lambda text: folder / "captures"):
            _run_window(window, driver)
    return driver.outcome


def _run_window(window: Window, driver: Driver) -> None:
    from imgui_bundle import immapp

    from viz.display import offscreen

    errors = driver.outcome.errors
    hook = threading.excepthook
    threading.excepthook = lambda problem: errors.append(
        f"in a thread: {problem.exc_type.__name__}: {problem.exc_value}"
    )
    try:
        params = window.runner_params()
        driver.attach(params)
        if not offscreen.has_display():
            offscreen.use()
        immapp.run(params, immapp.AddOnsParams(with_implot=True))
    except Exception as problem:
        sys.excepthook(type(problem), problem, problem.__traceback__)
        errors.append(f"{type(problem).__name__}: {problem}"[:500])
    finally:
        threading.excepthook = hook
        window.close()


@click.command()
@click.option("--minutes", type=click.FloatRange(0.01, 100_000), default=10.0, show_default=True, help="How long.")
@click.option(
    "--warm-up",
    type=click.FloatRange(0, 100_000),
    default=1.0,
    show_default=True,
    metavar="MINUTES",
    help="After it, memory may grow no more.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the random input.")
def soak(minutes: float, warm_up: float, seed: int) -> None:
    """Drive the window with random input; fail on any exception or on memory that grows.

    \b
    Starts no trainer and keeps no state. Works without a display. Exit status 1 means that it failed.
    Example:
        python tests/soak/soak.py --minutes 10 --seed 7
    """
    if sys.__stderr__ and not faulthandler.is_enabled():
        faulthandler.enable(sys.__stderr__)  # a crash in native code then at least says where
    outcome = run(60 * minutes, 60 * min(warm_up, minutes / 2), seed)
    for error in outcome.errors:
        click.echo(f"Error: {error}", err=True)
    click.echo(
        f"{outcome.seconds:.0f} s, {outcome.events} events, {outcome.frames} frames, "
        f"{outcome.rss_mb:.0f} MB after the first {60 * min(warm_up, minutes / 2):.0f} s, "
        f"at most {outcome.growth_mb:.1f} MB more afterwards: {'passed' if outcome.passed else 'failed'}"
    )
    if not outcome.passed:
        sys.exit(1)


if __name__ == "__main__":
    soak()
