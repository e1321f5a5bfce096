# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Errors of the trainer's commands: one sentence instead of a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from train.errors import OUT_OF_MEMORY, explain


@contextmanager
def report_errors(out_of_memory: str = OUT_OF_MEMORY) -> Iterator[None]:
    """End in `Error: <sentence>` and exit status 1 if the block raises what a user can cause."""
    try:
        yield
    except Exception as error:
        message = explain(error, out_of_memory)
        if message is None:
            raise
        raise click.ClickException(message) from error
