# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The settings of what is small: the strip of bookmarks, the gallery, captures; parts of the state (viz.core.state)."""

from dataclasses import dataclass

from viz.core.latent import LARGEST_SEED
from viz.core.state_fields import choice, number

LARGEST_SIZE = 8192  # pixels
DEFAULT_NAME = "{model}-{latent}-{number}"


@dataclass
class BookmarksState:
    """The strip, and the two bookmarks (their keys, "" none) between which `blend` is a point, from 0 to 1."""

    shown: bool = True
    first: str = ""
    second: str = ""
    blend: float = number(0.0, 0.0, 1.0)


@dataclass
class GalleryState:
    """A square of `size` by `size` seeds from `first` on, of the model in `slot`; `both` slots take what is clicked."""

    slot: str = choice("left", "right")
    size: int = number(4, 2, 10)
    first: int = number(0, 0, LARGEST_SEED)
    both: bool = False


@dataclass
class CaptureState:
    """Settings of a capture: `what` is kept, in a `folder` ("" the user's pictures), under a `name` with fields.

    `size` is the pictures' width in pixels, 0 the model's own; a canvas and a window have the one they have on screen.
    """

    what: str = choice("left", "right", "both", "canvas", "window")
    size: int = number(0, 0, LARGEST_SIZE)
    folder: str = ""
    name: str = DEFAULT_NAME
