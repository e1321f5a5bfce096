# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The panels, in the order of the menu.

A panel is a module with `TITLE`, `PLACE` (where the default layout docks it: "left", "latent", which is a tab beside
that panel, "right" or "bottom") and `draw(state, context)`, which draws with imgui and changes only its own part of the
state. No torch, no OpenGL here.
"""

from typing import Protocol

from viz.core.state import AppState
from viz.panels import (
    capture,
    directions,
    filters,
    gallery,
    latent,
    layers,
    mixing,
    model,
    noise,
    osc,
    performance,
    spectrum,
    sticking,
    timeline,
    training,
    transform,
)
from viz.ui.context import PanelContext


class Panel(Protocol):
    """A panel module as the window uses it."""

    TITLE: str
    PLACE: str

    def draw(self, state: AppState, context: PanelContext) -> None: ...


PANELS: tuple[Panel, ...] = (
    model,
    latent,
    mixing,
    noise,
    transform,
    layers,
    spectrum,
    filters,
    gallery,
    sticking,
    directions,
    timeline,
    capture,
    training,
    performance,
    osc,
)
