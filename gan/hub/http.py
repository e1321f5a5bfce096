# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""HTTP GET requests that time out and can be cancelled: httpx in a thread of its own, whose answer is waited for."""

from __future__ import annotations

import errno
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from email.message import Message
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from gan.hub.url import Address, DownloadError, is_address, is_header, parse_address, safe_file_name

if TYPE_CHECKING:
    import httpx  # only what fetches something waits for its import

POLL_SECONDS = 0.1  # between two looks at whether a request was cancelled
QUEUED_CHUNKS = 16
BUSY = (408, 425, 429, 500, 502, 503, 504)  # status codes of what may be over in a moment
REDIRECTS = (301, 302, 303, 307, 308)
MAX_REDIRECTS = 10
CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-\d{1,18}|\*)/(\d{1,18}|\*)")


class WebError(DownloadError):
    """A server that gave nothing. `temporary`: it may be over in a moment."""

    def __init__(self, message: str, *, temporary: bool = False) -> None:
        super().__init__(message)
        self.temporary = temporary


class BrokenError(Exception):
    """A connection that did not bring what it should; the text is a clause."""


class Answer:
    """A server's answer, its body not read yet. `status` is 200, 206, 304 or 416; `host`: its sender."""

    def __init__(self, response: httpx.Response, host: str, read: Callable[[], bytes]) -> None:
        self.status, self.host, self.read = response.status_code, host, read
        self._headers = response.headers
        self.etag, self.modified = self._header("ETag"), self._header("Last-Modified")
        found = CONTENT_RANGE.fullmatch(self._header("Content-Range").strip())
        length = self._header("Content-Length")
        self.start = int(found[1]) if found and found[1] else None  # of a part of a file
        self.total: int | None = None  # bytes of the whole file, if the server says
        if self.status in (206, 416):
            self.total = int(found[2]) if found and found[2] != "*" else None
        elif re.fullmatch(r"\d{1,18}", length) and not self._header("Transfer-Encoding"):
            self.total = int(length)

    @property
    def file_name(self) -> str:
        """The server's name of the file, fit for every file system; "" where it gives none."""
        message = Message()
        message["Content-Disposition"] = self._header("Content-Disposition")
        try:
            return safe_file_name(message.get_filename() or "")
        except (ValueError, LookupError, TypeError):
            return ""

    def _header(self, name: str) -> str:
        value = self._headers.get(name, "")
        return value if is_header(value) else ""


class _Request(threading.Thread):
    """A GET request, redirects followed. Its caller reads from a queue, so that nothing blocks it for long."""

    def __init__(
        self, address: Address, headers: Mapping[str, str], timeout: float, check_cancelled: Callable[[], None]
    ) -> None:
        super().__init__(name="download request", daemon=True)
        self._address, self._headers, self._timeout, self._check_cancelled = address, headers, timeout, check_cancelled
        self._host, self._began = address.host, time.monotonic()  # of the server that is being asked
        self._queue: queue.Queue[Any] = queue.Queue(QUEUED_CHUNKS)
        self.abandoned = threading.Event()

    def run(self) -> None:
        try:
            with closing(self._receive()) as items:
                for item in items:
                    if not self._put(item):
                        return
        except Exception as problem:  # raised again by whoever waits
            self._put(problem)

    def _put(self, item: Any) -> bool:
        """Pass something on; False where nobody waits for it any more."""
        while not self.abandoned.is_set():
            with suppress(queue.Full):
                self._queue.put(item, timeout=POLL_SECONDS)
                return True
        return False

    def _receive(self) -> Generator[Any]:
        """Yield the response that the address leads to, then its body in pieces, b"" at the end."""
        try:
            import httpx
        except ImportError as problem:
            raise WebError(f"The package httpx cannot be loaded ({problem}): install it again.") from None
        address, url = self._address, self._address.url
        timeout = {"timeout": httpx.Timeout(self._timeout).as_dict()}
        for _ in range(MAX_REDIRECTS + 1):
            headers = {"User-Agent": "jinc", "Accept-Encoding": "identity", **self._headers}
            if address.authorization and urlsplit(url)[:2] == urlsplit(address.url)[:2]:  # no other server is told
                headers["Authorization"] = address.authorization
            with ExitStack() as stack:
                try:
                    transport = stack.enter_context(_transport(url))
                    response = transport.handle_request(httpx.Request("GET", url, headers=headers, extensions=timeout))
                except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as problem:
                    raise WebError(_explain(problem, address, self._host, self._timeout)) from None
                if response.status_code not in REDIRECTS:
                    _check(response, address, self._host)
                    yield response
                    try:
                        yield from response.iter_raw()
                    except httpx.TimeoutException:
                        raise BrokenError(f"fell silent for {self._timeout:g} s") from None
                    except (httpx.HTTPError, OSError):
                        raise BrokenError("broke off") from None
                    yield b""
                    return
            target = _redirect(url, response.headers.get("Location", ""), address)
            url, self._host, self._began = target.url, target.host, time.monotonic()  # without a password
        raise WebError(f"{address.shown} redirects in circles: check the address.")

    def answer(self) -> Answer:
        """Wait for all headers. WebError, DownloadError."""
        response = self._get(lambda: time.monotonic() - self._began > 2 * self._timeout)  # to connect, and to answer
        return Answer(response, self._host, self._get)

    def _get(self, is_late: Callable[[], bool] = lambda: False) -> Any:
        """Wait for what comes next. WebError, BrokenError, and what `check_cancelled` raises."""
        while True:
            self._check_cancelled()
            if is_late():
                raise WebError(_explain(TimeoutError(), self._address, self._host, self._timeout))
            with suppress(queue.Empty):
                item = self._queue.get(timeout=POLL_SECONDS)
                break
        self._check_cancelled()
        if isinstance(item, Exception):
            raise item
        return item


