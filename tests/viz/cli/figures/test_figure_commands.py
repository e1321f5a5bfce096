# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`render --layer`, `curves`, `inspect --plot` and `spectra --from` as a user calls them."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from support.gui import save_model

from viz.cli.main import main as viewer
from viz.core.latent import seed_point
from viz.core.request import PictureRequest
from viz.render.renderer import Renderer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models t and a, and run folders one and two (30 ticks each), empty and broken."""
    root = tmp_path_factory.mktemp("figures")
    save_model(root / "t.safetensors", "T", 16)
    save_model(root / "a.safetensors", "A", 16)
    for name in ("one", "two", "empty", "broken"):
        (root / name).mkdir()
    rows = [{"kimg": i, "loss_g": 1 + 0.1 * i, "loss_d": 2.0, "r1": 0.01 if i % 4 == 0 else None} for i in range(30)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    for name in ("one", "two"):
        (root / name / "stats.jsonl").write_text(text, encoding="utf-8")
    (root / "broken" / "stats.jsonl").write_bytes(b"\xff\x00{not json\n" * 50)
    return root


def run(*words: object) -> Result:
    return CliRunner().invoke(viewer, [*map(str, words)], prog_name="visualizer.py")


def refused(result: Result, words: str, code: int) -> None:
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code == code and last.startswith("Error: ") and words in last, result.output
    assert isinstance(result.exception, SystemExit), "an exit, not a traceback"


def test_a_layer_is_written_in_every_form(folder: Path, tmp_path: Path) -> None:
    model = folder / "t.safetensors"
    expected = Renderer().maps(PictureRequest(str(model), latent=seed_point(7)), "input")[0].numpy()
    for kind in ("png", "pdf", "svg", "npz", "csv"):
        out = tmp_path / f"maps.{kind}"
        result = run("render", "--model", model, "--seed", 7, "--layer", "input", "--channels", "3,4,5", "--out", out)
        assert result.exit_code == 0 and "3 of the" in result.output and out.stat().st_size > 500, result.output
    with np.load(tmp_path / "maps.npz") as arrays:
        np.testing.assert_allclose(arrays["maps"], expected[3:6], rtol=1e-5, atol=1e-6)
    with Image.open(tmp_path / "maps.png") as picture:
        assert picture.size == expected.shape[:0:-1] and json.loads(picture.info["jinc"])["about"]["layer"] == "input"
    result = run(
        "render", "--model", model, "--layer", 2, "--channels", "0-3", "--normalize", "--db", "--gain", 3,
        "--out", tmp_path / "sheet.png",
    )  # fmt: skip
    assert result.exit_code == 0 and "4 of the" in result.output, result.output
    whole = run("render", "--model", model, "--layer", "picture", "--sort", "phase", "--out", tmp_path / "all.npz")
    assert whole.exit_code == 0, whole.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--layer nope --out x.png", "There is no layer 'nope' here: choose one of input, L0_"),
        ("--layer 2 --channels 900 --out x.png", "has the channels 0 to "),
        ("--layer 2 --channels 5-3 --out x.png", "runs backwards"),
        ("--layer 2 --channels a --out x.png", "'a' is not channels such as 3,4,5 or 0-15"),
        ("--layer 2 --channels 0-999999 --out x.png", "or is more than"),
        ("--layer 2 --out x.jpg", "--out 'x.jpg' must end as one of these"),
        ("--layer 2", "--layer writes one file: give it a name"),
        ("--layer 2 --seeds 0-3 --out x.png", "--layer shows the maps of one picture: leave out --seeds"),
        ("--layer 2 --grid 2x2 --out x.png", "leave out --grid"),
        ("--layer 2 --untransform --out x.png", "leave out --untransform"),
        ("--layer 2 --channels 1 --sort energy --out x.png", "leave out --channels, or --sort"),
        ("--channels 1 --out x.png", "--channels is of a layer's maps: give --layer, too"),
        ("--db 20 --out x.png", "--db is of a layer's maps: give --layer, too"),
        ("--layer 2 --out here.png", "is there already: give another name"),
    ],
)
def test_layers_that_cannot_be_written(folder: Path, tmp_path: Path, words: str, sentence: str) -> None:
    (tmp_path / "here.png").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        refused(run("render", "--model", folder / "t.safetensors", *words.split()), sentence, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["here.png"]


def test_a_layer_of_a_model_that_cannot_be_moved_says_so(folder: Path, tmp_path: Path) -> None:
    words = ("render", "--model", folder / "a.safetensors", "--layer", "b8.conv0", "--translate", "0.1,0")
    refused(run(*words, "--out", tmp_path / "x.png"), "cannot be moved", 1)
    assert not list(tmp_path.iterdir())


def test_curves_are_drawn_and_written(folder: Path, tmp_path: Path) -> None:
    for kind in ("png", "svg", "npz", "csv"):
        result = run("curves", folder / "one", folder / "two", "--log", "--out", tmp_path / f"x.{kind}")
        assert result.exit_code == 0 and "60 ticks of 2 runs" in result.output, result.output
    text = (tmp_path / "x.csv").read_text(encoding="utf-8")
    rows = [*csv.reader(io.StringIO(text[text.index('"run"') :]))]
    assert rows[0] == ["run", "kimg [thousands of images]", "loss_g [nats]", "loss_d [nats]", "r1"] and len(rows) == 61
    assert rows[31][:3] == ["two", "0.0", "1.0"] and rows[2][4] == "nan"
    svg = (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert "G, two</text>" in svg and "mathdefault" not in svg
    with np.load(tmp_path / "x.npz") as arrays:
        assert arrays["runs"].tolist() == ["one", "two"] and arrays["loss_g_1"].shape == (30,)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("none", "There is no folder"), ("empty", "holds no stats.jsonl"), ("broken", "broken has no losses yet")],
)
def test_runs_without_curves(folder: Path, tmp_path: Path, name: str, sentence: str) -> None:
    refused(run("curves", folder / name, "--out", tmp_path / "x.png"), sentence, 1)
    assert not list(tmp_path.iterdir())


def test_filters_are_written_as_numbers(folder: Path, tmp_path: Path) -> None:
    for kind in ("pdf", "npz", "csv"):
        out = tmp_path / f"x.{kind}"
        assert run("inspect", folder / "t.safetensors", "--plot", out, "--layer", 2).exit_code == 0
    with np.load(tmp_path / "x.npz") as arrays:
        name = arrays["layer"][2]
        gains = arrays[f"{name}_up_gain_0"]
        assert gains.max() == pytest.approx(0, abs=0.5) and gains.shape == arrays[f"{name}_up_frequency_0"].shape
        assert arrays[f"{name}_up_taps"].ndim == 1
        assert "samples/picture width" in json.loads(str(arrays["about"]))["arrays"]["rate"]["unit"]


def test_spectra_are_drawn_again_and_smoothed(folder: Path, tmp_path: Path) -> None:
    first = tmp_path / "x.npz"
    model = folder / "t.safetensors"
    assert run("spectra", "--model", model, "--num", 2, "--out", first).exit_code == 0
    for kind in ("svg", "csv", "npz"):
        result = run("spectra", "--from", first, "--smooth", 1.5, "--out", tmp_path / f"again.{kind}")
        assert result.exit_code == 0, result.output
    svg = (tmp_path / "again.svg").read_text(encoding="utf-8")
    assert "Average spectra of pictures</text>" in svg and "σ = 1.5 cycles per picture width" in svg
    direct = run("spectra", "--model", model, "--num", 2, "--smooth", 1.5, "--out", tmp_path / "direct.npz")
    assert direct.exit_code == 0
    with np.load(tmp_path / "again.npz") as again, np.load(tmp_path / "direct.npz") as found, np.load(first) as rough:
        np.testing.assert_allclose(again["power_0"], found["power_0"])
        np.testing.assert_allclose(again["slice_45_0"], found["slice_45_0"])
        assert again["slice_0_0"].std() < rough["slice_0_0"].std() and float(again["smooth"]) == 1.5
    for files in ((first, tmp_path / "direct.npz"), (tmp_path / "direct.npz", first)):
        both = ("spectra", "--from", files[0], "--from", files[1], "--overwrite", "--out", tmp_path / "both.npz")
        refused(run(*both), "smoothed in different ways", 1)
        assert run(*both, "--smooth", 1.5).exit_code == 0
        with np.load(tmp_path / "both.npz") as joined:
            np.testing.assert_allclose(joined["power_0"], joined["power_1"])
            assert float(joined["smooth"]) == 1.5 and "σ = 1.5 cycles" in str(json.loads(str(joined["about"])))
    refused(run("spectra", "--from", first, "--num", 3, "--out", tmp_path / "y.png"), "--num is of averaging", 2)
    refused(run("spectra", "--from", first, "--model", model, "--out", tmp_path / "y.png"), "--model is of averag", 2)
    again = ("spectra", "--from", tmp_path / "direct.npz", "--smooth", 3, "--out", tmp_path / "y.png")
    refused(run(*again), "direct.npz was smoothed by 1.5 cycles", 1)
    refused(run("spectra", "--from", model, "--out", tmp_path / "y.png"), "cannot be read", 1)
    refused(run("spectra", "--from", tmp_path / "none.npz", "--out", tmp_path / "y.png"), "is not there", 1)
