# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Videos are exported from the window: as the pictures move, while it stays usable, and cancelled without a trace."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.gui import drive, save_model, settle

from viz.core.state import AppState
from viz.record.video.moving import MovingPictures
from viz.window.export_dialog import JOB
from viz.window.window import Window

pytestmark = pytest.mark.slow

DIALOG = "Export video"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return save_model(folder / "b.safetensors", "B", 32), save_model(folder / "t.safetensors", "T", 32)


@pytest.fixture
def window(models: tuple[str, str], tmp_path: Path) -> Window:
    state = AppState()
    state.left.path, state.right.path = models
    state.capture.folder = str(tmp_path / "videos")
    state.transform.animate = "circle"
    assert state.export.size == 512, "a film of small models is no postage stamp, unless it is asked for"
    state.export.format, state.export.seconds, state.export.fps, state.export.size = "png", 0.5, 24.0, 0
    return Window(state, strict=True)


def press(context: Any, item: str) -> None:
    context.set_ref(f"//{DIALOG}")
    context.item_click(item)
    context.set_ref("")


def wait(context: Any, window: Window) -> None:
    for _ in range(4000):
        context.yield_(1)
        if not window.context.jobs.is_running(JOB) and window.context.message:
            return
    raise AssertionError("the video did not end")


def test_the_pictures_are_exported_as_they_move_while_the_window_stays_usable(window: Window, tmp_path: Path) -> None:
    began: list[AppState] = []

    def test(context: Any) -> None:
        settle_once(context, window)
        context.menu_click("//##MainMenuBar/File/Export video \u2026")
        context.yield_(3)
        began.append(copy.deepcopy(window.state))
        press(context, "Export")
        frames = 0
        while window.context.jobs.is_running(JOB):
            window.state.latent.x += 0.1
            context.yield_(1)
            frames += 1
        assert frames > 3
        wait(context, window)

    drive(window, test)
    assert window.context.message.startswith("Wrote ")
    assert "/video (64x32, 12 frames, 0.5 s, PNG sequence, " in window.context.message
    assert window.context.message.endswith(" KiB).")
    (folder,) = (tmp_path / "videos").iterdir()
    found = [np.asarray(Image.open(file)) for file in sorted(folder.iterdir())]
    assert folder.name == "video" and len(found) == 12 and found[0].shape == (32, 64, 3)
    assert (found[0] != found[6]).mean() > 0.2
    # The animation went on between the copy above and the click: any frame must be one of the same circle.
    expected = MovingPictures(began[0], ("left", "right"), 24.0, 0.5).draw(0)
    assert abs(found[0].astype(float) - expected).mean() < 12


def settle_once(context: Any, window: Window) -> None:
    playing, window.state.transform.animate = window.state.transform.animate, "off"
    settle(context, window)
    window.state.transform.animate = playing


def test_a_cancelled_video_leaves_nothing(window: Window, tmp_path: Path) -> None:
    window.state.export.seconds = 60.0

    def test(context: Any) -> None:
        window.context.exports.open("on screen")
        context.yield_(3)
        press(context, "Export")
        while not (window.context.jobs.result(JOB) and window.context.jobs.result(JOB).done > 2):
            context.yield_(1)
        press(context, "Cancel")
        context.yield_(20)

    drive(window, test)
    assert "cancelled" in window.context.message and not list((tmp_path / "videos").iterdir())


def test_a_window_that_is_closed_leaves_no_half_video(window: Window, tmp_path: Path) -> None:
    window.state.export.seconds = 60.0

    def test(context: Any) -> None:
        window.context.exports.open("on screen")
        context.yield_(3)
        press(context, "Export")
        while not (window.context.jobs.result(JOB) and window.context.jobs.result(JOB).done > 2):
            context.yield_(1)

    drive(window, test)
    assert not list((tmp_path / "videos").iterdir())


def test_a_film_is_a_choice_of_the_dialog(window: Window, tmp_path: Path) -> None:
    window.state.export.fps, window.state.export.seconds = 4.0, 0.5

    def test(context: Any) -> None:
        window.context.exports.open("film")
        context.yield_(3)
        press(context, "Export")
        wait(context, window)

    drive(window, test)
    (folder,) = (tmp_path / "videos").iterdir()
    found = [np.asarray(Image.open(file)) for file in sorted(folder.iterdir())]
    assert folder.name == "film" and [frame.shape for frame in found] == [(720, 1280, 3)] * 2


def test_what_cannot_be_exported_is_said_in_the_dialog(window: Window, tmp_path: Path) -> None:
    def test(context: Any) -> None:
        window.state.right.path = ""
        window.context.exports.open("film")
        context.yield_(3)
        press(context, "Export")
        context.yield_(3)

    drive(window, test)
    assert not (tmp_path / "videos").exists() and not window.context.jobs.is_running(JOB)
