# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Draw a picture that a command line asked for: just that picture, or one sentence why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click
import numpy as np

if TYPE_CHECKING:  # it brings torch, which --help does without
    from viz.core.request import PictureRequest
    from viz.core.result import ModelFacts
    from viz.render.renderer import Renderer


class Drawn(NamedTuple):
    """A picture, uint8 [H, W, 4], and what is inside the model that drew it."""

    image: np.ndarray
    facts: ModelFacts


def draw_picture(renderer: Renderer, request: PictureRequest) -> Drawn:
    """Draw a picture. Raises click.ClickException for one that is not all that was asked for."""
    result = renderer.render(request)
    # What a window shows with a remark is, asked for on a command line, not what was asked for.
    if result.error or result.notice or result.image is None or result.facts is None:
        notice = f"{result.notice} Nothing was written." if result.notice else "No picture came back."
        raise click.ClickException(result.error or notice)
    return Drawn(result.image, result.facts)
