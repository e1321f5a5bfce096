# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`render --grid`: a sheet of the very pictures that render writes one by one, and a sentence for what makes none."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from support.gui import save_model

from gan.checkpoints.checkpoint import save_generator
from gan.networks.generator import init_generator
from gan.networks.ladder import rung_config
from viz.cli.main import main as viewer
from viz.core.latent import seed_point
from viz.core.request import PictureRequest
from viz.render.renderer import Renderer


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    found = {"T": save_model(folder / "t.safetensors", "T", 32)}
    for channels in (1, 4):
        found[str(channels)] = save_model(folder / f"{channels}.safetensors", "B", 16, img_channels=channels)
    config = rung_config("B", 16, z_dim=32, w_dim=32, channel_base=512, channel_max=16, c_dim=2)
    save_generator(folder / "classes.safetensors", init_generator(config, 0), {"classes": ["cat", "dog"]})
    found["classes"] = str(folder / "classes.safetensors")
    return found


def run(*words: str) -> Result:
    return CliRunner().invoke(viewer, ["render", *words], prog_name="visualizer.py")


def test_a_sheet_holds_every_seed_in_its_place(paths: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "new" / "sheet.png"
    words = ("--model", paths["T"], "--seeds", "5,9-11,2", "--trunc", "0.7", "--translate", "0.2,0", "--out", str(out))
    result = run(*words, "--grid", "3x2")
    assert result.exit_code == 0 and "(96x64, 5 seeds)" in result.output, result.output
    with Image.open(out) as image:
        sheet, document = np.asarray(image), json.loads(image.info["jinc"])
    assert document["seeds"] == [5, 9, 10, 11, 2] and document["grid"] == [3, 2]
    for index, seed in enumerate(document["seeds"]):
        request = PictureRequest(paths["T"], seed_point(seed), psi=0.7, tx=0.2)
        expected = Renderer().render(request).image
        row, column = divmod(index, 3)
        cell = sheet[32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
        assert expected is not None and np.array_equal(cell, expected[:, :, :3]), seed
    assert not sheet[32:, 64:].any()
    again = run(*words, "--grid", "3x2")
    assert again.exit_code == 2 and "is there already" in again.output


def test_without_a_list_seeds_go_on_from_the_first(paths: dict[str, str], tmp_path: Path) -> None:
    for name, words, seeds in (
        ("a", (), [0, 1, 2, 3]),
        ("b", ("--seed", "7"), [7, 8, 9, 10]),
        ("c", ("--seed", "4294967294"), [4294967294, 4294967295]),
    ):
        out = tmp_path / f"{name}.webp"
        assert run("--model", paths["1"], "--grid", "2x2", *words, "--out", str(out)).exit_code == 0
        with Image.open(out) as image:
            described = json.loads(image.getexif()[0x010E])
            assert json.loads(described["jinc"])["seeds"] == seeds and image.size == (32, 32)


def test_captions_name_seed_and_class(paths: dict[str, str], tmp_path: Path) -> None:
    sheets = {}
    for name, words in (("plain", ()), ("cat", ("--captions",)), ("dog", ("--captions", "--class", "dog"))):
        out = tmp_path / f"{name}.png"
        result = run("--model", paths["classes"], "--grid", "2x1", "--seeds", "3,8", *words, "--out", str(out))
        assert result.exit_code == 0, result.output
        with Image.open(out) as image:
            sheets[name] = np.asarray(image.convert("RGB"))
    height = sheets["cat"].shape[0]
    cell = sheets["cat"].shape[1] // 2
    assert sheets["plain"].shape == (16, 32, 3) and height > 16 and cell > 16
    for column in range(2):
        left = column * cell + (cell - 16) // 2
        picture = sheets["plain"][:, column * 16 : column * 16 + 16]
        assert np.array_equal(sheets["cat"][:16, left : left + 16], picture), "as it is, in the middle of its cell"
    line = (height - 16) // 2
    seeds, classes = (slice(16, 16 + line), slice(16 + line, height))
    assert sheets["cat"][seeds, :cell].any() and sheets["cat"][classes].any()
    inks = {
        name: [sheets[name][rows][:, sheets[name][rows].any((0, 2))] for rows in (seeds, classes)] for name in sheets
    }
    assert inks["cat"][0].sum() == pytest.approx(inks["dog"][0].sum(), rel=0.1)  # at other parts of a pixel
    assert inks["cat"][1].shape != inks["dog"][1].shape
    assert not np.array_equal(sheets["cat"][seeds, :cell], sheets["cat"][seeds, cell:])
    assert np.array_equal(sheets["cat"][classes, :cell], sheets["cat"][classes, cell:])


def test_transparency_is_seen_and_fits_a_jpeg(paths: dict[str, str], tmp_path: Path) -> None:
    for suffix in ("jpg", "png"):
        out = tmp_path / f"sheet.{suffix}"
        assert run("--model", paths["4"], "--grid", "2x1", "--out", str(out)).exit_code == 0
        with Image.open(out) as image:
            assert (image.mode, image.size) == ("RGB", (32, 16))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--grid", "8"), "columns and rows such as 8x4"),
        (("--grid", "0x4"), "columns and rows such as 8x4"),
        (("--grid", "9999x9999"), "4096 are the most"),
        (("--grid", "2x2", "--seeds", "0-4"), "has 4 places, and these are 5 seeds"),
        (("--grid", "2x2", "--seeds", "0-3", "--seed", "1"), "not both"),
        (("--grid", "2x2", "--seed-plane", "0,1"), "leave out --seed-plane"),
        (("--grid", "2x2", "--w", "w.npz"), "leave out --w"),
        (("--grid", "2x2", "--save-w", "w.npz"), "leave out --save-w"),
        (("--grid", "2x2", "--outdir", "out"), "leave out --outdir"),
        (("--grid", "2x2"), "give it a name"),
        (("--grid", "2x2", "--out", "sheet.mp4"), "must end in .png, .jpg or .webp"),
        (("--grid", "2x2", "--out", "."), "is a folder"),
        (("--grid", "1000x1", "--out", "sheet.png"), "is too large"),
        (("--captions", "--seed", "1", "--out", "a.png"), "give --grid, too"),
    ],
)
def test_what_makes_no_sheet_is_one_sentence(
    paths: dict[str, str], words: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("--model", paths["T"], *words)
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code == 2 and last.startswith("Error: ") and sentence in " ".join(result.output.split())
    assert not list(tmp_path.iterdir())
