# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""docs/python.md: its code runs as it stands, in ten lines a block, and what it says of shapes and units is so."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.paths import ROOT

from gan.checkpoints.checkpoint import load_generator
from gan.data.direction_files import read_direction_file, write_direction_file
from gan.data.latent_files import read_latent_file, write_w_file
from gan.hub import cache
from gan.hub.resolve import resolve
from viz.core.latent import Direction, Moved, Step, seed_point
from viz.core.request import PictureRequest
from viz.render.renderer import Renderer

PAGE = ROOT / "docs" / "python.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
MOST_LINES = 10


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the blocks leave behind, run one after the other in a folder of their own."""
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        try:
            for number, block in enumerate(BLOCKS):
                exec(compile(block, f"{PAGE.name}, block {number}", "exec"), names)
        finally:
            torch.set_grad_enabled(True)
        names["folder"] = Path.cwd()
    return names


def test_each_part_is_short_and_there() -> None:
    assert len(BLOCKS) == 8
    assert all(len([line for line in block.splitlines() if line.strip()]) <= MOST_LINES for block in BLOCKS)
    text = " ".join(BLOCKS)
    for name in (
        "resolve(",
        "user_matrix(",
        ".steps(",
        "average_generator(",
        "measure_equivariance(",
        "StickinessMeter(",
    ):
        assert name in text


def test_pictures_are_those_of_the_window(ran: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "models")
    request = PictureRequest(resolve("t"), seed_point(24), psi=0.7)
    renderer = Renderer(enlarge=False)
    assert ran["picture"].shape == (1, 3, 32, 32) and ran["picture"].dtype == torch.float32
    assert torch.allclose(ran["ws"], renderer.find_ws(request), atol=1e-6)
    for name, asked in (
        ("picture", request),
        ("moved", PictureRequest(resolve("t"), seed_point(24), psi=0.7, tx=0.25, ty=-0.1, degrees=10, scale=1.5)),
        ("steered", PictureRequest(resolve("t"), Moved(seed_point(24), (Step(Direction("pca", 0), 2.5),)), psi=0.7)),
    ):
        assert torch.allclose(ran[name], renderer.maps(asked, "picture"), atol=1e-4), name
    assert not torch.allclose(ran["moved"], ran["picture"], atol=0.1)
    from PIL import Image

    drawn = renderer.render(request).image
    written = np.asarray(Image.open(ran["folder"] / "creature.png"))
    assert drawn is not None and np.abs(written.astype(int) - drawn[:, :, :3]).max() <= 1


def test_maps_spectra_and_figures(ran: dict[str, Any]) -> None:
    generator = load_generator(resolve("t"))[0]
    assert tuple(ran["maps"]) == generator.layer_names and ran["last"].shape[0] == 1 and ran["last"].ndim == 4
    size = ran["decibels"].shape[0]
    assert ran["decibels"].shape == (size, size) and ran["average"].pictures == 32
    assert ran["frequencies"][0] == 0 and ran["frequencies"][-1] == pytest.approx(16 * 2**0.5)
    middle = 10 * np.log10(ran["power"][0])
    assert ran["decibels"][size // 2, size // 2] == pytest.approx(middle, abs=1e-6)
    assert (ran["eq_t"].metric, ran["eq_r"].metric, ran["eq_t"].num) == ("eq_t", "eq_r", 32)
    assert 10 < ran["eq_t"].db < 80 and 0 < ran["eq_t"].db_error < 5
    assert ran["meter"].num == 4 and -0.2 < ran["share"] < 1 and 0 < ran["error"] < 1


def test_mixtures_and_directions(ran: dict[str, Any], tmp_path: Path) -> None:
    mixed, ws, other = ran["mixed"], ran["ws"], ran["other"]
    assert torch.equal(mixed[:, :4], other[:, :4]) and torch.equal(mixed[:, 4:], ws[:, 4:])
    for name in ("between", "mixture", "steered"):
        assert ran[name].shape == (1, 3, 32, 32) and not torch.allclose(ran[name], ran["picture"], atol=0.05)
    assert float(ran["unit"].norm()) == pytest.approx(ran["components"].sigmas[0], rel=1e-5)
    assert ran["styles"].units.shape[1:] == (1, ws.shape[2])
    write_direction_file(tmp_path / "d.npz", ran["components"].units, ran["components"].sigmas)
    write_w_file(tmp_path / "w.npz", ws[0].numpy())
    assert np.array_equal(read_direction_file(tmp_path / "d.npz")[0], ran["components"].units)
    assert np.array_equal(read_latent_file(tmp_path / "w.npz", "w")[0], ws[0].numpy())
