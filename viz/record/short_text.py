# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A state as one word, which survives a chat: jinc1: and its JSON, packed, in the letters of base64url."""

import base64
import json
import re
import zlib
from typing import Any

from viz.core import state as states
from viz.core.state import AppState
from viz.record.png_text import LARGEST_TEXT, RecordError, unpack
from viz.record.record import Record, from_text, to_document

PREFIX = "jinc1:"
LONGEST = 12 * 2**20  # characters
NAME = "The pasted state"
WORD = re.compile(r"jinc(\d{1,4}):([A-Za-z0-9_=\s-]*)")


def encode_text(record: Record, *, keeps_paths: bool = False) -> str:
    """Return the short text of a record: what differs from `AppState()`, for others without paths.

    What `AppState()` sets belongs to the form: a picture's setting that starts otherwise needs another PREFIX.
    """
    document = to_document(record, keeps_paths=keeps_paths)
    document["state"] = _differences(document["state"], states.to_json(AppState()))
    document = {name: value for name, value in document.items() if value and name != "versions"}
    packed = zlib.compress(json.dumps(document, allow_nan=False, separators=(",", ":")).encode(), 9)
    return PREFIX + base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def holds_text(text: str) -> bool:
    """Return whether a text is, or holds, a state as `encode_text` writes it."""
    return len(text) <= LONGEST and WORD.search(text) is not None


def decode_text(text: str) -> Record:
    """Invert `encode_text`, whatever stands around it; a chat may have broken its lines. Raises RecordError."""
    found = WORD.search(text) if len(text) <= LONGEST else None
    if found is None:
        raise RecordError(f"There is no state in this text: it begins with {PREFIX}.")
    if found[1] != PREFIX[4:-1]:
        raise RecordError(f"{NAME} was written by a newer Jinc: update Jinc.")
    word = re.sub(r"[\s=]", "", found[2])
    if len(word) % 4 == 1:  # letters of the words behind it are taken for its own: zlib knows where it ends
        word = word[:-1]
    try:
        data = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
        text = unpack(data, LARGEST_TEXT).decode("utf-8")
    except (ValueError, zlib.error):
        raise RecordError(f"{NAME} is not whole: copy all of it, from {PREFIX} to its end.") from None
    return from_text(text, NAME)


def _differences(value: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that differ from the usual ones."""
    found = {}
    for name, item in value.items():
        known = usual.get(name)
        if isinstance(item, dict) and isinstance(known, dict) and "type" not in item and "type" not in known:
            item = _differences(item, known)
            if item:
                found[name] = item
        elif item != known or type(item) is not type(known):
            found[name] = item
    return found
