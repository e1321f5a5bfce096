# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`visualizer.py mix`: a grid of seeds that take layers' styles from others."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageDraw
from support.gui import save_model

from viz.cli.main import main as viewer
from viz.core.latent import Latent, Mixture, seed_point
from viz.core.request import PictureRequest
from viz.render.renderer import Renderer


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_model(tmp_path_factory.mktemp("models") / "net.safetensors", "B", 16)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mix(*words: str) -> Result:
    return CliRunner().invoke(viewer, ["mix", *words], prog_name="visualizer.py")


def refused(result: Result, words: str, code: int) -> None:
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code == code and last.startswith("Error: ") and words in last, result.output
    assert isinstance(result.exception, SystemExit), "an exit, not a traceback"


@pytest.mark.parametrize("names", [("--rows", "--cols", "--layers"), ("--row-seeds", "--col-seeds", "--styles")])
def test_each_picture_of_the_grid(model: str, names: tuple[str, str, str]) -> None:
    rows, cols, layers = names
    asked = [f"{rows}=3,1", f"{cols}=5-7", f"{layers}=0-1,3", "--trunc=0.7", "--out=grid.png"]
    result = mix("--network", model, *asked)
    assert result.exit_code == 0 and "Wrote grid.png (64x48, 2 rows, 3 columns)." in result.output, result.output
    renderer = Renderer(enlarge=False)

    def expected(latent: Latent) -> np.ndarray:
        image = renderer.render(PictureRequest(model, latent, psi=0.7)).image
        assert image is not None
        return image[:, :, :3]

    with Image.open("grid.png") as image:
        grid = np.array(image).reshape(3, 16, 4, 16, 3).transpose(0, 2, 1, 3, 4)
        assert json.loads(image.info["jinc"])["mix"] == {"rows": [3, 1], "cols": [5, 6, 7], "layers": [0, 1, 3]}
    assert not grid[0, 0].any(), "an empty corner"
    for column, col in enumerate((5, 6, 7), 1):
        assert np.array_equal(grid[0, column], expected(seed_point(col)))
        for line, row in enumerate((3, 1), 1):
            assert np.array_equal(grid[line, 0], expected(seed_point(row)))
            mixed = Mixture(seed_point(row), seed_point(col), (0, 1, 3))
            assert np.array_equal(grid[line, column], expected(mixed))


def test_captions_name_the_seeds(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, draw_text = [], ImageDraw.ImageDraw.text

    def record(self: ImageDraw.ImageDraw, xy: tuple[float, float], text: str, **options: Any) -> None:
        drawn.append(text)
        draw_text(self, xy, text, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", record)
    result = mix("--model", model, "--rows=3", "--cols=5-6", "--layers=0", "--captions", "--out=grid.png")
    assert result.exit_code == 0, result.output
    assert drawn == ["", "seed 5", "seed 6", "seed 3", "3 + 5", "3 + 6"]
    with Image.open("grid.png") as image:
        assert image.size[0] % 3 == 0 and image.size[1] % 2 == 0 and image.size[1] // 2 > 16, "a strip below each"


def test_one_row_is_one_row(model: str, folder: Path) -> None:
    result = mix("--network", model, "--rows=0", "--cols=1", "--layers=0", "--out=grid.png")
    assert result.exit_code == 0 and ", 1 row, 1 column)." in result.output, result.output


def test_what_cannot_be_mixed_is_one_sentence(model: str, folder: Path) -> None:
    seeds = ("--model", model, "--rows=0-1", "--cols=2")
    refused(
        mix(*seeds, "--layers=0-63", "--out=x.png"), "net.safetensors has w's 0 to 5: give --layers some of them", 2
    )
    refused(mix(*seeds, "--layers=64", "--out=x.png"), "64 is too large: layers run from 0 to 63", 2)
    refused(mix(*seeds, "--layers=some", "--out=x.png"), "'some' is not a list of layers such as 0-6,9", 2)
    refused(mix(*seeds, "--layers=0", "--out=x.txt"), "must end in .png", 2)
    refused(mix(*seeds, "--layers=0"), "Missing option '--out'", 2)
    refused(mix(*seeds, "--layers=0", "--out=x.png", "--class=1"), "without labels", 2)
    refused(mix("--model", model, "--rows=0-99", "--cols=0-99", "--layers=0", "--out=x.png"), "4096 are the most", 2)
    refused(mix("--model", "none.safetensors", "--rows=0", "--cols=1", "--out=x.png"), "none.safetensors", 1)
    (folder / "there.png").write_bytes(b"")
    refused(mix(*seeds, "--layers=0", "--out=there.png"), "is there already", 2)
    assert [path.name for path in folder.iterdir()] == ["there.png"]


def test_the_official_command_is_pointed_here() -> None:
    result = CliRunner().invoke(viewer, ["style_mixing.py", "--rows=1"], prog_name="visualizer.py")
    assert result.exit_code == 2 and "`mix` takes the same options" in result.output
