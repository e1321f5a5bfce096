# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Captures in the window, driven: menu, keys, panel and drops; what comes of each, and what comes back."""

import copy
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from imgui_bundle import imgui
from PIL import Image
from support.gui import FRAMES, drive, save_model, settle

from gan.hub import cache
from viz.cli.main import main as viewer
from viz.core.state import SLOTS, AppState
from viz.record.sources import read_source
from viz.window.window import Window

pytestmark = pytest.mark.slow
CTRL, SHIFT = imgui.Key.mod_ctrl, imgui.Key.mod_shift


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Window:
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache" / "models")
    monkeypatch.setenv("JINC_CONFIG", str(tmp_path / "config"))
    for name in ("WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("glfw.get_cursor_pos", lambda window: (0.0, 0.0))
    state = AppState()
    state.left.path = save_model(tmp_path / "left.safetensors", "B", 32)
    state.right.path = save_model(tmp_path / "right.safetensors", "T", 64, seed=1)
    state.latent.x, state.transform.tx, state.transform.degrees = 3.5, 0.1, 20.0
    state.capture.folder = str(tmp_path / "captures")
    return Window(state, tmp_path / "config" / "state.json")  # as it is opened, for what goes on outside of frames


def wait(context: Any, shown: Window, until: Callable[[], bool] | None = None) -> str:
    """Let frames pass until nothing is under way; return what is said."""
    for _ in range(FRAMES):
        context.yield_(2)
        if not shown.capturing.is_busy() and (until is None or until()):
            return shown.context.message
    raise AssertionError("it never ended")


def pixels(path: Path | None) -> np.ndarray:
    assert path is not None
    with Image.open(path) as image:
        return np.array(image)


def redraw(tmp_path: Path, source: str, *words: str) -> np.ndarray:
    out = tmp_path / f"again{len(list(tmp_path.iterdir()))}.png"
    done = CliRunner().invoke(viewer, ["render", "--state", source, *words, "--out", str(out)], prog_name="v")
    assert done.exit_code == 0, done.output
    return pixels(out)


def test_every_part_is_captured_by_menu_and_key(tmp_path: Path, shown: Window) -> None:
    def test(context: Any) -> None:
        settle(context, shown)
        before = {slot: shown.context.results[slot].image.copy() for slot in SLOTS}  # type: ignore[union-attr]
        sizes = {"Left picture": (32, 32), "Right picture": (64, 64), "Both pictures": (64, 128)}
        for title, size in sizes.items():
            context.menu_click(f"##MainMenuBar/File/Capture/{title}")
            assert wait(context, shown).startswith(f"Wrote {tmp_path / 'captures'}"), shown.context.message
            found = pixels(shown.context.captures.last)
            assert found.shape == (*size, 3)
            if title in ("Left picture", "Right picture"):
                drawn = before["left" if title.startswith("Left") else "right"][:, :, :3]
                assert np.abs(found.astype(int) - drawn).max() <= 1
            assert np.array_equal(redraw(tmp_path, str(shown.context.captures.last)), found)
        shown.state.capture.size, shown.state.capture.what = 100, "right"
        context.key_press(CTRL | imgui.Key.s)
        wait(context, shown)
        assert pixels(shown.context.captures.last).shape == (100, 100, 3)
        canvas = shown.canvas.bounds
        context.mouse_move_to_pos((canvas.left + canvas.width / 4, canvas.top + canvas.height / 2))
        context.menu_click("##MainMenuBar/File/Capture/Canvas")
        wait(context, shown)
        found = pixels(shown.context.captures.last)
        assert found.shape == (round(canvas.bottom) - round(canvas.top), round(canvas.right) - round(canvas.left), 3)
        frame = shown.canvas.frames["left"]
        y, x = round(frame.centre_y - canvas.top), round(frame.centre_x - canvas.left)
        middle = found[y - 8 : y + 8, x - 8 : x + 8].mean((0, 1))
        expected = before["left"][14:18, 14:18, :3].mean((0, 1))
        assert np.abs(middle - expected).max() < 30, "the picture is where the canvas shows it, and the right way up"
        shown.state.capture.what = "window"
        context.key_press(CTRL | imgui.Key.s)
        wait(context, shown)
        display = imgui.get_io().display_size
        assert pixels(shown.context.captures.last).shape == (round(display.y), round(display.x), 3)
        assert read_source(str(shown.context.captures.last)).what == "window"
        assert redraw(tmp_path, str(shown.context.captures.last)).shape == (64, 128, 3)
        jobs = shown.context.jobs
        assert not any(name.startswith("capture") for name in (*jobs.statuses, *jobs.started)), "no pixels stay behind"
        names = sorted(path.name for path in (tmp_path / "captures").iterdir())
        assert len(names) == 6 and not any(name.startswith(".") for name in names)

    drive(shown, test)


def test_a_capture_brings_everything_back_and_can_be_undone(tmp_path: Path, shown: Window) -> None:
    def test(context: Any) -> None:
        settle(context, shown)
        context.key_press(CTRL | imgui.Key.s)
        wait(context, shown)
        path, kept = shown.context.captures.last, copy.deepcopy(shown.state)
        assert path is not None
        shown.state.latent.x, shown.state.transform.scale, shown.state.canvas.mode = 40.0, 0.5, "split"
        shown.state.left.path, shown.state.right.path = shown.state.right.path, ""
        shown.state.latent.animate = True
        context.yield_(5)
        shown.state.latent.animate = False
        context.yield_(3)
        changed = copy.deepcopy(shown.state)
        shown._on_drop(None, [str(path)])
        assert f"Brought back the state of {path.name}" in wait(context, shown)
        for part in ("left", "right", "latent", "transform", "canvas"):
            assert getattr(shown.state, part) == getattr(kept, part), part
        context.yield_(3)
        context.key_press(CTRL | imgui.Key.z)
        context.yield_(3)
        assert shown.state.right.path == "" and shown.state.latent.x == changed.latent.x
        context.menu_click("##MainMenuBar/File/Capture/Size, folder and name …")
        context.yield_(3)
        context.item_input_value("//Capture/**/##capture", str(path))
        wait(context, shown)
        assert shown.state.latent.x == 3.5

    drive(shown, test)


def test_what_cannot_come_back_changes_nothing(tmp_path: Path, shown: Window) -> None:
    def test(context: Any) -> None:
        settle(context, shown)
        context.key_press(CTRL | imgui.Key.s)
        wait(context, shown)
        path = shown.context.captures.last
        assert path is not None
        shown.state.left.path, shown.state.recents = "", []
        (tmp_path / "left.safetensors").rename(tmp_path / "gone")
        before = copy.deepcopy(shown.state)
        Image.new("RGB", (3, 3)).save(tmp_path / "plain.png")
        (tmp_path / "broken.png").write_bytes(path.read_bytes()[:200])
        for name, said in ((str(path), "needs left.safetensors"), ("plain.png", "holds no state"), ("broken.png", "")):
            shown._on_drop(None, [str(tmp_path / name)])
            assert said in wait(context, shown) and shown.context.message.endswith(".")
        shown.open_model("left", str(tmp_path / "plain.png"))
        assert "holds no state" in wait(context, shown)
        for text in ("", "hello", "jinc1:abcdef"):
            imgui.set_clipboard_text(text)
            context.key_press(CTRL | imgui.Key.v)
            assert "jinc1:" in wait(context, shown)
        assert shown.state == before
        shown.state.capture.folder = str(tmp_path / "plain.png")
        context.menu_click("##MainMenuBar/File/Capture/Right picture")
        assert "cannot be written" in wait(context, shown)
        context.menu_click("##MainMenuBar/File/Capture/Left picture")
        assert "no picture in the left slot" in wait(context, shown)

    drive(shown, test)


def test_state_and_command_go_through_the_clipboard(tmp_path: Path, shown: Window) -> None:
    def test(context: Any) -> None:
        settle(context, shown)
        expected = shown.context.results["left"].image.copy()  # type: ignore[union-attr]
        context.key_press(CTRL | SHIFT | imgui.Key.c)
        assert "Copied the command" in wait(context, shown)
        words = shlex.split(imgui.get_clipboard_text())
        words = words[words.index("render") : -1]
        done = CliRunner().invoke(viewer, [*words, str(tmp_path / "command.png")], prog_name="v")
        assert done.exit_code == 0, done.output
        assert np.abs(pixels(tmp_path / "command.png").astype(int) - expected[:, :, :3]).max() <= 1
        context.menu_click("##MainMenuBar/Edit/Copy state as text")
        assert "Copied the state" in wait(context, shown)
        text = imgui.get_clipboard_text()
        assert text.startswith("jinc1:")
        shown.state.latent.x = 50.0
        context.yield_(3)
        context.menu_click("##MainMenuBar/Edit/Paste state")
        assert "Brought back" in wait(context, shown) and shown.state.latent.x == 3.5
        imgui.set_clipboard_text("")
        shown.state.capture.what = "left"
        context.key_press(CTRL | imgui.Key.c)
        assert "its path is copied" in wait(context, shown)
        assert Path(imgui.get_clipboard_text()) == shown.context.captures.last

    drive(shown, test)


def test_the_panel_sets_what_where_and_how_large(tmp_path: Path, shown: Window) -> None:
    def test(context: Any) -> None:
        settle(context, shown)
        context.menu_click("##MainMenuBar/File/Capture/Size, folder and name …")
        context.yield_(3)
        context.item_click("//Capture/**/Both##what")
        assert shown.state.capture.what == "both"
        context.item_input_value("//Capture/**/##size", 80)
        context.item_input_value("//Capture/**/##folder", str(tmp_path / "other"))
        context.item_input_value("//Capture/**/##name", "{what} {number}")
        context.yield_(3)
        context.item_click("//Capture/**/Capture")
        wait(context, shown)
        assert shown.context.captures.last == tmp_path / "other" / "both 001.png"
        assert pixels(shown.context.captures.last).shape == (80, 160, 3)
        context.item_input_value("//Capture/**/##size", 99999)
        assert shown.state.capture.size == 8192

    drive(shown, test)


def test_a_long_capture_leaves_the_window_usable_and_can_be_cancelled(tmp_path: Path, shown: Window) -> None:
    folder, state = tmp_path / "captures", shown.state

    def until_long(context: Any) -> None:
        for _ in range(FRAMES):
            context.yield_(1)
            if shown.context.captures.is_long:
                return
        raise AssertionError("it ended first")

    def test(context: Any) -> None:
        settle(context, shown)
        shown.show("Capture")
        context.yield_(4)
        state.capture.size, state.capture.what = 8192, "right"
        shown.context.captures.take()
        until_long(context)
        before = shown.context.results["right"]
        state.latent.x += 1.0
        settle(context, shown)
        assert shown.context.results["right"] is not before and shown.capturing.is_busy(), "pictures come meanwhile"
        context.yield_(2)
        context.item_click("//Capture/**/Cancel")
        assert "cancelled: nothing was written" in wait(context, shown)
        assert not context.item_exists("//Capture/**/Cancel") or not shown.context.captures.is_long
        shown.context.captures.copy()  # the other way, ended from the status bar, whatever panel is in front
        until_long(context)
        shown.context.captures.cancel()
        wait(context, shown)
        for _ in range(100):
            context.yield_(1)
        assert not list(folder.glob("*")) and not any(
            name.startswith("capture") for name in shown.context.jobs.statuses
        )
        state.capture.size = 64
        shown.context.captures.take()
        assert "(64x64)" in wait(context, shown), "the next one is taken as ever"
        assert len(list(folder.glob("*"))) == 1

    drive(shown, test)
