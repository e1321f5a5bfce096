# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Measurements as panels see them: live ones end unasked, started ones by cancelling or when a model is closed."""

from typing import Any

from viz.core.request import PictureRequest
from viz.core.result import RenderResult
from viz.core.state import AppState
from viz.instruments.sticking import MeterRequest, MeterView, NeighbourhoodRequest
from viz.render.jobs import JobRequest, JobStatus
from viz.ui.context import Jobs, PanelContext
from viz.ui.theme import Theme

LIVE = NeighbourhoodRequest(0.3, 10)


class FakeWorker:
    """Keeps what it was asked for, and says what it was given."""

    def __init__(self) -> None:
        self.jobs: dict[str, JobRequest[Any]] = {}
        self.statuses: dict[str, JobStatus[Any]] = {}

    def request(self, jobs: dict[str, JobRequest[Any]]) -> None:
        self.jobs = jobs

    def collect_statuses(self) -> dict[str, JobStatus[Any]]:
        statuses, self.statuses = self.statuses, {}
        return statuses


def meters(model: str = "a") -> MeterRequest:
    return MeterRequest((("left", PictureRequest(model)),), 4)


def test_a_live_job_runs_while_it_is_asked_for_and_its_status_stays() -> None:
    jobs, worker, state = Jobs(), FakeWorker(), AppState()
    assert jobs.request("mean", LIVE) is None
    jobs.exchange(worker, state)
    assert worker.jobs == {"mean": LIVE}
    status = worker.statuses["mean"] = JobStatus(LIVE, {}, finished=True)
    jobs.exchange(worker, state)
    assert worker.jobs == {} and jobs.request("mean", LIVE) is status


def test_a_started_job_runs_until_it_is_finished_or_cancelled() -> None:
    jobs, worker, state, request = Jobs(), FakeWorker(), AppState(), meters()
    state.left.path = "a"
    jobs.start("meters", request)
    jobs.exchange(worker, state)
    jobs.exchange(worker, state)
    assert worker.jobs == {"meters": request} and jobs.is_running("meters")
    worker.statuses["meters"] = JobStatus(request, MeterView(), finished=True)
    jobs.exchange(worker, state)
    assert not jobs.is_running("meters") and jobs.statuses["meters"].result is not None
    jobs.start("meters", meters())
    assert jobs.is_running("meters") and "meters" not in jobs.statuses
    worker.statuses["meters"] = JobStatus(request, MeterView(), finished=True)  # of the one before, on its way
    jobs.exchange(worker, state)
    assert jobs.is_running("meters") and "meters" not in jobs.statuses
    jobs.cancel("meters")
    jobs.exchange(worker, state)
    assert not jobs.is_running("meters") and worker.jobs == {}


def test_a_slot_without_a_picture_says_why() -> None:
    state, context = AppState(), PanelContext(Theme())
    assert context.explain_nothing(state, "left") == "Nothing is shown in the left slot: open a model there."
    assert context.explain_wait(state, "left", "right") == ""
    state.right.path = "/models/b.pkl"
    assert context.explain_nothing(state, "right") == context.explain_wait(state, "left", "right") == "Opening b.pkl …"
    context.results["right"] = RenderResult(PictureRequest("/models/b.pkl"), error="It is damaged.")
    assert context.explain_nothing(state, "right") == "The model in the right slot cannot be shown: It is damaged."
    assert context.explain_wait(state, "left", "right") == ""


def test_a_job_ends_when_its_model_is_closed() -> None:
    jobs, worker, state = Jobs(), FakeWorker(), AppState()
    state.left.path = "b"
    jobs.start("meters", meters("a"))
    jobs.exchange(worker, state)
    assert worker.jobs == {} and not jobs.is_running("meters")
