# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Downloads: whole, or gone on with where they broke off, and never two versions mixed."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fetching import (
    MODEL,
    OTHER,
    POSIX,
    ROOT,
    Sleeps,
    cache_in,
    child,
    get,
    one_model,
    parts,
    refusal,
    sha,
    stopped_after,
)
from support.sites import Page, Site, checkpoint_like

from gan.hub.download import RETRY_SECONDS, Cancelled, Downloaded, Progress
from gan.hub.url import DownloadError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with cache_in(tmp_path / "models", monkeypatch) as found:
        yield found


@pytest.fixture
def site(folder: Path) -> Iterator[Site]:
    with one_model() as found:
        yield found


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


@pytest.mark.parametrize("etag, modified", [("", "Mon, 05 Jan 2026 10:00:00 GMT"), ('"a"', ""), ('W/"a"', "")])
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


def test_without_anything_that_tells_versions_apart_it_is_fetched_every_time(site: Site) -> None:
    site.pages["/model.safetensors"] = Page(MODEL, etag="")
    first = get(site)
    site.pages["/model.safetensors"] = Page(OTHER, etag="")
    assert len(OTHER) == len(MODEL)
    found = get(site)
    assert found.path.read_bytes() == OTHER and not found.from_cache and found.sha256 != first.sha256
    assert get(site).path == found.path


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
    assert "broke off after 48.8 KiB of 97.7 KiB" in text and "try again to resume it" in text
    assert len(site.asked) == 1 + len(RETRY_SECONDS) and sum(sleeps) == pytest.approx(1 + 2 + 4 + 8)
    assert parts(folder)[0].read_bytes() == MODEL[:50_000]
    site.pages["/model.safetensors"].cut = []
    assert get(site).path.read_bytes() == MODEL and site.asked[-1].headers["range"] == "bytes=50000-"


def test_what_was_cancelled_is_gone_on_with(site: Site, folder: Path) -> None:
    page = site.pages["/model.safetensors"]
    page.cut = [40_000]
    with pytest.raises(Cancelled, match="resume it"):
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


@pytest.mark.parametrize("whole", [False, True])
def test_a_sum_that_does_not_fit_what_was_gone_on_with_is_looked_at_from_the_first_byte(
    site: Site, folder: Path, whole: bool
) -> None:
    page = site.pages["/model.safetensors"] = Page(OTHER, etag="", cut=[] if whole else [40_000])
    with pytest.raises(Cancelled):
        get(site, sha256=sha(MODEL), **stopped_after(len(OTHER) if whole else 40_000))
    page.content = MODEL  # of the same length: only the sum tells
    assert get(site, sha256=sha(MODEL)).path.read_bytes() == MODEL and not parts(folder)
    assert [one.status for one in site.asked] == [200, 416 if whole else 206, 200]
    assert "range" not in site.asked[-1].headers


def test_a_sum_that_never_fits_is_said_after_one_more_try(site: Site, folder: Path) -> None:
    page = site.pages["/model.safetensors"] = Page(OTHER, etag="")
    page.cut = [40_000]
    assert "compare both with what its author says" in refusal(site, sha256=sha(MODEL))
    assert [one.status for one in site.asked] == [200, 206, 200] and not parts(folder)


@pytest.mark.parametrize(
    "facts", [{"etag": 1}, {"etag": "a\nb"}, {"modified": "\u20ac"}, {"bytes": "x"}, {"bytes": -1}, {"bytes": True}]
)
def test_a_part_whose_description_is_nonsense_starts_over(site: Site, folder: Path, facts: dict[str, Any]) -> None:
    page = site.pages["/model.safetensors"]
    page.cut = [40_000]
    with pytest.raises(Cancelled):
        get(site, **stopped_after(40_000))
    path = parts(folder)[0].with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))
    assert get(site).path.read_bytes() == MODEL and "range" not in site.asked[-1].headers


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
    assert "cannot answer now (503): try again later" in refusal(site, "/busy")


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


def test_it_needs_no_torch() -> None:
    code = "import sys, gan.hub.download, gan.hub.resolve; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.slow
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


def test_a_length_that_was_learnt_late_counts(site: Site) -> None:
    """The first answer has no length, the second says it and breaks off, too: what came is not the whole."""
    page = site.pages["/model.safetensors"]
    page.length, page.cut, page.gate = -1, [], lambda at: time.sleep(0.01)
    with pytest.raises(Cancelled):
        get(site, **stopped_after(20_000))
    page.length, page.cut, page.gate = None, [10] * 20, None
    with pytest.raises(DownloadError, match="broke off"):
        get(site)
    page.cut = []
    assert get(site).path.read_bytes() == MODEL
