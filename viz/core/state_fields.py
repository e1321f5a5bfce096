# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Fields of the state's dataclasses that know what they accept: their own check, and the span of their control."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any


def number(default: float, low: float, high: float) -> Any:
    """Make a dataclass field for an int or a float (as `default` is) within [low, high]."""
    return field(default=default, metadata={"low": low, "high": high})


def numbers(low: float, high: float, most: int, fill: float = 0.0) -> Any:
    """Make a dataclass field for a list of at most so many floats within [low, high], empty at first.

    `fill` is what numbers become that are not yet there when a later one is set.
    """
    return field(default_factory=list, metadata={"low": low, "high": high, "most": most, "kind": float, "fill": fill})


def whole_numbers(low: int, high: int, most: int) -> Any:
    """Make a dataclass field for a list of at most so many whole numbers within [low, high], empty at first."""
    return field(default_factory=list, metadata={"low": low, "high": high, "most": most, "kind": int})


def parsed(read: Callable[[str, object], Any], default: Any = None) -> Any:
    """Make a dataclass field for a frozen value, which `read` (its name in a file, a JSON value) returns.

    `read` raises ValueError, a sentence, for another value; None is read as such where it is the default.
    """
    return field(default=default, metadata={"read": read})


def choice(default: str, *others: str) -> Any:
    """Make a dataclass field for one of a few words."""
    return field(default=default, metadata={"choices": (default, *others)})


def limits_of(owner: object, name: str) -> tuple[float, float]:
    """Return the (low, high) that field `name` of dataclass instance `owner` accepts: the span of a control."""
    metadata = read_limits(owner, name)
    return metadata["low"], metadata["high"]


def choices_of(owner: object, name: str) -> tuple[str, ...]:
    """Return the words that field `name` of dataclass instance `owner` accepts, its default first."""
    return tuple(read_limits(owner, name)["choices"])


def read_limits(owner: Any, name: str) -> Mapping[str, Any]:
    """Return all that field `name` of dataclass instance `owner` says of the values that it accepts."""
    return owner.__dataclass_fields__[name].metadata
