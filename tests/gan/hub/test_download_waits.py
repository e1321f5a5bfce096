# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Servers that keep a download waiting: how long they may, and that whoever cancels it need not wait."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.fetching import MODEL, Sleeps, cache_in

from gan.hub.download import Cancelled, Progress, fetch
from gan.hub.url import DownloadError

HEAD = b"HTTP/1.1 200 OK\r\n"
Send = Callable[[bytes], None]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with cache_in(tmp_path / "models", monkeypatch) as found:
        yield found


@contextmanager
def answering(answer: Callable[[Send, threading.Event], None]) -> Iterator[str]:
    """The address of a server that answers so, on every connection, until the event that it is given."""
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(10_000)
            try:
                answer(connection.sendall, ended)
            except OSError:  # the other side is gone
                return

    def accept() -> None:
        while not ended.is_set():
            try:
                connection = server.accept()[0]
            except OSError:
                continue
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/x.safetensors"
        finally:
            ended.set()


def dripping_headers(send: Send, ended: threading.Event) -> None:
    send(HEAD)
    for number in range(90):
        send(b"X-%d: a\r\n" % number)
        if ended.wait(0.1):
            return


def silent_before_headers(send: Send, ended: threading.Event) -> None:
    ended.wait(30)


def silent_in_the_body(send: Send, ended: threading.Event) -> None:
    send(HEAD + b"Content-Length: %d\r\n\r\n" % len(MODEL) + MODEL[:40_000])
    ended.wait(30)


def silent_in_a_chunk(send: Send, ended: threading.Event) -> None:
    send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n10\r\n" + MODEL[:16] + b"\r\n1")
    ended.wait(30)


def dripping_body(send: Send, ended: threading.Event) -> None:
    send(HEAD + b"Content-Length: %d\r\n\r\n" % len(MODEL))
    for at in range(300):
        send(MODEL[at : at + 1])
        if ended.wait(0.1):
            return


@pytest.mark.parametrize(
    "answer",
    [dripping_headers, silent_before_headers, silent_in_the_body, silent_in_a_chunk, dripping_body],
    ids=lambda answer: answer.__name__,
)
def test_it_ends_at_once_when_it_is_cancelled(answer: Callable[[Send, threading.Event], None]) -> None:
    stop, at = threading.Event(), [0.0]

    def cancel() -> None:
        at[0] = time.monotonic()
        stop.set()

    timer = threading.Timer(0.5, cancel)
    with answering(answer) as url:
        timer.start()
        with pytest.raises(Cancelled, match="resume it"):
            fetch(url, cancelled=stop.is_set, timeout=20.0, sleep=Sleeps())
        assert stop.is_set() and time.monotonic() - at[0] < 2.0
    timer.join()


@pytest.mark.slow
def test_headers_have_to_be_whole_in_time() -> None:
    began = time.monotonic()
    with answering(dripping_headers) as url, pytest.raises(DownloadError, match=r"did not answer for 1 s: try again"):
        fetch(url, timeout=1.0, sleep=Sleeps())
    assert time.monotonic() - began < 5.0, "they would have taken nine seconds"


def test_a_slow_body_may_take_longer_than_any_silence() -> None:
    def slow(send: Send, ended: threading.Event) -> None:
        send(HEAD + b"Content-Length: %d\r\n\r\n" % len(MODEL))
        for at in range(0, len(MODEL), 10_000):
            send(MODEL[at : at + 10_000])
            ended.wait(0.12)

    seen: list[Progress] = []
    with answering(slow) as url:
        assert fetch(url, timeout=0.6, sleep=Sleeps(), progress=seen.append).path.read_bytes() == MODEL
    assert "waiting" not in {now.stage for now in seen}, "over one connection"
