# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Directions of loaded models: what a step adds to w's, and what is computed, kept and refused."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.gui import save_model

from gan.analysis.directions import SAMPLES
from gan.checkpoints.checkpoint import load_generator
from gan.hub import cache
from viz.core.latent import Direction, FileLatent, Mixture, Moved, SeedPoint, Step, seed_point
from viz.core.request import PictureRequest
from viz.loading.direction_files import open_directions
from viz.render.directions import Subject
from viz.render.renderer import Renderer


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_model(tmp_path_factory.mktemp("models") / "t.safetensors", "T", 16)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of this test."""
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache" / "models")
    return tmp_path / "cache" / "directions"


def found(path: str, latent: Any, **asked: object) -> np.ndarray:
    return Renderer().find_ws(PictureRequest(path, latent, **asked))[0].double().numpy()  # type: ignore[arg-type]


def sample(path: str) -> np.ndarray:
    """w's [10,000, w_dim] of the model."""
    generator = load_generator(path)[0]
    z = np.random.RandomState(0).randn(SAMPLES, generator.config.z_dim)
    with torch.no_grad():
        return generator.mapping(torch.from_numpy(z).float())[:, 0].double().numpy()


def test_a_step_along_a_component_is_the_formula_and_is_not_truncated(path: str) -> None:
    values, vectors = np.linalg.eigh(np.cov(sample(path).T, bias=True))
    base = Mixture(SeedPoint(3.25, 0.5), seed_point(7), (2, 3))
    for index, (first, last) in ((0, (0, 63)), (2, (1, 4))):
        axis = vectors[:, -1 - index]
        axis = axis * np.sign(axis[np.abs(axis).argmax()])
        expected = found(path, base, psi=0.6, cutoff=5)
        expected[first : last + 1] += -1.75 * np.sqrt(values[-1 - index]) * axis
        steps = (Step(Direction("pca", index, first, last), -1.75),)
        assert np.abs(found(path, Moved(base, steps), psi=0.6, cutoff=5) - expected).max() < 1e-5


def test_steps_add_up(path: str) -> None:
    one, other = Step(Direction("closed-form", 0, 2, 5), 1.0), Step(Direction("pca", 1), -2.0)
    base = seed_point(3)
    plain = found(path, base)
    both = found(path, Moved(base, (one, other))) - plain
    apart = [found(path, Moved(base, (step,))) - plain for step in (one, other)]
    assert np.abs(both - sum(apart)).max() < 1e-5
    assert np.abs(apart[0][[0, 1, 6]]).max() == 0.0 and np.abs(apart[0][2:6]).min(axis=1).max() > 0.0


def test_directions_of_files_are_in_standard_deviations_along_them(path: str, tmp_path: Path) -> None:
    w, generator = sample(path), load_generator(path)[0]
    size, layers = generator.config.w_dim, generator.config.num_ws
    vectors = np.random.RandomState(2).randn(2, size) * 100
    np.save(tmp_path / "d.npy", vectors)
    direction = open_directions(str(tmp_path / "d.npy"))
    assert direction.kind == "file" and direction.index == 0
    axis = vectors[1] / np.linalg.norm(vectors[1])
    step = Step(Direction("file", 1, 3, 4, direction.path, direction.digest), 2.0)
    moved = found(path, Moved(seed_point(0), (step,))) - found(path, seed_point(0))
    expected = np.zeros((layers, size))
    expected[3:5] = 2.0 * (w @ axis).std() * axis
    assert np.abs(moved - expected).max() < 1e-5


def error(path: str, direction: Direction) -> str:
    result = Renderer().render(PictureRequest(path, Moved(seed_point(0), (Step(direction, 1.0),))))
    assert result.error is not None and result.image is None and "\n" not in result.error
    assert result.misfit == Path(direction.path).name, "a file is to blame and not the model"
    return result.error


def test_what_does_not_fit_is_a_sentence(path: str, tmp_path: Path) -> None:
    config = load_generator(path)[0].config
    for name, shape in (("wide", (config.w_dim + 1,)), ("deep", (1, config.num_ws + 1, config.w_dim))):
        np.save(tmp_path / f"{name}.npy", np.ones(shape))
    wide, deep = (open_directions(str(tmp_path / f"{name}.npy")) for name in ("wide", "deep"))
    assert f"wide.npy holds directions of {config.w_dim + 1} numbers, and this model's w has" in error(path, wide)
    assert f"deep.npy holds directions for {config.num_ws + 1} layers, and this model has" in error(path, deep)
    assert "This model has" in error(path, Direction("pca", 4000)) and "choose one of them" in error(
        path, Direction("pca", 4000)
    )
    assert "No layer of this model takes the w's 60 to 63" in error(path, Direction("closed-form", 0, 60, 63))
    gone = Direction("file", 0, 0, 63, str(tmp_path / "gone.npy"), "0" * 64)
    assert "gone.npy: check its path." in error(path, gone)
    np.save(tmp_path / "gone.npy", np.ones(config.w_dim))
    assert "gone.npy is not the file any more that it was: open it again." in error(path, gone)


def test_statistics_are_measured_once_and_kept(path: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    latent = Moved(seed_point(1), (Step(Direction(), 1.0),))
    first = found(path, latent)
    (kept,) = folder.iterdir()
    generator, facts = Renderer().generator(PictureRequest(path))
    assert kept.stem == Renderer().directions.name(Subject("a", generator, facts))

    def fail(*_: object) -> None:
        raise AssertionError("measured again")

    with monkeypatch.context() as patched:
        patched.setattr("viz.render.directions.measure_w", fail)
        assert np.array_equal(found(path, latent), first), "from the folder, bit for bit"
    for damage in (b"", b"PK\3\4", kept.read_bytes()[:-50], kept.read_bytes()[:200]):
        kept.write_bytes(damage)
        assert np.array_equal(found(path, latent), first), "a damaged file is measured anew"
    np.savez(kept, mean=np.zeros(3), covariance=np.eye(3))
    assert np.array_equal(found(path, latent), first)


def test_where_nothing_can_be_kept_directions_are_there_all_the_same(path: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file in its place")
    assert np.isfinite(found(path, Moved(seed_point(1), (Step(Direction(), 1.0),)))).all()


def test_labels_are_taken_in_turn(tmp_path: Path) -> None:
    model = save_model(tmp_path / "c.safetensors", "T", 16, c_dim=3)
    generator, facts = Renderer().generator(PictureRequest(model))
    assert Subject("a", generator, facts).labels() == (0, 1, 2)
    latent = Moved(seed_point(1), (Step(Direction(), 1.0),))
    moves = [found(model, latent, label=label) - found(model, seed_point(1), label=label) for label in (0, 2)]
    assert np.abs(moves[0] - moves[1]).max() < 1e-5, "a direction is the model's, whatever the label"


def test_a_file_latent_moves_too(path: str, tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.zeros(load_generator(path)[0].config.w_dim))
    latent = FileLatent("w", str(tmp_path / "w.npy"), hashlib.sha256((tmp_path / "w.npy").read_bytes()).hexdigest())
    step = Step(Direction(), 2.0)
    moved = found(path, Moved(latent, (step,)))
    assert np.abs(moved - (found(path, Moved(seed_point(0), (step,))) - found(path, seed_point(0)))).max() < 1e-5
