# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What a file is, said in the Model panel before anything of it is loaded."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from support import tensorflow
from support.foreign import SOURCE, Call, Named, official, pickled, snapshot
from support.gui import drive, save_model, settle

from gan.checkpoints import checkpoint
from gan.hub.resolve import unquote_path
from gan.networks.generator import init_generator
from gan.networks.ladder import rung_config
from viz.core.result import CheckpointInfo
from viz.core.state import SLOTS, AppState
from viz.loading import model_info
from viz.loading.model_info import WAITING, InfoReader, read_info
from viz.panels import model as panel
from viz.ui import widgets
from viz.window.window import Window

SECONDS = 30.0


@pytest.fixture
def pickle(tmp_path: Path) -> str:
    path = tmp_path / "network.pkl"
    path.write_bytes(official("stylegan2_32_conditional_resnet"))
    return str(path)


def answered(reader: InfoReader, path: str) -> CheckpointInfo:
    """Ask until the answer is there, as the panel does once a frame."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        found = reader.get(path)
        if found is not None:
            return found
        time.sleep(0.002)
    raise AssertionError("no answer")


@pytest.fixture
def reader() -> Any:
    found = InfoReader(lambda: None)
    yield found
    found.close()


def test_it_says_what_a_file_is(reader: InfoReader, pickle: str, tmp_path: Path) -> None:
    assert reader.get(pickle) is None, "it is read elsewhere"
    found = answered(reader, pickle)
    assert found.facts is not None and found.facts.config.c_dim == 3
    assert found.words.startswith("A StyleGAN2: 32 px, RGB, 3 labels, ")
    assert f"A pickle of a StyleGAN2 generator, which carries {len(SOURCE):,} bytes of Python source" in found.words
    assert (found.file, found.code) == ("pickle", "1.2 KiB")
    ours = answered(reader, save_model(tmp_path / "misnamed.pkl", "T", 16))
    assert (ours.file, ours.code) == ("Jinc", "") and "carries no code" in ours.words
    assert reader.get(pickle) is found, "known at once"
    other = tmp_path / "other.pkl"
    other.write_bytes(tensorflow.file_of(tensorflow.written_generator(tensorflow.generator())))
    assert answered(reader, str(other)).file == "pickle, TensorFlow StyleGAN2"


def test_it_says_why_a_file_cannot_be_opened(reader: InfoReader, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.pkl"
    hostile.write_bytes(pickled(snapshot({"G_ema": Call(Named("os", "system"))})))
    assert answered(reader, str(hostile)).error.startswith("hostile.pkl asks for os.system")
    for path in (str(tmp_path / "none.pkl"), str(tmp_path), "a\0b", "x" * 5000):
        found = reader.get(path)
        assert found is not None and found.error and found.facts is None


def test_wild_facts_and_failures_end_no_thread(
    reader: InfoReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, kimg in enumerate((10**400, float("nan"), -1.0, "many", True)):
        path = tmp_path / f"{number}.safetensors"
        checkpoint.save_generator(
            path, init_generator(rung_config("T", 16, channel_base=256, channel_max=8), 0), {"kimg": kimg}
        )
        facts = answered(reader, str(path)).facts
        assert facts is not None and (facts.kimg is None or kimg is True)
    with monkeypatch.context() as broken:
        broken.setattr(model_info, "read_info", lambda path: [][0])
        other = save_model(tmp_path / "other.safetensors", "T", 16)
        assert "cannot be read: IndexError" in answered(reader, other).error
    assert answered(reader, save_model(tmp_path / "good.safetensors", "T", 16)).facts


def test_what_was_measured_of_a_model_stands_in_the_comparison(tmp_path: Path) -> None:
    measured = {
        "fid": {"name": "fid10k_full (EfficientNet-Lite0)", "value": 312.44},
        "eq_t": {"name": "eqt1k_int", "value": 53.7},
        "eq_r": {"name": "eqr1k", "value": float("nan")},
        "odd": ["no row"],
        "stickiness": {"name": 3, "value": 0.1},
    }
    for name, figures in (("left", measured), ("right", {"eq_t": measured["eq_t"]}), ("old", "none"), ("none", None)):
        generator = init_generator(rung_config("T", 16, channel_base=256, channel_max=8), 0)
        checkpoint.save_generator(tmp_path / f"{name}.safetensors", generator, {"figures": figures})
    found = {slot: read_info(str(tmp_path / f"{slot}.safetensors")) for slot in SLOTS}
    rows = {title: (tip, values) for title, tip, values in panel.compare_files(found)}
    assert rows["FID"][1] == {"left": "312"} and "fid10k_full (EfficientNet-Lite0)" in rows["FID"][0]
    assert rows["EQ-T"][1] == {"left": "53.7 dB", "right": "53.7 dB"}
    assert "EQ-R" not in rows and "sticks" not in rows
    for name in ("old", "none"):
        facts = read_info(str(tmp_path / f"{name}.safetensors")).facts
        assert facts is not None and not facts.figures


def test_what_passes_is_tried_again(reader: InfoReader, pickle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_info, "AGAIN_SECONDS", 0.0)
    with monkeypatch.context() as full:
        full.setattr(
            "gan.checkpoints.file_type.open",
            lambda *_, **__: (_ for _ in ()).throw(OSError(24, "Too many open files")),
            raising=False,
        )
        assert answered(reader, pickle).error == "network.pkl cannot be read: Too many open files."
    end = time.monotonic() + SECONDS
    while answered(reader, pickle).facts is None and time.monotonic() < end:
        time.sleep(0.01)
    assert answered(reader, pickle).facts


def test_paths_as_people_paste_them() -> None:
    assert (
        unquote_path(' "/a b/c.pkl" ')
        == unquote_path("'/a b/c.pkl'")
        == unquote_path("file:///a%20b/c.pkl")
        == "/a b/c.pkl"
    )
    assert unquote_path("'") == "'" and unquote_path("a'b'") == "a'b'" and unquote_path("") == ""


def test_a_file_written_anew_is_read_anew(reader: InfoReader, pickle: str) -> None:
    assert answered(reader, pickle).facts
    Path(pickle).write_bytes(b"hello " * 100)
    assert "a text, perhaps what a failed download said" in answered(reader, pickle).error
    Path(pickle).write_bytes(official("stylegan3_t_64"))
    os.utime(pickle, ns=(1, 1))
    found = answered(reader, pickle).facts
    assert found is not None and found.config.rung == "T"


def test_questions_do_not_pile_up(reader: InfoReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of many files under a moving pointer: the newest is answered first, and old ones are forgotten."""
    go, first, read = threading.Event(), threading.Event(), []

    def slow(path: str) -> CheckpointInfo:
        first.set()
        go.wait(SECONDS)
        read.append(Path(path).name)
        return read_info(path)

    monkeypatch.setattr(model_info, "read_info", slow)
    paths = [str(tmp_path / f"{number}.pkl") for number in range(3 * WAITING)]
    for path in paths:
        Path(path).write_bytes(b"x")
        assert reader.get(path) is None
        first.wait(SECONDS)
    go.set()
    answered(reader, paths[-1])
    assert read[:2] == ["0.pkl", f"{len(paths) - 1}.pkl"] and len(read) <= WAITING + 1


