# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Downloads of the window: a thread each, so that it never waits, started, followed and cancelled by slot.

Nor does it wait for the cache's disk, which has a thread of its own.
"""

import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from gan.hub.cache import Cache, hold_only, is_cached
from gan.hub.download import Cancelled, Downloaded, Progress, fetch
from gan.hub.published import Published, find_published
from gan.hub.url import DownloadError, is_address, parse_address
from viz.core.state import SLOTS, Slot

SPEED_SECONDS = 5.0  # over which the speed is taken
SAMPLE_SECONDS = 0.1  # between two samples of it
FAILED = "failed"
Fetch = Callable[..., Downloaded]


@dataclass(frozen=True)
class Report:
    """A slot's download as it is shown. `stage`: as in Progress, or FAILED, with an `error` sentence."""

    name: str  # the file's
    address: str  # without secrets
    stage: str = "connecting"
    done: int = 0  # bytes
    total: int | None = None
    speed: float = 0.0  # bytes a second, 0 where it is not known yet
    error: str = ""

    @property
    def fraction(self) -> float | None:
        """The part that is done, of 1; None where it is not known."""
        return min(self.done / self.total, 1.0) if self.total else None

    @property
    def seconds_left(self) -> float | None:
        """The rest of the download alone; None where it is not known."""
        if self.stage != "downloading" or not self.total or not self.speed:
            return None
        return max(self.total - self.done, 0) / self.speed


class _Job(threading.Thread):
    """Fetches what was `opened`: an address, or an evicted file of the cache, whose address it looks up first.

    Its attributes are replaced as a whole, never changed. `predecessors` were cancelled: they still lock the part that
    this one resumes.
    """

    def __init__(
        self,
        opened: str,
        fetch: Fetch,
        wake: Callable[[], None],
        clock: Callable[[], float],
        predecessors: "list[_Job]",
    ) -> None:
        super().__init__(name="download", daemon=True)  # ends with the program; the next one resumes
        self.opened, self.url = opened, opened if is_address(opened) else ""
        self.cancelled = threading.Event()
        self.found: Downloaded | None = None
        self.now, self.speed, self.error = Progress("connecting"), 0.0, ""
        self._fetch, self._wake, self._clock, self._predecessors = fetch, wake, clock, predecessors
        self._samples: deque[tuple[float, int]] = deque()

    def run(self) -> None:
        while self._predecessors:
            self._predecessors.pop().join()
        try:
            self.url = self.url or self._find_url()
            self.found = self._fetch(self.url, progress=self._follow, cancelled=self.cancelled.is_set)
        except Cancelled:
            pass  # nobody looks any more
        except DownloadError as problem:
            self.error = str(problem)
        except Exception as problem:  # a mistake of ours is no reason to leave a bar standing for ever
            traceback.print_exc(file=sys.stderr)
            self.error = f"The download failed ({type(problem).__name__}): try again, and report it if it stays."
        self._wake()

    def _find_url(self) -> str:
        url = Cache().find_address(self.opened)
        if not url:
            raise DownloadError(
                f"{Path(self.opened).name} is no longer in the cache, and its address is not known: "
                "open its address or another file."
            )
        parse_address(url)  # DownloadError where the record is damaged
        return url

    def _follow(self, now: Progress) -> None:
        at, samples = self._clock(), self._samples
        if now.stage != "downloading":
            samples.clear()
            self.speed = 0.0
        elif not samples or at - samples[-1][0] >= SAMPLE_SECONDS:
            samples.append((at, now.done))
            while at - samples[0][0] > SPEED_SECONDS and len(samples) > 2:
                samples.popleft()
            seconds = at - samples[0][0]
            self.speed = (now.done - samples[0][1]) / seconds if seconds else 0.0
        self.now = now


