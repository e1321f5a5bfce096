# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Training panel, driven as a user would: a real trainer is started, watched, stopped, killed and misled."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imgui_bundle import hello_imgui, imgui
from PIL import Image
from support.gui import drive, settle

from gan.hub.resolve import list_bundled
from gan.networks.ladder import RUNGS
from viz.core.panel_state import TrainingState
from viz.core.state import AppState, DisplayState
from viz.panels import training_run
from viz.training import process
from viz.ui import widgets
from viz.window.window import Window


def smallest(tmp_path: Path, **others: Any) -> AppState:
    """A run that is as small as a run can be, but long enough never to end by itself."""
    settings: dict[str, Any] = {"rung": "B", "resolution": 16, "pictures": 16, "batch": 4, "kimg": 100.0}
    training = TrainingState(**settings | others, outdir=str(tmp_path / "runs"))
    # Large enough for all of the form: the test engine finds only what is within a panel's view.
    return AppState(training=training, display=DisplayState(width=1900, height=1060))


def until(context: Any, condition: Callable[[], bool]) -> None:
    """Let frames pass until `condition`; the deadline is for a machine that is stuck, not a measurement."""
    end = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        context.yield_()
        time.sleep(0.05)  # drawn in software, frames would take the processor that the trainer waits for


def open_panel(context: Any, window: Window) -> Any:
    """Bring the Training tab to the front; returns what reads the monitor's stage."""
    settings = imgui.test_engine.get_io(hello_imgui.get_imgui_test_engine())
    settings.config_watchdog_warning = settings.config_watchdog_kill_test = 600.0  # trainers take their time
    context.window_focus("//Training")
    context.yield_(2)
    monitor = window.context.training
    assert monitor is not None
    return monitor


def end_trainer(window: Window) -> None:
    """Leave no process behind, whatever the test came to."""
    report = window.context.training.report if window.context.training else None
    if report is not None and report.snapshot is not None and report.snapshot.progress.pid:
        process.end_process_tree(report.snapshot.progress.pid, force=True)


@pytest.mark.slow
def test_every_rung_can_be_chosen(tmp_path: Path) -> None:
    window = Window(smallest(tmp_path), strict=True)
    chosen = []

    def test(context: Any) -> None:
        open_panel(context, window)
        context.set_ref(context.window_info("//Training/what").window.id_)
        for letter, title in RUNGS:
            context.combo_click(f"##rung/{letter}  {title}")
            chosen.append(window.state.training.rung)

    drive(window, test)
    assert chosen == [letter for letter, _ in RUNGS]


@pytest.mark.slow
def test_train_watch_stop_and_open(tmp_path: Path) -> None:
    window = Window(smallest(tmp_path), strict=True)

    def test(context: Any) -> None:
        monitor = open_panel(context, window)
        context.item_click("**/Start training")
        assert monitor.report.active
        until(context, lambda: monitor.report.stage == "training")
        until(context, lambda: monitor.report.snapshot.progress.images > 0)
        until(context, lambda: monitor.report.fakes is not None)
        assert monitor.report.snapshot.progress.total_images == 100_000
        context.item_check("**/left##follow_left")
        context.item_click("**/Stop")
        context.yield_(2)
        assert monitor.report.stage in ("stopping", "stopped")
        until(context, lambda: monitor.report.stage == "stopped")

        newest = monitor.report.snapshot.network
        assert newest is not None and monitor.report.snapshot.resumable
        context.item_click("**/Open right")
        assert window.state.right.path == str(newest.path)
        settle(context, window)
        for slot in ("left", "right"):  # left followed by itself
            result = window.context.results[slot]
            assert result is not None and result.error is None and result.facts is not None
            assert (result.facts.path, result.facts.config.rung, result.facts.config.resolution) == (
                str(newest.path),
                "B",
                16,
            )
        assert window.state.training.run_folder == str(newest.path.parent)
        window.state.left.path = ""  # the user takes the slot back: following it ends
        context.yield_(2)
        assert not window.state.training.follow_left and window.state.left.path == ""

        context.item_click("**/New run")
        context.yield_(3)
        assert context.item_exists("**/Start training") and window.state.training.run_folder == ""

    try:
        drive(window, test)
    finally:
        end_trainer(window)


