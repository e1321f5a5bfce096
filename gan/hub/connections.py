# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Connections to web servers on which nobody waits for longer than they want to: reads that look around meanwhile."""

import http.client
import io
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

NAP = 0.1  # seconds in which a read notices that it was cancelled


class StoppedError(Exception):
    """The user does not want it any more. No ValueError and no OSError, which http.client would take for its own."""


class Patience:
    """How long a server may keep silent (`timeout` seconds), and whether its answer is still wanted at all."""

    def __init__(self, timeout: float, cancelled: Callable[[], bool]) -> None:
        self.timeout, self.cancelled = timeout, cancelled
        self._headers_end: float | None = None  # when they have to be there

    def begin(self) -> None:
        """An answer is awaited: its headers have to be whole in time, not just their next byte."""
        self._headers_end = time.monotonic() + self.timeout

    def headers_came(self) -> None:
        """The body may take as long as it likes, as long as something comes."""
        self._headers_end = None

    def deadline(self) -> float:
        """Until when a read that begins now may wait."""
        silence = time.monotonic() + self.timeout
        return silence if self._headers_end is None else min(self._headers_end, silence)


class _Stream(io.RawIOBase):
    """What a connection brings. `raw` keeps the socket open, and is closed with this."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket, patience: Patience) -> None:
        self._raw, self._connection, self._patience = raw, connection, patience

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """TimeoutError, StoppedError; OSError."""
        end, before = self._patience.deadline(), self._connection.gettimeout()
        self._connection.settimeout(NAP)
        try:
            while not self._patience.cancelled():
                if time.monotonic() >= end:
                    raise TimeoutError("timed out")
                with suppress(TimeoutError):
                    count = self._connection.recv_into(buffer)
                    if self._patience.cancelled():
                        break  # what came since then is not wanted
                    return count
            raise StoppedError
        finally:
            self._connection.settimeout(before)  # a handshake may follow

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
            super().close()


class _Response(http.client.HTTPResponse):
    """An answer that is read with patience."""

    def __init__(self, patience: Patience, connection: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(connection, *args, **options)
        patience.begin()
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_Stream(raw, connection, patience))


def opener(url: str, patience: Patience) -> urllib.request.OpenerDirector:
    """Speaks http and https, through the proxies of the environment, and nothing else; follows nothing."""
    found = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Http(patience)
        if url.startswith("http:")
        else _Https(patience, ssl.create_default_context()),  # reads every certificate of the system
    ):
        found.add_handler(handler)
    return found


def _connected(kind: type[http.client.HTTPConnection], patience: Patience, host: str, **options: Any) -> Any:
    connection = kind(host, **options)
    connection.response_class = partial(_Response, patience)  # type: ignore[assignment]
    return connection


class _Http(urllib.request.HTTPHandler):
    def __init__(self, patience: Patience) -> None:
        super().__init__()
        self._patience = patience

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_connected, http.client.HTTPConnection, self._patience), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, patience: Patience, context: ssl.SSLContext) -> None:
        super().__init__(context=context)
        self._patience, self._certificates = patience, context

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        made = partial(_connected, http.client.HTTPSConnection, self._patience)
        return self.do_open(made, req, context=self._certificates)
