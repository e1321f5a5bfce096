# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The window's downloads without the window: what starts, what is reported, what ends them."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gan.hub import cache as download_cache
from gan.hub.cache import Cache, Record
from gan.hub.download import Cancelled, Downloaded, Progress
from gan.hub.url import DownloadError, parse_address
from viz.loading.downloads import FAILED, Downloads, Report
from viz.ui.download_row import describe_progress

ADDRESS = "https://example.com/models/t.pkl"
MIB = 2**20


class Played:
    """In the place of gan.hub.download.fetch: does what the test says, when it says so."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.said = threading.Semaphore(0)
        self.taken = threading.Semaphore(0)
        self.script: list[Any] = []

    def __call__(self, url: str, progress: Callable[[Progress], None], cancelled: Callable[[], bool]) -> Downloaded:
        self.calls.append(url)
        while True:
            assert self.said.acquire(timeout=30)
            now = self.script.pop(0)
            if cancelled():
                self.taken.release()
                raise Cancelled("It was stopped.")
            if isinstance(now, Exception):
                raise now
            if isinstance(now, Downloaded):
                return now
            progress(now)
            self.taken.release()

    def say(self, now: Any) -> None:
        """The next thing that happens; returns once it has."""
        self.script.append(now)
        self.said.release()
        if isinstance(now, Progress):
            assert self.taken.acquire(timeout=30)


@pytest.fixture
def woken() -> threading.Event:
    return threading.Event()


@pytest.fixture
def played() -> Played:
    return Played()


def test_what_is_no_address_is_left_to_others(tmp_path: Path) -> None:
    downloads = Downloads()
    for text in ("b", "", str(tmp_path), "t.pkl", r"C:\t.pkl"):
        assert not downloads.begin("left", text) and downloads.report("left") is None
    assert downloads.display_name(str(tmp_path)) == str(tmp_path) and downloads.display_name("") == ""


def test_a_report_says_how_far_how_fast_and_how_long(played: Played, woken: threading.Event) -> None:
    clock = [0.0]
    downloads = Downloads(woken.set, played, lambda: clock[0])
    assert downloads.begin("left", f" {ADDRESS}?token=hushhush ")
    report = downloads.report("left")
    assert report == Report("t.pkl", ADDRESS) and report.fraction is None and report.seconds_left is None
    assert describe_progress(report) == "no bytes yet"
    for clock[0], done, shown in (
        (0.0, 10, "10.0 of 100 MiB"),
        (2.0, 30, "30.0 of 100 MiB  10.0 MiB/s"),
        (2.01, 31, "31.0 of 100 MiB  10.0 MiB/s"),  # too soon to look at the speed again
        (8.0, 90, "90.0 of 100 MiB  10.0 MiB/s"),  # over the last seconds, not from the beginning on
    ):
        played.say(Progress("downloading", done * MIB, 100 * MIB))
        report = downloads.report("left")
        assert report and report.fraction == done / 100 and describe_progress(report) == shown
    assert report and report.seconds_left == pytest.approx(1.0)
    played.say(Progress("checking", 50 * MIB, 100 * MIB))
    report = downloads.report("left")
    assert report and (report.stage, report.speed, report.seconds_left) == ("checking", 0.0, None)
    found = Downloaded(Path("t.pkl"), "0" * 64, 5, False)
    played.say(found)
    assert woken.wait(30)
    assert downloads.collect() == {"left": found} and downloads.collect() == {} and downloads.report("left") is None


def test_figures_have_one_unit_where_one_will_do() -> None:
    assert describe_progress(Report("a", "a", "downloading", 3 * MIB)) == "3.0 MiB", (
        "a server that does not say how much"
    )
    assert describe_progress(Report("a", "a", "waiting", 300, 3 * MIB, 7.0)) == "300 B of 3.0 MiB"


def test_both_slots_wait_for_one_download(played: Played, woken: threading.Event) -> None:
    downloads, found = Downloads(woken.set, played), Downloaded(Path("t.pkl"), "0" * 64, 5, False)
    assert downloads.begin("left", ADDRESS) and downloads.begin("right", ADDRESS)
    downloads.cancel("left")
    assert downloads.report("left") is None and downloads.report("right") is not None, "the other still wants it"
    assert downloads.begin("left", ADDRESS)
    played.say(Progress("downloading", 1, 5))
    played.say(found)
    assert woken.wait(30)
    assert downloads.collect() == {"left": found, "right": found} and played.calls == [ADDRESS]


def test_what_was_cancelled_has_ended_before_it_begins_again(played: Played, woken: threading.Event) -> None:
    downloads = Downloads(woken.set, played)
    downloads.begin("left", ADDRESS)
    played.say(Progress("downloading", 1, 5))
    downloads.cancel("left")
    assert downloads.report("left") is None
    downloads.begin("left", ADDRESS)
    assert played.calls == [ADDRESS], "the first holds the part until its connection has noticed"
    played.said.release()
    played.script.append(None)
    assert played.taken.acquire(timeout=30)
    played.say(Progress("downloading", 2, 5))
    assert played.calls == [ADDRESS] * 2
    assert downloads.begin("left", f"{ADDRESS}2"), "another model in this slot ends it, too"
    downloads.close(0.0)
    assert downloads.report("left") is None
    for _ in range(2):
        played.script.append(None)
        played.said.release()


def test_a_failure_is_kept_until_it_is_repeated_or_dismissed(played: Played, woken: threading.Event) -> None:
    downloads = Downloads(woken.set, played)
    downloads.begin("left", ADDRESS)
    played.say(DownloadError("No host is known."))
    assert woken.wait(30)
    report = downloads.report("left")
    assert report and (report.stage, report.error, report.name) == (FAILED, "No host is known.", "t.pkl")
    woken.clear()
    downloads.retry("left")
    assert downloads.report("left") == Report("t.pkl", ADDRESS)
    played.say(RuntimeError("a mistake"))
    assert woken.wait(30)
    report = downloads.report("left")
    assert report and report.error.startswith("The download failed (RuntimeError)")
    downloads.cancel("left")
    assert downloads.report("left") is None and downloads.collect() == {}


def test_an_address_that_is_none_is_said_at_once() -> None:
    downloads = Downloads()
    assert downloads.begin("right", "ftp://example.com/t.pkl")
    report = downloads.report("right")
    assert report and report.stage == FAILED and "not from ftp" in report.error and not report.address
    downloads.retry("right")
    downloads.cancel("right")
    assert downloads.report("right") is None


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30.0
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.005)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Remembers that a content came from an address; the path where it lay."""
    monkeypatch.setattr(download_cache, "cache_folder", lambda: tmp_path)

    def remembered(address: str, digit: str) -> str:
        Cache().remember(parse_address(address), Record(address, digit * 64, "t.pkl", 5))
        return str(tmp_path / (digit * 64) / "t.pkl")

    return remembered


