# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The rendering thread. Its mailbox holds one request: a newer one takes the place of one not yet begun.

Between two pictures it runs jobs (viz/render/jobs.py), a slice at a time, within their time budget.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import RenderResult
from viz.core.state import SLOTS, Slot
from viz.render.jobs import JobRequest, JobScheduler, JobStatus

if TYPE_CHECKING:
    from viz.render.renderer import Renderer

WORKER_TIME_SHARE = 0.25  # of the wall clock, for jobs: a worker that pictures keep busy makes at least 75 % as many
MAX_SAVED_SECONDS = 0.05  # of that share that can be saved up
REST_SECONDS = 0.4  # without a new request, after which the pictures are taken to rest


class TimeBudget:
    """The time that jobs may take. Nobody knows how long a slice takes before it is done.

    While requests come in, a slice may begin once the debt of those before is paid off, at WORKER_TIME_SHARE seconds a
    second; while none come, at any time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._credit, self._counted = 0.0, clock()
        self._requested = -REST_SECONDS

    def note_request(self) -> None:
        """Take note that a new picture was requested."""
        self._requested = self._clock()

    def seconds_to_wait(self, at_rest: bool = False) -> float:
        """Return the seconds until the next slice may begin, 0 for now. `at_rest`: of what is done only at rest."""
        now = self._clock()
        if now - self._requested >= REST_SECONDS:
            self._credit, self._counted = 0.0, now
            return 0.0
        if at_rest:
            return self._requested + REST_SECONDS - now
        earned = WORKER_TIME_SHARE * (now - self._counted)
        self._credit, self._counted = min(self._credit + earned, MAX_SAVED_SECONDS), now
        return max(0.0, -self._credit / WORKER_TIME_SHARE)

    def spend(self, seconds: float) -> None:
        """Charge what a slice took."""
        self._credit -= seconds


class Worker:
    """Renders the newest request, left slot then right, and keeps each slot's newest result until it is collected.

    A pair that has been begun is finished, so that both slots keep pace under a drag; requests that arrive meanwhile
    replace one another. A slot whose own request did not change is not rendered again. A result that is `pending` is
    waited for here, not in the window, once both slots have been begun. `wake` is called from the worker's thread after
    each result. An exception in the renderer becomes that slot's error.
    """

    def __init__(self, renderer: Renderer, wake: Callable[[], object] = lambda: None) -> None:
        self._renderer, self._wake = renderer, wake
        self._scheduler, self._budget = JobScheduler(renderer), TimeBudget()
        self._changed = threading.Condition()
        self._waiting: RenderRequest | None = None
        self._newest: RenderRequest | None = None
        self._done: dict[Slot, PictureRequest | None] = {"left": None, "right": None}
        self._results: dict[Slot, RenderResult] = {}
        self._todo: set[Slot] = set()  # of the pair being rendered
        self._jobs: dict[str, JobRequest[Any]] = {}
        self._jobs_changed = False  # since the scheduler was told
        self._measuring = self._waits_for_rest = False
        self._rendered = 0  # pictures, ever
        self._statuses: dict[str, JobStatus[Any]] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="render", daemon=True)
        self._thread.start()

    def submit(self, request: RenderRequest) -> None:
        """Ask for `request`; returns at once, and costs nothing when it is the one asked for before."""
        with self._changed:
            if request != self._newest:
                self._newest = self._waiting = request
                self._budget.note_request()
                self._changed.notify_all()

    def request(self, jobs: Mapping[str, JobRequest[Any]]) -> None:
        """Ask for these jobs, by name, and for no others; returns at once."""
        with self._changed:
            if jobs != self._jobs:
                self._jobs, self._jobs_changed = dict(jobs), True
                self._changed.notify_all()

    def repeat(self) -> None:
        """Render the newest request again although it did not change: a file behind it may have."""
        with self._changed:
            self._done = {"left": None, "right": None}
            self._waiting = self._newest
            self._changed.notify_all()

    def collect(self) -> dict[Slot, RenderResult]:
        """Return the results since the last call, the newest of each slot."""
        with self._changed:
            results, self._results = self._results, {}
            return results

    def collect_statuses(self) -> dict[str, JobStatus[Any]]:
        """Return the jobs' statuses since the last call, the newest of each."""
        with self._changed:
            statuses, self._statuses = self._statuses, {}
            return statuses

    def is_measuring(self) -> bool:
        """Return True while jobs have work left, or statuses that were not collected."""
        with self._changed:
            return self._measuring or self._jobs_changed or bool(self._statuses)

    def is_busy(self, slot: Slot) -> bool:
        """Return True while a picture for `slot` is being rendered or waits to be."""
        with self._changed:
            if slot in self._todo:
                return True
            waiting = self._waiting.slot(slot) if self._waiting else None
            return waiting is not None and waiting != self._done[slot]

    def is_idle(self) -> bool:
        """Return True when everything requested has been rendered and collected."""
        with self._changed:
            return self._waiting is None and not self._todo and not self._results

    def close(self, timeout: float = 5.0) -> bool:
        """Stop after the picture being rendered, if any; return True if that ended in time. May be called twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while self._wait():
            with self._changed:
                request, self._waiting = self._waiting, None
                if request is not None:
                    self._todo = {slot for slot in SLOTS if request.slot(slot) != self._done[slot]}
            if request is not None:
                self._render(request)
            self._run_slice()
        self._scheduler.request({}, RenderRequest(), self._rendered)  # ends the jobs, which leave nothing behind

    def _wait(self) -> bool:
        """Wait until there is something to do; return False when the worker is closed."""
        with self._changed:
            while not self._closed and self._waiting is None and not self._jobs_changed:
                pause = self._budget.seconds_to_wait(self._waits_for_rest) if self._measuring else None
                if pause == 0.0:
                    break
                self._changed.wait(pause)
            return not self._closed

    def _run_slice(self) -> None:
        """Do one slice of the jobs, if they have anything to do and time left for it."""
        with self._changed:
            jobs, self._jobs_changed = self._jobs, False
            shown = RenderRequest(**self._done)
        scheduler = self._scheduler
        scheduler.request(jobs, shown, self._rendered)
        with self._changed:
            allowed = self._budget.seconds_to_wait(scheduler.waits_for_rest) == 0.0
        if scheduler.has_work and allowed:
            began = time.monotonic()
            news = scheduler.step()
            with self._changed:
                self._budget.spend(time.monotonic() - began)
                if news is not None:
                    self._statuses[news[0]] = news[1]
            if news is not None:
                self._wake()
        with self._changed:
            self._measuring, self._waits_for_rest = scheduler.has_work, scheduler.waits_for_rest

    def _render(self, request: RenderRequest) -> None:
        try:
            self._renderer.pin_models(request)
        except Exception:  # the thread must outlive whatever a path is
            traceback.print_exc(file=sys.stderr)
        begun = [(slot, self._begin(slot, request.slot(slot))) for slot in SLOTS]
        for slot, result in begun:
            if result is not None and result.pending is not None:
                self._deliver(slot, self._guarded(result.request, result.pending))

    def _begin(self, slot: Slot, request: PictureRequest | None) -> RenderResult | None:
        """Render a slot of the pair. A pending result is returned, any other delivered at once."""
        with self._changed:
            if self._closed or slot not in self._todo:
                return None
            self._done[slot] = request
            keep = tuple(layer for job in self._jobs.values() for layer in job.layers(slot))
        if request is None:
            self._deliver(slot, None)
            return None
        result = self._guarded(request, lambda: self._renderer.start(request, keep))
        if result.pending is None:
            self._deliver(slot, result)
        return result

    def _deliver(self, slot: Slot, result: RenderResult | None) -> None:
        self._rendered += 1
        with self._changed:
            self._todo.discard(slot)
            if result:
                self._results[slot] = result
        self._wake()

    def _guarded(self, request: PictureRequest, work: Callable[[], RenderResult]) -> RenderResult:
        try:
            return work()
        except Exception as problem:  # the thread must outlive whatever a model does
            traceback.print_exc(file=sys.stderr)
            return RenderResult(request, error=f"Rendering failed: {type(problem).__name__}: {problem}")
