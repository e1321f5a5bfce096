# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Two processes train as one does: weights, averages, moments, random numbers, p."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from support.ranks import BATCH, configs, results, spawn, train

from train.state import TrainState

pytestmark = pytest.mark.nightly

STEPS = {"A": 8, "R": 8, "T": 20}
TOLERANCE = 1e-4  # of a tensor's length; measured 1e-6, and 2e-5 in moments of gradients that are nearly 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ranks")


@pytest.fixture(scope="module", autouse=True)
def two_processes(folder: Path) -> Iterator[None]:
    """Train by two processes, once for all tests here."""
    spawn(2, str(folder), *(f"{name}:{steps}" for name, steps in STEPS.items()))
    yield


def load(folder: Path, name: str, rank: int = 0) -> dict[str, Any]:
    return torch.load(folder / f"{name}-{rank}.pt")


def compare(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Fail unless random numbers are the same, and all others by rounding."""
    assert torch.equal(found["rng"], expected["rng"])
    for key in expected.keys() - {"p", "rng"}:
        difference = float((found[key] - expected[key]).norm())
        assert difference <= TOLERANCE * float(expected[key].norm()) + 1e-7, key


@pytest.mark.parametrize("name", configs())
def test_steps_of_8_are_those_of_4_and_4(folder: Path, name: str) -> None:
    state = TrainState(configs()[name])
    one, two = results(state, STEPS[name]), load(folder, name)
    assert one.keys() == two.keys() and one["p"] == two["p"]
    compare(two, one)
    assert name != "T" or one["p"] != state.config.augment.p, "p has moved"


@pytest.mark.parametrize("name", configs())
def test_all_ranks_hold_the_same_numbers(folder: Path, name: str) -> None:
    first, second = (load(folder, name, rank) for rank in (0, 1))
    assert first.keys() == second.keys()
    assert all(torch.equal(torch.as_tensor(first[key]), torch.as_tensor(second[key])) for key in first)


def test_resumed_by_one_and_by_two_again(folder: Path) -> None:
    straight = TrainState(configs()["T"])
    expected = results(straight, STEPS["T"] + 6)
    one = TrainState.load(folder / "T.safetensors")
    assert one.images == STEPS["T"] * BATCH
    train(one, 3)
    one.save(folder / "resumed.safetensors")
    spawn(2, str(folder), "resumed:3")
    two = load(folder, "resumed")
    assert two["p"] == expected["p"]
    compare(two, {key: value for key, value in expected.items() if not key.startswith("stat ")})


def test_a_rank_that_fails_tells_the_others_why(folder: Path) -> None:
    spawn(2, str(folder), "lost:0", ends=(0, 1))
    assert (folder / "lost.txt").read_text() == "Rank 1 failed: The disk is full."
