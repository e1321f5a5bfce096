# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Load what comes next while the device is at work.

A thread and not processes: Pillow and numpy release the interpreter's lock while they decode and copy, and nothing has
to be handed from one process to another (docs/benchmarks.md has the measurement).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Batch = TypeVar("Batch")


class Prefetcher(Generic[Batch]):
    """Calls `load` for positions ahead of the one that is asked for, in their order, on one thread.

    `waited`: seconds that `take` has waited so far. An error of `load` is raised where its position is taken.
    """

    def __init__(self, load: Callable[[int], Batch], stride: int, depth: int = 3) -> None:
        """`stride`: from one position to the next; `depth`: how many are loaded ahead."""
        self._load, self._stride, self._depth = load, stride, depth
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="loader")
        self._ahead: deque[tuple[int, Future[Batch]]] = deque()
        self.waited = 0.0

    def take(self, position: int) -> Batch:
        """Return what `load(position)` returns, and have those behind it loaded."""
        if not self._ahead or self._ahead[0][0] != position:  # the first, or a jump
            self._cancel()
            self._submit(position)
        _, future = self._ahead.popleft()
        while len(self._ahead) < self._depth:
            self._submit((self._ahead[-1][0] if self._ahead else position) + self._stride)
        begun = time.monotonic()
        try:
            return future.result()
        finally:
            self.waited += time.monotonic() - begun

    def close(self) -> None:
        """End the thread after the batch that it loads."""
        self._cancel()
        self._pool.shutdown(wait=True)

    def _submit(self, position: int) -> None:
        self._ahead.append((position, self._pool.submit(self._load, position)))

    def _cancel(self) -> None:
        for _, future in self._ahead:
            future.cancel()
        self._ahead.clear()
