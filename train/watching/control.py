# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""control.json: what somebody wishes of a run that trains. The trainer takes the file away when it has read it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gan.files.atomic_write import atomic_write

CONTROL = "control.json"
TAKEN = ".control.json.taken"
MAX_BYTES, MAX_SNAP = 2**16, 2**31
FIELDS = "pause, resume, snapshot, stop (each true or false) and snap (ticks between snapshots, from 1)"


class ControlError(ValueError):
    """A control.json that says nothing that can be done; the message is one sentence."""


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
            with taken.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise ControlError(f"{CONTROL} cannot be read ({error.strerror or error}).") from error
        finally:
            with suppress(OSError):
                taken.unlink()
        try:
            wishes = json.loads(data) if len(data) <= MAX_BYTES else None
        except (ValueError, RecursionError):
            wishes = None
        self._take(check_wishes(wishes))
        return True

    def _take(self, wishes: Mapping[str, Any]) -> None:
        if "pause" in wishes or "resume" in wishes:
            self.paused = wishes["pause"] if "pause" in wishes else not wishes["resume"]
        self.snapshot = self.snapshot or wishes.get("snapshot", False)
        self.stop = self.stop or wishes.get("stop", False)
        self.snap = wishes.get("snap", self.snap)


def check_wishes(wishes: Any) -> dict[str, Any]:
    """Return what control.json holds, if it can be done. ControlError."""
    words = {"pause", "resume", "snapshot", "stop"}
    valid = isinstance(wishes, dict) and all(
        type(value) is bool if name in words else name == "snap" and type(value) is int and 1 <= value <= MAX_SNAP
        for name, value in wishes.items()
    )
    if not valid or wishes.get("pause") and wishes.get("resume"):
        raise ControlError(f"{CONTROL} was not understood, and is ignored: it may hold {FIELDS}.")
    return wishes


def write_wishes(run: Path, **wishes: Any) -> None:
    """Write control.json into a run folder. ControlError, OSError."""
    document = check_wishes(wishes)
    with atomic_write(run / CONTROL) as temporary:
        temporary.write_text(json.dumps(document) + "\n", encoding="utf-8")
