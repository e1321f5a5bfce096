# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Progress on the terminal: a bar; in a pipe or a log a line for every tenth, at most one a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click


@contextmanager
def show_progress(title: str, verb: str) -> Iterator[Callable[[int, int], None]]:
    """Announce `title`, and yield a function (done, total) that shows how far it is."""
    click.echo(title)
    on_terminal = sys.stdout.isatty()
    bars: list[Any] = []
    said = [time.monotonic()]  # when a line was printed

    def show(done: int, total: int) -> None:
        if not on_terminal:
            tenth = done % max(total // 10, 1) == 0 and time.monotonic() - said[-1] > 1
            if done == total or tenth:
                said.append(time.monotonic())
                click.echo(f"{verb} {done} of {total}")
            return
        if not bars:
            bars.append(click.progressbar(length=total, label=verb).__enter__())
        bars[0].update(done - bars[0].pos)

    try:
        yield show
    finally:
        for bar in bars:
            bar.render_finish()
