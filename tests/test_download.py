# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Downloads: whole, resumed, cached or refused in one sentence, from a server on this machine that may be hostile."""

import errno
import hashlib
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sites import Page, Site, checkpoint_like, serving

from cuda_ops import cpu
from gan import download_cache, web
from gan.addresses import DownloadError, file_name, is_address, parsed
from gan.download import RETRIES, SWITCH, Cancelled, Downloaded, Progress, allowed, fetched
from gan.download_cache import Cache, cache_folder, hold, hold_only, is_kept

ROOT = Path(__file__).resolve().parent.parent
MODEL = checkpoint_like(100_000)
OTHER = checkpoint_like(100_000, 1)
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals and locks of POSIX systems")


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The cache's folder, empty; no proxy of the environment is in the way."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", SWITCH.lower()):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(download_cache, "cache_folder", lambda: tmp_path / "models")
    yield tmp_path / "models"
    hold_only([])


@pytest.fixture
def site(folder: Path) -> Iterator[Site]:
    with serving() as found:
        found.pages["/model.safetensors"] = Page(MODEL)
        yield found


class Sleeps(list[float]):
    """A clock that does not wait."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def get(site: Site, path: str = "/model.safetensors", **options: Any) -> Downloaded:
    return fetched(site.url(path), **{"sleep": Sleeps(), "timeout": 10.0, **options})


def refusal(site: Site, path: str = "/model.safetensors", **options: Any) -> str:
    """The one sentence that a download fails with; nothing is left of it unless a part may be gone on with."""
    with pytest.raises(DownloadError) as caught:
        get(site, path, **options)
    text = str(caught.value)
    assert text[0] != " " and text.endswith(".") and "\n" not in text and "Error" not in text
    return text


def parts(folder: Path) -> list[Path]:
    return sorted((folder / "parts").glob("*.part"))


def stopped_after(count: int) -> Any:
    """A `cancelled` and a `progress` that stop a download once so many bytes came."""
    seen = [0]

    def progress(now: Progress) -> None:
        seen[0] = now.done if now.stage == "downloading" else 0

    return {"progress": progress, "cancelled": lambda: seen[0] >= count}


# -- whole ---------------------------------------------------------------------------------------------------------


def test_a_model_is_fetched_once(site: Site, folder: Path) -> None:
    seen: list[Progress] = []
    first = get(site, progress=seen.append)
    assert first.path.read_bytes() == MODEL and first.path == folder / sha(MODEL) / "model.safetensors"
    assert (first.sha256, first.bytes, first.from_cache, first.note) == (sha(MODEL), len(MODEL), False, "")
    assert [now.stage for now in seen[:2]] == ["connecting", "downloading"] and seen[-1].stage == "checking"
    done = [now.done for now in seen if now.stage == "downloading"]
    assert done == sorted(done) and done[-1] == len(MODEL) and seen[1].total == len(MODEL)
    assert not list((folder / "parts").iterdir()), "nothing is left of the way there"
    second = get(site)
    assert second == Downloaded(first.path, sha(MODEL), len(MODEL), True)
    assert [one.status for one in site.asked] == [200, 304]
    assert site.asked[0].headers["user-agent"].startswith("jinc") and "range" not in site.asked[0].headers


@pytest.mark.parametrize(
    "etag, modified", [("", "Mon, 05 Jan 2026 10:00:00 GMT"), ('"a"', ""), ('W/"a"', ""), ("", "")]
)
def test_a_server_without_conditions_is_not_asked_for_the_same_again(site: Site, etag: str, modified: str) -> None:
    page = site.pages["/model.safetensors"] = Page(MODEL, etag=etag, modified=modified, conditional=False)
    first, released = get(site), threading.Event()

    def gate(sent: int) -> None:
        if sent > 40_000:
            released.wait(30)

    page.gate = gate  # a body that never comes is not waited for
    try:
        assert get(site, timeout=5.0) == Downloaded(first.path, sha(MODEL), len(MODEL), True)
    finally:
        released.set()


def test_a_new_version_is_fetched(site: Site, folder: Path) -> None:
    get(site)
    site.pages["/model.safetensors"] = Page(OTHER, etag='"two"')
    found = get(site)
    assert found.path.read_bytes() == OTHER and not found.from_cache
    assert (folder / sha(MODEL)).is_dir(), "the old one may still be in use"
    assert get(site).from_cache


def test_two_addresses_of_one_content_share_a_file(site: Site, folder: Path) -> None:
    site.pages["/again.pkl"] = Page(MODEL)
    first, second = get(site), get(site, "/again.pkl")
    assert first.path == second.path and not second.from_cache
    assert len(list(folder.glob("*/*.safetensors"))) == 1 and not list(folder.glob("*/again.pkl"))
    assert get(site, "/again.pkl").from_cache


def test_a_redirect_is_followed_and_the_name_is_the_address_s(site: Site) -> None:
    site.pages["/nice.safetensors"] = Page(status=302, headers={"Location": "/blob?id=1"})
    site.pages["/blob"] = Page(MODEL, headers={"Content-Disposition": 'attachment; filename="../../other.pkl"'})
    assert get(site, "/nice.safetensors").path.name == "nice.safetensors"
    site.pages["/blob"] = Page(OTHER, headers=site.pages["/blob"].headers)
    assert get(site, "/blob?id=2").path.name == "other.pkl", "what the server says, where the address says nothing"


def test_without_a_length_it_is_fetched_to_its_end(site: Site) -> None:
    site.pages["/model.safetensors"].length = -1
    seen: list[Progress] = []
    assert get(site, progress=seen.append).path.read_bytes() == MODEL
    assert {now.total for now in seen if now.stage == "downloading"} == {None}


# -- resumed -------------------------------------------------------------------------------------------------------


def test_a_connection_that_breaks_is_gone_on_with(site: Site) -> None:
    site.pages["/model.safetensors"].cut = [30_000, 20_000]
    sleeps, seen = Sleeps(), list[Progress]()
    assert get(site, sleep=sleeps, progress=seen.append).path.read_bytes() == MODEL
    ranges = [one.headers.get("range") for one in site.asked]
    assert ranges == [None, "bytes=30000-", "bytes=50000-"] and site.asked[1].headers["if-range"] == '"one"'
    assert sum(sleeps) == pytest.approx(1 + 2), "longer each time"
    assert "waiting" in {now.stage for now in seen}


def test_a_connection_that_breaks_again_and_again_is_given_up(site: Site, folder: Path) -> None:
    site.pages["/model.safetensors"].cut = [10_000] * 8
    sleeps = Sleeps()
    text = refusal(site, sleep=sleeps)
    assert "broke off after 48.8 KiB of 97.7 KiB" in text and "goes on from there" in text
    assert len(site.asked) == 1 + RETRIES and sum(sleeps) == pytest.approx(1 + 2 + 4 + 8)
    assert parts(folder)[0].read_bytes() == MODEL[:50_000]
    site.pages["/model.safetensors"].cut = []
    assert get(site).path.read_bytes() == MODEL and site.asked[-1].headers["range"] == "bytes=50000-"


def test_what_was_cancelled_is_gone_on_with(site: Site, folder: Path) -> None:
    page = site.pages["/model.safetensors"]
    page.cut = [40_000]
    with pytest.raises(Cancelled, match="goes on from there"):
        get(site, **stopped_after(40_000))
    assert parts(folder)[0].read_bytes() == MODEL[:40_000]
    assert get(site).path.read_bytes() == MODEL
    assert site.asked[-1].headers["range"] == "bytes=40000-" and site.asked[-1].status == 206


def test_a_server_that_ignores_ranges_starts_over(site: Site) -> None:
    site.pages["/model.safetensors"].cut, site.pages["/model.safetensors"].ranges = [40_000], False
    assert get(site).path.read_bytes() == MODEL
    assert [one.status for one in site.asked] == [200, 200] and "range" in site.asked[1].headers


@pytest.mark.parametrize("change", ["etag", "length", "shift"])
def test_a_file_that_changed_starts_over(site: Site, folder: Path, change: str) -> None:
    page = site.pages["/model.safetensors"]
    page.cut = [40_000]
    with pytest.raises(Cancelled):
        get(site, **stopped_after(40_000))
    if change == "etag":
        page.content, page.etag = OTHER, '"two"'
    elif change == "length":
        page.content = OTHER + b"more"  # and the same ETag: the server lies
    else:
        page.content, page.shift = OTHER, 1
    assert get(site).path.read_bytes() == page.content
    assert not parts(folder)


def test_without_anything_that_tells_versions_apart_it_starts_over_unless_the_sum_is_known(site: Site) -> None:
    page = site.pages["/model.safetensors"] = Page(MODEL, etag="")
    for wanted in (None, sha(OTHER)):
        page.content = OTHER if wanted else MODEL
        page.cut = [40_000]
        with pytest.raises(Cancelled):
            get(site, sha256=wanted, **stopped_after(40_000))
        assert get(site, sha256=wanted).path.read_bytes() == page.content
        assert site.asked[-1].headers.get("range") == ("bytes=40000-" if wanted else None)


def test_a_part_that_was_whole_is_not_fetched_again(site: Site, folder: Path) -> None:
    with pytest.raises(Cancelled):
        get(site, **stopped_after(len(MODEL)))
    assert parts(folder)[0].read_bytes() == MODEL
    assert get(site).path.read_bytes() == MODEL and site.asked[-1].status == 416


def test_a_part_whose_description_is_damaged_starts_over(site: Site, folder: Path) -> None:
    site.pages["/model.safetensors"].cut = [40_000]
    with pytest.raises(Cancelled):
        get(site, **stopped_after(40_000))
    parts(folder)[0].with_suffix(".json").write_text('{"etag": ')
    assert get(site).path.read_bytes() == MODEL and "range" not in site.asked[-1].headers


def test_a_server_that_stalls_is_left_and_asked_anew(site: Site) -> None:
    page, released = site.pages["/model.safetensors"], threading.Event()

    def stall(sent: int) -> None:
        if sent >= 40_000 and len(site.asked) == 1:
            released.wait(30)

    page.gate = stall
    try:
        assert get(site, timeout=0.3).path.read_bytes() == MODEL
    finally:
        released.set()
    assert site.asked[1].status == 206


def test_a_server_that_is_busy_is_asked_again(site: Site) -> None:
    site.pages["/model.safetensors"].statuses = [503, 429]
    sleeps = Sleeps()
    assert get(site, sleep=sleeps).path.read_bytes() == MODEL and sum(sleeps) == pytest.approx(3)
    site.pages["/busy"] = Page(status=503)
    assert "cannot answer just now (503): try again later" in refusal(site, "/busy")


CHILD = """
import sys
from pathlib import Path
from gan.download import fetched
from gan.download_cache import Cache
found = fetched(sys.argv[1], cache=Cache(Path(sys.argv[2])), timeout=30)
print(found.path, found.from_cache, flush=True)
if sys.argv[3:]:
    sys.stdin.read()
