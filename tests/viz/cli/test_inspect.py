# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`visualizer.py inspect`: its figures against scipy's and the paper's, its pictures, and its one-sentence refusals."""

import ast
import math
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
from click.testing import CliRunner, Result
from PIL import Image
from support import rosinality
from support.paths import ROOT

from gan.analysis.filter_response import (
    AXIS,
    DIAGONAL,
    Filter,
    get_layer_filters,
    magnitude_response,
    measure_attenuation,
)
from gan.checkpoints.checkpoint import save_generator
from gan.networks.config import GeneratorConfig
from gan.networks.describe import count_parameters
from gan.networks.generator import Generator
from gan.networks.ladder import RUNGS, Recipe, rung_config
from gan.networks.layer_plan import plan
from viz.cli.main import main as viewer
from viz.reports import schedule_figure, style
from viz.reports.network_text import WORDS, describe_network

SMALL = {"z_dim": 8, "w_dim": 8, "channel_base": 64, "channel_max": 4}


def run(*words: str) -> Result:
    return CliRunner().invoke(viewer, ["inspect", *words], prog_name="visualizer.py")


def printed(*words: str) -> list[str]:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def refused(result: Result, words: str, code: int) -> None:
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code == code and last.startswith("Error: ") and words in last, result.output
    assert isinstance(result.exception, SystemExit), "an exit, not a traceback"


def layer_filters(name: str, index: int, resolution: int = 256) -> tuple[Filter | None, Filter | None]:
    config = rung_config(name, resolution)
    return get_layer_filters(config, plan(config).layers[index])


def scipys(f: Filter, frequencies: np.ndarray, degrees: float) -> np.ndarray:
    """|H| by freqz: a plane seen from the side is a line of the taps' sums, along 45 degrees of their diagonals."""
    if not f.radial:
        taps, rate = f.taps, float(f.rate)
    elif degrees == AXIS:
        taps, rate = f.taps.sum(axis=0), float(f.rate)
    else:
        size = len(f.taps)
        taps = np.array([np.trace(f.taps[::-1], offset) for offset in range(1 - size, size)])
        rate = f.rate * math.sqrt(2)
    return np.abs(scipy.signal.freqz(taps, worN=frequencies, fs=rate)[1])


@pytest.mark.parametrize(("name", "index"), [("T", 3), ("T", 13), ("R", 7), ("E", 4), ("A", 2)])
def test_responses_and_attenuations_are_scipys(name: str, index: int) -> None:
    for f in layer_filters(name, index):
        if f is None:
            assert name in "AE", "only these have no filter after the nonlinearity"
            continue
        found = measure_attenuation(f)
        worst = {"cutoff": np.inf, "stopband": np.inf, "alias": np.inf}
        at_cutoff = []
        for degrees in (AXIS, DIAGONAL) if f.radial else (AXIS,):
            edge = f.rate / 2 * (math.sqrt(2) if degrees else 1)
            frequencies = np.linspace(0, edge * 0.999, 20_000)
            expected = scipys(f, frequencies, degrees)
            np.testing.assert_allclose(magnitude_response(f.taps, f.rate, frequencies, degrees), expected, atol=1e-6)
            decibels = -20 * np.log10(np.maximum(expected, 1e-10))
            at_cutoff.append(np.interp(f.cutoff, frequencies, decibels))
            for key, low in (("stopband", f.cutoff + f.half_width), ("alias", f.low_rate - f.cutoff)):
                worst[key] = min(worst[key], decibels[frequencies >= low].min())
        assert found.cutoff == pytest.approx(max(at_cutoff), abs=0.01)
        assert found.stopband == pytest.approx(worst["stopband"], abs=0.05)
        assert found.alias == pytest.approx(worst["alias"], abs=0.05)


