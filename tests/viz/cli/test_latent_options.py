# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Latents on the command line: points of the plane, files of z and w, and the w that is written."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from support.gui import save_model

from gan.hub import cache
from viz.cli.main import main as viewer
from viz.core.latent import Direction, Moved, SeedPoint, Step, seed_point
from viz.core.request import PictureRequest
from viz.loading.direction_files import open_directions
from viz.render.renderer import Renderer

W_DIM, NUM_WS = 32, 16


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_model(tmp_path_factory.mktemp("models") / "net.safetensors", "T", 16)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path.parent / "cache" / "models")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def render(model: str, *words: str) -> Result:
    return CliRunner().invoke(viewer, ["render", "--model", model, *words], prog_name="visualizer.py")


def drawn(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def refused(result: Result, words: str, code: int) -> None:
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code == code and last.startswith("Error: ") and words in last, result.output
    assert isinstance(result.exception, SystemExit), "an exit, not a traceback"


def test_a_point_between_seeds(model: str, folder: Path) -> None:
    for space in ("w", "z"):
        words = ["--seed-plane", "3.25,-0.5", "--trunc", "0.7", "--cutoff", "3", "--space", space]
        assert render(model, *words, "--out", f"{space}.png").exit_code == 0
        request = PictureRequest(model, SeedPoint(3.25, -0.5, space), psi=0.7, cutoff=3)  # type: ignore[arg-type]
        expected = Renderer().render(request).image
        assert expected is not None and np.array_equal(drawn(f"{space}.png"), expected[:, :, :3])
    assert not np.array_equal(drawn("w.png"), drawn("z.png"))
    assert render(model, "--seed-plane", "95,42949672", "--outdir", "out").exit_code == 0
    assert render(model, "--seed", "4294967295", "--out", "seed.png").exit_code == 0
    assert np.array_equal(drawn("out/plane_95_4.29497e+07.png"), drawn("seed.png"))


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".safetensors"])
def test_a_w_that_was_saved_draws_the_same_picture(model: str, folder: Path, suffix: str) -> None:
    assert render(model, "--seed", "5", "--trunc", "0.6", "--out", "a.png", "--save-w", f"w{suffix}").exit_code == 0
    assert render(model, "--w", f"w{suffix}", "--out", "b.png").exit_code == 0
    assert np.array_equal(drawn("a.png"), drawn("b.png"))
    with Image.open("b.png") as image:
        kept = json.loads(image.info["jinc"])["request"]["latent"]
    digest = hashlib.sha256(Path(f"w{suffix}").read_bytes()).hexdigest()
    assert (kept["path"], kept["digest"]) == (f"w{suffix}", digest), "not where it lies on this machine"
    assert render(model, "--projected-w", f"w{suffix}", "--outdir", "out").exit_code == 0
    assert np.array_equal(drawn("a.png"), drawn("out/w.png"))
    assert render(model, "--w", f"w{suffix}", "--trunc", "0", "--out", "mean.png").exit_code == 0
    assert render(model, "--seed", "1", "--trunc", "0", "--out", "average.png").exit_code == 0
    assert np.array_equal(drawn("mean.png"), drawn("average.png")), "psi acts on a file's w, too"


def test_a_w_alone_is_written_without_a_picture(model: str, folder: Path) -> None:
    result = render(model, "--seed", "5", "--save-w", "w.npz")
    assert result.exit_code == 0 and [path.name for path in folder.iterdir()] == ["w.npz"], result.output
    with np.load("w.npz") as archive:
        assert archive["w"].shape[0] == 1 and archive["w"].shape[2] == W_DIM and archive["w"].dtype == np.float32


def test_a_z_of_a_file_is_a_seeds(model: str, folder: Path) -> None:
    np.save("z.npy", np.random.RandomState(5).randn(1, W_DIM))
    assert render(model, "--z", "z.npy", "--trunc", "0.5", "--out", "a.png").exit_code == 0
    assert render(model, "--seed", "5", "--trunc", "0.5", "--out", "b.png").exit_code == 0
    assert np.array_equal(drawn("a.png"), drawn("b.png"))


