# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Runs that measure their snapshots: what is written when, and that the training itself is the same."""

import hashlib
import json
from pathlib import Path
from shutil import rmtree
from types import SimpleNamespace
from typing import Any

import pytest
from support.fetching import cache_in
from support.metrics.detectors import Inception, Other, write_detector
from support.sites import Page, serving
from support.trainer import SMALL, call

from gan.checkpoints.checkpoint import load_tensors
from gan.files.wishes import write_wishes
from gan.metrics.figure import Figure
from gan.metrics.measure import Measurement
from gan.metrics.names import Metric
from train.metrics.records import append_record
from train.ranks.errors import LostRankError
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


def stop_measuring(patch: pytest.MonkeyPatch, runs: Path) -> None:
    """Let each measurement find that the only run in a folder is to stop."""
    run_measurement = Measurement.run

    def stopped(self: Measurement, progress: Any, *rest: Any) -> None:
        (next(runs.iterdir()) / STOP).touch()
        run_measurement(self, progress, *rest)

    patch.setattr(Measurement, "run", stopped)


def test_a_stop_ends_the_measurement_and_resume_takes_other_metrics(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = write_detector(tmp_path / "mine.pt", Inception())
    with monkeypatch.context() as patch:
        stop_measuring(patch, tmp_path / "runs")
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


@pytest.mark.parametrize("more", [(), ("--kimg=0.052",)])
def test_a_last_snapshot_whose_measurement_was_stopped_is_measured_by_resume(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    detector = write_detector(tmp_path / "inception-2015-12-05.pt", Inception())
    with monkeypatch.context() as patch:
        stop_measuring(patch, tmp_path / "runs")
        run = start(
            data, tmp_path / "runs", "--metrics=is0.02k", "--metrics-every=4", "--snap=2", f"--detector={detector}"
        )
    assert json.loads((run / "progress.json").read_text())["state"] == "finished" and not list(run.glob("metric-*"))
    result = call(f"--resume={run}", *more)
    assert result.exit_code == 0 and "Finished" in result.output, result.output
    snapshots = [row["snapshot_pkl"] for row in records(run, "is0.02k")]
    assert snapshots[0] == "network-snapshot-000000-048.safetensors" and len(snapshots) == 1 + len(more)
    assert "is complete" in call(f"--resume={run}").output
    assert len(records(run, "is0.02k")) == 1 + len(more)


def test_figures_while_training_are_those_of_the_command(data: Path, tmp_path: Path) -> None:
    """On a part of a set, whose figures compare with all of it, and with labels that are vectors."""
    detector = write_detector(tmp_path / "inception-2015-12-05.pt", Inception())
    labels = [[f"{i}.png", [0.5, i / 5]] for i in range(6)]
    (data / "dataset.json").write_text(json.dumps({"labels": labels}))
    names = "fid0.016k_full", "eqt0.002k_int"
    words = f"--metrics={','.join(names)}", f"--detector={detector}"
    run = start(data, tmp_path / "runs", *words, "--cfg=T", "--cond", "--subset=4", "--kimg=0.004")
    found = call("metrics", f"--model={run}", *words)
    assert found.exit_code == 0, found.output
    for name in names:
        ours, theirs = (row["results"][name] for row in records(run, name))
        assert ours == pytest.approx(theirs, rel=1e-6), name


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


def test_the_secrets_of_a_detectors_address_are_not_kept(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = write_detector(tmp_path / "mine.pt", Inception()).read_bytes()
    (tmp_path / "mine.pt").unlink()
    with cache_in(tmp_path / "models", monkeypatch), serving() as site:
        site.pages["/mine.pt"] = Page(content)
        shown, secret = site.url("/mine.pt"), f"{site.url('/mine.pt', 'me:hidden@')}?token=hidden"
        words = f"--detector={secret}", "--metrics=is0.02k", "--kimg=0.004"
        dry = call("--cfg=A", f"--data={data}", f"--outdir={tmp_path / 'runs'}", *SMALL, *words, "--dry-run")
        assert dry.exit_code == 0 and shown in dry.output and "hidden" not in dry.output
        run = start(data, tmp_path / "runs", *words)
        options = json.loads((run / "training_options.json").read_text())
        assert options["detectors"] == [f"{shown}#sha256={hashlib.sha256(content).hexdigest()}"]
        site.pages.clear()
        assert call(f"--resume={run}", "--metrics=none", "--kimg=0.008").exit_code == 0
        assert json.loads((run / "training_options.json").read_text())["detectors"] == options["detectors"]
        assert call(f"--resume={run}", words[1], "--kimg=0.012").exit_code == 0, "the copy in the cache will do"
        for path in run.iterdir():
            assert b"hidden" not in path.read_bytes(), path
        rmtree(tmp_path / "models")
        result = call(f"--resume={run}", "--kimg=0.016")
        said = result.output.splitlines()[-1]
        assert result.exit_code == 1 and "its whole address with --detector once more" in said and shown in said
        site.pages["/mine.pt"] = Page(content)
        assert call(f"--resume={run}", "--kimg=0.016", words[0]).exit_code == 0
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))  # another user's
        result = call(f"--resume={run}", "--kimg=0.02")
        assert "that you never named yourself" in result.output and "hidden" not in result.output


def test_a_lost_rank_ends_the_measurement_and_the_run(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise LostRankError("Rank 1 failed: The disk is full")

    monkeypatch.setattr(Measurement, "run", fail)
    detector = write_detector(tmp_path / "inception-2015-12-05.pt", Inception())
    words = "--metrics=is0.02k", f"--detector={detector}", "--kimg=0.004"
    result = call("--cfg=A", f"--data={data}", f"--outdir={tmp_path / 'runs'}", *SMALL, *words)
    assert result.exit_code == LostRankError.exit_code and "The disk is full" in result.output.splitlines()[-1]
    log = (next((tmp_path / "runs").iterdir()) / "log.txt").read_text()
    assert "was not measured" not in log and "Failed: Rank 1 failed" in log


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
