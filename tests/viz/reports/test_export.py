# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Exports: each form of a file holds what it says, is read by others, and is whole or not there."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from viz.reports import export as module
from viz.reports.export import KINDS, Array, Export, ExportError, encode_export, write_export

NAME = 'net $x_1$ "quoted", # of 猫\n'
X, Y = np.linspace(0, 1, 5), np.array([0.1, np.nan, 1e-30, -2.5, 3.0], np.float32)


def sample(**changes: object) -> Export:
    columns = (
        Array("model", [NAME] * 5, "", "what it is of"),
        Array("x", X, "cycles/picture width", "a frequency"),
        Array("y", Y, "dB", "a level"),
    )

    def fill(figure: object) -> None:
        axes = figure.subplots()  # type: ignore[attr-defined]
        axes.plot(X, Y)
        axes.set(title="A title", xlabel="frequency, cycles per picture width")

    fields = {"about": {"model": NAME, "seed": 3}, "arrays": columns, "table": lambda: columns, **changes}
    return Export("sample", f"Curves of {NAME}", inches=(4.0, 3.0), fill=fill, **fields)  # type: ignore[arg-type]


def test_a_table_is_read_by_others_and_names_its_units() -> None:
    text = encode_export(sample(), ".csv").decode()
    notes = [line for line in text.splitlines() if line.startswith("#")]
    assert any("seed: 3" in line for line in notes) and any("y [dB]: a level" in line for line in notes)
    rows = list(csv.reader(io.StringIO(text[text.index('"model"') :]), quoting=csv.QUOTE_NONNUMERIC))
    assert rows[0] == ["model", "x [cycles/picture width]", "y [dB]"] and len(rows) == 6
    assert [row[0] for row in rows[1:]] == [NAME] * 5, "whatever a model is called"
    np.testing.assert_array_equal(np.array([row[1] for row in rows[1:]]), X)
    np.testing.assert_array_equal(np.array([row[2] for row in rows[1:]], np.float32), Y, "to the last digit")


def test_arrays_say_what_they_are_and_carry_no_code() -> None:
    with np.load(io.BytesIO(encode_export(sample(), ".npz")), allow_pickle=False) as found:
        np.testing.assert_array_equal(found["y"], Y)
        assert found["y"].dtype == np.float32 and found["model"].tolist() == [NAME] * 5
        document = json.loads(str(found["about"]))
    assert document["about"]["seed"] == 3
    assert document["arrays"]["x"] == {"shape": [5], "unit": "cycles/picture width", "meaning": "a frequency"}


def test_figures_for_papers_keep_letters_as_letters_and_say_what_they_are_of() -> None:
    svg = encode_export(sample(), ".svg").decode()
    assert ">frequency, cycles per picture width</text>" in svg and '"seed": 3' in svg.replace("&quot;", '"')
    pdf = encode_export(sample(), ".pdf")
    assert pdf.startswith(b"%PDF")
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf, "fonts that journals take"
    assert b"seed" in pdf
    with Image.open(io.BytesIO(encode_export(sample(), ".png"))) as picture:
        assert json.loads(picture.info["jinc"])["about"]["seed"] == 3


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_gives_the_same_bytes(kind: str, tmp_path: Path) -> None:
    first = encode_export(sample(), kind)
    if kind != ".npz":  # a zip holds the time
        assert first == encode_export(sample(), kind)
    words = write_export(tmp_path / f"new folder/x{kind.upper()}", sample())
    assert words and [path.name for path in (tmp_path / "new folder").iterdir()] == [f"x{kind.upper()}"]


def test_a_picture_goes_into_a_png_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    with Image.open(io.BytesIO(encode_export(sample(pixels=pixels), ".png"))) as picture:
        np.testing.assert_array_equal(np.asarray(picture), pixels)
        assert json.loads(picture.info["jinc"])["about"]["model"] == NAME


def test_refusals_are_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExportError, match="'x.jpg' must end as one of these: a .png, a .pdf or .svg"):
        write_export(tmp_path / "x.jpg", sample())
    monkeypatch.setattr(module, "MOST_ROWS", 4)
    with pytest.raises(ExportError, match=r"A .csv of 5 rows is more than programs open: .* ending in .npz"):
        write_export(tmp_path / "x.csv", sample())
    assert not list(tmp_path.iterdir())
