# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A cache of the last few values."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class LRUCache(Generic[Value]):
    """The last few values by key, bounded by the sum of their costs; `keep` of them stay at any cost."""

    def __init__(self, budget: float, keep: int = 0) -> None:
        self.budget, self.keep = budget, keep
        self._entries: OrderedDict[Hashable, tuple[Value, float]] = OrderedDict()
        self._used = 0.0  # the sum of the costs: there may be ten thousands, each frame

    def get(self, key: Hashable, make: Callable[[], tuple[Value, float]]) -> tuple[Value, bool]:
        """Return the value for `key`, and True if `make` (-> value, cost) had to be called for it."""
        made = key not in self._entries
        if made:
            self._entries[key] = entry = make()
            self._used += entry[1]
        self._entries.move_to_end(key)
        while len(self._entries) > max(self.keep, 1) and self._used > self.budget:
            self._used -= self._entries.popitem(last=False)[1][1]
        return self._entries[key][0], made

    def retain(self, wanted: Callable[[Any], bool]) -> None:
        """Forget the values whose keys are not wanted."""
        for key in [key for key in self._entries if not wanted(key)]:
            self._used -= self._entries.pop(key)[1]

    def __len__(self) -> int:
        return len(self._entries)
