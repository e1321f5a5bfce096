# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Jobs beside the pictures: slices in turn, replaced and dropped by request, within their share of the time."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import RenderResult
from viz.render.jobs import JobRequest, JobScheduler
from viz.render.worker import MAX_SAVED_SECONDS, REST_SECONDS, WORKER_TIME_SHARE, TimeBudget, Worker

TIMEOUT = 20.0
SHOWN = RenderRequest(PictureRequest("a"))


@dataclass(frozen=True)
class Job(JobRequest[int]):
    """Yields `count` numbers, then ends; `fails` raises in its second slice."""

    count: int
    fails: bool = False
    tag: str = ""

    live = False

    def run(self, renderer: Any, shown: RenderRequest) -> Iterator[int | None]:
        for number in range(self.count):
            if self.fails and number == 1:
                raise ValueError("There is no such thing.")
            yield number if number % 2 == 0 else None  # every second slice has nothing new to say


class LiveJob(Job):
    live = True

    def layers(self, slot: str) -> tuple[str, ...]:
        return ("L3",) if slot == "left" else ()


class FakeRenderer:
    """Draws nothing, at once or in `seconds`, and remembers the layers that it was to keep."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.kept: list[tuple[str, ...]] = []

    def start(self, request: PictureRequest, keep: tuple[str, ...]) -> RenderResult:
        self.kept.append(keep)
        threading.Event().wait(self.seconds)
        return RenderResult(request)

    def pin_models(self, request: RenderRequest) -> None:
        pass


def drain(scheduler: JobScheduler) -> list[tuple[str, Any, bool]]:
    said = []
    while scheduler.has_work:
        found = scheduler.step()
        if found is not None:
            said.append((found[0], found[1].result, found[1].finished))
    return said


def test_jobs_take_turns_and_keep_their_last_result() -> None:
    scheduler = JobScheduler(None)
    scheduler.request({"x": Job(3), "y": Job(1)}, SHOWN, 0)
    assert drain(scheduler) == [("x", 0, False), ("y", 0, False), ("y", 0, True), ("x", 2, False), ("x", 2, True)]


def test_slices_run_in_inference_mode_and_nothing_else_does() -> None:
    class Asks(Job):
        def run(self, renderer: Any, shown: RenderRequest) -> Iterator[int | None]:
            yield int(torch.is_inference_mode_enabled())
            yield int(torch.is_inference_mode_enabled())

    scheduler = JobScheduler(None)
    scheduler.request({"x": Asks(1)}, SHOWN, 0)
    assert drain(scheduler) == [("x", 1, False), ("x", 1, False), ("x", 1, True)]
    assert not torch.is_inference_mode_enabled()


def test_a_changed_request_starts_anew_and_a_missing_one_ends() -> None:
    scheduler = JobScheduler(None)
    scheduler.request({"x": Job(9), "y": Job(9)}, SHOWN, 0)
    scheduler.step()
    scheduler.request({"x": Job(9, tag="other")}, SHOWN, 0)
    said = drain(scheduler)
    assert {name for name, _, _ in said} == {"x"} and [result for _, result, _ in said] == [0, 2, 4, 6, 8, 8]
    scheduler.request({"x": Job(9, tag="other")}, SHOWN, 0)
    assert not scheduler.has_work, "what is done is done"


def test_live_jobs_look_again_when_a_picture_came() -> None:
    scheduler = JobScheduler(None)
    jobs = {"live": LiveJob(1), "once": Job(1)}
    scheduler.request(jobs, SHOWN, 1)
    drain(scheduler)
    scheduler.request(jobs, SHOWN, 2)
    assert [name for name, _, _ in drain(scheduler)] == ["live", "live"]


def test_a_live_job_under_way_says_something_before_it_begins_anew() -> None:
    """Pictures that come faster than a job's slices must not keep it from ever ending."""
    begun: list[RenderRequest] = []

    class Slow(LiveJob):
        def run(self, renderer: Any, shown: RenderRequest) -> Iterator[Any]:
            begun.append(shown)
            yield None
            yield None
            yield shown

    scheduler, said = JobScheduler(None), []
    for number in range(40):  # a picture before every slice
        scheduler.request({"live": Slow(0)}, RenderRequest(PictureRequest(str(number))), number)
        found = scheduler.step()
        if found and found[1].result is not None:
            said.append(found[1])
    assert len(said) >= 40 // 3 - 1 and not any(reading.finished for reading in said)
    assert said[-1].result.left.model in ("36", "37", "38", "39", "35"), "of a picture that was new when it began"
    while scheduler.has_work:
        found = scheduler.step()
    assert found and found[1].finished and found[1].result.left.model == "39", "at rest it is of the newest"


def test_a_failure_is_a_sentence_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    scheduler = JobScheduler(None)
    scheduler.request({"bad": Job(3, fails=True), "good": Job(2)}, SHOWN, 0)
    errors = []
    while scheduler.has_work:
        found = scheduler.step()
        if found and found[1].error:
            errors.append((found[0], found[1].error, found[1].finished))
    assert errors == [("bad", "There is no such thing.", True)]
    assert capsys.readouterr().err == ""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_equal_requests_of_jobs_that_the_user_starts_are_two_jobs() -> None:
    @dataclass(frozen=True, eq=False)
    class Started(JobRequest[int]):
        count: int

        live, run = False, Job.run
        fails = False

    scheduler = JobScheduler(None)
    for _ in range(2):
        scheduler.request({"x": Started(1)}, SHOWN, 0)
        assert [result for _, result, _ in drain(scheduler)] == [0, 0]


