# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Fetch a model from an http or https address into the cache: resumed where it stopped, asked for again only if new.

Nothing that a server says is believed: lengths are limits that the bytes are held against, names are made harmless,
and what arrives is a model by its contents or is deleted. Opening it later runs nothing of it (gan.checkpoints).
"""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from gan.checkpoints.file_type import detect_file_type
from gan.checkpoints.read_limits import RefusedError
from gan.files.format import format_bytes
from gan.hub.cache import Cache, Part, Record, compute_sha256
from gan.hub.http import POLL_SECONDS, Answer, BrokenError, WebError, ask
from gan.hub.url import Address, DownloadError, parse_address

DEFAULT_LIMIT = 4 * 2**30  # bytes of a file
LIMIT_VARIABLE = "JINC_DOWNLOAD_LIMIT"  # GiB
SILENCE_SECONDS = 20.0  # that a server may be silent
RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0)  # before each new connection in the place of one that broke
ENOUGH_BYTES = 2**20  # after which a connection that breaks counts as the first again


class Cancelled(DownloadError):
    """A download that the user stopped; what came stays for the next time."""


class Progress(NamedTuple):
    """The state of a download. `stage`: "connecting", "downloading", "waiting" (to connect again), "checking"."""

    stage: str
    done: int = 0  # bytes
    total: int | None = None  # None: the server does not say


@dataclass(frozen=True)
class Downloaded:
    """A model in the cache, held for this process. `note`: a sentence on why an old copy is used, or ""."""

    path: Path
    sha256: str
    bytes: int
    from_cache: bool
    note: str = ""


def fetch(
    url: str,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    limit: int | None = None,
    sha256: str | None = None,
    cache: Cache | None = None,
    timeout: float = SILENCE_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Downloaded:
    """Fetch the model at an address, from the cache where the server has nothing newer or cannot be reached.

    `limit`: bytes; None is JINC_DOWNLOAD_LIMIT or 4 GiB. `sha256`, or `#sha256=HEX` at the address's end: the
    content's. `progress` and `cancelled` are called often, on this thread. DownloadError (Cancelled) says in one
    sentence what went wrong; the next call, in this process or another, resumes what came until then.
    """
    address = parse_address(url, sha256)
    cache, limit = cache or Cache(), size_limit() if limit is None else limit

    def check(done: int, total: int) -> None:
        if cancelled():
            raise Cancelled(f"{address.shown} was not opened: the check of its file was stopped.")
        progress(Progress("checking", done, total))

    cache.sweep()
    record = cache.record(address)
    wanted = address.sha256 or (record.sha256 if record else "")
    kept = cache.find(wanted, check) if wanted else None
    if kept and address.sha256:  # named by its content: the server could only say the same
        return Downloaded(kept, wanted, kept.stat().st_size, True)
    with ExitStack() as stack:
        with cache.writing():
            part = stack.enter_context(cache.part(address))
        transfer = _Transfer(address, cache, part, limit, progress, cancelled, timeout, sleep)
        note = transfer.run(record if kept else None)
        if note is not None and kept and record:
            return _use_copy(address, cache, record, kept, note)
        try:
            return _compare(transfer.store(check), record)
        except _UnfitError:
            if not (address.sha256 and transfer.resumed):
                raise
        with cache.writing():
            part.reset(Record())  # it may have been halves of two files
        transfer.run(None)
        return _compare(transfer.store(check), record)


def _compare(found: Downloaded, record: Record | None) -> Downloaded:
    """Return what was fetched, with a note if it is another file than what the same address gave before."""
    if record is None or record.sha256 == found.sha256:
        return found
    day = time.strftime("%Y-%m-%d", time.localtime(record.checked))
    return replace(found, note=f"Until {day} this address gave another file, of sha256 {record.sha256}")


def size_limit() -> int:
    """Return the bytes that a model may have; DownloadError where JINC_DOWNLOAD_LIMIT is no number."""
    given = os.environ.get(LIMIT_VARIABLE, "").strip()
    if not given:
        return DEFAULT_LIMIT
    try:
        wanted = float(given)
        if 0 < wanted < 2**20:
            return int(wanted * 2**30)
    except ValueError:
        pass
    raise DownloadError(
        f"{LIMIT_VARIABLE} is {given[:40]!r}, not a number of GiB: set it to one, such as 8, or unset it."
    )


def _use_copy(address: Address, cache: Cache, record: Record, kept: Path, note: str) -> Downloaded:
    """Return the copy in the cache, which is still right (no `note`) or the best there is."""
    if note:
        day = time.strftime("%Y-%m-%d", time.localtime(record.checked))
        note = f"{note.rstrip('.')}. The copy of {day} is used."
    else:
        with cache.writing():
            cache.remember(address, record)
    return Downloaded(kept, record.sha256, kept.stat().st_size, True, note)


class _UnfitError(DownloadError):
    """A whole file that is not the one wanted."""


@dataclass
class _Transfer:
    """Fills a part, over as many connections as it takes, and stores it. `resumed`: it began over another one."""

    address: Address
    cache: Cache
    part: Part
    limit: int
    progress: Callable[[Progress], None]
    cancelled: Callable[[], bool]
    timeout: float
    sleep: Callable[[float], None]
    resumed: bool = False

    def __post_init__(self) -> None:
        self._total, self._any_came = self.part.record.bytes, False
        self._name, self._host = "", self.address.host

    def run(self, record: Record | None) -> str | None:
        """Fill the part; return None when it is whole.

        With a `record` of a copy that can be used instead: "" when that is what the server has, or a sentence on why
        the server could not be asked.
        """
        failures = 0
        while True:
            before = self.part.size
            try:
                return self._attempt(record)
            except WebError as problem:
                if record and not self._any_came:
                    return str(problem)
                if not (problem.temporary or self._any_came):
                    raise
                reason = str(problem)
            except BrokenError as problem:
                of = f" of {format_bytes(self._total)}" if self._total else ""
                again = "try again to resume it" if self._is_resumable() else "try again"
                came = f"{format_bytes(self.part.size)}{of}"
                reason = f"The connection to {self._host} {problem} after {came}: {again}."
            failures = 0 if self.part.size - before >= ENOUGH_BYTES else failures + 1
            if failures > len(RETRY_SECONDS):
                raise DownloadError(reason)
            self._wait(RETRY_SECONDS[max(failures - 1, 0)])

    def store(self, check: Callable[[int, int], None]) -> Downloaded:
        """Check a part that is whole, and make it a file of the cache. DownloadError."""
        address, part = self.address, self.part
        with self.cache.writing():
            if not part.size:
                part.delete()
                raise DownloadError(f"{self._host} sent an empty file for {address.shown}: check the address.")
            try:
                detect_file_type(part.path)
            except RefusedError as problem:
                part.delete()
                raise _UnfitError(f"The file at {address.shown} {problem}.") from None
            sha256, size = compute_sha256(part.path, check), part.size
            if address.sha256 and sha256 != address.sha256:
                part.delete()
                raise _UnfitError(
                    f"The file at {address.shown} has the sha256 {sha256} instead of {address.sha256}, "
                    "and was deleted: compare both with what its author says."
                )
            path = self.cache.store(part, sha256, self._name)
            shown = address.shown if address.is_open else ""
            record = Record(shown, sha256, path.name, size, part.record.etag, part.record.modified)
            self.cache.remember(address, record)
        return Downloaded(path, sha256, size, False)

    def _attempt(self, record: Record | None) -> str | None:
        """Make one connection; return as `run`. BrokenError, DownloadError."""
        part = self.part
        self._report("connecting")
        done = part.size if self._is_resumable() else 0
        with ask(self.address, self._headers(done, record), self.timeout, self._check_cancelled) as answer:
            self._host = answer.host
            if answer.status == 304 or (answer.status == 200 and record and _is_same(answer, record)):
                return ""
            name = self.address.file_name
            self._name = name if "." in name else answer.file_name or name or "model"
            self.resumed = answer.status != 200
            if answer.status == 416 and done and answer.total == done and part.record.bytes in (None, done):
                return None  # all was there
            if answer.status == 416 or answer.status == 206 and not self._continues(answer, done):
                with self.cache.writing():
                    part.reset(Record())
                raise BrokenError("does not go on where it stopped")
            if answer.status == 200:
                with self.cache.writing():
                    part.reset(Record(bytes=answer.total, etag=answer.etag, modified=answer.modified))
            if answer.status == 200 or answer.total is not None:
                self._total = answer.total  # the first answer may have had no length
            self._check_room(part.size)
            self._receive(answer)
        return None

    def _headers(self, done: int, record: Record | None) -> dict[str, str]:
        if done:
            begun = self.part.record
            since = begun.modified if begun.etag.startswith("W/") else begun.etag or begun.modified
            headers = {"Range": f"bytes={done}-", "If-Range": since}
        else:
            headers = {"If-None-Match": record.etag, "If-Modified-Since": record.modified} if record else {}
        return {name: value for name, value in headers.items() if value}

    def _is_resumable(self) -> bool:
        """Return whether the server, or the checksum, would tell that it is another file by now."""
        begun = self.part.record
        strong = begun.etag and not begun.etag.startswith("W/")
        return bool(self.part.size and (self.address.sha256 or begun.modified or strong))

    def _continues(self, answer: Answer, done: int) -> bool:
        """Return whether a range is the one that was asked for, of the file that was begun."""
        begun = self.part.record
        return (
            0 < done == answer.start
            and answer.etag in ("", begun.etag)
            and answer.modified in ("", begun.modified)
            and begun.bytes in (None, answer.total)
        )

    def _check_room(self, done: int) -> None:
        """Refuse what is too large before a byte of it is written."""
        if self._total is not None and self._total > self.limit:
            raise self._too_large(format_bytes(self._total), self.limit)
        with self.cache.writing():
            self.cache.check_space(max((self._total or 0) - done, 0))

    def _receive(self, answer: Answer) -> None:
        done = self.part.size
        most = self.limit if self._total is None else min(self.limit, self._total)
        with ExitStack() as stack:
            with self.cache.writing():
                file = stack.enter_context(open(self.part.path, "ab", buffering=0))
            while chunk := answer.read():
                done += len(chunk)
                if done > most:
                    raise self._too_large("more", most)
                with self.cache.writing():
                    _write_all(file, chunk)
                self._any_came = True
                self._report("downloading", done)
        if self._total is not None and done < self._total:
            raise BrokenError("broke off")

    def _report(self, stage: str, done: int | None = None) -> None:
        self._check_cancelled()
        self.progress(Progress(stage, self.part.size if done is None else done, self._total))

    def _wait(self, seconds: float) -> None:
        for _ in range(round(seconds / POLL_SECONDS)):
            self._report("waiting")
            self.sleep(POLL_SECONDS)

    def _check_cancelled(self) -> None:
        if self.cancelled():
            raise Cancelled(
                f"The download of {self.address.shown} was stopped after {format_bytes(self.part.size)}: "
                "open the address again to resume it."
            )

    def _too_large(self, size: str, limit: int) -> DownloadError:
        self.part.delete()
        return DownloadError(
            f"{self.address.shown} is larger than the {format_bytes(limit)} that a download may have ({size}): "
            f"set {LIMIT_VARIABLE} to more GiB to allow it."
        )


def _is_same(answer: Answer, record: Record) -> bool:
    """Return whether a server that ignores conditions has what was fetched before, as far as it says."""
    if answer.etag and record.etag:
        return answer.etag == record.etag
    return bool(answer.modified) and answer.modified == record.modified and answer.total == record.bytes


def _write_all(file: Any, chunk: bytes) -> None:
    """Write all of a chunk, of which an unbuffered file may take less."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]
