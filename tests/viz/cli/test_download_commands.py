# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Command lines given an address where a model is wanted: every one that takes a model, what is shown, what is kept."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image
from support.gui import save_model
from support.paths import ROOT
from support.sites import Page, Site, serving

from gan.hub import cache, resolve
from gan.hub.cache import hold_only
from train.cli.main import main as trainer
from viz.cli.main import main as viewer

POSIX = pytest.mark.skipif(os.name == "nt", reason="a terminal of POSIX systems")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Serves one small model, rung T, as /t.safetensors."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "jinc" / "models")
    with serving() as found:
        found.pages["/t.safetensors"] = Page(Path(save_model(tmp_path / "made.safetensors", "T", 16)).read_bytes())
        yield found
    hold_only([])


def run(program: object, *words: str) -> Result:
    return CliRunner().invoke(program, list(words))  # type: ignore[arg-type]


def test_inspect_names_the_file_and_shows_the_checksum(site: Site) -> None:
    ran = run(viewer, "inspect", site.url("/t.safetensors"))
    assert ran.exit_code == 0, ran.output
    checksum = re.search(r"t\.safetensors: [\d.]+ KiB, sha256 ([0-9a-f]{64})\n", ran.stderr)
    assert checksum and "t.safetensors: " in ran.stdout and "16x16" in ran.stdout
    again = run(viewer, "inspect", site.url(f"/t.safetensors#sha256={checksum[1]}"))
    assert again.stdout == ran.stdout and f"from the cache, sha256 {checksum[1]}" in again.stderr
    assert [one.status for one in site.asked] == [200]


def test_a_picture_says_where_its_model_lies_without_secrets(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "p.png"
    address = site.url("/t.safetensors?token=hushhush", "user:swordfish@")
    ran = run(viewer, "render", "--model", address, "--out", str(out))
    assert ran.exit_code == 0, ran.output
    with Image.open(out) as picture:
        said = picture.text["jinc"]
    sha256 = re.search(r"sha256 ([0-9a-f]{64})", ran.stderr)
    assert sha256 and f'"{site.url("/t.safetensors")}#sha256={sha256[1]}"' in said
    assert not any(secret in text for text in (said, ran.output) for secret in ("swordfish", "hushhush"))


@pytest.mark.slow
def test_the_other_commands_take_addresses_too(site: Site, tmp_path: Path) -> None:
    address, out = site.url("/t.safetensors"), tmp_path / "out"
    for ran in (
        run(trainer, "metrics", "--model", address, "--num", "2"),
        run(viewer, "spectra", "--model", address, "--num", "2", "--out", f"{out}.npz"),
        run(viewer, "sticking", "--left", address, "--right", address, "--num", "2", "--out", str(out)),
    ):
        assert ran.exit_code == 0 and "sha256" in ran.stderr, ran.output
    assert f'"model": "{address}#sha256=' in (out / "sticking.json").read_text()
    assert [one.status for one in site.asked] == [200, 304, 304, 304]


@pytest.mark.parametrize("words", [("inspect", "{}"), ("render", "--model", "{}", "--out", "x.png")])
def test_what_is_not_there_is_one_sentence(site: Site, words: tuple[str, ...]) -> None:
    address = site.url("/gone.pkl")
    ran = run(viewer, *(word.format(address) for word in words))
    assert ran.exit_code == 1 and ran.output == f"Error: There is no file at {address} (404): check the address.\n"
    assert "not from ftp" in run(viewer, "inspect", "ftp://example.com/x.pkl").output


def test_a_snapshot_from_an_address_has_a_short_name(tmp_path: Path) -> None:
    sha256 = "0123456789abcdef" * 4
    assert resolve.shorten_name(tmp_path / sha256 / "network-snapshot-000010.pkl") == "01234567/network-snapshot-000010"
    assert resolve.shorten_name(tmp_path / "run" / "network-snapshot-000010.pkl") == "run/network-snapshot-000010"


INTERRUPTIBLE = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in a shell's background
runpy.run_path("visualizer.py", run_name="__main__")
"""


@pytest.mark.slow
@POSIX
def test_a_terminal_sees_how_far_it_is_and_ctrl_c_keeps_what_came(site: Site, tmp_path: Path) -> None:
    import pty

    page, came = site.pages["/t.safetensors"], threading.Event()
    half = len(page.content) // 2

    def gate(sent: int) -> None:
        if sent > half and len(site.asked) == 1:
            came.set()
            time.sleep(60)

    page.gate = gate
    words = [sys.executable, "-c", INTERRUPTIBLE, "inspect", site.url("/t.safetensors")]

    def ran(interrupt: bool) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            words, cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
        ) as process:
            os.close(theirs)
            seen = b""
            if interrupt:
                while b"[#" not in seen or not came.is_set():
                    seen += os.read(ours, 10_000)
                process.send_signal(signal.SIGINT)
            try:
                while more := os.read(ours, 10_000):
                    seen += more
            except OSError:  # the other end is closed
                pass
            os.close(ours)
        return process.returncode, seen.decode()

    status, seen = ran(interrupt=True)
    assert status == 130 and "Downloading t.safetensors" in seen and "KiB" in seen
    assert "The download of t.safetensors was interrupted: run the same command again to resume it." in seen
    assert "Traceback" not in seen and "Abort" not in seen
    (part,) = tmp_path.rglob("*.part")
    kept = part.stat().st_size
    assert 0 < kept < len(page.content)
    status, seen = ran(interrupt=False)
    assert status == 0 and "100%" in seen and "sha256" in seen
    assert site.asked[-1].headers["range"] == f"bytes={kept}-"
