# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Performance."""

from viz.state import AppState
from viz.view import View

TITLE = "Performance"
PLACE = "bottom"


def draw(state: AppState, view: View) -> None:
    """Draw the panel."""
