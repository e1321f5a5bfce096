# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Directions panel, driven: sliders, kinds, layers, names, animation, undo, and what does not fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imgui_bundle import imgui
from support.gui import drive, save_model, settle

from gan.hub import cache
from viz.core import gestures
from viz.core.latent import Direction, Moved, SeedPoint, Step
from viz.core.request import PictureRequest
from viz.core.state import AppState
from viz.instruments.directions import DirectionsRequest, DirectionsView
from viz.panels import directions as panel
from viz.render.renderer import Renderer
from viz.ui import widgets
from viz.window.window import Window

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache" / "models")


def picture(shown: Window) -> np.ndarray:
    result = shown.context.results["left"]
    assert result is not None and result.image is not None, result and result.error
    return np.array(result.image)


def listed(context: Any, shown: Window, kind: str) -> DirectionsView:
    """What the panel lists, once it is there."""
    for _ in range(2000):
        context.yield_(2)
        status = shown.context.jobs.statuses.get(panel.JOB)
        if status and status.result and status.result.sigmas and status.request.direction.kind == kind:  # type: ignore[attr-defined]
            view = status.result
            assert isinstance(view, DirectionsView)
            return view
    raise AssertionError("the directions did not come")


def type_value(context: Any, key: str, value: str) -> None:
    context.item_input_value(f"//Directions/**/##{key}", value)


def test_the_panel(tmp_path: Path) -> None:
    state = AppState()
    state.left.path = save_model(tmp_path / "t.safetensors", "T", 32)
    state.display.width, state.display.height = 1600, 1000
    np.save(tmp_path / "d.npy", np.random.RandomState(0).randn(2, 32))
    np.save(tmp_path / "wide.npy", np.ones(33))
    shown, drawn = Window(state, strict=True), Renderer(enlarge=False)
    chosen = state.latent.directions

    def expected(*steps: Step) -> np.ndarray:
        image = drawn.render(PictureRequest(state.left.path, Moved(SeedPoint(), steps))).image
        assert image is not None
        return image

    def script(context: Any) -> None:
        shown.show("Directions")
        settle(context, shown)
        first, view = picture(shown), listed(context, shown, "pca")
        assert len(view.sigmas) == 32 and list(view.sigmas) == sorted(view.sigmas, reverse=True)

        type_value(context, "pca 1 0 63", "2.5")
        settle(context, shown)
        assert np.array_equal(picture(shown), expected(Step(Direction("pca", 1), 2.5)))
        assert not np.array_equal(picture(shown), first)
        type_value(context, "pca 0 0 63", "nan")
        assert len(chosen.steps) == 1

        context.item_click("//Directions/**/coarse##part")
        assert chosen.steps == (Step(Direction("pca", 1, 0, 3), 2.5),), chosen.steps
        context.item_input_value("//Directions/**/##to", 5)
        context.item_input_value("//Directions/**/##from", 2)
        moved = Step(Direction("pca", 1, 2, 5), 2.5)
        assert chosen.steps == (moved,)
        settle(context, shown)
        assert np.array_equal(picture(shown), expected(moved))

        context.item_click("//Directions/**/closed-form##kind")
        listed(context, shown, "closed-form")
        type_value(context, "closed-form 0 2 5", "-1.5")
        other = Step(Direction("closed-form", 0, 2, 5), -1.5)
        settle(context, shown)
        assert np.array_equal(picture(shown), expected(moved, other)), "both are set, the one before is still listed"
        type_value(context, "pca 1 2 5", "0")
        assert chosen.steps == (other,)

        context.item_click("//Directions/**/all##part")
        assert chosen.steps == (Step(Direction("closed-form", 0), -1.5),)
        listed(context, shown, "closed-form")

        box = context.item_info("//Directions/**/##closed-form 0 0 63").rect_full
        context.mouse_move_to_pos((box.min.x - 0.8 * widgets.LABEL_WIDTH * 15, (box.min.y + box.max.y) / 2))
        context.mouse_click(0)
        context.yield_(3)
        context.key_chars_replace_enter("smile")
        context.yield_(3)
        (named,) = state.named_directions
        assert (named.name, named.direction, named.model) == ("smile", Direction("closed-form", 0), view.model)
        type_value(context, "closed-form 0 0 63", "0")
        context.item_click("//Directions/**/pca##kind")
        listed(context, shown, "pca")
        assert context.item_exists("//Directions/**/##closed-form 0 0 63"), "what is named is listed with any kind"

        context.item_click("//Directions/**/file##kind")
        context.yield_(30)
        assert context.item_exists("//Directions/**/##closed-form 0 0 63"), "nor does it need an open file"
        context.item_input_value("//Directions/**/##directions file", str(tmp_path / "wide.npy"))
        for _ in range(500):
            context.yield_(2)
            status = shown.context.jobs.statuses[panel.JOB]
            if status.result and status.result.problem:
                break
        assert "wide.npy holds directions of 33 numbers" in status.result.problem
        assert context.item_exists("//Directions/**/##closed-form 0 0 63"), "it is still listed"
        context.item_input_value("//Directions/**/##directions file", str(tmp_path / "gone.npy"))
        assert "gone.npy: check its path" in shown.context.message and chosen.file is not None
        context.item_input_value("//Directions/**/##directions file", str(tmp_path / "d.npy"))
        assert shown.context.message == ""
        listed(context, shown, "file")
        type_value(context, f"file 1 0 63 {chosen.file.digest[:8]}", "1")
        settle(context, shown)
        from_file = Step(Direction("file", 1, path=str(tmp_path / "d.npy"), digest=chosen.file.digest), 1.0)
        assert np.array_equal(picture(shown), expected(from_file))

        context.item_click(f"//Directions/**/Play##file 1 0 63 {chosen.file.digest[:8]}")
        before = picture(shown)
        context.yield_(10)
        assert gestures.is_animating(state) and chosen.strength(from_file.direction) != 1.0
        context.item_click(f"//Directions/**/Stop##file 1 0 63 {chosen.file.digest[:8]}")
        assert not gestures.is_animating(state)
        settle(context, shown)
        assert not np.array_equal(picture(shown), before)
        context.key_press(imgui.Key.mod_ctrl | imgui.Key.z)
        context.yield_(3)
        context.key_press(imgui.Key.mod_ctrl | imgui.Key.z)
        context.yield_(3)
        assert chosen.strength(from_file.direction) == 1.0, "undone with the animation's start"
        slider = f"file 1 0 63 {chosen.file.digest[:8]}"
        chosen.moving, chosen.phase = from_file.direction, 0.25  # as far as a swing goes
        context.item_double_click(f"//Directions/**/##{slider}")
        assert chosen.phase == chosen.strength(from_file.direction) == 0.0, "the next swing is about 0"
        type_value(context, slider, "1")
        chosen.phase = 0.25
        context.item_click("//Directions/**/Reset all")
        settle(context, shown)
        assert chosen.steps == () and np.array_equal(picture(shown), first) and chosen.phase == 0.0

    drive(shown, script)


