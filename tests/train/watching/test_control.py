# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""control.json: what it may hold, what a run does when it finds it, and what is refused."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support.steps import small_config
from support.trainer import SMALL, call, rows

import train.loop
import train.run_folder
from gan.checkpoints.checkpoint import load_tensors
from gan.files.wishes import CONTROL, ControlError, write_wishes
from train.state import TrainState
from train.watching.control import Control


def test_a_wish_is_taken_once(tmp_path: Path) -> None:
    control = Control(tmp_path)
    assert not control.poll()
    write_wishes(tmp_path, pause=True, snap=7)
    assert control.poll() and control.paused and control.snap == 7 and not control.stop
    assert not control.poll() and list(tmp_path.iterdir()) == []
    write_wishes(tmp_path, resume=False, snap=8)
    assert control.poll() and control.paused and control.snap == 8
    write_wishes(tmp_path, resume=True, snapshot=True, stop=True)
    assert control.poll() and not control.paused and control.snapshot and control.stop
    write_wishes(tmp_path, resume=False, snapshot=True)
    assert control.poll() and not control.paused, "nobody asked for a pause"


def test_wishes_that_nobody_has_taken_yet_are_kept(tmp_path: Path) -> None:
    write_wishes(tmp_path, pause=True, snap=3)
    write_wishes(tmp_path, snapshot=True)
    assert json.loads((tmp_path / CONTROL).read_text()) == {"pause": True, "snap": 3, "snapshot": True}
    write_wishes(tmp_path, resume=True)  # the later of the two counts
    control = Control(tmp_path)
    assert control.poll() and not control.paused and control.snapshot and control.snap == 3
    (tmp_path / CONTROL).write_text('{"other": 1}')
    write_wishes(tmp_path, stop=True)
    assert control.poll() and control.stop


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", '{"pause": 1}', '{"snap": 0}', '{"snap": true}', '{"snap": 1e99}', '{"x": true}', "[" * 5000]
    + ['{"pause": true, "resume": true}', "{" + " " * 2**17 + "}", "\x00\xff"],
)
def test_what_is_no_wish_is_said_and_taken_away(tmp_path: Path, text: str) -> None:
    control = Control(tmp_path)
    (tmp_path / CONTROL).write_text(text, encoding="latin1")
    with pytest.raises(ControlError, match="not understood"):
        control.poll()
    assert not list(tmp_path.iterdir()) and not control.poll() and not control.paused


def start(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, wishes: dict[int, dict[str, object]]) -> Path:
    """Run five steps, and write a control.json before some of them."""
    step = TrainState.step

    def watched(self: TrainState, *args: object) -> object:
        if self.steps in wishes:
            write_wishes(self_folder(), **wishes[self.steps])
        return step(self, *args)

    def self_folder() -> Path:
        return next((tmp_path / "runs").iterdir())

    monkeypatch.setattr(TrainState, "step", watched)
    result = call("--cfg=T", f"--data={data}", f"--outdir={tmp_path / 'runs'}", "--kimg=0.02", *SMALL, "--tick=1")
    assert result.exit_code == 0, result.output
    return self_folder()


