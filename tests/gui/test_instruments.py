# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The instruments in the window: layers chosen, sheets clicked, slices dragged; state, request and pixels compared."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imgui_bundle import hello_imgui
from support.gui import FRAMES, drive, save_model, settle

from gan.analysis.bands import list_bands
from gan.analysis.texture_sticking import sample_segment
from viz.core.state import AppState
from viz.instruments.filters import view_filters
from viz.instruments.layers import LayerView
from viz.instruments.spectrum import SpectrumView
from viz.window.window import Window

pytestmark = pytest.mark.slow


def window(left: str, right: str) -> Window:
    state = AppState()
    state.left.path, state.right.path = left, right
    return Window(state, strict=True)


def read(context: Any, shown: Window, name: str, changed_from: object = None) -> Any:
    """The job's newest finished result, once it is another one than `changed_from`."""
    for _ in range(FRAMES):
        context.yield_(2)
        reading = shown.context.jobs.statuses.get(name)
        if reading and reading.finished and not shown.worker.is_measuring() and reading.result is not changed_from:
            assert reading.error is None, reading.error
            return reading.result
    raise AssertionError(f"{name} said nothing new")


def layers_are_looked_at(context: Any, shown: Window) -> None:
    state = shown.state
    context.window_focus("//Layers")
    settle(context, shown)
    first = read(context, shown, "layers")
    assert isinstance(first, LayerView) and first.shape[0] > 3
    context.set_ref(context.window_info("//Layers/layers").window.id_)
    context.item_click("**/input")
    context.set_ref("//Layers")
    assert state.layers.left == "input"
    view = read(context, shown, "layers", first)
    assert shown.worker._jobs["layers"].layer == "input"
    band = list_bands(shown.context.facts("left").config)[0]  # type: ignore[union-attr]
    assert view.shape == (band.channels, band.size, band.size)
    # The maps are those of the model: moving the picture moves them.
    state.transform.tx = 0.2
    settle(context, shown)
    moved = read(context, shown, "layers", view)
    assert not np.array_equal(moved.values, view.values)
    context.item_click("//Layers/energy##sort")
    ranked = read(context, shown, "layers", moved)
    assert ranked.scores is not None and (np.diff(ranked.scores[ranked.order]) <= 0).all()
    context.item_click("//Layers/one##mode")
    context.yield_(2)
    context.item_input_value("//Layers/##one", 2)
    one = read(context, shown, "layers", ranked)
    assert state.layers.one == 2 and one.channels == (2,)
    context.item_click("//Layers/rgb##mode")
    rgb = read(context, shown, "layers", one)
    assert rgb.values.shape[1] == 3 and shown.context.jobs.statuses.get("layers").request.channels == (0, 1, 2)  # type: ignore[union-attr]
    context.item_click("//Layers/right##slot")
    other = read(context, shown, "layers", rgb)
    assert state.layers.slot == "right" and other.shape != rgb.shape
    context.item_click("//Layers/left##slot")
    context.item_click("//Layers/sheet##mode")
    read(context, shown, "layers", other)


def spectra_are_read(context: Any, shown: Window) -> None:
    state = shown.state
    context.window_focus("//Spectrum")
    view = read(context, shown, "spectrum")
    assert isinstance(view, SpectrumView) and set(view.looks) == {"left", "right"}
    info = context.item_info("//Spectrum/##heat")
    box = info.rect_full
    middle = ((box.min.x + box.max.x) / 2, (box.min.y + box.max.y) / 2)
    context.mouse_move_to_pos((middle[0] + 40, middle[1]))
    context.mouse_down(0)
    context.mouse_move_to_pos((middle[0] + 30, middle[1] - 30 * np.tan(np.radians(60))))
    context.mouse_up(0)
    assert state.spectrum.angle == pytest.approx(60, abs=2) and state.spectrum.at_angle
    turned = read(context, shown, "spectrum", view)
    assert state.spectrum.angle in turned.looks["left"].slices
    context.item_click("//Spectrum/layer##source")
    layer = read(context, shown, "spectrum", turned)
    chosen = {slot: name for slot, name, _ in shown.worker._jobs["spectrum"].sources}
    assert chosen["left"] == "input" and layer.looks["left"].reach == 2
    state.spectrum.num = 5
    context.item_click("//Spectrum/Start")
    for _ in range(FRAMES):
        context.yield_(2)
        if not shown.context.jobs.is_running("average"):
            break
    averaged = read(context, shown, "spectrum", layer)
    assert {name: look.pictures for name, look in averaged.averages.items()} == {"left": 5, "right": 5}
    state.spectrum.num = 100_000
    context.item_click("//Spectrum/Start")
    for _ in range(20):
        context.yield_(2)
    assert shown.context.jobs.is_running("average")
    context.item_click("//Spectrum/Cancel")
    read(context, shown, "spectrum", averaged)
    assert not shown.context.jobs.is_running("average")


