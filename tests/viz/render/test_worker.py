# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The rendering thread: newest request wins, both slots are served, nothing is rendered twice, errors are results."""

import threading
from collections.abc import Callable, Iterator

import pytest

from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import RenderResult
from viz.render.worker import Worker

TIMEOUT = 20.0


class Model:
    """A renderer that stops inside its first picture until it is let go, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.entered, self.let_go = threading.Event(), threading.Event()

    def pin_models(self, request: RenderRequest) -> None:
        pass

    def start(self, request: PictureRequest, keep: tuple[str, ...] = ()) -> RenderResult:
        self.asked.append(request.model)
        self.entered.set()
        assert self.let_go.wait(TIMEOUT)
        if request.model.startswith("bad"):
            raise KeyError("no such thing")
        return RenderResult(request)


@pytest.fixture
def model() -> Iterator[Model]:
    yield Model()


def pair(left: str, right: str | None = None) -> RenderRequest:
    return RenderRequest(PictureRequest(left), PictureRequest(right) if right else None)


def wait_for(condition: Callable[[], bool]) -> None:
    limit = threading.Event()
    for _ in range(int(TIMEOUT / 0.005)):
        if condition():
            return
        limit.wait(0.005)
    raise AssertionError("nothing came")


def test_the_newest_request_wins_and_a_begun_pair_is_finished(model: Model) -> None:
    worker = Worker(model)
    worker.submit(pair("left0", "right0"))
    assert model.entered.wait(TIMEOUT)
    for number in range(1, 50):  # a drag, while the first picture is still being rendered
        worker.submit(pair(f"left{number}", f"right{number}"))
    assert worker.is_busy("left") and worker.is_busy("right") and not worker.is_idle()
    model.let_go.set()
    wait_for(lambda: model.asked == ["left0", "right0", "left49", "right49"])
    wait_for(lambda: not worker.is_busy("right"))
    results = worker.collect()
    assert {slot: result.request.model for slot, result in results.items()} == {"left": "left49", "right": "right49"}
    assert worker.collect() == {} and worker.is_idle()
    worker.close()


def test_an_unchanged_slot_is_not_rendered_again(model: Model) -> None:
    model.let_go.set()
    worker = Worker(model)
    for request in (pair("a", "b"), pair("a", "b"), pair("a", "c"), pair("a"), pair("a", "c")):
        worker.submit(request)
        wait_for(lambda: worker.collect() is not None and worker.is_idle())
    assert model.asked == ["a", "b", "c", "c"]
    worker.repeat()  # the file behind a path may be another one now
    wait_for(lambda: len(model.asked) == 6)
    worker.close()


def test_an_exception_is_a_result_and_the_thread_goes_on(model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    model.let_go.set()
    worker = Worker(model)
    worker.submit(pair("bad", "good"))
    wait_for(lambda: not worker.is_busy("right"))
    results = worker.collect()
    assert results["left"].error and "KeyError" in results["left"].error and results["right"].error is None
    assert "Traceback" in capsys.readouterr().err  # for the person who fixes it
    worker.close()


def test_close_returns_while_a_slow_model_renders(model: Model) -> None:
    woken, before = threading.Event(), set(threading.enumerate())
    worker = Worker(model, wake=woken.set)
    worker.submit(pair("slow", "never"))
    assert model.entered.wait(TIMEOUT)
    worker.close(timeout=0.01)
    model.let_go.set()
    worker.close()
    assert model.asked == ["slow"] and woken.is_set()
    worker.submit(pair("late"))
    assert set(threading.enumerate()) <= before
