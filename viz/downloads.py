# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Models that come from addresses, a thread each, so that the window never waits: started, followed, cancelled."""

import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from gan.addresses import DownloadError, is_address, parsed
from gan.download import Cancelled, Downloaded, Progress, fetched
from gan.download_cache import Cache, hold_only, is_kept
from viz.state import SLOTS, Slot

RECENT = 5.0  # seconds over which the speed is taken
LOOK = 0.1  # seconds between two looks at it
FAILED = "failed"
Fetch = Callable[..., Downloaded]


@dataclass(frozen=True)
class Report:
    """What is shown of a slot's download. `stage`: as in gan.download.Progress, or FAILED, with an `error` sentence."""

    name: str  # the file's
    address: str  # without secrets
    stage: str = "connecting"
    done: int = 0  # bytes
    total: int | None = None
    speed: float = 0.0  # bytes a second, 0 where it is not known yet
    error: str = ""

    @property
    def fraction(self) -> float | None:
        """How much is done, of 1; None where nobody knows."""
        return min(self.done / self.total, 1.0) if self.total else None

    @property
    def seconds_left(self) -> float | None:
        """Of the download alone; None where nobody knows."""
        if self.stage != "downloading" or not self.total or not self.speed:
            return None
        return max(self.total - self.done, 0) / self.speed


class _Job(threading.Thread):
    """Fetches one address. What it says is replaced as a whole, never changed."""

    def __init__(
        self, url: str, fetch: Fetch, wake: Callable[[], None], clock: Callable[[], float], before: "list[_Job]"
    ) -> None:
        super().__init__(name="download", daemon=True)  # ends with the program; what came is gone on with next time
        self.url, self.cancelled = url, threading.Event()
        self.found: Downloaded | None = None
        self.now, self.speed, self.error = Progress("connecting"), 0.0, ""
        self._fetch, self._wake, self._clock, self._before = fetch, wake, clock, before
        self._seen: deque[tuple[float, int]] = deque()

    def run(self) -> None:
        for job in self._before:
            job.join()  # it was cancelled, and still has the part that this one goes on with
        self._before = []
        try:
            self.found = self._fetch(self.url, progress=self._follow, cancelled=self.cancelled.is_set)
        except Cancelled:
            pass  # whoever did that no longer looks
        except DownloadError as problem:
            self.error = str(problem)
        except Exception as problem:  # a mistake of ours is no reason to leave a bar standing for ever
            traceback.print_exc(file=sys.stderr)
            self.error = f"The download failed: {type(problem).__name__}: run it again, and report it if it stays."
        self._wake()

    def _follow(self, now: Progress) -> None:
        at, seen = self._clock(), self._seen
        if now.stage != "downloading":
            seen.clear()
            self.speed = 0.0
        elif not seen or at - seen[-1][0] >= LOOK:
            seen.append((at, now.done))
            while at - seen[0][0] > RECENT and len(seen) > 2:
                seen.popleft()
            seconds = at - seen[0][0]
            self.speed = (now.done - seen[0][1]) / seconds if seconds else 0.0
        self.now = now


class Downloads:
    """The downloads of both slots. All calls return at once, and are the window's thread's to make."""

    def __init__(
        self, wake: Callable[[], None] = lambda: None, fetch: Fetch = fetched,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._wake, self._fetch, self._clock = wake, fetch, clock
        self._jobs: dict[Slot, _Job] = {}
        self._cancelled: list[_Job] = []
        self._refused: dict[Slot, Report] = {}  # addresses that are none
        self._shown: dict[str, str] = {}  # path in the cache -> the address it came from

    def takes(self, slot: Slot, text: str) -> bool:
        """Whether what a user opens has to be fetched first, which this then begins; it takes the place of any other.

        That is an address, or a file that was fetched from one and is no longer in the cache.
        """
        self.stop(slot)
        url = text.strip()
        if is_kept(url) and not os.path.exists(url):
            url = self._source(url) or url
        if not is_address(url) or os.path.exists(url):
            return False
        self._start(slot, url)
        return True

    def again(self, slot: Slot) -> None:
        """Repeat a download that failed."""
        job = self._jobs.get(slot)
        if job is not None and job.error:
            self._start(slot, job.url)

    def stop(self, slot: Slot) -> None:
        """Cancel a slot's download, or forget that it failed."""
        self._refused.pop(slot, None)
        job = self._jobs.pop(slot, None)
        if job is not None and job not in self._jobs.values():  # the other slot may wait for it, too
            job.cancelled.set()
            self._cancelled = [old for old in [*self._cancelled, job] if old.is_alive()]

    def report(self, slot: Slot) -> Report | None:
        """How a slot's download stands; None without one."""
        job = self._jobs.get(slot)
        if job is None:
            return self._refused.get(slot)
        address, now = parsed(job.url), job.now
        stage = FAILED if job.error else now.stage
        name = address.name or address.host
        return Report(name, address.shown, stage, now.done, now.total, job.speed, job.error)

    def collect(self) -> dict[Slot, Downloaded]:
        """What arrived since the last call."""
        arrived = {slot: job.found for slot, job in self._jobs.items() if job.found is not None}
        for slot in arrived:
            del self._jobs[slot]
        return arrived

    def opened(self, paths: Iterable[str]) -> None:
        """Say which files the slots show: those stay in the cache as long as they do."""
        hold_only([*paths, *(job.found.path for job in self._jobs.values() if job.found)])

    def shown(self, path: str) -> str:
        """What a path is called on screen: the address that it was fetched from, else itself."""
        if not path or not is_kept(path):
            return path
        return self._source(path) or Path(path).name

    def close(self, timeout: float = 1.0) -> None:
        """Cancel everything, and wait a moment for it. What came is gone on with by whoever asks for it next."""
        for slot in SLOTS:
            self.stop(slot)
        deadline = time.monotonic() + timeout
        for job in self._cancelled:
            job.join(max(deadline - time.monotonic(), 0.0))

    def _start(self, slot: Slot, url: str) -> None:
        try:
            parsed(url)
        except DownloadError as problem:
            self._refused[slot] = Report("", "", FAILED, error=str(problem))
            return
        same = [job for job in self._jobs.values() if job.url == url and not job.error]
        if same:
            self._jobs[slot] = same[0]
            return
        before = [job for job in self._cancelled if job.url == url and job.is_alive()]
        self._jobs[slot] = _Job(url, self._fetch, self._wake, self._clock, before)
        self._jobs[slot].start()

    def _source(self, path: str) -> str:
        if path not in self._shown:
            self._shown[path] = Cache().address_of(path)  # once: this is asked in every frame
        return self._shown[path]
