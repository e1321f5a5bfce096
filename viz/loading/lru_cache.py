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

    def get(self, key: Hashable, make: Callable[[], tuple[Value, float]]) -> tuple[Value, bool]:
        """Return the value for `key`, and True if `make` (-> value, cost) had to be called for it."""
        made = key not in self._entries
        if made:
            self._entries[key] = make()
        self._entries.move_to_end(key)
        while len(self._entries) > max(self.keep, 1) and sum(c for _, c in self._entries.values()) > self.budget:
            self._entries.popitem(last=False)
        return self._entries[key][0], made

    def retain(self, wanted: Callable[[Any], bool]) -> None:
        """Forget the values whose keys are not wanted."""
        for key in [key for key in self._entries if not wanted(key)]:
            del self._entries[key]

    def __len__(self) -> int:
        return len(self._entries)
