# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""New files take the first name that is free and never another file's, whoever writes at the same moment."""

import errno
import os
import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path

import pytest

from gan.files.atomic_write import NameTaken, find_free, list_numbered, take_name, write_new

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import sys, time
from pathlib import Path
from gan.files.atomic_write import list_numbered, write_new
folder, number = Path(sys.argv[1]), sys.argv[2]
(folder / f"ready{number}").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
for turn in range(10):
    with write_new(list_numbered(folder / "film.mp4")) as new:
        new.temporary.write_text(f"{number} {turn}")
"""


def write(path: Path, text: str) -> Path:
    with write_new(list_numbered(path)) as new:
        new.temporary.write_text(text)
    assert new.path is not None
    return new.path


def test_names_are_numbered_from_2(tmp_path: Path) -> None:
    def first(path: str, suffix: str | None = None) -> list[str]:
        return [found.name for found in islice(list_numbered(tmp_path / path, suffix), 3)]

    assert first("x.v2.png") == ["x.v2.png", "x.v2-2.png", "x.v2-3.png"]
    assert first("x.v2", ".png") == ["x.v2.png", "x.v2-2.png", "x.v2-3.png"]
    assert first("x.PNG", ".png") == ["x.png", "x-2.png", "x-3.png"], "the ending may have been typed"
    assert first("x.v2", "") == ["x.v2", "x.v2-2", "x.v2-3"], "a folder of frames has no ending"
    (tmp_path / "x.png").touch()
    (tmp_path / "x-2.png").symlink_to("nowhere")
    assert find_free(list_numbered(tmp_path / "x.png")).name == "x-3.png", "a broken link is a name, too"


@pytest.mark.parametrize("has_links", [True, False])
def test_threads_that_write_at_once_take_names_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    if not has_links:

        def refuse(*_: object) -> None:
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a.png").write_text("old")
    threads = [threading.Thread(target=write, args=(tmp_path / "a.png", str(number))) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a.png").read_text() == "old"
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == sorted(["old", *map(str, range(8))])


def test_processes_that_write_at_once_take_names_of_their_own(tmp_path: Path) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path), str(number)], cwd=ROOT) for number in range(3)
    ]
    try:
        while sum(path.name.startswith("ready") for path in tmp_path.iterdir()) < 3:
            assert all(child.poll() is None for child in children)
        (tmp_path / "go").touch()
        assert [child.wait(60) for child in children] == [0, 0, 0]
    finally:
        for child in children:
            child.kill()
    films = {path.name: path.read_text() for path in tmp_path.glob("*.mp4")}
    assert sorted(films.values()) == sorted(f"{number} {turn}" for number in range(3) for turn in range(10))
    assert set(films) == {path.name for path in islice(list_numbered(tmp_path / "film.mp4"), 30)}
    assert len([*tmp_path.iterdir()]) == 30 + 4, "no temporary file is left"


def test_a_name_that_is_taken_meanwhile_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with pytest.raises(NameTaken), write_new([path]) as new:
        new.temporary.write_text("mine")
        path.write_text("theirs")
    assert path.read_text() == "theirs" and [*tmp_path.iterdir()] == [path]


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), write_new([tmp_path / "a.csv"]) as new:
        new.temporary.write_text("half")
        raise OSError(errno.ENOSPC, "full")
    assert not [*tmp_path.iterdir()]
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError), write_new([tmp_path / "file" / "a.csv"]):
        pass


def test_a_file_moves_to_a_free_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("damaged")
    (tmp_path / "a.kept").mkdir()
    assert take_name(tmp_path / "a", list_numbered(tmp_path / "a.kept")).name == "a-2.kept"
    assert not (tmp_path / "a").exists() and (tmp_path / "a-2.kept").read_text() == "damaged"