@pytest.mark.slow
def test_the_panel_shows_it_before_the_model_is_loaded(
    pickle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, load, rows, sentences = threading.Event(), checkpoint.load_generator, {}, []
    left = save_model(tmp_path / "left.safetensors", "T", 16)

    def slowly(path: str, device: str) -> object:
        if path == pickle:
            go.wait(SECONDS)
        return load(path, device)

    def compare(found: Any) -> Any:
        compared = compare_files(found)
        rows.update({title: values for title, _, values in compared})
        return compared

    compare_files, draw_sentence = panel.compare_files, widgets.sentence
    monkeypatch.setattr(checkpoint, "load_generator", slowly)
    monkeypatch.setattr(panel, "compare_files", compare)
    monkeypatch.setattr(widgets, "sentence", lambda text, colour: (sentences.append(text), draw_sentence(text, colour)))
    state = AppState()
    state.left.path = left
    window = Window(state, strict=True)

    def test(context: Any) -> None:
        settle(context, window)
        assert rows["file"] == {"left": "Jinc"} and "code" not in rows
        context.set_ref("//Model")
        context.item_click("right/##path")
        context.key_chars_replace(pickle)
        for _ in range(2000):
            context.yield_()
            if any(text.startswith("Enter opens A StyleGAN2: 32 px") for text in sentences):
                break
        else:
            raise AssertionError("what is typed is not looked into")
        assert state.right.path == "", "nothing is open yet"
        context.key_press(context_enter())
        context.yield_(20)
        assert state.right.path == pickle and window.context.results["right"] is None, "it is still being loaded"
        assert rows["picture"] == {"left": "16 px", "right": "32 px"}
        assert rows["labels"] == {"left": "none", "right": "3 labels"}
        assert rows["channels"] == {"left": "RGB", "right": "RGB"}
        assert rows["code"] == {"left": "none", "right": "1.2 KiB"}
        go.set()
        settle(context, window)
        assert window.context.error("right") is None

    drive(window, test)


def context_enter() -> int:
    from imgui_bundle import imgui

    return imgui.Key.enter
