# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Labels that a generator is given: a class, or a vector of numbers; and what a checkpoint's facts say of them.

A snapshot of ours may name its classes (facts "classes", a list of c_dim names) and, if it was trained with vectors,
hold their mean (facts "label_mean", c_dim numbers). Other files say neither: their labels are taken for classes.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gan.files.errors import sanitize_text

Label = int | tuple[float, ...]
"""A class from 0, or a vector of c_dim numbers."""

CLASSES, LABEL_MEAN = "classes", "label_mean"  # keys of a checkpoint's facts
LONGEST_FACT = 2**18  # characters of JSON: a quarter of what a checkpoint's description may have
NAME_LENGTH = 60  # characters of a class's name that are shown
WRITTEN_NUMBERS = 6  # of a vector in a sentence
LARGEST_NUMBER = float(np.finfo(np.float32).max)


def encode_labels(labels: Sequence[Label], c_dim: int) -> np.ndarray:
    """Return labels as a network takes them, float32 [N, c_dim]: classes one-hot, vectors as they are."""
    encoded = np.zeros((len(labels), c_dim), np.float32)
    for row, label in zip(encoded, labels, strict=True):
        if isinstance(label, tuple):
            row[:] = label
        else:
            row[label] = 1
    return encoded


def make_label_facts(values: np.ndarray, names: Sequence[str], c_dim: int) -> dict[str, Any]:
    """Return what a snapshot's facts say of the labels that it was trained with.

    `values`: class numbers [N], or vectors [N, c_dim]; `names`: of the classes or of the numbers, or none. What is too
    long for a checkpoint's description is left out.
    """
    facts: dict[str, Any] = {}
    if values.ndim == 2:
        facts[LABEL_MEAN] = [float(f"{value:.6g}") for value in values.mean(axis=0, dtype=np.float64)]
    if names:
        facts[CLASSES] = [*names, *map(str, range(len(names), c_dim))]
    return {key: entry for key, entry in facts.items() if len(json.dumps(entry)) <= LONGEST_FACT}


def read_class_names(facts: Mapping[str, Any], c_dim: int) -> tuple[str, ...]:
    """Return the names of a model's classes, fit to be shown; none unless its file names every one."""
    names = facts.get(CLASSES)
    if not isinstance(names, list) or len(names) != c_dim or not all(isinstance(name, str) for name in names):
        return ()
    return tuple(sanitize_text(name, NAME_LENGTH) for name in names)


def read_label_mean(facts: Mapping[str, Any], c_dim: int) -> tuple[float, ...] | None:
    """Return the mean of the vectors that a model was trained with; None for classes, or where its file is silent."""
    mean = facts.get(LABEL_MEAN)
    if not c_dim or not isinstance(mean, list) or len(mean) != c_dim:
        return None
    if not all(type(value) in (int, float) and abs(value) <= LARGEST_NUMBER for value in mean):
        return None
    return tuple(map(float, mean))


def default_label(c_dim: int, mean: tuple[float, ...] | None) -> Label:
    """Return the label that is taken if none is chosen: the mean of the vectors of training, else class 0."""
    return 0 if mean is None else mean


def default_vector(c_dim: int, mean: tuple[float, ...] | None) -> tuple[float, ...]:
    """Return the vector to start from: the mean of those of training, else equal parts of all classes."""
    return (1 / max(c_dim, 1),) * c_dim if mean is None else mean


def fit_vector(vector: Sequence[float], default: tuple[float, ...]) -> tuple[float, ...]:
    """Return a vector as long as `default`, whose numbers fill it up."""
    return tuple(vector[: len(default)]) + default[len(vector) :]


def describe_class(number: int, names: Sequence[str]) -> str:
    """Return "3 (dog)", or the number alone where there are no names."""
    return f"{number} ({names[number]})" if number < len(names) and names[number] else str(number)


def describe_label(label: Label, names: Sequence[str] = ()) -> str:
    """Return "class 3 (dog)", or "label 0.2,0.7"; of a long vector the first numbers."""
    if not isinstance(label, tuple):
        return f"class {describe_class(label, names)}"
    numbers = ",".join(f"{value:.4g}" for value in label[:WRITTEN_NUMBERS])
    return f"label {numbers}" + (f",… ({len(label)} numbers)" if len(label) > WRITTEN_NUMBERS else "")


def count_labels(c_dim: int, mean: tuple[float, ...] | None, named: bool) -> str:
    """Return what a model's labels are: "10 classes" if `named`, "labels of 2 numbers", "no labels".

    "10 labels" where the file does not tell classes from vectors.
    """
    if not c_dim:
        return "no labels"
    if mean is not None:
        return f"labels of {c_dim} number{'s' * (c_dim != 1)}"
    one, more = ("class", "es") if named else ("label", "s")
    return f"{c_dim} {one}{more * (c_dim != 1)}"


def is_finite(vector: Sequence[float]) -> bool:
    """Return True if float32 holds each of the numbers."""
    return all(math.isfinite(value) and abs(value) <= LARGEST_NUMBER for value in vector)