def test_separable_filters_along_the_diagonal_are_products() -> None:
    up, _ = layer_filters("T", 3)
    assert up is not None
    frequencies = np.linspace(0, up.rate / 2, 50)
    plane = np.outer(up.taps, up.taps)
    for degrees in (20.0, DIAGONAL):
        expected = magnitude_response(plane, up.rate, frequencies, degrees)
        np.testing.assert_allclose(magnitude_response(up.taps, up.rate, frequencies, degrees), expected, atol=1e-7)


def test_attenuations_known_by_formula() -> None:
    up, down = layer_filters("A", 2)  # [1, 3, 3, 1] / 8 is cos^3 of half the angle
    assert up is not None and down is None
    found = measure_attenuation(up)
    assert found.cutoff == found.alias == pytest.approx(-60 * math.log10(math.cos(math.pi / 4)), abs=1e-4)
    assert found.stopband == pytest.approx(-60 * math.log10(math.cos(math.pi / 4 * math.sqrt(2))), abs=1e-4)
    _, down = layer_filters("T", 9)  # Kaiser's estimate of what so many taps can do is right to some dB
    assert down is not None
    kaisers = scipy.signal.kaiser_atten(12, 2 * down.half_width / (down.rate / 2))
    assert measure_attenuation(down).stopband == pytest.approx(kaisers, abs=2.5)
    _, critical = layer_filters("T", 13)
    assert critical is not None
    assert critical.alias_from == critical.cutoff
    assert measure_attenuation(critical).alias == measure_attenuation(critical).cutoff == pytest.approx(6, abs=1)


def test_a_wave_beyond_the_band_comes_back_as_weak_as_stated() -> None:
    _, down = layer_filters("T", 9)
    assert down is not None and down.rate == 2 * down.low_rate
    time = np.arange(4000) / down.rate
    wave = np.cos(2 * np.pi * down.alias_from * time)
    y = scipy.signal.upfirdn(down.taps, wave, 1, 2)[50:-50]
    at = np.arange(len(y)) / down.low_rate
    window = np.hanning(len(y)) / np.hanning(len(y)).sum()
    amplitude = 2 * abs((y * np.exp(-2j * np.pi * down.cutoff * at) * window).sum())
    through = magnitude_response(down.taps, down.rate, np.array([down.alias_from]))[0]
    assert amplitude == pytest.approx(through, rel=1e-2), "it is now at f_c, within the band"
    assert -20 * math.log10(amplitude) >= measure_attenuation(down).alias - 0.1


# In millions (references, *Training*).
@pytest.mark.parametrize(
    ("names", "resolution", "millions"),
    [
        ("A", 1024, 30.37),
        ("B", 1024, 30.62),
        ("DEF", 1024, 30.12),
        ("GH", 1024, 33.48),
        ("T", 1024, 22.31),
        ("R", 1024, 15.09),
        ("DEF", 256, 24.81),
        ("GH", 256, 27.96),
        ("T", 256, 23.32),
        ("R", 256, 15.78),
    ],
)
def test_parameter_counts_are_the_papers(names: str, resolution: int, millions: float) -> None:
    for name in names:
        assert round(sum(count_parameters(rung_config(name, resolution))) / 1e6, 2) == millions


@pytest.mark.parametrize("name", [letter for letter, _ in RUNGS] + ["resnet"])
def test_parameter_counts_are_the_modules(name: str) -> None:
    for classes in (0, 3):
        config = rung_config("B" if name == "resnet" else name, 16, c_dim=classes, **SMALL)
        config = replace(config, architecture="resnet") if name == "resnet" else config
        generator = Generator(config)
        parts = (generator.mapping, generator.synthesis)
        assert count_parameters(config) == tuple(sum(p.numel() for p in part.parameters()) for part in parts)


