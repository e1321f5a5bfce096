# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sizes, durations and messages as people read them."""

import pytest

from gan.files.errors import LONGEST_MESSAGE, sanitize_text
from gan.files.format import format_bytes, format_duration


@pytest.mark.parametrize(
    "count, text", [(0, "0 B"), (999, "999 B"), (1000, "1.0 KiB"), (2**20 * 150, "150 MiB"), (2**50, "1048576 GiB")]
)
def test_sizes_read_well(count: int, text: str) -> None:
    assert format_bytes(count) == text


@pytest.mark.parametrize(
    "seconds, text",
    [(5.9, "5 s"), (59.4, "59 s"), (184, "3 min 04 s"), (3720, "1 h 02 min"), (90_000, "25 h 00 min")]
    + [(359_999, "99 h 59 min"), (360_000, "4 days 04 h"), (29_494_320, "341 days 08 h")],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_messages_cannot_steer_a_terminal_and_keep_both_ends() -> None:
    assert sanitize_text("a\x1b[31m\nb\u202ec") == "a?[31m?b?c"
    assert sanitize_text(1.5) == "1.5" and sanitize_text("x" * LONGEST_MESSAGE) == "x" * LONGEST_MESSAGE
    for limit in (60, LONGEST_MESSAGE):
        text = sanitize_text("begin" + "x" * 1000 + ": do this.", limit)
        assert len(text) == limit and text.startswith("begin") and " ... " in text and text.endswith(": do this.")
