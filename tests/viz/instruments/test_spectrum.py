# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Live spectra and averages as jobs: of what is shown, in slices, whitened as said, and as the heat map draws them."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.gui import save_model

from gan.analysis.power_spectrum import SpectrumAverage, power_to_db
from viz.core.latent import seed_point
from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import PICTURE
from viz.instruments.colormap import MAX_SIZE, apply_colormap, inferno
from viz.instruments.spectrum import AXIS, DATA, DIAGONAL, AverageRequest, SpectrumData, SpectrumRequest
from viz.render.renderer import Renderer

SIZE = 32


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return {letter: save_model(folder / f"{letter}.safetensors", letter, SIZE) for letter in ("B", "T")}


def request(**fields: object) -> SpectrumRequest:
    plain = SpectrumRequest(
        (("left", PICTURE, float(SIZE)), ("right", PICTURE, float(SIZE))), "left", False, 8.0, 2, -40.0, 20.0, 30.0
    )
    return dataclasses.replace(plain, **fields)  # type: ignore[arg-type]


def last(job: object) -> Any:
    found = [view for view in job if view is not None]  # type: ignore[attr-defined]
    return found[-1]


def test_the_live_spectra_are_those_of_what_is_shown(models: dict[str, str]) -> None:
    renderer = Renderer()
    shown = RenderRequest(PictureRequest(models["B"], latent=seed_point(3)), PictureRequest(models["T"]))
    view = last(request().run(renderer, shown))
    assert set(view.looks) == {"left", "right"} and view.averages == {}
    expected = SpectrumAverage(SIZE, SIZE, 8.0)
    expected.add(renderer.maps(shown.left, PICTURE).clone())  # type: ignore[arg-type]
    look = view.looks["left"]
    assert np.allclose(look.levels, power_to_db(expected.spectrum().power(2)), atol=1e-3)
    assert look.reach == SIZE / 2 and set(look.slices) == {AXIS, DIAGONAL, 30.0}
    assert look.slices[DIAGONAL].frequencies[-1] == pytest.approx(SIZE / 2 * np.sqrt(2))
    assert view.heat is not None and view.heat.shape == (2 * SIZE, 2 * SIZE, 4)


def test_an_empty_slot_has_no_spectrum(models: dict[str, str]) -> None:
    view = last(request().run(Renderer(), RenderRequest(None, PictureRequest(models["T"]))))
    assert set(view.looks) == {"right"} and view.heat is None


@pytest.mark.slow
def test_averages_come_in_slices_beside_a_data_set(models: dict[str, str], tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8)
    for index, picture in enumerate(pixels):
        Image.fromarray(picture).save(tmp_path / f"{index}.png")
    shown = RenderRequest(PictureRequest(models["B"]), PictureRequest(models["T"]))
    renderer = Renderer()
    assert shown.left and shown.right
    sources = (("left", shown.left, PICTURE), ("right", shown.right, PICTURE))
    steps = list(AverageRequest(sources, 8, 8.0, str(tmp_path)).run(renderer, shown))
    assert len(steps) >= 21, "a picture a slice"
    averaged = steps[-1]
    assert averaged is not None and (averaged.done, averaged.total) == (8 + 8 + 5, 21)
    view = last(request(averaged=averaged, of_average=True).run(renderer, shown))
    assert {name: look.pictures for name, look in view.averages.items()} == {"left": 8, "right": 8, DATA: 5}
    data = view.averages[DATA].levels
    assert abs(power_to_db(10 ** (data / 10)).mean()) < 3, (
        "uniform noise, whitened by its own statistics, is about 0 dB"
    )
    again = last(request(averaged=averaged, of_average=True).run(renderer, shown))
    assert again.averages["left"] is view.averages["left"], "nothing changed, nothing is computed"
    turned = last(request(averaged=averaged, angle=60.0).run(renderer, shown))
    assert 60.0 in turned.averages["left"].slices
    assert last(request().run(renderer, shown)).averages == {}


def test_averages_of_what_is_no_longer_open_are_not_shown(models: dict[str, str]) -> None:
    renderer = Renderer()
    shown = RenderRequest(PictureRequest(models["B"]), PictureRequest(models["T"]))
    assert shown.left and shown.right
    sources = (("left", shown.left, PICTURE), ("right", shown.right, PICTURE))
    averaged = last(AverageRequest(sources, 2, 8.0, "").run(renderer, shown))
    assert set(last(request(averaged=averaged).run(renderer, shown)).averages) == {"left", "right"}
    other = RenderRequest(shown.right, shown.right)
    assert set(last(request(averaged=averaged).run(renderer, other)).averages) == {"right"}
    layered = (("left", "b8.conv1", 8.0), ("right", PICTURE, float(SIZE)))
    assert set(last(request(averaged=averaged, sources=layered).run(renderer, shown)).averages) == {"right"}
    assert last(request(averaged=averaged).run(renderer, RenderRequest(None, None))).averages == {}


