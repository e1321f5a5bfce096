# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A file of bookmarks comes back as it was written, and one that is damaged or hostile is refused in a sentence."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from viz.core import bookmarks
from viz.core.bookmarks import KINDS, Bookmark
from viz.core.latent import Blend, SeedPoint
from viz.core.latent_state import LONGEST_VECTOR
from viz.core.state import AppState
from viz.core.thumbnails import SHEET_COLUMNS, SIDE, decode_thumbnail, encode_thumbnail, make_sheet
from viz.loading import bookmark_files
from viz.loading.bookmark_files import LARGEST_FILE, BookmarkError, read_bookmarks, write_bookmarks


def some() -> list[Bookmark]:
    state = AppState()
    state.latent.keep(Blend(SeedPoint(1.0), SeedPoint(-0.0, 2.5, "z"), 0.3))
    state.transform.tx, state.left.path, state.display.width = 0.1 + 0.2, "/猫.pkl", 700
    picture = encode_thumbnail(np.random.default_rng(0).integers(0, 256, (32, 32, 4), np.uint8))
    return [bookmarks.capture(state, kind, picture if kind != "transform" else b"") for kind in KINDS]


def document(**changes: Any) -> dict[str, Any]:
    entry = {"name": "a", "kind": "latent", "key": "k", "state": {"schema": 1, "latent": {}}, "picture": "", **changes}
    return {"format": "jinc-bookmarks", "schema": 1, "bookmarks": [entry]}


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    written, path = some(), tmp_path / "new" / "b.json"
    write_bookmarks(path, written)
    read, remark = read_bookmarks(path)
    assert remark == ""
    assert [vars(item) for item in read] == [
        {**vars(item), "state": bookmarked.state} for item, bookmarked in zip(written, read, strict=True)
    ]
    for item, again in zip(written, read, strict=True):
        state = AppState()
        bookmarks.restore(item, state)
        assert bookmarks.is_restored(again, state)
    assert read[2].state.display == AppState().display and "700" not in path.read_text()
    assert [entry.name for entry in path.parent.iterdir()] == ["b.json"]


def test_old_files_may_lack_settings(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text(json.dumps(document(state={"schema": 1, "latent": {"x": 4}})))
    assert read_bookmarks(path)[0][0].state.latent.x == 4.0


def png(size: tuple[int, int], kind: str = "PNG") -> str:
    data = io.BytesIO()
    Image.new("RGB", size).save(data, format=kind)
    return base64.b64encode(data.getvalue()).decode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "damaged"),
        (b"\x80\x04\x95", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b"[]", "no file of bookmarks"),
        (b'{"schema": 1}', "no file of bookmarks"),
        ({"format": "jinc-bookmarks", "schema": 2, "bookmarks": []}, "newer Jinc"),
        ({"format": "jinc-bookmarks", "schema": True, "bookmarks": []}, "damaged"),
        ({"format": "jinc-bookmarks", "schema": 1, "bookmarks": {}}, "lists no bookmarks"),
        ({"format": "jinc-bookmarks", "schema": 1, "bookmarks": [0] * 201}, "201 bookmarks"),
        ({"format": "jinc-bookmarks", "schema": 1, "bookmarks": [0]}, "bookmark 1: it must have a name"),
        (document(more=1), r'bookmark 1 \("a"\): it must have a name'),
        (document(name=3), "texts"),
        (document(kind="model"), "latent, transform, everything"),
        (document(key="../x"), "letters and digits"),
        (document(key=""), "letters and digits"),
        (document(state=[]), "JSON object"),
        (document(state={"schema": 1, "latent": {"psi": 9}}), "between -1 and 2"),
        (document(state={"schema": 1, "display": {}}), "no bookmark keeps"),
        (document(state={"schema": 1, "bookmarks": {}}), "no bookmark keeps"),
        (document(picture="ä"), "picture is damaged"),
        (document(picture="AAAA"), "picture is damaged"),
        (document(picture="A" * 300_000), "picture is too large"),
        (document(picture=png((300, 300))), "picture is damaged"),
        (document(picture=png((SIDE, SIDE), "BMP")), "picture is damaged"),
        (document(picture=png((SIDE, SIDE))[:64]), "picture is damaged"),
    ],
)
def test_a_damaged_file_is_one_sentence(content: Any, words: str, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(BookmarkError, match=words) as problem:
        read_bookmarks(path)
    assert str(problem.value).startswith("b.json ") and "\n" not in str(problem.value) and len(str(problem.value)) < 300


def test_of_two_of_one_key_the_first_is_read(tmp_path: Path) -> None:
    path, twice = tmp_path / "b.json", document()
    twice["bookmarks"] *= 2
    path.write_text(json.dumps(twice))
    items, remark = read_bookmarks(path)
    assert len(items) == 1 and remark.endswith('bookmark 2 ("a") could not be used: it has the key of another one.')


def test_those_that_cannot_be_used_are_named_and_the_others_read(tmp_path: Path) -> None:
    path, found = tmp_path / "b.json", document()
    wrong = [3, *(document(name=name, kind="x")["bookmarks"][0] for name in ("\x1b[2J", "b", "c", 4))]
    found["bookmarks"] = [*wrong[:2], *found["bookmarks"], *wrong[2:]]
    path.write_text(json.dumps(found))
    items, remark = read_bookmarks(path)
    assert [item.name for item in items] == ["a"]
    assert remark == (
        "b.json: 1 of 6 bookmarks were read; bookmark 1 could not be used: it must have a name, kind, key, state and "
        'picture. Nor could bookmark 2 ("[2J"), bookmark 4 ("b") and 2 more.'
    )


def test_a_name_is_one_line_that_can_be_shown(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text(json.dumps(document(name="a\nb\x1b[2J \ud800" + "x" * 500)))
    name = read_bookmarks(path)[0][0].name
    assert name.startswith("a b [2J x") and len(name) == 60


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "^There is no file '': check its path.$"),
        (".", r"cannot be read: .*\.$"),
        ("missing/b.json", "^There is no file missing/b.json: check its path.$"),
        ("a\0b", r"cannot be read: .*\.$"),
    ],
)
def test_a_path_that_cannot_be_read_is_one_sentence(path: str, words: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BookmarkError, match=words):
        read_bookmarks(path)


