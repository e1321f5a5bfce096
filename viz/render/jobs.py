# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What is measured beside the pictures: jobs that run on the worker's thread, in slices, between two pictures.

A job is an iterator: each step is a slice of work, and what it yields (None for nothing new) is a result for a panel to
read. Dropping the iterator cancels it, and leaves nothing behind. Jobs are asked for by name with a frozen request;
a request that differs from the one before replaces its job.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from viz.core.request import RenderRequest
from viz.core.state import Slot


class JobRequest(Hashable, Protocol):
    """What a job is asked for with; frozen."""

    def layers(self, slot: Slot) -> tuple[str, ...]:
        """Layers of the slot's shown picture that the job will look at: kept while the picture is rendered."""
        ...

    def models(self) -> tuple[tuple[Slot, str], ...]:
        """Slots and the models that have to stay open in them for a job that was started to go on."""
        ...

    @property
    def live(self) -> bool:
        """Whether it looks at the pictures shown, and is to look again when they change."""
        ...


@dataclass(frozen=True, eq=False)
class Reading:
    """What a job says: the request it answers, its newest result, or one sentence why there is none."""

    request: JobRequest
    result: Any = None
    error: str | None = None
    finished: bool = False


Start = Callable[[JobRequest, RenderRequest], Iterator[Any]]
Explain = Callable[[Exception], "str | None"]


class Instruments:
    """The jobs that are asked for, run in turn. Used by the worker's thread alone."""

    def __init__(self, start: Start, explain: Explain) -> None:
        """`start` makes a job's iterator of its request and the pictures shown; `explain` as viz.core.result's."""
        self._start, self._explain = start, explain
        self._shown = RenderRequest()
        self._begun: set[str] = set()  # jobs of which a slice was done
        self._outdated: set[str] = set()  # those of them that look at pictures which are no longer the newest
        self._requests: dict[str, JobRequest] = {}
        self._running: dict[str, Iterator[Any]] = {}  # the next to be served first
        self._results: dict[str, Any] = {}  # each job's newest
        self._served = 0

    def ask(self, requests: Mapping[str, JobRequest], shown: RenderRequest, served: int) -> None:
        """The jobs that are to run, the pictures that are shown by now, and how many were rendered ever.

        Jobs that are not named end, changed ones start anew, and live ones also when a picture was rendered. A live job
        under way says something first: pictures may come faster than it does its slices.
        """
        moved, self._served, self._shown = served != self._served, served, shown
        for name in [name for name in self._requests if name not in requests]:
            del self._requests[name]
            self._running.pop(name, None)
            self._results.pop(name, None)
            self._outdated.discard(name)
        for name, request in requests.items():
            if self._requests.get(name) != request:
                self._requests[name] = request
                self._results.pop(name, None)
                self._anew(name)
            elif request.live and moved:
                if name in self._running and name in self._begun:
                    self._outdated.add(name)
                else:
                    self._anew(name)

    def _anew(self, name: str) -> None:
        """Begin a job. One that waits for its turn keeps its place in the queue."""
        self._running[name] = self._start(self._requests[name], self._shown)
        self._begun.discard(name)
        self._outdated.discard(name)

    @property
    def waiting(self) -> bool:
        """Whether there is anything left to do."""
        return bool(self._running)

    def step(self) -> tuple[str, Reading] | None:
        """One slice of the job whose turn it is; its name and what it says, None for nothing new."""
        name, job = next(iter(self._running.items()))
        del self._running[name]
        self._begun.add(name)
        request, result, sentence, ended = self._requests[name], None, None, False
        try:
            result = next(job)
        except StopIteration:
            ended = True
        except Exception as problem:  # the thread must outlive whatever a model does
            sentence, ended = self._explain(problem), True
            if sentence is None:
                traceback.print_exc(file=sys.stderr)
                sentence = f"This measurement failed: {type(problem).__name__}: {problem}"
        if result is not None:
            self._results[name] = result
        again = name in self._outdated and (ended or result is not None)
        if again:
            self._anew(name)
        elif not ended:
            self._running[name] = job  # behind the others
        if result is None and not ended:
            return None
        return name, Reading(request, None if sentence else self._results.get(name), sentence, ended and not again)
