# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Run folders that grow, break and vanish; trainers that stop, die and outlive their window."""

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from gan.files.atomic_write import atomic_write
from viz.core.panel_state import TrainingState
from viz.training import monitor as run_monitor
from viz.training import process as trainer
from viz.training import run_folder
from viz.training.monitor import RunMonitor, RunReport, build_resume_command, build_training_command, format_command
from viz.training.process import ProcessReport, RunError, TrainerProcess
from viz.training.run_folder import Progress, RunFolder, RunSnapshot, find_error_sentence, is_resumable

# A trainer in thirty lines: it makes a run folder, ticks, and obeys the `stop` file, as docs/run-folder.md says.
STAND_IN = """
import json, os, pathlib, sys, time
folder = pathlib.Path(sys.argv[1]); how = sys.argv[2]
def progress(state, images, error=None):
    temporary = folder / "progress.tmp"
    temporary.write_text(json.dumps({"state": state, "images": images, "total_images": 100, "images_per_s": 50.0,
                                     "seconds_left": 1.0, "pid": os.getpid(), "error": error}))
    os.replace(temporary, folder / "progress.json")
folder.mkdir(parents=True, exist_ok=True)
progress("starting", 0)
print(f"Run folder: {folder}")
if how == "traceback":
    raise ValueError("the loss became nan")
if how == "refuse":
    progress("failed", 0, "There is no data here.")
    sys.exit("Error: There is no data here.")
for images in range(0, 10_000):
    progress("training", images)
    with open(folder / "stats.jsonl", "a") as file:
        file.write(json.dumps({"kimg": images / 1000, "loss_g": 1.0, "loss_d": 2.0, "r1": None}) + "\\n")
    if (folder / "stop").exists() and how != "deaf":
        (folder / "training-state.safetensors").write_bytes(b"")
        (folder / "network-snapshot-000000.safetensors").write_bytes(b"")
        progress("stopped", images)
        sys.exit(0)
    time.sleep(0.02)
"""


def write_progress(folder: Path, **values: Any) -> None:
    document = {"state": "training", "images": 10, "total_images": 100, "images_per_s": 5.0, "seconds_left": 18.0}
    (folder / "progress.json").write_text(json.dumps(document | {"pid": os.getpid(), "error": None} | values))