def test_a_snapshot_now_and_another_interval(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = start(tmp_path, data, monkeypatch, {1: {"snapshot": True}, 2: {"snap": 5}})
    assert sorted(path.name for path in run.glob("network*")) == [
        "network-snapshot-000000-008.safetensors",
        "network-snapshot-000000-020.safetensors",
    ]
    assert [row["images"] for row in rows(run)] == [8, 20]
    assert json.loads((run / "training_options.json").read_text())["snap"] == 5


def test_a_pause_changes_nothing_but_the_time(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    straight = start(tmp_path / "a", data, monkeypatch, {})
    seen: list[str] = []

    def look() -> None:
        while not (found := list((tmp_path / "b" / "runs").glob("*/progress.json"))):
            time.sleep(0.02)
        while json.loads(found[0].read_text())["state"] != "paused":
            time.sleep(0.02)
        seen.append("paused")
        write_wishes(found[0].parent, pause=False)

    monkeypatch.setattr(train.loop, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("train.run_folder.RunLog.write_progress", eager(train.run_folder.RunLog.write_progress))
    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    paused = start(tmp_path / "b", data, monkeypatch, {2: {"pause": True}})
    watcher.join(10)
    assert seen == ["paused"] and "Going on." in (paused / "log.txt").read_text()
    name = "training-state.safetensors"
    ours, theirs = load_tensors(paused / name)[0], load_tensors(straight / name)[0]
    for key, value in theirs.items():
        np.testing.assert_array_equal(ours[key].numpy(), value.numpy(), err_msg=key)


def test_a_stop_during_a_pause_is_no_going_on(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(_: float) -> None:
        write_wishes(next((tmp_path / "runs").iterdir()), stop=True)

    monkeypatch.setattr(train.loop, "time", SimpleNamespace(sleep=ask))
    run = start(tmp_path, data, monkeypatch, {2: {"pause": True}})
    log = (run / "log.txt").read_text()
    assert "Paused at" in log and "Stopped at" in log and "Going on." not in log


def eager(write: object) -> object:
    """Return a write_progress that writes each time it is called."""

    def written(self: object, *args: object, **more: object) -> None:
        self._written = -1e9  # type: ignore[attr-defined]
        write(self, *args, **more)  # type: ignore[operator]

    return written


def test_a_stop_asked_for_ends_the_run_to_be_resumed(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(tmp_path, data, monkeypatch, {1: {"stop": True}})
    assert json.loads((run / "progress.json").read_text())["state"] == "stopped"
    assert rows(run)[-1]["images"] == 8
    write_wishes(run, pause=True)  # of an earlier session: it must not hold the next one
    assert call("resume", run).exit_code == 0
    assert json.loads((run / "progress.json").read_text())["state"] == "finished"


def test_the_command_asks_a_run_that_trains_only(tmp_path: Path) -> None:
    result = call("control", tmp_path, "pause")
    assert result.exit_code == 1 and "is no run folder" in result.output and "--resume" not in result.output
    (tmp_path / "training_options.json").write_text("{}")
    for state, words in (("finished", "is finished"), ("stopped", "No trainer works on")):
        (tmp_path / "progress.json").write_text(json.dumps({"state": state}))
        result = call("control", tmp_path, "pause")
        assert result.exit_code == 1 and words in result.output and not (tmp_path / CONTROL).exists()
    assert call("control", tmp_path).exit_code == 2
    (tmp_path / "progress.json").write_text('{"state": "training"}')
    for words, document in ((("pause",), {"pause": True}), (("resume", "--snap=3"), {"resume": True, "snap": 3})):
        assert call("control", tmp_path, *words).exit_code == 0
        assert json.loads((tmp_path / CONTROL).read_text()) == document


@pytest.mark.parametrize("is_alive", [True, False])
def test_the_command_says_that_the_trainer_seems_to_be_killed(tmp_path: Path, is_alive: bool) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        (tmp_path / "progress.json").write_text(json.dumps({"state": "training", "pid": process.pid}))
        if not is_alive:
            process.kill()
            process.wait()
        result = call("control", tmp_path, "pause")
        process.kill()
    assert result.exit_code == 0 and (tmp_path / CONTROL).exists(), "it may train on another machine"
    assert ("it was killed" in result.output) == (not is_alive), result.output


def test_options_of_older_runs_open() -> None:
    document = small_config("T").to_json()
    new = ("mirror_y", "subset", "img_snap", "cudnn_benchmark")
    old = type(small_config("T")).from_json({key: value for key, value in document.items() if key not in new})
    assert (old.mirror_y, old.subset, old.img_snap, old.cudnn_benchmark) == (False, 0, 0, True)
