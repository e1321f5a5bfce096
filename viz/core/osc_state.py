# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The settings of OSC (Open Sound Control), a part of the state (viz.core.state)."""

import math
from dataclasses import dataclass, fields

from viz.core.state_fields import number, parsed

LOOPBACK = "127.0.0.1"  # reached from this computer only
MOST_BINDINGS = 256
LONGEST_ADDRESS = 200  # characters
CURVES = ("linear", "square", "root", "exponential")


@dataclass(frozen=True)
class Binding:
    """A controller's `address` that moves a setting, named by our address of it.

    What comes between `least` and `most` becomes, along `curve`, what lies between `low` and `high`.
    """

    address: str
    setting: str
    least: float = 0.0
    most: float = 1.0
    low: float = 0.0
    high: float = 1.0
    curve: str = CURVES[0]


def read_bindings(label: str, document: object) -> tuple[Binding, ...]:
    """Read the bindings from JSON; ValueError, a sentence, for what is none."""
    if not isinstance(document, list | tuple) or len(document) > MOST_BINDINGS:
        raise ValueError(f"{label} must be a list of at most {MOST_BINDINGS} bindings.")
    return tuple(_read_binding(f"{label}[{index}]", item) for index, item in enumerate(document))


def _read_binding(label: str, document: object) -> Binding:
    known = {item.name: item.type for item in fields(Binding)}
    if not isinstance(document, dict) or not {"address", "setting"} <= document.keys() <= known.keys():
        raise ValueError(f"{label} must be an object with the keys {', '.join(known)}.")
    for name, value in document.items():
        if name in ("address", "setting"):
            if not isinstance(value, str) or not is_address(value):
                raise ValueError(f"{label}.{name} must be an OSC address, such as /1/fader1.")
        elif name == "curve":
            if value not in CURVES:
                raise ValueError(f"{label}.curve must be one of {', '.join(CURVES)}.")
        elif type(value) not in (int, float) or not abs(value) <= 1e30:
            raise ValueError(f"{label}.{name} must be a number.")
    numbers = {name: float(value) for name, value in document.items() if not isinstance(value, str)}
    return Binding(document["address"], document["setting"], curve=document.get("curve", CURVES[0]), **numbers)


def is_address(text: str) -> bool:
    """Return whether a text is one plain address: printable ASCII that begins with a slash, and no pattern."""
    return (
        text.startswith("/")
        and len(text) <= LONGEST_ADDRESS
        and text.isascii()
        and text.isprintable()
        and not set(text) & set(" #*,?[]{}")
    )


def bend(share: float, curve: str, low: float, high: float) -> float:
    """Return the value between `low` and `high` at a `share` of the way, 0 to 1, along a curve.

    "exponential" multiplies by equal factors where both ends have the same sign, and else grows as 100^share does.
    """
    match curve:
        case "square":
            share = share * share
        case "root":
            share = math.sqrt(share)
        case "exponential":
            if low * high > 0.0:
                return low * (high / low) ** share
            share = (100.0**share - 1.0) / 99.0
    return low + (high - low) * share


def unbend(value: float, curve: str, low: float, high: float) -> float:
    """Invert `bend`: return the share of the way, 0 to 1, at which a value lies; ends for values beyond them."""
    if low == high:
        return 0.0
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    match curve:
        case "square":
            return math.sqrt(share)
        case "root":
            return share * share
        case "exponential":
            if low * high > 0.0:
                inner = min(max(value, min(low, high)), max(low, high))
                return math.log(inner / low) / math.log(high / low)
            return math.log1p(99.0 * share) / math.log(100.0)
    return share


@dataclass
class OscState:
    """Receiving at `host` and `port` if `on`, and sending to `send_host` and `send_port` if `sends` as well."""

    on: bool = False
    host: str = LOOPBACK
    port: int = number(9000, 1024, 65535)
    sends: bool = False
    send_host: str = LOOPBACK
    send_port: int = number(9001, 1024, 65535)
    bindings: tuple[Binding, ...] = parsed(read_bindings, ())

    def bind(self, binding: Binding) -> bool:
        """Add a binding in the place of an earlier one of its address; return False if there are too many."""
        others = tuple(one for one in self.bindings if one.address != binding.address)
        if len(others) >= MOST_BINDINGS:
            return False
        self.bindings = (*others, binding)
        return True