def test_while_pictures_are_wanted_slices_get_their_share_and_no_more() -> None:
    clock = Clock()
    budget = TimeBudget(clock)
    measured = 0.0
    began = clock.now
    while clock.now - began < 60:
        budget.note_request()
        clock.now += 0.02  # a picture
        if budget.seconds_to_wait() == 0:
            clock.now += 0.05  # a slice that is longer than a picture
            budget.spend(0.05)
            measured += 0.05
    share = measured / (clock.now - began)
    assert 0.9 * WORKER_TIME_SHARE < share <= WORKER_TIME_SHARE + (MAX_SAVED_SECONDS + 0.05) / 60


def test_a_resting_picture_leaves_all_the_time_and_no_debt() -> None:
    clock = Clock()
    budget = TimeBudget(clock)
    budget.note_request()
    budget.spend(5.0)
    assert budget.seconds_to_wait() == pytest.approx(5.0 / WORKER_TIME_SHARE)
    clock.now += REST_SECONDS
    assert budget.seconds_to_wait() == 0
    budget.note_request()
    clock.now += 0.01
    assert budget.seconds_to_wait() == 0, "an old debt does not hold up what is measured live"


def test_the_worker_measures_between_pictures_and_keeps_the_layers_that_are_looked_at() -> None:
    renderer, done = FakeRenderer(), threading.Event()
    worker = Worker(renderer, done.set)
    worker.request({"live": LiveJob(3)})
    worker.submit(RenderRequest(PictureRequest("a"), PictureRequest("b")))
    limit = threading.Event()
    statuses = {}
    for _ in range(int(TIMEOUT / 0.01)):
        worker.collect()
        statuses.update(worker.collect_statuses())
        if worker.is_idle() and not worker.is_measuring() and len(renderer.kept) == 2:
            break
        limit.wait(0.01)
    assert renderer.kept == [("L3",), ()]
    assert statuses["live"].finished and statuses["live"].result == 2
    assert not worker.is_measuring() and worker.collect_statuses() == {}
    worker.request({})
    worker.close()


@pytest.mark.slow
def test_pictures_without_pause_do_not_starve_a_job_of_several_slices() -> None:
    worker = Worker(FakeRenderer(0.004))
    worker.request({"live": LiveJob(4)})
    heard = 0
    for number in range(400):
        worker.submit(RenderRequest(PictureRequest("a", tx=number / 1000)))
        threading.Event().wait(0.004)
        heard += "live" in worker.collect_statuses()
    worker.close()
    assert heard >= 5


def test_a_job_that_cannot_even_begin_is_a_sentence_and_the_others_go_on() -> None:
    class Broken(Job):
        def run(self, renderer: Any, shown: RenderRequest) -> Iterator[int | None]:
            raise ValueError("There is no such layer.")

    scheduler = JobScheduler(None)
    scheduler.request({"x": Broken(1), "y": Job(1)}, SHOWN, 0)
    found = scheduler.step()
    assert found is not None and (found[0], found[1].error) == ("x", "There is no such layer.")
    assert drain(scheduler) == [("y", 0, False), ("y", 0, True)]


class RestingJob(LiveJob):
    at_rest = True


def test_what_is_done_at_rest_comes_last_and_starts_anew_when_pictures_moved() -> None:
    scheduler = JobScheduler(None)
    scheduler.request({"rest": RestingJob(3), "x": Job(1)}, SHOWN, 0)
    assert not scheduler.waits_for_rest
    assert [scheduler.step() for _ in range(2)][0][0] == "x"  # type: ignore[index]
    assert scheduler.waits_for_rest and scheduler.step()[1].result == 0  # type: ignore[index]
    scheduler.request({"rest": RestingJob(3), "x": Job(1)}, SHOWN, 1)
    assert scheduler.step()[1].result == 0, "not 2: that was of other pictures"  # type: ignore[index]


def test_at_rest_nothing_is_done_while_pictures_are_asked_for() -> None:
    worker, done = Worker(FakeRenderer()), threading.Event()

    class Counts(RestingJob):
        def run(self, renderer: Any, shown: RenderRequest) -> Iterator[int | None]:
            done.set()
            yield 1

    worker.submit(RenderRequest(PictureRequest("a")))
    worker.request({"rest": Counts(1)})
    for number in range(20):  # a drag that lasts twice as long as the rest that is waited for
        assert not done.wait(REST_SECONDS / 10), number
        worker.submit(RenderRequest(PictureRequest("a", tx=number / 100)))
    assert done.wait(TIMEOUT)
    worker.close()


def test_the_budget_waits_for_rest() -> None:
    now = [0.0]
    budget = TimeBudget(lambda: now[0])
    assert budget.seconds_to_wait(at_rest=True) == 0.0
    budget.note_request()
    now[0] = 0.25 * REST_SECONDS
    assert budget.seconds_to_wait(at_rest=True) == pytest.approx(0.75 * REST_SECONDS)
    assert budget.seconds_to_wait() == 0.0
