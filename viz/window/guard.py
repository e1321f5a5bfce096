# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Let what fails in a frame be a sentence in the status bar, not the end of the window."""

import traceback
from collections.abc import Callable

from imgui_bundle import imgui

from viz.ui.context import PanelContext


class Guard:
    """Calls all that hello_imgui would let end the window. `strict` lets it: tests want that."""

    def __init__(self, context: PanelContext, strict: bool) -> None:
        self._context, self._strict = context, strict

    def run(self, what: str, step: Callable[[], object]) -> None:
        """Call `step`, which draws nothing; `what` begins the sentence on its failure."""
        try:
            step()
        except Exception as problem:
            if self._strict:
                raise
            self._report(what, problem)

    def draw(self, what: str, draw: Callable[[], object]) -> None:
        """Draw `what`; after a failure imgui's windows and stacks are closed again as far as it had opened them."""
        if self._strict:
            draw()
            return
        before = imgui.internal.ErrorRecoveryState()
        imgui.internal.error_recovery_store_state(before)
        window = imgui.get_current_context().current_window  # get_current_window() would show imgui's own Debug window
        try:
            draw()
        except Exception as problem:
            io = imgui.get_io()
            asserting, io.config_error_recovery_enable_assert = io.config_error_recovery_enable_assert, False
            _recover(before, window)
            io.config_error_recovery_enable_assert = asserting
            self._report(f"{what} failed", problem)

    def _report(self, what: str, problem: Exception) -> None:
        message = f"{what}: {type(problem).__name__}: {problem}"
        if message != self._context.message:
            traceback.print_exc()  # once, not once a frame
        self._context.message = message


def _recover(before: imgui.internal.ErrorRecoveryState, window: imgui.internal.Window) -> None:
    """Bring imgui's stacks back to `before`, in which `window` was drawn.

    imgui's own recovery ends popups as if they were windows, and a menu bar that it was called within.
    """
    recovery, context = imgui.internal, imgui.get_current_context()
    stack = context.current_window_stack
    while len(stack) > before.size_of_window_stack and context.current_window.flags & imgui.WindowFlags_.popup:
        recovery.error_recovery_try_to_recover_window_state(stack[len(stack) - 1].stack_sizes_in_begin)
        imgui.end_popup()
    is_bar, window.dc.menu_bar_appending = window.dc.menu_bar_appending, False
    recovery.error_recovery_try_to_recover_state(before)
    window.dc.menu_bar_appending = is_bar