def filters_follow_the_layer(context: Any, shown: Window) -> None:
    state = shown.state
    context.window_focus("//Filters")
    context.yield_(3)
    state.layers.slot = "right"
    context.yield_(2)
    context.item_click("//Filters/##layer")
    facts = shown.context.facts("right")
    assert facts is not None
    name = list_bands(facts.config)[4].name
    context.item_click(f"//$FOCUSED/{name}")
    context.yield_(3)
    assert state.layers.right == name
    view = view_filters(facts.config, name)
    assert view.up is not None and view.down is not None and view.place == 3
    state.layers.right = "input"  # has none, and says so
    context.yield_(3)
    state.layers.right = list_bands(facts.config)[-1].name
    context.yield_(3)
    state.layers.slot = "left"
    context.yield_(3)


def slices_are_taken_along_the_line(context: Any, shown: Window) -> None:
    state, recorder = shown.state, shown.context.recorder
    context.window_focus("//Sticking")
    settle(context, shown)
    recorder.clear()
    frame = shown.canvas.frames["right"]
    left, top = frame.centre_x - frame.side / 2, frame.centre_y - frame.side / 2
    end = (round(left + state.sticking.x1 * frame.side), round(top + state.sticking.y1 * frame.side))
    before = dataclasses.replace(state.transform)
    context.mouse_move_to_pos(end)
    context.mouse_down(0)
    context.mouse_move_to_pos((end[0] + round(frame.side / 4), end[1]))
    context.mouse_up(0)
    assert state.sticking.x1 == pytest.approx(0.75, abs=0.01) and state.sticking.y1 == pytest.approx(0.7, abs=0.01)
    assert state.transform == before, "the line was dragged, not the picture"
    context.mouse_move_to_pos((round(left + 0.2 * frame.side), round(top + 0.2 * frame.side)))
    context.mouse_down(0)
    for step in range(1, 13):
        context.mouse_move_to_pos((round(left + 0.2 * frame.side) + 4 * step, round(top + 0.2 * frame.side)))
        settle(context, shown)
    context.mouse_up(0)
    settle(context, shown)
    pixels = recorder.pixels("right", state.right.path, state.sticking)
    result = shown.context.results["right"]
    assert pixels is not None and result is not None and result.image is not None
    line = state.sticking
    column = sample_segment(result.image[:, :, :3], line.x0, line.y0, line.x1, line.y1, len(pixels))
    assert np.abs(pixels[:, -1, :3] - column.clip(0, 255)).max() <= 0.5, "the newest column is of the picture shown"
    assert (pixels[0, :, 3] > 0).sum() >= 6
    stop_and_glide(context, shown)


def stop_and_glide(context: Any, shown: Window) -> None:
    """The button stops whatever it calls moving, and else begins to glide."""
    state = shown.state
    context.set_ref(context.window_info("//Sticking/controls").window.id_)
    state.transform.spin = 0.1
    context.yield_(2)
    context.item_click("**/Stop")
    assert state.transform.spin == 0.0
    context.item_click("**/Glide")
    assert state.transform.animate in ("x", "y")
    context.item_click("**/Stop")
    assert state.transform.animate == "off"
    context.set_ref("")


def sticking_is_measured(context: Any, shown: Window) -> None:
    state = shown.state
    state.sticking.num = 4
    context.set_ref(context.window_info("//Sticking/controls").window.id_)
    context.item_click("**/mean##show")
    context.yield_(5)
    mean = read(context, shown, "neighbourhood")
    assert {slot: found.count for slot, found in mean.items()} == {"left": 4, "right": 4}
    context.item_click("**/meters##show")
    context.yield_(3)
    context.item_click("**/Start")
    for _ in range(FRAMES):
        context.yield_(2)
        if not shown.context.jobs.is_running("meters"):
            break
    view = read(context, shown, "meters")
    assert view.slots["left"].done == view.slots["right"].done == 4
    left, right = (view.slots[slot].shares for slot in ("left", "right"))
    assert left and right and left.stays > right.stays + 0.1, "B sticks, T follows"
    context.yield_(3)
    state.sticking.num = 10_000
    context.item_click("**/Start")
    context.yield_(10)
    assert shown.context.jobs.is_running("meters")
    context.item_click("**/Cancel")
    context.yield_(3)
    assert not shown.context.jobs.is_running("meters")
    context.item_click("**/slice##show")
    context.set_ref("")


