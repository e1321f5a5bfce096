# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""OSC in the window's frame: when its messages are applied, and what follows from them."""

from collections.abc import Callable

from viz.core.state import AppState
from viz.osc.link import OscLink
from viz.ui import bookmarking, timelining
from viz.ui.context import PanelContext
from viz.window.undo import Undo


class Remote:
    """The link of one window's state to OSC."""

    def __init__(self, state: AppState, context: PanelContext, undo: Undo, wake: Callable[[], object]) -> None:
        self._state, self._context, self._undo = state, context, undo
        self.link = context.osc = OscLink(state, wake)

    def take(self) -> None:
        """Apply what came since the last frame, before anything changes by itself; a stream of it is one gesture."""
        self.link.look()
        self._undo.stream(self._apply)

    def send(self) -> None:
        """Send what changed, once everything that changes by itself has."""
        self.link.send()

    def close(self) -> None:
        """Let go of the ports."""
        self.link.close()

    def _apply(self) -> bool:
        blend, seconds = self._state.bookmarks.blend, self._state.playback.seconds
        came = self.link.receive()
        if self._state.bookmarks.blend != blend and (pair := bookmarking.find_pair(self._state, self._context)):
            bookmarking.blend(self._state, self._context, *pair)
        if self._state.playback.seconds != seconds:
            timelining.scrub(self._state, self._state.playback.seconds)
        return came
