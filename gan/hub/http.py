# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""One request to a web server: what comes back, or the sentence for why nothing does."""

import errno
import http.client
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

from gan.hub.connections import Patience, opener
from gan.hub.url import Address, DownloadError, file_name, is_address, is_header, parsed

BUSY = (408, 425, 429, 500, 502, 503, 504)  # status codes of what may be over in a moment
MOVED = (301, 302, 303, 307, 308)
HOPS = 10  # that are followed
USED = (304, 416)  # of what is no failure to the caller
RANGE = re.compile(r"bytes (?:(\d{1,18})-\d{1,18}|\*)/(\d{1,18}|\*)")


class WebError(DownloadError):
    """Why a server gave nothing. `passing`: whether it may be over in a moment."""

    def __init__(self, sentence: str, *, passing: bool = False) -> None:
        super().__init__(sentence)
        self.passing = passing


class Answer:
    """A server's answer, its body not yet read. `status` is 200, 206, 304 or 416; `host`: who it is from."""

    def __init__(self, status: int, headers: Any, body: IO[bytes], host: str) -> None:
        self.status, self.host, self._headers, self._body = status, host, headers, body
        found = RANGE.fullmatch(self.header("Content-Range").strip())
        length = self.header("Content-Length")
        self.start = int(found[1]) if found and found[1] else None  # of a part of a file
        self.total: int | None = None  # bytes of the whole file, if the server says
        if status in (206, 416):
            self.total = int(found[2]) if found and found[2] != "*" else None
        elif re.fullmatch(r"\d{1,18}", length) and not self.header("Transfer-Encoding"):
            self.total = int(length)

    @property
    def name(self) -> str:
        """What the server calls the file, fit for every file system; "" if it does not say."""
        try:
            return file_name(self._headers.get_filename() or "")
        except (ValueError, LookupError, TypeError):
            return ""

    def header(self, name: str) -> str:
        """A header's value, "" where there is none that can be one."""
        value = str(self._headers.get(name) or "")
        return value if is_header(value) else ""

    def read(self, count: int) -> bytes:
        """What has come, at most so many bytes; b"" at the end. StoppedError; OSError, http.client.HTTPException."""
        return self._body.read1(count)  # type: ignore[attr-defined]


@contextmanager
def ask(
    address: Address, headers: Mapping[str, str], timeout: float, cancelled: Callable[[], bool] = lambda: False
) -> Iterator[Answer]:
    """Send a GET request, and follow where it leads. WebError; DownloadError where that may not be followed.

    `timeout`: the seconds of silence, and those that the headers of an answer may take in all. As soon as `cancelled`,
    which is called often, StoppedError ends any waiting for the server, in here and in Answer.read.
    """
    url, hops, host = address.url, 0, address.host
    while True:
        patience = Patience(timeout, cancelled)
        request = urllib.request.Request(url, headers={**agent(), "Accept-Encoding": "identity", **headers})
        if address.authorization and _origin(url) == _origin(address.url):  # nobody else is told
            request.add_unredirected_header("Authorization", address.authorization)
        try:
            body = opener(url, patience).open(request, timeout=timeout)
        except urllib.error.HTTPError as problem:
            with problem:
                if problem.code in MOVED:
                    hops += 1
                    if hops > HOPS:
                        raise WebError(f"{address.shown} sends on in circles: check the address.") from None
                    aim = _onward(url, str(problem.headers.get("Location") or ""), address)
                    url, host = aim.url, aim.host  # a password in it is nobody's but the server's own, and not sent
                    continue
                if problem.code not in USED:
                    raise WebError(_refusal(problem.code, address, host), passing=problem.code in BUSY) from None
                yield Answer(problem.code, problem.headers, problem, host)
            return
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise WebError(_failure(problem, address, host, timeout)) from None
        with body:
            patience.headers_came()
            if body.headers.get("Content-Encoding", "identity") != "identity" or body.status not in (200, 206):
                raise WebError(
                    f"{_named(host, address)} sends {address.shown} in a form that was not asked for: "
                    "fetch it with a browser and open the file."
                )
            yield Answer(body.status, body.headers, body, host)
        return


@cache
def agent() -> dict[str, str]:
    """How we introduce ourselves."""
    try:
        return {"User-Agent": f"jinc/{metadata.version('jinc')}"}
    except metadata.PackageNotFoundError:
        return {"User-Agent": "jinc"}


def _onward(url: str, location: str, address: Address) -> Address:
    """Where a server sends on to: http or https, from https only https; DownloadError otherwise."""
    try:
        target = urljoin(url, location)
        aim = parsed(target) if location and is_address(target) else None
    except ValueError:  # DownloadError too
        aim = None
    if aim is None:
        raise DownloadError(
            f"{address.shown} sends on to something that is no http or https address: that is not followed."
        )
    if url.startswith("https:") and not aim.url.startswith("https:"):
        raise DownloadError(
            f"{address.shown} sends on from https to http, where anybody could change it: that is not followed."
        )
    return aim


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _named(host: str, address: Address) -> str:
    """A host as it is told to a user who may never have heard of it."""
    return host if host == address.host else f"{host} (where {address.host} sends on to)"


def _refusal(code: int, address: Address, host: str) -> str:
    """The sentence for a status code. `host`: whose it is."""
    who = _named(host, address)
    if code in (404, 410):
        return f"There is no file at {address.shown} ({code}): check the address."
    if code in (401, 403, 407):
        return (
            f"{who} does not hand out {address.shown} ({code}), perhaps it wants a login: "
            "fetch it with a browser and open the file."
        )
    if code in BUSY:
        return f"{who} cannot answer just now ({code}): try again later."
    return f"{who} does not hand out {address.shown} ({code}): check the address."


def _failure(problem: BaseException, address: Address, host: str, timeout: float) -> str:
    """The sentence for a connection to `host` that does not come about."""
    if isinstance(problem, urllib.error.URLError) and isinstance(problem.reason, BaseException):
        problem = problem.reason
    who = _named(host, address)
    if isinstance(problem, ssl.SSLCertVerificationError):
        why = getattr(problem, "verify_message", "") or "its certificate"
        return f"{who} cannot prove that it is {host} ({why}): check the address and the clock."
    if isinstance(problem, ssl.SSLError):
        return f"No secure connection to {who} comes about: check the address."
    if isinstance(problem, socket.gaierror | UnicodeError):
        return f"No host {who} is known: check the address, and whether there is a network."
    if isinstance(problem, TimeoutError):
        return f"{who} did not answer for {timeout:g} s: try again later."
    if isinstance(problem, ConnectionRefusedError):
        return f"{who} takes no connections: check the address, or try again later."
    if isinstance(problem, OSError) and problem.errno in (errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH):
        return f"There is no way to {who}: check whether there is a network."
    if isinstance(problem, OSError) and str(problem).startswith("Tunnel connection failed"):
        return f"The proxy does not let us through to {who}: check the variables http_proxy and https_proxy."
    if isinstance(problem, http.client.HTTPException) and not isinstance(problem, http.client.RemoteDisconnected):
        return f"{who} does not speak HTTP there: check the address."
    if isinstance(problem, ValueError):
        return f"No request to {who} can be made: check the address and the variables http_proxy and https_proxy."
    return f"{who} ended the connection: try again later."
