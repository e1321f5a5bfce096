# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`visualizer.py directions`: files of directions, sheets of what they change, and a sentence for what cannot be."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from support.gui import save_model

from gan.data.direction_files import read_direction_file
from gan.hub import cache
from viz.cli.main import main as viewer
from viz.core.latent import Direction, Moved, Step, seed_point
from viz.core.request import PictureRequest
from viz.render.renderer import Renderer


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_model(tmp_path_factory.mktemp("models") / "net.safetensors", "T", 16)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache" / "models")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(viewer, ["directions", *words], prog_name="visualizer.py")


def refused(result: Result, words: str, code: int) -> None:
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code == code and last.startswith("Error: ") and words in last, result.output
    assert isinstance(result.exception, SystemExit), "an exit, not a traceback"


@pytest.mark.parametrize("kind", ["pca", "closed-form"])
@pytest.mark.parametrize("suffix", ["npz", "npy", "safetensors"])
def test_what_is_written_adds_a_standard_deviation_and_opens_again(model: str, kind: str, suffix: str) -> None:
    result = run(model, "--kind", kind, "--num=3", f"--out=d.{suffix}")
    assert result.exit_code == 0 and f"Wrote d.{suffix}." in result.output, result.output
    assert f"3 of 32 directions, {kind}; standard deviations" in result.output
    units = read_direction_file(f"d.{suffix}")[0]
    renderer, base = Renderer(), seed_point(5)
    plain = renderer.find_ws(PictureRequest(model, base))
    for index in range(3):
        moved = Moved(base, (Step(Direction(kind, index), 1.0),))  # type: ignore[arg-type]
        added = renderer.find_ws(PictureRequest(model, moved)) - plain
        assert np.abs(added.numpy()[0] - units[index]).max() < 1e-5
    again = run(model, "--file", f"d.{suffix}", "--num=3", "--out=again.npy")
    assert again.exit_code == 0, again.output
    assert np.abs(np.load("again.npy") - units).max() < 1e-4, "its own unit is the same again"


def test_each_picture_of_the_sheet(model: str) -> None:
    asked = ["--kind=closed-form", "--layers=2-5", "--num=2", "--seed=7", "--trunc=0.7", "--reach=2"]
    result = run(model, *asked, "--sheet=sheet.png")
    assert result.exit_code == 0 and "2 directions, -2 to 2 σ" in result.output, result.output
    sheet = Image.open("sheet.png")
    pixels, height = np.asarray(sheet.convert("RGB")), sheet.height // 2
    width = sheet.width // 7
    assert width > 16 and height > 16, "a caption stands below each picture, which has room for it"
    left = (width - 16) // 2
    renderer = Renderer(enlarge=False)
    for row in range(2):
        for column, strength in enumerate(np.linspace(-2, 2, 7)):
            direction = Direction("closed-form", row, 2, 5)
            latent = Moved(seed_point(7), (Step(direction, float(strength)),))
            expected = renderer.render(PictureRequest(model, latent, psi=0.7)).image
            cell = pixels[row * height : row * height + 16, column * width + left : column * width + left + 16]
            assert expected is not None and np.abs(cell.astype(int) - expected[:, :, :3]).max() <= 1
    document = json.loads(sheet.info["jinc"])
    assert document["direction"]["kind"] == "closed-form" and document["strengths"][0] == -2 and document["seed"] == 7


def test_a_sheet_tells_the_name_of_a_file_and_no_folder(model: str, folder: Path) -> None:
    (folder / "private").mkdir()
    np.save("private/d.npy", np.ones((1, 32)))
    Path("net.safetensors").write_bytes(Path(model).read_bytes())
    result = run("net.safetensors", f"--file={folder / 'private' / 'd.npy'}", "--sheet=sheet.png")
    assert result.exit_code == 0, result.output
    with Image.open("sheet.png") as sheet:
        text = sheet.info["jinc"]
    document = json.loads(text)
    assert document["direction"]["path"] == "d.npy" and document["strengths"][0] == -3
    assert document["request"]["model"] == "net.safetensors" and "private" not in text and str(folder) not in text


def test_what_cannot_be_is_one_sentence(model: str, folder: Path) -> None:
    np.save("wide.npy", np.ones(33))
    np.save("there.npy", np.ones(32))
    out = "--out=d.npz"
    refused(run(model), "Give --out, a file for the directions, or --sheet", 2)
    refused(run(model, "--out=d.txt"), "--out d.txt must end in .npz, .npy or .safetensors, as in d.npz.", 2)
    refused(run(model, "--out=there.npy"), "there already", 2)
    refused(run(model, "--sheet=sheet.gif"), "must end in .png", 2)
    refused(run(model, out, "--layers=4-2"), "is no range of layers such as 2-5", 2)
    refused(run(model, out, "--layers=x"), "is no range of layers", 2)
    refused(run(model, out, "--layers=0-99"), "net.safetensors has w's 0 to 15", 2)
    for written in (out, "--sheet=sheet.png"):
        refused(run(model, written, "--kind=closed-form", "--layers=0"), "These w's change nothing in this model", 1)
    refused(run(model, out, "--kind=ica"), "'ica' is not one of", 2)
    refused(run(model, out, "--file=wide.npy"), "wide.npy holds directions of 33 numbers", 1)
    refused(run(model, out, "--file=gone.npy"), "There is no file ", 1)
    refused(run(model, out, "--num=0"), "0 is not in the range", 2)
    refused(run(model, out, "--reach=nan"), "--reach", 2)
    refused(run("gone.safetensors", out), "There is no file gone.safetensors", 1)
    refused(run(model, "--out=folder/"), "must end in", 2)
    refused(run("--model", model, out), "name the model itself", 2)
    assert {path.name for path in folder.iterdir()} == {"cache", "there.npy", "wide.npy"}, "nothing was written"


def test_an_existing_file_is_replaced_if_asked(model: str) -> None:
    Path("d.npz").write_bytes(b"old")
    refused(run(model, "--out=d.npz"), "--overwrite to replace it", 2)
    assert Path("d.npz").read_bytes() == b"old"
    assert run(model, "--out=d.npz", "--num=1", "--overwrite").exit_code == 0
    assert len(read_direction_file("d.npz")[0]) == 1
