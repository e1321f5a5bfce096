# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py soak`: the real window under random input, until something breaks, leaks, or time is up.

Everything a hand could do is done at random: moves, drags with every button and modifier, wheel, keys, typing, clicks
on every panel, resizes, good and bad files in both slots, a run that grows under the Training panel. Two things are
left out on purpose. No trainer is started, however often the button is hit: the Start and Resume buttons show a
stand-in run instead, so that a soak never fills a disk or a processor for hours. And quitting is ignored.
"""

from __future__ import annotations

import faulthandler
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import psutil

from viz import state as states
from viz.layout import LEFT_SHARE
from viz.soak_props import StandInMonitor, StandInRun, save_bad_files, save_models
from viz.state import SLOTS, AppState, TrainingState

if TYPE_CHECKING:
    from viz.app import Window

GROWTH_LIMIT_MB = 20.0
SAMPLE_S = 2.0  # between two looks at the state
MEAN_S = 10.0  # over which memory is averaged
RESTORE_S = 20.0  # after so long, panels that were closed come back: else soon nothing is left to click on
SIZES = ((1600, 1000), (1280, 800), (900, 1100), (640, 480), (1600, 500))
NUMBERS = ("-1e9", "0.5", "nan", "inf", "1,5")
TEXTS = (
    *NUMBERS,
    "/",
    "~/x.zip",
    "~nobody/x",
    "猫と犬",
    "고양이",
    "é\u0301",
    "\U0001f431",
    "x" * 300,
)
MODIFIERS = ("mod_ctrl", "mod_shift", "mod_alt", "mod_super")
# Ctrl-Q would only be ignored; the others are all keys that the window or imgui listens to, and some that none does.
KEYS = (
    *"abcdefghijklmnoprstuvwxyz", *(f"_{digit}" for digit in range(10)), *(f"f{number}" for number in range(1, 13)),
    "left_arrow", "right_arrow", "up_arrow", "down_arrow", "page_up", "page_down", "home", "end", "insert", "delete",
    "backspace", "space", "enter", "escape", "tab", "comma", "period", "slash", "minus", "equal",
)  # fmt: skip


@dataclass
class Outcome:
    """What a soak came to: `rss_mb`, the memory held in the warm-up's last 10 s, and `growth_mb`, how much more in any
    10 s after it."""

    seconds: float = 0.0
    events: int = 0
    frames: int = 0
    rss_mb: float = 0.0
    growth_mb: float = 0.0
    errors: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.errors and self.growth_mb <= GROWTH_LIMIT_MB


class Hand:
    """Random gestures, fed to imgui event by event, a few each frame."""

    def __init__(self, rng: random.Random, window: Window, good: list[str], bad: list[str], run: StandInRun) -> None:
        self.rng, self.window, self.good, self.files, self.run = rng, window, good, good + bad, run
        self.events = 0
        self._gesture: Iterator[None] = self._tour()

    def move(self) -> None:
        """One frame of the current gesture, or the first of the next one."""
        for _ in range(self.rng.choice((1, 1, 1, 4))):
            try:
                next(self._gesture)
            except StopIteration:
                gestures = (self._drag, self._click, self._wheel, self._press, self._type, self._act)
                self._gesture = self.rng.choices(gestures, (8, 8, 3, 4, 6, 1))[0]()

    def _tour(self) -> Iterator[None]:
        """Every window size and every model once, so that what is loaded once is loaded within the first minute."""
        for size in SIZES:
            _resize(*size)
            yield from (None for _ in range(10))
        for index, path in enumerate(self.good):
            self.window.open_model(SLOTS[index % 2], path)
            yield from (None for _ in range(15))

    def _point(self) -> tuple[float, float]:
        """Somewhere in the window, now and then far outside."""
        width, height = _display()
        if self.rng.random() < 0.02:
            return self.rng.uniform(-1e4, 1e4), self.rng.uniform(-1e4, 1e4)
        return self.rng.uniform(0, width), self.rng.uniform(0, height)

    def _field(self) -> tuple[float, float]:
        """Somewhere in the left column, where the default layout has the panels full of numbers."""
        width, height = _display()
        return self.rng.uniform(0.08, LEFT_SHARE) * width, self.rng.uniform(0.05, 1.0) * height

    def _to(self, x: float, y: float) -> None:
        _io().add_mouse_pos_event(x, y)
        _point_at(x, y)
        self.events += 1

    def _button(self, button: int, down: bool) -> None:
        _io().add_mouse_button_event(button, down)
        self.events += 1

    def _key(self, name: str, down: bool) -> None:
        _io().add_key_event(_keys()[name], down)
        self.events += 1

    def _drag(self) -> Iterator[None]:
        button, held = self.rng.choice((0, 0, 0, 1, 2)), self.rng.choice((None, None, *MODIFIERS))
        (x0, y0), (x1, y1) = self._point(), self._point()
        if held:
            self._key(held, True)
        self._to(x0, y0)
        yield
        self._button(button, True)
        yield
        steps = self.rng.randint(2, 30)
        for step in range(1, steps + 1):
            part = step / steps
            self._to(x0 + (x1 - x0) * part + self.rng.gauss(0, 3), y0 + (y1 - y0) * part + self.rng.gauss(0, 3))
            yield
        self._button(button, False)
        if held:
            self._key(held, False)

    def _click(self) -> Iterator[None]:
        button = self.rng.choice((0, 0, 0, 0, 1, 2))
        self._to(*self._point())
        yield
        for _ in range(self.rng.choice((1, 1, 2))):
            self._button(button, True)
            yield
            self._button(button, False)
            yield

    def _wheel(self) -> Iterator[None]:
        self._to(*self._point())
        direction = self.rng.choice((-1.0, 1.0))
        for _ in range(self.rng.randint(1, 12)):
            _io().add_mouse_wheel_event(self.rng.choice((0.0, 0.0, direction)), direction * self.rng.uniform(0.1, 3.0))
            self.events += 1
            yield

    def _press(self) -> Iterator[None]:
        key, held = self.rng.choice(KEYS), self.rng.choice((None, None, None, *MODIFIERS))
        if held:
            self._key(held, True)
        self._key(key, True)
        for _ in range(self.rng.choice((1, 1, 20))):
            yield
        self._key(key, False)
        if held:
            self._key(held, False)

    def _type(self) -> Iterator[None]:
        """Words into whatever has the keyboard; mostly a click on a field first, which opens a number for typing."""
        texts: tuple[str, ...] = TEXTS
        if self.rng.random() < 0.8:
            texts = self.rng.choice((NUMBERS, TEXTS))
            self._to(*self._field())
            yield
            self._button(0, True)
            yield
            self._button(0, False)
            yield
            yield
        _io().add_input_characters_utf8(self.rng.choice(texts))
        self.events += 1
        yield
        key = self.rng.choice(("enter", "tab", "escape"))
        self._key(key, True)
        yield
        self._key(key, False)

    def _act(self) -> Iterator[None]:
        """What needs more than a pointer: open or drop files, resize, follow a run."""
        self.events += 1
        match self.rng.randrange(4):
            case 0 | 1:
                self.window.open_model(self.rng.choice(SLOTS), self.rng.choice(self.files))
            case 2:
                _resize(*self.rng.choice(SIZES))
            case 3 if self.window.view.run is not None:
                self.window.view.run.follow(self.rng.choice((str(self.run.folder), "", *self.files)))
        yield


class Memory:
    """Means of the memory held, 10 s at a time: pictures and textures under way come and go by 15 MB within a second,
    which no sample now and then compares fairly with another."""

    def __init__(self, warm_up: float) -> None:
        self.warm_up = warm_up
        self.before: float | None = None  # the last mean of the warm-up
        self.growth = 0.0  # of the largest mean after it
        self._held: list[float] = []
        self._since, self._warm = 0.0, False

    def add(self, seconds: float, held: float) -> None:
        """`held` MB at `seconds` from the start; call at every frame."""
        ended = seconds >= self.warm_up and not self._warm
        if self._held and (ended or seconds - self._since >= MEAN_S):
            mean = sum(self._held) / len(self._held)
            if self._warm and self.before is not None:
                self.growth = max(self.growth, mean - self.before)
            else:
                self.before = mean
            self._held.clear()
            self._since = seconds
        self._warm = self._warm or ended
        self._held.append(held)


class Driver:
    """Sits in the window's frame callbacks: input before each frame, measurements, and the end."""

    def __init__(self, window: Window, hand: Hand, seconds: float, warm_up: float) -> None:
        self.window, self.hand, self.seconds, self.warm_up = window, hand, seconds, warm_up
        self.outcome = Outcome()
        self._process = psutil.Process()
        self._started = self._sampled = self._restored = time.monotonic()
        self._said = 0
        self._memory = Memory(warm_up)

    def attach(self, params: Any) -> None:
        """Wrap the callbacks of hello_imgui's RunnerParams."""
        frame, self._params = params.callbacks.pre_new_frame, params

        def before() -> None:
            self.window.view.has_dialogs = False  # a desktop's file dialog is not ours to soak
            self.hand.move()
            frame()

        params.callbacks.pre_new_frame = before
        params.callbacks.after_swap = self._after
        params.fps_idling.fps_idle = 0.0  # never idle: the input does not come through GLFW, which would wake it

    def _after(self) -> None:
        now = time.monotonic()
        self.outcome.frames += 1
        self.outcome.seconds = now - self._started
        self._params.app_shall_exit = self.outcome.seconds >= self.seconds
        self._memory.add(self.outcome.seconds, self._process.memory_info().rss / 2**20)
        if now - self._sampled >= SAMPLE_S:
            self._sampled = now
            self.hand.run.grow()
            self._look()
        if now - self._restored >= RESTORE_S:
            self._restored = now
            self._params.docking_params.layout_reset = True
            for dockable in self._params.docking_params.dockable_windows:
                dockable.is_visible = True

    def _look(self) -> None:
        outcome = self.outcome
        outcome.events = self.hand.events
        states.from_json(states.to_json(self.window.state))  # a state that is saved must be one that can be read
        outcome.rss_mb, outcome.growth_mb = self._memory.before or 0.0, self._memory.growth
        if outcome.seconds // 60 > self._said:
            self._said = int(outcome.seconds // 60)
            rss = self._process.memory_info().rss / 2**20
            click.echo(f"{self._said} min: {outcome.frames} frames, {outcome.events} events, {rss:.0f} MB")


def run(seconds: float, warm_up: float, seed: int) -> Outcome:
    """Open the window and soak it. An exception anywhere ends it and is in the outcome's errors."""
    with tempfile.TemporaryDirectory(prefix="jinc-soak-") as name:
        folder = Path(name)
        good = save_models(folder)
        stand_in = StandInRun(folder / "00000-critters-T-32", good[0])
        from viz.app import Window

        state = AppState(training=TrainingState(outdir=str(folder / "runs")))
        state.left.path, state.right.path = good[1], good[2]
        window = Window(state, strict=True)
        if window.view.run is not None:
            window.view.run.close()
        window.view.run = StandInMonitor(stand_in.folder)
        hand = Hand(random.Random(seed), window, good, save_bad_files(folder, good[0]), stand_in)
        driver = Driver(window, hand, seconds, warm_up)
        _run_window(window, driver)
    return driver.outcome


def _run_window(window: Window, driver: Driver) -> None:
    from imgui_bundle import immapp

    from viz import offscreen

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


def _io() -> Any:
    from imgui_bundle import imgui

    return imgui.get_io()


def _keys() -> Any:
    from imgui_bundle import imgui

    return imgui.Key


def _display() -> tuple[float, float]:
    size = _io().display_size
    return max(size.x, 1.0), max(size.y, 1.0)


def _glfw_window() -> Any:
    from imgui_bundle import glfw_utils

    return glfw_utils.glfw_window_hello_imgui()


def _point_at(x: float, y: float) -> None:
    """Offscreen, put GLFW's own pointer there as well: imgui asks it every frame. A user's pointer is left alone."""
    import glfw

    from viz import offscreen

    if offscreen.in_use():
        glfw.set_cursor_pos(_glfw_window(), x, y)


def _resize(width: int, height: int) -> None:
    import glfw

    glfw.set_window_size(_glfw_window(), width, height)


@click.command()
@click.option("--minutes", type=click.FloatRange(0.01, 100_000), default=10.0, show_default=True, help="How long.")
@click.option("--warm-up", type=click.FloatRange(0, 100_000), default=1.0, show_default=True, metavar="MINUTES",
              help="After it, memory may grow no more.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the random input.")
def soak(minutes: float, warm_up: float, seed: int) -> None:
    """Drive the window with random input; fail on any exception or on memory that grows.

    \b
    Starts no trainer and keeps no state. Works without a display. Exit status 1 means that it failed.
    Example:
        python visualizer.py soak --minutes 10
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
