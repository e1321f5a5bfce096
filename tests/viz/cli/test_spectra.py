# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`visualizer.py spectra` as a user calls it: what it writes, what it draws where, and what it refuses."""

import json
import math
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from PIL import Image
from support.paths import ROOT

from gan.analysis.bands import find_band
from gan.analysis.power_spectrum import SpectrumAverage, average_generator, average_images
from gan.checkpoints.checkpoint import save_generator
from gan.data.image_dataset import open_images
from gan.networks.config import GeneratorConfig
from gan.networks.generator import init_generator
from gan.networks.ladder import rung_config
from gan.networks.layer_plan import compute_schedule, plan
from viz.cli.main import main as viewer
from viz.reports import style
from viz.reports.spectra_figure import (
    DIRECTIONS,
    NAME,
    SIGNS,
    Curve,
    contour_distance,
    describe_band,
    draw_spectra,
    list_contours,
    shorten_name,
)

SMALL = {"z_dim": 8, "w_dim": 8, "channel_base": 64, "channel_max": 4}


def run(*words: object) -> Result:
    return CliRunner().invoke(viewer, ["spectra", *map(str, words)], prog_name="visualizer.py")


def refused(result: Result, words: str, code: int) -> None:
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code == code and last.startswith("Error: ") and words in last, result.output
    assert isinstance(result.exception, SystemExit), "an exit, not a traceback"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models t, b, r (16x16), large (32x32), labelled, flat and nan; pictures in `set` (16x16) and `wide` (32x32)."""
    root = tmp_path_factory.mktemp("spectra")
    for name, letter, size, classes in (
        ("t", "T", 16, 0),
        ("b", "B", 16, 0),
        ("r", "R", 16, 0),
        ("large", "T", 32, 0),
        ("labelled", "T", 16, 3),
    ):
        generator = init_generator(rung_config(letter, size, c_dim=classes, **SMALL))
        save_generator(root / f"{name}.safetensors", generator, {})
    for name, value in (("flat", 0.0), ("nan", math.nan)):
        broken = init_generator(rung_config("T", 16, **SMALL))
        last = broken.synthesis.get_submodule(broken.layer_names[-1])
        last.weight.fill_(value)
        save_generator(root / f"{name}.safetensors", broken, {})
    random = np.random.default_rng(1)
    for name, size in (("set", 16), ("wide", 32)):
        (root / name).mkdir()
        for i in range(7):
            pixels = random.integers(0, 200, (size, size, 3), np.uint8)
            Image.fromarray(pixels).save(root / name / f"{i}.png")
    return root


def latest(averages: object) -> SpectrumAverage:
    return [*averages][-1]


@pytest.mark.slow
def test_a_picture_of_models_and_data(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "$spectra.png"
    result = run(
        "--model",
        folder / "t.safetensors",
        "--model",
        folder / "b.safetensors",
        "--data",
        folder / "set",
        "--num",
        20,
        "--seed",
        3,
        "--trunc",
        0.5,
        "--out",
        out,
    )
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    counts = {line[0]: line[1] for line in lines if len(line) == 4 and line[1].isdigit()}
    assert counts == {"set": "7", "t": "20", "b": "20"}, "a set has no more than it has"
    with Image.open(out) as written:
        pixels = np.asarray(written.convert("RGB")).astype(int)
        document = json.loads(written.info["jinc"])
    assert f"Wrote {out} ({pixels.shape[1]}x{pixels.shape[0]})." in result.output
    assert document["about"]["spectra"]["seed"] == 3 and document["about"]["spectra"]["trunc"] == 0.5
    for code in (style.INK, style.BLUE, style.VERMILION):  # a curve each
        rgb = [int(code[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(pixels[:, pixels.shape[1] // 2 :] - rgb).max(axis=2) <= 8).sum() > 300
    assert [file.name for file in tmp_path.iterdir()] == ["$spectra.png"]


@pytest.mark.slow
@pytest.mark.parametrize("data", [True, False])
def test_arrays_are_those_of_the_library(folder: Path, tmp_path: Path, data: bool) -> None:
    out = tmp_path / "spectra.npz"
    given = ("--data", folder / "set") if data else ()
    result = run(
        "--model",
        folder / "t.safetensors",
        "--model",
        folder / "t.safetensors",
        *given,
        "--num",
        5,
        "--seed",
        2,
        "--beta",
        6,
        "--pad",
        3,
        "--out",
        out,
    )
    assert result.exit_code == 0, result.output
    with np.load(out) as arrays:
        found = dict(arrays)
    assert found["names"].tolist() == [*(["set"] if data else []), "t", "t (2)"]
    config = rung_config("T", 16, **SMALL)
    own = latest(average_generator(init_generator(config), 5, seed=2, beta=6.0))
    pictures = latest(average_images(open_images(folder / "set"), 5, seed=2, beta=6.0))
    by = pictures if data else own
    last = len(found["names"]) - 1
    for i in range(last + 1):
        average = pictures if data and i == 0 else own
        spectrum = average.spectrum(by.mean, by.deviation)
        assert found["pictures"][i] == 5 and found["size"][i] == found["rate"][i] == 16
        assert found["mean"][i] == pytest.approx(by.mean) and found["deviation"][i] == pytest.approx(by.deviation)
        np.testing.assert_allclose(found[f"power_{i}"], spectrum.power(3), rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(found[f"frequencies_{i}"], spectrum.frequencies(3))
        for degrees in (0, 45):
            frequencies, power = spectrum.slice(degrees)
            np.testing.assert_allclose(found[f"frequencies_{degrees}_{i}"], frequencies)
            np.testing.assert_allclose(found[f"slice_{degrees}_{i}"], power, rtol=1e-4, atol=1e-7)
    assert found["cutoff"][last] == 8 and found["stopband"][last] == pytest.approx(8 * 2**0.3)
    assert math.isnan(found["cutoff"][0]) == data
    # And --help names every one of them.
    text = run("--help").output
    for name in found:
        stem = name.removesuffix(f"_{name[-1]}") + "_i" if name[-1].isdigit() else name
        assert stem in text, name


@pytest.mark.slow
def test_a_layer_of_models_of_several_rates(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "layer.npz"
    models = (
        "--model",
        folder / "r.safetensors",
        "--model",
        folder / "b.safetensors",
        "--model",
        folder / "large.safetensors",
    )
    result = run(*models, "--layer", 3, "--num", 2, "--out", out)
    assert result.exit_code == 0, result.output
    with np.load(out) as found:
        expected = [
            find_band(rung_config(letter, size, **SMALL), "3") for letter, size in (("R", 16), ("B", 16), ("T", 32))
        ]
        assert found["names"].tolist() == [
            f"{name} {band.name}" for name, band in zip(("r", "b", "large"), expected, strict=True)
        ]
        for key in ("rate", "size", "cutoff", "stopband", "radial"):
            assert found[key].tolist() == [getattr(band, key) for band in expected], key
    assert run(*models, "--layer", 3, "--num", 1, "--out", tmp_path / "layer.png").exit_code == 0
    by_name = run("--model", folder / "r.safetensors", "--layer", "input", "--num", 1, "--out", out, "--overwrite")
    assert by_name.exit_code == 0 and "r input" in by_name.output


def test_models_with_labels_and_one_picture(folder: Path, tmp_path: Path) -> None:
    result = run("--model", folder / "labelled.safetensors", "--num", 1, "--out", tmp_path / "x.png")
    assert result.exit_code == 0, result.output


def curve(config: GeneratorConfig | None, layer: str | None = None, name: str = "net") -> Curve:
    """Of noise, as if it came from that layer."""
    band = None if config is None else find_band(config, layer)
    size, rate = (32, 32) if band is None else (band.size, band.rate)
    average = SpectrumAverage(size, rate)
    average.add(torch.randn(2, 3, size, size))
    spectrum = average.spectrum()
    slices = tuple(spectrum.slice(degrees) for degrees in DIRECTIONS)
    return Curve(name, 2, 0.0, 1.0, size, rate, band, spectrum.frequencies(), spectrum.power(), slices)


def drawn(curves: list[Curve]) -> Figure:
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **style.STYLE}):
        figure = Figure(figsize=(12, 8), layout="constrained")
        draw_spectra(figure, curves, "title", "note")
        figure.canvas.draw()
    return figure


@pytest.mark.parametrize(("name", "layer"), [("T", "5"), ("R", "5"), ("G", "4"), ("D", "4"), ("R", "input")])
def test_contours_lie_at_the_plans_frequencies(name: str, layer: str) -> None:
    config = rung_config(name, 32, **SMALL)
    shown = curve(config, layer)
    if layer == "input":
        cutoff, stopband, nyquist = 2.0, 8.0, 8.0
    else:
        spec = plan(config).layers[int(layer)]
        cutoff, stopband, nyquist = spec.out_cutoff, float(compute_schedule(config)[1][int(layer)]), spec.out_rate / 2
    expected = {"s/2": nyquist} | {key: value for key, value in (("f_c", cutoff), ("f_t", stopband)) if value < nyquist}
    assert {contour.label: contour.frequency for contour in list_contours(shown)} == expected
    figure = drawn([shown])
    (heat,) = (axes for axes in figure.axes if axes.images and axes.get_title(loc="left"))
    patches = {patch.get_label(): patch for patch in heat.patches if patch.get_label() in ("s/2", "f_c", "f_t")}
    assert set(patches) == set(expected)
    for label, patch in patches.items():
        radial = name == "R" and label != "s/2"
        assert isinstance(patch, Circle if radial else Rectangle)
        box = patch.get_extents().transformed(heat.transData.inverted())
        for found in (-box.x0, box.x1, -box.y0, box.y1):
            assert found == pytest.approx(expected[label], rel=1e-3)
    for degrees, stretch in ((0, 1.0), (45, math.sqrt(2))):
        for contour in list_contours(shown):
            wanted = expected[contour.label] * (1 if contour.radial else stretch)
            assert contour_distance(contour, degrees) == pytest.approx(wanted)
    marks = sorted(
        line.get_xdata()[0]
        for axes in figure.axes
        for line in axes.lines
        if line.get_marker() in SIGNS.values() and len(line.get_xdata()) == 1
    )
    inner = [contour_distance(contour, degrees) for contour in list_contours(shown)[1:] for degrees in (0, 45)]
    assert marks == pytest.approx(sorted(inner))


def test_a_heat_map_is_the_right_way_up() -> None:
    """A wave to the right and down shows below the middle on the right, and its mirror image above on the left."""
    y, x = torch.meshgrid(torch.arange(32) / 32, torch.arange(32) / 32, indexing="ij")
    average = SpectrumAverage(32, 32)
    average.add(torch.cos(2 * math.pi * (6 * x + 3 * y))[None, None])
    spectrum = average.spectrum()
    slices = tuple(spectrum.slice(degrees) for degrees in DIRECTIONS)
    shown = Curve("wave", 1, 0.0, 1.0, 32, 32, None, spectrum.frequencies(), spectrum.power(), slices)
    figure = drawn([shown])
    (heat,) = (axes for axes in figure.axes if axes.images and axes.get_title(loc="left"))
    (image,) = heat.images
    values, (left, right, low, high) = image.get_array(), image.get_extent()
    assert image.origin == "upper"

    def at(across: float, up: float) -> float:
        column = int((across - left) / (right - left) * values.shape[1])
        row = int((high - up) / (high - low) * values.shape[0])
        return float(values[row, column])

    assert at(6, -3) == pytest.approx(values.max(), abs=0.5) and at(-6, 3) == pytest.approx(values.max(), abs=0.5)
    assert at(6, 3) < values.max() - 50
    np.testing.assert_allclose(values, values[::-1, ::-1], atol=1e-6, err_msg="and it is symmetric about its middle")


@pytest.mark.slow
@pytest.mark.parametrize("count", range(1, 9))
def test_every_number_of_spectra_has_room(count: int) -> None:
    config = rung_config("T", 32, **SMALL)
    curves = [curve(None, name="a data set"), *(curve(config, "6", name="x" * 70) for _ in range(7))][:count]
    figure = drawn(curves)
    heats = [axes for axes in figure.axes if axes.images and axes.get_title(loc="left")]
    assert len(heats) == count
    boxes = [axes.get_tightbbox() for axes in figure.axes if axes.get_visible()]
    width, height = figure.get_size_inches() * figure.dpi
    # A long name above the last heat map may reach between the panels, nothing leaves the picture.
    for box in boxes:
        assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
    sides = [axes.get_position() for axes in heats]
    overlaps = [(a, b) for i, a in enumerate(sides) for b in sides[:i] if a.overlaps(b)]
    assert not overlaps


def test_words_of_a_heat_map() -> None:
    config = rung_config("T", 32, **SMALL)
    assert describe_band(curve(None)) == "s/2 = 16"
    assert describe_band(curve(config)) == "f_c = s/2 = 16, f_t = 19.7 (beyond)"
    assert describe_band(curve(config, "3")) == "f_c = 3.364, f_t = 6.277, s/2 = 8"
    assert shorten_name("short") == "short"
    long = shorten_name("00003-critters-T-32/network-snapshot-000100 L5_52_32")
    assert len(long) == NAME and long.startswith("00003-critte…") and long.endswith("000100 L5_52_32")
    assert curve(config).label == "net, 2 pictures"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "sentence", "code"),
    [
        ("--out x.png", "Give --model, --data or both", 2),
        ("--model t.safetensors", "Missing option '--out'", 2),
        ("--model none --out x.png", "There is no file none: choose another", 1),
        (f"--model {'x' * 5000} --out x.png", "There is no file " + "x" * 60, 1),
        ("--model set/0.png --out x.png", "is a picture or a film", 1),
        ("--model set --out x.png", "is a folder without a snapshot", 1),
        ("--data none --out x.png", "none does not exist; give a folder or a zip", 1),
        ("--data t.safetensors --out x.png", "t.safetensors is neither a folder nor a zip", 1),
        ("--model t.safetensors --out x.jpg", "--out 'x.jpg' must end as one of these: a .png, a .pdf", 2),
        ("--model t.safetensors --out t.safetensors/x.png", "cannot be written: Not a directory", 1),
        ("--model t.safetensors --out folder.png", "it is a folder", 1),
        (f"--model t.safetensors --out {'x' * 300}.npz", "cannot be written: File name too long", 1),
        (
            "--model t.safetensors --data wide --out x.png",
            "wide holds pictures of 32x32, but t draws 16x16: give data of that size",
            1,
        ),
        (
            "--model t.safetensors --model large.safetensors --out x.png",
            "t draws 16x16 and large 32x32: white noise, which is 0 dB, differs from size to size",
            2,
        ),
        ("--model t.safetensors --layer L99 --out x.png", "There is no layer 'L99' here: choose one of input, L0", 2),
        ("--model t.safetensors --model b.safetensors --layer input2 --out x.png", "t: There is no layer 'input2'", 2),
        ("--model t.safetensors --data set --layer 3 --out x.png", "leave out one of them", 2),
        ("--model t.safetensors --device abacus --out x.png", "There is no device 'abacus' on this machine", 1),
        ("--model t.safetensors --num 0 --out x.png", "--num", 2),
        ("--model t.safetensors --trunc nan --out x.png", "not a finite number", 2),
        ("--model t.safetensors --beta -1 --out x.png", "--beta", 2),
        ("--model large.safetensors --layer 7 --pad 65 --out x.png", "--pad", 2),
        ("--model t.safetensors " * 8 + "--data set --out x.png", "room for 8 spectra, not for 9", 2),
        ("--model flat.safetensors --out x.png", "flat: All values are the same", 1),
        ("--model nan.safetensors --out x.png", "nan: The values include some that are not finite numbers", 1),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(
    words: str, sentence: str, code: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "folder.png").mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    refused(run(*words.split()), sentence, code)
    assert sorted(folder.rglob("*")) == before, "and nothing is left behind"


def test_padding_beyond_all_use_is_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viz.reports.spectra_study.PADDED_LIMIT", 100)
    words = ("--model", folder / "t.safetensors", "--num", 1, "--out", tmp_path / "x.npz", "--pad")
    refused(run(*words, 7), "--pad 7 makes 112 samples a side of t's 16: give 6 at most", 2)
    assert run(*words, 6).exit_code == 0


def test_a_file_that_cannot_be_written_is_said_first(folder: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(SpectrumAverage, "add", None)  # nothing is averaged
    for out in (folder / "t.safetensors" / "x.png", folder / "t.safetensors" / "x.npz"):
        refused(run("--model", folder / "t.safetensors", "--out", out), "cannot be written", 1)
    with monkeypatch.context() as patch:
        patch.setattr("tempfile.TemporaryFile", lambda **_: (_ for _ in ()).throw(PermissionError(13, "Not yours")))
        refused(run("--model", folder / "t.safetensors", "--out", tmp_path / "x.png"), "cannot be written: Not you", 1)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)
        refused(run("--model", folder / "t.safetensors", "--out", tmp_path / "x.png"), "pip install matplotlib", 1)


@pytest.mark.parametrize("kind", ["png", "npz"])
def test_a_disk_that_fills_up_leaves_what_was_there(folder: Path, tmp_path: Path, monkeypatch, kind: str) -> None:
    out = tmp_path / f"x.{kind}"
    out.write_bytes(b"before")

    def full(_self: object, *_args: object, **_kwargs: object) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    monkeypatch.setattr("numpy.savez_compressed", full)
    words = ("--model", folder / "t.safetensors", "--num", 1, "--out", out, "--overwrite")
    refused(run(*words), "cannot be written: full.", 1)
    assert out.read_bytes() == b"before" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
def test_ctrl_c_draws_what_was_averaged(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add, calls = SpectrumAverage.add, []

    def interrupted(self: SpectrumAverage, images: object) -> None:
        calls.append(1)
        if len(calls) == last:
            raise KeyboardInterrupt
        add(self, images)

    monkeypatch.setattr(SpectrumAverage, "add", interrupted)
    models = [word for name in "tbr" for word in ("--model", folder / f"{name}.safetensors")]
    words = (*models, "--num", 12, "--batch", 4)
    last = 6  # in the second model's third batch
    result = run(*words, "--out", tmp_path / "x.npz")
    assert result.exit_code == 0
    assert "Stopped before the end; the spectra are of the pictures until then" in result.output
    with np.load(tmp_path / "x.npz") as found:
        assert found["names"].tolist() == ["t", "b"] and found["pictures"].tolist() == [12, 8]
        expected = latest(average_generator(init_generator(rung_config("B", 16, **SMALL)), 8)).spectrum()
        np.testing.assert_allclose(found["slice_0_1"], expected.slice(0)[1], rtol=1e-4, atol=1e-7)
    calls.clear()
    assert run(*words, "--out", tmp_path / "x.png").exit_code == 0 and (tmp_path / "x.png").stat().st_size > 10_000
    calls.clear()
    last = 1
    (tmp_path / "x.png").unlink()
    refused(run(*words, "--out", tmp_path / "x.png"), "Stopped before the first picture: nothing was written", 1)
    assert not (tmp_path / "x.png").exists()


def test_memory_that_runs_out_is_one_sentence(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: object, _images: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.")

    monkeypatch.setattr(SpectrumAverage, "add", full)
    refused(run("--model", folder / "t.safetensors", "--out", tmp_path / "x.npz"), "give a smaller --batch or --pad", 1)


def test_help_comes_without_waiting_for_torch() -> None:
    code = (
        "import sys; from viz.cli.main import main; main(['spectra', '--help'], standalone_mode=False); "
        "sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0 and "frequencies_45_i" in ran.stdout, ran.stderr
