# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sticking beside the pictures: what the recorder keeps, what neighbourhoods and meters find, in slices."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from support.gui import save_model

from gan.analysis.equivariance import EquivarianceMeter
from gan.analysis.metric_names import METRICS
from gan.analysis.texture_sticking import sample_segment
from gan.checkpoints.checkpoint import load_generator
from gan.data.image_io import to_uint8
from viz.core.latent import seed_point
from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import RenderResult
from viz.core.state import StickingState
from viz.instruments.slice_recorder import COLUMNS, SAMPLES, SliceRecorder
from viz.instruments.sticking import MeterRequest, NeighbourhoodRequest, amplify_error
from viz.render.renderer import Renderer

SIZE = 64


def frame(number: int, shift: int = 0, model: str = "m") -> RenderResult:
    """A picture of bars along y, moved down by `shift` pixels; `number` makes its request another one."""
    y = (np.arange(SIZE) - shift)[:, None, None]
    values = 128 + 100 * np.sin(2 * math.pi * y / 4 + np.zeros((1, SIZE, 3)))
    image = np.full((SIZE, SIZE, 4), 255, np.uint8)
    image[:, :, :3] = values.round()
    return RenderResult(PictureRequest(model, tx=number / 1000), picture=image)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return {letter: save_model(folder / f"{letter}.safetensors", letter, 32) for letter in ("A", "B", "T")}


def test_a_column_for_every_new_picture_newest_right() -> None:
    recorder, where = SliceRecorder(), StickingState()
    assert recorder.pixels("left", "m", where) is None and math.isnan(recorder.streaks("left", "m", where))
    first, second = frame(0), frame(1, 1)
    recorder.record("left", first, where)
    recorder.record("left", first, where)
    recorder.record("left", dataclasses.replace(first), where)  # rendered again, but the same picture
    recorder.record("left", second, where)
    pixels = recorder.pixels("left", "m", where)
    assert pixels is not None and pixels.shape == (SAMPLES, COLUMNS, 4)
    assert pixels is recorder.pixels("left", "m", where), "nothing was added"
    assert (pixels[0, :, 3] > 0).sum() == 2
    for column, result in ((-2, first), (-1, second)):
        assert result.image is not None
        expected = sample_segment(result.image[:, :, :3], where.x0, where.y0, where.x1, where.y1, SAMPLES)
        assert np.abs(pixels[:, column, :3] - expected.clip(0, 255)).max() <= 0.5
    assert recorder.pixels("right", "m", where) is None


def test_another_line_or_model_begins_anew() -> None:
    recorder, where = SliceRecorder(), StickingState()
    for number in range(5):
        recorder.record("left", frame(number), where)
    moved = dataclasses.replace(where, x0=0.2)
    assert recorder.pixels("left", "m", where) is not None
    assert recorder.pixels("left", "m", moved) is None, "what was recorded is of another line"
    assert recorder.pixels("left", "other", where) is None and math.isnan(recorder.streaks("left", "other", where))
    recorder.record("left", frame(6), moved)
    pixels = recorder.pixels("left", "m", moved)
    assert pixels is not None and (pixels[0, :, 3] > 0).sum() == 1
    recorder.record("left", frame(7, model="other"), moved)
    pixels = recorder.pixels("left", "other", moved)
    assert pixels is not None and (pixels[0, :, 3] > 0).sum() == 1
    recorder.clear()
    assert recorder.pixels("left", "other", moved) is None


def test_what_stays_is_a_streak_and_what_moves_is_none() -> None:
    recorder, where = SliceRecorder(), StickingState()
    for number in range(80):
        recorder.record("left", frame(number), where)
        recorder.record("right", frame(number, number), where)
    assert recorder.streaks("left", "m", where) > 0.95
    assert abs(recorder.streaks("right", "m", where)) < 0.1


