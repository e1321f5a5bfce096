# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sizes and durations as people read them."""


def format_bytes(count: float) -> str:
    """Return a number of bytes with its unit: 512 B, 3.1 MiB, 70.0 GiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1000 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"


def format_duration(seconds: float) -> str:
    """Return a number of seconds in two units at most: 12 days 03 h, 2 h 05 min, 3 min 04 s, 5 s."""
    minutes, rest = divmod(int(seconds), 60)
    if minutes >= 60 * 100:
        return f"{minutes // 1440} days {minutes % 1440 // 60:02d} h"
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def format_kimg(images: int) -> str:
    """Return a count of images as thousands, "12.3"; short runs with a second decimal, "0.06"."""
    return f"{images / 1000:.2f}" if images < 1000 else f"{images / 1000:.1f}"
