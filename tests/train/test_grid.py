# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The grids of a run folder: with classes a row each, named; else the set's pictures in order."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan.data.image_dataset import ImageSource, open_images
from train.grid import plan_grid


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index in range(20):
        Image.new("RGB", (16, 16), (10 * index, 0, 0)).save(tmp_path / f"{index:02d}.png")
    return tmp_path


def label(folder: Path, labels: list[object], classes: list[str] | None = None) -> ImageSource:
    document = {"labels": [[f"{i:02d}.png", value] for i, value in enumerate(labels)], "classes": classes}
    (folder / "dataset.json").write_text(json.dumps(document))
    return open_images(folder)


def test_without_labels_it_is_the_set_in_order(folder: Path) -> None:
    for source in (open_images(folder), label(folder, [0, 1] * 10)):
        grid = plan_grid(source, False)
        assert (grid.columns, grid.rows, grid.names) == (8, 6, ())
        assert grid.indices.tolist() == [i % 20 for i in range(48)]


def test_each_row_is_a_class_by_name(folder: Path) -> None:
    source = label(folder, [0] * 10 + [2] * 10, ["cats", "none of these", "dogs"])
    grid = plan_grid(source, True)
    assert grid.names == ("cats",) * 3 + ("dogs",) * 3
    rows = grid.indices.reshape(6, 8)
    assert rows[0].tolist() == list(range(8)) and rows[1].tolist() == [8, 9, 0, 1, 2, 3, 4, 5], (
        "and then from the first"
    )
    assert (rows[:3] < 10).all() and (rows[3:] >= 10).all()
    grid.save(folder / "grid.png", source.batch(grid.indices).transpose(0, 2, 3, 1))
    sheet = np.asarray(Image.open(folder / "grid.png"))
    margin = sheet.shape[1] - 8 * 16
    assert (
        margin > 10
        and (sheet[:16, :margin] > 128).any()
        and sheet[:16, margin : margin + 16].tolist() == [[[0, 0, 0]] * 16] * 16
    )


def test_more_classes_than_rows_are_spread_and_numbered_without_names(folder: Path) -> None:
    grid = plan_grid(label(folder, list(range(20))), True)
    assert grid.names == tuple(f"class {number}" for number in (0, 3, 6, 10, 13, 16))


def test_vectors_are_those_of_the_whole_set(folder: Path) -> None:
    grid = plan_grid(label(folder, [[i / 20, 1.0] for i in range(20)]), True)
    assert grid.names == () and len(np.unique(grid.indices)) == 20
