# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The wishes of a run, taken from its control.json."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gan.files.wishes import CONTROL, ControlError, read_wishes

TAKEN = ".control.json.taken"


class Control:
    """Wishes that were made of a run so far.

    `paused` stays until it is taken back, `stop` for good; `snapshot` (now) and `snap` (ticks between snapshots, None
    for as it was) are for the loop to reset when it has done them.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        self.paused = self.snapshot = self.stop = False
        self.snap: int | None = None

    def poll(self) -> bool:
        """Take control.json up, if there is one; tell whether there was. ControlError if it is none."""
        taken = self._run / TAKEN
        try:
            os.replace(self._run / CONTROL, taken)  # first: who writes another one meanwhile is not overheard
        except OSError:  # there is none; or Windows refuses while it is written, and the next look does better
            return False
        try:
            self._take(read_wishes(taken))
        except OSError as error:
            raise ControlError(f"{CONTROL} cannot be read ({error.strerror or error}).") from error
        finally:
            with suppress(OSError):
                taken.unlink()
        return True

    def _take(self, wishes: Mapping[str, Any]) -> None:
        self.paused = wishes.get("pause", self.paused and not wishes.get("resume", False))
        self.snapshot = self.snapshot or wishes.get("snapshot", False)
        self.stop = self.stop or wishes.get("stop", False)
        self.snap = wishes.get("snap", self.snap)
