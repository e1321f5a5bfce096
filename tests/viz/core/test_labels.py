# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The label that a model is given: a class or a vector, what the user chose or what its file says."""

import numpy as np
import pytest
from support.synthetic import facts as facts_of

from gan.networks.labels import (
    count_labels,
    describe_class,
    describe_label,
    encode_labels,
    fit_vector,
    make_label_facts,
    read_class_names,
    read_label_mean,
)
from viz.core.labels import choose_label
from viz.core.request import PictureRequest, build_request
from viz.core.result import ModelFacts
from viz.core.state import AppState


def facts(c_dim: int, **known: object) -> ModelFacts:
    from dataclasses import replace

    plain = facts_of("T")
    return replace(plain, config=replace(plain.config, c_dim=c_dim), **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "model", "label", "words"),
    [
        ({}, facts(0), 0, ""),
        ({"label_kind": "vector", "vector": (1.0,)}, facts(0), 0, ""),
        ({}, facts(3), 0, ""),
        ({"label": 2}, facts(3), 2, ""),
        ({"label": 7}, facts(3), 2, "classes 0 to 2"),
        ({}, facts(2, label_mean=(0.3, 0.7)), (0.3, 0.7), ""),
        ({"label": 1}, facts(2, label_mean=(0.3, 0.7)), (0.3, 0.7), ""),
        ({"label": 1, "label_kind": "class"}, facts(2, label_mean=(0.3, 0.7)), 1, ""),
        ({"vector": (0.5, -1.0)}, facts(2, label_mean=(0.3, 0.7)), (0.5, -1.0), ""),
        ({"label_kind": "vector"}, facts(4), (0.25,) * 4, ""),
        ({"label_kind": "vector", "vector": (0.5,)}, facts(2), (0.5, 0.5), "have 2 numbers, not 1"),
        ({"label_kind": "vector", "vector": (1.0, 2.0, 3.0)}, facts(2), (1.0, 2.0), "the rest is left out"),
    ],
)
def test_the_label_follows_from_request_and_model(
    asked: dict[str, object], model: ModelFacts, label: object, words: str
) -> None:
    found, notice = choose_label(PictureRequest("x", **asked), model)  # type: ignore[arg-type]
    assert found == label and words in notice and bool(words) == bool(notice)


def test_a_state_s_vector_is_part_of_a_hashable_request() -> None:
    state = AppState()
    state.left.path, state.latent.label_kind, state.latent.vector = "a", "vector", [0.0, 0.5]
    request = build_request(state).left
    assert request and request.vector == (0.0, 0.5) and hash(request)


def test_labels_are_encoded_as_the_network_takes_them() -> None:
    found = encode_labels([2, (0.5, 0.0, -1.0)], 3)
    assert found.dtype == np.float32 and found.tolist() == [[0, 0, 1], [0.5, 0, -1]]
    assert fit_vector([1.0], (0.5, 0.25)) == (1.0, 0.25)


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({"classes": ["cat", "dog"]}, ("cat", "dog")),
        ({"classes": ["cat", "d\x1b[2Jog"]}, None),
        ({"classes": ["cat"]}, ()),
        ({"classes": ["cat", 3]}, ()),
        ({"classes": {"0": "cat", "1": "dog"}}, ()),
        ({"classes": "ab"}, ()),
        ({}, ()),
    ],
)
def test_names_of_classes_are_believed_if_there_is_one_for_each(
    said: dict[str, object], names: tuple[str, ...] | None
) -> None:
    found = read_class_names(said, 2)
    assert found == names if names is not None else all(name.isprintable() for name in found)


def test_what_a_snapshot_says_of_its_labels_is_read_again() -> None:
    vectors = np.array([[0.25, 1.0], [0.75, 2.0]], np.float32)
    facts = make_label_facts(vectors, ("long", "short"), 2)
    assert read_label_mean(facts, 2) == (0.5, 1.5) and read_class_names(facts, 2) == ("long", "short")
    classes = make_label_facts(np.array([0, 1, 1]), ("cat",), 3)
    assert classes == {"classes": ["cat", "1", "2"]} and read_label_mean(classes, 3) is None
    assert make_label_facts(np.array([0, 1]), (), 2) == {}
    assert make_label_facts(np.array([0]), ["x" * 200] * 100_000, 100_000) == {}, "a file could not hold it"


@pytest.mark.parametrize("mean", [[0.5], [0.5, "a"], [0.5, float("nan")], [0.5, 10**400], [True, 1], "ab", None, {}])
def test_a_damaged_mean_is_none(mean: object) -> None:
    assert read_label_mean({"label_mean": mean}, 2) is None


def test_labels_are_told_in_words() -> None:
    assert read_label_mean({"label_mean": [1, 0.5]}, 2) == (1.0, 0.5)
    assert describe_class(1, ("cat", "dog")) == "1 (dog)" and describe_class(5, ("cat",)) == "5"
    assert describe_label(1, ("cat", "dog")) == "class 1 (dog)" and describe_label((0.2, 0.7)) == "label 0.2,0.7"
    assert describe_label((0.5,) * 40).endswith("(40 numbers)")
    assert [
        count_labels(*asked) for asked in ((0, None, False), (1, None, False), (2, None, True), (2, (0.1, 0.2), False))
    ] == ["no labels", "1 label", "2 classes", "labels of 2 numbers"]
