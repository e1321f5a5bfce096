# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The cache keeps what fits its budget, the newest first, and costs the same with many entries as with few."""

from typing import Any

from viz.loading.lru_cache import LRUCache


def test_the_oldest_make_room_and_what_is_forgotten_frees_its_cost() -> None:
    cache: LRUCache[int] = LRUCache(10.0)
    for key in range(5):
        assert cache.get(key, lambda key=key: (key, 3.0)) == (key, True)
    assert len(cache) == 3 and cache.get(2, lambda: (9, 3.0)) == (2, False)
    cache.retain(lambda key: key == 2)
    assert len(cache) == 1
    for key in (7, 8):
        cache.get(key, lambda: (0, 3.0))
    assert len(cache) == 3 and not cache.get(2, lambda: (9, 3.0))[1], "there was room for all three"
    cache.get(1, lambda: (0, 99.0))
    assert len(cache) == 1, "the newest stays at any cost"


class Counted(float):
    """A cost that counts how often it is added to another."""

    added = 0

    def __add__(self, other: Any) -> float:
        Counted.added += 1
        return float(self) + other

    __radd__ = __add__


def test_a_look_up_does_not_grow_with_the_entries() -> None:
    cache: LRUCache[int] = LRUCache(1e9)
    for key in range(1000):
        cache.get(key, lambda: (0, Counted(1.0)))
    Counted.added = 0
    cache.get(500, lambda: (0, Counted(1.0)))
    assert Counted.added <= 1, "an animation of noise keeps ten thousands of planes, and looks up each in every frame"