@pytest.mark.slow
def test_a_run_starts_from_the_open_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    window = Window(smallest(tmp_path, rung="T", resolution=32, start_from="nothing"), strict=True)
    sentence, said = widgets.sentence, []
    monkeypatch.setattr(widgets, "sentence", lambda text, colour: (said.append(text), sentence(text, colour)))

    def drawn(context: Any) -> list[str]:
        said.clear()
        context.yield_(3)
        return list(said)

    def test(context: Any) -> None:
        monitor = open_panel(context, window)
        training = window.state.training
        context.item_click("**/right##start_from")
        window.state.right.path = ""
        context.yield_(90)
        flags = context.item_info("**/Start training").item_flags
        assert training.start_from == "right" and flags & imgui.ItemFlags_.disabled, "nothing is open there"
        window.state.right.path = str(bundled("B"))
        settle(context, window)
        assert "critters-b-32 is of rung B and 32 px: less of it fits another rung or size." in drawn(context)
        window.state.right.path = str(bundled("T"))
        settle(context, window)
        assert not any("less of it fits" in sentence for sentence in drawn(context))
        training.resolution = 64
        assert "critters-t-32 is of rung T and 32 px: less of it fits another rung or size." in drawn(context)
        training.resolution = 32
        context.yield_(90)
        context.item_click("**/Start training")
        until(context, lambda: monitor.report.stage == "training")
        log = (monitor.report.snapshot.folder / "log.txt").read_text(encoding="utf-8")
        assert "Starting from critters-t-32 (rung T, 32x32)" in log and "mapping to L8_32_3  yes" in log
        context.item_click("**/Stop")
        until(context, lambda: monitor.report.stage == "stopped")

    try:
        drive(window, test)
    finally:
        end_trainer(window)


@pytest.mark.slow
def test_a_model_that_does_not_fit_is_said(tmp_path: Path) -> None:
    window = Window(smallest(tmp_path, rung="A", start_from="right", preset="paper"), strict=True)
    window.state.right.path = str(bundled("T"))

    def test(context: Any) -> None:
        monitor = open_panel(context, window)
        context.item_click("**/Start training")
        until(context, lambda: monitor.report.stage == "failed")
        assert "Nothing of critters-t-32 fits the new run" in monitor.report.error
        context.yield_(10)
        assert context.item_exists("**/Start training")

    drive(window, test)


@pytest.mark.slow
def test_no_run_starts_from_a_model_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    window = Window(smallest(tmp_path, start_from="right"), strict=True)
    broken, state = tmp_path / "broken.pkl", tmp_path / "training-state.safetensors"
    broken.write_bytes(b"no model")
    state.write_bytes(b"only the trainer knows")
    sentence, said = widgets.sentence, []
    monkeypatch.setattr(widgets, "sentence", lambda text, colour: (said.append(text), sentence(text, colour)))

    def refuses(context: Any, path: Path) -> bool:
        window.state.right.path = str(path)
        context.yield_(5)
        until(context, lambda: window.context.models.info(str(path)) is not None)
        said.clear()
        context.yield_(5)
        off = bool(context.item_info("**/Start training").item_flags & imgui.ItemFlags_.disabled)
        assert off == any(text.startswith("No run can start from this model: broken.pkl") for text in said)
        return off

    def test(context: Any) -> None:
        open_panel(context, window)
        assert refuses(context, broken) and not refuses(context, bundled("B")) and not refuses(context, state)

    drive(window, test)


def test_options_are_named_by_the_panels_controls() -> None:
    said = "Nothing of x fits the new run (rung T and not A); give the --cfg, --preset, --cbase and --capacity of it."
    assert training_run.name_controls(said) == (
        "Nothing of x fits the new run (rung T and not A); give the rung, preset, --cbase and --capacity of it. "
        "Only a command in a terminal takes --cbase, --capacity: Copy command copies one to begin with."
    )
    plain = "Training ran out of memory; start again with a smaller --batch."
    assert training_run.name_controls(plain) == plain.replace("--batch", "batch")
    assert training_run.name_controls("a--cbase.png is damaged.") == "a--cbase.png is damaged."


