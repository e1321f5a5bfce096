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
from viz.loading.bookmark_files import BookmarkError, hold_bookmarks, read_bookmarks, write_bookmarks
from viz.loading.bookmark_merge import merge_bookmarks
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
        self._theirs: tuple[Bookmark, ...] = ()  # what the file is known to hold, of this window and of others
        if path is not None and os.path.exists(path):
            with contextlib.ExitStack() as stack:
                with contextlib.suppress(BookmarkError):  # a file that cannot be written can be read
                    stack.enter_context(hold_bookmarks(path))
                self._open(path)
        self._saved: tuple[Bookmark, ...] | None = self._shelf.items
        self._base = {item.key: item for item in self._shelf.items}  # they, as far as the file had room for them
        self._left = _identify(path)  # the file as this window leaves it
        self._left_out: tuple[Bookmark, ...] = ()  # for which it had none
        self._said: tuple[Bookmark, ...] | None = None  # those that could not be written, and are tried again
        self._saved_at = time.monotonic()
        if self._left is None and self._shelf.items:  # the file was put aside for some of them: the others are written
            self._saved = None
            context.message = " ".join(filter(None, (context.message, self.save())))

    def _open(self, path: Path) -> None:
        try:
            self._shelf.items, remark = read_bookmarks(path)
        except BookmarkError as problem:
            self._context.message = f"There are no bookmarks: {problem} {self._put_aside(path)}"
            return
        self._theirs = self._shelf.items
        if remark:
            self._context.message = f"{remark} {self._put_aside(path)}"

    def _put_aside(self, path: Path) -> str:
        """Give a file that cannot be read, or not all of it, another name and say which; a new one is written soon."""
        try:  # its owner may want to repair it, and an earlier one may hold others
            kept = take_name(path, list_numbered(path.with_suffix(f".damaged{SUFFIX}")))
        except OSError:
            self.path = None
            return "It stays as it is, so new ones are not kept: move it away, and start again."
        return f"The file is kept as {kept.name}."

    def save(self) -> str:
        """Write the bookmarks if they have changed; return a sentence where that failed, once, else ""."""
        items, self._saved_at = self._shelf.items, time.monotonic()
        if self.path is None or (items is self._saved and not (self._left_out and self._is_changed(self.path))):
            return ""
        remarks: list[str] = []
        try:
            with hold_bookmarks(self.path):
                remarks.append(self._read_theirs(self.path))
                if self.path is not None:
                    remarks.append(self._write(self.path, items))
        except BookmarkError as problem:
            if items is not self._said:
                remarks.append(f"The bookmarks could not be kept: {problem}")
            self._said = items
        return " ".join(filter(None, remarks))

    def _is_changed(self, path: Path) -> bool:
        """Return whether the file is not as this window left it."""
        return _identify(path) not in (None, self._left)

    def _read_theirs(self, path: Path) -> str:
        """Read what another window wrote, if one did; return a sentence where that was put aside."""
        if self._is_changed(path):
            found: tuple[Bookmark, ...] = ()
            try:
                found, remark = read_bookmarks(path)
            except BookmarkError as problem:
                remark = str(problem)
            if remark:  # what was known of the others stays
                keys = {item.key for item in found}
                self._theirs = (*found, *(item for item in self._theirs if item.key not in keys))[:BOOKMARKS_LIMIT]
                return f"{remark} {self._put_aside(path)}"
            self._theirs = found
        return ""

    def _write(self, path: Path, items: tuple[Bookmark, ...]) -> str:
        """Write what this window has changed into what others keep there; those are shown from the next start on."""
        merged, left_out = merge_bookmarks(items, self._base, self._theirs)
        write_bookmarks(path, merged)
        before = {item.key for item in self._left_out}
        self._theirs, self._left_out, self._left, self._saved = merged, left_out, _identify(path), items
        self._base = {item.key: item for item in items if item not in left_out}
        if {item.key for item in left_out} <= before:
            return ""
        return (
            f"{len(left_out)} of your bookmarks could not be kept: with those of another window there are more than "
            f"{BOOKMARKS_LIMIT}, delete some or export them."
        )

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
            items, remark = read_bookmarks(os.path.expanduser(unquote_path(path)))
        except BookmarkError as problem:
            self._context.message = str(problem)
            return
        count = self._shelf.add(items)
        left = f" There was no room for more: {BOOKMARKS_LIMIT} are the most." if count < len(items) else ""
        self._context.message = f"Read {count} bookmarks.{left} {remark}".strip()

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


def _identify(path: Path | None) -> tuple[int, int, int] | None:
    """Return a file's number, time and size, None without one."""
    try:
        status = None if path is None else path.stat()
    except OSError:
        return None
    return status and (status.st_ino, status.st_mtime_ns, status.st_size)
