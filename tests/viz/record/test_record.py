# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Records: what a capture carries, what comes back of it elsewhere, and what nobody can make it do."""

import base64
import json
import random
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from support.gui import save_model
from support.random_states import W_DIM, random_state, save_files, save_models, scramble

from gan.hub import cache
from viz.core.latent import Direction, FileLatent, Mixture, Step
from viz.core.state import AppState, default_state
from viz.core.timeline import play
from viz.loading.direction_files import open_directions
from viz.loading.latent_files import open_latent
from viz.record.models import find_model, local_path, mark_model
from viz.record.png_text import RecordError
from viz.record.record import (
    FORMAT,
    KEPT,
    KEYWORD,
    Record,
    from_text,
    locate,
    make_record,
    restore,
    to_document,
    to_text,
)
from viz.record.short_text import PREFIX, decode_text, encode_text
from viz.record.sources import is_capture, read_source
from viz.record.still import draw_slots
from viz.record.timeline_templates import TEMPLATES, put_template


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache" / "models")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def refusal(source: str) -> str:
    with pytest.raises(RecordError) as caught:
        read_source(source)
    sentence = str(caught.value)
    assert sentence.isprintable() and sentence.endswith(".") and len(sentence) <= 500
    return sentence


def write_png(path: Path, text: str, packed: bool = False, keyword: str = KEYWORD) -> str:
    info = PngInfo()
    info.add_itxt(keyword, text, zip=packed)
    Image.new("RGB", (2, 2)).save(path, pnginfo=info)
    return str(path)


def test_states_come_back_from_png_text_and_json(folder: Path) -> None:
    rng, models, (latents, directions) = random.Random(2), save_models(folder), save_files(folder)
    for number in range(20):
        state = random_state(rng, models, latents, directions)
        for part in (state.layers, state.spectrum, state.sticking, state.gallery):
            scramble(rng, part)
        record = make_record(state, "both", 64)
        path = folder / f"{number}.png"
        write_png(path, to_text(record))
        (folder / "record.json").write_text(to_text(record))
        for again in (read_source(str(path)), read_source(str(folder / "record.json"))):
            assert to_document(again) == to_document(record)
            other = AppState()
            found = locate(again, (), folder / "latents")
            restore(found.state, other)
            assert not found.explain("it")
            expected = AppState()
            restore(state, expected)
            assert other == expected
        said = f"Have a look:\n{encode_text(record)} it is odd"
        again = decode_text(said)
        assert again.state == record.state and again.conditions == record.conditions
        assert [mark.path for mark in again.models.values()] == ["", ""]
    assert not (folder / "latents").exists(), "all files are where they were"


def test_what_came_back_is_not_moved_on_by_what_went_on_before() -> None:
    captured, state = default_state(), default_state()
    captured.latent.x, captured.transform.tx = 7.0, 0.25
    state.timeline = put_template(state, TEMPLATES[0])
    state.playback.playing = state.training.follow_left = state.training.follow_right = True
    captured.spectrum.data, state.spectrum.data = "theirs.zip", "mine.zip"
    record = make_record(captured, "left")
    restore(locate(record, (), Path("unused")).state, state)
    play(state, 0.5)
    assert state.spectrum.data == "mine.zip", "no capture holds one"
    assert state.latent == captured.latent and state.transform == captured.transform
    assert not (state.training.follow_left or state.training.follow_right), "a newer snapshot takes no slot"
    assert state.timeline.tracks, "the keys are still there"


