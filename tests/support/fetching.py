# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What the tests of downloads share: an empty cache, a site with one model, and ways to fetch it."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gan.hub import cache
from gan.hub.cache import hold_only
from gan.hub.download import LIMIT_VARIABLE, Downloaded, Progress, fetch
from gan.hub.url import DownloadError
from support.paths import ROOT
from support.sites import Page, Site, checkpoint_like, serving

MODEL = checkpoint_like(100_000)
OTHER = checkpoint_like(100_000, 1)
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals and locks of POSIX systems")


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def cache_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The cache's folder, empty; no proxy of the environment is in the way."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", LIMIT_VARIABLE.lower()):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(cache, "cache_folder", lambda: folder)
    yield folder
    hold_only([])


@contextmanager
def one_model() -> Iterator[Site]:
    """A site that serves MODEL as /model.safetensors."""
    with serving() as found:
        found.pages["/model.safetensors"] = Page(MODEL)
        yield found


class Sleeps(list[float]):
    """A clock that does not wait."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def get(site: Site, path: str = "/model.safetensors", **options: Any) -> Downloaded:
    return fetch(site.url(path), **{"sleep": Sleeps(), "timeout": 10.0, **options})


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


CHILD = """
import sys
from pathlib import Path
from gan.hub.download import fetch
from gan.hub.cache import Cache
found = fetch(sys.argv[1], cache=Cache(Path(sys.argv[2])), timeout=30)
print(found.path, found.from_cache, flush=True)
if sys.argv[3:]:
    sys.stdin.read()
"""


def child(site: Site, folder: Path, *words: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, site.url(), str(folder), *words],
        cwd=ROOT,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    )
