# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Model."""

from viz.state import AppState
from viz.view import View

TITLE = "Model"
PLACE = "left"


def draw(state: AppState, view: View) -> None:
    """Draw the panel."""
