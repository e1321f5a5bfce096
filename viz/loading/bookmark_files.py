# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Files of bookmarks: one JSON object with their settings, as in a state file, and their pictures as base64 PNGs."""

import base64
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gan.files.atomic_write import atomic_write, write_new
from gan.files.errors import describe_error, sanitize_text
from gan.files.locks import release_and_delete, take_lock
from viz.core import state as states
from viz.core.bookmarks import BOOKMARKS_LIMIT, KINDS, NAME_LIMIT, NOT_KEPT, Bookmark
from viz.core.state import StateError
from viz.core.thumbnails import LARGEST_PNG, decode_thumbnail

FORMAT, SCHEMA = "jinc-bookmarks", 1
LARGEST_FILE = 2**25  # bytes
LONGEST_KEY = 64
NAMED = 3  # bookmarks that cannot be used
LOCK_SECONDS = 1.0  # to wait for another window, which takes some hundredths
PARTS = {"latent": {"latent"}, "transform": {"transform"}}


class BookmarkError(ValueError):
    """A file of bookmarks that cannot be read or written; one sentence. No `why`: it is not there."""

    def __init__(self, path: str | os.PathLike[str], why: str = "") -> None:
        missing = f"There is no file {os.fspath(path) or repr('')}: check its path."
        super().__init__(sanitize_text(f"{Path(path).name or path} {why}" if why else missing))


@contextmanager
def hold_bookmarks(path: str | os.PathLike[str]) -> Iterator[None]:
    """Be the only process that reads a file of bookmarks and writes it again. Raises BookmarkError."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = take_lock(path.with_suffix(".lock"), LOCK_SECONDS)
    except (OSError, ValueError) as problem:
        raise BookmarkError(path, f"cannot be written: {_describe(problem)}.") from None
    if lock is None:
        raise BookmarkError(path, "cannot be written: another window is busy with it. It is tried again.")
    try:
        yield
    finally:
        release_and_delete(lock)


def write_bookmarks(path: str | os.PathLike[str], items: Sequence[Bookmark], *, is_new: bool = False) -> None:
    """Write bookmarks atomically; `is_new`: never in the place of a file.

    Raises BookmarkError, for bookmarks as well that would not be read again.
    """
    document = {"format": FORMAT, "schema": SCHEMA, "bookmarks": [_to_json(item) for item in items]}
    data = json.dumps(document, separators=(",", ":")).encode() + b"\n"  # lines for each number would be half of it
    if len(data) > LARGEST_FILE:
        most = f"{LARGEST_FILE >> 20} MiB"
        raise BookmarkError(path, f"cannot be written: it would take more than the {most} that are read again.")
    try:
        if is_new:
            with write_new([Path(path)]) as new:
                new.temporary.write_bytes(data)
            return
        with atomic_write(path) as temporary:
            temporary.write_bytes(data)
    except (OSError, ValueError) as problem:
        raise BookmarkError(path, f"cannot be written: {_describe(problem)}.") from None


def read_bookmarks(path: str | os.PathLike[str]) -> tuple[tuple[Bookmark, ...], str]:
    """Return bookmarks, and a sentence on those that cannot be used, else "".

    Raises BookmarkError for a file that is missing, damaged or of another kind, and for one that has only such ones.
    """
    listed = _list(path)
    items: dict[str, Bookmark] = {}
    refused: list[tuple[str, str]] = []  # what they are called, and why
    for number, entry in enumerate(listed, 1):
        try:
            item = _from_json(entry)
            if item.key in items:
                raise ValueError("it has the key of another one.")
            items[item.key] = item
        except (ValueError, TypeError) as problem:
            refused.append((_call(number, entry), str(problem)))
    if not refused:
        return tuple(items.values()), ""
    (first, why), others = refused[0], [name for name, _ in refused[1:NAMED]]
    if not items:
        raise BookmarkError(path, f"cannot be used: {first}: {why}")
    more = f" and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
    also = f" Nor could {', '.join(others)}{more}." if others else ""
    remark = f"{Path(path).name}: {len(items)} of {len(listed)} bookmarks were read; {first} could not be used: {why}"
    return tuple(items.values()), sanitize_text(remark + also)


def _call(number: int, entry: Any) -> str:
    """Return what a bookmark that cannot be used is called."""
    name = clean_name(entry["name"]) if isinstance(entry, dict) and isinstance(entry.get("name"), str) else ""
    return f'bookmark {number} ("{name}")' if name else f"bookmark {number}"


def _list(path: str | os.PathLike[str]) -> list[Any]:
    """Return the bookmarks of a file as they are written there."""
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise BookmarkError(path) from None
    except (OSError, ValueError) as problem:
        raise BookmarkError(path, f"cannot be read: {_describe(problem)}.") from None
    if len(data) > LARGEST_FILE:
        raise BookmarkError(path, "is too large for a file of bookmarks: choose another file.")
    try:
        document = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BookmarkError(path, "is damaged or no file of bookmarks, which Jinc writes as JSON.") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BookmarkError(path, "is no file of bookmarks: Export, in the strip below the pictures, writes one.")
    schema, listed = document.get("schema"), document.get("bookmarks")
    if type(schema) is int and schema > SCHEMA:
        raise BookmarkError(path, "was written by a newer Jinc: update Jinc.")
    if type(schema) is not int or schema != SCHEMA or not isinstance(listed, list):
        raise BookmarkError(path, "is damaged: it lists no bookmarks.")
    if len(listed) > BOOKMARKS_LIMIT:
        raise BookmarkError(path, f"holds {len(listed)} bookmarks, and {BOOKMARKS_LIMIT} is the most that are read.")
    return listed


def _to_json(item: Bookmark) -> dict[str, Any]:
    document = states.to_json(item.state)
    kept = PARTS.get(item.kind, document.keys() - set(NOT_KEPT)) | {"schema"}
    return {
        "name": item.name,
        "kind": item.kind,
        "key": item.key,
        "state": {name: value for name, value in document.items() if name in kept},
        "picture": base64.b64encode(item.picture).decode("ascii"),
    }


def _from_json(entry: Any) -> Bookmark:
    if not isinstance(entry, dict) or entry.keys() != {"name", "kind", "key", "state", "picture"}:
        raise ValueError("it must have a name, kind, key, state and picture.")
    name, kind, key, picture = (entry[part] for part in ("name", "kind", "key", "picture"))
    if not all(isinstance(part, str) for part in (name, kind, key, picture)):
        raise ValueError("its name, kind, key and picture must be texts.")
    if kind not in KINDS:
        raise ValueError(f"its kind must be one of {', '.join(KINDS)}.")
    if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isalnum():
        raise ValueError(f"its key must be at most {LONGEST_KEY} letters and digits.")
    state = entry["state"]
    if isinstance(state, dict) and state.keys() & set(NOT_KEPT):
        raise ValueError("its state holds settings that no bookmark keeps.")
    try:
        kept = states.from_json(state)
    except StateError as problem:
        raise ValueError(str(problem)) from None
    data = _decode(picture)
    if data:
        decode_thumbnail(data)
    return Bookmark(clean_name(name), kind, kept, data, key)


def _decode(text: str) -> bytes:
    if len(text) > 2 * LARGEST_PNG:
        raise ValueError("the picture is too large.")
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        raise ValueError("the picture is damaged.") from None


def clean_name(text: str) -> str:
    """Return a bookmark's name in one line of at most NAME_LIMIT characters that can be shown."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * NAME_LIMIT])
    return " ".join(shown.split())[:NAME_LIMIT]


def _describe(problem: Exception) -> str:
    return describe_error(problem) if isinstance(problem, OSError) else "that is no path"
