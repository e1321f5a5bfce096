# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Models of 1 to 4 channels: what they draw is written, shown, compared and measured with the channels that it has."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from support.gui import save_model

from gan.checkpoints.checkpoint import load_generator
from gan.data.image_io import to_rgb, to_uint8
from gan.networks.input_transform import forward_matrix
from viz.cli.main import main as viewer
from viz.core.images import put_on_grey
from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import RenderResult
from viz.core.state import StickingState
from viz.instruments.slice_recorder import SliceRecorder
from viz.instruments.sticking import NeighbourhoodRequest
from viz.loading.model_info import read_info
from viz.panels.model import compare_files
from viz.render.difference import ArrayDifference
from viz.render.postprocess import to_rgba8
from viz.render.renderer import Renderer
from viz.render.upscale import resample, upscale
from viz.reports import sticking_study

MODES = {1: "L", 2: "RGB", 3: "RGB", 4: "RGBA"}
KINDS = {1: "grey", 2: "2 channels", 3: "RGB", 4: "RGBA"}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    folder = tmp_path_factory.mktemp("channels")
    return {count: save_model(folder / f"{count}.safetensors", "T", 16, img_channels=count) for count in MODES}


def run(*words: object) -> str:
    result = CliRunner().invoke(viewer, [str(word) for word in words], prog_name="visualizer.py")
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("count", MODES)
def test_render_writes_the_channels_that_the_model_draws(paths: dict[int, str], count: int, tmp_path: Path) -> None:
    out = tmp_path / "x.png"
    said = run("render", "--model", paths[count], "--seed", 3, "--out", out)
    assert KINDS[count] in said
    generator, _ = load_generator(paths[count])
    z = torch.from_numpy(np.random.RandomState(3).randn(1, generator.config.z_dim)).float()
    drawn = to_uint8(generator(z))[0].numpy()
    with Image.open(out) as written:
        assert written.mode == MODES[count]
        pixels = np.asarray(written)
    assert np.array_equal(pixels, drawn[:, :, 0] if count == 1 else drawn)
    if count == 4:
        assert np.ptp(pixels[:, :, 3]) > 20, "the alpha that the model draws, not 255"


@pytest.mark.parametrize("count", MODES)
def test_the_channels_are_named(paths: dict[int, str], count: int, tmp_path: Path) -> None:
    assert f"16x16, {KINDS[count]}" in run("inspect", paths[count])
    assert f"16x16 {KINDS[count]}" in run("convert", paths[count], "--out", tmp_path / "y.safetensors")
    rows = {title: values for title, _, values in compare_files({"left": read_info(paths[count])})}
    assert rows["channels"] == {"left": KINDS[count]}


def test_colours_are_weighted_by_alpha_where_pictures_are_enlarged_or_moved_back() -> None:
    hidden = torch.full((1, 4, 32, 32), 1.0)  # white, of which nothing is seen on the left half
    hidden[:, 3, :, :16] = -1
    hidden[:, :3, :, 16:] = -1  # black on the right
    exact, smooth = to_rgba8(hidden)
    assert exact[0, :, 3].tolist() == [0] * 16 + [255] * 16 and exact[0, 0, 0] == 255, "nothing is lost"
    assert smooth is not None and smooth.shape == (512, 512, 4)
    seen = smooth[:, :, 3] > 0
    assert smooth[:, :, 0][seen].float().mul(smooth[:, :, 3][seen] / 255).max() < 2, "no white at the edge"
    back, _ = to_rgba8(hidden, forward_matrix(0.25, 0, 0, 1), enlarge=False)
    assert back[0, :, 3].tolist() == [0] * 8 + [255] * 16 + [0] * 8, "beyond the picture it is transparent"
    plain = torch.randn(3, 8, 8)
    assert torch.equal(resample(plain, lambda planes: upscale(planes, 4)), upscale(plain, 4))


def test_a_picture_keeps_its_alpha_in_the_window(paths: dict[int, str]) -> None:
    for count in MODES:
        result = Renderer().render(PictureRequest(paths[count]))
        assert result.image is not None and result.smooth is not None
        assert result.has_alpha == (count == 4)
        assert (result.image[:, :, 3].min() == 255) == (result.smooth[:, :, 3].min() == 255) == (count != 4)


def clear(value: int, alpha: int) -> np.ndarray:
    return np.full((16, 16, 4), (value, value, value, alpha), np.uint8)


def test_differences_are_of_what_is_seen() -> None:
    def found(left: np.ndarray, right: np.ndarray) -> int:
        return int(ArrayDifference(left, right, 16, clear=True).amplify(1.0)[0, 0, 0])

    assert found(clear(200, 0), clear(10, 0)) == 0, "hidden colours do not differ"
    assert found(clear(0, 255), clear(0, 0)) == 255, "black is seen on white"
    assert found(clear(255, 255), clear(255, 0)) == 255, "and white on black"
    assert found(clear(60, 255), clear(80, 255)) == 20
    assert ArrayDifference(clear(7, 9), clear(7, 9), 16, clear=True).rms == 0.0


def test_slices_and_means_see_rgba_on_grey(paths: dict[int, str]) -> None:
    recorder, where = SliceRecorder(), StickingState()
    result = Renderer().render(PictureRequest(paths[4]))
    recorder.record("left", result, where)
    assert result.image is not None
    opaque = RenderResult(
        PictureRequest("other"), picture=np.dstack([put_on_grey(result.image), result.image[:, :, 3]])
    )
    recorder.record("right", opaque, where)
    slices = [recorder.pixels(slot, model, where) for slot, model in (("left", paths[4]), ("right", "other"))]  # type: ignore[arg-type]
    assert slices[0] is not None and slices[1] is not None and np.array_equal(slices[0], slices[1])
    for count in MODES:
        shown = RenderRequest(PictureRequest(paths[count]))
        means = [found for found in NeighbourhoodRequest(0.0, 1).run(Renderer(), shown) if found][-1]
        generator, _ = load_generator(paths[count])
        z = torch.from_numpy(np.random.RandomState(0).randn(1, generator.config.z_dim)).float()
        expected = to_uint8(to_rgb(generator(z)))[0].numpy()
        assert np.abs(means["left"].pixels[:, :, :3].astype(int) - expected).max() <= 1


@pytest.mark.parametrize("count", MODES)
def test_the_sticking_figure_takes_models_of_any_channels(paths: dict[int, str], count: int) -> None:
    settings = sticking_study.Settings(0, 2, 16, 0.4, 2, 1.0, (0.2, 0.5, 0.8, 0.5), "cpu")
    found = sticking_study.study(paths[count], settings, lambda count: None)
    assert found.centre.shape == (512, 512, 3) and found.walk.shape[2] == 3


def test_what_instruments_see() -> None:
    picture = torch.rand(1, 4, 2, 2) * 2 - 1
    assert torch.equal(to_rgb(picture[:, :3]), picture[:, :3])
    assert torch.equal(to_rgb(picture[:, :1]), picture[:, [0, 0, 0]])
    assert torch.equal(to_rgb(picture[:, :2])[:, 2], torch.full((1, 2, 2), -1.0))
    clear_picture = picture.clone()
    clear_picture[:, 3] = -1
    assert to_rgb(clear_picture).abs().max() == 0, "middle grey"
