# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""One thread that renders. Its mailbox holds one request: a newer one takes the place of one not yet begun."""

import sys
import threading
import traceback
from collections.abc import Callable

from viz.request import PictureRequest, RenderRequest
from viz.result import RenderResult
from viz.state import SLOTS, Slot

Render = Callable[[PictureRequest], RenderResult]


def _nobody() -> None:
    return None


class Worker:
    """Renders the newest request, left slot then right, and keeps the newest result of each until it is collected.

    A pair that has been begun is finished, so that both slots keep pace under a drag; requests that arrive meanwhile
    replace one another. A slot whose own request did not change is not rendered again. `wake` is called from the
    worker's thread after each result. An exception in `render` becomes that slot's error.
    """

    def __init__(self, render: Render, wake: Callable[[], None] = _nobody) -> None:
        self._render, self._wake = render, wake
        self._changed = threading.Condition()
        self._waiting: RenderRequest | None = None
        self._newest: RenderRequest | None = None
        self._done: dict[Slot, PictureRequest | None] = {"left": None, "right": None}
        self._results: dict[Slot, RenderResult] = {}
        self._todo: set[Slot] = set()  # of the pair being rendered
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="render", daemon=True)
        self._thread.start()

    def submit(self, request: RenderRequest) -> None:
        """Ask for `request`; returns at once, and costs nothing when it is the one asked for before."""
        with self._changed:
            if request != self._newest:
                self._newest = self._waiting = request
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
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting is not None)
                if self._closed:
                    return
                request, self._waiting = self._waiting, None
                assert request is not None
                self._todo = {slot for slot in SLOTS if request.slot(slot) != self._done[slot]}
            for slot in SLOTS:
                self._serve(slot, request.slot(slot))

    def _serve(self, slot: Slot, request: PictureRequest | None) -> None:
        with self._changed:
            if self._closed or slot not in self._todo:
                return
            self._done[slot] = request
        result = self._guarded(request) if request else None
        with self._changed:
            self._todo.discard(slot)
            if result:
                self._results[slot] = result
        self._wake()

    def _guarded(self, request: PictureRequest) -> RenderResult:
        try:
            return self._render(request)
        except Exception as problem:  # the thread must outlive whatever a model does
            traceback.print_exc(file=sys.stderr)
            return RenderResult(request, error=f"Rendering failed: {type(problem).__name__}: {problem}")