def test_what_cannot_be_drawn_is_one_sentence(model: str, folder: Path) -> None:
    np.save("wide.npy", np.zeros(W_DIM + 1))
    np.save("two.npy", np.zeros((2, W_DIM)))
    (folder / "bad.npz").write_bytes(b"PK\x03\x04 and then nothing")
    out = ("--out", "x.png")
    refused(render(model, "--w", "none.npz", *out), f"There is no file {folder / 'none.npz'}: check its path.", 1)
    refused(render(model, "--w", str(folder), *out), "cannot be read: Is a directory", 1)
    refused(render(model, "--w", "bad.npz", *out), "bad.npz holds no latent that can be read", 1)
    refused(render(model, "--w", "two.npy", *out), "two.npy holds numbers of shape [2, 32], and a w has [n]", 1)
    refused(render(model, "--w", "wide.npy", *out), "wide.npy holds a w of 33 numbers, and this model takes 32", 1)
    refused(render(model, "--z", "wide.npy", *out), "wide.npy holds a z of 33 numbers, and this model takes 32", 1)
    refused(render(model, "--w", "two.npy", "--seed", "1", *out), "Give --seed or --w, not both", 2)
    refused(render(model, "--z", "two.npy", "--seed-plane", "1,2", *out), "Give --seed-plane or --z, not both", 2)
    refused(render(model, "--seed-plane", "1", *out), "two numbers", 2)
    refused(render(model, "--seed-plane", "1e9,0", *out), "out of range", 2)
    refused(render(model, "--seed-plane", "nan,0", *out), "out of range", 2)
    refused(render(model, "--cutoff", "0", *out), "not in the range", 2)
    words = "net.safetensors has 16 w's: give --cutoff a number from 1 to 16, or leave it out."
    refused(render(model, "--cutoff", "17", *out), words, 2)
    refused(render(model, "--cutoff", "40", "--seeds", "1-4", "--grid", "2x2", *out), words, 2)
    refused(render(model, "--z", "none.npy", *out), f"There is no file {folder / 'none.npy'}: check its path.", 1)
    refused(render(model, "--seeds", "1-2", "--save-w", "w.npz", "--outdir", "y"), "the w of one picture", 2)
    refused(render(model, "--save-w", "w.png", *out), "--save-w w.png must end in .npz, .npy or .safetensors", 2)
    refused(render(model, "--save-w", "wide.npy", *out), "wide.npy is there already", 2)
    refused(render(model, "--save-w", "two.npy/w.npz", *out), "cannot be written", 1)
    refused(render(model), "Give --out, a file, or --outdir", 2)
    assert sorted(path.name for path in folder.iterdir()) == ["bad.npz", "two.npy", "wide.npy"], "nothing was written"


def test_steps_along_directions(model: str, folder: Path) -> None:
    np.save("d:r.npy", np.random.RandomState(0).randn(2, W_DIM))
    given = ["--direction=pca:1:2.5", "--direction=closed-form:0:-1.5:2-5", "--direction", "d:r.npy:1:+2.:3"]
    ran = render(model, "--seed=5", "--trunc=0.6", *given, "--out=a.png")
    assert ran.exit_code == 0, ran.output
    file = open_directions("d:r.npy")
    steps = (
        Step(Direction("pca", 1), 2.5),
        Step(Direction("closed-form", 0, 2, 5), -1.5),
        Step(Direction("file", 1, 3, 3, file.path, file.digest), 2.0),
    )
    expected = Renderer().render(PictureRequest(model, Moved(seed_point(5), steps), psi=0.6)).image
    assert expected is not None and np.array_equal(drawn("a.png"), expected[:, :, :3])
    assert render(model, "--seed=5", "--trunc=0.6", *given, "--save-w=w.npz").exit_code == 0
    assert render(model, "--w=w.npz", "--out=b.png").exit_code == 0
    assert np.array_equal(drawn("a.png"), drawn("b.png"))


@pytest.mark.parametrize("step", ["pca", "pca:0", "pca:0:x", "pca:-1:2", "pca:0:nan", ":0:1"])
def test_what_is_no_step_is_said(model: str, folder: Path, step: str) -> None:
    refused(render(model, f"--direction={step}", "--out=a.png"), "is no step along a direction such as pca:0:2.5", 2)


@pytest.mark.parametrize("step", ["pca:0:21", "pca:0:-1e9", "pca:4096:1"])
def test_a_step_too_far_names_the_limits(model: str, folder: Path, step: str) -> None:
    words = "goes too far: directions are 0 to 4095 and steps -20 to 20 standard deviations."
    refused(render(model, f"--direction={step}", "--out=a.png"), words, 2)


def test_steps_that_cannot_be_taken_are_said(model: str, folder: Path) -> None:
    np.save("wide.npy", np.ones(W_DIM + 1))
    refused(render(model, "--direction=pca:0:1:5-2", "--out=a.png"), "no range of layers such as 2-5", 2)
    refused(render(model, "--direction=pca:0:1:2-64", "--out=a.png"), "no range of layers", 2)
    words = "net.safetensors has w's 0 to 15: give --direction some of them, not 16"
    refused(render(model, "--direction=pca:0:1", "--direction=pca:1:1:2-16", "--out=a.png"), words, 2)
    refused(
        render(model, "--direction=gone.npz:0:1", "--out=a.png"),
        f"There is no file {folder / 'gone.npz'}: check its path.",
        1,
    )
    refused(render(model, "--direction=~nobody-here/d.npz:0:1", "--out=a.png"), "the home folder that", 2)
    refused(render(model, "--direction=wide.npy:0:-.5", "--out=a.png"), "wide.npy holds directions of", 1)
    refused(render(model, "--direction=pca:99:1", "--out=a.png"), "This model has 32 directions of this kind", 1)
    refused(render(model, "--direction=pca:0:1", "--grid=2x2", "--out=a.png"), "leave out --direction", 2)
    assert [path.name for path in folder.iterdir()] == ["wide.npy"]