@pytest.mark.slow
def test_the_mean_of_a_neighbourhood(models: dict[str, str]) -> None:
    renderer = Renderer()
    shown = RenderRequest(PictureRequest(models["T"], latent=seed_point(5), tx=0.1))
    alone = [found for found in NeighbourhoodRequest(0.0, 4).run(renderer, shown) if found]
    picture = renderer.render(shown.left).image  # type: ignore[arg-type]
    assert picture is not None
    mean = alone[-1]["left"]
    assert mean.count == 4 and set(alone[-1]) == {"left"}
    assert np.abs(mean.pixels.astype(int) - picture).max() <= 1 and mean.kept == pytest.approx(1, abs=1e-4)
    steps = list(NeighbourhoodRequest(1.0, 6).run(renderer, shown))
    assert len(steps) == 7, "a picture a slice, and the end"
    wide = next(step for step in reversed(steps) if step)["left"]
    assert wide.count == 6 and wide.kept < 0.9
    again = [found for found in NeighbourhoodRequest(1.0, 6).run(renderer, shown) if found][-1]["left"]
    assert np.array_equal(again.pixels, wide.pixels), "the same neighbours each time"


def test_a_neighbour_of_the_latent_itself_is_the_picture(models: dict[str, str]) -> None:
    renderer, request = Renderer(), PictureRequest(models["B"], latent=seed_point(5), psi=0.5, tx=0.1, degrees=5)
    drawn = to_uint8(renderer.render_apart(request))[0].numpy()
    picture = renderer.render(request).image
    assert picture is not None and np.abs(drawn.astype(int) - picture[:, :, :3]).max() <= 1


@pytest.mark.slow
def test_meters_find_what_the_metrics_do(models: dict[str, str]) -> None:
    request = MeterRequest((("left", PictureRequest(models["T"])), ("right", PictureRequest(models["A"]))), 3)
    views = list(request.run(Renderer(), RenderRequest()))
    assert len(views) > 20, "slices"
    last = next(view for view in reversed(views) if view)
    assert (last.done, last.total) == (6, 6)
    generator, _ = load_generator(models["T"])
    expected = EquivarianceMeter(generator)
    for _ in range(3):
        expected.add(1)
    assert last.slots["left"].estimates == expected.estimates
    shares = last.slots["left"].shares
    assert shares is not None and shares.num == 3 and abs(shares.stays) < 0.05
    assert set(last.slots["left"].errors) == set(METRICS)
    assert "nothing to move" in last.slots["right"].refused
    error = last.slots["left"].errors["eq_t"]
    assert error.shape == (32, 32, 3) and 0 <= error.min() and error.max() < 0.05
    black, loud = (amplify_error(last.slots["left"], "eq_r", gain) for gain in (1.0, 1000.0))
    assert black[:, :, :3].mean() < loud[:, :, :3].mean() and (loud[:, :, 3] == 255).all()


def test_a_slot_that_cannot_be_measured_leaves_the_other_alone(models: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_text("not a model")
    broken = PictureRequest(str(tmp_path / "broken.safetensors"))
    request = MeterRequest((("left", PictureRequest(models["B"])), ("right", broken)), 2)
    last = [view for view in request.run(Renderer(), RenderRequest()) if view][-1]
    assert last.slots["left"].estimates and last.slots["left"].model == models["B"] and not last.slots["left"].refused
    assert "broken.safetensors" in last.slots["right"].refused
    shown = RenderRequest(PictureRequest(models["B"]), broken)
    found = [found for found in NeighbourhoodRequest(0.3, 3).run(Renderer(), shown) if found][-1]
    assert set(found) == {"left"} and found["left"].count == 3


@pytest.mark.slow
def test_models_of_any_channels_are_measured(tmp_path: Path) -> None:
    for channels in (1, 2, 4):
        path = save_model(tmp_path / f"{channels}.safetensors", "T", 32, img_channels=channels)
        last = [
            view for view in MeterRequest((("left", PictureRequest(path)),), 2).run(Renderer(), RenderRequest()) if view
        ][-1]
        assert not last.slots["left"].refused and last.slots["left"].errors["eq_t"].shape == (32, 32, 3)
        assert Renderer().render(PictureRequest(path)).error is None
