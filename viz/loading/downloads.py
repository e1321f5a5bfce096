# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Models that come from addresses, a thread each, so that the window never waits: started, followed, cancelled.

Nor does it wait for the cache's disk, which has a thread of its own.
"""

import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gan.hub.cache import Cache, hold_only, is_kept
from gan.hub.download import Cancelled, Downloaded, Progress, fetched
from gan.hub.url import DownloadError, is_address, parsed
from viz.core.state import SLOTS, Slot

RECENT = 5.0  # seconds over which the speed is taken
LOOK = 0.1  # seconds between two looks at it
FAILED = "failed"
Fetch = Callable[..., Downloaded]


@dataclass(frozen=True)
class Report:
    """What is shown of a slot's download. `stage`: as in Progress, or FAILED, with an `error` sentence."""

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


class _Disk:
    """Does what touches the disk one after the other, in a thread that lives as long as there is something to do."""

    def __init__(self) -> None:
        self._tasks: deque[Callable[[], object]] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def do(self, task: Callable[[], object]) -> None:
        """Returns at once."""
        with self._lock:
            self._tasks.append(task)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="download disk", daemon=True)
                self._thread.start()

    def wait(self, timeout: float) -> None:
        """Until all is done, or so many seconds."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._tasks:
                    self._thread = None
                    return
                task = self._tasks.popleft()
            try:
                task()
            except Exception:  # a mistake of ours is no reason to do nothing any more
                traceback.print_exc(file=sys.stderr)


class _Job(threading.Thread):
    """Fetches what was `opened`: an address, or a file of the cache that is gone, whose address it looks up first.

    What it says is replaced as a whole, never changed.
    """

    def __init__(
        self, opened: str, fetch: Fetch, wake: Callable[[], None], clock: Callable[[], float], before: "list[_Job]"
    ) -> None:
        super().__init__(name="download", daemon=True)  # ends with the program; what came is gone on with next time
        self.opened, self.url = opened, opened if is_address(opened) else ""
        self.cancelled = threading.Event()
        self.found: Downloaded | None = None
        self.now, self.speed, self.error = Progress("connecting"), 0.0, ""
        self._fetch, self._wake, self._clock, self._before = fetch, wake, clock, before
        self._seen: deque[tuple[float, int]] = deque()

    def run(self) -> None:
        for job in self._before:
            job.join()  # it was cancelled, and still has the part that this one goes on with
        self._before = []
        try:
            self.url = self.url or self._looked_up()
            self.found = self._fetch(self.url, progress=self._follow, cancelled=self.cancelled.is_set)
        except Cancelled:
            pass  # whoever did that no longer looks
        except DownloadError as problem:
            self.error = str(problem)
        except Exception as problem:  # a mistake of ours is no reason to leave a bar standing for ever
            traceback.print_exc(file=sys.stderr)
            self.error = f"The download failed: {type(problem).__name__}: run it again, and report it if it stays."
        self._wake()

    def _looked_up(self) -> str:
        url = Cache().address_of(self.opened)
        if not url:
            raise DownloadError(
                f"{Path(self.opened).name} is no longer among the downloads, and where it came from is not known: "
                "open its address or another file."
            )
        parsed(url)  # DownloadError where what was remembered is damaged
        return url

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
        self,
        wake: Callable[[], None] = lambda: None,
        fetch: Fetch = fetched,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wake, self._fetch, self._clock = wake, fetch, clock
        self._jobs: dict[Slot, _Job] = {}
        self._cancelled: list[_Job] = []
        self._refused: dict[Slot, Report] = {}  # addresses that are none
        self._disk = _Disk()
        self._shown: dict[str, str] = {}  # path in the cache -> the address it came from, "" if that is not known
        self._sought: set[str] = set()  # paths whose address is or was looked up
        self._wanted: tuple[str, ...] = ()  # paths that the slots show
        self._arrived: tuple[Path, ...] = ()  # what they are about to

    def takes(self, slot: Slot, text: str) -> bool:
        """Whether what a user opens has to be fetched first, which this then begins; it takes the place of any other.

        That is an address, or a file that was fetched from one and is no longer in the cache.
        """
        self.stop(slot)
        wanted = text.strip()
        if not (is_address(wanted) or is_kept(wanted)) or os.path.exists(wanted):
            return False
        self._start(slot, wanted)
        return True

    def again(self, slot: Slot) -> None:
        """Repeat a download that failed."""
        job = self._jobs.get(slot)
        if job is not None and job.error:
            self._start(slot, job.opened)

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
        url, now = job.url, job.now
        stage = FAILED if job.error else now.stage
        name, shown = _called(url) if url else (Path(job.opened).name, "")
        return Report(name, shown, stage, now.done, now.total, job.speed, job.error)

    def collect(self) -> dict[Slot, Downloaded]:
        """What arrived since the last call."""
        arrived = {slot: job.found for slot, job in self._jobs.items() if job.found is not None}
        self._arrived += tuple(found.path for found in arrived.values())
        for slot, found in arrived.items():
            address = parsed(self._jobs.pop(slot).url)
            if address.is_open:
                self._shown[str(found.path)] = address.shown
        return arrived

    def opened(self, paths: Iterable[str]) -> None:
        """Say which files the slots show: those stay in the cache as long as they do."""
        self._wanted, self._arrived = tuple(paths), ()
        self._disk.do(self._hold)

    def shown(self, path: str) -> str:
        """What a path is called on screen: the address that it was fetched from, as soon as that is known, else itself.

        It is asked in every frame, and looked up once.
        """
        if not path or not is_kept(path):
            return path
        if path not in self._shown and path not in self._sought:
            self._sought.add(path)
            self._disk.do(partial(self._look_up, path))
        return self._shown.get(path) or Path(path).name

    def close(self, timeout: float = 1.0) -> None:
        """Cancel everything, and wait a moment for it. What came is gone on with by whoever asks for it next."""
        for slot in SLOTS:
            self.stop(slot)
        deadline = time.monotonic() + timeout
        for job in self._cancelled:
            job.join(max(deadline - time.monotonic(), 0.0))
        self._disk.wait(max(deadline - time.monotonic(), 0.0))

    def _start(self, slot: Slot, wanted: str) -> None:
        try:
            if is_address(wanted):
                parsed(wanted)
        except DownloadError as problem:
            self._refused[slot] = Report("", "", FAILED, error=str(problem))
            return
        same = [job for job in self._jobs.values() if job.opened == wanted and not job.error]
        if same:
            self._jobs[slot] = same[0]
            return
        before = [job for job in self._cancelled if job.opened == wanted and job.is_alive()]
        self._jobs[slot] = _Job(wanted, self._fetch, self._wake, self._clock, before)
        self._jobs[slot].start()

    def _look_up(self, path: str) -> None:
        found = Cache().address_of(path)
        self._shown.setdefault(path, found)  # it may have arrived meanwhile
        self._wake()

    def _hold(self) -> None:
        found = [job.found for job in list(self._jobs.values())]
        hold_only([*self._wanted, *self._arrived, *(one.path for one in found if one)])


def _called(url: str) -> tuple[str, str]:
    """(the file's name, the address without secrets)."""
    address = parsed(url)
    return address.name or address.host, address.shown