def test_a_drag_of_the_layers_passes_steps_by(tmp_path: Path) -> None:
    state = AppState()
    state.left.path = save_model(tmp_path / "t.safetensors", "T", 16)
    state.display.width, state.display.height = 1600, 1000
    passed = Step(Direction("pca", 0, 4, 7), 2.0)
    directions = state.latent.directions
    directions.first, directions.steps = 4, (Step(Direction("pca", 0, 4, 63), 1.0), passed)
    shown = Window(state, strict=True)
    shown.show("Directions")

    def script(context: Any) -> None:
        settle(context, shown)
        box = context.item_info("//Directions/**/##to").rect_full
        width, y, seen = box.max.x - box.min.x, (box.min.y + box.max.y) / 2, set()
        context.mouse_move_to_pos((box.max.x - 0.03 * width, y))
        context.mouse_down(0)
        for place in range(97, 34, -1):
            context.mouse_move_to_pos((box.min.x + place / 100 * width, y))
            context.yield_(1)
            seen.add(directions.last)
        context.mouse_up(0)
        context.yield_(3)
        assert {7, 8} < seen and directions.last < 7, seen
        assert directions.steps == (Step(Direction("pca", 0, 4, directions.last), 1.0), passed)
        assert shown.context.layers_drag is None

    drive(shown, script)


def test_a_model_file_that_is_written_again_has_directions_of_its_own(tmp_path: Path) -> None:
    state = AppState()
    state.left.path = save_model(tmp_path / "t.safetensors", "T", 16)
    shown = Window(state, strict=True)
    shown.show("Directions")

    def script(context: Any) -> None:
        settle(context, shown)
        before = listed(context, shown, "pca")
        save_model(tmp_path / "t.safetensors", "T", 16, seed=3)
        shown.worker.repeat()
        for _ in range(500):
            after = listed(context, shown, "pca")
            if after.model != before.model:
                break
        assert after.model != before.model and after.sigmas != before.sigmas

    drive(shown, script)


def test_a_job_says_how_far_it_is(tmp_path: Path) -> None:
    path = save_model(tmp_path / "t.safetensors", "T", 16)
    renderer = Renderer()
    request = DirectionsRequest(path, "cpu", Direction())
    seen = [view for view in request.run(renderer, None) if view]  # type: ignore[arg-type]
    assert [view.done for view in seen] == [*range(250, 10_001, 250), 10_000]
    assert len(seen[-1].sigmas) == 32 and not any(view.sigmas for view in seen[:-1])
    again = [view for view in request.run(renderer, None) if view]  # type: ignore[arg-type]
    assert again == [seen[-1]], "nothing is mapped twice"


def test_w_s_that_change_nothing_are_a_problem_and_no_wait(tmp_path: Path) -> None:
    path = save_model(tmp_path / "t.safetensors", "T", 16)
    request = DirectionsRequest(path, "cpu", Direction("closed-form", 0, 0, 0))
    view = [view for view in request.run(Renderer(), None) if view][-1]  # type: ignore[arg-type]
    assert view.problem == "These w's change nothing in this model: choose others." and not view.sigmas


def test_without_a_model_the_panel_says_what_to_do(tmp_path: Path) -> None:
    shown = Window(AppState(), strict=True)
    shown.show("Directions")

    def script(context: Any) -> None:
        context.yield_(20)
        assert not context.item_exists("//Directions/**/pca##kind")

    drive(shown, script)
