# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What is typed into number fields: numbers arrive, what is none changes nothing, and the window outlives it."""

import math
from pathlib import Path
from typing import Any

import pytest
from support.gui import drive, save_model, settle

from gan.checkpoints.checkpoint import load_generator, save_generator
from viz.core.noise import LARGEST_SEED
from viz.core.state import AppState, from_json, to_json
from viz.core.state_fields import limits_of
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


def test_numbers_are_exact_and_a_state_file_takes_them_back(tmp_path: Path) -> None:
    state = AppState()
    state.left.path, state.noise.mode = save_model(tmp_path / "a.safetensors", "A", 16), "random"
    generator = load_generator(state.left.path)[0]
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            parameter.fill_(0.3)  # or the panel is dead
    save_generator(tmp_path / "a.safetensors", generator, {})
    shown = Window(state, strict=True)
    latent, noise = state.latent, state.noise
    fields: list[tuple[str, object, str, tuple[float, ...]]] = [
        ("Latent", latent, "x", (1e12, -1e12, 16777217)),
        ("Latent", latent, "y", (1e12, -1e12, 20000003)),
        ("Latent", latent, "psi", (5, -5, 0.1)),
        ("Transform", state.transform, "tx", (5, -5, 0.1)),
        ("Transform", state.transform, "scale", (5, 0, 1.1)),
        ("Noise", noise, "seed", (1e12, -1, 16777217, 123456789, 4294967294, LARGEST_SEED)),
        ("Noise", noise, "speed", (61, -1, 0.1)),
    ]

    def script(context: Any) -> None:
        settle(context, shown)
        for panel, owner, name, numbers in fields:
            shown.show(panel)
            context.yield_(2)
            low, high = limits_of(owner, name)
            for number in numbers:
                context.item_input_value(f"//{panel}/##{name}", repr(number))
                context.yield_(2)
                assert getattr(owner, name) == min(max(number, low), high), (name, number)
                assert from_json(to_json(state)) == state, (name, number)
        noise.seed = LARGEST_SEED
        settle(context, shown)
        result = shown.context.results["left"]
        assert result is not None and result.image is not None and not result.error

    drive(shown, script)
