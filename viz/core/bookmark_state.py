# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The settings of the strip of bookmarks, a part of the state (viz.core.state)."""

from dataclasses import dataclass

from viz.core.state_fields import number


@dataclass
class BookmarksState:
    """The strip, and the two bookmarks (their keys, "" none) between which `blend` is a point, from 0 to 1."""

    shown: bool = True
    first: str = ""
    second: str = ""
    blend: float = number(0.0, 0.0, 1.0)
