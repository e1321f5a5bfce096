# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Jobs: measurements beside the pictures, run on the worker's thread in slices, between two pictures.

A request's `run` is an iterator. Each step is a slice of work, in torch.inference_mode, and what it yields (None for
nothing new) is a result for a panel to read. Dropping the iterator cancels the job and leaves nothing behind.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from viz.core.request import RenderRequest
from viz.core.result import describe_error
from viz.core.state import Slot

if TYPE_CHECKING:  # it brings torch, which panels, who make requests, do without
    from viz.render.renderer import Renderer

Result = TypeVar("Result")
Key = TypeVar("Key")
Value = TypeVar("Value")

REPORT_SECONDS = 0.25  # between two results of a job under way


class JobRequest(Generic[Result]):
    """Base of the instruments' requests, which are frozen dataclasses of plain data with a `run` of their own.

    A live job looks at the pictures shown, again whenever they change; equal requests are the same job. A job that the
    user starts runs once, and its request is compared by identity: declare it with `eq=False`. One that is done at rest
    runs only while no pictures are asked for, and after all others.
    """

    live: ClassVar[bool] = True
    at_rest: ClassVar[bool] = False

    def run(self, renderer: Renderer, shown: RenderRequest) -> Iterator[Result | None]:
        """Do the work for the pictures that are `shown`, a slice a step. Import torch here, not in the module."""
        raise NotImplementedError

    def layers(self, slot: Slot) -> tuple[str, ...]:
        """Return the layers of a slot's picture that `run` reads: they are kept while the picture is rendered."""
        return ()

    def models(self) -> tuple[tuple[Slot, str], ...]:
        """Return the slots and the models that must stay open in them for a started job to go on."""
        return ()


@dataclass(frozen=True, eq=False)
class JobStatus(Generic[Result]):
    """A job's newest result, or one sentence why there is none, with the request that it answers."""

    request: JobRequest[Result]
    result: Result | None = None
    error: str | None = None
    finished: bool = False


def take_turns(
    runs: Mapping[Key, Iterator[Value]], make: Callable[[dict[Key, Value]], Result]
) -> Iterator[Result | None]:
    """Step iterators in turn, a slice each; yield `make` of their newest values at times, else None.

    The last slice yields a result, too.
    """
    going, newest, reported = dict(runs), dict[Key, Value](), time.monotonic()
    while going:
        for key in list(going):
            try:
                newest[key] = next(going[key])
            except StopIteration:
                del going[key]
            if time.monotonic() - reported > REPORT_SECONDS or not going:
                reported = time.monotonic()
                yield make(newest)
            else:
                yield None


@dataclass
class _Job:
    request: JobRequest[Any]
    steps: Iterator[Any] | None = None  # None: not begun yet
    outdated: bool = False  # begun for pictures that are no longer the newest
    result: Any = None  # the newest


class JobScheduler:
    """The requested jobs, run in turn. Used by the worker's thread alone."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._shown, self._rendered = RenderRequest(), 0
        self._jobs: dict[str, _Job] = {}
        self._queue: dict[str, None] = {}  # the names of those that are not finished, the next to be served first

    def request(self, requests: Mapping[str, JobRequest[Any]], shown: RenderRequest, rendered: int) -> None:
        """Set the jobs to run, by name, for the pictures `shown`; `rendered` counts all pictures so far.

        Jobs that are not named end, changed ones start anew, and live ones also when a picture was rendered. A live job
        under way first yields a result: pictures may come faster than it does its slices.
        """
        moved, self._rendered, self._shown = rendered != self._rendered, rendered, shown
        for name in self._jobs.keys() - requests.keys():
            del self._jobs[name]
            self._queue.pop(name, None)
        for name, request in requests.items():
            job = self._jobs.get(name)
            if job is None or job.request != request:
                self._start(name, _Job(request))
            elif request.live and moved:
                if name in self._queue and job.steps is not None and not request.at_rest:
                    job.outdated = True
                else:
                    self._start(name, _Job(job.request, result=job.result))

    def _start(self, name: str, job: _Job) -> None:
        """Begin a job. One that waits for its turn keeps its place in the queue."""
        self._jobs[name], self._queue[name] = job, None

    @property
    def has_work(self) -> bool:
        """True while a job is not finished."""
        return bool(self._queue)

    @property
    def waits_for_rest(self) -> bool:
        """True if all that is left is to be done at rest."""
        return all(self._jobs[name].request.at_rest for name in self._queue)

    def step(self) -> tuple[str, JobStatus[Any]] | None:
        """Do one slice of the job whose turn it is; return its name and status, None without news."""
        import torch  # here: panels, who make requests, do without

        name = min(self._queue, key=lambda name: self._jobs[name].request.at_rest)  # the first of those that come first
        del self._queue[name]
        job, result, error, ended = self._jobs[name], None, None, False
        try:
            with torch.inference_mode():
                job.steps = job.request.run(self._renderer, self._shown) if job.steps is None else job.steps
                result = next(job.steps)
        except StopIteration:
            ended = True
        except Exception as problem:  # the thread must outlive whatever a model does
            error, ended = describe_error(problem), True
            if error is None:
                traceback.print_exc(file=sys.stderr)
                error = f"This measurement failed: {type(problem).__name__}: {problem}"
        if result is not None:
            job.result = result
        again = job.outdated and (ended or result is not None)
        if again:
            self._start(name, _Job(job.request, result=job.result))
        elif ended:
            job.steps = None  # nothing of it stays in memory but its result
        else:
            self._queue[name] = None  # behind the others
        if result is None and not ended:
            return None
        return name, JobStatus(job.request, None if error else job.result, error, ended and not again)
