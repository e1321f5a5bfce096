# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Runs that measure their snapshots: what is written when, and that the training itself is the same."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.metrics.detectors import Inception, Other, write_detector
from support.trainer import SMALL, call

from gan.checkpoints.checkpoint import load_tensors
from gan.files.wishes import write_wishes
from gan.metrics.figure import Figure
from gan.metrics.measure import Measurement
from gan.metrics.names import Metric
from train.metrics.records import append_record
from train.run_folder import STATE, STOP
from train.state import TrainState


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def records(run: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / f"metric-{name}.jsonl").read_text().splitlines()]


def start(data: Path, outdir: Path, *words: object) -> Path:
    result = call("--cfg=A", f"--data={data}", f"--outdir={outdir}", *SMALL, "--kimg=0.048", *words)
    assert result.exit_code == 0, result.output
    return next(outdir.iterdir())


def tensors(run: Path) -> dict[str, Any]:
    return {name: tensor.tolist() for name, tensor in load_tensors(run / STATE)[0].items()}


def test_snapshots_are_measured_and_training_is_the_same(data: Path, tmp_path: Path) -> None:
    detector = write_detector(tmp_path / "inception-2015-12-05.pt", Inception())
    words = "--metrics=fid0.016k_full,is0.02k", "--metrics-every=2", f"--detector={detector}"
    run = start(data, tmp_path / "measured", *words)
    plain = start(data, tmp_path / "plain", "--metrics=none")
    assert tensors(run) == tensors(plain), "2N steps with measurements are 2N steps"
    assert not list(plain.glob("metric-*"))
    for name, keys in (("fid0.016k_full", ["fid0.016k_full"]), ("is0.02k", ["is0.02k_mean", "is0.02k_std"])):
        rows = records(run, name)
        assert [row["snapshot_pkl"] for row in rows] == [
            f"network-snapshot-000000-0{images}.safetensors" for images in (16, 32, 48)
        ]
        assert all(list(row["results"]) == keys and row["metric"] == name for row in rows)
        assert {"total_time", "num_gpus", "timestamp"} <= rows[0].keys()
    found = call("metrics", f"--model={run}", *words[::2])
    assert found.exit_code == 0, found.output
    assert records(run, "fid0.016k_full")[-1]["results"] == records(run, "fid0.016k_full")[-2]["results"]
    log = (run / "log.txt").read_text()
    assert "Measuring fid0.016k_full, is0.02k." in log and "is0.02k " in log


