# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The settings of captures, a part of the state (viz.core.state)."""

from dataclasses import dataclass

from viz.core.state_fields import choice, number

LARGEST_SIZE = 8192  # pixels
DEFAULT_NAME = "{model}-{latent}-{number}"


@dataclass
class CaptureState:
    """Settings of a capture: `what` is kept, in a `folder` ("" the user's pictures), under a `name` with fields.

    `size` is the pictures' width in pixels, 0 the model's own; a canvas and a window have the one they have on screen.
    """

    what: str = choice("left", "right", "both", "canvas", "window")
    size: int = number(0, 0, LARGEST_SIZE)
    folder: str = ""
    name: str = DEFAULT_NAME
