# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The numbers of images in the names of a run folder's files: thousands and the rest, network-snapshot-000012-345."""

from __future__ import annotations

import re
from collections.abc import Iterable


def format_images(images: int) -> str:
    """Return `images` as file names have it: six digits of thousands and three of the rest, in order of age."""
    return f"{images // 1000:06d}-{images % 1000:03d}"


def find_newest(names: Iterable[str], before: str, after: str) -> tuple[str, int] | None:
    """Return the name `before`NNNNNN-NNN`after` with the most images, and their number; None if there is none.

    Names without the rest, as earlier versions wrote them, are rounded down.
    """
    return next(reversed(sort_by_age(names, before, after)), None)


def sort_by_age(names: Iterable[str], before: str, after: str) -> list[tuple[str, int]]:
    """Return all such names with their numbers of images, the oldest first."""
    pattern = re.compile(rf"{re.escape(before)}(\d{{1,12}})(?:-(\d{{3}}))?{re.escape(after)}", re.ASCII)
    found = [(match, name) for name in names if (match := pattern.fullmatch(name))]
    ages = [(1000 * int(match[1]) + int(match[2] or 0), match[2] is not None, name) for match, name in found]
    return [(name, images) for images, _, name in sorted(ages)]


def split_age(text: str) -> tuple[str, str]:
    """Return a run folder and an age in thousands of images of RUN@12 or RUN@12.345; ("", "") for any other text."""
    match = re.fullmatch(r"(.+)@(\d{1,9}(?:\.\d{1,3})?)", text, re.ASCII | re.DOTALL)
    return (match[1], match[2]) if match else ("", "")
