# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What is typed into number fields: numbers arrive, what is none changes nothing, and the window outlives it."""

import math
from pathlib import Path
from typing import Any

import pytest
from support.gui import drive, save_model, settle

from viz.core.state import AppState
from viz.window.window import Window

pytestmark = pytest.mark.slow


def test_what_is_no_number_changes_nothing(tmp_path: Path) -> None:
    state = AppState()
    state.left.path = save_model(tmp_path / "t.safetensors", "T", 16)
    state.latent.x, state.transform.degrees, state.transform.tx = 3.0, 10.0, 0.25
    shown = Window(state, strict=True)

    def script(context: Any) -> None:
        settle(context, shown)  # the pixels' fields are dead until the picture's size is known
        for text in ("nan", "-nan", "not a number"):
            for field in ("//Latent/##x", "//Transform/##degrees", "//Transform/##tx", "//Transform/##tx px"):
                context.item_input_value(field, text)
                context.yield_(2)
            assert (state.latent.x, state.transform.degrees, state.transform.tx) == (3.0, 10.0, 0.25), text
        for text in ("inf", "-inf", "1e39"):
            context.item_input_value("//Transform/##tx px", text)
            context.item_input_value("//Latent/##x", text)
            context.item_input_value("//Transform/##degrees", text)
            context.yield_(2)
            assert state.transform.tx == 0.25 and math.isfinite(state.latent.x)
            assert math.isfinite(state.transform.degrees)
        context.item_input_value("//Transform/##tx px", "8")
        assert state.transform.tx == pytest.approx(0.5)
        settle(context, shown)

    drive(shown, script)


def test_a_frame_that_cannot_be_prepared_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Window(AppState())

    def script(context: Any) -> None:
        settle(context, shown)
        shown.state.left.path, shown.state.latent.x = "a model", math.nan  # which no field lets through
        context.yield_(3)
        assert "failed" in shown.context.message or "could not be prepared" in shown.context.message
        shown.state.left.path, shown.state.latent.x = "", 0.0
        context.item_click("//Latent/Random")
        context.yield_(2)
        assert shown.state.latent.x == int(shown.state.latent.x)

    drive(shown, script)
    assert "There is no seed at (nan, 0)" in capsys.readouterr().err
