# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Keep the bookmarks in a file beside the state's, and write and read those that the user names."""

import contextlib
import os
import time
from pathlib import Path
from typing import Any

from imgui_bundle import portable_file_dialogs as dialogs

from gan.files.atomic_write import list_numbered, take_name
from gan.hub.resolve import unquote_path
from viz.core.bookmarks import BOOKMARKS_LIMIT, Bookmark
from viz.loading.bookmark_files import BookmarkError, read_bookmarks, write_bookmarks
from viz.ui.context import PanelContext
from viz.window.state_saver import SAVE_SECONDS

SUFFIX = ".json"
KINDS = ["Bookmarks", f"*{SUFFIX}", "All files", "*"]


class BookmarkKeeper:
    """The files of one window's bookmarks. `path` None keeps none."""

    def __init__(self, path: Path | None, context: PanelContext) -> None:
        self.path, self._context = path, context
        self._shelf = context.bookmarks.shelf
        self._dialog: tuple[bool, Any] | None = None  # whether it is to write, and the dialog
        context.bookmarks.write, context.bookmarks.read = self.write, self.read
        context.bookmarks.browse = self.browse
        self._others: tuple[Bookmark, ...] = ()  # of other windows, as the file has them
        if path is not None and os.path.exists(path):
            self._open(path)
        self._saved: tuple[Bookmark, ...] = self._shelf.items
        self._known = {item.key for item in self._saved}  # that this window has ever had
        self._left = _identify(path)  # the file as this window leaves it
        self._said: tuple[Bookmark, ...] | None = None  # those that could not be written, and are tried again
        self._saved_at = time.monotonic()

    def _open(self, path: Path) -> None:
        try:
            self._shelf.items = read_bookmarks(path)
        except BookmarkError as problem:
            try:  # its owner may want to repair it, and an earlier one may hold others; a new one is written soon
                kept = take_name(path, list_numbered(path.with_suffix(f".damaged{SUFFIX}")))
                follows = f"It is kept as {kept.name}."
            except OSError:
                self.path, follows = None, "It stays as it is, so new ones are not kept: move it away, and start again."
            self._context.message = f"There are no bookmarks: {problem} {follows}"

    def save(self) -> str:
        """Write the bookmarks if they have changed; return a sentence where that failed, once, else ""."""
        items, self._saved_at = self._shelf.items, time.monotonic()
        if self.path is None or items is self._saved:
            return ""
        try:
            write_bookmarks(self.path, (items + self._find_others(self.path))[:BOOKMARKS_LIMIT])
        except BookmarkError as problem:
            is_known, self._said = items is self._said, items
            return "" if is_known else f"The bookmarks could not be kept: {problem}"
        self._saved, self._left = items, _identify(self.path)
        return ""

    def _find_others(self, path: Path) -> tuple[Bookmark, ...]:
        """Return the bookmarks that another window has kept in the file; they are shown from the next start on."""
        if _identify(path) != self._left:
            with contextlib.suppress(BookmarkError):
                self._others = read_bookmarks(path)
        self._known |= {item.key for item in self._shelf.items}
        return tuple(item for item in self._others if item.key not in self._known)

    def save_if_due(self) -> str:
        """Do the same, at most once every SAVE_SECONDS."""
        return self.save() if time.monotonic() - self._saved_at > SAVE_SECONDS else ""

    def write(self, path: str) -> None:
        """Write all bookmarks to a new file that the user names."""
        target = Path(os.path.expanduser(unquote_path(path)))
        target = target if target.suffix or not target.name else target.with_name(target.name + SUFFIX)
        if os.path.exists(target):
            self._context.message = f"{target.name or target} is there already: give another name."
            return
        try:
            write_bookmarks(target, self._shelf.items, is_new=True)
        except BookmarkError as problem:
            self._context.message = str(problem)
        else:
            self._context.message = f"Wrote {len(self._shelf.items)} bookmarks to {target}."

    def read(self, path: str) -> None:
        """Add the bookmarks of a file that the user names."""
        try:
            items = read_bookmarks(os.path.expanduser(unquote_path(path)))
        except BookmarkError as problem:
            self._context.message = str(problem)
            return
        count = self._shelf.add(items)
        left = f" There was no room for more: {BOOKMARKS_LIMIT} are the most." if count < len(items) else ""
        self._context.message = f"Read {count} bookmarks.{left}"

    def browse(self, writes: bool) -> None:
        """Ask for a file with the desktop's own dialog; the answer is picked up in a later frame."""
        if writes:
            self._dialog = writes, dialogs.save_file("Export bookmarks", f"bookmarks{SUFFIX}", KINDS)
        else:
            self._dialog = writes, dialogs.open_file("Import bookmarks", "", KINDS)

    def poll(self) -> None:
        """Write or read what was chosen in the file dialog; once a frame."""
        if self._dialog and self._dialog[1].ready(0):
            writes, dialog = self._dialog
            self._dialog = None
            chosen = [dialog.result()] if writes else dialog.result()[:1]
            for path in filter(None, chosen):
                (self.write if writes else self.read)(path)


def _identify(path: Path | None) -> tuple[int, int] | None:
    """Return a file's time and size, None without one."""
    try:
        status = None if path is None else path.stat()
    except OSError:
        return None
    return status and (status.st_mtime_ns, status.st_size)
