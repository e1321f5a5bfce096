# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Bring together what two windows did to the bookmarks of one file."""

from collections.abc import Iterable, Mapping, Sequence

from viz.core.bookmarks import BOOKMARKS_LIMIT, Bookmark

Bookmarks = tuple[Bookmark, ...]


def merge_bookmarks(mine: Bookmarks, base: Mapping[str, Bookmark], theirs: Bookmarks) -> tuple[Bookmarks, Bookmarks]:
    """Return what a file shall hold, and those of mine for which there is no room.

    `base`: mine, by key and in order, when they were last in step with the file; `theirs`: what it holds now, at most
    BOOKMARKS_LIMIT. What was added, changed, moved or deleted here since then is done to theirs; all else is as there.
    """
    own, found = {item.key: item for item in mine}, {item.key: item for item in theirs}
    is_moved = [key for key in own if key in base] != [key for key in base if key in own]
    order = _interleave(own, found) if is_moved else _interleave(found, own)
    chosen = {key: (own if own.get(key) is not base.get(key) else found).get(key) for key in order}
    kept = [item for item in chosen.values() if item is not None]
    added = [item for item in kept if item.key not in found]
    left_out = tuple(added[len(added) - max(0, len(kept) - BOOKMARKS_LIMIT) :])
    return tuple(item for item in kept if item not in left_out), left_out


def _interleave(lead: Iterable[str], other: Iterable[str]) -> Sequence[str]:
    """Return all keys of both: in the order of `lead`, and those of `other` alone behind the one before them there."""
    keys, place = list(lead), 0
    known = set(keys)
    for key in other:
        if key not in known:
            keys.insert(place, key)
        place = keys.index(key) + 1
    return keys
