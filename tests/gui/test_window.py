# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The window as a program: started from the command line, its state kept, a broken panel no catastrophe."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imgui_bundle import imgui
from PIL import Image
from support.gui import drive, save_model, settle
from support.paths import ROOT
from support.tensorflow import file_of, generator, written_generator

from viz.core.state import AppState
from viz.panels import transform
from viz.ui import fitting, theme
from viz.window import state_saver
from viz.window.export_dialog import ExportDialog
from viz.window.menus import Menus
from viz.window.presentation import Presentation
from viz.window.window import Window

pytestmark = pytest.mark.slow


def visualizer(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run the program where there is no display."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, "visualizer.py", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_it_pictures_itself_and_keeps_its_state(tmp_path: Path) -> None:
    model, state_file, shot = (
        save_model(tmp_path / "b.safetensors", "B", 16),
        tmp_path / "state.json",
        tmp_path / "w.png",
    )
    words = ("--state", str(state_file), "--size", "900x700", "--screenshot", str(shot), "--overwrite")
    ran = visualizer("--left", model, "--right", "", *words)
    assert ran.returncode == 0 and str(shot) in ran.stdout, ran.stderr
    with Image.open(shot) as picture:
        assert picture.size == (900, 700)
        assert np.asarray(picture.convert("L")).std() > 10, "more than one grey"
    kept = json.loads(state_file.read_text())
    assert kept["left"]["path"] == model and kept["recents"] == [model]
    assert (kept["display"]["width"], kept["display"]["height"]) == (900, 700)

    state_file.write_text(state_file.read_text()[:-20])
    ran = visualizer(*words)
    said = [line for line in ran.stderr.splitlines() if "CPU" not in line]  # what runs the operators is said there, too
    assert ran.returncode == 0 and len(said) == 1 and "damaged" in said[0], ran.stderr
    assert json.loads(state_file.read_text())["left"]["path"] != model, "defaults, and readable again"
    spoiled = list(tmp_path.glob("state*damaged*"))
    assert len(spoiled) == 1 and model in spoiled[0].read_text(), "what could not be read is kept beside it"


def test_without_a_display_it_says_so_and_what_to_do() -> None:
    ran = visualizer()
    assert ran.returncode == 1
    assert len(ran.stderr.strip().splitlines()) == 1 and "python visualizer.py " in ran.stderr
    assert not sys.platform.startswith("linux") or "DISPLAY is not set" in ran.stderr


def test_it_says_how_many_pictures_it_showed(tmp_path: Path) -> None:
    left, right = (save_model(tmp_path / f"{rung}.safetensors", rung, 16) for rung in "BT")
    words = ("--left", left, "--right", right, "--state", str(tmp_path / "state.json"), "--exit-after", "12")
    ran = visualizer(*words, "--animate", "circle")
    said = re.fullmatch(r"\S+ s, (\d+) frames .*: left (\d+) \(.* a second\), right (\d+) \(.*\)\.\n", ran.stdout)
    assert ran.returncode == 0 and said, ran.stderr + ran.stdout
    frames, *pictures = map(int, said.groups())
    assert all(0 < count <= frames for count in pictures)


def test_closing_twice_waits_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, waits = Window(AppState()), []
    with monkeypatch.context() as patch:
        patch.setattr(shown.worker, "close", lambda: bool(waits.append(1)))  # a picture that takes for ever
        assert shown.close() is False and shown.close() is False and waits == [1]
    assert shown.worker.close()


def test_letters_that_only_the_system_has_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from imgui_bundle import hello_imgui, imgui

    symbols = hello_imgui.asset_file_full_path("fonts/fontawesome-webfont.ttf")  # stands in for a system's CJK font
    house, seen = 0xF015, []
    for places in ((), ("no such file", symbols)):
        monkeypatch.setattr(theme, "CJK_FONTS", places)
        monkeypatch.setattr(transform, "draw", lambda *_: seen.append(imgui.get_font().is_glyph_in_font(house)))
        drive(Window(AppState(), strict=True), lambda context: context.yield_(3))
        assert seen and seen[-1] is bool(places)


def test_a_broken_panel_is_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*_: object) -> None:
        from imgui_bundle import imgui

        imgui.push_id("left open")
        imgui.begin_child("left open")
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr(transform, "draw", broken)
    shown = Window(AppState())

    def script(context: Any) -> None:
        settle(context, shown)
        context.yield_(5)
        assert "The Transform panel failed: ZeroDivisionError: a mistake" in shown.context.message
        context.item_click("//Latent/Random")
        context.yield_(2)
        assert shown.state.latent.x == int(shown.state.latent.x)

    drive(shown, script)
    assert capsys.readouterr().err.count("Traceback") == 1, "once, not once a frame"


def test_imguis_own_window_is_not_shown() -> None:
    """Of that, into which what belongs to no window is drawn, a mere look for writing shows an empty square."""
    shown = Window(AppState())

    def script(context: Any) -> None:
        context.yield_(5)
        assert not [one.name for one in imgui.get_current_context().windows if "Debug##" in one.name and one.was_active]

    drive(shown, script)