def test_a_path_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "b.json", "a\0b"):
        with pytest.raises(BookmarkError, match=r"cannot be written: .*\.$"):
            write_bookmarks(path, some())


def heavy(count: int) -> list[Bookmark]:
    """Bookmarks of a model with the longest of label vectors."""
    state = AppState()
    state.latent.vector = np.random.default_rng(0).random(LONGEST_VECTOR).tolist()
    return [Bookmark(str(number), "latent", state) for number in range(count)]


def test_as_many_as_can_be_kept_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    write_bookmarks(path, heavy(bookmarks.BOOKMARKS_LIMIT))
    assert 2**23 < path.stat().st_size < LARGEST_FILE // 2 and len(read_bookmarks(path)[0]) == bookmarks.BOOKMARKS_LIMIT


def test_no_file_is_written_that_would_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "b.json"
    write_bookmarks(path, some())
    before = path.read_bytes()
    monkeypatch.setattr(bookmark_files, "LARGEST_FILE", 2**17)
    for name, is_new in (("b.json", False), ("new.json", True)):
        with pytest.raises(BookmarkError, match=f"^{name} cannot be written: it would take more than .*read again.$"):
            write_bookmarks(tmp_path / name, heavy(2), is_new=is_new)
    assert path.read_bytes() == before and [entry.name for entry in tmp_path.iterdir()] == ["b.json"]
    write_bookmarks(path, heavy(1))
    assert len(read_bookmarks(path)[0]) == 1


def test_thumbnails_keep_pictures_apart() -> None:
    red, small = np.full((256, 256, 4), (200, 30, 20, 255), np.uint8), np.zeros((2, 2, 4), np.uint8)
    small[0, 0] = 255
    pictures = [encode_thumbnail(red), b"", encode_thumbnail(small)]
    assert np.array_equal(decode_thumbnail(pictures[0])[0, 0], red[0, 0])
    sheet = make_sheet(pictures * 6)
    assert sheet.shape == (2 * SIDE, SHEET_COLUMNS * SIDE, 4)
    for index in range(2 * SHEET_COLUMNS):  # the last places are empty
        row, column = divmod(index, SHEET_COLUMNS)
        data = pictures[index % 3] if index < 18 else b""
        expected = decode_thumbnail(data) if data else np.zeros((SIDE, SIDE, 4), np.uint8)
        shown = sheet[row * SIDE : (row + 1) * SIDE, column * SIDE : (column + 1) * SIDE]
        assert np.array_equal(shown, expected), f"place {index} shows its own picture up to its edges"
    assert np.array_equal(sheet[0, 0], red[0, 0]) and not sheet[:SIDE, SIDE : 2 * SIDE].any()
    assert sheet[5, 2 * SIDE + 5].all() and not sheet[SIDE - 5, 3 * SIDE - 5].any(), "small ones keep hard pixels"
