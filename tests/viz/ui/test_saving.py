# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Names of saved files: the desktop's dialog decides on files that are there, and what it never saw is kept."""

from pathlib import Path
from typing import Any

import pytest

from viz.record.save_export import Offer, SaveExport
from viz.render.jobs import JobStatus
from viz.ui import saving
from viz.ui.context import PanelContext
from viz.ui.theme import PALETTES, Theme

OFFER = Offer("a name", lambda renderer: pytest.fail("nothing is collected here"))


class Dialog:
    """A file dialog that answers `chosen` when it is asked the second time."""

    def __init__(self, chosen: str) -> None:
        self.chosen, self.looks = chosen, 0

    def ready(self, _: int) -> bool:
        self.looks += 1
        return self.looks > 1

    def result(self) -> str:
        return self.chosen


def answered(chosen: str) -> tuple[PanelContext, SaveExport | None]:
    context: Any = PanelContext(Theme(PALETTES["dark"]))
    context.saving.dialog = "save X", OFFER, ".png", Dialog(chosen)
    saving.poll(context, "")
    assert not context.jobs.started, "it has not answered yet"
    saving.poll(context, "")
    assert context.saving.dialog is None
    return context, context.jobs.started.get("save X")


def test_a_dialog_has_asked_before_a_file_is_replaced(tmp_path: Path) -> None:
    context, job = answered(str(tmp_path / "x.png"))
    assert job is not None and job.path == tmp_path / "x.png" and job.overwrite
    assert context.saving.folder == str(tmp_path) and context.message == "Writing x.png …"


def test_a_name_that_gets_its_ending_from_us_was_not_asked_about(tmp_path: Path) -> None:
    for name in ("x", "x.v2", "x.svg"):
        _, job = answered(str(tmp_path / name))
        assert job is not None and job.path == tmp_path / f"{name}.png" and not job.overwrite


def test_a_dialog_that_is_closed_saves_nothing() -> None:
    context, job = answered("")
    assert job is None and not context.message


def test_what_became_of_a_file_is_said_once(tmp_path: Path) -> None:
    for result, error, words in (("Wrote it.", None, "Wrote it."), (None, "No room.", "No room.")):
        context, job = answered(str(tmp_path / "x.png"))
        assert job is not None
        context.jobs.statuses["save X"] = JobStatus(job, result, error, finished=True)
        saving.poll(context, "")
        assert context.message == words and not context.saving.running and not context.jobs.started
    context, _ = answered(str(tmp_path / "x.png"))
    context.jobs.cancel("save X")
    saving.poll(context, "")
    assert context.message == "The file was not written."