def append(path: Path, text: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def row(kimg: float, **values: float | None) -> str:
    return json.dumps({"kimg": kimg, "loss_g": 1.0, "loss_d": 2.0, "r1": 0.5} | values) + "\n"


def make_old(path: Path) -> None:
    """Let a file look as if it had been written a minute ago."""
    then = time.time() - 60.0
    os.utime(path, (then, then))


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """A deadline, not a measurement: it fails only on a machine that is stuck."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.02)


# ---------------------------------------------------------------------------------------------------------- RunFolder


def test_a_folder_that_grows(tmp_path: Path) -> None:
    folder = tmp_path / "00000-critters-T-32"
    follower = RunFolder(folder)
    assert follower.poll().state == "absent"
    folder.mkdir()
    assert follower.poll().state == "unknown"
    write_progress(folder, state="starting", images=0)
    assert follower.poll().state == "starting"

    append(folder / "stats.jsonl", row(4.0))
    write_progress(folder)
    first = follower.poll()
    assert first.state == "training" and first.progress.fraction == 0.1
    assert first.curves["kimg"].tolist() == [4.0]
    assert first.fakes is None and first.network is None and not first.resumable

    half = row(8.0, loss_g=3.0, r1=None)
    append(folder / "stats.jsonl", half[:20])
    assert follower.poll().curves["kimg"].tolist() == [4.0]
    append(folder / "stats.jsonl", half[20:] + row(12.0))
    for name in ("fakes000000.png", "fakes000012.png", "fakes000004.png", "fakes.png", "fakes000099.png.tmp"):
        (folder / name).write_bytes(b"")
    for name in ("network-snapshot-000004.safetensors", "network-snapshot-001000.safetensors"):
        (folder / name).write_bytes(b"")
    second = follower.poll()
    assert second.curves["kimg"].tolist() == [4.0, 8.0, 12.0]
    assert second.curves["loss_g"].tolist() == [1.0, 3.0, 1.0]
    assert np.isnan(second.curves["r1"][1]) and second.curves["r1"][2] == 0.5
    assert second.fakes is not None and second.fakes.path == folder / "fakes000012.png" and second.fakes.kimg == 12
    assert second.network is not None and second.network.path.name == "network-snapshot-001000.safetensors"
    for name in ("network-snapshot-001000-064.safetensors", "network-snapshot-000999-999.safetensors"):
        (folder / name).write_bytes(b"")
    third = RunFolder(folder).poll().network
    assert third is not None and (third.path.name, third.kimg) == ("network-snapshot-001000-064.safetensors", 1000.064)


def test_only_new_lines_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(tmp_path / "stats.jsonl", row(1.0) + row(2.0))
    follower = RunFolder(tmp_path)
    follower.poll()
    parsed: list[bytes] = []
    parse = run_folder._parse_stats

    def count(line: bytes) -> tuple[float, ...] | None:
        parsed.append(line)
        return parse(line)

    monkeypatch.setattr(run_folder, "_parse_stats", count)
    follower.poll()
    assert parsed == []
    append(tmp_path / "stats.jsonl", row(3.0))
    assert follower.poll().curves["kimg"].tolist() == [1.0, 2.0, 3.0]
    assert parsed == [row(3.0).strip().encode()]


def test_a_long_file_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "_READ_LIMIT", 150)
    append(tmp_path / "stats.jsonl", "".join(row(float(k)) for k in range(10)) + "x" * 1000 + "\n" + row(10.0))
    follower = RunFolder(tmp_path)
    for _ in range(30):
        snapshot = follower.poll()
    assert snapshot.curves["kimg"].tolist() == [float(k) for k in range(11)]


def test_damaged_lines_and_files_are_passed_over(tmp_path: Path) -> None:
    nonsense = (
        '{"kimg": \n[1, 2]\nnull\n{"kimg": "four"}\n{"loss_g": 1}\n{"kimg": NaN}\n\x00\xff\n' + "[" * 50_000 + "\n"
    )
    append(tmp_path / "stats.jsonl", nonsense + row(4.0) + '{"kimg": 5, "loss_g": [1], "loss_d": 0}\n')
    for content in (b"", b"{", b"[]", b'{"state": "training", "images": "many", "pid": "me", "error": 3}'):
        (tmp_path / "progress.json").write_bytes(content)
        snapshot = RunFolder(tmp_path).poll()
        assert snapshot.curves["kimg"].tolist() == [4.0]
    assert snapshot.progress == Progress("training")
    (tmp_path / "training_options.json").write_text("not json")
    assert RunFolder(tmp_path).poll().options == {}


def test_a_damaged_progress_file_keeps_the_last_good_one(tmp_path: Path) -> None:
    write_progress(tmp_path, images=42)
    follower = RunFolder(tmp_path)
    follower.poll()
    (tmp_path / "progress.json").write_text('{"state": "trai')
    assert follower.poll().progress.images == 42


def test_metrics_of_snapshots_become_curves(tmp_path: Path) -> None:
    def row(images: str, **results: float | None) -> str:
        return json.dumps({"results": results, "snapshot_pkl": f"network-snapshot-{images}.safetensors"}) + "\n"

    (tmp_path / "metric-pr50k3_full.jsonl").write_text(row("000008-000", precision=0.0, recall=None) + "{damaged\n")
    fid = tmp_path / "metric-fid1k_full-efficientnet-lite0.jsonl"
    name = "fid1k_full (EfficientNet-Lite0)"
    fid.write_text(row("000012-500", **{name: 30.0}) + row("000004-000", **{name: 50.0}) + row("none", **{name: 1.0}))
    run = RunFolder(tmp_path)
    curves = run.poll().metrics
    assert {name: curve.tolist() for name, curve in curves.items()} == {
        "precision": [[8.0], [0.0]],
        name: [[4.0, 12.5], [50.0, 30.0]],
    }
    with fid.open("a") as file:
        file.write(row("000012-500", **{name: 29.0}))
    assert run.poll().metrics[name].tolist() == [[4.0, 12.5], [50.0, 29.0]], "measured again"
    fid.unlink()
    assert list(run.poll().metrics) == ["precision"]


def test_a_resumed_run_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "stats.jsonl"
    append(path, row(4.0) + row(8.0) + row(12.0, loss_g=9.0))
    follower = RunFolder(tmp_path)
    follower.poll()
    with atomic_write(path) as temporary:  # longer than before, yet not a continuation
        temporary.write_text(row(4.0) + row(8.0) + row(12.0) + row(16.0))
    curves = follower.poll().curves
    assert curves["kimg"].tolist() == [4.0, 8.0, 12.0, 16.0] and curves["loss_g"].tolist() == [1.0] * 4


def test_a_rewritten_or_vanished_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    append(folder / "stats.jsonl", row(4.0) + row(8.0))
    follower = RunFolder(folder)
    follower.poll()
    (folder / "stats.jsonl").write_text(row(1.0))
    assert follower.poll().curves["kimg"].tolist() == [1.0]
    (folder / "stats.jsonl").unlink()
    assert follower.poll().curves["kimg"].tolist() == [1.0]
    folder.rmdir()
    assert follower.poll().state == "absent"


def test_a_dead_process_without_a_last_word_is_a_crash(tmp_path: Path) -> None:
    dead = psutil.Popen([sys.executable, "-c", ""])
    dead.wait()
    write_progress(tmp_path, pid=dead.pid)
    (tmp_path / "log.txt").write_text("tick 1\nRuntimeError: out of memory\n\n")
    assert RunFolder(tmp_path).poll().state == "training"  # written just now: perhaps by another machine
    make_old(tmp_path / "progress.json")
    snapshot = RunFolder(tmp_path).poll()
    assert (snapshot.state, snapshot.error) == ("crashed", "RuntimeError: out of memory")
    write_progress(tmp_path, pid=dead.pid, state="finished")
    make_old(tmp_path / "progress.json")
    assert RunFolder(tmp_path).poll().state == "finished"


def test_a_process_that_inherited_the_number_is_not_the_trainer(tmp_path: Path) -> None:
    write_progress(tmp_path)  # our own number, but written before this process began
    long_ago = psutil.Process().create_time() - 1000.0
    os.utime(tmp_path / "progress.json", (long_ago, long_ago))
    assert RunFolder(tmp_path).poll().state == "crashed"


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("", ""),
        ("tick 1\rtick 2\r\n\n", "tick 2"),
        ("Usage: train.py [OPTIONS]\nError: No such option: --cfgg\nGood bye.", "No such option: --cfgg"),
        ("Traceback (most recent call last):\n  x\n\x1b[31mValueError: bad\x1b[0m\n", "ValueError: bad"),
        ("y" * 5000, "y" * 345 + " ... " + "y" * 150),
    ],
)
def test_last_sentence(output: str, sentence: str) -> None:
    assert find_error_sentence(output) == sentence


# ----------------------------------------------------------------------------------------------------- TrainerProcess


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[[str], tuple[str, ...]]:
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)

    def command(how: str) -> tuple[str, ...]:
        return (sys.executable, str(script), str(tmp_path / "run"), how)

    return command


def finish(process: TrainerProcess) -> ProcessReport:
    wait_for(lambda: process.poll().state != "running")
    return process.poll()


def test_start_learn_the_folder_and_stop(tmp_path: Path, stand_in: Callable[[str], tuple[str, ...]]) -> None:
    process = TrainerProcess(stand_in("obey"), tmp_path / "out" / "trainer.log")
    wait_for(lambda: process.poll().run_folder is not None)
    folder = RunFolder(tmp_path / "run")
    wait_for(lambda: len(folder.poll().curves.get("kimg", ())) > 1)
    if sys.platform != "win32":
        assert os.getsid(process.pid) == process.pid  # of its own: Ctrl-C in our terminal does not reach it
    process.stop()
    report = finish(process)
    assert (report.state, report.error) == ("done", "")
    snapshot = folder.poll()
    assert snapshot.state == "stopped" and snapshot.resumable and snapshot.network is not None
    assert "Run folder:" in (tmp_path / "out" / "trainer.log").read_text()


@pytest.mark.parametrize(
    ("how", "error"), [("traceback", "ValueError: the loss became nan"), ("refuse", "There is no data here.")]
)
def test_a_trainer_that_fails_leaves_a_sentence(
    tmp_path: Path, stand_in: Callable[[str], tuple[str, ...]], how: str, error: str
) -> None:
    report = finish(TrainerProcess(stand_in(how), tmp_path / "trainer.log"))
    assert (report.state, report.error) == ("failed", error)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to name")
def test_a_killed_trainer_is_named_so(tmp_path: Path, stand_in: Callable[[str], tuple[str, ...]]) -> None:
    process = TrainerProcess(stand_in("obey"), tmp_path / "trainer.log")
    wait_for(lambda: process.poll().run_folder is not None)
    trainer.end_process_tree(process.pid, force=True)
    report = finish(process)
    assert report.state == "failed" and "SIGKILL" in report.error and "memory" in report.error


def test_a_trainer_that_does_not_stop_is_terminated(tmp_path: Path, stand_in: Callable[[str], tuple[str, ...]]) -> None:
    now = [0.0]
    process = TrainerProcess(stand_in("deaf"), tmp_path / "trainer.log", clock=lambda: now[0])
    wait_for(lambda: process.poll().run_folder is not None)
    process.stop()
    time.sleep(0.1)
    assert process.poll().state == "running"
    now[0] = trainer.STOP_GRACE_S + 1.0
    assert finish(process).state == "done"


def test_what_cannot_start_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="Cannot start the trainer"):
        TrainerProcess((str(tmp_path / "absent"),), tmp_path / "trainer.log")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="output folder"):
        TrainerProcess((sys.executable,), tmp_path / "file" / "trainer.log")


# ------------------------------------------------------------------------------------------------------- command lines


def test_the_command_line(tmp_path: Path) -> None:
    training = TrainingState(source=str(tmp_path), rung="R", batch=8, gamma=0.5, kimg=1.5, outdir=str(tmp_path / "out"))
    command = build_training_command(training)
    for option in ("--cfg=R", f"--data={tmp_path}", "--batch=8", "--gamma=0.5", "--kimg=1.5", "--preset=tiny"):
        assert option in command
    assert command[0] == sys.executable and Path(command[1]).name == "train.py"
    automatic = format_command(build_training_command(TrainingState(source=str(tmp_path))))
    assert all(name not in automatic for name in ("batch", "kimg", "gamma")), "the trainer decides"
    training.source = "critters"
    assert {"--data=critters", "--resolution=32", "--critters-num=2000"} <= set(build_training_command(training))
    for source in ("", " ", str(tmp_path / "absent")):
        training.source = source
        with pytest.raises(RunError, match="no folder or zip"):
            build_training_command(training)


def test_the_command_that_starts_from_a_model() -> None:
    assert not any("--transfer" in word for word in build_training_command(TrainingState(), "t.safetensors"))
    for slot in ("left", "right"):
        training = TrainingState(start_from=slot)
        assert "--transfer=my models/t.safetensors" in build_training_command(training, "my models/t.safetensors")
        with pytest.raises(RunError, match=f"No model is open on the {slot}"):
            build_training_command(training, "")


def test_the_command_that_augments() -> None:
    for word, option in (("automatic", None), ("adaptive", "--aug=ada"), ("never", "--aug=noaug")):
        found = [one for one in build_training_command(TrainingState(augment=word)) if one.startswith("--aug")]
        assert found == ([option] if option else [])


def test_the_command_to_resume(tmp_path: Path) -> None:
    assert build_resume_command(tmp_path)[-1] == f"--resume={tmp_path}"
    assert build_resume_command(tmp_path, 12.5)[-2:] == (f"--resume={tmp_path}", "--kimg=12.5")


def test_without_a_script_the_installed_package_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "__file__", str(tmp_path / "viz" / "training" / "process.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert trainer.trainer_program() == (sys.executable, "-P", "-m", "train")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RunError, match="not installed"):
        trainer.trainer_program()


# --------------------------------------------------------------------------------------------------------- RunMonitor


def test_a_look_that_fails_is_a_sentence_and_not_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(folder: RunFolder) -> RunSnapshot:
        raise ZeroDivisionError("a mistake")

    write_progress(tmp_path, state="finished")
    monkeypatch.setattr(run_monitor, "IDLE_POLL_S", 0.02)
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "poll", broken)
        subject = RunMonitor(str(tmp_path))
        wait_for(lambda: bool(subject.report.error))
        assert "ZeroDivisionError: a mistake" in subject.report.error
        time.sleep(0.2)
    wait_for(lambda: subject.report.stage == "finished")
    assert subject.report.error == ""
    subject.close()
    assert capsys.readouterr().err.count("Traceback") == 1, "once, not at every look"


def test_a_run_folder_is_followed_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir()
    write_progress(tmp_path / "run", state="finished")
    monkeypatch.chdir(tmp_path)
    subject = RunMonitor("run")
    wait_for(lambda: subject.report.snapshot is not None)
    assert subject.report.snapshot is not None and subject.report.snapshot.folder == tmp_path / "run"
    subject.close()


@pytest.fixture
def monitor() -> Iterator[RunMonitor]:
    subject = RunMonitor(poll_s=0.02)
    yield subject
    subject.end()
    wait_for(lambda: not subject.report.active)
    subject.close()


def until(monitor: RunMonitor, *stages: str) -> RunReport:
    wait_for(lambda: monitor.report.stage in stages)
    return monitor.report


def test_the_monitor_launches_follows_and_stops(
    tmp_path: Path, stand_in: Callable[[str], tuple[str, ...]], monitor: RunMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_monitor, "build_training_command", lambda training, model: stand_in("obey"))
    monkeypatch.setattr(run_monitor, "build_resume_command", lambda folder, kimg: stand_in("obey"))
    assert monitor.report.stage == "idle"
    training = TrainingState(outdir=str(tmp_path / "out"))
    monitor.start(training)
    assert monitor.report.stage == "launching"  # at once, so that no second click can start a second run
    report = until(monitor, "training")
    assert report.snapshot is not None and report.snapshot.folder == tmp_path / "run"
    Image.new("RGB", (8, 4), (255, 0, 0)).save(tmp_path / "run" / "fakes000012.png")
    wait_for(lambda: monitor.report.fakes is not None)
    fakes = monitor.report.fakes
    assert fakes is not None and fakes.file.kimg == 12 and fakes.pixels.shape == (4, 8, 4)
    assert fakes.pixels[0, 0].tolist() == [255, 0, 0, 255]
    (tmp_path / "run" / "fakes000016.png").write_bytes(b"damaged")
    monitor.stop()
    report = until(monitor, "stopped")
    assert report.snapshot is not None and report.snapshot.resumable and report.error == ""
    assert report.fakes is not None and report.fakes.file.kimg == 12

    monitor.resume(tmp_path / "run")
    until(monitor, "training")
    monitor.stop()
    until(monitor, "stopped")


@pytest.mark.parametrize(
    ("how", "stage", "error"),
    [("traceback", "crashed", "ValueError: the loss became nan"), ("refuse", "failed", "There is no data here.")],
)
def test_the_monitor_reports_a_failure(
    tmp_path: Path,
    stand_in: Callable[[str], tuple[str, ...]],
    monitor: RunMonitor,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    stage: str,
    error: str,
) -> None:
    monkeypatch.setattr(run_monitor, "build_training_command", lambda training, model: stand_in(how))
    monitor.start(TrainingState(outdir=str(tmp_path / "out")))
    report = until(monitor, "failed", "crashed")
    assert (report.stage, report.error) == (stage, error)
    assert report.log is not None and report.log.is_file()


def test_a_wish_that_cannot_be_met_is_a_sentence(tmp_path: Path, monitor: RunMonitor) -> None:
    monitor.start(TrainingState(source=str(tmp_path / "absent"), outdir=str(tmp_path)))
    report = until(monitor, "failed")
    assert "no folder or zip" in report.error
    monitor.start(TrainingState(source="", outdir=str(tmp_path)))
    until(monitor, "failed")


def test_training_outlives_the_window_and_is_found_again(
    tmp_path: Path, stand_in: Callable[[str], tuple[str, ...]]
) -> None:
    process = TrainerProcess(stand_in("obey"), tmp_path / "trainer.log")
    wait_for(lambda: process.poll().run_folder is not None)
    later = RunMonitor(str(tmp_path / "run"), poll_s=0.02)
    try:
        until(later, "training")
        later.stop()
        until(later, "stopped")
        assert finish(process).state == "done"
    finally:
        later.close()
        process.end()


@pytest.mark.slow
def test_a_real_trainer_stops_and_goes_on(tmp_path: Path, monitor: RunMonitor) -> None:
    settings = TrainingState(rung="B", resolution=16, pictures=16, batch=4, kimg=100.0, outdir=str(tmp_path / "out"))

    def train_a_little_from(images: int) -> int:
        """Wait until more than `images` are seen, stop, and return how many it came to."""

        def gone_on() -> bool:
            report = monitor.report
            assert not report.error, report.error
            return (
                report.stage == "training" and report.snapshot is not None and report.snapshot.progress.images > images
            )

        wait_for(gone_on, 60.0)
        monitor.stop()
        wait_for(lambda: monitor.report.stage == "stopped", 60.0)
        snapshot = monitor.report.snapshot
        assert snapshot is not None and snapshot.resumable and snapshot.network is not None
        assert (snapshot.progress.total_images, snapshot.options["gamma"]) == (100_000, 0.016)
        return snapshot.progress.images

    monitor.start(settings)
    first = train_a_little_from(0)
    snapshot = monitor.report.snapshot
    assert snapshot is not None
    monitor.resume(snapshot.folder)
    assert train_a_little_from(first) > first
    assert monitor.report.snapshot is not None and monitor.report.snapshot.folder == snapshot.folder


def test_a_progress_file_of_any_kind_is_a_state_that_is_known(tmp_path: Path) -> None:
    """Found by the fuzz harness (tests/fuzz/fuzzing.py)."""
    for state in ("x" * 5000, [[1]], {"a": "\x1b[2J"}, 5, None):
        assert Progress.from_json({"state": state}).state == "unknown"
    assert Progress.from_json({}).state == "starting"
    error = Progress.from_json({"state": "failed", "error": "a\nb" + "x" * 5000}).error
    assert error.isprintable() and len(error) < 600


def test_a_run_without_a_snapshot_can_begin_again() -> None:
    assert not is_resumable(["log.txt"])
    assert is_resumable(["training_options.json", "log.txt"])
    assert is_resumable(["training-state.safetensors"])
    assert not is_resumable(["training_options.json", "network-snapshot-000001-000.safetensors"])


def test_the_window_pauses_a_run_and_asks_for_a_snapshot(tmp_path: Path) -> None:
    """What it writes is what docs/run-folder.md says, and a paused run counts as one that a trainer works on."""
    write_progress(tmp_path, state="paused")
    snapshot = RunFolder(tmp_path).poll()
    assert snapshot.state == "paused" and snapshot.active and not snapshot.resumable
    monitor = RunMonitor(str(tmp_path), poll_s=0.01)
    try:
        for order, wish in (
            (lambda: monitor.pause(True), {"pause": True}),
            (lambda: monitor.pause(False), {"pause": False}),
            (monitor.snapshot, {"snapshot": True}),
        ):
            order()
            wait_for(lambda: (tmp_path / "control.json").is_file())
            assert json.loads((tmp_path / "control.json").read_text()) == wish
            (tmp_path / "control.json").unlink()
    finally:
        monitor.close()
