# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The command sticking: what it writes is what it says, and whatever cannot be done is said first."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from support.gui import save_model
from support.paths import ROOT

from gan.analysis.stickiness import StickinessMeter
from gan.analysis.texture_sticking import perturb_latent, sample_segment
from gan.checkpoints.checkpoint import load_generator
from gan.data.image_io import to_uint8
from gan.networks.generator import z_from_seed
from gan.networks.input_transform import user_matrix
from viz.cli.main import main as viewer
from viz.core.latent import seed_point
from viz.core.request import PictureRequest
from viz.render.renderer import Renderer
from viz.render.upscale import upscale
from viz.reports import sticking_figure, sticking_study
from viz.reports.style import GREEN, VERMILION
from viz.ui import theme

QUICK = ("--num", "5", "--frames", "24", "--latents", "2")
PARTS = ("centre", "mean", "walk", "glide")


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    found = {letter: save_model(folder / f"net-{letter}.safetensors", letter, 16) for letter in ("A", "B", "T")}
    found["T32"] = save_model(folder / "net-T32.safetensors", "T", 32, z_dim=48)
    found["labels"] = save_model(folder / "labels.safetensors", "T", 16, c_dim=3)
    return found


def run(*words: str) -> Result:
    return CliRunner().invoke(viewer, ["sticking", *words], prog_name="visualizer.py")


