# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Labels for a set that is being made: from its folders, a CSV, or a dataset.json."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gan.data.file_sets import FileSet, ImageError, read_limited
from gan.data.labels import LABELS_EACH, LABELS_FLOOR, Labels, parse_labels, read_labels
from gan.data.picture import DAMAGE
from gan.files.errors import describe_error

FOLDERS = "folders"


def make_labels(choice: str | None, files: FileSet, names: Sequence[str]) -> Labels | None:
    """Return labels for pictures `names`.

    `choice`: "folders" for a class a folder, the path of a .csv (file, then a class, its name, or several numbers) or
    of a .json such as dataset.json; None for the set's own, if it has any. Raises ImageError.
    """
    if choice is None:
        return read_labels(files, names)
    if choice == FOLDERS:
        return label_by_folder(names)
    path = Path(choice)
    try:
        with path.open("rb") as file:
            text = read_limited(file, LABELS_FLOOR + LABELS_EACH * len(names)).decode("utf-8-sig")
        if path.suffix.lower() == ".csv":
            return _parse_csv(text, names, str(path))
        return parse_labels(json.loads(text), names, str(path))
    except ImageError:
        raise
    except (*DAMAGE, RecursionError, csv.Error) as error:
        why = describe_error(error, "it is no table and no JSON")
        raise ImageError(f"{path} cannot be read as labels ({why}); give a .csv or a .json.") from error


def label_by_folder(names: Sequence[str]) -> Labels:
    """Make each folder a class, in the order of their names; a folder that holds all others does not count."""
    parts = [name.split("/") for name in names]
    while len({part[0] for part in parts}) == 1 and all(len(part) > 2 for part in parts):
        parts = [part[1:] for part in parts]
    for name, part in zip(names, parts, strict=True):
        if len(part) < 2:
            raise ImageError(f"{name} lies in no folder, so that it has no class; move it into one, or leave it out.")
    classes = sorted({part[0] for part in parts})
    numbers = {name: number for number, name in enumerate(classes)}
    return Labels(np.asarray([numbers[part[0]] for part in parts], np.int64), tuple(classes))


def _is_fraction(row: list[str]) -> bool:
    """Return True for a number that is no whole one: as a label it is a vector of one."""
    try:
        return math.isfinite(float(row[0])) and not row[0].isdecimal()
    except ValueError:
        return False


def _parse_csv(text: str, names: Sequence[str], where: str) -> Labels | None:
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    known = set(names)
    if rows and rows[0][0] not in known and rows[0][0].strip().lower() in ("file", "filename", "name", "image", "path"):
        del rows[0]
    if any(len(row) < 2 for row in rows):
        raise ImageError(f"{where} has a row without a label; write a file and its class, or its numbers, in each.")
    cells = [[cell.strip() for cell in row[1:]] for row in rows]
    classes: list[str] | None = None
    if max(map(len, cells), default=1) > 1 or (cells and all(map(_is_fraction, cells))):
        labels: list[object] = [[float(cell) for cell in row] for row in cells]
    elif all(row[0].isdecimal() for row in cells):
        labels = [int(row[0]) for row in cells]
    else:
        classes = sorted({row[0] for row in cells})
        numbers = {name: number for number, name in enumerate(classes)}
        labels = [numbers[row[0]] for row in cells]
    entries = [[row[0], label] for row, label in zip(rows, labels, strict=True)]
    return parse_labels({"labels": entries, "classes": classes}, names, where)
