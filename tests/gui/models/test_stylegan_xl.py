# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A StyleGAN-XL model in the window: classes, truncation towards a class's average, layers whose numbers jump."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.gui import drive, settle
from support.stylegan_xl import make_generator, network_config, official_stylegan_xl

from gan.checkpoints.checkpoint import load_generator
from gan.networks.generator import z_from_seed
from viz.core.layer_info import find_layer
from viz.core.state import AppState
from viz.loading.model_info import read_info
from viz.window.window import Window

pytestmark = pytest.mark.slow


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = tmp_path / "xl.pkl"
    generator = make_generator(network_config(classes=3))
    generator.synthesis.get_submodule(generator.config.layers[-1].name).weight.mul_(40)  # contrast
    path.write_bytes(official_stylegan_xl(generator))
    return str(path)


def test_it_says_what_the_file_is(path: str) -> None:
    found = read_info(path)
    assert found.words.startswith("XL StyleGAN-XL, its layers as its file lists them: 32 px, RGB, 3 classes, ")
    assert "A pickle of a StyleGAN-XL generator, which carries " in found.words
    assert found.facts is not None and found.facts.layers == len(found.facts.config.layers) - 1


def test_the_window_draws_it_with_its_class_and_average(path: str) -> None:
    state = AppState()
    state.left.path, state.latent.psi, state.latent.x = path, 0.4, 5.0
    state.display.width, state.display.height = 1600, 1000
    shown = Window(state, strict=True)
    generator = load_generator(path)[0]
    config = generator.config
    selected = config.layers[4].name
    assert selected.startswith("L5_"), "the fifth layer's number jumps over the seam"

    def check(label: int) -> None:
        result = shown.context.results["left"]
        assert result is not None and result.error is None and result.image is not None
        z = torch.from_numpy(z_from_seed(5, config.z_dim)).float()
        expected = generator(z, torch.eye(3)[[label]], psi=0.4)[0].permute(1, 2, 0)
        wanted = (expected * 127.5 + 128).clamp(0, 255).to(torch.uint8).numpy().astype(int)
        assert wanted.std() > 1 and np.abs(result.image[..., :3].astype(int) - wanted).max() <= 1

    def script(context: Any) -> None:
        settle(context, shown)
        check(0)
        context.item_input_value("//Latent/##label", 2)
        settle(context, shown)
        assert shown.state.latent.label == 2
        check(2)
        shown.state.layers.left = selected
        context.window_focus("//Filters")
        settle(context, shown)
        assert find_layer(config, "L5_1_1").name == selected

    drive(shown, script)
