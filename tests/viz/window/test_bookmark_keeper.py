# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Bookmarks outlive the window, are written only when they change, and what fails is a sentence that loses nothing."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from viz.core.bookmarks import BOOKMARKS_LIMIT, Bookmark
from viz.core.state import AppState
from viz.loading import bookmark_files
from viz.ui.context import PanelContext
from viz.ui.theme import Theme
from viz.window import bookmark_keeper
from viz.window.bookmark_keeper import BookmarkKeeper


def keeper(path: Path | None) -> tuple[BookmarkKeeper, PanelContext]:
    context = PanelContext(Theme())
    return BookmarkKeeper(path, context), context


def bookmark(name: str) -> Bookmark:
    return Bookmark(name, "latent", AppState())


def names(context: PanelContext) -> list[str]:
    return [item.name for item in context.bookmarks.shelf.items]


def test_bookmarks_outlive_the_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "state.bookmarks.json"
    first, context = keeper(path)
    assert first.save() == "" and not path.exists(), "nothing to keep"
    context.bookmarks.shelf.add([bookmark("a"), bookmark("b")])
    assert first.save_if_due() == "" and not path.exists(), "not in every frame"
    monkeypatch.setattr(bookmark_keeper, "SAVE_SECONDS", 0.0)
    assert first.save_if_due() == "" and path.exists()
    written = path.stat().st_mtime_ns
    assert first.save() == "" and path.stat().st_mtime_ns == written, "they did not change"
    again, read = keeper(path)
    assert names(read) == ["a", "b"] and again.save() == "" and path.stat().st_mtime_ns == written
    read.bookmarks.shelf.items = ()
    again.save()
    assert names(keeper(path)[1]) == []


def two_windows(path: Path, *kept: str) -> tuple[BookmarkKeeper, PanelContext, BookmarkKeeper, PanelContext]:
    """Two windows that were opened when the file held bookmarks of these names."""
    first, mine = keeper(path)
    mine.bookmarks.shelf.add([bookmark(name) for name in kept])
    first.save()
    return first, mine, *keeper(path)


def delete(context: PanelContext, place: int) -> None:
    context.bookmarks.shelf.remove(context.bookmarks.shelf.items[place].key)


def rename(context: PanelContext, place: int, name: str) -> None:
    context.bookmarks.shelf.put(replace(context.bookmarks.shelf.items[place], name=name))


def test_two_windows_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "state.bookmarks.json"
    first, mine, second, theirs = two_windows(path, "old", "gone")
    theirs.bookmarks.shelf.add([bookmark("theirs")])
    second.save()
    delete(mine, 1)
    mine.bookmarks.shelf.add([bookmark("mine")])
    first.save()
    assert names(keeper(path)[1]) == ["old", "mine", "theirs"] and names(mine) == ["old", "mine"]
    for number in range(3):
        mine.bookmarks.shelf.add([bookmark(str(number))])
        first.save()
    assert names(keeper(path)[1]) == ["old", "mine", "0", "1", "2", "theirs"]
    delete(theirs, 2)
    second.save()
    assert names(theirs) == ["old", "gone"], "a window shows its own"
    assert names(keeper(path)[1]) == ["old", "mine", "0", "1", "2"], "what either deleted is gone"
    both = bookmark("both")
    for window, context in ((second, theirs), (first, mine)):  # a file that both read
        context.bookmarks.shelf.add([both])
        window.save()
    assert names(keeper(path)[1]).count("both") == 1
    assert os.listdir(tmp_path) == [path.name], "no lock is left"


def test_what_another_window_deleted_renamed_or_moved_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "state.bookmarks.json"
    first, mine, second, theirs = two_windows(path, "a", "b", "c", "d")
    delete(theirs, 0)
    rename(theirs, 0, "B")
    theirs.bookmarks.shelf.move(theirs.bookmarks.shelf.items[0].key, 2)
    second.save()
    assert names(keeper(path)[1]) == ["c", "d", "B"]
    for name in ("mine", "more"):
        mine.bookmarks.shelf.add([bookmark(name)])
        first.save()
    assert names(keeper(path)[1]) == ["c", "d", "mine", "more", "B"]