def refused(result: Result, words: str, code: int = 1) -> None:
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code == code and last.startswith("Error: ") and words in last, result.output
    assert isinstance(result.exception, SystemExit), "an exit, not a traceback"


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.fixture(scope="module")
def written(paths: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder of all that comes out, and what was said."""
    out = tmp_path_factory.mktemp("out") / "new folder" / "sticking"
    result = run(
        "--left", paths["B"], "--right", paths["T32"], *QUICK, "--seed", "3", "--trunc", "0.8", "--out", str(out)
    )
    assert result.exit_code == 0, result.output
    return out, result.output


def test_everything_is_written_and_said(written: tuple[Path, str]) -> None:
    out, said = written
    names = {f"{side}-{part}.png" for side in ("left", "right") for part in PARTS} | {"figure.png", "sticking.json"}
    assert {path.name for path in out.iterdir()} == names and all(name in said for name in names)
    document = json.loads((out / "sticking.json").read_text(encoding="utf-8"))
    assert document["settings"]["seed"] == 3 and document["settings"]["trunc"] == 0.8
    assert document["settings"]["segment"] == [0.6, 0.2, 0.6, 0.8] and "stickiness" in document["definitions"]
    left, right = document["left"], document["right"]
    assert (left["rung"], left["resolution"], left["z_dim"]) == ("B", 16, 32)
    assert (right["rung"], right["resolution"], right["z_dim"]) == ("T", 32, 48)
    assert [shares["distance"] for shares in left["stickiness"]] == [1, 2]
    assert [shares["distance"] for shares in right["stickiness"]] == [1, 2, 4]
    for side in (left, right):
        assert set(side["files"]) == set(PARTS) and set(side["streaks"]) == {"walk", "glide"}
        for shares in side["stickiness"]:
            assert shares["stays"] + shares["follows"] + shares["boils"] == pytest.approx(1)
    sticky = [side["stickiness"][0]["stays"] for side in (left, right)]
    assert sticky[0] > 0.2 and abs(sticky[1]) < 0.05
    assert f"stickiness {100 * sticky[0]:.1f} ± " in said


@pytest.mark.slow
def test_the_numbers_are_the_meters(written: tuple[Path, str], paths: dict[str, str]) -> None:
    document = json.loads((written[0] / "sticking.json").read_text(encoding="utf-8"))
    meter = StickinessMeter(load_generator(paths["B"])[0], 3, psi=0.8)
    while meter.num < 2:
        meter.add()
    assert [shares["stays"] for shares in document["left"]["stickiness"]] == pytest.approx(
        [shares.stays for shares in meter.estimates], abs=1e-4
    )


def test_the_pictures_are_the_models(written: tuple[Path, str], paths: dict[str, str]) -> None:
    out, _ = written
    rest = Renderer().render(PictureRequest(paths["B"], latent=seed_point(3), psi=0.8))
    assert rest.smooth is not None
    off = np.abs(pixels(out / "left-centre.png") - rest.smooth[:, :, :3].astype(int))
    assert off.max() <= 2 and off.mean() < 0.05, "but for bytes that were rounded the other way"
    generator, z = load_generator(paths["T32"])[0], z_from_seed(3, 48)[0]
    zs = torch.from_numpy(np.stack([perturb_latent(z, 0.4, 3, i) for i in range(5)])).float()
    mean = to_uint8(generator(zs, psi=0.8).mean(dim=0, keepdim=True))[0].permute(2, 0, 1)
    expected = upscale(mean.float(), 16).permute(1, 2, 0).clamp(0, 255).numpy()
    assert np.abs(pixels(out / "right-mean.png") - expected).max() <= 3
    glide = pixels(out / "right-glide.png")
    assert glide.shape == (192, 24, 3)
    transform = user_matrix(0, 0.125, 0)  # a quarter of a turn: as far down as it goes
    moved = generator(torch.from_numpy(z[None]).float(), psi=0.8, transform=transform)[0].permute(1, 2, 0).numpy()
    column = sample_segment(127.5 * moved + 128, 0.6, 0.2, 0.6, 0.8, 192).clip(0, 255)
    assert np.abs(glide[:, 6] - column).max() <= 1.5


def test_a_glide_bends_where_detail_follows(written: tuple[Path, str]) -> None:
    """In T's slice the column at rest is found again, an eighth of a picture lower, a quarter of a turn later."""
    glide = pixels(written[0] / "right-glide.png").astype(float)
    shift = round(192 * 0.125 / 0.6)
    assert np.abs(glide[shift:, 6] - glide[:-shift, 0]).mean() < 0.1 * np.abs(glide[:, 6] - glide[:, 0]).mean()


def test_the_figure_shows_both_models(written: tuple[Path, str]) -> None:
    figure = pixels(written[0] / "figure.png").astype(int)
    height, width = figure.shape[:2]
    assert width > 1500 and height > 700

    def count(code: str, rows: slice) -> int:
        rgb = [int(code[i : i + 2], 16) for i in (1, 3, 5)]
        return int((np.abs(figure[rows] - rgb).max(axis=2) <= 6).sum())

    upper, lower = slice(0, height // 2), slice(height // 2, height)
    assert count(sticking_figure.ACCENTS["left"], upper) > 200 > count(sticking_figure.ACCENTS["left"], lower)
    assert count(sticking_figure.ACCENTS["right"], lower) > 200 > count(sticking_figure.ACCENTS["right"], upper)
    assert count(VERMILION, upper) > 10 * count(VERMILION, lower) > 0, "B sticks, T has the legend's square"
    assert count(GREEN, lower) > count(GREEN, upper) > 1000
    edge = np.concatenate([figure[:6], figure[-6:]]), np.concatenate([figure[:, :6], figure[:, -6:]], axis=1)
    assert all((part == 255).all() for part in edge), "nothing is cut off"
    assert {slot: theme.LIGHT[slot] for slot in ("left", "right")} == sticking_figure.ACCENTS


@pytest.mark.slow
def test_the_same_command_writes_the_same(paths: dict[str, str], tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert run("--left", paths["B"], "--right", paths["T"], *QUICK, "--out", str(tmp_path / name)).exit_code == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_a_model_that_cannot_be_moved_takes_part(paths: dict[str, str], tmp_path: Path) -> None:
    result = run(
        "--left", paths["A"], "--right", paths["T"], *QUICK, "--segment", "0.1,0.5,0.9,0.5", "--out", str(tmp_path)
    )
    assert result.exit_code == 0 and "no Fourier input (rung B on)" in result.output, result.output
    document = json.loads((tmp_path / "sticking.json").read_text(encoding="utf-8"))
    assert document["left"]["stickiness"] is None and document["left"]["streaks"]["glide"] is None
    assert "glide" not in document["left"]["files"] and not (tmp_path / "left-glide.png").exists()
    assert (tmp_path / "left-walk.png").exists() and (tmp_path / "right-glide.png").exists()


@pytest.mark.slow
def test_progress_counts_every_picture(paths: dict[str, str]) -> None:
    settings = sticking_study.Settings(0, 20, 18, 0.4, 2, 1.0, (0.5, 0.2, 0.5, 0.8), "cpu")
    for name, resolution, movable in (("labels", 16, True), ("T32", 32, True), ("A", 16, False)):
        ticks: list[int] = []
        sticking_study.study(paths[name], settings, ticks.append)
        assert sum(ticks) == settings.steps(resolution, movable), name
    classes = [
        sticking_study.study(paths["labels"], settings, ticks.append, label) for label in (0, 2, (0.0, 0.0, 1.0))
    ]
    assert not np.array_equal(classes[0].centre, classes[1].centre), "the class reaches the mapping"
    assert np.array_equal(classes[1].centre, classes[2].centre), "and a vector, which here is that class"


def test_refusals_come_first_and_in_one_sentence(
    paths: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("measured before it was refused")

    monkeypatch.setattr(sticking_study, "study", never)
    out = ("--out", str(tmp_path / "out"))
    good = ("--left", paths["B"], "--right", paths["T"])
    refused(run("--left", str(tmp_path / "none.safetensors"), *out), "none.safetensors")
    refused(run("--left", paths["B"], "--right", __file__, *out), "is a text, perhaps")
    (tmp_path / "file").touch()
    refused(run(*good, "--out", str(tmp_path / "file")), "is a file", 2)
    refused(run(*good, "--out", str(tmp_path / "file" / "below")), "cannot be written")
    refused(run(*good, "--out", str(tmp_path / ("x" * 300))), "cannot be written")
    refused(run(*good, *out, "--class", "0"), "without labels", 2)
    refused(run("--left", paths["labels"], "--right", paths["labels"], *out, "--class", "3"), "classes 0 to 2", 2)
    refused(run(*good, *out, "--device", "gpu9"), "There is no device 'gpu9'")
    refused(run(*good, *out, "--segment", "0.5,0.5"), "two points such as", 2)
    refused(run(*good, *out, "--segment", "0.5,0.5,0.5,1.2"), "leaves the picture", 2)
    refused(run(*good, *out, "--segment", "0.5,0.5,nan,0.2"), "leaves the picture", 2)
    refused(run(*good, *out, "--segment", "0.5,0.5,0.51,0.5"), "too short", 2)
    refused(run(*good, *out, "--radius", "nan"), "not a finite number", 2)
    refused(run(*good, *out, "--frames", "15"), "15 is not in the range", 2)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)
        refused(run(*good, *out), "pip install matplotlib")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_what_is_interrupted_leaves_nothing_half_written(
    paths: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("--left", paths["B"], "--right", paths["T"], *QUICK, "--out", str(tmp_path / "out"))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sticking_study, "study", interrupted)
        result = run(*command)
    assert result.exit_code == 1 and "Aborted!" in result.output and not (tmp_path / "out").exists()

    write = Path.write_bytes
    written: list[Path] = []

    def full(path: Path, content: bytes) -> int:
        written.append(path)
        if len(written) == 4:
            raise OSError(28, "No space left on device")
        return write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        refused(run(*command), "cannot be written: No space left on device.")
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "figure.png").write_bytes(b"before")
    written.clear()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        refused(run(*command, "--overwrite"), "No space left on device.")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["figure.png"]
    assert (tmp_path / "out" / "figure.png").read_bytes() == b"before"


def test_percents_read_well() -> None:
    shares = (0.4264, -0.00001, -0.038, 1.0, float("nan"))
    assert [sticking_study.format_percent(share) for share in shares] == ["42.6", "0.0", "−3.8", "100.0", "?"]


def test_help_is_there_without_waiting_for_torch() -> None:
    code = (
        "import sys; from viz.cli.main import main; main(['sticking', '--help'], standalone_mode=False); "
        "sys.exit('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0 and "--segment" in ran.stdout, ran.stderr