def test_a_chat_may_break_a_text_into_lines_and_cannot_shorten_it_unnoticed(folder: Path) -> None:
    text = encode_text(make_record(default_state(), "both"))
    assert len(text) < 500, "fits into any chat"
    broken = "\n".join(text[start : start + 60] for start in range(0, len(text), 60))
    assert decode_text(f"> {broken}").state == decode_text(text).state
    for end in (len(PREFIX), len(text) // 2, len(text) - 5):
        assert "not whole" in refusal(text[:end])
    changed = text[:80] + ("A" if text[80] != "A" else "B") + text[81:]
    refusal(changed)
    assert "newer Jinc" in refusal(text.replace("jinc1:", "jinc2:"))


def test_no_path_and_nothing_private_is_in_a_capture(folder: Path) -> None:
    state = default_state()
    state.recents = ["/secret/one"]
    state.training.run_folder = "/secret/run"
    state.spectrum.data = "/secret/set.zip"
    state.capture.folder = "/secret/captures"
    state.osc.on = True
    shutil.copy(state.left.path, folder / "mine.safetensors")
    state.left.path = str(folder / "mine.safetensors")
    record = make_record(state, "left")
    text = to_text(record)
    assert "secret" not in text and str(folder) not in text, "the home folder is ~"
    assert '"~/mine.safetensors"' in text
    packed = encode_text(record).removeprefix(PREFIX)
    assert b"mine.safetensors" in zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    assert "~" not in json.dumps(to_document(record, keeps_paths=False))
    assert {"osc", "display", "training", "recents", "capture", "timeline"}.isdisjoint(KEPT)


def test_a_slot_that_cannot_be_read_keeps_no_other_from_being_captured(folder: Path) -> None:
    state = default_state()
    state.left.path = str(folder)  # as after a wrong file was dropped
    for what in ("right", "canvas", "window"):
        record = make_record(state, what)  # type: ignore[arg-type]
        assert record.slots() == ("right",) and record.state.left.path == ""
    for what in ("left", "both"):
        with pytest.raises(
            RecordError, match="model in the left slot, .* cannot be read .*: choose another one, or empty"
        ):
            make_record(state, what)  # type: ignore[arg-type]


def test_models_are_found_by_their_content_alone(folder: Path) -> None:
    path = Path(save_model(folder / "net.safetensors", "T", 16))
    state = AppState()
    state.left.path = str(path)
    record = from_text(to_text(make_record(state, "left")), "it")
    assert locate(record, (), folder).state.left.path == str(path)
    moved = folder / "elsewhere" / "renamed.bin"
    moved.parent.mkdir()
    path.rename(moved)
    missing = locate(record, (), folder)
    assert missing.state.left.path == "" and "net.safetensors" in missing.explain("a.png")
    assert mark_model(str(moved)).sha256[:12] in missing.explain("a.png")
    assert locate(record, (str(folder / "not there"), str(moved)), folder).state.left.path == str(moved)
    path.write_bytes(moved.read_bytes()[:-1] + b"x")  # as long, and another
    assert locate(record, (), folder).state.left.path == ""
    kept = folder / "cache" / "models" / mark_model(str(moved)).sha256 / "any.safetensors"
    kept.parent.mkdir(parents=True)
    moved.rename(kept)
    assert locate(record, (), folder).state.left.path == str(kept), "a downloaded one"
    bundled = make_record(default_state(), "both")
    assert not locate(decode_text(encode_text(bundled)), (), folder).explain("it"), "those that everybody has"


@pytest.mark.parametrize(
    "path",
    ["//host/share/x", "\\\\host\\share\\x", "https://example.com/x", "/dev/zero", "/net/host/x", "relative", "", "\0"],
)
def test_a_path_in_a_record_is_never_more_than_a_file_of_this_machine(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert local_path(path) == ""
    touched: list[Any] = []
    monkeypatch.setattr("viz.record.models._hash", lambda *key: touched.append(key))
    mark = mark_of(path)
    assert find_model(mark, ()) is None and not touched


def mark_of(path: str) -> Any:
    from viz.record.models import ModelMark

    return ModelMark("x", "0" * 64, 5, path)


def test_latents_and_directions_of_files_come_along(folder: Path) -> None:
    """On another machine: none of the files is there, and the picture is the same."""
    (folder / "here").mkdir()
    latents, _ = save_files(folder / "here")
    w_plus = np.random.default_rng(3).standard_normal((1, 16, W_DIM)).astype(np.float32)
    np.save(folder / "here" / "layers.npy", w_plus)
    many = np.random.default_rng(4).standard_normal((4000, W_DIM)).astype(np.float32)
    np.save(folder / "here" / "many.npy", many)
    z, w = latents
    layers = open_latent(str(folder / "here" / "layers.npy"))
    few, lots = (open_directions(str(folder / "here" / name)) for name in ("directions.npy", "many.npy"))
    state = AppState()
    state.left.path = save_model(folder / "t.safetensors", "T", 16)
    state.latent.keep(Mixture(w, layers, (1, 3)))
    state.latent.second.keep(z)
    state.latent.mixed = [2]
    steps = [Direction("file", 3, 0, 63, few.path, few.digest), Direction("file", 3777, 2, 9, lots.path, lots.digest)]
    state.latent.directions.steps = tuple(Step(direction, 1.25) for direction in steps)
    state.latent.directions.file = few
    expected = draw_slots(state, ["left"], 0, {}).pixels
    record = decode_text(encode_text(make_record(state, "left")))
    shutil.rmtree(folder / "here")
    from viz.loading.direction_files import read_directions
    from viz.loading.latent_files import read_values

    read_values.cache_clear(), read_directions.cache_clear()
    found = locate(record, (state.left.path,), folder / "there")
    assert not found.explain("it")
    again = draw_slots(found.state, ["left"], 0, {}).pixels
    assert np.abs(again.astype(int) - expected).max() <= 1
    assert len(list((folder / "there").iterdir())) == 5
    assert found.state.latent.directions.steps[1].direction.index < 2, "of many directions those in use"
    once_more = decode_text(encode_text(make_record(found.state, "left")))
    assert np.array_equal(
        draw_slots(locate(once_more, (state.left.path,), folder / "x").state, ["left"], 0, {}).pixels, again
    )


def test_a_file_too_large_to_be_carried_is_asked_for_only_if_it_is_shown(folder: Path) -> None:
    (folder / "here").mkdir()
    np.save(folder / "here" / "w.npy", np.zeros((1, W_DIM), np.float32))
    state = AppState()
    state.left.path = save_model(folder / "t.safetensors", "T", 16)
    state.latent.keep(open_latent(str(folder / "here" / "w.npy")))
    shutil.rmtree(folder / "here")  # before its numbers could be had
    from viz.loading.latent_files import read_values

    read_values.cache_clear()
    record = from_text(to_text(make_record(state, "left")), "it")
    assert "w.npy" in locate(record, (), folder).explain("it")
    record.state.latent.source = "seeds"
    found = locate(record, (), folder)
    assert not found.explain("it")
    kept = found.state.latent.kept
    assert isinstance(kept, FileLatent) and kept.path == "w.npy", "no path of another machine"


def test_what_is_no_capture_is_refused_in_a_sentence(folder: Path) -> None:
    assert "check its path" in refusal(str(folder / "none.png"))
    assert "is no file" in refusal(str(folder))
    Image.new("RGB", (2, 2)).save(folder / "plain.png")
    assert "holds no state" in refusal(str(folder / "plain.png"))
    (folder / "words.txt").write_text("hello")
    assert "neither a PNG nor a state file" in refusal(str(folder / "words.txt"))
    assert "drawn by a command" in refusal(write_png(folder / "command.png", '{"schema": 1, "request": {}}'))
    assert "no state of Jinc's" in refusal(write_png(folder / "other.png", '{"a": 1}'))
    Image.new("RGB", (2, 2)).save(folder / "picture.jpg")
    assert "neither" in refusal(str(folder / "picture.jpg"))
    cut = Path(write_png(folder / "cut.png", to_text(Record(AppState())))).read_bytes()
    (folder / "cut.png").write_bytes(cut[:300])
    refusal(str(folder / "cut.png"))
    flipped = bytearray(cut)
    flipped[cut.index(b'"what"') + 3] ^= 1
    (folder / "flipped.png").write_bytes(flipped)
    assert "damaged" in refusal(str(folder / "flipped.png"))


def hostile(change: dict[str, Any]) -> str:
    return json.dumps({**to_document(Record(AppState())), **change})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "damaged"),
        ("[" * 50_000, "damaged"),
        ("[" + "0," * 300_000 + "0]", "more than any state"),
        (hostile({"state": {"latent": {"psi": float("nan")}}}), "damaged"),
        (hostile({"state": {"latent": {"psi": 1e9}}}), "latent.psi"),
        (hostile({"state": {"latent": 5}}), "latent"),
        (hostile({"state": {"osc": {"on": True}}}), "no capture has"),
        (hostile({"state": {"display": {"device": "cuda"}}}), "no capture has"),
        (hostile({"state": {"training": {"run_folder": "/"}}}), "no capture has"),
        (hostile({"state": []}), "no capture has"),
        (hostile({"schema": 99}), "newer Jinc"),
        (hostile({"schema": True}), "schema"),
        (hostile({"surprise": 1}), "schema"),
        (hostile({"what": "all"}), "what must be"),
        (hostile({"what": []}), "what must be"),
        (hostile({"size": 1e9}), "size"),
        (hostile({"size": True}), "size"),
        (hostile({"models": {"left": {"name": "x", "sha256": "0", "bytes": 1}}}), "sha256"),
        (hostile({"models": {"left": {"name": "x", "sha256": "0" * 64, "bytes": -1}}}), "bytes"),
        (hostile({"models": {"left": {"name": "x\n", "sha256": "0" * 64, "bytes": 1}}}), "name"),
        (hostile({"models": {"middle": {}}}), "left and right"),
        (hostile({"models": [1]}), "left and right"),
        (hostile({"drawn": {"left": {"threads": 10**9}}}), "threads"),
        (hostile({"drawn": {"left": {"device": "cuda:0; rm"}}}), "device"),
        (hostile({"drawn": {"left": {"precision": "int8"}}}), "precision"),
        (hostile({"drawn": {"left": {"precision": []}}}), "precision"),
        (hostile({"numbers": [{}]}), "numbers[0]"),
        (hostile({"numbers": {}}), "numbers"),
        (hostile({"versions": {"a": 1}}), "versions"),
    ],
)
def test_hostile_records_are_refused_in_a_sentence(folder: Path, text: str, words: str) -> None:
    assert words in refusal(write_png(folder / "hostile.png", text))
    (folder / "hostile.json").write_text(text)
    if FORMAT in text:
        assert words in refusal(str(folder / "hostile.json"))
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode())).decode()
    assert words in refusal(PREFIX + packed)