def bundled(rung: str) -> Path:
    return next(Path(model.path) for model in list_bundled() if model.rung == rung)


@pytest.mark.slow
def test_a_trainer_that_is_killed(tmp_path: Path) -> None:
    window = Window(smallest(tmp_path), strict=True)

    def test(context: Any) -> None:
        monitor = open_panel(context, window)
        context.item_click("**/Start training")
        until(context, lambda: monitor.report.stage == "training")
        process.end_process_tree(monitor.report.snapshot.progress.pid, force=True)
        until(context, lambda: monitor.report.stage == "crashed")
        context.yield_(10)  # the panel shows it, and goes on
        assert monitor.report.error and monitor.report.log is not None and monitor.report.log.is_file()
        assert context.item_exists("**/New run") and not context.item_exists("**/Stop")

    try:
        drive(window, test)
    finally:
        end_trainer(window)


@pytest.mark.slow
def test_pictures_that_cannot_be_trained_on(tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    Image.new("RGB", (48, 32)).save(tmp_path / "faces" / "wide.png")
    window = Window(smallest(tmp_path, source=str(tmp_path / "faces")), strict=True)

    def test(context: Any) -> None:
        monitor = open_panel(context, window)
        context.item_click("**/Start training")
        until(context, lambda: monitor.report.stage == "failed")
        context.yield_(10)
        assert "wide.png" in monitor.report.error and monitor.report.log is not None
        assert context.item_exists("**/Start training")  # the form is still there, to be corrected
        window.state.training.source = str(tmp_path / "absent")
        context.yield_(90)
        assert not monitor.report.active

    drive(window, test)


@pytest.mark.slow
def test_typing_a_run_folder_follows_it(tmp_path: Path) -> None:
    folder = tmp_path / "00000-faces-T-32"
    folder.mkdir()
    text = '{"state": "finished", "images": 5000, "total_images": 5000, "pid": 1, "error": null}'
    (folder / "progress.json").write_text(text)
    (folder / "stats.jsonl").write_text('{"kimg": 4, "loss_g": 1, "loss_d": 1, "r1": null}\n')
    window = Window(smallest(tmp_path), strict=True)

    def test(context: Any) -> None:
        monitor = open_panel(context, window)
        context.item_input_value("**/##run_folder", str(folder))
        until(context, lambda: monitor.report.stage == "finished")
        context.item_uncheck("**/log##log_scale")
        context.yield_(5)
        assert window.state.training.run_folder == str(folder) and not window.state.training.log_scale
        assert not context.item_exists("**/Resume")  # there is no training state in that folder

    drive(window, test)


@pytest.mark.slow
def test_a_preset_leaves_batch_and_length_to_the_trainer() -> None:
    window = Window(AppState(), strict=True)

    def test(context: Any) -> None:
        open_panel(context, window)
        for name in ("paper", "tiny"):
            training = window.state.training
            training.batch, training.kimg = 8, 5.0
            context.item_click(f"**/{name}##preset")
            assert (training.preset, training.batch, training.kimg) == (name, 0, 0.0)
        context.yield_(2)
        context.item_input_value("**/##batch", 12)  # a number shown as a word can still be typed
        assert window.state.training.batch == 12
        context.item_click("**/own pictures##source")
        assert window.state.training.source == ""
        context.yield_(2)
        flags = context.item_info("**/Start training").item_flags
        assert flags & imgui.ItemFlags_.disabled  # there is nothing to train on

    drive(window, test)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("values", [[], [1.0], [0.0, 0.0], [-2.0, 5.0], [np.nan, np.inf], [1e-300, 1e300]])
def test_every_loss_has_a_range(values: list[float], log: bool) -> None:
    curves = {name: np.array(values, np.float64) for name in ("kimg", "loss_g", "loss_d", "r1")}
    low, high = training_run.loss_range(curves, log)
    assert np.isfinite([low, high]).all() and low < high and (low > 0.0 or not log)
    drawn = [value for value in values if 1e-30 < abs(value) < 1e30 and (value > 0.0 or not log)]
    assert all(low < value < high for value in drawn)
