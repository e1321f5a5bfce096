# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What the strip, the menus and the keys do with bookmarks: never a state that the next start could not read."""

import json

from viz.core import bookmarks
from viz.core import state as states
from viz.core.latent import DEEPEST, count_levels
from viz.core.state import AppState
from viz.ui import bookmarking
from viz.ui.context import PanelContext
from viz.ui.theme import Theme


def test_mixtures_of_mixtures_end_before_a_state_file_could_not_hold_them() -> None:
    """Such a file is refused as a whole: every setting, and every bookmark, would be lost with the next start."""
    state, context = AppState(), PanelContext(Theme())
    state.latent.mixed = [0, 1]
    for _ in range(DEEPEST + 2):
        bookmarking.mix_in(state, context, bookmarks.capture(state, "latent"))
        assert states.from_json(json.loads(json.dumps(states.to_json(state)))) == state
    assert "made of too many others" in context.message
    second = state.latent.second.kept
    assert second is not None and count_levels(second) == DEEPEST
