# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Jobs beside the pictures: slices in turn, replaced and dropped by request, within their share of the time."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import RenderResult
from viz.render.budget import BURST, QUIET, SHARE, Budget
from viz.render.jobs import Instruments
from viz.render.worker import Worker

TIMEOUT = 20.0
SHOWN = RenderRequest(PictureRequest("a"))


@dataclass(frozen=True)
class Job:
    """Yields `count` numbers, then ends; `fails` raises in its second slice."""

    count: int
    live: bool = False
    fails: bool = False
    tag: str = ""

    def layers(self, slot: str) -> tuple[str, ...]:
        return ("L3",) if slot == "left" and self.live else ()

    def models(self) -> tuple[tuple[str, str], ...]:
        return ()


def start(request: Any, shown: RenderRequest) -> Iterator[Any]:
    for number in range(request.count):
        if request.fails and number == 1:
            raise ValueError("There is no such thing.")
        yield number if number % 2 == 0 else None  # every second slice has nothing new to say


def explain(problem: Exception) -> str | None:
    return str(problem) if isinstance(problem, ValueError) else None


def drain(instruments: Instruments) -> list[tuple[str, Any, bool]]:
    said = []
    while instruments.waiting:
        found = instruments.step()
        if found is not None:
            said.append((found[0], found[1].result, found[1].finished))
    return said


def test_jobs_take_turns_and_keep_their_last_result() -> None:
    instruments = Instruments(start, explain)
    instruments.ask({"x": Job(3), "y": Job(1)}, SHOWN, 0)
    assert drain(instruments) == [("x", 0, False), ("y", 0, False), ("y", 0, True), ("x", 2, False), ("x", 2, True)]


def test_a_changed_request_starts_anew_and_a_missing_one_ends() -> None:
    instruments = Instruments(start, explain)
    instruments.ask({"x": Job(9), "y": Job(9)}, SHOWN, 0)
    instruments.step()
    instruments.ask({"x": Job(9, tag="other")}, SHOWN, 0)
    said = drain(instruments)
    assert {name for name, _, _ in said} == {"x"} and [result for _, result, _ in said] == [0, 2, 4, 6, 8, 8]
    instruments.ask({"x": Job(9, tag="other")}, SHOWN, 0)
    assert not instruments.waiting, "what is done is done"


def test_live_jobs_look_again_when_a_picture_came() -> None:
    instruments = Instruments(start, explain)
    jobs = {"live": Job(1, live=True), "once": Job(1)}
    instruments.ask(jobs, SHOWN, 1)
    drain(instruments)
    instruments.ask(jobs, SHOWN, 2)
    assert [name for name, _, _ in drain(instruments)] == ["live", "live"]


def test_a_live_job_under_way_says_something_before_it_begins_anew() -> None:
    """Pictures that come faster than a job's slices must not keep it from ever ending."""
    begun: list[RenderRequest] = []

    def slow(request: Any, shown: RenderRequest) -> Iterator[Any]:
        begun.append(shown)
        yield None
        yield None
        yield shown

    instruments, said = Instruments(slow, explain), []
    for number in range(40):  # a picture before every slice
        instruments.ask({"live": Job(0, live=True)}, RenderRequest(PictureRequest(str(number))), number)
        found = instruments.step()
        if found and found[1].result is not None:
            said.append(found[1])
    assert len(said) >= 40 // 3 - 1 and not any(reading.finished for reading in said)
    assert said[-1].result.left.model in ("36", "37", "38", "39", "35"), "of a picture that was new when it began"
    while instruments.waiting:
        found = instruments.step()
    assert found and found[1].finished and found[1].result.left.model == "39", "at rest it is of the newest"


def test_a_failure_is_a_sentence_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    instruments = Instruments(start, explain)
    instruments.ask({"bad": Job(3, fails=True), "good": Job(2)}, SHOWN, 0)
    errors = []
    while instruments.waiting:
        found = instruments.step()
        if found and found[1].error:
            errors.append((found[0], found[1].error, found[1].finished))
    assert errors == [("bad", "There is no such thing.", True)]
    assert capsys.readouterr().err == ""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_while_pictures_are_wanted_slices_get_their_share_and_no_more() -> None:
    clock = Clock()
    budget = Budget(clock)
    measured = 0.0
    began = clock.now
    while clock.now - began < 60:
        budget.requested()
        clock.now += 0.02  # a picture
        if budget.wait() == 0:
            clock.now += 0.05  # a slice that is longer than a picture
            budget.spent(0.05)
            measured += 0.05
    share = measured / (clock.now - began)
    assert 0.9 * SHARE < share <= SHARE + (BURST + 0.05) / 60


def test_a_resting_picture_leaves_all_the_time_and_no_debt() -> None:
    clock = Clock()
    budget = Budget(clock)
    budget.requested()
    budget.spent(5.0)
    assert budget.wait() == pytest.approx(5.0 / SHARE)
    clock.now += QUIET
    assert budget.wait() == 0
    budget.requested()
    clock.now += 0.01
    assert budget.wait() == 0, "an old debt does not hold up what is measured live"


def test_the_worker_measures_between_pictures_and_keeps_the_layers_that_are_looked_at() -> None:
    kept: list[tuple[str, ...]] = []
    done = threading.Event()

    def render(request: PictureRequest, keep: tuple[str, ...] = ()) -> RenderResult:
        kept.append(keep)
        return RenderResult(request)

    worker = Worker(render, done.set, Instruments(start, explain))
    jobs = {"live": Job(3, live=True)}
    worker.measure(jobs)
    worker.submit(RenderRequest(PictureRequest("a"), PictureRequest("b")))
    limit = threading.Event()
    readings = {}
    for _ in range(int(TIMEOUT / 0.01)):
        worker.collect()
        readings.update(worker.readings())
        if worker.idle() and not worker.measuring() and len(kept) == 2:
            break
        limit.wait(0.01)
    assert kept == [("L3",), ()]
    assert readings["live"].finished and readings["live"].result == 2
    assert not worker.measuring() and worker.readings() == {}
    worker.measure({})
    worker.close()


def test_pictures_without_pause_do_not_starve_a_job_of_several_slices() -> None:
    def render(request: PictureRequest, keep: tuple[str, ...] = ()) -> RenderResult:
        threading.Event().wait(0.004)
        return RenderResult(request)

    worker = Worker(render, instruments=Instruments(start, explain))
    worker.measure({"live": Job(4, live=True)})
    heard = 0
    for number in range(400):
        worker.submit(RenderRequest(PictureRequest("a", tx=number / 1000)))
        threading.Event().wait(0.004)
        heard += "live" in worker.readings()
    worker.close()
    assert heard >= 5