def test_what_both_windows_changed_is_as_the_last_has_it(tmp_path: Path) -> None:
    path = tmp_path / "state.bookmarks.json"
    first, mine, second, theirs = two_windows(path, "a", "b", "c", "d")
    delete(theirs, 0)
    rename(theirs, 0, "theirs")
    rename(theirs, 1, "C")
    second.save()
    before = mine.bookmarks.shelf.items
    delete(mine, 2)
    rename(mine, 0, "A")
    rename(mine, 1, "mine")
    mine.bookmarks.shelf.move(mine.bookmarks.shelf.items[2].key, 0)
    first.save()
    assert names(keeper(path)[1]) == ["d", "A", "mine"], "and what one changed and the other deleted is not lost"
    mine.bookmarks.shelf.items = before  # Ctrl-Z
    first.save()
    assert names(keeper(path)[1]) == ["a", "b", "c", "d"]


def test_at_the_limit_those_of_another_window_stay(tmp_path: Path) -> None:
    path = tmp_path / "state.bookmarks.json"
    first, mine, second, theirs = two_windows(path, "old")
    theirs.bookmarks.shelf.add([bookmark(f"theirs {number}") for number in range(9)])
    second.save()
    mine.bookmarks.shelf.add([bookmark(f"mine {number}") for number in range(BOOKMARKS_LIMIT)])
    sentence = first.save()
    assert sentence.startswith("9 of your bookmarks could not be kept: ") and sentence.endswith(".")
    kept = names(keeper(path)[1])
    assert len(kept) == BOOKMARKS_LIMIT and {f"theirs {number}" for number in range(9)} <= set(kept)
    assert "mine 189" in kept and "mine 190" not in kept, "the newest are too many"
    written = path.stat().st_mtime_ns
    assert first.save() == "" and path.stat().st_mtime_ns == written
    for _ in range(4):
        delete(theirs, 1)
    second.save()
    assert first.save() == ""
    kept = names(keeper(path)[1])
    assert len(kept) == BOOKMARKS_LIMIT and "mine 193" in kept and "mine 194" not in kept, "there was room for four"


def test_a_file_that_another_left_damaged_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "state.bookmarks.json"
    first, mine, second, theirs = two_windows(path, "old")
    theirs.bookmarks.shelf.add([bookmark("theirs")])
    second.save()
    mine.bookmarks.shelf.add([bookmark("mine")])
    first.save()
    newer = '{"format": "jinc-bookmarks", "schema": 2, "bookmarks": []}'
    path.write_text(newer)
    assert first.save() == "" and path.read_text() == newer, "there is nothing to write"
    mine.bookmarks.shelf.add([bookmark("next")])
    sentence = first.save()
    assert "newer Jinc" in sentence and sentence.endswith("The file is kept as state.bookmarks.damaged.json.")
    assert (tmp_path / "state.bookmarks.damaged.json").read_text() == newer
    assert names(keeper(path)[1]) == ["old", "mine", "next", "theirs"], "as far as they are known"
    path.unlink()
    delete(mine, 0)
    assert first.save() == "" and names(keeper(path)[1]) == ["mine", "next", "theirs"], "a file that is gone"


def test_a_file_that_another_left_damaged_and_nobody_can_move_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.bookmarks.json"
    first, mine, _, _ = two_windows(path, "old")
    path.write_text("{broken")
    mine.bookmarks.shelf.add([bookmark("mine")])

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(bookmark_keeper, "take_name", refuse)
    assert "It stays as it is" in first.save() and path.read_text() == "{broken"
    assert first.save() == ""


def damage(path: Path, *places: int) -> str:
    """Write settings that no version knows into bookmarks of a file; return all of it."""
    document = json.loads(path.read_text())
    for place in places:
        document["bookmarks"][place]["state"]["latent"]["psi"] = 9.5
    path.write_text(json.dumps(document))
    return path.read_text()


def test_one_bookmark_that_cannot_be_used_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "state.bookmarks.json"
    two_windows(path, "a", "b", "c", "d")
    written = damage(path, 1, 2)
    _, context = keeper(path)
    assert names(context) == ["a", "d"]
    assert context.message == (
        'state.bookmarks.json: 2 of 4 bookmarks were read; bookmark 2 ("b") could not be used: latent.psi must be '
        'between -1 and 2, not 9.5. Nor could bookmark 3 ("c"). The file is kept as state.bookmarks.damaged.json.'
    )
    assert (tmp_path / "state.bookmarks.damaged.json").read_text() == written
    again = keeper(path)[1]
    assert names(again) == ["a", "d"] and not again.message, "the others were written at once"


def test_one_bookmark_that_another_window_spoilt_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.bookmarks.json"
    first, mine, second, theirs = two_windows(path, "a", "b")
    theirs.bookmarks.shelf.add([bookmark("theirs"), bookmark("spoilt")])
    second.save()
    written = damage(path, 1, 3)
    mine.bookmarks.shelf.add([bookmark("mine")])
    assert first.save().endswith("The file is kept as state.bookmarks.damaged.json.")
    assert (tmp_path / "state.bookmarks.damaged.json").read_text() == written
    assert sorted(names(keeper(path)[1])) == ["a", "b", "mine", "theirs"]


