# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The hand that drives a soaked window: random gestures, event by event, and the rest in which memory is weighed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from soak.fixtures import StandInRun
from viz.core import gestures as motion
from viz.core.result import PICTURE
from viz.core.state import SLOTS, LayersState, SpectrumState, StickingState, TransformState
from viz.core.state_fields import choices_of
from viz.instruments.spectrum import AverageRequest
from viz.instruments.sticking import MeterRequest
from viz.window.layout import LEFT_SHARE, RIGHT_SHARE

if TYPE_CHECKING:
    from viz.window.window import Window

REST_FRAMES = 30  # for pictures and textures to come, and as many again to weigh
SIZES = ((1600, 1000), (1280, 800), (900, 1100), (640, 480), (1600, 500))
NUMBERS = ("-1e9", "0.5", "nan", "inf", "1,5")
TEXTS = (*NUMBERS, "/", "~/x.zip", "~nobody/x", "猫と犬", "고양이", "é\u0301", "\U0001f431", "x" * 300)
MODIFIERS = ("mod_ctrl", "mod_shift", "mod_alt", "mod_super")
# Ctrl-Q would only be ignored; the others are all keys that the window or imgui listens to, and some that none does.
KEYS = (
    *"abcdefghijklmnoprstuvwxyz",
    *(f"_{digit}" for digit in range(10)),
    *(f"f{number}" for number in range(1, 13)),
    "left_arrow",
    "right_arrow",
    "up_arrow",
    "down_arrow",
    "page_up",
    "page_down",
    "home",
    "end",
    "insert",
    "delete",
    "backspace",
    "space",
    "enter",
    "escape",
    "tab",
    "comma",
    "period",
    "slash",
    "minus",
    "equal",
)


class Hand:
    """Random gestures, fed to imgui event by event, a few each frame."""

    def __init__(self, rng: random.Random, window: Window, good: list[str], bad: list[str], run: StandInRun) -> None:
        self.rng, self.window, self.good, self.files, self.run = rng, window, good, good + bad, run
        self.events = 0
        self.rest_wanted = self.resting = False
        self._gesture: Iterator[None] = self._tour()

    def move(self) -> None:
        """One frame of the current gesture, or the first of the next one."""
        for _ in range(self.rng.choice((1, 1, 1, 4))):
            try:
                next(self._gesture)
            except StopIteration:
                if self.rest_wanted:
                    self._gesture = self._rest()
                    continue
                gestures = (self._drag, self._click, self._wheel, self._press, self._type, self._act)
                self._gesture = self.rng.choices(gestures, (8, 8, 3, 4, 6, 1))[0]()

    def _tour(self) -> Iterator[None]:
        """Every window size, panel and model once, so that what is loaded once is loaded within the first minute."""
        for size in SIZES:
            _resize(*size)
            yield from (None for _ in range(10))
        for index, path in enumerate(self.good):
            self.window.open_model(SLOTS[index % 2], path)
            yield from (None for _ in range(15))
            while not self.window.worker.is_idle():  # or the next would take its place before it is loaded
                yield
        yield from self._inside()

    def _inside(self) -> Iterator[None]:
        """Every panel, every way to look at what is in it, and every measurement once."""
        window, state = self.window, self.window.state
        for panel in _panels():
            window.show(panel.TITLE)
            yield from (None for _ in range(10))
        ways = ((state.layers, "mode"), (state.spectrum, "source"), (state.sticking, "show"), (state.canvas, "mode"))
        for title, (owner, name) in zip(("Layers", "Spectrum", "Sticking", "Sticking"), ways, strict=True):
            window.show(title)
            for word in (*choices_of(owner, name)[1:], choices_of(owner, name)[0]):
                setattr(owner, name, word)
                yield from (None for _ in range(10))
        shown = [(slot, result.request) for slot in SLOTS if (result := window.context.results[slot])]
        window.context.jobs.start(
            "average", AverageRequest(tuple((slot, one, PICTURE) for slot, one in shown), 3, 8.0, "")
        )
        window.context.jobs.start("meters", MeterRequest(tuple(shown), 2))
        yield from (None for _ in range(60))
        window.context.jobs.started.clear()

    def _rest(self) -> Iterator[None]:
        """Into the state in which memory is weighed: one size, the same two models, looked at whole, nothing moving."""
        self.rest_wanted, state = False, self.window.state
        _resize(*SIZES[0])
        state.training.follow_left = state.training.follow_right = state.latent.animate = state.canvas.nearest = False
        state.transform, state.canvas.mode = TransformState(), "side"
        state.layers, state.spectrum, state.sticking = LayersState(), SpectrumState(), StickingState()
        self.window.context.bookmarks.shelf.items = ()
        self.window.context.jobs.started.clear()
        state.focus = "left"
        state.link(True)
        motion.fit(state.canvas)
        for slot, path in zip(SLOTS, self.good, strict=False):
            self.window.open_model(slot, path)
        yield from (None for _ in range(REST_FRAMES))
        while not self.window.worker.is_idle():
            yield
        self.resting = True
        yield from (None for _ in range(REST_FRAMES))
        self.resting = False

    def _point(self) -> tuple[float, float]:
        """Somewhere in the window, now and then far outside."""
        width, height = _display()
        if self.rng.random() < 0.02:
            return self.rng.uniform(-1e4, 1e4), self.rng.uniform(-1e4, 1e4)
        return self.rng.uniform(0, width), self.rng.uniform(0, height)

    def _field(self) -> tuple[float, float]:
        """Somewhere in the left or the right column, where the default layout has the panels full of numbers."""

        width, height = _display()
        across = self.rng.uniform(0.08, LEFT_SHARE), 1 - self.rng.uniform(0.0, RIGHT_SHARE)
        return self.rng.choice(across) * width, self.rng.uniform(0.05, 1.0) * height

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
        """What needs more than a pointer: open or drop files, resize, follow a run, bring a panel to the front."""
        self.events += 1
        match self.rng.randrange(5):
            case 0 | 1:
                self.window.open_model(self.rng.choice(SLOTS), self.rng.choice(self.files))
            case 2:
                _resize(*self.rng.choice(SIZES))
            case 4:
                self.window.show(self.rng.choice(_panels()).TITLE)
            case 3 if self.window.context.training is not None:
                self.window.context.training.follow(self.rng.choice((str(self.run.folder), "", *self.files)))
        yield


def _io() -> Any:
    from imgui_bundle import imgui

    return imgui.get_io()


def _panels() -> Any:
    from viz.panels import PANELS

    return PANELS


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

    from viz.display import offscreen

    if offscreen.in_use():
        glfw.set_cursor_pos(_glfw_window(), x, y)


def _resize(width: int, height: int) -> None:
    import glfw

    glfw.set_window_size(_glfw_window(), width, height)
