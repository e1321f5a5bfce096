# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Latent panel's label, driven: classes by name, a slider for each number of a vector; and RGBA on the canvas."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imgui_bundle import imgui
from support.gui import drive, run_script, save_model, settle

from gan.checkpoints.checkpoint import load_generator, save_generator
from viz.core.state import AppState
from viz.ui.theme import PALETTES
from viz.window.ending import SETTLED_FRAMES
from viz.window.window import Window

pytestmark = pytest.mark.slow


def model(path: Path, c_dim: int, facts: dict[str, Any]) -> str:
    save_model(path, "T", 16, c_dim=c_dim)
    save_generator(path, load_generator(path)[0], facts)
    return str(path)


def window(left: str, right: str = "") -> Window:
    state = AppState()
    state.left.path, state.right.path = left, right
    state.display.width, state.display.height = 1600, 1000
    return Window(state, strict=True)


def test_a_class_is_chosen_by_its_name(tmp_path: Path) -> None:
    shown = window(model(tmp_path / "x.safetensors", 3, {"classes": ["cat", "dog", "cat"]}))

    def script(context: Any) -> None:
        settle(context, shown)
        context.item_click("//Latent/##class")
        context.item_click("//$FOCUSED/1 (dog)")
        settle(context, shown)
        assert (shown.state.latent.label, shown.state.latent.label_kind) == (1, "auto")
        request = shown.context.results["left"].request  # type: ignore[union-attr]
        assert request.label == 1

    drive(shown, script)


def test_a_vector_has_a_slider_for_each_number(tmp_path: Path) -> None:
    path = model(tmp_path / "x.safetensors", 2, {"label_mean": [0.25, 0.5]})
    shown = window(path)
    latent = shown.state.latent

    def script(context: Any) -> None:
        settle(context, shown)
        context.item_input_value("//Latent/##number 1", 0.75)
        settle(context, shown)
        assert latent.vector == [0.25, 0.75] and latent.label_kind == "auto", "it was trained with vectors"
        context.item_input_value("//Latent/##number 0", -3.0)
        assert latent.vector == [-3.0, 0.75], "what is typed may lie beyond the slider's ends"
        io = imgui.get_io()  # on a loaded machine the two clicks of one may be far apart
        io.mouse_single_click_delay, io.mouse_double_click_time = 20.0, 10.0
        context.item_double_click("//Latent/##number 0")
        context.yield_(2)
        assert latent.vector == [0.25, 0.75]
        context.item_click("//Latent/Zero")
        assert latent.vector == [0.0, 0.0]
        context.item_click("//Latent/Default")
        assert latent.vector == []
        context.item_click("//Latent/class##label kind")
        assert latent.label_kind == "class"
        settle(context, shown)

    drive(shown, script)


def test_long_vectors_scroll_and_unlabelled_models_have_no_rows(tmp_path: Path) -> None:
    shown = window(model(tmp_path / "x.safetensors", 40, {}), save_model(tmp_path / "y.safetensors", "B", 16))

    def script(context: Any) -> None:
        settle(context, shown)
        context.item_click("//Latent/vector##label kind")
        context.yield_(4)
        context.item_click("//Latent/Zero")
        assert shown.state.latent.vector == [0.0] * 40
        settle(context, shown)
        result = shown.context.results["left"]
        assert result is not None and result.request.vector == (0.0,) * 40 and result.notice is None
        shown.state.link(False)
        shown.state.focus = "right"
        context.yield_(4)
        assert not context.item_exists("//Latent/Zero")

    drive(shown, script)


def test_transparent_pictures_lie_on_a_checkerboard(tmp_path: Path) -> None:
    """On both sides; a model without alpha hides it."""
    path = tmp_path / "clear.safetensors"
    save_model(path, "B", 16, img_channels=4)
    generator = load_generator(path)[0]
    for name, parameter in generator.named_parameters():
        if name.endswith("torgb.bias"):
            parameter[3] = -100.0
    save_generator(path, generator, {})
    shown, found = window(str(path), save_model(tmp_path / "y.safetensors", "B", 16)), {}

    def script() -> Iterator[None]:
        while not shown.worker.is_idle():
            yield
        for _ in range(SETTLED_FRAMES):
            yield
        for slot, frame in shown.canvas.frames.items():
            found[slot] = read_pixels(frame.centre_x - 40, frame.centre_y - 40, 80, 80)

    with closing(script()) as steps:
        run_script(shown, steps, when="before_swap")
    colours = {tuple(pixel) for pixel in found["left"].reshape(-1, 3)}
    assert colours == {tuple(bytes.fromhex(PALETTES["dark"][name][1:])) for name in ("checks", "gaps")}
    assert len({tuple(pixel) for pixel in found["right"].reshape(-1, 3)}) > 10


def read_pixels(left: float, top: float, width: int, height: int) -> np.ndarray:
    """Return uint8 [height, width, 3] of the frame just drawn."""
    from OpenGL import GL  # once there is a window

    full = round(imgui.get_io().display_size.y)
    GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
    row = full - round(top) - height
    data = GL.glReadPixels(round(left), row, width, height, GL.GL_RGB, GL.GL_UNSIGNED_BYTE)
    return np.frombuffer(data, np.uint8).reshape(height, width, 3)