def numbers_of(**change: Any) -> str:
    entry = {
        "kind": "w",
        "digest": "0" * 64,
        "name": "w.npy",
        "path": "",
        "shape": [1, 2],
        "rows": [],
        "data": base64.b64encode(np.ones(2, "<f4").tobytes()).decode(),
    }
    return hostile({"numbers": [{**entry, **change}]})


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "code"},
        {"digest": "x"},
        {"name": "a\0"},
        {"path": "x" * 5000},
        {"shape": [2]},
        {"shape": [1, 3]},
        {"shape": [-1, -2]},
        {"shape": [1.0, 2.0]},
        {"shape": [2**40, 2**40]},
        {"rows": [1]},
        {"rows": "x"},
        {"data": "!!"},
        {"data": base64.b64encode(np.array([1, np.nan], "<f4").tobytes()).decode()},
        {"data": 7},
        {"kind": "z", "shape": [2, 1]},
    ],
)
def test_hostile_numbers_are_refused(folder: Path, change: dict[str, Any]) -> None:
    assert from_text(numbers_of(), "it").numbers[0].values is not None
    assert "numbers[0]" in refusal(write_png(folder / "hostile.png", numbers_of(**change)))


def test_numbers_are_written_below_their_folder_whatever_their_name(folder: Path) -> None:
    for name in ("../../evil.npy", "/etc/passwd", "C:\\x.npy", "CON", "." * 40, "\u202e\n"):
        record = from_text(numbers_of(name=name), "it")
        record.state.latent.keep(FileLatent("w", "x", "0" * 64))
        found = locate(record, (), folder / "in" / "here").state.latent.kept
        assert isinstance(found, FileLatent) and Path(found.path).parent == folder / "in" / "here"
    assert sorted(path.name for path in (folder / "in").iterdir()) == ["here"]