class Downloads:
    """The downloads of both slots. All calls return at once, and are the window's thread's to make."""

    def __init__(
        self, wake: Callable[[], None] = lambda: None, fetch: Fetch = fetch, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._wake, self._fetch, self._clock = wake, fetch, clock
        self._jobs: dict[Slot, _Job] = {}
        self._cancelled: list[_Job] = []
        self._offers: dict[Slot, Published] = {}
        self._refused: dict[Slot, Report] = {}  # unusable addresses
        self._disk = ThreadPoolExecutor(1, "download disk")
        self._addresses: dict[str, str] = {}  # by path in the cache; "" where it is not known, or not yet
        self._shown: tuple[str, ...] = ()  # paths in the slots
        self._arrived: tuple[Path, ...] = ()  # paths that are about to be

    def begin(self, slot: Slot, text: str) -> bool:
        """Begin to fetch what a user opens, in the place of the slot's other download; False if it needs no fetching.

        It does if it is an address, or a file of the cache that was evicted; a published checkpoint is offered first.
        """
        self.cancel(slot)
        wanted = text.strip()
        published = None if os.path.exists(wanted) else find_published(wanted)
        if published is not None:
            self._offers[slot] = published
            return True
        if not (is_address(wanted) or is_cached(wanted)) or os.path.exists(wanted):
            return False
        self._start(slot, wanted)
        return True

    def offer(self, slot: Slot) -> Published | None:
        """Return the published checkpoint that waits to be accepted in a slot; None without one."""
        return self._offers.get(slot)

    def accept(self, slot: Slot) -> None:
        """Begin to fetch what is offered: its terms were shown."""
        published = self._offers.pop(slot, None)
        if published is not None:
            self._start(slot, published.address)

    def retry(self, slot: Slot) -> None:
        """Repeat a download that failed."""
        job = self._jobs.get(slot)
        if job is not None and job.error:
            self._start(slot, job.opened)

    def cancel(self, slot: Slot) -> None:
        """Cancel a slot's download, or forget that it failed, or what it was offered."""
        self._refused.pop(slot, None)
        self._offers.pop(slot, None)
        job = self._jobs.pop(slot, None)
        if job is not None and job not in self._jobs.values():  # the other slot may wait for it, too
            job.cancelled.set()
            self._cancelled = [old for old in [*self._cancelled, job] if old.is_alive()]

    def report(self, slot: Slot) -> Report | None:
        """Return the state of a slot's download; None without one."""
        job = self._jobs.get(slot)
        if job is None:
            return self._refused.get(slot)
        name, shown, now = Path(job.opened).name, "", job.now
        if job.url:
            address = parse_address(job.url)
            name, shown = address.file_name or address.host, address.shown
        return Report(name, shown, FAILED if job.error else now.stage, now.done, now.total, job.speed, job.error)

    def collect(self) -> dict[Slot, Downloaded]:
        """Return what arrived since the last call."""
        arrived = {slot: job.found for slot, job in self._jobs.items() if job.found is not None}
        self._arrived += tuple(found.path for found in arrived.values())
        for slot, found in arrived.items():
            address = parse_address(self._jobs.pop(slot).url)
            if address.is_open:
                self._addresses[str(found.path)] = address.shown
        return arrived

    def keep(self, paths: Iterable[str]) -> None:
        """Keep these files, which the slots show in their order, in the cache, and release the others.

        The download of a slot that shows another file since, a bookmark's for example, is cancelled: it would take its
        place later.
        """
        before, self._shown, self._arrived = self._shown, tuple(paths), ()
        for slot, old, new in zip(SLOTS, before, self._shown, strict=False):
            if old != new:
                self.cancel(slot)
        self._on_disk(self._hold)

    def display_name(self, path: str) -> str:
        """Return the address that a path was fetched from, as soon as it is looked up, once; else the path itself."""
        if not path or not is_cached(path):
            return path
        if path not in self._addresses:
            self._addresses[path] = ""
            self._on_disk(lambda: self._look_up(path))
        return self._addresses[path] or Path(path).name

    def close(self, timeout: float = 1.0) -> None:
        """Cancel everything, and wait a moment for it; the next request for an address resumes it."""
        for slot in SLOTS:
            self.cancel(slot)
        deadline = time.monotonic() + timeout
        for job in self._cancelled:
            job.join(max(deadline - time.monotonic(), 0.0))
        wait([self._disk.submit(int)], max(deadline - time.monotonic(), 0.0))  # it comes after all other tasks

    def _start(self, slot: Slot, wanted: str) -> None:
        try:
            if is_address(wanted):
                parse_address(wanted)
        except DownloadError as problem:
            self._refused[slot] = Report("", "", FAILED, error=str(problem))
            return
        job = next((job for job in self._jobs.values() if job.opened == wanted and not job.error), None)
        if job is None:
            predecessors = [old for old in self._cancelled if old.opened == wanted and old.is_alive()]
            job = _Job(wanted, self._fetch, self._wake, self._clock, predecessors)
            job.start()
        self._jobs[slot] = job

    def _on_disk(self, task: Callable[[], object]) -> None:
        self._disk.submit(task).add_done_callback(_print_mistake)

    def _look_up(self, path: str) -> None:
        found = Cache().find_address(path)
        self._addresses[path] = self._addresses[path] or found  # it may have arrived meanwhile
        self._wake()

    def _hold(self) -> None:
        found = [job.found for job in list(self._jobs.values())]
        hold_only([*self._shown, *self._arrived, *(one.path for one in found if one)])


def _print_mistake(task: Future[object]) -> None:
    problem = None if task.cancelled() else task.exception()
    if problem is not None:
        traceback.print_exception(problem, file=sys.stderr)
