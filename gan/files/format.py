# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Bytes as people read them."""


def size_text(count: float) -> str:
    """512 B, 3.1 MiB, 70 GiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1000 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
