# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Fetches a model from an http or https address into the cache: resumed where it stopped, asked for anew only if new.

Nothing that a server says is believed: lengths are limits that the bytes are held against, names are made harmless,
and what arrives is a model by its contents or is deleted. Opening it later runs nothing of it (gan.checkpoints).
"""

import http.client
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from gan.checkpoints.file_type import contents_of
from gan.checkpoints.read_limits import RefusedError
from gan.files.format import format_bytes
from gan.hub.cache import Cache, Part, Record, digest, hold
from gan.hub.connections import NAP, StoppedError
from gan.hub.http import Answer, WebError, ask
from gan.hub.url import Address, DownloadError, parsed

LIMIT = 4 * 2**30  # bytes of a file, unless JINC_DOWNLOAD_LIMIT says something else
SWITCH = "JINC_DOWNLOAD_LIMIT"  # GiB
TIMEOUT = 20.0  # seconds that a server may keep silent
RETRIES = 4  # of a connection that breaks, without getting on
GETTING_ON = 2**20  # bytes after which a connection that breaks again counts as the first
CHUNK = 2**18
WAITS = (1.0, 2.0, 4.0, 8.0)  # seconds before each


class Cancelled(DownloadError):
    """The user stopped it; what came stays for the next time."""


class Progress(NamedTuple):
    """How far a download is. `stage`: "connecting", "downloading", "waiting" (to connect again), "checking"."""

    stage: str
    done: int = 0  # bytes
    total: int | None = None  # None: the server does not say


@dataclass(frozen=True)
class Downloaded:
    """A model that lies in the cache, held for this process. `note`: a sentence about where it comes from, or ""."""

    path: Path
    sha256: str
    bytes: int
    from_cache: bool
    note: str = ""


def fetched(
    url: str,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    limit: int | None = None,
    sha256: str | None = None,
    cache: Cache | None = None,
    timeout: float = TIMEOUT,
    sleep: Callable[[float], None] = time.sleep,
) -> Downloaded:
    """The model at an address, from the cache where the server has nothing newer or cannot be reached.

    `limit`: bytes; None is JINC_DOWNLOAD_LIMIT or 4 GiB. `sha256`, or `#sha256=HEX` at the address's end: what the
    content must be. `progress` and `cancelled` are called often, on this thread. DownloadError (Cancelled) says in one
    sentence what went wrong; what came until then is gone on with at the next call, in this process or another.
    """
    address = parsed(url, sha256)
    cache, limit = cache or Cache(), allowed() if limit is None else limit

    def checking(done: int, total: int) -> None:
        if cancelled():
            raise Cancelled(f"{address.shown} was not opened: the check of its copy was stopped.")
        progress(Progress("checking", done, total))

    cache.sweep()
    record = cache.record(address)
    wanted = address.sha256 or (record.sha256 if record else "")
    kept = cache.find(wanted, checking) if wanted else None
    if kept and address.sha256:  # named by its content: the server could only say the same
        return Downloaded(kept, wanted, kept.stat().st_size, True)
    with ExitStack() as stack:
        with cache.written():
            part = stack.enter_context(cache.part(address))
        transfer = _Transfer(address, cache, part, limit, progress, cancelled, timeout, sleep)
        note = transfer.run(record if kept else None)
        if note is not None and kept and record:
            return _again(address, cache, record, kept, note)
        with cache.written():
            try:
                return _stored(address, cache, part, transfer, checking)
            except _Unfit:
                if not (address.sha256 and transfer.joined):
                    raise
                part.reset({})  # it may have been halves of two files, which is nobody's mistake
        transfer.run(None)
        with cache.written():
            return _stored(address, cache, part, transfer, checking)


def allowed() -> int:
    """Bytes that a model may have; DownloadError where JINC_DOWNLOAD_LIMIT is no number."""
    given = os.environ.get(SWITCH, "").strip()
    if not given:
        return LIMIT
    try:
        wanted = float(given)
        if 0 < wanted < 2**20:
            return int(wanted * 2**30)
    except ValueError:
        pass
    raise DownloadError(f"{SWITCH} is {given[:40]!r}, not a number of GiB: set it to one, such as 8, or unset it.")


def _again(address: Address, cache: Cache, record: Record, kept: Path, note: str) -> Downloaded:
    """The copy in the cache, which is still right ("") or the best there is (why)."""
    if note:
        day = time.strftime("%Y-%m-%d", time.localtime(record.checked))
        note = f"{note.rstrip('.')}. The copy of {day} is used."
    else:
        with cache.written():
            cache.remember(address, replace(record, checked=time.time()))
    return Downloaded(kept, record.sha256, kept.stat().st_size, True, note)


def _stored(
    address: Address, cache: Cache, part: Part, transfer: "_Transfer", checking: Callable[[int, int], None]
) -> Downloaded:
    """Check a part that is whole, and make it a file of the cache. OSError."""
    if not part.size:
        part.delete()
        raise DownloadError(f"{transfer.host} sent an empty file for {address.shown}: check the address.")
    try:
        contents_of(part.path)
    except RefusedError as problem:
        part.delete()
        raise _Unfit(f"What {address.shown} leads to {problem}.") from None
    sha256, size = digest(part.path, checking), part.size
    if address.sha256 and sha256 != address.sha256:
        part.delete()
        raise _Unfit(
            f"What {address.shown} leads to has the sha256 {sha256}, and {address.sha256} was wanted: "
            "it was deleted; compare both with what its author says."
        )
    facts = part.facts
    path = cache.store(part, sha256, transfer.name)
    record = Record(
        address=address.shown if address.is_open else "",
        sha256=sha256,
        name=path.name,
        bytes=size,
        etag=str(facts.get("etag", "")),
        modified=str(facts.get("modified", "")),
        checked=time.time(),
    )
    cache.remember(address, record)
    hold(path)
    return Downloaded(path, sha256, size, False)


class _Unfit(DownloadError):
    """What came is whole, and not what is wanted."""


class _Dropped(Exception):
    """A connection that did not bring what it should; its text is a clause."""


class _Transfer:
    """Fills a part, over as many connections as it takes."""

    def __init__(
        self,
        address: Address,
        cache: Cache,
        part: Part,
        limit: int,
        progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
        timeout: float,
        sleep: Callable[[float], None],
    ) -> None:
        self._address, self._cache, self._part, self._limit = address, cache, part, limit
        self._progress, self._cancelled, self._timeout, self._sleep = progress, cancelled, timeout, sleep
        self._total: int | None = part.facts.get("length")
        self._came = False  # whether any byte did
        self.joined = False  # whether the part was begun over another connection
        self.name, self.host = "", address.host  # of the file, as it is to be kept; of the server that sends it

    def run(self, record: Record | None) -> str | None:
        """Fill the part; None when it is whole.

        With a `record` of a copy that can be used instead: "" when that is what the server has, or a sentence on why
        the server could not be asked.
        """
        failures = 0
        while True:
            before = self._part.size
            try:
                return self._attempt(record)
            except StoppedError:
                raise self._stopped() from None
            except WebError as problem:
                if record and not self._came:
                    return str(problem)
                if not (problem.passing or self._came):
                    raise
                reason = str(problem)
            except _Dropped as problem:
                size = self._part.size
                of = f" of {format_bytes(self._total)}" if self._total else ""
                reason = f"The connection to {self.host} {problem} after {format_bytes(size)}{of}: try again"
                reason += ", it goes on from there." if self._part.facts else "."
            failures = 0 if self._part.size - before >= GETTING_ON else failures + 1
            if failures > RETRIES:
                raise DownloadError(reason)
            self._wait(WAITS[max(failures - 1, 0)])

    def _attempt(self, record: Record | None) -> str | None:
        """One connection."""
        part = self._part
        self._report("connecting")
        done = part.size if self._resumable() else 0
        with ask(self._address, self._headers(done, record), self._timeout, self._cancelled) as answer:
            self.host = answer.host
            if answer.status == 304 or (answer.status == 200 and record and _same(answer, record)):
                return ""
            self.name = self._address.name if "." in self._address.name else answer.name or self._address.name
            self.name = self.name or "model"
            self.joined = answer.status != 200
            if answer.status == 416:
                if done and answer.total == done and part.facts.get("length") in (None, done):
                    return None  # all was there
            if answer.status == 416 or answer.status == 206 and not self._continues(answer, done):
                with self._cache.written():
                    part.reset({})
                raise _Dropped("does not go on where it stopped")
            if answer.status == 200:
                self._begin(answer)
            elif answer.total is not None:
                self._total = answer.total  # the first answer may have had no length
            self._room(done if answer.status == 206 else 0)
            self._receive(answer)
        return None

    def _headers(self, done: int, record: Record | None) -> dict[str, str]:
        if record and not done:
            conditions = {"If-None-Match": record.etag, "If-Modified-Since": record.modified}
            return {name: value for name, value in conditions.items() if value}
        if not done:
            return {}
        facts = self._part.facts
        etag = facts.get("etag", "")
        since = etag if etag and not etag.startswith("W/") else facts.get("modified", "")
        return {"Range": f"bytes={done}-", **({"If-Range": since} if since else {})}

    def _resumable(self) -> bool:
        """Whether a server would notice, or we at the end, that it is another file by now."""
        facts, known = self._part.facts, self._address.sha256
        etag = facts.get("etag", "")
        return bool(self._part.size and (known or facts.get("modified") or (etag and not etag.startswith("W/"))))

    def _continues(self, answer: Answer, done: int) -> bool:
        """Whether a part of a file is that which was asked for, of the file that was begun."""
        facts = self._part.facts
        fits = [
            value == facts.get(name, "")
            for name, header in (("etag", "ETag"), ("modified", "Last-Modified"))
            if (value := answer.header(header))
        ]
        return done > 0 and answer.start == done and all(fits) and facts.get("length") in (None, answer.total)

    def _begin(self, answer: Answer) -> None:
        """A file from its first byte on, whatever there was."""
        facts: dict[str, Any] = {
            "etag": answer.header("ETag"),
            "modified": answer.header("Last-Modified"),
            "length": answer.total,
        }
        self._total = answer.total
        with self._cache.written():
            self._part.reset(facts)

    def _room(self, done: int) -> None:
        """Refuse what is too large before a byte of it is written."""
        if self._total is not None and self._total > self._limit:
            self._part.delete()
            raise DownloadError(too_large(self._address, format_bytes(self._total), self._limit))
        with self._cache.written():
            self._cache.check_space(max((self._total or 0) - done, 0))

    def _receive(self, answer: Answer) -> None:
        done = self._part.size
        with self._cache.written():
            file = open(self._part.path, "ab", buffering=0)
        with file:
            while chunk := self._next(answer):
                done += len(chunk)
                if done > self._limit or (self._total is not None and done > self._total):
                    self._part.delete()
                    raise DownloadError(too_large(self._address, "more", min(self._limit, self._total or self._limit)))
                with self._cache.written():
                    _write(file, chunk)
                self._came = True
                self._report("downloading", done)
        if self._total is not None and done < self._total:
            raise _Dropped("broke off")

    def _next(self, answer: Answer) -> bytes:
        try:
            return answer.read(CHUNK)
        except TimeoutError:
            raise _Dropped(f"fell silent for {self._timeout:g} s") from None
        except (OSError, http.client.HTTPException, ValueError):
            raise _Dropped("broke off") from None

    def _report(self, stage: str, done: int | None = None) -> None:
        if self._cancelled():
            raise self._stopped()
        self._progress(Progress(stage, self._part.size if done is None else done, self._total))

    def _stopped(self) -> Cancelled:
        return Cancelled(
            f"The download of {self._address.shown} was stopped after {format_bytes(self._part.size)}: "
            "it goes on from there when it is opened again."
        )

    def _wait(self, seconds: float) -> None:
        for _ in range(round(seconds / NAP)):
            self._report("waiting")
            self._sleep(NAP)


def _same(answer: Answer, record: Record) -> bool:
    """Whether a server that does not answer conditions has what was fetched before, as far as it says."""
    etag, modified = answer.header("ETag"), answer.header("Last-Modified")
    if etag and record.etag:
        return etag == record.etag
    return bool(modified) and modified == record.modified and answer.total == record.bytes


def _write(file: Any, chunk: bytes) -> None:
    """All of it: an unbuffered file may take less."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]


def too_large(address: Address, size: str, limit: int) -> str:
    """The sentence for a file beyond the limit."""
    return (
        f"{address.shown} is larger than the {format_bytes(limit)} that a download may have ({size}): "
        f"set {SWITCH} to more GiB if it is really wanted."
    )
