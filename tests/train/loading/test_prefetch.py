# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Loading ahead: the order of positions, errors where they belong, and a step that does not wait."""

import threading

import pytest

from train.loading.prefetch import Prefetcher


def test_positions_come_in_their_order_and_are_loaded_before_they_are_asked_for() -> None:
    asked: list[int] = []
    loaded = {position: threading.Event() for position in (0, 4, 8, 12)}

    def load(position: int) -> int:
        asked.append(position)
        if position in loaded:
            loaded[position].set()
        return 10 * position

    ahead = Prefetcher(load, 4, depth=3)
    assert ahead.take(0) == 0
    assert all(event.wait(10) for event in loaded.values()), "three batches ahead, though only one was taken"
    assert [ahead.take(position) for position in (4, 8, 12)] == [40, 80, 120]
    ahead.close()
    assert asked[:4] == [0, 4, 8, 12]


def test_a_jump_begins_anew() -> None:
    ahead = Prefetcher(lambda position: position, 4)
    assert [ahead.take(position) for position in (0, 4, 100, 104, 0)] == [0, 4, 100, 104, 0]
    ahead.close()


def test_an_error_is_raised_where_its_position_is_taken() -> None:
    def load(position: int) -> int:
        if position == 4:
            raise ValueError("damaged")
        return position

    ahead = Prefetcher(load, 2)
    assert (ahead.take(0), ahead.take(2)) == (0, 2)
    with pytest.raises(ValueError, match="damaged"):
        ahead.take(4)
    ahead.close()


def test_the_wait_is_counted() -> None:
    gate = threading.Event()
    ahead = Prefetcher(lambda position: gate.wait(10), 1)
    threading.Timer(0.1, gate.set).start()
    ahead.take(0)
    assert ahead.waited > 0.05
    waited = ahead.waited
    ahead.take(1)
    ahead.close()
    assert ahead.waited - waited < 0.05
