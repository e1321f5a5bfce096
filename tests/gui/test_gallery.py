# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The gallery, driven: a click takes the seed that it shows, pages turn, and both slots follow where they should."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.gui import drive, save_model, settle

from viz.core.latent import LARGEST_SEED, find_seed
from viz.core.state import AppState, Slot
from viz.instruments.gallery import GalleryView
from viz.panels import gallery
from viz.window.window import Window

pytestmark = pytest.mark.slow


def filled(context: Any, shown: Window) -> GalleryView:
    """The square, once it is drawn."""
    settle(context, shown)
    for _ in range(3000):
        context.yield_(2)
        view = shown.context.jobs.result(gallery.JOB)
        chosen = shown.state.gallery
        if view and (view.first, view.size, view.done) == (chosen.first, chosen.size, view.total):
            assert isinstance(view, GalleryView)
            if not shown.worker.is_measuring():
                return view
    raise AssertionError("the gallery did not fill")


def click(context: Any, shown: Window, index: int) -> None:
    box, size = context.item_info("//Gallery/##seeds").rect_full, shown.state.gallery.size
    step = (box.max.x - box.min.x) / size
    context.mouse_move_to_pos((box.min.x + (index % size + 0.5) * step, box.min.y + (index // size + 0.5) * step))
    context.yield_(2)
    context.mouse_click(0)
    context.yield_(2)


def taken(context: Any, shown: Window, slot: Slot, view: GalleryView, index: int) -> None:
    """What the slot shows is the cell's picture."""
    settle(context, shown)
    result = shown.context.results[slot]
    assert result is not None and result.image is not None
    side, (row, column) = view.cells.shape[0] // view.size, divmod(index, view.size)
    cell = view.cells[row * side : (row + 1) * side, column * side : (column + 1) * side].astype(int)
    assert result.image.shape == cell.shape and np.abs(result.image - cell).max() <= 1


def test_the_gallery(tmp_path: Path) -> None:
    state = AppState()
    state.left.path = save_model(tmp_path / "b.safetensors", "B", 32)
    state.right.path = save_model(tmp_path / "t.safetensors", "T", 32)
    state.sticking.show, state.gallery.size = "meters", 3
    shown = Window(state, strict=True)
    shown.show("Gallery")

    def seeds() -> tuple[int | None, int | None]:
        return find_seed(state.latent_of("left").latent()), find_seed(state.latent_of("right").latent())

    def script(context: Any) -> None:
        view = filled(context, shown)
        click(context, shown, 4)
        assert seeds() == (4, 4)
        taken(context, shown, "left", view, 4)
        state.latent.mix_with, state.latent.mixed = "other slot", [0, 2, 3, 4, 5]
        view = filled(context, shown)
        click(context, shown, 2)
        taken(context, shown, "left", view, 2)
        state.latent.mixed = []
        click(context, shown, 4)
        context.item_click("//Gallery/right##slot")
        context.item_click("//Gallery/Next")
        context.yield_(2)
        assert state.gallery.first == 9
        view = filled(context, shown)
        state.link(False)
        context.yield_(3)
        click(context, shown, 8)
        assert seeds() == (4, 17) and state.focus == "right"
        taken(context, shown, "right", view, 8)
        context.item_click("//Gallery/in both slots##both")
        click(context, shown, 0)
        assert seeds() == (9, 9)
        context.mouse_wheel_y(1)
        context.yield_(3)
        assert state.gallery.first == 6, "a notch is a row"
        context.item_click("//Gallery/Previous")
        context.yield_(2)
        assert state.gallery.first == 0
        context.item_input_value("//Gallery/##first", str(LARGEST_SEED - 1))
        context.yield_(3)
        view = filled(context, shown)
        assert view.total == 2
        click(context, shown, 1)
        assert seeds() == (LARGEST_SEED, LARGEST_SEED)
        click(context, shown, 2)
        assert seeds() == (LARGEST_SEED, LARGEST_SEED), "there is none beyond the last"
        context.item_input_value("//Gallery/##first", "4294967296")
        context.yield_(3)
        assert "whole number" in shown.context.message and state.gallery.first == LARGEST_SEED - 1
        before = filled(context, shown).cells
        state.right_latent.psi = 0.0
        after = filled(context, shown)
        half = after.cells.shape[1] // 3
        assert not np.array_equal(after.cells, before)
        assert np.array_equal(after.cells[:half, :half], after.cells[:half, half : 2 * half]), "psi 0: all are alike"

    drive(shown, script)
