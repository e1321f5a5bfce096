# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Every way to ask a run for a clean stop."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Any, Self


class StopRequest:
    """A request for a clean stop: Ctrl-C, SIGTERM, or a file named `stop` in the run folder.

    A context manager, so that the handlers are put back. A second Ctrl-C aborts: the first restores the usual handler.
    The file counts from the moment the folder is announced, so entering must not delete it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._signalled = False
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._file.unlink(missing_ok=True)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._signalled = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def make(self) -> None:
        """Ask for the stop from within the program."""
        self._signalled = True

    @property
    def made(self) -> bool:
        """True from the first request on."""
        self._signalled = self._signalled or self._file.exists()
        return self._signalled
