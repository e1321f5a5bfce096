# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Learn a binding: a control is moved in the window, a fader outside, in whichever order."""

import time
from dataclasses import dataclass, field, replace

from viz.core.osc_state import Binding
from viz.core.state import AppState
from viz.osc.addresses import Address, Value, find_address, list_present

SILENCE = 0.5  # seconds after which an address begins to move anew; one that never rests is not taken for a touch
WIDEST = 400.0  # of a range that a fader is given as a whole
AROUND = 5.0  # to either side of where a setting is, where its range is wider
MIDI = 127.0  # the end of a controller's range that does not end at 1
MOST_HEARD = 4096  # addresses that are remembered
DISPLAY = "/jinc/display/"  # keys and menus set it: text size and theme are not touched as controls
RATIO = 8.0  # of a range's ends, from which on equal factors suit a fader better than equal steps


@dataclass
class Learning:
    """A binding being learnt. `setting` is the address of the control that was touched, `address` the controller's."""

    setting: str = ""
    address: str = ""
    learnt: Binding | None = None  # the last one
    _ends: tuple[float, float] = (0.0, 1.0)  # of what comes from the controller
    _shown: dict[str, Value] = field(default_factory=dict)  # every setting, before the panels were drawn
    _heard_at: dict[str, float] = field(default_factory=dict)

    def remember(self, state: AppState) -> None:
        """Note all settings, right before the user can change them."""
        self._shown = dict(list_present(state))

    def see(self, state: AppState) -> None:
        """Take the setting that the user has changed since: of several the one that went the longest way."""
        farthest = 0.0
        for text, value in list_present(state) if self._shown else ():
            if text.startswith(DISPLAY):
                continue
            before = self._shown.get(text, value)
            if before != value and (way := _measure(find_address(text), before, value)) > farthest:
                farthest, self.setting = way, text

    def hear(self, address: str, value: float | str, state: AppState) -> None:
        """Take the address of a controller that begins to move; widen the range of what it sends by what comes."""
        if isinstance(value, str):
            return
        now = time.monotonic()
        began = now - self._heard_at.get(address, -SILENCE) >= SILENCE
        if len(self._heard_at) < MOST_HEARD or address in self._heard_at:
            self._heard_at[address] = now
        if began:
            self.address, self._ends = address, (0.0, 1.0)
        if address == self.address:
            self._ends = _widen(self._ends, value)
        if self.learnt and address == self.learnt.address:  # its first value may have been a small one
            least, most = _widen((self.learnt.least, self.learnt.most), value)
            if (least, most) != (self.learnt.least, self.learnt.most) and self.learnt in state.osc.bindings:
                self.learnt = replace(self.learnt, least=least, most=most)
                state.osc.bind(self.learnt)

    def bind(self, state: AppState) -> bool:
        """Add the binding once both sides are known; return False if there are too many."""
        if not (self.setting and self.address):
            return True
        found = find_address(self.setting)
        assert found is not None
        low, high, curve = suggest_range(found, found.read(state))
        self.learnt = Binding(self.address, self.setting, *self._ends, low, high, curve)
        self.setting = self.address = ""
        return state.osc.bind(self.learnt)


def _widen(ends: tuple[float, float], value: float) -> tuple[float, float]:
    """Return a controller's range with room for a value: 0 to 1, 0 to 127 or beyond, or as far below 0 as above."""
    most = max(MIDI, abs(value)) if abs(value) > ends[1] else ends[1]
    return (-most if value < 0.0 or ends[0] < 0.0 else 0.0), most


def suggest_range(address: Address, now: Value | None) -> tuple[float, float, str]:
    """Return the ends and the curve that a fader begins with for a setting whose value is `now`."""
    low, high = address.low, address.high
    if high - low > WIDEST:
        middle = float(now) if isinstance(now, int | float) else 0.0
        return max(low, middle - AROUND), min(high, middle + AROUND), "linear"
    return low, high, "exponential" if low > 0.0 and high / low >= RATIO else "linear"


def _measure(address: Address | None, before: Value, after: Value) -> float:
    """Return how far a setting went, in parts of the range that a fader would be given."""
    if address is None or isinstance(before, str) or isinstance(after, str):
        return 1.0
    low, high, _ = suggest_range(address, before)
    return abs(after - before) / (high - low)
