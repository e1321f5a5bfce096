# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Progress on the terminal: a bar, or a line for every tenth in a pipe or a log."""

from __future__ import annotations

import sys
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

    def show(done: int, total: int) -> None:
        if not on_terminal:
            if done == total or done % max(total // 10, 1) == 0:
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