def test_the_table_of_t_is_the_papers() -> None:
    lines = printed("--cfg", "T", "--size", "256")
    assert lines[0] == "T + flexible layers (StyleGAN3-T), 256x256"
    (row, filters) = (line.split() for line in lines if "L10_276_128" in line)
    # [P fig. 4c]: size 276, rate 256, cutoff 64, 128 channels; padding is what maps 148 to 276 pixels.
    assert row == [
        "10",
        "L10_276_128",
        "181>128",
        "148>276",
        "128>256",
        "64.00",
        "64.00",
        "128.00",
        "3x3",
        "2",
        "4",
        "24",
        "2",
        "12",
        "-6,-9",
        "-",
    ]
    assert (148 + 4 - 2) * 4 + (-6 - 9) - 23 - 12 == (276 - 1) * 2
    assert filters[2] == "24" and filters[5] == "82.75" and filters[7] == "12" and filters[10] == "192.00"
    critical = [line.split()[1] for line in lines if line.endswith("  yes")]
    assert critical == ["L12_276_64", "L13_256_64", "L14_256_3"]
    assert "23.32M (23,320,443)" in "\n".join(lines)


@pytest.mark.parametrize("name", [letter for letter, _ in RUNGS])
def test_every_rung_fits_a_terminal(name: str) -> None:
    text = describe_network(rung_config(name, 1024), name)
    assert max(map(len, text.splitlines())) <= 140
    assert ("45 degrees" in text) == (name == "R")
    assert ("12x12" in text) == (name == "R")
    for spec in plan(rung_config(name, 1024)).layers:
        assert f" {spec.name} " in text


def test_switches_change_what_is_shown() -> None:
    lines = printed(
        "--cfg",
        "T",
        "--size",
        "64",
        "--filter-size",
        "4",
        "--lrelu-upsampling",
        "1",
        "--cbase",
        "2048",
        "--cmax",
        "32",
        "--fixed-fourier",
        "--margin-size",
        "3",
    )
    text = "\n".join(lines)
    assert "n = 4 taps a factor, m = 1" in text and "base 2048, at most 32" in text
    assert "22x22 at rate 16" in text and "moved by w" not in text
    assert "R + rotation" in run("--cfg", "stylegan3-r", "--size", "32x32").output


def test_a_difference_names_settings_layers_and_parameters() -> None:
    lines = printed("--diff", "D", "E")
    assert lines[0] == "256x256" and lines[2:4] == ["- D + simplified generator", "+ E + boundaries & upsampling"]
    settings = lines[lines.index("Settings") + 2 : lines.index("Input") - 1]
    assert [line.split()[:3] for line in settings] == [
        ["margin_size", "0", "10"],
        ["same_padding", "yes", "no"],
        ["filter_kind", "binomial", "kaiser"],
        ["filter_size", "2", "6"],
    ]
    text = "\n".join(lines)
    assert "14 of 15 differ" in text and "L14_256_3" not in text
    old, new = (line.split() for line in lines if " 12  L12" in line)
    assert old == ["-", "12", "L12_256_64", "128>256", "1", "4", "2,1"]
    assert new == ["+", "12", "L12_276_64", "148>276", "2", "12", "-6,-7"]
    assert lines[-1].startswith("  24.81M (24,812,995)") and lines[-1].endswith("the same")


def test_differences_of_other_kinds() -> None:
    assert "14 and ToRGB, all the same" in run("--diff", "G", "H").output
    assert "+ 512 Fourier features, f_c = 2, 24x24 at rate 4, turned and moved by w" in printed("--diff", "G", "H")
    lines = printed("--diff", "C", "D", "--size", "64")
    assert "Layers: 9 and 5 ToRGB (left) against 10 and ToRGB (right)" in lines
    assert any("b64.torgb" in line and line.endswith("|") for line in lines)
    g = [line.split() for line in printed("--diff", "F", "G") if " 8  L8" in line]
    assert g == [
        ["-", "8", "L8_84_256", "512>256", "32.00", "45.25", "yes"],
        ["+", "8", "L8_84_437", "512>437", "18.75", "32.00", "-"],
    ]
    assert printed("--diff", "T", "stylegan3-t")[-1] == "The two are the same."


