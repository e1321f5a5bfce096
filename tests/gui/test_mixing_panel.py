# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Mixing panel, driven: boxes, presets, the second latent, swap, and the other slot's w's."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.gui import drive, save_model, settle

from viz.core import gestures
from viz.core.latent import Mixture, OtherModel, SeedPoint, seed_point
from viz.core.layer_info import list_w_layers
from viz.core.request import PictureRequest
from viz.core.state import AppState, Slot
from viz.render.renderer import Renderer
from viz.ui import widgets
from viz.window.window import Window

pytestmark = pytest.mark.slow


def picture(shown: Window, slot: Slot = "left") -> np.ndarray:
    result = shown.context.results[slot]
    assert result is not None and result.image is not None, result and result.error
    return np.array(result.image)


def test_panels_say_which_model_they_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    state, said = AppState(), list[str]()
    state.right.path = "/models/b.safetensors"
    shown = Window(state, strict=True)
    monkeypatch.setattr(shown.worker, "submit", lambda request: None)  # it never comes
    draw = widgets.sentence
    monkeypatch.setattr(widgets, "sentence", lambda text, colour: (said.append(text), draw(text, colour)))

    def script(context: Any) -> None:
        for panel in ("Mixing", "Directions", "Layers"):
            state.layers.slot = "right"
            shown.show(panel)
            context.yield_(6)
            said.clear()
            context.yield_(2)
            assert "Opening b.safetensors …" in said, panel
        state.focus, state.sticking.show = "right", "meters"
        shown.show("Latent", "Sticking")
        context.yield_(6)
        context.item_input_value("//Latent/##save w", "w.npz")
        assert shown.context.message == "Opening b.safetensors …", "nor is there anything to save"
        context.set_ref(context.window_info("//Sticking/controls").window.id_)
        context.item_click("**/Start")
        context.set_ref("")
        assert not shown.context.jobs.started, "or to measure"
        state.right.path = ""
        shown.show("Mixing")
        context.yield_(6)
        assert "Open a model: its layers are listed here." in said

    drive(shown, script)


def test_layers_are_mixed(tmp_path: Path) -> None:
    state = AppState()
    state.left.path = save_model(tmp_path / "b.safetensors", "B", 32)
    state.right.path = save_model(tmp_path / "t.safetensors", "T", 32, seed=1)
    state.display.width, state.display.height = 1600, 1000
    shown, drawn = Window(state, strict=True), Renderer(enlarge=False)
    latent = state.latent

    def expected(of: Any) -> np.ndarray:
        image = drawn.render(PictureRequest(state.left.path, of)).image
        assert image is not None
        return image

    def script(context: Any) -> None:
        shown.show("Mixing")
        settle(context, shown)
        first = picture(shown)
        facts = shown.context.facts("right")
        assert facts is not None
        name = list_w_layers(facts.config)[1].name
        context.item_click(f"//Mixing/**/1  {name}##1")
        settle(context, shown)
        assert latent.mixed == [1]
        assert np.array_equal(picture(shown), expected(Mixture(SeedPoint(), SeedPoint(1.0), (1,))))
        context.item_click("//Mixing/fine##preset")
        fine = [1, *range(7, 16)]
        assert latent.mixed == fine, latent.mixed
        context.item_input_value("//Mixing/##seed", "7")
        settle(context, shown)
        mixed = picture(shown)
        assert np.array_equal(mixed, expected(Mixture(SeedPoint(), seed_point(7), tuple(fine))))
        context.item_click("//Mixing/fine##preset")
        assert latent.mixed == [1]
        context.item_click("//Mixing/All")
        settle(context, shown)
        assert np.array_equal(picture(shown), expected(seed_point(7)))
        context.item_click("//Mixing/Swap")
        settle(context, shown)
        assert latent.x == 7.0 and np.array_equal(picture(shown), first)
        context.item_click("//Mixing/Play")
        context.yield_(10)
        assert latent.second.animate and latent.second.x > 0.0 and gestures.is_animating(state)
        context.item_click("//Mixing/Stop")
        context.item_click("//Mixing/None")
        settle(context, shown)
        assert latent.mixed == [] and np.array_equal(picture(shown), expected(seed_point(7)))

        context.item_click("//Mixing/coarse##preset")
        context.item_click("//Mixing/other slot##mix_with")
        settle(context, shown)
        theirs = Mixture(seed_point(7), OtherModel(state.right.path, seed_point(7)), tuple(latent.mixed))
        assert np.array_equal(picture(shown), expected(theirs))
        result = shown.context.results["left"]
        assert result is not None and result.notice and "mapping networks differ" in result.notice
        assert not context.item_exists("//Mixing/##seed"), "there is no second latent to choose"
        state.right.path = ""
        settle(context, shown)
        assert not context.item_exists("//Mixing/##seed"), "one that changes nothing is not offered"
        context.item_click("//Mixing/second##mix_with")
        settle(context, shown)
        mixed = Mixture(seed_point(7), latent.second.latent(), tuple(latent.mixed))
        assert np.array_equal(picture(shown), expected(mixed)) and context.item_exists("//Mixing/##seed")

    drive(shown, script)
