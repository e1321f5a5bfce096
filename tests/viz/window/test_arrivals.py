# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What the panels see of finished pictures: only those of the open model, and each model among the recent ones."""

from typing import Any

import numpy as np
import pytest

from viz.core.request import PictureRequest
from viz.core.result import RenderResult
from viz.core.state import AppState, Slot
from viz.ui.context import PanelContext
from viz.ui.theme import Theme
from viz.window.arrivals import Arrivals


class FakeWorker:
    """Delivers what it was given."""

    def __init__(self) -> None:
        self.results: dict[Slot, RenderResult] = {}

    def collect(self) -> dict[Slot, RenderResult]:
        results, self.results = self.results, {}
        return results

    def is_busy(self, slot: Slot) -> bool:
        return False


class Fixture:
    """A state with both slots empty, and what arrives for it."""

    def __init__(self) -> None:
        self.state, self.context = AppState(), PanelContext(Theme())
        self.worker: Any = FakeWorker()
        self.arrivals = Arrivals(self.state, self.context, lambda: None)

    def open(self, path: str, slot: Slot = "left") -> None:
        """Open a model of which nothing has arrived yet."""
        self.state.slot(slot).path = path
        self.arrivals.collect(self.worker)

    def arrive(self, model: str, slot: Slot = "left", error: str | None = None) -> RenderResult:
        """Let a result arrive for which nothing had to be loaded."""
        picture = None if error else np.zeros((4, 4, 4), np.uint8)
        result = self.worker.results[slot] = RenderResult(PictureRequest(model), picture, error=error, noise=1.0)
        self.arrivals.collect(self.worker)
        return result


@pytest.fixture
def window() -> Fixture:
    return Fixture()


def test_what_belongs_to_the_model_before_is_only_drawn(window: Fixture) -> None:
    context = window.context
    window.open("a")
    first = window.arrive("a")
    assert context.results["left"] is context.drawn["left"] is first and context.has_noise()
    window.open("b")
    assert context.results["left"] is None and context.drawn["left"] is first, "an audience sees it until b is there"
    assert context.shown() == () and context.facts("left") is None and not context.has_noise()
    window.arrive("a")
    assert context.results["left"] is None, "it was under way when b was opened"
    second = window.arrive("b")
    assert context.results["left"] is context.drawn["left"] is second
    window.open("")
    assert context.results["left"] is None and context.drawn["left"] is None


@pytest.mark.parametrize("between", ["b", ""])
def test_a_model_that_comes_back_before_another_was_begun_is_shown(window: Fixture, between: str) -> None:
    window.open("a")
    first = window.arrive("a")
    window.open(between)
    window.open("a")  # the worker, which has rendered this before, sends nothing
    assert window.context.results["left"] is window.context.drawn["left"] is first


def test_the_models_opened_last_come_first_among_the_recent_ones(window: Fixture) -> None:
    for model in "aba":
        window.open(model)
        window.arrive(model)
    assert window.state.recents == ["a", "b"], "whether it was loaded or kept"
    window.open("c", "right")
    window.arrive("c", "right")
    window.arrive("a")
    assert window.state.recents == ["c", "a", "b"], "another picture of a model is no opening of it"
    window.open("broken")
    window.arrive("broken", error="It cannot be opened.")
    window.open("d")
    window.arrive("broken")
    assert window.state.recents == ["c", "a", "b"], "neither one that failed, nor one that is not open any more"
    window.arrive("d")
    window.open("")
    window.open("e", "right")
    window.arrive("e", "right")
    window.open("d")
    window.arrive("d")
    assert window.state.recents == ["d", "e", "c", "a", "b"], "a slot that was empty opens it anew"
