# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Undo and redo in a window, driven: keys and menu, whole gestures, and the pixels that come back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imgui_bundle import imgui
from support.gui import drive, save_model, settle

from viz.canvas.overlays import explain_absence
from viz.core.latent_state import LatentState
from viz.core.state import AppState, TransformState
from viz.panels import PANELS
from viz.window import undo
from viz.window.window import Window

pytestmark = pytest.mark.slow

CTRL, SHIFT = imgui.Key.mod_ctrl, imgui.Key.mod_shift


def picture(shown: Window) -> np.ndarray:
    result = shown.context.results["right"]
    assert result is not None and result.image is not None
    return result.image.copy()


def drag(context: Any, shown: Window, dx: float, dy: float, button: int = 0) -> None:
    """Drag the right picture in several moves."""
    frame = shown.canvas.frames["right"]
    x, y = round(frame.centre_x), round(frame.centre_y)
    context.mouse_move_to_pos((x, y))
    context.mouse_down(button)
    for part in (0.25, 0.5, 1.0):
        context.mouse_move_to_pos((x + part * dx, y + part * dy))
        context.yield_(2)
    context.mouse_up(button)
    context.yield_(2)


def press(context: Any, chord: int) -> None:
    context.key_press(chord)
    context.yield_(2)


def dragged(context: Any, shown: Window) -> None:
    """Two drags are two steps; Ctrl-Z brings back each picture, Ctrl-Shift-Z and Ctrl-Y draw them anew."""
    state, pictures = shown.state, [picture(shown)]
    for button, dx in ((0, 60), (1, -80)):
        drag(context, shown, dx, 30, button)
        settle(context, shown)
        pictures.append(picture(shown))
    assert all(np.abs(pictures[i].astype(int) - pictures[i + 1]).max() > 5 for i in range(2))
    for keys, index in ((CTRL | imgui.Key.z, 1), (CTRL | imgui.Key.z, 0)):
        press(context, keys)
        settle(context, shown)
        assert np.array_equal(picture(shown), pictures[index])
    assert (state.transform, state.latent) == (TransformState(), LatentState())
    press(context, CTRL | imgui.Key.z)  # there is nothing before
    for keys, index in ((CTRL | SHIFT | imgui.Key.z, 1), (CTRL | imgui.Key.y, 2)):
        press(context, keys)
        settle(context, shown)
        assert np.array_equal(picture(shown), pictures[index])
    assert shown.context.message.startswith("Done again: walk")
    press(context, CTRL | imgui.Key.z)
    press(context, CTRL | imgui.Key.z)


def chosen_in_the_menu(context: Any, shown: Window) -> None:
    """The Edit menu says what it would undo."""
    context.item_input_value("//Latent/##psi", 0.25)
    context.yield_(3)
    assert shown.undo.history.undo_name == "truncation"
    context.menu_click("##MainMenuBar/Edit/###Undo")
    context.yield_(3)
    assert shown.state.latent.psi == 1.0 and shown.context.message == "Undone: truncation."
    context.menu_click("##MainMenuBar/Edit/###Redo")
    context.yield_(3)
    assert shown.state.latent.psi == 0.25
    press(context, CTRL | imgui.Key.z)


def turned_the_wheel(context: Any, shown: Window) -> None:
    """A turn of the wheel is one step, and so is an arrow key that is held."""
    frame = shown.canvas.frames["right"]
    context.mouse_move_to_pos((round(frame.centre_x), round(frame.centre_y)))
    for _ in range(3):
        context.mouse_wheel_y(1)
        context.yield_()
    assert shown.state.canvas.zoom > 1.3
    context.sleep_no_skip(2 * undo.WHEEL_SECONDS, 0.02)
    press(context, CTRL | imgui.Key.z)
    assert shown.state.canvas.zoom == 1.0
    context.key_down(imgui.Key.right_arrow)
    context.sleep_no_skip(0.8, 0.02)
    context.key_up(imgui.Key.right_arrow)
    context.yield_(3)
    assert shown.state.transform.tx > 2 / 64
    press(context, CTRL | imgui.Key.z)
    assert shown.state.transform.tx == 0.0


def typed(context: Any, shown: Window) -> None:
    """While a text is typed, Ctrl-Z is the text's; it closes a model that was opened, and a file that is none."""
    path = shown.state.right.path
    for given, said in (("", "Nothing is open here"), (__file__, "Ctrl-Z brings back the one before")):
        shown.open_model("right", given)
        context.yield_(3)
        settle(context, shown)
        absent = explain_absence(shown.state, shown.context, "right", None)
        assert absent is not None and said in absent.text and shown.undo.history.undo_name == "opening on the right"
        press(context, CTRL | imgui.Key.z)
        settle(context, shown)
        assert shown.state.right.path == path and picture(shown).any()


def only_looked_at(context: Any, shown: Window) -> None:
    """No panel changes a setting by being drawn: there is nothing to undo."""
    for panel in PANELS:
        shown.show(panel.TITLE)
        context.yield_(8)
        assert shown.undo.history.undo_name is None, panel.TITLE
    shown.show("Latent", "Transform")
    context.yield_(4)


def test_undo_and_redo(tmp_path: Path) -> None:
    state = AppState()
    state.left.path = save_model(tmp_path / "b.safetensors", "B", 64)
    state.right.path = save_model(tmp_path / "t.safetensors", "T", 64)
    state.sticking.show = "meters"
    shown = Window(state, strict=True)

    def script(context: Any) -> None:
        settle(context, shown)
        for step in (only_looked_at, dragged, chosen_in_the_menu, turned_the_wheel, typed):
            step(context, shown)

    drive(shown, script)
