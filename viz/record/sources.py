# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Read a record from whatever a user has: a captured PNG, a state file, or a short text."""

import os
import stat
from pathlib import Path

from gan.files.errors import describe_error, sanitize_text
from viz.core import state as states
from viz.core.state import SLOTS, StateError
from viz.record.png_text import LARGEST_TEXT, SIGNATURE, RecordError, read_png_text
from viz.record.record import FORMAT, KEYWORD, Record, from_text, make_record
from viz.record.short_text import decode_text, holds_text


def latents_folder(state_path: Path) -> Path:
    """Return the folder beside a window's state for latents that came along with captures."""
    return state_path.with_suffix(".latents")


def name_source(source: str) -> str:
    """Return how a message calls a source: a file's name, or the pasted state."""
    return "The pasted state" if holds_text(source) else sanitize_text(os.path.basename(source) or source, 80)


def is_capture(source: str) -> bool:
    """Return whether a source is a short text, a PNG, or a file of a record: not a window's own state."""
    if holds_text(source):
        return True
    try:
        if not stat.S_ISREG(os.stat(source).st_mode):
            return False
        with open(source, "rb") as file:
            head = file.read(256)
    except (OSError, ValueError):
        return False
    return head.startswith(SIGNATURE) or FORMAT.encode() in head


def read_source(source: str) -> Record:
    """Return the record in a file, or in a short text. Raises RecordError."""
    if holds_text(source):
        return decode_text(source)
    path, name = os.path.expanduser(source), name_source(source)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise RecordError(f"{name} is no file: give a picture that Jinc captured, or a state file.")
        with open(path, "rb") as file:
            if file.read(len(SIGNATURE)) == SIGNATURE:
                file.seek(0)
                text = read_png_text(file, KEYWORD, name)
                if text is None:
                    why = "it was not captured by Jinc, or a program that passed it on left the state out"
                    raise RecordError(f"{name} holds no state: {why}.")
                return from_text(text, name)
            file.seek(0)
            data = file.read(LARGEST_TEXT + 1)
    except FileNotFoundError:
        raise RecordError(
            f"There is no file {sanitize_text(source, 200) or 'without a name'}: check its path."
        ) from None
    except (OSError, ValueError) as problem:
        if isinstance(problem, RecordError):
            raise
        raise RecordError(f"{name} cannot be read: {describe_error(problem)}.") from None
    return _read_json(data, Path(path), name)


def _read_json(data: bytes, path: Path, name: str) -> Record:
    """Return the record in a JSON file: one of its own, or a window's state, of which one is made."""
    if not data.lstrip()[:1] == b"{" or len(data) > LARGEST_TEXT:
        raise RecordError(f"{name} is neither a PNG nor a state file: give a picture that Jinc captured.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise RecordError(f"{name} is damaged: take another copy of it.") from None
    if FORMAT in text:
        return from_text(text, name)
    try:
        state = states.load(path)  # larger than a record may be: its timeline can be long
    except StateError as problem:
        raise RecordError(str(problem)) from None
    there = [slot for slot in SLOTS if state.slot(slot).path]
    return make_record(state, "both" if len(there) == 2 else there[0] if there else "left")
