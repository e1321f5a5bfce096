# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Send settings that changed, once each, and never back what has just come from the same address."""

import struct
import time
from collections import deque

from viz.core.osc_state import Binding, unbend
from viz.core.state import AppState
from viz.osc.addresses import Value, find_address, list_present
from viz.osc.messages import LARGEST_FLOAT, build
from viz.osc.sockets import open_sending, read_host

ECHO = 0.25  # seconds within which what was sent and comes back is an echo
REMEMBERED = 32  # values sent to an address
AT_ONCE = 256  # messages a frame, which take some milliseconds; a label may have thousands of numbers


class Sender:
    """A socket, and what the other side knows: each address with the value last sent to it or received from it."""

    def __init__(self, host: str, port: int, state: AppState) -> None:
        """Raise OscError, a sentence, where there cannot be such a socket.

        The other side is taken to know all settings as they are, but not where the controls bound to them are to be.
        """
        self._socket = open_sending(host)
        self._to = (read_host(host)[0], port)
        self._known: dict[str, Value] = dict(list_present(state))
        self._sent: dict[str, deque[tuple[float, Value]]] = {}
        self._turn = 0  # of what changed, where a frame begins that cannot send all

    def send(self, state: AppState) -> None:
        """Send what the other side does not know: to each setting's own address, and to the controllers bound to it."""
        now = time.monotonic()
        there = (*_list_bound(state), *list_present(state))
        changed = [(address, value) for address, value in there if self._known.get(address) != value]
        if len(changed) > AT_ONCE:  # a long list: the rest goes with the next frames, each in its turn
            self._turn = (self._turn + AT_ONCE) % len(changed)
            changed = [*changed[self._turn :], *changed[: self._turn]][:AT_ONCE]
        for address, value in changed:
            try:
                self._socket.sendto(build(address, value), self._to)
            except BlockingIOError:
                return  # the rest goes with the next frame
            except OSError:
                pass  # there is no way to the other side, or nobody there: UDP waits for neither
            self._known[address] = value
            self._sent.setdefault(address, deque(maxlen=REMEMBERED)).append((now, _carry(value)))

    def know(self, address: str, state: AppState) -> None:
        """Note that the other side knows what it has just set by this address."""
        found = find_address(address)
        bound = dict(_list_bound(state)).get(address)
        value = bound if bound is not None else found.read(state) if found else None
        if value is not None:
            self._known[address] = value

    def is_echo(self, address: str, value: Value) -> bool:
        """Return whether this was sent to the address a moment ago, and comes back."""
        now = time.monotonic()
        return any(now - at < ECHO and value == sent for at, sent in self._sent.get(address, ()))

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


def _list_bound(state: AppState) -> list[tuple[str, Value]]:
    """Return each bound controller's address and the position that its setting has there."""
    found = ((binding, _place(binding, state)) for binding in state.osc.bindings)
    return [(binding.address, place) for binding, place in found if place is not None]


def _place(binding: Binding, state: AppState) -> float | None:
    """Return a controller's value for what its setting is at present; None for a setting that there is not."""
    address = find_address(binding.setting)
    value = address.read(state) if address else None
    if address is None or value is None:
        return None
    number = float(address.words.index(value)) if isinstance(value, str) else float(value)
    share = unbend(number, binding.curve, binding.low, binding.high)
    return binding.least + (binding.most - binding.least) * share


def _carry(value: Value) -> Value:
    """Return a value as it comes out of a message, which has 32 bits for a number."""
    if not isinstance(value, float) or abs(value) >= LARGEST_FLOAT:
        return value
    return float(f"{struct.unpack('>f', struct.pack('>f', value))[0]:.7g}")
