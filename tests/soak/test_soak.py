# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The soak command: random input reaches the window, a failure anywhere fails it, and it starts no trainer."""

import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from soak import fixtures, soak
from viz.core.panel_state import TrainingState
from viz.core.state import AppState
from viz.panels import transform
from viz.training.monitor import RunMonitor
from viz.ui import widgets
from viz.ui.context import PanelContext
from viz.ui.theme import Theme
from viz.window import window as app


@pytest.mark.slow
def test_a_short_soak_passes_and_moves_things(monkeypatch: pytest.MonkeyPatch) -> None:
    untouched, moved = AppState(), set[str]()

    class Watched(app.Window):
        def _after_frame(self) -> None:
            super()._after_frame()
            parts = ("transform", "canvas", "latent", "display")
            moved.update(part for part in parts if getattr(self.state, part) != getattr(untouched, part))

    monkeypatch.setattr(app, "Window", Watched)
    monkeypatch.setattr(soak, "GROWTH_LIMIT_MB", 1e6)  # ten minutes tell of leaks; ten seconds are warming up
    monkeypatch.setattr(soak.Hand, "_tour", lambda hand: iter(()))
    outcome = soak.run(8.0, 4.0, seed=0, frames=400)
    assert outcome.passed and outcome.errors == []
    # Frames pass while a gesture waits: on a busy machine there are more of them than events.
    assert outcome.seconds >= 8.0 and outcome.frames > 20 and outcome.events > outcome.frames / 4
    # At any frame, not at the last, since the hand also resets; which of them depends on how many frames there are.
    assert len(moved) >= 2, moved


@pytest.mark.nightly
def test_ten_minutes_of_it() -> None:
    """What a release must stand; the time is all that there is to it, so it is the only test that takes it."""
    outcome = soak.run(600.0, 60.0, seed=0)
    assert outcome.errors == []
    assert outcome.growth_mb <= soak.GROWTH_LIMIT_MB, f"{outcome.growth_mb:.1f} MB more than after the first minute"
    assert outcome.seconds >= 600.0 and outcome.events > 1000


@pytest.mark.slow
def test_words_are_typed_into_number_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """The soak that never typed into a field missed that nan ended the window."""
    from imgui_bundle import imgui

    typed: list[str] = []
    entered = widgets.number

    def number(theme: Theme, text: str, owner: object, name: str, **others: Any) -> bool:
        changed = entered(theme, text, owner, name, **others)
        if imgui.is_item_active() and imgui.get_io().want_text_input:
            typed.append(name)
        return changed

    monkeypatch.setattr(widgets, "number", number)
    monkeypatch.setattr(soak.Hand, "_tour", lambda hand: iter(()))
    for other in ("_drag", "_click", "_wheel", "_press", "_act"):
        monkeypatch.setattr(soak.Hand, other, soak.Hand._type)
    assert soak.run(10.0, 4.0, seed=0, frames=400).errors == []
    assert typed


@pytest.mark.slow
def test_a_failing_panel_fails_the_soak(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(state: AppState, context: PanelContext) -> None:
        raise KeyError("no such control")

    monkeypatch.setattr(transform, "draw", draw)
    result = CliRunner().invoke(soak.soak, ["--minutes", "0.1"])
    assert result.exit_code == 1
    assert "Error: KeyError" in result.output and "failed" in result.output


@pytest.mark.slow
def test_memory_is_weighed_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "REST_S", 1.0)
    monkeypatch.setattr(soak.Hand, "_tour", lambda hand: iter(()))  # which alone takes longer on a busy machine
    outcome = soak.run(8.0, 4.0, seed=0, frames=400)
    assert outcome.errors == [] and outcome.rss_mb > 50


def test_memory_is_compared_with_the_end_of_the_warm_up() -> None:
    memory = soak.Memory(60.0)
    for seconds, held in ((15, 900.0), (30, 430.0), (55, 400.0), (75, 395.0), (90, 421.0), (105, 410.0)):
        memory.weigh(seconds, held)
    assert (memory.before, memory.growth) == (400.0, 21.0)


def test_growth_fails_the_soak() -> None:
    assert soak.Outcome(growth_mb=soak.GROWTH_LIMIT_MB).passed
    assert not soak.Outcome(growth_mb=soak.GROWTH_LIMIT_MB + 0.1).passed
    assert not soak.Outcome(errors=["a thread died"]).passed


def test_the_stand_in_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def launch(*_: object) -> None:
        raise AssertionError("a trainer was started")

    monkeypatch.setattr(RunMonitor, "_launch", launch)
    monitor = fixtures.StandInMonitor(tmp_path)
    try:
        monitor.start(TrainingState(outdir=str(tmp_path)))
        monitor.resume(tmp_path)
        monitor.end()
    finally:
        monitor.close()
    assert list(tmp_path.iterdir()) == []


def test_the_stand_in_run_begins_again_and_stays_small(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.write_bytes(b"")
    run = fixtures.StandInRun(tmp_path / "run", str(model))
    for _ in range(450):
        run.grow()
    assert 10 < len(list(run.folder.iterdir())) < 100


def test_bad_files_are_bad(tmp_path: Path) -> None:
    from gan.checkpoints.checkpoint import CheckpointError, load_generator

    model = tmp_path / "model.safetensors"
    model.write_bytes(random.Random(0).randbytes(1000))
    for path in fixtures.save_bad_files(tmp_path, str(model)):
        if path.startswith(str(tmp_path)):
            with pytest.raises((CheckpointError, OSError)):
                load_generator(path)