@pytest.mark.parametrize(
    ("owner", "name", "words"),
    [
        (Menus, "bar", "The menu bar failed"),
        (Menus, "_capture_menu", "The menu bar failed"),
        (Menus, "status", "The status line failed"),
        (ExportDialog, "draw", "The dialog failed"),
        (Presentation, "draw_overlay", "The keys on the screen failed"),
    ],
)
def test_nothing_around_the_panels_ends_the_window(
    owner: type, name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        imgui.push_id("left open")
        imgui.begin_group()
        raise OSError("a mistake")

    monkeypatch.setattr(owner, name, broken)
    shown = Window(AppState())

    def script(context: Any) -> None:
        context.yield_(5)
        if name == "_capture_menu":
            context.item_click("//##MainMenuBar/##MenuBar/File")
            context.yield_(2)
        assert shown.context.message == f"{words}: OSError: a mistake"
        context.popup_close_all()
        context.item_click("//Latent/Random")
        context.yield_(2)
        assert shown.state.latent.x > 0.0

    drive(shown, script)


def test_the_state_is_kept_although_the_bookmarks_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.json"
    shown = Window(AppState(), path)
    monkeypatch.setattr(state_saver, "SAVE_SECONDS", -1.0)
    monkeypatch.setattr(shown._keeper, "save_if_due", lambda: "The bookmarks could not be kept.")
    shown._save_if_due()
    assert path.exists() and shown.context.message == "The bookmarks could not be kept."
    monkeypatch.setattr(shown._saver, "save_if_due", lambda state: "Nor the state.")
    shown._save_if_due()
    assert shown.context.message == "The bookmarks could not be kept. Nor the state."
    monkeypatch.undo()
    shown._save_if_due()
    assert shown.context.message == "The bookmarks could not be kept. Nor the state.", "what is said stays"
    shown.close()


def test_textures_are_filtered_as_they_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from viz.display.texture import Texture

    board = np.zeros((64, 64, 4), np.uint8)
    board[::2, 1::2] = board[1::2, ::2] = 255
    small = np.array([[0, 255], [255, 0]], np.uint8)[:, :, None].repeat(4, axis=2)
    seen: dict[str, np.ndarray] = {}

    def look(*_: object) -> None:  # drawn on the thread that has the context
        if seen:
            return
        from OpenGL import GL

        texture = Texture(GL)
        for name, pixels, width, nearest in (
            ("own", board, None, False),
            ("half", board, 32, False),
            ("odd", board, 21.3, True),
            ("soft", small, 7, False),
            ("hard", small, 7, True),
        ):
            assert texture.show(pixels, width, nearest=nearest) > 0
            assert texture.show(pixels, width, nearest=nearest) == 0, "nothing is uploaded or drawn twice"
            GL.glBindTexture(GL.GL_TEXTURE_2D, texture.name)
            data = GL.glGetTexImage(GL.GL_TEXTURE_2D, 0, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE)
            size = int(GL.glGetTexLevelParameteriv(GL.GL_TEXTURE_2D, 0, GL.GL_TEXTURE_WIDTH))
            seen[name] = np.frombuffer(data, np.uint8).reshape(-1, size, 4)[:, :, 0]
        texture.delete()

    monkeypatch.setattr(transform, "draw", look)
    shown = Window(AppState(), strict=True)
    drive(shown, lambda context: context.yield_(3))
    assert np.array_equal(seen["own"], board[:, :, 0])
    assert seen["half"].shape == (32, 32) and np.abs(seen["half"].astype(int) - 127).max() <= 1, "no moire"
    assert seen["odd"].shape == (21, 21) and np.abs(seen["odd"].astype(int) - 127).max() <= 64
    assert np.array_equal(seen["hard"], small[:, :, 0].repeat(4, axis=0).repeat(4, axis=1))
    assert np.array_equal(seen["soft"], small[:, :, 0])  # imgui's own linear filter enlarges it


def test_models_by_position_fill_slots_and_the_recent_ones(tmp_path: Path) -> None:
    names = [save_model(tmp_path / f"{letter}.safetensors", letter, 16) for letter in "BTR"]
    ran = visualizer(*names, "b", f"--state={tmp_path / 's.json'}", f"--screenshot={tmp_path / 'w.jpg'}")
    assert ran.returncode == 0, ran.stderr
    with Image.open(tmp_path / "w.jpg") as picture:
        assert picture.format == "JPEG"
    kept = json.loads((tmp_path / "s.json").read_text())
    assert [kept["left"]["path"], kept["right"]["path"]] == names[:2]
    assert set(names) < set(kept["recents"]) and any("critters-b" in path for path in kept["recents"])


def test_what_is_too_long_ends_in_an_ellipsis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = AppState()
    path = tmp_path / f"{'long-name-' * 6}.pkl"
    path.write_bytes(file_of(written_generator(generator(), version=5)))
    state.left.path = str(path)
    shown, elide, said = Window(state, strict=True), fitting.elide, {}

    def watched(text: str, width: float) -> str:
        fitted = elide(text, width)
        wider = imgui.calc_text_size(text[: len(fitted)] + "…").x
        said[text] = fitted, imgui.calc_text_size(fitted).x <= width < wider
        return fitted

    monkeypatch.setattr(fitting, "elide", watched)

    def script(context: Any) -> None:
        settle(context, shown)
        for _ in range(200):
            context.yield_()
            if "StyleGAN2-ADA" in said:
                break
        name, fits = said[path.stem]
        assert fits and name.startswith("long-name-") and name.endswith("…") and len(name) > 12
        kind, fits = said["StyleGAN2-ADA"]
        assert fits and kind.startswith("StyleGAN2") and kind.endswith("…")
        assert said["pickle,"][0] == "pickle," and said["TensorFlow"][0] == "TensorFlow"
        assert elide("abc", 1e4) == "abc" and elide("abc", 0.0) == "…" and elide("", 0.0) == ""

    drive(shown, script)