@contextmanager
def ask(
    address: Address, headers: Mapping[str, str], timeout: float, check_cancelled: Callable[[], None] = lambda: None
) -> Iterator[Answer]:
    """Send a GET request and yield the answer of the server that it leads to.

    A server may be silent for `timeout` seconds, and take that long to connect and once more for all of its headers.
    What `check_cancelled`, which is called often, raises ends any waiting, in Answer.read too. WebError; DownloadError
    where a redirect may not be followed.
    """
    request = _Request(address, headers, timeout, check_cancelled)
    request.start()
    try:
        yield request.answer()
    finally:
        request.abandoned.set()


def _transport(url: str) -> httpx.HTTPTransport:
    """Return a transport that takes the system's certificates and proxies; unlike httpx.Client it follows nothing."""
    import httpx

    parts = urlsplit(url)
    proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    proxy = f"http://{proxy}" if proxy and "://" not in proxy else proxy
    return httpx.HTTPTransport(verify=_certificates(), proxy=proxy, trust_env=False)


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


def _redirect(url: str, location: str, address: Address) -> Address:
    """Return the target of a redirect: http or https, from https only https; DownloadError otherwise."""
    try:
        joined = urljoin(url, location)
        target = parse_address(joined) if location and is_address(joined) else None
    except ValueError:  # DownloadError too
        target = None
    if target is None:
        raise DownloadError(f"{address.shown} redirects to something else than an http or https address: open another.")
    if url.startswith("https:") and not target.url.startswith("https:"):
        raise DownloadError(
            f"{address.shown} redirects from https to http, where anybody could change the file: open another address."
        )
    return target


def _named(host: str, address: Address) -> str:
    """Name a host to a user who may never have heard of it."""
    return host if host == address.host else f"{host} (to which {address.host} redirects)"


def _check(response: httpx.Response, address: Address, host: str) -> None:
    """Raise WebError for an answer that brings no file."""
    status, who, shown = response.status_code, _named(host, address), address.shown
    if status in (304, 416):
        return
    if status in (404, 410):
        raise WebError(f"There is no file at {shown} ({status}): check the address.")
    if status in (401, 403, 407):
        raise WebError(
            f"{who} refuses {shown} ({status}), perhaps it wants a login: fetch it with a browser and open the file."
        )
    if status in BUSY:
        raise WebError(f"{who} cannot answer now ({status}): try again later.", temporary=True)
    if not 200 <= status < 300:
        raise WebError(f"{who} refuses {shown} ({status}): check the address.")
    if status not in (200, 206) or response.headers.get("Content-Encoding", "identity") != "identity":
        raise WebError(f"{who} sends {shown} in an unusable form: fetch it with a browser and open the file.")


def _explain(problem: Exception, address: Address, host: str, timeout: float) -> str:
    """Return the sentence for a request to `host` that brought no answer."""
    import httpx

    cause: BaseException = problem
    while below := cause.__cause__ or cause.__context__:  # down to the operating system's error
        cause = below
    who, number = _named(host, address), getattr(cause, "errno", None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = getattr(cause, "verify_message", "") or "its certificate"
        return f"{who} cannot prove that it is {host} ({why}): check the address and the clock."
    if isinstance(cause, ssl.SSLError):
        return f"There is no secure connection to {who}: check the address."
    if isinstance(cause, socket.gaierror):
        variables = ", and the variables http_proxy and https_proxy" if getproxies() else ""
        return f"There is no host {who}: check the address and the network{variables}."
    if isinstance(cause, TimeoutError):
        return f"{who} did not answer for {timeout:g} s: try again later."
    if isinstance(cause, ConnectionRefusedError):
        return f"{who} accepts no connections: check the address, or try again later."
    if number in (errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH):
        return f"{who} cannot be reached: check the network."
    if isinstance(problem, httpx.ProxyError):
        return f"The proxy refuses a connection to {who}: check the variables http_proxy and https_proxy."
    if isinstance(problem, httpx.RemoteProtocolError) and "disconnected" not in str(problem):
        return f"{who} does not speak HTTP there: check the address."
    if isinstance(problem, httpx.NetworkError | httpx.RemoteProtocolError | OSError):
        return f"{who} ended the connection: try again later."
    return f"No request to {who} can be made: check the address and the variables http_proxy and https_proxy."
