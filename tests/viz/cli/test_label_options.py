# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""--class and --label of render, sticking and spectra: numbers, names, vectors; and a word on what was not chosen."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from support.gui import save_model

from gan.checkpoints.checkpoint import load_generator, save_generator
from gan.data.image_io import to_uint8
from gan.networks.generator import z_from_seed
from viz.cli.main import main as viewer

NAMES = ["cat", "dog", "Wild", "dog"]


def named(path: Path, facts: dict[str, Any], c_dim: int) -> str:
    save_model(path, "T", 16, c_dim=c_dim)
    save_generator(path, load_generator(path)[0], facts)
    return str(path)


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("labels")
    return {
        "none": save_model(folder / "none.safetensors", "T", 16),
        "plain": named(folder / "plain.safetensors", {}, 3),
        "names": named(folder / "names.safetensors", {"classes": NAMES}, 4),
        "digits": named(folder / "digits.safetensors", {"classes": ["0", "1", "10", "2"]}, 4),
        "vectors": named(folder / "vectors.safetensors", {"label_mean": [0.25, 0.5]}, 2),
    }


def run(*words: object) -> Result:
    return CliRunner().invoke(viewer, [str(word) for word in words], prog_name="visualizer.py")


def refused(result: Result, words: str) -> None:
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code == 2 and last.startswith("Error: ") and words in last, result.output


def drawn(path: str, label: list[float]) -> np.ndarray:
    generator, _ = load_generator(path)
    z = torch.from_numpy(z_from_seed(0, generator.config.z_dim)).float()
    return to_uint8(generator(z, torch.tensor([label])))[0].numpy()


@pytest.mark.parametrize(
    ("model", "words", "label", "said"),
    [
        ("names", ["--class", "1"], [0, 1, 0, 0], ", class 1 (dog)."),
        ("names", ["--class", "cat"], [1, 0, 0, 0], ", class 0 (cat)."),
        ("names", ["--class", "wild"], [0, 0, 1, 0], ", class 2 (Wild)."),
        ("names", [], [1, 0, 0, 0], "names.safetensors has 4 classes: class 0 (cat) is taken; --class or --label"),
        ("plain", ["--class=2"], [0, 0, 1], ", class 2."),
        ("plain", ["--label", "0.2,0.7,-1"], [0.2, 0.7, -1], ", label 0.2,0.7,-1."),
        ("plain", ["--label", "-1,0,1e3"], [-1, 0, 1000], ", label -1,0,1000."),
        ("plain", [], [1, 0, 0], "plain.safetensors has 3 labels: class 0 is taken; --class or --label takes another."),
        ("vectors", [], [0.25, 0.5], "vectors.safetensors has labels: their mean is taken, label 0.25,0.5;"),
        ("vectors", ["--class", "1"], [0, 1], "trained with labels of 2 numbers, of which a class alone may be none"),
        ("digits", ["--class", "2"], [0, 0, 1, 0], "takes 2 (10); there is also 3 (2)."),
        ("digits", ["--class", "1"], [0, 1, 0, 0], ", class 1 (1)."),
    ],
)
def test_render_draws_the_label_and_says_which(
    paths: dict[str, str], model: str, words: list[str], label: list[float], said: str, tmp_path: Path
) -> None:
    out = tmp_path / "x.png"
    result = run("render", "--model", paths[model], *words, "--out", out)
    assert result.exit_code == 0 and said in result.output, result.output
    assert np.array_equal(np.asarray(Image.open(out)), drawn(paths[model], label))


def test_the_png_keeps_the_label(paths: dict[str, str], tmp_path: Path) -> None:
    assert run("render", "--model", paths["plain"], "--label", "0.2,0.7,0", "--out", tmp_path / "x.png").exit_code == 0
    with Image.open(tmp_path / "x.png") as image:
        request = json.loads(image.info["jinc"])["request"]
    assert (request["label_kind"], request["vector"]) == ("vector", [0.2, 0.7, 0.0])


