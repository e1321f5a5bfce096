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
    user starts runs once, and its request is compared by identity: declare it with `eq=False`.
    """

    live: ClassVar[bool] = True

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


class JobScheduler:
    """The requested jobs, run in turn. Used by the worker's thread alone."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._shown = RenderRequest()
        self._begun: set[str] = set()  # jobs that have done a slice
        self._outdated: set[str] = set()  # those of them that look at pictures which are no longer the newest
        self._requests: dict[str, JobRequest[Any]] = {}
        self._running: dict[str, Iterator[Any] | None] = {}  # the next to be served first; None: not begun yet
        self._results: dict[str, Any] = {}  # each job's newest
        self._rendered = 0

    def request(self, requests: Mapping[str, JobRequest[Any]], shown: RenderRequest, rendered: int) -> None:
        """Set the jobs to run, by name, for the pictures `shown`; `rendered` counts all pictures so far.

        Jobs that are not named end, changed ones start anew, and live ones also when a picture was rendered. A live job
        under way first yields a result: pictures may come faster than it does its slices.
        """
        moved, self._rendered, self._shown = rendered != self._rendered, rendered, shown
        for name in self._requests.keys() - requests.keys():
            del self._requests[name]
            self._running.pop(name, None)
            self._results.pop(name, None)
            self._outdated.discard(name)
        for name, request in requests.items():
            if self._requests.get(name) != request:
                self._requests[name] = request
                self._results.pop(name, None)
                self._restart(name)
            elif request.live and moved:
                if name in self._running and name in self._begun:
                    self._outdated.add(name)
                else:
                    self._restart(name)

    def _restart(self, name: str) -> None:
        """Begin a job. One that waits for its turn keeps its place in the queue."""
        self._running[name] = None
        self._begun.discard(name)
        self._outdated.discard(name)

    @property
    def has_work(self) -> bool:
        """True while a job is not finished."""
        return bool(self._running)

    def step(self) -> tuple[str, JobStatus[Any]] | None:
        """Do one slice of the job whose turn it is; return its name and status, None without news."""
        import torch  # here: panels, who make requests, do without

        name, job = next(iter(self._running.items()))
        del self._running[name]
        self._begun.add(name)
        request, result, error, ended = self._requests[name], None, None, False
        try:
            with torch.inference_mode():
                job = request.run(self._renderer, self._shown) if job is None else job
                result = next(job)
        except StopIteration:
            ended = True
        except Exception as problem:  # the thread must outlive whatever a model does
            error, ended = describe_error(problem), True
            if error is None:
                traceback.print_exc(file=sys.stderr)
                error = f"This measurement failed: {type(problem).__name__}: {problem}"
        if result is not None:
            self._results[name] = result
        again = name in self._outdated and (ended or result is not None)
        if again:
            self._restart(name)
        elif not ended:
            self._running[name] = job  # behind the others
        if result is None and not ended:
            return None
        return name, JobStatus(request, None if error else self._results.get(name), error, ended and not again)
