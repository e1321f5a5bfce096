# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Frames show the very pictures that the window shows, at any size, one slot's or both."""

from pathlib import Path

import numpy as np
import pytest
from support.gui import save_model

from viz.core.request import build_request
from viz.core.state import AppState
from viz.record.video.export import list_slots
from viz.record.video.formats import VideoError
from viz.record.video.frames import BACKGROUND, FramePainter, fit_picture, measure_frame, pick_requests
from viz.render.renderer import Renderer


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> AppState:
    folder = tmp_path_factory.mktemp("models")
    state = AppState()
    state.left.path = save_model(folder / "b.safetensors", "B", 32)
    state.right.path = save_model(folder / "t.safetensors", "T", 64)
    state.transform.tx = 0.1
    return state


def test_a_slot_alone_is_the_windows_picture(state: AppState) -> None:
    requests = pick_requests(state, ("right",))
    size = measure_frame(requests)
    shown = Renderer().render(build_request(state).right).image
    assert size == (64, 64) and shown is not None
    assert (FramePainter(size).draw_state(state, ("right",)) == shown[:, :, :3]).all()


def test_both_stand_side_by_side_as_large_as_the_larger(state: AppState) -> None:
    slots = list_slots(state)
    size = measure_frame(pick_requests(state, slots))
    frame = FramePainter(size, len(slots)).draw_state(state, slots)
    left = Renderer().render(build_request(state).left).image
    assert size == (128, 64) and frame.shape == (64, 128, 3) and left is not None
    assert (frame[:, :64] == fit_picture(left, 64)).all()
    assert (frame[:, 64:] == FramePainter((64, 64)).draw_state(state, ("right",))).all()


def test_pictures_stand_in_the_middle_of_frames_of_another_shape(state: AppState) -> None:
    frame = FramePainter((301, 100), 2).draw_state(state, ("left", "right"))
    assert frame.shape == (100, 301, 3)
    assert (frame[:, :50] == BACKGROUND).all() and (frame[:, 250:] == BACKGROUND).all()
    assert (frame[:, 50:250] != BACKGROUND).any(-1).all()


def test_a_grid_stays_one_block_in_frames_of_another_shape(state: AppState) -> None:
    requests = pick_requests(state, ("left", "right")) * 2
    frame, whole = (FramePainter(size, 2, 2).draw(requests) for size in ((64, 101), (64, 64)))
    assert (frame[18:82] == whole).all(), "no gaps between rows, as there are none between columns"
    assert (frame[:18] == BACKGROUND).all() and (frame[82:] == BACKGROUND).all()


def test_resizing_keeps_what_a_picture_shows() -> None:
    x = np.linspace(0, 6, 64, endpoint=False) + 6 / 128
    wave = np.full((64, 64, 4), 255, np.uint8)
    wave[:, :, :3] = (128 + 100 * np.sin(x))[None, :, None]
    for side in (16, 33, 64, 200):
        found = fit_picture(wave, side)
        middle = slice(side // 8, -side // 8)
        expected = 128 + 100 * np.sin((np.arange(side) + 0.5) * 6 / side)
        assert found.shape == (side, side, 3)
        assert abs(found[0, middle, 1] - expected[middle]).max() < 3
    finest = np.full((64, 64, 4), 255, np.uint8)
    finest[:, ::2, :3] = 0  # detail that a smaller picture cannot hold: grey, not moire
    assert abs(fit_picture(finest, 24).astype(float)[4:-4, 4:-4] - 127.5).max() < 12


def test_transparent_pictures_are_seen_on_grey() -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, 4:] = (255, 0, 0, 255)
    seen = fit_picture(pixels, 8, has_alpha=True)
    assert (seen[:, 0] == 128).all() and (seen[:, 7] == (255, 0, 0)).all()


def test_what_cannot_be_drawn_is_one_sentence(state: AppState, tmp_path: Path) -> None:
    empty = AppState()
    with pytest.raises(VideoError, match="Nothing is open in the left slot"):
        list_slots(empty)
    broken = AppState()
    broken.left.path = str(tmp_path / "missing.safetensors")
    with pytest.raises(VideoError, match="missing.safetensors"):
        FramePainter((32, 32)).draw_state(broken, ("left",))
    with pytest.raises(VideoError, match="pixels"):
        FramePainter((99999, 32))


def test_the_models_of_another_renderer_are_not_loaded_again(state: AppState) -> None:
    window = Renderer()
    request = build_request(state).right
    assert request is not None and "load" in window.render(request).computed
    painter = FramePainter((64, 64), renderer=window)
    assert painter.draw([request]).shape == (64, 64, 3)
    assert len(window.models) == 1
