# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The dialog for videos, not drawn: a name that no file system takes is a sentence, not the end of the window."""

from pathlib import Path

from viz.core.state import AppState
from viz.ui.context import PanelContext
from viz.ui.theme import Theme
from viz.window.export_dialog import JOB, ExportDialog


def test_a_name_that_is_too_long_reaches_the_job_which_says_so(tmp_path: Path) -> None:
    state, context = AppState(), PanelContext(Theme())
    state.left.path = state.right.path = "/a.safetensors"
    dialog = ExportDialog(state, context)
    dialog._path = tmp_path / f"{'x' * 300}.mp4"
    dialog.start()
    assert context.jobs.is_running(JOB) and dialog._problem == ""
    context.jobs.cancel(JOB)
    dialog._path = tmp_path / "there.mp4"
    dialog._path.touch()
    dialog.start()
    assert not context.jobs.is_running(JOB) and dialog._problem == "there.mp4 is there already: give another name."