def test_a_stop_ends_the_measurement_and_resume_takes_other_metrics(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = write_detector(tmp_path / "mine.pt", Inception())
    run_measurement = Measurement.run

    def stopped(self: Measurement, progress: Any, *rest: Any) -> None:
        (next((tmp_path / "runs").iterdir()) / STOP).touch()
        run_measurement(self, progress, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Measurement, "run", stopped)
        run = start(data, tmp_path / "runs", "--metrics=fid0.016k_full", f"--detector={detector}")
    assert "Measuring was ended by the stop" in (run / "log.txt").read_text()
    assert json.loads((run / "progress.json").read_text())["state"] == "stopped"
    assert not list(run.glob("metric-*"))
    last = max(path.name for path in run.glob("network-snapshot-*"))
    added: list[tuple[int, dict[str, float]]] = []
    events = SimpleNamespace(add=lambda images, values: added.append((images, values)), close=lambda: None)
    monkeypatch.setattr("train.loop.open_events", lambda *_: events)
    result = call(f"--resume={run}", "--metrics=kid0.016k_full")
    assert result.exit_code == 0, result.output
    (row,) = records(run, "kid0.016k_full-mine")[-1:]
    assert records(run, "kid0.016k_full-mine")[0]["snapshot_pkl"] == last
    assert [48, "metrics/kid0.016k_full (mine)"] in [[images, *values] for images, values in added]
    assert row["metric"] == "kid0.016k_full (mine)" and list(row["results"]) == ["kid0.016k_full (mine)"]
    assert json.loads((run / "training_options.json").read_text())["metrics"] == ["kid0.016k_full"]
    assert tensors(run) == tensors(start(data, tmp_path / "plain"))


def test_wishes_are_heard_while_a_snapshot_is_measured(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = write_detector(tmp_path / "inception-2015-12-05.pt", Inception())
    run_measurement = Measurement.run

    def stopped(self: Measurement, progress: Any, *rest: Any) -> None:
        write_wishes(next((tmp_path / "runs").iterdir()), stop=True)
        run_measurement(self, progress, *rest)

    monkeypatch.setattr(Measurement, "run", stopped)
    run = start(data, tmp_path / "runs", "--metrics=is0.02k", f"--detector={detector}")
    assert "Measuring was ended by the stop" in (run / "log.txt").read_text()
    assert json.loads((run / "progress.json").read_text())["state"] == "stopped"
    assert not list(run.glob("metric-*"))


def test_a_snapshot_in_between_is_not_measured(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = write_detector(tmp_path / "inception-2015-12-05.pt", Inception())
    step = TrainState.step

    def watched(self: TrainState, *args: Any) -> Any:
        if self.steps in (0, 4):
            write_wishes(next((tmp_path / "runs").iterdir()), snapshot=True)
        return step(self, *args)

    monkeypatch.setattr(TrainState, "step", watched)
    words = "--snap=4", "--metrics=is0.02k", f"--detector={detector}", "--tick=1"
    run = start(data, tmp_path / "runs", *words)
    assert len(list(run.glob("network*"))) == 3
    assert [row["snapshot_pkl"] for row in records(run, "is0.02k")] == ["network-snapshot-000000-048.safetensors"]


def test_a_figure_follows_a_line_that_a_killed_run_began(tmp_path: Path) -> None:
    figure = Figure(Metric("is", 20), {"is0.02k_mean": 1.5, "is0.02k_std": 0.1})
    append_record(tmp_path, figure, 1.0, "a")
    path = tmp_path / "metric-is0.02k.jsonl"
    path.write_bytes(path.read_bytes() + b'{"results": {"is0.')
    append_record(tmp_path, figure, 1.0, "b")
    append_record(tmp_path, figure, 1.0, "c")
    lines = path.read_text().splitlines()
    assert len(lines) == 4 and [json.loads(line)["snapshot_pkl"] for line in (lines[0], *lines[2:])] == ["a", "b", "c"]


def test_what_cannot_be_measured_is_said_before_there_is_a_folder(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write_detector(tmp_path / "other.pt", Other())
    for words, said in (
        (("--metrics=fid1k_full", f"--detector={other}"), "is neither of StyleGAN2-ADA's two detectors"),
        (("--metrics=fid1k_full", "--detector=gone.pt"), "There is no detector gone.pt"),
        (("--metrics=eq_t",), "nothing to move"),
        (("--metrics=fid", ""), "'fid' is not one of"),
        (("--metrics=is0.005k", f"--detector={other}"), "is0.005k needs at least 10 pictures"),
    ):
        line = ("--cfg=A", f"--data={data}", f"--outdir={tmp_path / 'runs'}", *SMALL, *filter(None, words))
        for dry_run in ([], ["--dry-run"]):
            if dry_run and f"--detector={other}" in words and words[0] == "--metrics=fid1k_full":
                continue  # nothing is run to look into it
            result = call(*line, *dry_run)
            assert result.exit_code in (1, 2) and said in result.output.splitlines()[-1], result.output
            assert not (tmp_path / "runs").exists()


def test_a_program_that_only_the_runs_files_name_is_not_run(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = write_detector(tmp_path / "mine.pt", Inception())
    words = "--metrics=is0.02k", f"--detector={detector}"
    run = start(data, tmp_path / "runs", *words)
    assert call(f"--resume={run}", "--kimg=0.052").exit_code == 0, "its own user goes on"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))  # another user's
    with monkeypatch.context() as patch:
        patch.setattr("torch.jit.load", lambda *_, **__: pytest.fail("it is run"))
        result = call(f"--resume={run}", "--kimg=0.056")
    assert result.exit_code == 1 and "that you never named yourself" in result.output.splitlines()[-1], result.output
    assert call(f"--resume={run}", "--kimg=0.056", words[1]).exit_code == 0
    assert call(f"--resume={run}", "--kimg=0.06").exit_code == 0, "it is known from then on"
    write_detector(detector, Inception(linear=False))
    result = call(f"--resume={run}", "--kimg=0.064")
    assert result.exit_code == 1 and "that you never named yourself" in result.output, "that is another program"


def test_a_measurement_that_fails_does_not_end_the_run(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device", "cache")

    monkeypatch.setattr(Measurement, "run", fail)
    detector = write_detector(tmp_path / "inception-2015-12-05.pt", Inception())
    run = start(data, tmp_path / "runs", "--metrics=fid0.016k_full", f"--detector={detector}")
    assert json.loads((run / "progress.json").read_text())["state"] == "finished"
    assert "The snapshot was not measured: cache cannot be read or written" in (run / "log.txt").read_text()
