# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The OSC addresses of the state's settings, made from its dataclasses: /jinc/transform/tx is state.transform.tx.

Numbers, switches and words have one each; numbers in a list, boxes and directions have one for each index.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass, replace
from typing import Any, Literal

from viz.core.gestures import set_clamped
from viz.core.latent import FARTHEST, MOST_DIRECTIONS
from viz.core.latent_state import DirectionsState
from viz.core.state import AppState
from viz.core.state_fields import read_limits

ROOT = "/jinc"
CLOSED = {"osc", "display.width", "display.height"}
"""Settings without an address: nobody opens a port from outside, and the window's size is its frame's."""
DIRECTION = "direction"  # stands for the strength along the directions that are offered
Kind = Literal["number", "whole", "switch", "word", "list", "boxes", "directions"]
LISTS: tuple[Kind, ...] = ("list", "boxes", "directions")
Value = float | str  # an int where the setting is a whole number, True and False for a switch


@dataclass(frozen=True)
class Address:
    """An address and the setting behind it, which is within [low, high] or one of `words`.

    Of the kinds in LISTS there are `count`, each with its `index` behind the text; `index` -1 stands for all of them.
    """

    text: str
    path: tuple[str, ...]
    kind: Kind
    low: float
    high: float
    words: tuple[str, ...] = ()
    fill: float = 0.0  # the value of numbers that a list lacks
    count: int = 0
    index: int = -1

    def read(self, state: AppState) -> Value | None:
        """Return the setting; None for one that a list does not hold at present."""
        owner, name = self.owner_in(state), self.path[-1]
        if self.kind == "directions":
            direction = owner.offered(self.index)
            return owner.strength(direction) if direction else None
        value = getattr(owner, name)
        if self.kind == "boxes":
            return self.index in value
        if self.kind == "list":
            return value[self.index] if self.index < len(value) else None
        return value

    def write(self, state: AppState, value: Value) -> bool:
        """Set the setting as near to `value` as it takes; return False for what means nothing to it and is ignored.

        A switch is on from 0.5 on; a word is named, or counted from 0.
        """
        if isinstance(value, str):
            is_known = self.kind == "word" and value in self.words
            if is_known:
                setattr(self.owner_in(state), self.path[-1], value)
            return is_known
        if not math.isfinite(value):
            return False
        value = min(max(float(value), self.low), self.high)
        owner, name = self.owner_in(state), self.path[-1]
        match self.kind:
            case "number" | "whole":
                set_clamped(owner, name, round(value) if self.kind == "whole" else value)
            case "word":
                setattr(owner, name, self.words[round(value)])
            case "switch" if self.path == ("linked",):
                state.link(value >= 0.5)
            case "switch":
                setattr(owner, name, value >= 0.5)
            case "boxes":
                others = {*getattr(owner, name)} - {self.index}
                setattr(owner, name, sorted({*others, self.index} if value >= 0.5 else others))
            case "list":
                numbers = getattr(owner, name)
                missing = [self.fill] * (self.index + 1 - len(numbers))
                numbers = [*numbers, *missing]
                numbers[self.index] = value
                setattr(owner, name, numbers)
            case "directions":
                direction = owner.offered(self.index)
                if direction is None:
                    return False
                owner.go(direction, value)
        return True

    def at(self, index: int) -> "Address":
        """Return the address of one of a list."""
        return replace(self, text=f"{self.text}/{index}", index=index)

    def owner_in(self, state: AppState) -> Any:
        """Return the part of the state that holds the setting."""
        owner: Any = state
        for name in self.path[:-1]:
            owner = getattr(owner, name)
        return owner


@functools.cache
def list_addresses() -> tuple[Address, ...]:
    """Return every address, in the order of the state; a list's as one."""
    return tuple(_walk(AppState(), ()))


