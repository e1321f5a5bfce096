# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Bookmarks outlive the window, are written only when they change, and what fails is a sentence that loses nothing."""

import os
from pathlib import Path

import pytest

from viz.core.bookmarks import BOOKMARKS_LIMIT, Bookmark
from viz.core.state import AppState
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


def test_two_windows_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "state.bookmarks.json"
    first, mine = keeper(path)
    mine.bookmarks.shelf.add([bookmark("old"), bookmark("gone")])
    first.save()
    second, theirs = keeper(path)
    theirs.bookmarks.shelf.add([bookmark("theirs")])
    second.save()
    mine.bookmarks.shelf.remove(mine.bookmarks.shelf.items[1].key)
    mine.bookmarks.shelf.add([bookmark("mine")])
    first.save()
    assert names(keeper(path)[1]) == ["old", "mine", "theirs"] and names(mine) == ["old", "mine"]
    for number in range(3):
        mine.bookmarks.shelf.add([bookmark(str(number))])
        first.save()
    assert names(keeper(path)[1]) == ["old", "mine", "0", "1", "2", "theirs"]
    theirs.bookmarks.shelf.remove(theirs.bookmarks.shelf.items[2].key)
    second.save()
    assert names(keeper(path)[1]) == ["old", "gone", "mine", "0", "1", "2"], "what it deleted is gone"
    both = bookmark("both")
    for window, context in ((second, theirs), (first, mine)):  # a file that both read
        context.bookmarks.shelf.add([both])
        window.save()
    assert names(keeper(path)[1]).count("both") == 1
    mine.bookmarks.shelf.add([bookmark("x") for _ in range(BOOKMARKS_LIMIT)])
    first.save()
    assert len(names(keeper(path)[1])) == BOOKMARKS_LIMIT, "no more than a file may hold"


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
