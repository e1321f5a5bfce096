# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The window, driven by pointer and keys without an X server: what moves, how far, and what is said when it cannot."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imgui_bundle import hello_imgui, imgui
from support.gui import drive, save_model, settle

from viz.canvas.canvas import ZOOM_STEP
from viz.canvas.overlays import RING, Frame
from viz.core.state import AppState, TransformState
from viz.window.window import Window

pytestmark = pytest.mark.slow

MOVE = (8, -5)  # pixels of the picture
RESOLUTION = 64


def window(left: str, right: str) -> Window:
    state = AppState()
    state.left.path, state.right.path = left, right
    state.sticking.show = "meters"  # no line on the pictures
    return Window(state, strict=True)


def picture(shown: Window, slot: Any) -> np.ndarray:
    """The slot's picture [H, W, 3] as numbers in 0..255."""
    result = shown.context.results[slot]
    assert result is not None and result.image is not None, result and result.error
    return result.image[:, :, :3].astype(np.float64)


def overlap(before: np.ndarray, after: np.ndarray, dx: int, dy: int) -> tuple[np.ndarray, np.ndarray]:
    """What both hold of one scene if `after` is `before` moved right by dx and down by dy pixels."""
    height, width = before.shape[:2]
    x, y = slice(max(0, -dx), width - max(0, dx)), slice(max(0, -dy), height - max(0, dy))
    return before[y, x], after[max(0, dy) : height - max(0, -dy), max(0, dx) : width - max(0, -dx)]


def residual(before: np.ndarray, after: np.ndarray, dx: int, dy: int) -> float:
    """Mean squared difference after undoing a move, in units of the picture's own variance."""
    old, new = overlap(before, after, dx, dy)
    return float(np.mean((old - new) ** 2) / before.var(axis=(0, 1)).mean())


def measured_move(before: np.ndarray, after: np.ndarray, reach: int = 16) -> tuple[int, int]:
    """The move, in whole pixels, under which two pictures correlate best where they overlap."""
    best, move = -2.0, (0, 0)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            old, new = (part - part.mean(axis=(0, 1)) for part in overlap(before, after, dx, dy))
            score = float((old * new).sum() / np.sqrt((old**2).sum() * (new**2).sum()))
            if score > best:
                best, move = score, (dx, dy)
    return move


def drag(context: Any, frame: Frame, dx: float, dy: float, button: int = 0) -> tuple[int, int]:
    """Drag from a quarter left of the picture's centre, by whole pixels of the screen; what was dragged."""
    x, y = round(frame.centre_x - frame.side / 8), round(frame.centre_y + frame.side / 8)
    context.mouse_move_to_pos((x, y))
    context.mouse_down(button)
    context.mouse_move_to_pos((x + round(dx), y + round(dy)))
    context.mouse_up(button)
    return round(dx), round(dy)


def followed(context: Any, shown: Window) -> None:
    """A drag moves T's content by as many pixels, and leaves B's behind."""
    state, canvas = shown.state, shown.canvas
    settle(context, shown)
    before = {slot: picture(shown, slot) for slot in ("left", "right")}
    frame = canvas.frames["right"]
    scale = frame.side / RESOLUTION
    dx, dy = drag(context, frame, MOVE[0] * scale, MOVE[1] * scale)
    assert (state.transform.tx, state.transform.ty) == pytest.approx((dx / frame.side, dy / frame.side), abs=1e-9)
    settle(context, shown)
    x, y = measured_move(before["right"], picture(shown, "right"))
    assert abs(x - MOVE[0]) <= 1 and abs(y - MOVE[1]) <= 1, (x, y)

    state.transform.snap = True  # for whole pixels, so that undoing the move needs no interpolation
    settle(context, shown)
    left, right = (residual(before[slot], picture(shown, slot), *MOVE) for slot in ("left", "right"))
    assert right < 0.01, f"T's content changed while it moved: {right}"
    assert left > 10 * right, f"B {left} should stick where T {right} follows"
    state.transform.snap = False


def turned(context: Any, shown: Window) -> None:
    """Shift-drag turns about the centre, the offset with it; a double click undoes it; the ring's knob turns too."""
    state, frame = shown.state, shown.canvas.frames["right"]
    state.transform = dataclasses.replace(TransformState(), tx=0.1)
    centre, reach = (round(frame.centre_x), round(frame.centre_y)), round(frame.side / 4)
    context.mouse_move_to_pos((centre[0] + reach, centre[1]))
    context.key_down(imgui.Key.mod_shift)
    context.mouse_down(0)
    context.mouse_move_to_pos((centre[0], centre[1] - reach))
    context.mouse_up(0)
    context.key_up(imgui.Key.mod_shift)
    assert state.transform.degrees == pytest.approx(90, abs=1)  # from the right to the top: counter-clockwise
    assert (state.transform.tx, state.transform.ty) == pytest.approx((0, -0.1), abs=0.003)

    io = imgui.get_io()  # on a loaded machine the two clicks of one may be far apart
    io.mouse_single_click_delay, io.mouse_double_click_time = 20.0, 10.0
    context.mouse_move_to_pos((centre[0], centre[1]))
    context.mouse_double_click(0)
    assert state.transform == TransformState()

    frame = shown.canvas.frames["left"]
    centre, reach = (round(frame.centre_x), round(frame.centre_y)), round(RING * frame.side)
    context.mouse_move_to_pos((centre[0], centre[1] - reach))
    context.mouse_down(0)
    context.mouse_move_to_pos((centre[0] - reach, centre[1]))
    context.mouse_up(0)
    assert state.transform.degrees == pytest.approx(90, abs=1) and state.transform.tx == 0
    context.mouse_double_click(0)


