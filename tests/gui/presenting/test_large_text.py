# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Large letters: in every panel the words of controls are whole, and hardly smaller than the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from imgui_bundle import imgui
from support.gui import run_script, save_model

from viz.core.state import AppState
from viz.panels import PANELS
from viz.ui import fitting, widgets
from viz.window import menus
from viz.window.window import LAID_OUT_FRAMES, Window

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("text_size", [1.0, 2.5, 3.0])
def test_words_are_whole_in_every_panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text_size: float) -> None:
    found: dict[tuple[str, str], tuple[float, float, float]] = {}  # what a text takes, the room, its letters' size
    fitted, title = fitting.fitted, ""

    @contextmanager
    def watched(text: str, width: float, font: imgui.ImFont | None = None) -> Iterator[None]:
        em = imgui.get_font_size()
        with fitted(text, width, font):
            if width > 0 and title:  # laid out
                needed = imgui.calc_text_size(text).x + 2 * imgui.get_style().frame_padding.x
                found[title, text] = needed, width, imgui.get_font_size() / em
            yield

    monkeypatch.setattr(widgets, "fitted", watched)
    state = AppState()
    state.left.path = save_model(tmp_path / "b.safetensors", "B", 32)
    state.right.path = save_model(tmp_path / "t.safetensors", "T", 32)
    state.display.width, state.display.height, state.display.text_size = 1600, 1000, text_size
    window = Window(state, strict=True)
    hints: list[str] = []
    fit_hints = menus._fit_hints
    monkeypatch.setattr(menus, "_fit_hints", lambda width: hints.append(fit_hints(width)) or hints[-1])

    def script() -> Iterator[None]:
        nonlocal title
        for _ in range(LAID_OUT_FRAMES):
            yield
        while not window.worker.is_idle():
            yield
        for panel in PANELS:
            window.show(panel.TITLE)
            yield
            title = panel.TITLE
            for _ in range(4):
                yield
        assert imgui.calc_text_size(hints[-1]).x < imgui.get_main_viewport().size.x and hints[-1].endswith("? for more")

    run_script(window, script())
    assert len(found) > 60
    cut = {key: values for key, values in found.items() if values[0] > values[1] + 1}
    assert not cut
    least = 0.7 if text_size > 1.0 else 1.0
    small = {key: values for key, values in found.items() if values[2] < least - 0.01 and key[1].isascii()}
    assert not small


def test_long_words_get_smaller_and_stay_as_high(tmp_path: Path) -> None:
    sizes: dict[str, Any] = {}

    def draw(*_: Any) -> None:
        em, high = imgui.get_font_size(), imgui.get_frame_height()
        for text, width in (("one", 200.0), ("a few more words", 90.0), ("m" * 200, 90.0), ("as wide as it is", 0.0)):
            with fitting.fitted(text, width):
                imgui.button(text, (width, 0))
                sizes[text[:5]] = imgui.get_font_size() / em, imgui.get_item_rect_size().y - high
        assert fitting.elide("abc", 1e4) == "abc"

    window = Window(AppState(), strict=True)
    window._draw_panel = lambda panel: draw()  # type: ignore[method-assign]

    def script() -> Iterator[None]:
        for _ in range(LAID_OUT_FRAMES + 2):
            yield

    run_script(window, script())
    assert sizes["one"][0] == sizes["as wi"][0] == 1.0
    assert fitting.LEAST - 0.05 < sizes["mmmmm"][0] <= sizes["a few"][0] < 1.0
    assert all(abs(more) <= 2 for _, more in sizes.values())
