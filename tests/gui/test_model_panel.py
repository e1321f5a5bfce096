# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Model panel: names and file types that are too long for it."""

from pathlib import Path
from typing import Any

import pytest
from imgui_bundle import imgui
from support.gui import drive, settle
from support.tensorflow import file_of, generator, written_generator

from viz.core.state import AppState
from viz.ui import widgets
from viz.window.window import Window

pytestmark = pytest.mark.slow


def test_what_is_too_long_ends_in_an_ellipsis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = AppState()
    path = tmp_path / f"{'long-name-' * 6}.pkl"
    path.write_bytes(file_of(written_generator(generator(), version=5)))
    state.left.path = str(path)
    shown, elide, said = Window(state, strict=True), widgets.elide, {}

    def watched(text: str, width: float) -> str:
        fitted = elide(text, width)
        wider = imgui.calc_text_size(text[: len(fitted)] + "…").x
        said[text] = fitted, imgui.calc_text_size(fitted).x <= width < wider
        return fitted

    monkeypatch.setattr(widgets, "elide", watched)

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
