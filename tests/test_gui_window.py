# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The window as a program: started from the command line, its state kept, a broken panel no catastrophe."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gui import drive, save_model, settle
from PIL import Image

from viz.app import Window
from viz.panels import transform
from viz.state import AppState

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent


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
    ran = visualizer("--left", model, "--state", str(state_file), "--size", "900x700", "--screenshot", str(shot))
    assert ran.returncode == 0 and str(shot) in ran.stdout, ran.stderr
    with Image.open(shot) as picture:
        assert picture.size == (900, 700)
        assert np.asarray(picture.convert("L")).std() > 10, "more than one grey"
    kept = json.loads(state_file.read_text())
    assert kept["left"]["path"] == model and kept["recents"] == [model]
    assert (kept["display"]["width"], kept["display"]["height"]) == (900, 700)

    state_file.write_text(state_file.read_text()[:-20])
    ran = visualizer("--state", str(state_file), "--size", "900x700", "--screenshot", str(shot))
    assert ran.returncode == 0, ran.stderr
    assert json.loads(state_file.read_text())["left"]["path"] == "", "defaults, and readable again"
    spoiled = list(tmp_path.glob("state*damaged*"))
    assert len(spoiled) == 1 and model in spoiled[0].read_text(), "what could not be read is kept beside it"


def test_without_a_display_it_says_so_and_what_to_do() -> None:
    ran = visualizer()
    assert ran.returncode == 1
    assert len(ran.stderr.strip().splitlines()) == 1 and "visualizer.py render" in ran.stderr


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
        assert "The Transform panel failed: ZeroDivisionError: a mistake" in shown.view.message
        context.item_click("//Latent/Random")
        context.yield_(2)
        assert shown.state.latent.x == int(shown.state.latent.x)

    drive(shown, script)
    assert capsys.readouterr().err.count("Traceback") == 1, "once, not once a frame"