def test_a_slot_that_cannot_be_shown_leaves_the_other_alone(models: dict[str, str], tmp_path: Path) -> None:
    broken = PictureRequest(str(tmp_path / "gone.safetensors"))
    view = last(request().run(Renderer(), RenderRequest(broken, PictureRequest(models["T"]))))
    assert set(view.looks) == {"right"} and "gone.safetensors" in view.errors["left"]


def test_pictures_of_another_size_are_no_measure(models: dict[str, str], tmp_path: Path) -> None:
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(tmp_path / "0.png")
    job = AverageRequest((("left", PictureRequest(models["T"]), PICTURE),), 2, 8.0, str(tmp_path))
    with pytest.raises(ValueError, match="16 px and a model draws 32 px"):
        list(job.run(Renderer(), RenderRequest()))


def test_sets_and_models_of_any_channels_compare_if_both_or_none_has_alpha(tmp_path: Path) -> None:
    for name, mode in (("grey", "L"), ("colours", "RGB"), ("clear", "RGBA")):
        (tmp_path / name).mkdir()
        noise = np.random.default_rng(0).integers(0, 256, (16, 16, len(mode)), dtype=np.uint8)
        Image.fromarray(noise[:, :, 0] if mode == "L" else noise).save(tmp_path / name / "0.png")
    paths = {count: save_model(tmp_path / f"{count}.safetensors", "B", 16, img_channels=count) for count in (1, 3, 4)}

    def average(channels: int, data: str) -> None:
        shown = PictureRequest(paths[channels])
        job = AverageRequest((("left", shown, PICTURE),), 2, 8.0, str(tmp_path / data))
        assert [step for step in job.run(Renderer(), RenderRequest()) if step]

    for channels, data in ((1, "grey"), (1, "colours"), (3, "grey"), (4, "clear")):
        average(channels, data)
    with pytest.raises(
        ValueError, match="clear holds pictures with alpha, and the model draws none: give data without"
    ):
        average(3, "clear")
    with pytest.raises(ValueError, match="the model draws pictures with alpha, and .*grey holds none"):
        average(4, "grey")


def test_vectors_are_given_to_every_picture_of_an_average(tmp_path: Path) -> None:
    path = save_model(tmp_path / "x.safetensors", "B", 16, c_dim=2)

    def power(**label: object) -> float:
        shown = PictureRequest(path, **label)  # type: ignore[arg-type]
        found = last(AverageRequest((("left", shown, PICTURE),), 4, 8.0, "").run(Renderer(), RenderRequest()))
        return found.averages.found["left"].deviation

    random, vector = power(), power(label_kind="vector", vector=(0.2, 0.7))
    assert random != vector != power(label_kind="vector", vector=(0.7, 0.2)) and random == power(label=1)


def test_layers_are_whitened_by_their_own_values(models: dict[str, str], tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)).save(tmp_path / "0.png")
    shown = RenderRequest(PictureRequest(models["B"]))
    assert shown.left
    looks = []
    for data in ("", str(tmp_path)):
        renderer = Renderer()
        averaged = last(AverageRequest((("left", shown.left, "b8.conv1"),), 3, 8.0, data).run(renderer, shown))
        source = (("left", "b8.conv1", 8.0),)
        looks.append(last(request(sources=source, averaged=averaged).run(renderer, shown)).averages["left"])
    assert np.array_equal(looks[0].levels, looks[1].levels)


def test_a_set_that_is_none_is_refused(models: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no pictures"):
        list(AverageRequest((), 3, 8.0, str(tmp_path)).run(Renderer(), RenderRequest()))


def test_the_heat_map_keeps_peaks_and_clips_inferno() -> None:
    levels = np.full((4 * MAX_SIZE, 4 * MAX_SIZE), -100.0)
    levels[1001, 333] = 100.0
    heat = apply_colormap(levels, -40, 20)
    assert heat.shape == (MAX_SIZE, MAX_SIZE, 4)
    assert np.array_equal(heat[250, 83], inferno()[255]) and np.array_equal(heat[0, 0], inferno()[0])
    assert (apply_colormap(np.zeros((4, 4)), 5, 5) == inferno()[0]).all()  # an empty range is dark below


def test_the_probe_reads_the_nearest_sample() -> None:
    levels = np.arange(64.0).reshape(8, 8)
    look = SpectrumData(levels, 4.0, {}, 1)
    assert look.at(0, 0) == levels[4, 4] and look.at(1, -2) == levels[2, 5] and look.at(99, 99) == levels[7, 7]
