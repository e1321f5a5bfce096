# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`dataset check`: all that a run would say and every problem, not the first; what it refuses, a run refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.trainer import SMALL, call

import gan.data.image_dataset
from train.datasets.check import Findings, check_dataset


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    for i in range(6):
        pixels = np.random.default_rng(i).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder


def label(folder: Path, *values: object, **more: object) -> None:
    labels = [[f"{i}.png", value] for i, value in enumerate(values)]
    (folder / "dataset.json").write_text(json.dumps({"labels": labels, **more}))


def agree(folder: Path, tmp_path: Path) -> int:
    """Return the exit status of `dataset check`, which is that of a run on the same set."""
    found = call("dataset", "check", folder).exit_code
    run = call("--cfg=B", f"--data={folder}", f"--outdir={tmp_path / 'runs'}", "--kimg=0.004", *SMALL)
    assert (run.exit_code == 0) == (found == 0), run.output
    return found


def test_a_sound_set(pictures: Path, tmp_path: Path) -> None:
    (pictures / "notes.txt").write_text("x")
    (pictures / "6.png").write_bytes((pictures / "2.png").read_bytes())
    label(pictures, 0, 0, 0, 0, 2, 0, 0, classes=["cat", "dog", "owl"])
    before = {path: path.read_bytes() for path in pictures.iterdir()}
    result = call("dataset", "check", pictures)
    assert result.exit_code == 0
    for words in (
        "Decoded 7 of 7",
        "7 pictures of 16x16, in 3 classes; left out: notes.txt (no picture: .txt).",
        "kept in memory",
        "  cat: 6\n  dog: 0\n  owl: 1\n",
        "  6.png is 2.png\n",
        "A run would take this set.",
    ):
        assert words in result.output, words
    assert {path: path.read_bytes() for path in pictures.iterdir()} == before
    assert agree(pictures, tmp_path) == 0
    label(pictures, *[[i, 0.5] for i in range(7)], classes=["age", "smile"])
    assert "  age: from 0 to 6\n  smile: from 0.5 to 0.5\n" in call("dataset", "check", pictures).output
    (pictures / "dataset.json").unlink()
    assert "no labels" in call("dataset", "check", pictures).output


def test_every_problem_is_named(pictures: Path, tmp_path: Path) -> None:
    Image.new("RGB", (32, 32)).save(pictures / "large.png")
    Image.new("I;16", (16, 16)).save(pictures / "deep.png")
    Image.new("RGB", (20, 10)).save(pictures / "wide.bmp")
    Image.new("RGBA", (16, 16)).save(pictures / "clear.png")
    (pictures / "none.webp").write_bytes(b"no picture")
    (pictures / "0.png").write_bytes((pictures / "0.png").read_bytes()[:400])
    label(pictures, 0)
    result = call("dataset", "check", pictures)
    assert result.exit_code == 1
    for words in (
        "large.png (32x32 RGB)",
        "deep.png (16x16 I;16)",
        "not square: wide.bmp (20x10",
        "clear.png",
        "no label",
    ):
        assert any(words in line for line in result.output.splitlines() if line.startswith("Problem: ")), words
    assert "Damaged: 0.png" in result.output and "Damaged: none.webp" in result.output and "<" not in result.output
    assert agree(pictures, tmp_path) == 1


@pytest.mark.parametrize("change", ["labels", "damage", "grey", "size", "nothing"])
def test_it_agrees_with_a_run(pictures: Path, tmp_path: Path, change: str) -> None:
    if change == "labels":
        label(pictures, 0, 1, "x")
    elif change == "damage":
        (pictures / "3.png").write_bytes((pictures / "3.png").read_bytes()[:400])
    elif change == "grey":
        Image.new("L", (16, 16)).save(pictures / "3.png")
    elif change == "size":
        Image.new("RGB", (16, 32)).save(pictures / "3.png")
    assert agree(pictures, tmp_path) == (change not in ("grey", "nothing"))


def test_a_large_set_may_have_some_damage(pictures: Path) -> None:
    (pictures / "3.png").write_bytes((pictures / "3.png").read_bytes()[:400])
    found = check_dataset(pictures, memory_limit=0)
    assert list(found.damaged) == ["3.png"] and found.limit == 5 and not found.refused
    assert any("too many to be kept" in line for line in found.lines)
    assert Findings(damaged=found.damaged).refused


def test_of_many_sizes_the_first_have_a_line(tmp_path: Path) -> None:
    for size in range(17, 47):
        Image.new("RGB", (size, 16)).save(tmp_path / f"{size}.png")
    Image.new("RGB", (17, 16)).save(tmp_path / "again.png")
    lines = [line for line in check_dataset(tmp_path).lines if line.startswith("  ") and " of " in line]
    assert len(lines) == 21 and lines[0] == "  2 of 17x16 RGB" and lines[-1] == "  10 of 10 other kinds", lines


def test_what_is_no_set(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "gone", "does not exist"), (tmp_path, "no pictures")):
        result = call("dataset", "check", path)
        assert result.exit_code == 1 and words in result.output.splitlines()[-1]


def test_an_interrupt_still_reports(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    decode = gan.data.image_dataset.decode_picture

    def stop_at_fourth(files: object, name: str, *others: object) -> Image.Image:
        seen.append(name)
        if name == "3.png":
            raise KeyboardInterrupt
        return decode(files, name, *others)  # type: ignore[arg-type]

    monkeypatch.setattr("train.datasets.check.decode_picture", stop_at_fourth)
    result = call("dataset", "check", pictures)
    assert "only the first 3 of 6 pictures were decoded" in result.output and "So far nothing" in result.output