def test_every_setting_has_words() -> None:
    known = {field.name for kind in (GeneratorConfig, Recipe) for field in fields(kind)} - {"rung"}
    assert known == set(WORDS)


def test_a_checkpoint_is_shown_with_its_facts(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    facts = {"kimg": 12.5, "data": "critters\x1b[2J", "training": {"batch": 16}, "long": "x" * 500}
    save_generator(path, Generator(rung_config("G", 32, margin_size=4, **SMALL)), facts)
    lines = printed(str(path))
    assert lines[0] == "net.safetensors: G + non-critical sampling, 32x32"
    told = next(line for line in lines if line.startswith("Training"))
    assert "kimg 12.5, data critters?[2J, long xxx" in told and len(told) < 120 and "batch" not in told
    assert any("margin of 4 px" in line for line in lines)
    stranger = tmp_path / "stranger.safetensors"
    save_generator(stranger, Generator(replace(rung_config("T", 16, **SMALL), rung="Q")), {})
    text = run(str(stranger)).output
    assert "Q (no rung of the ladder), 16x16" in text and "nothing recorded" in text


def test_bundled_models_go_by_their_names() -> None:
    assert "critters-t-32.safetensors: T + flexible layers" in printed("t")[0]


def test_a_file_of_another_project_is_shown(tmp_path: Path) -> None:
    path = rosinality.save(
        tmp_path / "a.pt", {"g_ema": rosinality.generator_state(rosinality.generator(block_channels=(8, 8, 16, 4)))}
    )
    lines = printed(str(path))
    assert any(line.endswith("no code; it holds no average w (the mean of 10,000 is taken)") for line in lines)
    assert "Channels    8 at 4, 8 at 8, 16 at 16, 4 at 32" in lines and "Network     g_ema" in lines


@pytest.mark.parametrize(
    ("words", "sentence", "code"),
    [
        ("", "Give one of MODEL, --cfg and --diff", 2),
        ("t --cfg T", "Give one of MODEL, --cfg and --diff", 2),
        ("--cfg T --diff D E", "Give one of MODEL, --cfg and --diff", 2),
        ("--diff D", "requires 2 arguments", 2),
        ("--diff D Q", "There is no rung 'Q' here", 2),
        ("--diff D E --plot x.png", "leave out --diff", 2),
        ("--cfg T --size 256x128", "Generators are square: give 256 instead of 256x128", 2),
        ("--cfg T --size big", "not a width in pixels", 2),
        ("--cfg T --size 48", "power of two from 16 to 1024, not 48", 2),
        ("--cfg A --filter-size 4", "Rung A has no --filter-size", 2),
        ("--cfg T --first-stopband 1.5", "first stopband must lie above the first cutoff", 2),
        ("t --size 64", "--size goes with --cfg or --diff", 2),
        ("t --filter-size 4", "--filter-size goes with --cfg or --diff", 2),
        ("no-such-model", "There is no file no-such-model: choose another", 1),
        (__file__, "is a text, perhaps what a failed download said, and not a checkpoint", 1),
        ("x" * 5000, "There is no file " + "x" * 60, 1),
        ("--cfg T --layer 3", "give --plot, too", 2),
        (f"--cfg T --plot {'x' * 300}.png", "cannot be written: File name too long", 1),
        ("--cfg T --plot x.jpg", "--plot 'x.jpg' must end as one of these", 2),
        ("--cfg T --plot x.png --layer 15", "There is no layer '15': choose from 0 (L0_36_512) to 14 (L14_256_3)", 2),
        ("--cfg T --plot x.png --layer L14_256_3", "has no filters to draw", 2),
        ("--cfg T --plot x.png --layer 0 --layer 1 --layer 2 --layer 3 --layer 4", "4 layers, not of 5", 2),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(
    words: str, sentence: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(run(*words.split()), sentence, code)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("T", {"L7_148_362": "up down", "L13_256_64": "up down"}),
        ("D", {"L12_256_64": "up"}),
        ("G", {"L6_52_512": "up down", "L13_256_64": "up down"}),
        ("A", {"b256.conv0": "up"}),
    ],
)
def test_the_layers_drawn_unasked_are_one_of_each_kind(name: str, expected: dict[str, str]) -> None:
    chosen = schedule_figure.choose_layers(rung_config(name, 256))
    assert {curves.spec.name: " ".join(way for way, _ in curves.filters) for curves in chosen} == expected


def colours(path: Path) -> tuple[tuple[int, int], dict[str, int]]:
    """Size of a picture, and how many of its pixels have each curve's very colour, by half."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    found = {}
    for side, half in (("left", pixels[:, : pixels.shape[1] // 2]), ("right", pixels[:, pixels.shape[1] // 2 :])):
        for name, code in (
            ("blue", style.BLUE),
            ("vermilion", style.VERMILION),
            ("green", style.GREEN),
            ("purple", style.PURPLE),
        ):
            rgb = [int(code[i : i + 2], 16) for i in (1, 3, 5)]
            found[f"{side} {name}"] = int((np.abs(half - rgb).max(axis=2) <= 8).sum())
    return (pixels.shape[1], pixels.shape[0]), found


def test_a_plot_shows_schedule_and_responses(tmp_path: Path) -> None:
    path = tmp_path / "$t.png"  # a name that mathematics could be made of
    lines = printed("--cfg", "T", "--plot", str(path))
    size, found = colours(path)
    assert lines[-1] == f"Wrote {path} ({size[0]}x{size[1]})."
    assert size[0] >= 1200 and size[1] >= 600
    assert all(found[f"left {name}"] > 300 for name in ("blue", "vermilion", "green", "purple")), found
    assert all(found[f"right {name}"] > 300 for name in ("blue", "vermilion", "green")), found
    assert found["right purple"] == 0, "the critical layer's two filters are one curve"
    assert [file.name for file in tmp_path.iterdir()] == ["$t.png"]
    printed("--cfg", "D", "--plot", str(path), "--overwrite")
    _, found = colours(path)
    assert found["left purple"] == 0 and found["right vermilion"] == 0 and found["right blue"] > 300


def test_a_plot_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.png"
    path.write_bytes(b"before")

    def full(_figure: object, target: Any, **_options: object) -> None:
        target.write(b"half")
        raise OSError(28, "full")

    with monkeypatch.context() as patch:
        patch.setattr("matplotlib.figure.Figure.savefig", full)
        refused(run("--cfg", "D", "--plot", str(path), "--overwrite"), "cannot be written: full.", 1)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)
        refused(run("--cfg", "D", "--plot", str(path), "--overwrite"), "pip install matplotlib", 1)
        assert run("--cfg", "D").exit_code == 0, "the tables do without it"
    assert path.read_bytes() == b"before" and len(list(tmp_path.iterdir())) == 1


def test_matplotlib_is_loaded_by_what_draws_alone() -> None:
    for path in Path(schedule_figure.__file__).parent.glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert "matplotlib" not in ast.unparse(node), path.name


def test_a_rung_is_there_without_waiting_for_torch() -> None:
    """Its import alone takes longer than all the rest."""
    code = (
        "import sys; from viz.cli.main import main; main(['inspect', '--cfg', 'R'], standalone_mode=False); "
        "sys.exit('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0 and "rotation equivariance" in ran.stdout, ran.stderr


def test_help_names_the_projects_whose_files_open() -> None:
    words = " ".join(CliRunner().invoke(viewer, ["inspect", "--help"]).output.split())
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    for project in ("TensorFlow's StyleGAN2", "StyleGAN-XL", "rosinality's"):
        assert project in words and project in readme
