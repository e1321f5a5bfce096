# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A film shows both models under the same motion, their lines over time as these grow, and what sticks."""

from pathlib import Path

import numpy as np
import pytest
from support.gui import save_model

from gan.analysis.stickiness import Shares
from viz.core.state import AppState
from viz.record.video.film import MOTIONS, Film, move
from viz.record.video.film_layout import COLOURS, FilmLayout, Side
from viz.record.video.formats import VideoError
from viz.ui.theme import DARK


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> AppState:
    folder = tmp_path_factory.mktemp("models")
    state = AppState()
    state.left.path = save_model(folder / "b.safetensors", "B", 32)
    state.right.path = save_model(folder / "t.safetensors", "T", 32)
    return state


def shoot(state: AppState, motion: str = "circle", height: int = 360) -> tuple[Film, list[np.ndarray]]:
    film = Film(state, motion, 0.5, 12.0, height=height, latents=2)
    for _ in film.prepare():
        pass
    return film, [film.draw(index) for index in range(film.count)]


def test_frames_have_the_size_and_the_slices_grow(state: AppState) -> None:
    film, frames = shoot(state)
    assert (film.size, film.count) == ((640, 360), 6) and all(frame.shape == (360, 640, 3) for frame in frames)
    field = np.array([int(COLOURS["field"][at : at + 2], 16) for at in (1, 3, 5)])
    row = frames[0].shape[0] - 40  # through the slices
    filled = [(abs(frame[row, 18:218].astype(int) - field).max(-1) > 8).sum() for frame in frames]
    assert all(after > before for before, after in zip(filled, filled[1:], strict=False))
    assert (frames[0][:60] == frames[5][:60]).all()  # the titles stay
    assert (frames[0][61:261, 18:218] != frames[3][61:261, 18:218]).mean() > 0.2  # the pictures move


@pytest.mark.parametrize(("height", "width"), [(360, 640), (480, 854), (700, 1244), (720, 1280), (1080, 1920)])
def test_films_are_16_to_9_and_evenly_wide(state: AppState, height: int, width: int) -> None:
    assert Film(state, "circle", 0.5, 12.0, height=height).size == (width, height)


def test_frames_of_an_uneven_16_to_9_are_as_wide_as_the_film(state: AppState) -> None:
    film, frames = shoot(state, height=480)  # 853.3 wide
    assert film.size == (854, 480) and all(frame.shape == (480, 854, 3) for frame in frames)


@pytest.mark.parametrize("motion", MOTIONS)
def test_motions_move_something_and_close(state: AppState, motion: str) -> None:
    start, middle, end = (move(state, motion, turns) for turns in (0.0, 0.25, 1.0))
    assert (middle.latent, middle.transform) != (start.latent, start.transform)
    for name in ("tx", "ty", "degrees"):
        assert getattr(end.transform, name) == pytest.approx(getattr(start.transform, name), abs=1e-9)
    assert end.latent.x == pytest.approx(start.latent.x) and (middle.latent == start.latent) == (motion != "walk")


def test_the_motion_starts_from_rest(state: AppState) -> None:
    moved = AppState(left=state.left, right=state.right)
    moved.transform.tx, moved.transform.untransform, moved.transform.snap = 0.7, True, True
    assert (shoot(moved)[1][2] == shoot(state)[1][2]).all()


def test_a_rung_that_cannot_be_moved_is_filmed_and_says_so(state: AppState, tmp_path: Path) -> None:
    still = AppState(right=state.right)
    still.left.path = save_model(tmp_path / "a.safetensors", "A", 32)
    _, frames = shoot(still)
    assert (frames[0][61:261, 18:218] == frames[3][61:261, 18:218]).all()


def test_two_models_are_needed(state: AppState) -> None:
    with pytest.raises(VideoError, match="right slot"):
        Film(AppState(left=state.left), "circle", 1.0, 10.0)


def test_any_shares_and_names_can_be_shown() -> None:
    nothing = float("nan")
    shares = (
        Shares(1, 1, 0.0, 1.0, 0.0, nothing, nothing, nothing),
        Shares(1, 2, -0.01, 0.2, 0.81, 0.1, 0.1, 0.1),
        Shares(1, 2, 1.0, -0.3, 0.3, 0.1, 0.1, 0.1),
    )
    for some in shares:
        sides = Side("T  " + "a long name " * 20, "x" * 300, some), Side("", "\u732b\U0001f431", refused="no " * 60)
        layout = FilmLayout((712, 400), "heading", "motion", sides, (0.1, 0.1, 0.9, 0.9))
        pictures = [np.zeros((layout.side, layout.side, 3), np.uint8)] * 2
        slices = [np.zeros((layout.slice_size[1], 1, 3), np.uint8)] * 2
        assert layout.compose(pictures, slices, 1, 1000).shape == (400, layout.size[0], 3)


def test_colours_are_those_of_the_windows_dark_theme() -> None:
    for name in ("stage", "field", "text", "dim", "left", "right"):
        assert COLOURS[name] == DARK[name]
