# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The cache of downloads: what is kept, held, found damaged, evicted."""

import errno
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from support.fetching import MODEL, OTHER, POSIX, ROOT, cache_in, child, get, one_model, sha
from support.sites import Page, Site, checkpoint_like

from cuda_ops import kernel_cache
from gan.files.locks import take_lock
from gan.hub import cache as cache_module
from gan.hub.cache import Cache, cache_folder, hold, hold_only, is_cached
from gan.hub.download import Downloaded, fetch
from gan.hub.url import DownloadError, parse_address


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with cache_in(tmp_path / "models", monkeypatch) as found:
        yield found


@pytest.fixture
def site(folder: Path) -> Iterator[Site]:
    with one_model() as found:
        yield found


def test_the_cache_lies_beside_the_kernels() -> None:
    assert cache_folder() == kernel_cache.cache_folder("models")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the folder has another name")
@pytest.mark.parametrize("version", ["ours", "lowest"])
def test_a_relative_cache_home_is_ignored(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    if version == "lowest":
        monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: Path("relative/jinc"))
    assert cache_folder() == kernel_cache.cache_folder("models") == Path.home() / ".cache" / "jinc" / "models"


@pytest.mark.parametrize("version", ["ours", "lowest"])
def test_without_a_home_there_is_no_cache(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(*_: object, **__: object) -> Path:
        if version == "lowest":
            return Path("~/.cache/jinc")
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(platformdirs, "user_cache_path", no_home)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(DownloadError, match="^There is no home folder to keep models in: set XDG_CACHE_HOME"):
        cache_folder()
    with pytest.raises(RuntimeError, match="home directory"):
        kernel_cache.cache_folder()


@pytest.mark.parametrize("damage", [b"", MODEL[:-1], OTHER], ids=["empty", "short", "other"])
def test_a_damaged_copy_is_fetched_anew(site: Site, damage: bytes) -> None:
    path = get(site).path
    path.write_bytes(damage)
    found = get(site)
    assert found.path == path and path.read_bytes() == MODEL and not found.from_cache
    assert site.asked[-1].status == 200 and "if-none-match" not in site.asked[-1].headers


@pytest.mark.parametrize("text", ["", "[]", '{"sha256": 1}', '{"name": "../../x"}', "damaged"])
def test_a_damaged_record_is_no_record(site: Site, folder: Path, text: str) -> None:
    get(site)
    (record,) = (folder / "addresses").iterdir()
    known = json.loads(record.read_text())
    record.write_text(json.dumps({**known, **json.loads(text)}) if text.startswith("{") else text)
    found = get(site)
    assert not found.from_cache and found.path.read_bytes() == MODEL and found.path.parent.parent == folder


@pytest.mark.parametrize(
    "wrong",
    [
        {"etag": "a\nb"},
        {"etag": '"\u20ac"'},
        {"etag": "x" * 70_000},
        {"modified": "a\r\nX: b"},
        {"bytes": -1},
        {"address": "a\nb"},
    ],
)
def test_a_record_that_no_server_gave_is_no_record(site: Site, folder: Path, wrong: dict[str, Any]) -> None:
    get(site)
    (record,) = (folder / "addresses").iterdir()
    record.write_text(json.dumps(json.loads(record.read_text()) | wrong))
    found = get(site)
    assert not found.from_cache and found.path.read_bytes() == MODEL
    record.write_text(json.dumps(json.loads(record.read_text()) | wrong))
    site.pages.clear()
    with pytest.raises(DownloadError, match="There is no file at"):
        get(site)


def test_an_etag_beyond_ascii_counts_as_absent(site: Site) -> None:
    site.pages["/model.safetensors"] = Page(MODEL, etag='"\u00e9"', modified="Mon, 05 Jan 2026 10:00:00 GMT")
    get(site)
    assert get(site).from_cache, "by its date"


def test_what_cannot_be_asked_for_comes_from_the_cache(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    first = get(site)
    site.pages["/model.safetensors"] = Page(status=404)
    gone = get(site)
    assert gone.path == first.path and gone.from_cache
    assert "There is no file at" in gone.note and gone.note.endswith("is used.")

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    offline = get(site)
    assert offline.path == first.path and offline.from_cache
    assert offline.note.startswith("There is no host 127.0.0.1: ") and offline.note.count(". ") == 1
    asked = len(site.asked)
    known = fetch(f"{site.url()}#sha256={sha(MODEL).upper()}")
    assert known == Downloaded(first.path, sha(MODEL), len(MODEL), True) and len(site.asked) == asked


def aged(path: Path, days: float) -> None:
    os.utime(path.parent, (time.time() - 86400 * days,) * 2)


def test_the_least_recently_used_goes_first(site: Site, folder: Path) -> None:
    cache = Cache(folder, limit=250_000)
    found = []
    for number in range(4):
        site.pages[f"/{number}.pkl"] = Page(checkpoint_like(100_000, number), etag=f'"{number}"')
        hold_only([])  # as by another process, which has ended
        found.append(get(site, f"/{number}.pkl", cache=cache).path)
        aged(found[number], 10 - number)
        if number == 1:
            get(site, "/0.pkl", cache=cache)  # used again
    assert [path.exists() for path in found] == [True, False, False, True]
    assert cache.find_address(found[1]) == site.url("/1.pkl"), "it can be fetched again"
    assert not found[1].parent.exists()


@POSIX
def test_nothing_that_is_in_use_goes(site: Site, folder: Path) -> None:
    with child(site, folder, "and wait") as process:
        assert process.stdout is not None
        held = Path(process.stdout.readline().partition(" ")[0])
        aged(held, 100)
        site.pages["/b.pkl"], site.pages["/c.pkl"] = Page(OTHER), Page(checkpoint_like(100_000, 2))
        ours, cache = get(site, "/b.pkl").path, Cache(folder, limit=1)
        aged(ours, 90)
        newest = get(site, "/c.pkl", cache=cache).path
        assert held.exists() and ours.exists() and newest.exists()
        hold_only([newest])
        assert cache.evict(newest) == [ours] and held.exists(), "another process has it open"
        process.communicate("")
    assert cache.evict(newest) == [held]


def test_a_stale_lock_and_old_parts_do_not_stay(site: Site, folder: Path) -> None:
    key = parse_address(site.url()).key
    (folder / "parts").mkdir(parents=True)
    lock, part = (folder / "parts" / f"{key}-0.{end}" for end in ("lock", "part"))
    lock.touch()
    old = folder / "parts" / "0123-0.part"
    old.write_bytes(b"never finished")
    os.utime(old, (0, 0))
    part.write_bytes(MODEL[:40_000])
    assert get(site).path.read_bytes() == MODEL and not old.exists() and not lock.exists()
    assert Cache(folder).sweep() == []


def old_part(folder: Path, name: str = "0123-0") -> list[Path]:
    """An unfinished download and its record, which nobody has touched since 1970."""
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    paths = [folder / "parts" / f"{name}.{end}" for end in ("part", "json")]
    for path in paths:
        path.write_text("")
        os.utime(path, (0, 0))
    return paths


def test_nothing_stays_of_an_old_part(folder: Path) -> None:
    paths = old_part(folder)
    assert Cache(folder).sweep() == paths[:1]
    assert not list((folder / "parts").iterdir()), "its lock neither"


@POSIX
def test_an_old_part_is_locked_while_it_is_deleted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths, unlink, free = old_part(folder), Path.unlink, []

    def watched(path: Path, missing_ok: bool = False) -> None:
        if path in paths:
            other = take_lock(folder / "parts" / "0123-0.lock")
            free.append(other is not None)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", watched)
    assert Cache(folder).sweep() == paths[:1]
    assert free and not any(free)


def test_a_part_stays_as_long_as_any_of_its_files_is_new(folder: Path) -> None:
    part, record = old_part(folder)
    os.utime(part)
    assert Cache(folder).sweep() == [] and part.exists() and record.exists()


@POSIX
def test_a_lock_that_ends_leaves_the_next_one_s_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that ends deletes its lock's file while it has it; a file that is there afterwards is another's."""
    from filelock import FileLock

    release, path, next_locks = FileLock.release, folder / "parts" / "0123-0.lock", []

    def while_another_begins(lock: FileLock, force: bool = False) -> None:
        if not next_locks:
            next_locks.append(take_lock(path))
        release(lock, force)

    old_part(folder)
    monkeypatch.setattr(FileLock, "release", while_another_begins)
    Cache(folder).sweep()
    monkeypatch.undo()
    assert next_locks[0] is not None and path.exists() and take_lock(path) is None
    next_locks[0].release()


@POSIX
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_without_locks_the_cache_works_and_keeps_its_limit(
    site: Site, folder: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", no_locks)
    cache = Cache(folder, limit=150_000)
    old_part(folder)
    first = get(site, cache=cache)
    assert get(site, cache=cache).from_cache and not list((folder / "parts").iterdir())
    aged(first.path, 10)
    site.pages["/b.pkl"] = Page(OTHER)
    second = get(site, "/b.pkl", cache=cache).path
    assert first.path.exists() and second.exists(), "this process uses both"
    hold_only([second])
    assert cache.evict(second) == [first.path] and second.exists()


def test_a_file_that_could_not_be_held_is_tried_again(
    site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = get(site).path
    hold_only([])
    monkeypatch.setattr(cache_module, "LOCK_SECONDS", 0.0)
    busy = take_lock(folder / "locks" / "evict.lock")
    assert busy is not None and hold(path)
    free = take_lock(folder / "locks" / f"{sha(MODEL)}-0.lock")
    assert free is not None, "another process is busy evicting"
    free.release()
    busy.release()
    assert hold(path) and take_lock(folder / "locks" / f"{sha(MODEL)}-0.lock") is None


def test_a_file_is_held_until_it_is_let_go(site: Site, folder: Path) -> None:
    path = get(site).path
    assert is_cached(path) and not is_cached(ROOT / "README.md") and not is_cached(folder / "parts" / "x")
    assert hold(path) and Cache(folder, limit=0).evict(ROOT) == []
    path.unlink()
    assert not hold(path)
    assert not hold(folder / sha(OTHER) / "gone.pkl")
