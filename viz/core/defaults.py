# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What the window opens on."""

from gan.hub.resolve import bundled
from viz.core.state import AppState

FASTEST = ""  # stands for a device until a window knows which there are
FIRST_SEED = 24.0  # where all bundled models draw a whole creature in the middle


def first_start(state: AppState) -> None:
    """Fill empty slots with the pair that shows what the window is for: the paper's baseline (B) beside T.

    The models then run on the fastest device.
    """
    if state == AppState():
        state.latent.x, state.display.device = FIRST_SEED, FASTEST
    paths = {model.rung: model.path for model in reversed(bundled())}
    state.left.path = state.left.path or paths.get("B", "")
    state.right.path = state.right.path or paths.get("T", "")