def test_filters_and_sticking_in_the_window(tmp_path: Path) -> None:
    shown = window(save_model(tmp_path / "b.safetensors", "B", 32), save_model(tmp_path / "t.safetensors", "T", 32))

    def script(context: Any) -> None:
        settle(context, shown)
        filters_follow_the_layer(context, shown)
        slices_are_taken_along_the_line(context, shown)
        sticking_is_measured(context, shown)

    drive(shown, script)


def test_instruments_of_models_that_cannot_be_looked_into(tmp_path: Path) -> None:
    """An empty slot, a broken file and rung A: sentences, and the window stays."""
    (tmp_path / "broken.safetensors").write_text("not a model")
    shown = window(save_model(tmp_path / "a.safetensors", "A", 16), str(tmp_path / "broken.safetensors"))

    def script(context: Any) -> None:
        settle(context, shown)
        for panel in ("Layers", "Spectrum", "Filters", "Sticking"):
            context.window_focus(f"//{panel}")
            for slot in ("left", "right"):
                shown.state.layers.slot = slot
                context.yield_(10)
        for show in ("slice", "mean", "meters"):
            shown.state.sticking.show = show
            context.yield_(10)
        context.set_ref(context.window_info("//Sticking/controls").window.id_)
        context.item_click("**/Start")
        for _ in range(FRAMES):
            context.yield_(2)
            if not shown.context.jobs.is_running("meters"):
                break
        reading = shown.context.jobs.statuses.get("meters")
        assert reading and reading.error is None
        assert set(reading.result.slots) == {"left"}, "the broken one is not asked for"
        assert "nothing to move" in reading.result.slots["left"].refused
        shown.open_model("left", "")
        context.yield_(20)

    drive(shown, script)


def test_layers_and_spectra_in_the_window(tmp_path: Path) -> None:
    shown = window(save_model(tmp_path / "b.safetensors", "B", 32), save_model(tmp_path / "t.safetensors", "T", 32))

    def script(context: Any) -> None:
        layers_are_looked_at(context, shown)
        spectra_are_read(context, shown)

    drive(shown, script)


def test_contours_lie_at_the_plans_frequencies(tmp_path: Path) -> None:
    """f_c and f_t are drawn where the axis of the map has them: found again in the window's pixels, to a pixel."""
    shown = window(save_model(tmp_path / "t.safetensors", "T", 64), "")
    shown.state.spectrum.source, shown.state.layers.left = "layer", "L3"
    shown.state.spectrum.low, shown.state.spectrum.high = 150.0, 200.0  # nothing but the contours
    shown.state.spectrum.at_0 = shown.state.spectrum.at_45 = False
    box: list[Any] = []

    def script(context: Any) -> None:
        context.window_focus("//Spectrum")
        settle(context, shown)
        read(context, shown, "spectrum")
        box.append(context.item_info("//Spectrum/##heat").rect_full)
        context.mouse_move_to_pos((5, 5))
        context.yield_(3)

    drive(shown, script)
    screen = hello_imgui.final_app_window_screenshot()[:, :, :3].astype(int)
    facts = shown.context.facts("left")
    assert facts is not None
    band = next(band for band in list_bands(facts.config) if band.name.startswith("L3_"))
    left, top, side = box[0].min.x, box[0].min.y, box[0].max.x - box[0].min.x
    assert not band.radial and band.stopband < band.rate / 2
    row = screen[round(top + side / 2)]
    for name, frequency in (("cutoff", band.cutoff), ("stopband", band.stopband)):
        colour = shown.theme.palette[name]
        wanted = np.array([int(colour[index : index + 2], 16) for index in (1, 3, 5)])
        x = left + side * (0.5 + frequency / band.rate)
        near = row[round(x) - 12 : round(x) + 13]
        found = round(x) - 12 + int(np.abs(near - wanted).sum(axis=1).argmin())
        assert abs(found - x) <= 2, (frequency, found, x)
        assert np.abs(row[found] - wanted).max() < 60