"""


def child(site: Site, folder: Path, *words: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, site.url(), str(folder), *words], cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe,
        text=True,
    )  # fmt: skip


@POSIX
def test_a_process_that_is_killed_loses_nothing(site: Site, folder: Path) -> None:
    page, came, go = site.pages["/model.safetensors"], threading.Event(), threading.Event()

    def gate(sent: int) -> None:
        if sent >= 60_000 and not go.is_set():
            came.set()
            go.wait(60)

    page.gate = gate
    with child(site, folder) as process:
        assert came.wait(60)
        while sum(path.stat().st_size for path in parts(folder)) < 60_000:  # what was sent has come
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    go.set()
    kept = parts(folder)[0].stat().st_size
    assert 0 < kept < len(MODEL) and parts(folder)[0].read_bytes() == MODEL[:kept]
    assert get(site).path.read_bytes() == MODEL
    assert site.asked[-1].headers["range"] == f"bytes={kept}-" and site.asked[-1].status == 206


def test_two_processes_at_once_do_not_hurt_each_other(site: Site, folder: Path) -> None:
    together = threading.Barrier(2)

    def gate(sent: int) -> None:
        if sent == 40_960:
            together.wait(60)  # both are in the middle

    site.pages["/model.safetensors"].gate = gate
    with child(site, folder) as one, child(site, folder) as other:
        said = [process.communicate() for process in (one, other)]
    path = folder / sha(MODEL) / "model.safetensors"
    assert [out for out, _ in said] == [f"{path} False\n"] * 2, said
    assert path.read_bytes() == MODEL and not list((folder / "parts").iterdir())


# -- the cache -----------------------------------------------------------------------------------------------------


def test_the_cache_lies_beside_the_kernels() -> None:
    assert cache_folder() == cpu.cache_folder().with_name("models")


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
    assert offline.note.startswith("No host 127.0.0.1 is known: ") and offline.note.count(". ") == 1
    asked = len(site.asked)
    known = fetched(f"{site.url()}#sha256={sha(MODEL).upper()}")
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
    assert cache.address_of(found[1]) == site.url("/1.pkl"), "it can be fetched again"
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
    key = parsed(site.url()).key
    (folder / "parts").mkdir(parents=True)
    lock, part = (folder / "parts" / f"{key}-0.{end}" for end in ("lock", "part"))
    lock.touch()
    old = folder / "parts" / "0123-0.part"
    old.write_bytes(b"never finished")
    os.utime(old, (0, 0))
    part.write_bytes(MODEL[:40_000])
    assert get(site).path.read_bytes() == MODEL and not old.exists() and not lock.exists()
    assert Cache(folder).sweep() == []


def test_a_file_is_held_until_it_is_let_go(site: Site, folder: Path) -> None:
    path = get(site).path
    assert is_kept(path) and not is_kept(ROOT / "README.md") and not is_kept(folder / "parts" / "x")
    assert hold(path) and Cache(folder, limit=0).evict(ROOT) == []
    path.unlink()
    assert not hold(path)
    assert not hold(folder / sha(OTHER) / "gone.pkl")


# -- refused -------------------------------------------------------------------------------------------------------


def test_too_large_is_refused_before_a_byte_is_written(site: Site, folder: Path) -> None:
    text = refusal(site, limit=50_000)
    assert "larger than the 48.8 KiB" in text and "97.7 KiB" in text and f"set {SWITCH}" in text
    assert not list((folder / "parts").iterdir())


def test_a_server_that_lies_about_the_length_is_stopped(site: Site, folder: Path) -> None:
    site.pages["/model.safetensors"].length = -1
    assert "larger than the 48.8 KiB" in refusal(site, limit=50_000)
    assert not parts(folder)
    site.pages["/model.safetensors"].length = 2 * len(MODEL)
    assert "broke off after 97.7 KiB of 195 KiB" in refusal(site)
    site.pages["/short.pkl"] = Page(MODEL, length=50_000)
    assert get(site, "/short.pkl").bytes == 50_000, "what is beyond the length that was claimed is not read"


def test_the_limit_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    assert allowed() == 4 * 2**30
    monkeypatch.setenv(SWITCH, " 0.5 ")
    assert allowed() == 2**29
    for wrong in ("much", "-1", "nan", "inf"):
        monkeypatch.setenv(SWITCH, wrong)
        with pytest.raises(DownloadError, match="is not a number|not a number of GiB"):
            allowed()


def test_a_disk_without_room_is_said_with_numbers(site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(free=2**26 + 50_000)
    monkeypatch.setattr(download_cache.shutil, "disk_usage", lambda _: usage)
    text = refusal(site)
    assert "97.7 KiB are still to come and only 64.0 MiB are free" in text and str(folder) in text
    site.pages["/model.safetensors"].cut = [60_000]
    usage.free = 2**40
    with pytest.raises(Cancelled):
        get(site, **stopped_after(60_000))
    usage.free = 2**26 + 50_000
    assert get(site).path.read_bytes() == MODEL, "only what is still to come counts"


def test_a_disk_that_gets_full_is_said(site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("gan.download._write", full)
        text = refusal(site)
    assert "No space left on device" in text and "make room there and try again" in text and str(folder) in text
    assert get(site).path.read_bytes() == MODEL


def test_a_folder_that_cannot_be_written_is_said(site: Site, folder: Path) -> None:
    folder.write_text("a file")
    text = refusal(site)
    assert text.startswith(f"{folder} cannot be written (") and "XDG_CACHE_HOME" in text


@pytest.mark.parametrize("status, said", [
    (404, "There is no file at"), (410, "There is no file at"), (401, "wants a login"), (403, "wants a login"),
    (400, "(400): check the address"), (300, "(300): check the address"),
])  # fmt: skip
def test_what_servers_refuse_is_said(site: Site, status: int, said: str) -> None:
    site.pages["/model.safetensors"].status = status
    text = refusal(site)
    assert said in text and site.url() in text and len(site.asked) == 1


def test_a_web_page_is_not_kept(site: Site, folder: Path) -> None:
    site.pages["/model.safetensors"].content = b"<!DOCTYPE html><html>Please log in.</html>"
    assert "is a web page" in refusal(site)
    assert not list(folder.glob("*/*.*")) and not parts(folder)


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "//", "", "http://[", "gopher://127.0.0.1"],
)
def test_a_redirect_to_anything_else_is_not_followed(site: Site, target: str) -> None:
    site.pages["/model.safetensors"] = Page(status=302, headers={"Location": target})
    text = refusal(site)
    assert "not followed" in text or "in circles" in text
    assert len(site.asked) == 1 or target == "//"


def test_redirects_in_circles_end(site: Site) -> None:
    site.pages["/model.safetensors"] = Page(status=307, headers={"Location": "/b"})
    site.pages["/b"] = Page(status=301, headers={"Location": "/model.safetensors"})
    assert "in circles" in refusal(site)
    assert len(site.asked) <= 12


def test_https_is_not_left_for_http() -> None:
    address = parsed("https://example.com/a.pkl")
    with pytest.raises(DownloadError, match="from https to http"):
        web._onward(address.url, "http://example.com/a.pkl", address)
    assert web._onward(address.url, "/b c.pkl", address) == "https://example.com/b%20c.pkl"


def test_a_checksum_is_held_against_the_content(site: Site, folder: Path) -> None:
    text = refusal(site, f"/model.safetensors#sha256={sha(OTHER)}")
    assert sha(MODEL) in text and sha(OTHER) in text and "was deleted" in text
    assert not parts(folder) and not list(folder.glob("*/model.safetensors"))
    assert get(site, f"/model.safetensors#SHA256={sha(MODEL)}").sha256 == sha(MODEL)
    assert "64 digits" in refusal(site, "/model.safetensors#sha256=abc")


def test_names_and_passwords_are_sent_once_and_never_told(site: Site, folder: Path) -> None:
    with serving() as elsewhere:
        elsewhere.pages["/m.pkl"] = Page(MODEL)
        site.pages["/moved"] = Page(status=302, headers={"Location": elsewhere.url("/m.pkl")})
        site.pages["/here"] = Page(status=302, headers={"Location": "/model.safetensors"})
        fetched(site.url("/moved?token=hushhush", "user:swordfish@"))
        fetched(site.url("/here", "user:swordfish@"))
        assert "authorization" not in elsewhere.asked[0].headers
        assert {one.headers["authorization"] for one in site.asked} == {"Basic dXNlcjpzd29yZGZpc2g="}
    for path in ("/gone?token=hushhush", "/model.safetensors?token=hushhush#sha256=" + sha(OTHER)):
        with pytest.raises(DownloadError) as caught:
            fetched(site.url(path, "user:swordfish@"))
        assert "swordfish" not in str(caught.value) + repr(caught.value) and "hushhush" not in str(caught.value)
    assert "swordfish" not in repr(parsed(site.url("/x?token=hushhush", "user:swordfish@")))
    texts = [path.read_text(errors="replace") for path in folder.rglob("*.json")]
    assert texts and not any(secret in text for text in texts for secret in ("swordfish", "hushhush", "dXNlcjpz"))
    assert all(json.loads(text)["address"] == "" for text in texts)


@pytest.mark.parametrize("problem, said", [
    (socket.gaierror(socket.EAI_NONAME, "unknown"), "No host 127.0.0.1 is known"),
    (TimeoutError("timed out"), "did not answer for 10 s"),
    (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "takes no connections"),
    (OSError(errno.ENETUNREACH, "unreachable"), "whether there is a network"),
    (ConnectionResetError(errno.ECONNRESET, "reset"), "ended the connection"),
    (OSError("Tunnel connection failed: 403 Forbidden"), "The proxy does not let us through"),
    (ssl.SSLCertVerificationError(1, "self-signed certificate"), "cannot prove that it is"),
    (ssl.SSLError(1, "wrong version"), "No secure connection"),
])  # fmt: skip
def test_connections_that_do_not_come_about_are_explained(
    site: Site, problem: OSError, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(socket, "create_connection", fails)
    assert said in refusal(site) and not site.asked
    assert said in web._failure(urllib.error.URLError(problem), parsed(site.url()), 10.0)


def test_https_where_http_is_spoken_is_explained(site: Site) -> None:
    with pytest.raises(DownloadError, match="No secure connection to 127.0.0.1"):
        fetched(site.url().replace("http", "https", 1))


def test_what_speaks_no_http_is_explained(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hello() -> None:
            with server.accept()[0] as other:
                other.recv(1000)
                other.sendall(b"220 this is something else\r\n\r\n")

        thread = threading.Thread(target=hello)
        thread.start()
        with pytest.raises(DownloadError, match="does not speak HTTP"):
            fetched(f"http://127.0.0.1:{server.getsockname()[1]}/x.pkl")
        thread.join()


@pytest.mark.parametrize("text, said", [
    ("ftp://example.com/x", "not from ftp"), ("file:///etc/passwd", "not from file"), ("x.pkl", "not an address"),
    ("http:///x", "no host"), ("http://example.com:b:c/", "host or port"), ("https://example.com/\x00", "letters that"),
    ("https://example.com/" + "y" * 5000, "too long"), ("http://example.com a/", "no host"),
])  # fmt: skip
def test_what_is_no_address_is_said(text: str, said: str) -> None:
    with pytest.raises(DownloadError, match=said):
        parsed(text)


def test_addresses_and_names() -> None:
    assert is_address(" HTTPS://x") and not is_address(r"C:\x.pkl") and not is_address("/a/http")
    odd = parsed(" http://example.com/a b/\u00fc%20x.pkl?q= \u00fc ")
    assert odd.url == "http://example.com/a%20b/%C3%BC%20x.pkl?q=%20%C3%BC" and odd.name == "\u00fc x.pkl"
    names = {"../../x": "x", "a\\b.pkl": "b.pkl", "con.pkl": "_con.pkl", ".x": "x", "a\nb": "a_b", "": "", "..": "",
             "a" * 300 + ".pkl": "a" * 96 + ".pkl", "x.pkl. ": "x.pkl", "a\u202eb": "a_b"}  # fmt: skip
    assert {name: file_name(name) for name in names} == names


def test_it_needs_no_torch() -> None:
    code = "import sys, gan.download, gan.models; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_whatever_happens_on_the_way_no_two_versions_are_mixed(site: Site, folder: Path) -> None:
    rng, outcomes = random.Random(0), Counter[str]()
    for turn in range(60):
        path = f"/{turn}.pkl"
        versions = [checkpoint_like(50_000 + rng.choice((0, 0, 7)), 1000 * turn + number) for number in range(3)]
        honest = rng.random() < 0.8  # a server that tells versions apart
        kind = rng.choice(("etag", "modified", "weak")) if honest else "nothing"
        page = site.pages[path] = Page(b"", ranges=rng.random() < 0.8, conditional=rng.random() < 0.7)
        for _ in range(6):
            version = rng.choice((0, 0, 0, 1, 2))
            page.content = versions[version]
            page.etag = {"etag": f'"{version}"', "weak": f'W/"{version}"'}.get(kind, "")
            page.modified = f"Mon, 05 Jan 2026 10:00:0{version} GMT" if kind == "modified" else ""
            page.cut = [rng.randrange(1, 50_000) for _ in range(rng.randrange(4))]
            page.length = rng.choice((None, None, None, -1)) if not page.cut else None
            page.statuses = rng.choice(([], [], [503], [500, 200]))
            stop = stopped_after(rng.randrange(1, 60_000)) if rng.random() < 0.4 else {}
            try:
                found = get(site, path, **stop)
            except DownloadError as problem:
                outcomes[type(problem).__name__] += 1
                continue
            content = found.path.read_bytes()
            assert content in versions and sha(content) == found.sha256 == found.path.parent.name
            assert content == page.content or not honest or found.note, "the newest, unless it says why not"
            outcomes["cached" if found.from_cache else "fetched"] += 1
    assert min(outcomes[word] for word in ("Cancelled", "cached", "fetched")) > 10, outcomes