def test_the_window_never_waits_for_the_disk(
    kept: Callable[[str, str], str], woken: threading.Event, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, go, seen = kept(ADDRESS, "0"), threading.Event(), list[tuple[str, threading.Thread]]()
    held: list[list[str]] = []
    real = Cache.find_address

    def find_address(cache: Cache, path: str) -> str:
        seen.append(("look", threading.current_thread()))
        assert go.wait(30)
        return real(cache, path)

    def hold_only(paths: list[str]) -> None:
        seen.append(("hold", threading.current_thread()))
        assert go.wait(30)
        held.append([*map(str, paths)])

    monkeypatch.setattr(Cache, "find_address", find_address)
    monkeypatch.setattr("viz.loading.downloads.hold_only", hold_only)
    downloads = Downloads(woken.set, played)
    assert [downloads.display_name(path) for _ in range(3)] == ["t.pkl"] * 3, "as long as it is not known"
    downloads.keep([path])
    assert downloads.begin("left", path) and downloads.report("left") == Report("t.pkl", "")
    go.set()
    assert woken.wait(30)
    until(lambda: downloads.display_name(path) == ADDRESS and bool(held))
    assert held == [[path]] and sorted(what for what, _ in seen) == ["hold", "look", "look"]
    assert threading.current_thread() not in {thread for _, thread in seen}
    played.say(Progress("downloading", 1, 5))
    assert played.calls == [ADDRESS] and downloads.report("left") == Report("t.pkl", ADDRESS, "downloading", 1, 5)
    downloads.cancel("left")
    played.script.append(None)
    played.said.release()


def test_what_arrived_is_held_and_its_address_known_without_a_look(
    kept: Callable[[str, str], str], woken: threading.Event, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[set[str]] = []
    monkeypatch.setattr("viz.loading.downloads.hold_only", lambda paths: held.append({*map(str, paths)}))
    monkeypatch.setattr(Cache, "find_address", lambda *_: pytest.fail("it is known"))
    path, downloads = kept(ADDRESS, "0"), Downloads(woken.set, played)
    downloads.begin("left", ADDRESS)
    played.say(Downloaded(Path(path), "0" * 64, 5, False))
    assert woken.wait(30)
    downloads.keep(["other"])
    until(lambda: held == [{"other", path}])
    assert set(downloads.collect()) == {"left"} and downloads.display_name(path) == ADDRESS
    downloads.keep([path])
    downloads.close()
    assert held[1:] == [{path}]


def test_a_mistake_does_not_end_what_is_done_for_the_disk(
    kept: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("viz.loading.downloads.hold_only", lambda _: 1 / 0)
    path, downloads = kept(ADDRESS, "0"), Downloads()
    downloads.keep([path])
    until(lambda: downloads.display_name(path) == ADDRESS)
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_file_that_was_evicted_is_fetched_again(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_cache, "cache_folder", lambda: tmp_path)
    sha256 = "0" * 64
    Cache().remember(parse_address(ADDRESS), Record(ADDRESS, sha256, "t.pkl", 5))
    path, downloads = str(tmp_path / sha256 / "t.pkl"), Downloads(fetch=played)
    until(lambda: downloads.display_name(path) == ADDRESS)
    assert downloads.begin("left", path)
    played.say(Progress("downloading", 1, 5))
    assert played.calls == [ADDRESS]
    downloads.close(0.0)
    played.script.append(None)
    played.said.release()
    (tmp_path / sha256).mkdir()
    Path(path).touch()
    assert not downloads.begin("left", path), "it is there"
    secret = str(tmp_path / ("1" * 64) / "x.pkl")
    assert downloads.display_name(secret) == "x.pkl" and downloads.begin("left", secret)
    until(lambda: (report := downloads.report("left")) is not None and report.stage == FAILED)
    report = downloads.report("left")
    assert report and not report.address and "x.pkl is no longer in the cache" in report.error


@pytest.mark.parametrize("fragment", ["md5=abc", "sha256:" + "a" * 64, "sha-256=11", "SHA1=1", "sha512=1"])
def test_a_checksum_that_is_not_checked_is_not_passed_over(fragment: str) -> None:
    with pytest.raises(DownloadError, match="Only sha256 is checked"):
        parse_address(f"http://example.com/a.pkl#{fragment}")
    for harmless in ("top", "shape"):
        assert parse_address(f"http://example.com/a.pkl#{harmless}").sha256 == ""
