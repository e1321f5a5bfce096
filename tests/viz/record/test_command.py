# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The command that is copied draws what the window shows: it is run."""

import random
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from support.gui import save_model
from support.random_states import random_state, save_files, save_models

from gan.data.image_io import select_channels
from gan.hub import cache
from viz.cli.main import main as viewer
from viz.core.latent import Direction, Step
from viz.core.request import build_request
from viz.core.state import FIRST_SEED, AppState, default_state
from viz.record.command import make_command
from viz.render.renderer import Renderer


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache" / "models")
    return tmp_path


def run(words: list[str]) -> np.ndarray:
    done = CliRunner().invoke(viewer, words, prog_name="visualizer.py")
    assert done.exit_code == 0, f"{words}: {done.output}"
    with Image.open(words[words.index("--out") + 1]) as image:
        return np.array(image)


def check(state: AppState, folder: Path, renderer: Renderer, name: str = "x.png") -> list[str]:
    request = build_request(state).left
    assert request is not None
    shown = renderer.render(request)
    assert shown.image is not None and shown.facts is not None
    words = make_command(state, "left", shown, str(folder / name))
    found, expected = run(words), select_channels(shown.image, shown.facts.config.img_channels)
    assert np.abs(found.astype(int) - expected).max() <= 1, words
    return words


def test_commands_of_random_states_draw_what_is_shown(folder: Path) -> None:
    rng, renderer = random.Random(4), Renderer()
    models, (latents, directions) = save_models(folder), save_files(folder)
    kinds = []
    for number in range(25):
        state = random_state(rng, models, latents, directions)
        if number % 2:  # such as options can say
            state.transform.learned, state.transform.snap, state.latent.mixed, state.noise.scales = (
                "model",
                False,
                [],
                [],
            )
            state.noise.mode, state.latent.source = "const", "seeds"
            state.noise.strength = 1.0
        state.display.precision = "auto"
        kinds.append("--state" in check(state, folder, renderer, f"{number}.png"))
    assert 3 < sum(kinds) < 22, "some in options, some by the state"


def test_options_are_those_that_a_person_would_write(folder: Path) -> None:
    state, renderer = default_state(), Renderer()
    state.display.device = "cpu"
    seed = f"--seed={FIRST_SEED:.0f}"
    assert check(state, folder, renderer)[:-1] == ["render", "--model", "critters-b-32", seed, "--out"]
    state.latent.x, state.latent.y, state.latent.space, state.latent.psi = -3.25, 1.5, "z", 0.7
    state.transform.tx, state.transform.degrees, state.transform.mirror = -0.125, 30.0, True
    state.latent.directions.steps = (Step(Direction("pca", 1), -2.5), Step(Direction("closed-form", 0, 1, 3), 1.0))
    words = check(state, folder, renderer, "y.png")
    assert words[3:-2] == [
        "--seed-plane=-3.25,1.5",
        "--space=z",
        "--direction=pca:1:-2.5",
        "--direction=closed-form:0:1:1-3",
        "--trunc=0.7",
        "--rotate=30",
        "--translate=-0.125,0",
        "--mirror",
    ]


def test_classes_vectors_and_noise_are_said(folder: Path) -> None:
    renderer = Renderer()
    state = AppState()
    state.left.path = save_model(folder / "b.safetensors", "B", 16, c_dim=4)
    state.latent.label, state.noise.mode, state.noise.seed = 2, "random", 5.0
    assert check(state, folder, renderer)[4:-2] == ["--class=2", "--noise-mode=random", "--noise-seed=5"]
    state.latent.label_kind, state.latent.vector = "vector", [0.1, -2.0, 0.0, 1e-3]
    assert "--label=0.1,-2,0,0.001" in check(state, folder, renderer, "2.png")
    state.latent.vector, state.noise.mode = [0.5], "none"
    assert "--state" in check(state, folder, renderer, "3.png"), "a vector that is too short has no option"
    state.latent.label_kind, state.latent.label = "class", 99
    assert "--state" in check(state, folder, renderer, "4.png")


def test_an_empty_slot_has_none() -> None:
    with pytest.raises(ValueError, match="Nothing is shown in the right slot"):
        make_command(AppState(), "right", None)
