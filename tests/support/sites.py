# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A web server on this machine that serves files well or badly, as a test asks."""

import hashlib
import io
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CHUNK = 4096


def checkpoint_like(size: int, seed: int = 0) -> bytes:
    """Bytes that begin as a .safetensors file does, different for each seed."""
    header = b'{"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'
    body = hashlib.shake_256(seed.to_bytes(4, "little")).digest(size)
    return (len(header).to_bytes(8, "little") + header + body)[:size]


@dataclass
class Page:
    """How one path is served."""

    content: bytes = b""
    status: int = 200
    ranges: bool = True
    etag: str = '"one"'
    modified: str = ""
    length: int | None = None  # that is claimed; None: the true one, -1: none
    cut: list[int] = field(default_factory=list)  # bytes after which the first connections break off
    headers: dict[str, str] = field(default_factory=dict)
    gate: Callable[[int], None] | None = None  # called with the bytes sent, before each chunk
    conditional: bool = True  # answers 304 where it can
    statuses: list[int] = field(default_factory=list)  # of the first answers
    shift: int = 0  # by which the beginning of a range is wrong


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    headers: dict[str, str]
    status: int


class Site:
    """Pages by path, and what was asked for."""

    def __init__(self, port: int) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[Asked] = []
        self.port = port

    def url(self, path: str = "/model.safetensors", before: str = "") -> str:
        return f"http://{before}127.0.0.1:{self.port}{path}"


def _answer(handler: BaseHTTPRequestHandler, site: Site) -> None:
    page = site.pages.get(handler.path.partition("?")[0], Page(status=404))
    wishes = {name.lower(): value for name, value in handler.headers.items()}
    status, start = page.statuses.pop(0) if page.statuses else page.status, 0
    if status == 200 and page.conditional and page.etag and wishes.get("if-none-match") == page.etag:
        status = 304
    if status == 200 and page.conditional and page.modified and wishes.get("if-modified-since") == page.modified:
        status = 304
    found = re.fullmatch(r"bytes=(\d+)-", wishes.get("range", ""))
    if status == 200 and found and page.ranges and wishes.get("if-range", page.etag) in (page.etag, page.modified):
        start = int(found[1])
        status = 206 if start < len(page.content) else 416
    site.asked.append(Asked(handler.path, wishes, status))
    handler.send_response(status)
    for name, value in {"ETag": page.etag, "Last-Modified": page.modified, **page.headers}.items():
        if value:
            handler.send_header(name, value)
    body = page.content[start:] if status in (200, 206) else b""
    if status == 206:
        total = len(page.content)
        handler.send_header("Content-Range", f"bytes {start + page.shift}-{total - 1}/{total}")
    if status == 416:
        handler.send_header("Content-Range", f"bytes */{len(page.content)}")
    claimed = len(body) if page.length is None else page.length
    if claimed >= 0 and status != 304:
        handler.send_header("Content-Length", str(claimed))
    handler.end_headers()
    cut = page.cut.pop(0) if page.cut and body else len(body)
    for at in range(0, min(cut, len(body)), CHUNK):
        if page.gate:
            page.gate(start + at)
        handler.wfile.write(body[at : min(at + CHUNK, cut)])


class _Writer(io.BufferedIOBase):
    """Sends without the signal for a reader that is gone: imgui's test engine would take it for a crash."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def write(self, data: Any) -> int:
        self._connection.sendall(data, getattr(socket, "MSG_NOSIGNAL", 0))
        return len(data)


@contextmanager
def serving() -> Iterator[Site]:
    """A site on a free port of 127.0.0.1; it answers until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def setup(self) -> None:
            super().setup()
            self.wfile = _Writer(self.connection)

        def do_GET(self) -> None:
            try:
                _answer(self, site)
            except OSError:  # the other side is gone
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            return None

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            return None

    with Server(("127.0.0.1", 0), Handler) as server:
        site = Site(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
