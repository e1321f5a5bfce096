# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Noise panel, driven: modes, seed, animation, the strength of all layers and of one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.gui import drive, save_model, settle

from gan.checkpoints.checkpoint import load_generator, save_generator
from viz.core.state import AppState
from viz.window.window import Window

pytestmark = pytest.mark.slow


def window(path: Path, letter: str) -> Window:
    save_model(path, letter, 16)
    generator = load_generator(path)[0]
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            parameter.fill_(0.3)
    save_generator(path, generator, {})
    state = AppState()
    state.left.path, state.display.width, state.display.height = str(path), 1600, 1000
    return Window(state, strict=True)


def picture(context: Any, shown: Window) -> np.ndarray:
    settle(context, shown)
    result = shown.context.results["left"]
    assert result is not None and result.image is not None, result and result.error
    return np.array(result.image)


def test_each_control_changes_the_picture(tmp_path: Path) -> None:
    shown = window(tmp_path / "a.safetensors", "A")
    noise = shown.state.noise

    def script(context: Any) -> None:
        shown.show("Noise")
        first = picture(context, shown)
        seen = [first]

        def look() -> None:
            now = picture(context, shown)
            assert not any(np.array_equal(now, before) for before in seen)
            seen.append(now)

        context.item_click("//Noise/none##mode")
        look()
        context.item_click("//Noise/random##mode")
        look()
        context.item_input_value("//Noise/##seed", 3.0)
        look()
        context.item_input_value("//Noise/##strength", 2.0)
        look()
        context.item_input_value("//Noise/##noise 3", 0.25)
        assert noise.scales == [1.0, 1.0, 1.0, 0.25]
        look()
        context.item_click("//Noise/Play")
        context.yield_(6)
        assert noise.animate and noise.seed > 3.0
        context.item_click("//Noise/Stop")
        assert not noise.animate
        context.item_click("//Noise/const##mode")
        context.item_input_value("//Noise/##noise 3", 1.0)
        context.item_input_value("//Noise/##strength", 1.0)
        assert np.array_equal(picture(context, shown), first), "the model as it is"

    drive(shown, script)


def test_an_animation_ends_for_want_of_noise_and_can_be_stopped(tmp_path: Path) -> None:
    shown = window(tmp_path / "a.safetensors", "A")
    still = save_model(tmp_path / "t.safetensors", "T", 16)

    def script(context: Any) -> None:
        shown.show("Noise")
        settle(context, shown)
        noise = shown.state.noise
        noise.mode, noise.animate = "random", True
        context.yield_(4)
        assert noise.seed > 0.0 and shown._params is not None and not shown._params.fps_idling.enable_idling
        shown.open_model("left", still)
        context.yield_(2)
        settle(context, shown)
        before = noise.seed
        context.yield_(5)
        assert noise.animate and noise.seed == before, "there is nothing that it would change"
        assert shown._params.fps_idling.enable_idling
        context.item_click("//Noise/Stop")
        assert not noise.animate

    drive(shown, script)


def test_models_without_noise_say_so(tmp_path: Path) -> None:
    shown = window(tmp_path / "t.safetensors", "T")

    def script(context: Any) -> None:
        shown.show("Noise")
        before = picture(context, shown)
        context.item_click("//Noise/none##mode")
        assert shown.state.noise.mode == "const", "nothing can be set that would do nothing"
        assert np.array_equal(picture(context, shown), before)

    drive(shown, script)
