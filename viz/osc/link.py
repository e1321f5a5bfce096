# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The state's link to OSC: once a frame what came is applied, and what changed is sent."""

import time
from collections.abc import Callable

from viz.core.osc_state import MOST_BINDINGS, Binding, OscState, bend, unbend
from viz.core.state import AppState
from viz.osc.addresses import find_address
from viz.osc.learning import Learning
from viz.osc.messages import read_value, require_package
from viz.osc.receiver import Receiver
from viz.osc.sender import Sender
from viz.osc.sockets import OscError

AGAIN = 2.0  # seconds after which a port that was taken is tried again


class OscLink:
    """The sockets, what came last, and what was sent. On the window's thread, but for its receiver."""

    def __init__(self, state: AppState, wake: Callable[[], object] = lambda: None) -> None:
        self.state = state
        self.error = ""  # one sentence why nothing is received or sent
        self.notice = ""  # one sentence on what was not learnt
        self.last = ""  # the last message that took effect, and what the setting is since, as text
        self.learning: Learning | None = None  # None: nothing is being learnt
        self.rate = 0.0  # messages a second
        self._wake = wake
        self._receiver: Receiver | None = None
        self._sender: Sender | None = None
        self._opened: tuple[object, ...] = (False, "", 0, False, "", 0)
        self._tried_at = 0.0
        self._counted_at, self._count = 0.0, 0

    @property
    def is_open(self) -> bool:
        """True while it receives."""
        return self._receiver is not None

    def receive(self) -> bool:
        """Apply the newest message of each address; return whether there was any that means something."""
        self._open_or_close(self.state.osc)
        receiver = self._receiver
        if receiver is None:
            return False
        receiver.bound = frozenset(binding.address for binding in self.state.osc.bindings)
        receiver.is_learning = self.learning is not None
        self._measure(receiver)
        taken = receiver.take()
        bindings: dict[str, Binding] = {one.address: one for one in self.state.osc.bindings} if taken else {}
        values = {address: value for address, data in taken.items() if (value := read_value(data)) is not None}
        applied = [address for address, value in values.items() if self._apply(address, value, bindings)]
        if self.learning:
            for address, value in values.items():
                if find_address(address) is None:
                    self.learning.hear(address, value, self.state)
            self._bind(self.learning)
        return bool(applied)

    def look(self) -> None:
        """While a binding is learnt, see what the user changed; before anything changes by itself."""
        if self.learning:
            self.learning.see(self.state)
            self._bind(self.learning)

    def send(self) -> None:
        """Send what changed; once a frame, when everything that changes by itself has."""
        if self.learning:
            self.learning.remember(self.state)
        if self._sender:
            self._sender.send(self.state)

    def learn(self, starts: bool) -> None:
        """Start or stop learning."""
        self.learning, self.notice = Learning() if starts else None, ""

    def close(self) -> None:
        """Let go of both ports."""
        if self._receiver:
            self._receiver.close()
        if self._sender:
            self._sender.close()
        self._receiver = self._sender = None

    def _open_or_close(self, osc: OscState) -> None:
        """Follow the settings; a port that was taken is tried again every AGAIN seconds."""
        sends = osc.on and osc.sends
        wanted = (osc.on, osc.host, osc.port, sends, osc.send_host if sends else "", osc.send_port if sends else 0)
        is_due = bool(self.error) and time.monotonic() - self._tried_at > AGAIN
        if wanted == self._opened and not is_due:
            return
        self.close()
        self.error, self._opened, self._tried_at = "", wanted, time.monotonic()
        if not osc.on:
            self.learning = None
            return
        try:
            require_package()
            self._receiver = Receiver(osc.host, osc.port, self._wake)
            if sends:
                self._sender = Sender(osc.send_host, osc.send_port, self.state)
        except OscError as problem:
            self.error = str(problem)

    def _measure(self, receiver: Receiver) -> None:
        now = time.monotonic()
        if now - self._counted_at >= 1.0:
            self.rate = (receiver.count - self._count) / (now - self._counted_at)
            self._counted_at, self._count = now, receiver.count

    def _apply(self, address: str, value: float | str, bindings: dict[str, Binding]) -> bool:
        """Set what an address means; return False where it means nothing, or is an echo of what was sent."""
        if self._sender and self._sender.is_echo(address, value):
            return False
        binding, own = bindings.get(address), find_address(address)
        target = find_address(binding.setting) if binding else own
        if target is None:
            return False
        if binding and isinstance(value, float):
            share = unbend(value, "linear", binding.least, binding.most)
            value = bend(share, binding.curve, binding.low, binding.high)
        if not target.write(self.state, value):
            return False
        if self._sender:
            self._sender.know(address, self.state)
        now = target.read(self.state)  # which may be the limit of the setting, or a word
        shown = now if isinstance(now, str) else f"{now or 0.0:.6g}"
        self.last = f"{address}  {shown}" if target is own else f"{address}  →  {target.text}  {shown}"
        return True

    def _bind(self, learning: Learning) -> None:
        if not learning.bind(self.state):
            self.notice = f"{MOST_BINDINGS} bindings are the most: remove one to learn another."
            self.learning = None
