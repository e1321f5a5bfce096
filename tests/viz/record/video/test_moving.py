# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Frames are those of their times: of the animations that play, or of the timeline, however long drawing takes."""

import copy
import time
from pathlib import Path

import numpy as np
import pytest
from support.gui import save_model

from viz.core import gestures
from viz.core.state import AppState
from viz.core.timeline_state import Key, Timeline, Track
from viz.record.video.formats import VideoError, VideoOptions, find_format
from viz.record.video.frames import FramePainter
from viz.record.video.moving import MovingPictures, count_frames, play_until, write_video


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_model(tmp_path_factory.mktemp("models") / "t.safetensors", "T", 32)


@pytest.fixture
def state(model: str) -> AppState:
    state = AppState()
    state.left.path = model
    return state


def test_a_frame_shows_what_the_window_shows_at_its_time(state: AppState) -> None:
    state.transform.animate, state.transform.speed, state.latent.animate = "circle", 0.5, True
    frames = MovingPictures(state, ("left",), 10.0, 2.0)
    stepped = copy.deepcopy(state)
    for _ in range(7):
        gestures.advance(stepped, 0.1)
    shown = FramePainter(frames.size).draw_state(stepped, ("left",))
    assert frames.count == 20
    assert abs(frames.draw(7).astype(int) - shown).max() <= 1
    assert (frames.draw(0) == FramePainter(frames.size).draw_state(state, ("left",))).all()


def test_a_slow_machine_draws_the_same_video(state: AppState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state.transform.animate = "rotate"
    options = VideoOptions(find_format("gif"), 10.0)
    list(write_video(tmp_path / "a.gif", MovingPictures(state, ("left",), 10.0, 0.5), options))
    draw = FramePainter.draw_state

    def slowly(*arguments: object) -> np.ndarray:
        time.sleep(0.05)
        return draw(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(FramePainter, "draw_state", slowly)
    list(write_video(tmp_path / "b.gif", MovingPictures(state, ("left",), 10.0, 0.5), options))
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


def test_every_animation_plays_and_the_state_itself_stays(state: AppState) -> None:
    state.transform.spin, state.latent.animate, state.noise.mode, state.noise.animate = 0.25, True, "random", True
    before = copy.deepcopy(state)
    moved = play_until(state, 1.0)
    assert state == before
    assert moved.transform.degrees == pytest.approx(90.0)
    assert moved.latent.x == pytest.approx(state.latent.x + state.latent.speed)
    assert moved.noise.seed == pytest.approx(state.noise.seed + state.noise.speed)


def test_a_timeline_is_drawn_from_its_start_to_its_end(state: AppState) -> None:
    keys = Key(0.0, (0.0, 0.0), "linear"), Key(1.0, (0.5, 0.0), "linear")
    state.timeline = Timeline((Track("translation", keys),), seconds=1.0, loop=False)
    frames = MovingPictures(state, ("left",), 8.0)
    halfway = copy.deepcopy(state)
    halfway.transform.tx = 0.25
    assert frames.count == 8
    assert (frames.draw(4) == FramePainter(frames.size).draw_state(halfway, ("left",))).all()


def test_a_video_that_is_left_writes_nothing(state: AppState, tmp_path: Path) -> None:
    steps = write_video(
        tmp_path / "a.webp", MovingPictures(state, ("left",), 10.0, 9.0), VideoOptions(find_format("webp"))
    )
    assert [next(steps), next(steps)] == [1, 2]
    steps.close()
    assert not list(tmp_path.iterdir())


def test_too_many_frames_are_one_sentence() -> None:
    assert count_frames(0.001, 30) == 1
    with pytest.raises(VideoError, match="are the most"):
        count_frames(1e5, 60)