def _walk(owner: Any, path: tuple[str, ...]) -> Iterator[Address]:
    for name in type(owner).__dataclass_fields__:
        here, value, limits = (*path, name), getattr(owner, name), read_limits(owner, name)
        text = "/".join((ROOT, *here))
        if ".".join(here) in CLOSED:
            continue
        if is_dataclass(value):
            if type(value).__hash__ is None:  # a frozen one is a value
                yield from _walk(value, here)
        elif "choices" in limits:
            words = limits["choices"]
            yield Address(text, here, "word", 0.0, len(words) - 1.0, words)
        elif "most" in limits:
            kind: Kind = "list" if limits["kind"] is float else "boxes"
            low, high = (limits["low"], limits["high"]) if kind == "list" else (0.0, 1.0)
            yield Address(text, here, kind, low, high, fill=limits.get("fill", 0.0), count=limits["most"])
        elif isinstance(value, bool):
            yield Address(text, here, "switch", 0.0, 1.0)
        elif "low" in limits:
            yield Address(text, here, "number" if isinstance(value, float) else "whole", limits["low"], limits["high"])
    if isinstance(owner, DirectionsState):
        here = (*path, DIRECTION)
        yield Address("/".join((ROOT, *here)), here, "directions", -FARTHEST, FARTHEST, count=MOST_DIRECTIONS)


@functools.cache
def _by_text() -> dict[str, Address]:
    return {address.text: address for address in list_addresses()}


def find_address(text: str) -> Address | None:
    """Return the address of a text, with its index where it is one of a list; None for any other text."""
    found = _by_text().get(text)
    if found is not None:
        return found if found.kind not in LISTS else None
    prefix, _, last = text.rpartition("/")
    found = _by_text().get(prefix)
    if found is None or found.kind not in LISTS or not (last.isascii() and last.isdigit()):
        return None
    if len(last) > 5 or (last[0] == "0" and last != "0") or int(last) >= found.count:
        return None
    return found.at(int(last))


def list_present(state: AppState) -> Iterator[tuple[str, Value]]:
    """Yield the text and value of every setting that there is at present: of lists what they hold."""
    for address in list_addresses():
        match address.kind:
            case "list":
                values = getattr(address.owner_in(state), address.path[-1])
                yield from ((f"{address.text}/{index}", value) for index, value in enumerate(values))
            case "boxes":
                on = getattr(address.owner_in(state), address.path[-1])
                yield from ((f"{address.text}/{index}", index in on) for index in range(address.count))
            case "directions":
                owner: DirectionsState = address.owner_in(state)
                for index in range(owner.shown):
                    direction = owner.offered(index)
                    if direction:
                        yield f"{address.text}/{index}", owner.strength(direction)
            case _:
                value = address.read(state)
                assert value is not None
                yield address.text, value


def describe_addresses() -> str:
    """Return all addresses as a table in Markdown: address, what it takes, its range, its value at first."""
    lines = ["| address | takes | range | at first |", "|---|---|---|---|"]
    lines += (f"| `{_spell(address)}` | {' | '.join(_describe(address))} |" for address in list_addresses())
    return "\n".join(lines)


def _spell(address: Address) -> str:
    return f"{address.text}/N" if address.kind in LISTS else address.text


def _format(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e12 else f"{value:g}"


def _describe(address: Address) -> tuple[str, str, str]:
    """Return what an address takes, its range and its value at first, in words."""
    state, each = AppState(), f"; N from 0 to {address.count - 1}"
    span = f"{_format(address.low)} to {_format(address.high)}"
    match address.kind:
        case "switch":
            return "0 or 1", "off, on", f"{int(bool(address.read(state)))}"
        case "word":
            return "a word, or its place from 0", ", ".join(address.words), f"{address.read(state)}"
        case "boxes":
            return f"0 or 1{each}", "off, on", "0"
        case "list" | "directions":
            return f"a number{each}", span, f"{address.fill:g}"
    return "a number" if address.kind == "number" else "a whole number", span, _format(float(address.read(state) or 0))