def test_a_file_that_is_read_in_part_says_so(tmp_path: Path) -> None:
    path, (_, context) = tmp_path / "b.json", keeper(None)
    two_windows(path, "a", "b")
    written = damage(path, 0)
    context.bookmarks.read(str(path))
    assert names(context) == ["b"] and path.read_text() == written, "it is the user's own"
    assert context.message.startswith("Read 1 bookmarks. b.json: 1 of 2 bookmarks were read; bookmark 1 (")


def test_a_window_waits_for_the_other_and_tries_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bookmark_files, "LOCK_SECONDS", 0.0)
    path = tmp_path / "state.bookmarks.json"
    first, mine, _, _ = two_windows(path, "old")
    mine.bookmarks.shelf.add([bookmark("mine")])
    with bookmark_files.hold_bookmarks(path):
        assert "another window is busy with it" in first.save() and first.save() == ""
        assert names(keeper(path)[1]) == ["old"], "it can be read meanwhile"
    assert first.save() == "" and names(keeper(path)[1]) == ["old", "mine"]


def test_a_name_that_is_too_long_is_no_end_of_the_window(tmp_path: Path) -> None:
    one, context = keeper(tmp_path / f"{'x' * 300}.json")
    context.bookmarks.shelf.add([bookmark("a")])
    assert one.save().startswith("The bookmarks could not be kept: ")


def test_nothing_is_kept_without_a_path() -> None:
    one, context = keeper(None)
    context.bookmarks.shelf.add([bookmark("a")])
    assert one.save() == ""


def test_a_damaged_file_is_put_aside_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "state.bookmarks.json"
    path.write_text("{broken")
    one, context = keeper(path)
    assert names(context) == [] and context.message.startswith("There are no bookmarks: ")
    assert "state.bookmarks.damaged.json" in context.message
    context.bookmarks.shelf.add([bookmark("a")])
    one.save()
    assert (tmp_path / "state.bookmarks.damaged.json").read_text() == "{broken"
    assert names(keeper(path)[1]) == ["a"]
    path.write_text("{broken again")
    assert "state.bookmarks.damaged-2.json" in keeper(path)[1].message
    assert (tmp_path / "state.bookmarks.damaged.json").read_text() == "{broken", "the earlier one may hold more"


def test_a_damaged_file_that_cannot_be_put_aside_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.bookmarks.json"
    path.write_text("{broken")

    def refuse(source: Path, target: Path) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr("gan.files.atomic_write.os.link", refuse)
        patch.setattr("gan.files.atomic_write.os.replace", refuse)
        one, context = keeper(path)
    assert os.listdir(tmp_path) == [path.name], "no empty file of the other name is left"
    assert "It stays as it is" in context.message
    context.bookmarks.shelf.add([bookmark("a")])
    assert one.save() == "" and path.read_text() == "{broken"


def test_a_folder_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    one, context = keeper(tmp_path / "file" / "bookmarks.json")
    context.bookmarks.shelf.add([bookmark("a")])
    sentence = one.save()
    assert sentence.startswith("The bookmarks could not be kept: ") and sentence.endswith(".")
    assert one.save() == "" and names(context) == ["a"]
    (tmp_path / "file").unlink()
    (tmp_path / "file").mkdir()
    assert one.save() == "" and names(keeper(tmp_path / "file" / "bookmarks.json")[1]) == ["a"], "tried again"


def test_a_named_file_is_never_replaced_and_adds_what_there_is_room_for(tmp_path: Path) -> None:
    _, context = keeper(None)
    context.bookmarks.shelf.add([bookmark(str(number)) for number in range(120)])
    context.bookmarks.write(f"'{tmp_path / 'mine'}'")
    path = tmp_path / "mine.json"
    assert context.message == f"Wrote 120 bookmarks to {path}." and path.exists()
    before = path.read_bytes()
    context.bookmarks.shelf.items = context.bookmarks.shelf.items[:100]
    context.bookmarks.write(str(path))
    assert "is there already" in context.message and path.read_bytes() == before
    context.bookmarks.read(str(path))
    assert len(names(context)) == BOOKMARKS_LIMIT and context.message.startswith(
        "Read 100 bookmarks. There was no room"
    )
    context.bookmarks.read(str(tmp_path / "none.json"))
    assert context.message.endswith("none.json: check its path.") and len(names(context)) == BOOKMARKS_LIMIT