def looked_at(context: Any, shown: Window) -> None:
    """Wheel, middle-drag, 1 and F change how the pictures are looked at, and nothing of what they show."""
    state, frame = shown.state, shown.canvas.frames["right"]
    point = (round(frame.centre_x + frame.side / 4), round(frame.centre_y))
    seen = (point[0] - frame.centre_x) / frame.side
    context.mouse_move_to_pos(point)
    context.mouse_wheel_y(2)
    context.yield_()
    assert state.canvas.zoom == pytest.approx(ZOOM_STEP**2)
    assert (point[0] - frame.centre_x) / frame.side == pytest.approx(seen, abs=1 / frame.side)
    before, pan = dataclasses.replace(state.transform), state.canvas.pan_x
    dx, _ = drag(context, frame, 30, 0, button=2)
    assert state.canvas.pan_x - pan == pytest.approx(dx / frame.fitted)
    assert state.transform == before
    context.key_press(imgui.Key._1)
    context.yield_()
    assert frame.side == RESOLUTION
    context.key_press(imgui.Key.f)
    context.yield_()
    assert (state.canvas.zoom, state.canvas.pan_x) == (1, 0) and frame.side == frame.fitted


def walked(context: Any, shown: Window) -> None:
    """A right-drag walks over the seed plane, Nearest comes to rest on a seed, numbers are typed and reset."""
    state = shown.state
    before = picture(shown, "right")
    drag(context, shown.canvas.frames["right"], -100, 40, button=1)
    assert state.latent.x > 0.3 and state.latent.y < -0.1
    settle(context, shown)
    assert residual(before, picture(shown, "right"), 0, 0) > 0.1
    context.item_click("//Latent/Nearest")
    assert state.latent.x == int(state.latent.x)
    context.item_input_value("//Transform/##degrees", 12.5)
    assert state.transform.degrees == pytest.approx(12.5)
    context.item_double_click("//Transform/##degrees")
    context.yield_(3)
    assert state.transform.degrees == 0


def lit(context: Any, shown: Window) -> None:
    """T changes the theme."""
    frame = shown.canvas.frames["left"]
    context.mouse_move_to_pos((frame.centre_x, frame.centre_y))
    context.key_press(imgui.Key.t)
    context.yield_()
    assert shown.state.display.theme == "light"
    settle(context, shown)


def test_pictures_follow_the_pointer(tmp_path: Path) -> None:
    shown = window(save_model(tmp_path / "b.safetensors", "B"), save_model(tmp_path / "t.safetensors", "T"))

    def script(context: Any) -> None:
        for step in (followed, turned, looked_at, walked, lit):
            step(context, shown)

    drive(shown, script)
    screen = hello_imgui.final_app_window_screenshot()[:, :, :3].astype(np.float64)
    frame = shown.canvas.frames["right"]
    half = frame.side / 4  # the middle, clear of the ring
    rows, columns = (slice(int(centre - half), int(centre + half)) for centre in (frame.centre_y, frame.centre_x))
    kept = slice(RESOLUTION // 4, 3 * RESOLUTION // 4)
    on_screen, rendered = screen[rows, columns], picture(shown, "right")[kept, kept]
    assert np.abs(on_screen.mean(axis=(0, 1)) - rendered.mean(axis=(0, 1))).max() < 2
    assert np.abs(on_screen.std(axis=(0, 1)) - rendered.std(axis=(0, 1))).max() < 2


def test_what_cannot_be_shown_is_said(tmp_path: Path) -> None:
    good = save_model(tmp_path / "a.safetensors", "A", resolution=32)
    whole = (tmp_path / "a.safetensors").read_bytes()
    (tmp_path / "damaged.safetensors").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.safetensors").write_text("not a model")
    shown = window(good, "")
    state, view = shown.state, shown.context

    def constant_input(context: Any) -> None:
        settle(context, shown)
        before = picture(shown, "left")
        drag(context, shown.canvas.frames["left"], 60, 20)
        assert state.transform.tx > 0
        settle(context, shown)
        result = view.results["left"]
        assert result and result.notice and "Fourier input" in result.notice and "cannot be moved" in result.notice
        assert np.array_equal(before, picture(shown, "left"))
        context.item_click("//Transform/Reset")
        settle(context, shown)
        assert view.results["left"] and view.results["left"].notice is None

    def opens(context: Any, name: str) -> str:
        context.item_input_value("//Model/right/##path", str(tmp_path / name))
        settle(context, shown)
        sentence = view.error("right")
        assert sentence and "\n" not in sentence and name in sentence, sentence
        assert "Traceback" not in sentence and sentence.endswith(".")
        return sentence

    def errors(context: Any) -> None:
        opens(context, "missing.safetensors")
        opens(context, "damaged.safetensors")
        opens(context, "text.safetensors")
        assert picture(shown, "left").shape == (32, 32, 3)  # the other slot goes on
        context.item_input_value("//Model/right/##path", good)
        settle(context, shown)
        assert view.error("right") is None and picture(shown, "right").shape == (32, 32, 3)

    def script(context: Any) -> None:
        constant_input(context)
        errors(context)

    drive(shown, script)
