# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The settings of the gallery of seeds and of the strip of bookmarks, parts of the state (viz.core.state)."""

from dataclasses import dataclass

from viz.core.latent import LARGEST_SEED
from viz.core.state_fields import choice, number


@dataclass
class GalleryState:
    """A square of `size` by `size` seeds from `first` on, of the model in `slot`; `both` slots take what is clicked."""

    slot: str = choice("left", "right")
    size: int = number(4, 2, 10)
    first: int = number(0, 0, LARGEST_SEED)
    both: bool = False


@dataclass
class BookmarksState:
    """The strip, and the two bookmarks (their keys, "" none) between which `blend` is a point, from 0 to 1."""

    shown: bool = True
    first: str = ""
    second: str = ""
    blend: float = number(0.0, 0.0, 1.0)