@pytest.mark.parametrize(
    ("model", "words", "said"),
    [
        ("none", ["--label", "1"], "none.safetensors was trained without labels: leave out --label."),
        ("none", ["--class", "1"], "trained without labels: leave out --class."),
        ("plain", ["--label", "0.5"], "plain.safetensors takes labels of 3 numbers, and --label has 1: give 3."),
        ("plain", ["--label", "1,2,3,4"], "--label has 4: give 3."),
        ("plain", ["--class", "1", "--label", "1,0,0"], "not both"),
        ("plain", ["--class", "3"], "classes 0 to 2"),
        ("plain", ["--class", "9" * 5000], "classes 0 to 2"),
        ("plain", ["--class", "dog"], "does not name its classes: give --class a number from 0 to 2."),
        ("plain", ["--class", "-1"], "does not name its classes"),
        ("plain", ["--class", ""], "does not name its classes"),
        ("plain", ["--label", "nan,0,0"], "not finite"),
        ("plain", ["--label", "1e39,0,0"], "too large"),
        ("plain", ["--label", ""], "list of numbers"),
        ("plain", ["--label", "0.2;0.7"], "list of numbers"),
        ("names", ["--class", "dog"], "calls several classes 'dog': give --class one of their numbers, 1, 3."),
        ("names", ["--class", "catt"], "no class 'catt': did you mean cat?"),
        ("names", ["--class", "zebra"], "choose one of 0 (cat), 1 (dog), 2 (Wild), 3 (dog)."),
    ],
)
def test_what_a_model_does_not_take_is_refused(
    paths: dict[str, str], model: str, words: list[str], said: str, tmp_path: Path
) -> None:
    refused(run("render", "--model", paths[model], *words, "--out", tmp_path / "x.png"), said)
    refused(run("sticking", "--left", paths[model], "--right", paths[model], *words, "--out", tmp_path / "out"), said)
    refused(run("spectra", "--model", paths[model], *words, "--out", tmp_path / "x.npz"), said)
    assert not list(tmp_path.iterdir())


def test_sticking_gives_each_model_its_label(paths: dict[str, str], tmp_path: Path) -> None:
    few = ("--num", 2, "--frames", 16, "--latents", 2, "--out", tmp_path)
    result = run("sticking", "--left", paths["names"], "--right", paths["vectors"], *few)
    assert result.exit_code == 0 and "class 0 (cat) is taken" in result.output and "their mean" in result.output
    document = json.loads((tmp_path / "sticking.json").read_text(encoding="utf-8"))
    assert (document["left"]["label"], document["right"]["label"]) == (0, [0.25, 0.5])


def test_spectra_take_a_label(paths: dict[str, str], tmp_path: Path) -> None:
    def power(*words: str) -> np.ndarray:
        out = tmp_path / "x.npz"
        result = run("spectra", "--model", paths["plain"], "--num", 4, *words, "--out", out, "--overwrite")
        assert result.exit_code == 0, result.output
        with np.load(out) as arrays:
            return arrays["power_0"]

    one, same, other = power("--class", "1"), power("--label", "0,1,0"), power("--label", "0,1,1")
    assert np.array_equal(one, same) and not np.array_equal(one, other) and not np.array_equal(one, power())
    result = run("spectra", "--model", paths["vectors"], "--num", 2, "--out", tmp_path / "y.npz")
    assert result.exit_code == 0 and "their mean is taken" in result.output, "no one-hot that it never saw"
    refused(run("spectra", "--data", tmp_path, "--class", "1", "--out", tmp_path / "z.npz"), "are of models")


def test_inspect_names_the_classes(paths: dict[str, str]) -> None:
    lines = run("inspect", paths["names"]).output
    assert "4 classes" in lines and "Classes     0 cat, 1 dog, 2 Wild, 3 dog\n" in lines
    assert "labels of 2 numbers" in run("inspect", paths["vectors"]).output
    assert "3 labels" in run("inspect", paths["plain"]).output
