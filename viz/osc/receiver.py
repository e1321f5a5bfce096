# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Receive OSC on a thread of its own that keeps the newest message of each address, whatever else comes."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from viz.core.osc_state import is_address
from viz.osc.addresses import find_address
from viz.osc.sockets import open_receiving

LARGEST = 65536  # bytes of a datagram
LONGEST = 512  # bytes of a message: the longest address, and its first argument
MOST_WAITING = 1024  # addresses between two frames
DEEPEST = 8  # bundles inside one another
BUNDLE = b"#bundle\0"
PATIENCE = 0.2  # seconds after which a thread that hears nothing sees that it is to end
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # where one reaches oneself


class Receiver:
    """A socket and its thread. Messages of addresses that mean nothing here are counted and dropped.

    `bound` are the addresses that bindings name; while `is_learning`, others are kept as well.
    """

    def __init__(self, host: str, port: int, wake: Callable[[], object]) -> None:
        """Open the socket; OscError, a sentence, where that cannot be. `wake` is called when something waits."""
        self.bound: frozenset[str] = frozenset()
        self.is_learning = False
        self.count = 0  # of messages, those that were dropped included
        self._wake, self._newest = wake, dict[str, bytes]()
        self._lock, self._closing = threading.Lock(), False
        self._socket = open_receiving(host, port)
        self._socket.settimeout(PATIENCE)
        self._thread = threading.Thread(target=self._receive, name="osc", daemon=True)
        self._thread.start()

    def take(self) -> dict[str, bytes]:
        """Return the newest message of each address since the last call, the newest address last."""
        with self._lock:
            taken, self._newest = self._newest, {}
        return taken

    def close(self) -> None:
        """Stop receiving, and free the port."""
        self._closing = True
        with contextlib.suppress(OSError):  # it is PATIENCE, then, that ends the wait
            host, port, *_ = self._socket.getsockname()
            self._socket.sendto(b"", (EVERYWHERE.get(host, host), port))
        self._thread.join(4 * PATIENCE)
        self._socket.close()

    def _receive(self) -> None:
        while not self._closing:
            try:
                datagram = self._socket.recv(LARGEST)
            except TimeoutError:
                continue
            except OSError:  # Windows says here that a port was closed to which something was sent
                time.sleep(PATIENCE / 10)
                continue
            for message in split(datagram):
                self._keep(message)

    def _keep(self, message: bytes) -> None:
        self.count += 1
        if len(message) > LONGEST:
            return
        try:
            address = message[: message.index(0)].decode("ascii")
        except ValueError:
            return
        if not (address in self.bound or find_address(address) or (self.is_learning and is_address(address))):
            return
        with self._lock:
            was_empty = not self._newest
            self._newest.pop(address, None)  # so that the newest comes last
            if len(self._newest) < MOST_WAITING:
                self._newest[address] = message
        if was_empty:
            self._wake()


def split(datagram: bytes, depth: int = 0) -> Iterator[bytes]:
    """Yield the messages of a datagram, of bundles inside it as well; what is damaged ends it. Times are ignored."""
    if not datagram.startswith(BUNDLE):
        if datagram.startswith(b"/"):
            yield datagram
        return
    at = len(BUNDLE) + 8  # behind the time
    while depth < DEEPEST and at + 4 <= len(datagram):
        size = int.from_bytes(datagram[at : at + 4], "big")
        if not 0 < size <= len(datagram) - at - 4:
            return
        yield from split(datagram[at + 4 : at + 4 + size], depth + 1)
        at += 4 + size
