# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Noise, against pictures of the network with planes written out; on the command line, and in sticking."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from support.gui import save_model

from gan.checkpoints.checkpoint import load_generator, save_generator
from gan.data.image_io import to_rgb, to_uint8
from gan.networks.generator import z_from_seed
from gan.networks.synthesis_stylegan2 import StyledConv
from viz.cli.main import main as viewer
from viz.core import gestures
from viz.core.noise import STORED, Noise, NoiseState
from viz.core.request import PictureRequest, build_request
from viz.core.state import AppState
from viz.instruments.sticking import MeterRequest, NeighbourhoodRequest
from viz.render.renderer import Renderer


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    found = {}
    for letter in "ABCT":
        path = folder / f"{letter}.safetensors"
        found[letter] = save_model(path, letter, 16)
        generator = load_generator(found[letter])[0]
        for name, parameter in generator.named_parameters():
            if name.endswith("noise_strength"):
                parameter.fill_(0.3)
        save_generator(path, generator, {})
    return found


def picture(path: str, noise: Noise, **asked: object) -> np.ndarray:
    result = Renderer(enlarge=False).render(PictureRequest(path, noise=noise, **asked))  # type: ignore[arg-type]
    assert result.image is not None and result.notice is None, result.error
    return result.image[:, :, :3]


def expected(path: str, planes: dict[int, np.ndarray | float]) -> np.ndarray:
    """The picture of seed 0 with these planes in the stored ones' place, or the stored ones times a number."""
    generator = load_generator(path)[0]
    layers = [module for module in generator.synthesis.modules() if isinstance(module, StyledConv)]
    for index, plane in planes.items():
        stored = layers[index].noise_const
        stored.copy_(torch.from_numpy(plane) if isinstance(plane, np.ndarray) else stored * plane)
    with torch.inference_mode():
        image = generator(torch.from_numpy(z_from_seed(0, generator.config.z_dim)).float())
        return to_uint8(to_rgb(image))[0].numpy()


def plane(seed: int, index: int) -> np.ndarray:
    size = 2 ** (2 + (index + 1) // 2)
    return np.random.default_rng([seed, index]).standard_normal((size, size), np.float32)


def close(found: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(found.astype(int) - other).max() <= 1)


@pytest.mark.parametrize("letter", ["A", "B"])
def test_modes_seeds_and_strengths(models: dict[str, str], letter: str) -> None:
    path, layers = models[letter], range(5)
    some = {0: 2.0, 1: 0.0, 2: 6.0, 3: 2.0, 4: 2.0}
    found = {
        "const": (picture(path, STORED), expected(path, {})),
        "none": (picture(path, Noise("none")), expected(path, dict.fromkeys(layers, 0.0))),
        "strong": (picture(path, Noise("const", 0.0, 2.5)), expected(path, dict.fromkeys(layers, 2.5))),
        "some layers": (picture(path, Noise("const", 0.0, 2.0, (1.0, 0.0, 3.0))), expected(path, some)),
        "random": (picture(path, Noise("random", 7.0)), expected(path, {i: plane(7, i) for i in layers})),
    }
    for name, (ours, theirs) in found.items():
        assert close(ours, theirs), name
        assert name == "const" or not close(ours, found["const"][0]), name
    u = 0.25
    blend = {i: ((1 - u) * plane(7, i) + u * plane(8, i)) / math.hypot(1 - u, u) for i in layers}
    assert close(picture(path, Noise("random", 7.25)), expected(path, blend))


def test_models_without_noise_do_not_change(models: dict[str, str]) -> None:
    for letter in "CT":
        assert np.array_equal(picture(models[letter], Noise("random", 3.0)), picture(models[letter], STORED))


def test_the_state_asks_for_what_makes_a_difference() -> None:
    assert NoiseState().noise() == STORED
    assert NoiseState("none", 5.0, strength=3.0).noise() == Noise("none") == NoiseState("none").noise()
    assert NoiseState("const", 5.0, scales=[1.0, 1.0]).noise() == STORED
    assert NoiseState("random", 5.0, scales=[1.0, 2.0, 1.0]).noise() == Noise("random", 5.0, 1.0, (1.0, 2.0))


def test_random_noise_moves_by_itself() -> None:
    state = AppState()
    state.left.path, state.noise.animate, state.noise.speed = "a", True, 4.0
    assert not gestures.is_animating(state), "stored planes do not move"
    gestures.advance(state, 0.5)
    assert state.noise.seed == 0.0
    state.noise.mode = "random"
    before = build_request(state)
    assert gestures.is_animating(state)
    gestures.advance(state, 0.5)
    assert state.noise.seed == 2.0 and build_request(state) != before and hash(build_request(state))
    gestures.advance(state, 0.5, has_noise=False)
    assert state.noise.seed == 2.0 and not gestures.is_animating(state, has_noise=False), "no model would show it"


def test_sticking_shows_what_noise_does(models: dict[str, str]) -> None:
    def measure(noise: Noise) -> float:
        request = MeterRequest((("left", PictureRequest(models["B"], noise=noise)),), 2)
        last = next(view for view in reversed([*request.run(Renderer(), None)]) if view)  # type: ignore[arg-type]
        return last.slots["left"].estimates[0].db

    assert measure(Noise("const", 0.0, 4.0)) < measure(STORED) < measure(Noise("none"))


def test_neighbourhoods_have_the_noise_of_the_picture(models: dict[str, str]) -> None:
    from viz.core.request import RenderRequest

    for noise in (Noise("none"), Noise("random", 5.0)):
        request = PictureRequest(models["B"], noise=noise)
        found = [*NeighbourhoodRequest(0.0, 2).run(Renderer(), RenderRequest(request))]
        mean = next(view for view in reversed(found) if view)["left"]
        assert close(mean.pixels[:, :, :3], picture(models["B"], noise))


def render(*words: str) -> Result:
    return CliRunner().invoke(viewer, ["render", *words], prog_name="visualizer.py")


def test_on_the_command_line(models: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def drawn(*words: str) -> np.ndarray:
        result = render("--model", models["A"], *words, "--out", "x.png", "--overwrite")
        assert result.exit_code == 0, result.output
        with Image.open("x.png") as image:
            return np.array(image)

    assert np.array_equal(drawn(), drawn("--noise-mode=const"))
    assert np.array_equal(drawn("--noise-mode=none"), picture(models["A"], Noise("none")))
    assert np.array_equal(drawn("--noise-mode=random"), picture(models["A"], Noise("random", 0.0)))
    seeded = drawn("--noise-mode=RANDOM", "--noise-seed=4294967295")
    assert np.array_equal(seeded, picture(models["A"], Noise("random", 4294967295.0)))
    result = render("--model", models["A"], "--noise-seed=3", "--out=y.png")
    assert result.exit_code == 2 and "give --noise-mode=random" in result.output
    assert render("--model", models["A"], "--noise-mode=some", "--out=y.png").exit_code == 2
    result = render("--model", models["T"], "--noise-mode=none", "--out=y.png")
    assert result.exit_code == 0 and "T.safetensors has no noise inputs, so --noise-mode changes" in result.output
    result = render("--model", models["T"], "--cutoff=2", "--out=z.png")
    assert result.exit_code == 0 and "--cutoff changes nothing at --trunc 1: give --trunc, too" in result.output
