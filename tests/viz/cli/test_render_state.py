# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`render --state` and `view` of captured states: options, sizes, and what is refused in a sentence."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from support.gui import save_model

from gan.hub import cache
from viz.cli.main import main as viewer
from viz.core import state as states
from viz.core.state import AppState, default_state
from viz.record.record import make_record, to_text
from viz.record.short_text import encode_text
from viz.record.sources import read_source


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache" / "models")
    monkeypatch.setenv("JINC_CONFIG", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(viewer, list(words), prog_name="visualizer.py")


def drawn(*words: str, out: str = "out.png") -> np.ndarray:
    result = run("render", *words, "--out", out, "--overwrite")
    assert result.exit_code == 0, result.output
    with Image.open(out) as image:
        return np.array(image)


def refused(result: Result, words: str, code: int) -> None:
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code == code and last.startswith("Error: ") and words in last, result.output
    assert isinstance(result.exception, SystemExit) and result.output.count("Error: ") == 1


def test_slots_and_sizes_are_chosen(place: Path) -> None:
    state = default_state()
    state.transform.tx = 0.2
    text = encode_text(make_record(state, "left"))
    left = drawn("--state", text)
    assert left.shape == (32, 32, 3)
    both = drawn("--state", text, "--slot", "both")
    assert both.shape == (32, 64, 3) and np.array_equal(both[:, :32], left)
    large = drawn("--state", text, "--size", "128")
    assert large.shape == (128, 128, 3)
    assert np.abs(large.reshape(32, 4, 32, 4, 3).mean((1, 3)) - left).mean() < 6
    assert drawn("--state", text, "--size", "20").shape == (20, 20, 3)
    again = read_source("out.png")
    assert again.size == 20 and again.state.transform.tx == 0.2
    assert drawn("--state", "out.png", out="more.png").shape == (20, 20, 3)
    assert np.array_equal(drawn("--state", "more.png", "--size", "0"), left)


def test_hard_pixels_and_the_border_of_what_is_moved_back(place: Path) -> None:
    state = default_state()
    state.canvas.nearest, state.transform.tx, state.transform.untransform = True, 0.25, True
    text = encode_text(make_record(state, "right"))
    own, hard = drawn("--state", text), drawn("--state", text, "--size", "96")
    assert np.array_equal(hard[1::3, 1::3], own)
    assert not hard[:, -24:].any() and hard[:, :70].any(), "what came from beyond the picture is black"


def test_a_state_file_of_the_window_is_drawn(place: Path) -> None:
    state = AppState()
    state.right.path = save_model(place / "net.safetensors", "T", 16)
    states.save(state, place / "state.json")
    assert drawn("--state", "state.json").shape == (16, 16, 3)


def test_other_kinds_of_pictures_are_written_without_the_state_and_say_so(place: Path) -> None:
    text = encode_text(make_record(default_state(), "left"))
    for name in ("a.webp", "a.jpg"):
        result = run("render", "--state", text, "--out", name)
        assert result.exit_code == 0 and "The state is not in it: a PNG holds that." in result.output
        with Image.open(name) as image:
            assert image.size == (32, 32)
        refused(run("render", "--state", name, "--out", "b.png"), name, 1)
    assert "not in it" not in run("render", "--state", text, "--out", "a.png").output


def test_transparency_and_grey_stay(place: Path) -> None:
    for channels, shape in ((4, (16, 16, 4)), (1, (16, 16))):
        state = AppState()
        state.left.path = save_model(place / f"{channels}.safetensors", "T", 16, img_channels=channels)
        states.save(state, place / "config" / "state.json")
        assert drawn("--state", encode_text(make_record(state, "left"))).shape == shape


def test_a_device_that_is_not_here_is_replaced_and_said(place: Path) -> None:
    text = to_text(make_record(default_state(), "left")).replace('"device": "cpu"', '"device": "cuda:77"')
    (place / "record.json").write_text(text)
    result = run("render", "--state", "record.json", "--out", "a.png")
    assert result.exit_code == 0 and "There is no cuda:77 here" in result.output
    assert read_source("a.png").conditions["left"].device == "cpu"


def test_what_does_not_go_together_is_refused(place: Path) -> None:
    text = encode_text(make_record(default_state(), "left"))
    refused(run("render", "--state", text, "--seed", "3", "--out", "a.png"), "--seed", 2)
    refused(run("render", "--state", text, "--model", "t", "--out", "a.png"), "--model", 2)
    refused(run("render", "--state", text), "--out", 2)
    refused(run("render", "--state", text, "--out", "a.txt"), ".png", 2)
    refused(run("render", "--state", text, "--device", "cuda:77", "--out", "a.png"), "cuda:77", 1)
    refused(run("render", "--model", "t", "--size", "64", "--out", "a.png"), "--state", 2)
    refused(run("render", "--out", "a.png"), "--model", 2)
    refused(run("render", "--state", "none.png", "--out", "a.png"), "no file none.png", 1)
    refused(run("render", "--state", "jinc1:abc", "--out", "a.png"), "not whole", 1)
    state = AppState()
    state.left.path = save_model(place / "net.safetensors", "T", 16)
    text = encode_text(make_record(state, "left"))
    refused(run("render", "--state", text, "--slot", "right", "--out", "a.png"), "no model for the right", 1)
    (place / "net.safetensors").unlink()
    refused(run("render", "--state", text, "--out", "a.png"), "needs net.safetensors", 1)
    assert not (place / "a.png").exists()


def test_the_window_is_not_opened_on_what_cannot_be_brought_back(place: Path) -> None:
    refused(run("view", "--state", "jinc1:abc", "--screenshot", "w.png"), "not whole", 1)
    Image.new("RGB", (2, 2)).save("plain.png")
    refused(run("plain.png", "--screenshot", "w.png"), "holds no state", 1)
    assert not (place / "w.png").exists() and (place / "plain.png").exists()
