# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Save button of each instrument in the window: what it writes, its names, and what it says."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.gui import FRAMES, drive, save_model, settle

from viz.core.state import AppState
from viz.reports.spectra_file import read_spectra
from viz.window.window import Window

pytestmark = pytest.mark.slow


@pytest.fixture
def shown(tmp_path: Path) -> Window:
    state = AppState()
    state.left.path = save_model(tmp_path / "one.safetensors", "B", 16)
    state.right.path = save_model(tmp_path / "two.safetensors", "T", 16)
    state.capture.folder = str(tmp_path / "saved")
    window = Window(state, strict=True)
    window.context.models.has_dialogs = False
    return window


def wait_for(context: Any, shown: Window, job: str) -> None:
    for _ in range(FRAMES):
        context.yield_(2)
        if shown.context.jobs.result(job) is not None and not shown.worker.is_measuring():
            return
    raise AssertionError(f"{job} said nothing")


def save(context: Any, shown: Window, panel: str, form: str, place: str = "") -> str:
    """Press Save and a form; return what the status line says when that is done."""
    window = context.window_info(f"//{panel}/{place}" if place else f"//{panel}").window
    context.set_ref(window.id_)
    shown.context.models.has_dialogs = False  # whatever this machine has
    context.item_click(f"Save …##{panel}")
    context.yield_(2)
    context.item_click(f"//$FOCUSED/{form}##{panel}")
    for _ in range(FRAMES):
        context.yield_(2)
        if not shown.context.saving.running:
            return shown.context.message
    raise AssertionError("nothing was written")


def test_every_instrument_saves_what_it_shows(shown: Window, tmp_path: Path) -> None:
    folder = tmp_path / "saved"

    def look(context: Any) -> None:
        state = shown.state
        settle(context, shown)
        context.window_focus("//Layers")
        wait_for(context, shown, "layers")
        state.layers.left, state.layers.mode, state.layers.one = "b8.conv0", "one", 3
        context.yield_(4)
        wait_for(context, shown, "layers")
        assert save(context, shown, "Layers", "NPZ") == f"Wrote {folder / 'one-b8.conv0.npz'}."
        assert save(context, shown, "Layers", "NPZ") == f"Wrote {folder / 'one-b8.conv0-2.npz'}.", "never over a file"
        context.window_focus("//Spectrum")
        wait_for(context, shown, "spectrum")
        assert save(context, shown, "Spectrum", "NPZ").endswith("spectra.npz.")
        context.window_focus("//Filters")
        context.yield_(3)
        assert save(context, shown, "Filters", "CSV").endswith("one-filters.csv.")
        context.window_focus("//Gallery")
        wait_for(context, shown, "gallery")
        assert save(context, shown, "Gallery", "PNG").endswith("one-seeds-0-15.png.")
        context.window_focus("//Sticking")
        context.yield_(3)
        for step in range(5):
            state.transform.tx = 0.03 * step
            settle(context, shown)
        assert save(context, shown, "Sticking", "SVG", "controls").endswith("x-t-slices.svg.")

    drive(shown, look)
    with np.load(folder / "one-b8.conv0.npz") as arrays:
        about = json.loads(str(arrays["about"]))["about"]
        assert arrays["channels"].tolist() == [3] and arrays["maps"].shape == (1, 8, 8)
        assert about["layer"] == "b8.conv0" and about["request"]["model"] == "one"
        assert str(tmp_path) not in str(arrays["about"]), "others read it"
    found = read_spectra(folder / "picture-spectra.npz")
    assert [curve.name for curve in found.curves] == ["left one, now", "right two, now"]
    assert found.curves[0].power.shape == (64, 64) and "β = 8" in found.note
    text = (folder / "one-filters.csv").read_text(encoding="utf-8")
    rows = [*csv.DictReader(io.StringIO(text[text.index('"layer"') :]))]
    assert rows[-1]["layer"] == "b16.torgb" and float(rows[-1]["cutoff [cycles/picture width]"]) == 8
    assert "right: two</text>" in (folder / "x-t-slices.svg").read_text(encoding="utf-8")


def test_nothing_to_save_and_no_room_to_save_it_are_said(shown: Window, tmp_path: Path) -> None:
    def look(context: Any) -> None:
        settle(context, shown)
        context.window_focus("//Sticking")
        context.yield_(3)
        context.set_ref(context.window_info("//Sticking/controls").window.id_)
        shown.state.sticking.show = "meters"
        context.yield_(3)
        context.item_click("Save …##Sticking")
        context.yield_(2)
        assert shown.context.message.startswith("There is nothing to save yet")
        (tmp_path / "saved").write_text("a file where the folder would be")
        context.window_focus("//Filters")
        context.yield_(3)
        said = save(context, shown, "Filters", "CSV")
        assert "cannot be written" in said and said.count("\n") == 0

    drive(shown, look)
