# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Long work of a job on a thread of its own, so that pictures go on meanwhile."""

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from typing import TypeVar

Result = TypeVar("Result")
WAIT_SECONDS = 0.005  # of waiting that count as a slice of work


def work_aside(work: Callable[[threading.Event], Result]) -> Generator[None, None, Result]:
    """Yield while `work` goes on; return its result, or raise what it raises.

    Its event is set when nobody waits any more: whatever takes long looks at it, and ends.
    """
    done, stop = Future[Result](), threading.Event()

    def run() -> None:
        try:
            done.set_result(work(stop))
        except BaseException as problem:
            done.set_exception(problem)

    threading.Thread(target=run, name="aside", daemon=True).start()
    try:
        while not done.done():
            wait([done], WAIT_SECONDS)
            yield
    finally:
        stop.set()
    return done.result()
