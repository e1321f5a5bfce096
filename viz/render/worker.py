# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""One thread that renders. Its mailbox holds one request: a newer one takes the place of one not yet begun.

Between two pictures it runs the instruments (viz/instruments.py), a slice at a time, within their budget.
"""

import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping

from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import RenderResult
from viz.core.state import SLOTS, Slot
from viz.render.budget import Budget
from viz.render.jobs import Instruments, JobRequest, Reading

Render = Callable[[PictureRequest, tuple[str, ...]], RenderResult]


def _nobody(*_: object) -> None:
    return None


class Worker:
    """Renders the newest request, left slot then right, and keeps the newest result of each until it is collected.

    A pair that has been begun is finished, so that both slots keep pace under a drag; requests that arrive meanwhile
    replace one another. A slot whose own request did not change is not rendered again. A result that is `pending` is
    waited for, here and not in the window, when both slots have been begun. `wake` is called from the worker's thread
    after each result, `hold` before each pair is begun. An exception in `render` becomes that slot's error.
    """

    def __init__(
        self,
        render: Render,
        wake: Callable[[], None] = _nobody,
        instruments: Instruments | None = None,
        hold: Callable[[RenderRequest], None] = _nobody,
    ) -> None:
        self._render, self._wake, self._hold = render, wake, hold
        self._instruments, self._budget = instruments, Budget()
        self._changed = threading.Condition()
        self._waiting: RenderRequest | None = None
        self._newest: RenderRequest | None = None
        self._done: dict[Slot, PictureRequest | None] = {"left": None, "right": None}
        self._results: dict[Slot, RenderResult] = {}
        self._todo: set[Slot] = set()  # of the pair being rendered
        self._jobs: dict[str, JobRequest] = {}
        self._asked = True  # whether the instruments know what they are asked for
        self._measuring = False
        self._served = 0  # pictures, ever
        self._readings: dict[str, Reading] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="render", daemon=True)
        self._thread.start()

    def submit(self, request: RenderRequest) -> None:
        """Ask for `request`; returns at once, and costs nothing when it is the one asked for before."""
        with self._changed:
            if request != self._newest:
                self._newest = self._waiting = request
                self._budget.requested()
                self._changed.notify_all()

    def measure(self, jobs: Mapping[str, JobRequest]) -> None:
        """Ask the instruments for these jobs, by name, and for no others; returns at once."""
        with self._changed:
            if jobs != self._jobs:
                self._jobs, self._asked = dict(jobs), False
                self._changed.notify_all()

    def repeat(self) -> None:
        """Render the newest request again although it did not change: a file behind it may have."""
        with self._changed:
            self._done = {"left": None, "right": None}
            self._waiting = self._newest
            self._changed.notify_all()

    def collect(self) -> dict[Slot, RenderResult]:
        """The results that came since the last call, the newest of each slot."""
        with self._changed:
            results, self._results = self._results, {}
            return results

    def readings(self) -> dict[str, Reading]:
        """What the instruments said since the last call, the newest of each job."""
        with self._changed:
            readings, self._readings = self._readings, {}
            return readings

    def measuring(self) -> bool:
        """Whether the instruments have anything left to do or to be read."""
        with self._changed:
            return self._measuring or not self._asked or bool(self._readings)

    def busy(self, slot: Slot) -> bool:
        """Whether a picture for `slot` is being rendered or waits to be."""
        with self._changed:
            if slot in self._todo:
                return True
            waiting = self._waiting.slot(slot) if self._waiting else None
            return waiting is not None and waiting != self._done[slot]

    def idle(self) -> bool:
        """Whether everything asked for has been rendered and collected."""
        with self._changed:
            return self._waiting is None and not self._todo and not self._results

    def close(self, timeout: float = 5.0) -> bool:
        """Stop after the picture being rendered, if any; whether that ended in time. May be called twice."""
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
                self._held(request)
                begun = [(slot, self._begin(slot, request.slot(slot))) for slot in SLOTS]
                for slot, result in begun:
                    if result is not None and result.pending is not None:
                        self._hand_over(slot, self._guarded(result.request, result.pending))
            if self._instruments is not None:
                self._measure(self._instruments)

    def _wait(self) -> bool:
        """Until there is something to do; False when the worker is closed."""
        with self._changed:
            while not self._closed and self._waiting is None and self._asked:
                pause = self._budget.wait() if self._measuring else None
                if pause == 0.0:
                    break
                self._changed.wait(pause)
            return not self._closed

    def _measure(self, instruments: Instruments) -> None:
        """One slice of the instruments, if they have anything to do and time left for it."""
        with self._changed:
            jobs, self._asked = self._jobs, True
            shown = RenderRequest(**self._done)
            allowed = self._budget.wait() == 0.0
        instruments.ask(jobs, shown, self._served)
        if instruments.waiting and allowed:
            began = time.monotonic()
            said = instruments.step()
            with self._changed:
                self._budget.spent(time.monotonic() - began)
                if said is not None:
                    self._readings[said[0]] = said[1]
            if said is not None:
                self._wake()
        with self._changed:
            self._measuring = instruments.waiting

    def _kept(self, slot: Slot) -> tuple[str, ...]:
        """The layers of a slot's picture that some job will look at."""
        with self._changed:
            return tuple(layer for job in self._jobs.values() for layer in job.layers(slot))

    def _begin(self, slot: Slot, request: PictureRequest | None) -> RenderResult | None:
        """Render a slot of the pair. A result that is pending is returned, any other handed over at once."""
        with self._changed:
            if self._closed or slot not in self._todo:
                return None
            self._done[slot] = request
        if request is None:
            self._hand_over(slot, None)
            return None
        keep = self._kept(slot)
        result = self._guarded(request, lambda: self._render(request, keep))
        if result.pending is None:
            self._hand_over(slot, result)
        return result

    def _hand_over(self, slot: Slot, result: RenderResult | None) -> None:
        self._served += 1
        with self._changed:
            self._todo.discard(slot)
            if result:
                self._results[slot] = result
        self._wake()

    def _held(self, request: RenderRequest) -> None:
        try:
            self._hold(request)
        except Exception:  # the thread must outlive whatever a path is
            traceback.print_exc(file=sys.stderr)

    def _guarded(self, request: PictureRequest, work: Callable[[], RenderResult]) -> RenderResult:
        try:
            return work()
        except Exception as problem:  # the thread must outlive whatever a model does
            traceback.print_exc(file=sys.stderr)
            return RenderResult(request, error=f"Rendering failed: {type(problem).__name__}: {problem}")
