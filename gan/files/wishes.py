# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""control.json: what somebody wishes of a run that trains. The trainer takes the file away when it has read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gan.files.atomic_write import atomic_write

CONTROL = "control.json"
MAX_BYTES, MAX_SNAP = 2**16, 2**31
WORDS = ("pause", "resume", "snapshot", "stop")
FIELDS = f"{', '.join(WORDS)} (each true or false) and snap (ticks between snapshots, from 1)"


class ControlError(ValueError):
    """A control.json that says nothing that can be done; the message is one sentence."""


def read_wishes(path: Path) -> dict[str, Any]:
    """Return what a control.json holds, if it can be done. ControlError, OSError."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    try:
        wishes = json.loads(data) if len(data) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        wishes = None
    return check_wishes(wishes)


def check_wishes(wishes: Any) -> dict[str, Any]:
    """Return wishes that can be done. ControlError."""
    valid = isinstance(wishes, dict) and all(
        type(value) is bool if name in WORDS else name == "snap" and type(value) is int and 1 <= value <= MAX_SNAP
        for name, value in wishes.items()
    )
    if not valid or wishes.get("pause") and wishes.get("resume"):
        raise ControlError(f"{CONTROL} was not understood, and is ignored: it may hold {FIELDS}.")
    return wishes


def write_wishes(run: Path, **wishes: Any) -> None:
    """Write control.json into a run folder, beside the wishes that nobody has taken yet. ControlError, OSError."""
    document = check_wishes(wishes)
    try:
        earlier = read_wishes(run / CONTROL)
    except (ControlError, OSError):
        earlier = {}
    if document.keys() & {"pause", "resume"}:  # the later one counts
        earlier = {name: value for name, value in earlier.items() if name not in ("pause", "resume")}
    with atomic_write(run / CONTROL) as temporary:
        temporary.write_text(json.dumps(earlier | document) + "\n", encoding="utf-8")
