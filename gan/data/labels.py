# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Labels of a picture set: dataset.json as the official tools write it, with the names of classes on request.

`{"labels": [["00000/img00000000.png", 3], ...], "classes": ["cat", ...]}`; a label is a class from 0 or a list of
numbers, and `"labels": null` means none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gan.data.file_sets import FileSet, ImageError
from gan.data.picture import DAMAGE
from gan.files.errors import describe_error

LABELS = "dataset.json"
MAX_CLASSES = 100_000
LABELS_FLOOR, LABELS_EACH = 2**20, 2**14  # bytes of dataset.json: in all, and for each picture
LARGEST_NUMBER = float(np.finfo(np.float32).max)  # of a label
MAX_NAME = 255  # characters of a class's name: as many as a folder's has
CLASS_NUMBER = re.compile("[0-9]{1,5}")  # below MAX_CLASSES


class Labels(NamedTuple):
    """`values`: class numbers int64 [N], or vectors float32 [N, c_dim]. `classes`: their names, or empty."""

    values: np.ndarray
    classes: tuple[str, ...] = ()

    @property
    def c_dim(self) -> int:
        if self.values.ndim == 2:
            return int(self.values.shape[1])
        return max(int(self.values.max()) + 1, len(self.classes))


def find_labels(files: FileSet, names: Sequence[str]) -> str | None:
    """Return the name of the dataset.json of pictures `names`: at the root, or in the one folder that holds them all.

    A zip of a folder has that folder's name in front of all of its own.
    """
    if LABELS in files.sizes:
        return LABELS
    tops = {name.partition("/")[0] for name in names}
    inner = f"{min(tops)}/{LABELS}" if len(tops) == 1 else ""
    return inner if inner and inner in files.sizes else None


def read_labels(files: FileSet, names: Sequence[str]) -> Labels | None:
    """Read the labels of pictures `names`, in that order; None if there are none. ImageError names what is wrong."""
    file = find_labels(files, names)
    if file is None:
        return None
    where = f"{file} in {files.path}"
    try:
        document = json.loads(files.read(file, LABELS_FLOOR + LABELS_EACH * len(names)))
    except (*DAMAGE, RecursionError) as error:
        raise ImageError(f"{where} is not readable JSON ({describe_error(error)}); repair or remove it.") from error
    return parse_labels(document, names, where, prefix=file.removesuffix(LABELS))


def parse_labels(document: Any, names: Sequence[str], where: str, prefix: str = "") -> Labels | None:
    """Return the labels that a dataset.json's content gives to `names`, which it may list without their `prefix`."""
    if not isinstance(document, dict) or "labels" not in document:
        raise ImageError(f'{where} has no "labels" entry; write {{"labels": null}} or [[file, label], ...].')
    entries = document["labels"]
    if entries is None:
        return None
    shape_ok = isinstance(entries, list) and all(
        isinstance(e, list) and len(e) == 2 and isinstance(e[0], str) for e in entries
    )
    if not shape_ok:
        raise ImageError(f"{where} holds labels that are not [file, label] pairs; write them so or as null.")
    known, labels = set(names), dict[str, Any]()
    for entry, label in entries:
        name = entry.replace("\\", "/").removeprefix("./")
        name = name if name in known else prefix + name
        if name not in known:
            raise ImageError(f"{where} labels {entry}, which is not among the pictures; correct or remove the entry.")
        if name in labels and labels[name] != label:
            raise ImageError(f"{where} labels {entry} more than once, as {labels[name]} and as {label}; keep one.")
        labels[name] = label
    for name in names:
        if name not in labels:
            raise ImageError(f"{where} has no label for {name}; label every picture or none.")
    values = _make_array([labels[name] for name in names], names, where)
    return Labels(values, _read_classes(document.get("classes"), values, where))


def _read_classes(classes: Any, values: np.ndarray, where: str) -> tuple[str, ...]:
    """Return the names of the classes, a list or an object of number to name; those without one get their number."""
    if classes is None:
        return ()
    if isinstance(classes, dict) and all(CLASS_NUMBER.fullmatch(key) for key in classes):
        numbered = {int(key): name for key, name in classes.items()}
        classes = [numbered.get(number, str(number)) for number in range(max(numbered, default=-1) + 1)]
    fits = isinstance(classes, list) and len(classes) <= MAX_CLASSES
    if not fits or not all(isinstance(name, str) and len(name) <= MAX_NAME for name in classes):
        raise ImageError(f'{where} has "classes" that are not a list of names; write ["first", "second", ...].')
    count = int(values.max()) + 1 if values.ndim == 1 else values.shape[1]
    if values.ndim == 2 and len(classes) != count:
        raise ImageError(f'{where} has {len(classes)} "classes" for labels of {count} numbers; name all or none.')
    return tuple(classes) + tuple(str(number) for number in range(len(classes), count))


def _make_array(values: list[Any], names: Sequence[str], where: str) -> np.ndarray:
    if all(type(v) is int for v in values):
        for name, value in zip(names, values, strict=True):
            if not 0 <= value < MAX_CLASSES:
                raise ImageError(f"{where} gives {name} the class {value}; classes run from 0 to {MAX_CLASSES - 1}.")
        return np.asarray(values, np.int64)
    for name, value in zip(names, values, strict=True):
        vector = isinstance(value, list) and all(type(x) in (int, float) and abs(x) <= LARGEST_NUMBER for x in value)
        if not vector or len(value) != len(values[0]) or not value:
            raise ImageError(
                f"{where} gives {name} an unusable label; labels must all be classes (integers), or all "
                "be lists of numbers of one length."
            )
    return np.asarray(values, np.float32)
