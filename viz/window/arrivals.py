# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Bring what the worker has finished to the panels and the canvas, once a frame."""

import time
from collections.abc import Callable

import cuda_ops
from viz.core.result import RenderResult
from viz.core.state import SLOTS, AppState, Slot
from viz.render.worker import Worker
from viz.ui.context import PanelContext


class Arrivals:
    """The results of one window's pictures."""

    def __init__(self, state: AppState, context: PanelContext, wake: Callable[[], object]) -> None:
        self._state, self._context, self._wake = state, context, wake
        self._newest: dict[Slot, RenderResult | None] = dict.fromkeys(SLOTS)
        self._remembered = dict.fromkeys(SLOTS, "")  # the model of each slot that came to the recent ones last

    def collect(self, worker: Worker) -> None:
        """Take the worker's results, the slices' new columns and the times; results of no open model go."""
        context, new = self._context, set[Slot]()
        # In every frame: an operator's first call decides what runs it.
        context.machine.operators = cuda_ops.status(self._state.display.device, wait=False)
        for slot, result in worker.collect().items():
            self._newest[slot] = result
            if "synthesis" in result.computed:
                context.timings.model[slot].append(result.model_ms)
                context.timings.post.append(result.post_ms)
                new.add(slot)
            if context.recorder.wanted:
                context.recorder.record(slot, result, self._state.sticking)
        if context.recorder.collect():
            self._wake()
        # The panel sets `wanted` anew in each frame in which it is drawn.
        context.recorder.line_shown, context.recorder.wanted = context.recorder.wanted, False
        for slot in SLOTS:
            came = slot in new or not worker.is_busy(slot)
            context.timings.busy[slot] = 0.0 if came else context.timings.busy[slot] + context.timings.seconds
            self._choose(slot)
        shown = [context.results[slot] for slot in SLOTS if self._state.slot(slot).path]
        ready = bool(shown) and all(result is not None and result.picture is not None for result in shown)
        context.timings.rate.count(time.monotonic(), new, ready)

    def _choose(self, slot: Slot) -> None:
        """Give the panels a slot's newest result if it is of the slot's model, and remember that one once it is shown.

        Every frame anew: of a model that comes back before another was begun, the worker sends no second result.
        """
        path, context = self._state.slot(slot).path, self._context
        drawn = context.drawn[slot] = self._newest[slot] if path else None
        result = context.results[slot] = drawn if drawn and drawn.request.model == path else None
        if not path:
            self._remembered[slot] = ""
        elif result and not result.error and path != self._remembered[slot]:
            self._remembered[slot] = path
            self._state.remember(path)