@pytest.mark.parametrize("packed", [False, True])
def test_bombs_take_no_more_than_a_state_may(folder: Path, packed: bool) -> None:
    bomb = write_png(folder / "bomb.png", " " * 200_000_000 if packed else " " * 20_000_000, packed)
    refusal(bomb)
    word = base64.urlsafe_b64encode(zlib.compress(b" " * 200_000_000)).decode()
    refusal(PREFIX + word)
    Image.new("L", (1, 1)).save(folder / "wide.png")
    data = bytearray((folder / "wide.png").read_bytes())
    data[16:24] = (2**31 - 1).to_bytes(4, "big") * 2  # says that it has 2^62 pixels: none is read
    (folder / "wide.png").write_bytes(data)
    assert "holds no state" in refusal(str(folder / "wide.png"))


def test_window_states_and_captures_are_told_apart(folder: Path) -> None:
    (folder / "state.json").write_text('{"schema": 1}')
    (folder / "record.json").write_text(to_text(Record(AppState())))
    assert not is_capture(str(folder / "state.json")) and is_capture(str(folder / "record.json"))
    assert is_capture(write_png(folder / "a.png", "")) and is_capture("jinc1:abc")
    assert not is_capture(str(folder)) and not is_capture("b") and not is_capture("\0")
    state = default_state()
    from viz.core import state as states

    states.save(state, folder / "state.json")
    assert read_source(str(folder / "state.json")).what == "both"
