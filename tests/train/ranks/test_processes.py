# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Whole runs by two processes: started by --gpus or torchrun, stopped, killed, resumed; what is refused."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from support.metrics.detectors import Inception, write_detector
from support.paths import ROOT
from support.trainer import SMALL, call, rows

from gan.devices import DeviceError

TWO = {"OMP_NUM_THREADS": "1"}
TORCHRUN = ("-m", "torch.distributed.run", "--nproc-per-node=2")


def start(*words: object, by: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    command = [sys.executable, *by, str(ROOT / "train.py"), *(str(word) for word in words)]
    return subprocess.Popen(
        command, env=os.environ | TWO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    )


def wait_for(path: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"no {path}"
        time.sleep(0.05)


def options(data: Path, outdir: Path) -> tuple[str, ...]:
    return ("--cfg=T", f"--data={data}", f"--outdir={outdir}", *SMALL, "--batch=8", "--kimg=100")


@pytest.mark.slow
def test_a_run_by_two_is_stopped_and_resumed_by_torchrun_and_by_one(tmp_path: Path, data: Path) -> None:
    run = tmp_path / "runs" / "00000-blobs-T-16"
    process = start(*options(data, tmp_path / "runs"), "--gpus=2")
    wait_for(run / "stats.jsonl")
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 0 and "Trained by 2 processes, 4 pictures of a batch each." in said, said
    assert said.count("Run folder: ") == said.count("Stopped at ") == 1
    first = rows(run)[-1]["images"]

    process = start(f"--resume={run}", f"--kimg={(first + 16) / 1000}", by=TORCHRUN)
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 0 and said.count("Finished") == 1, said
    result = call(f"--resume={run}", f"--kimg={(first + 24) / 1000}", "--threads=1")
    assert result.exit_code == 0, result.output
    images = [row["images"] for row in rows(run)]
    assert images == list(range(8, first + 25, 8)), "one row a tick of one batch, whoever trained"
    assert not (run / "stop").exists()


@pytest.mark.slow
def test_a_rank_that_is_killed_ends_the_other(tmp_path: Path, data: Path) -> None:
    run = tmp_path / "runs" / "00000-blobs-T-16"
    process = start(*options(data, tmp_path / "runs"), "--gpus=2")
    wait_for(run / "training-state.safetensors")
    ranks = psutil.Process(process.pid).children()
    assert len(ranks) == 2
    second = next(rank for rank in ranks if rank.environ()["RANK"] == "1")
    killed = time.monotonic()
    second.kill()
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 1 and time.monotonic() - killed < 60
    assert "Rank 1 of 2 was ended by signal 9." in said and "the last good snapshot is network-snapshot-" in said, said
    assert '"state": "failed"' in (run / "progress.json").read_text() and "Traceback" not in said
    assert not any(rank.is_running() and rank.status() != psutil.STATUS_ZOMBIE for rank in ranks)


@pytest.mark.slow
def test_a_stop_of_one_rank_is_heard_while_the_first_measures(tmp_path: Path, data: Path) -> None:
    run = tmp_path / "runs" / "00000-blobs-T-16"
    detector = write_detector(tmp_path / "inception-2015-12-05.pt", Inception())
    process = start(*options(data, tmp_path / "runs"), "--gpus=2", "--metrics=is1000k", f"--detector={detector}")
    wait_for(run / "training-state.safetensors")
    while "Measuring is1000k." not in (run / "log.txt").read_text():
        time.sleep(0.05)
    time.sleep(2)
    second = next(rank for rank in psutil.Process(process.pid).children() if rank.environ()["RANK"] == "1")
    second.terminate()
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 0 and "Measuring was ended by the stop" in said and "Stopped at " in said, said


@pytest.mark.slow
def test_what_all_find_wrong_is_said_once(tmp_path: Path, data: Path) -> None:
    process = start(*options(data, tmp_path / "runs"), "--gpus=3")
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 1 and said.count("Error: ") == 1, said
    assert said.splitlines()[-1].startswith("Error: A batch of 8 cannot be dealt to 3 processes evenly")
    assert not (tmp_path / "runs").exists()


def test_gpus_of_torchrun_are_its_own(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "0", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    result = call(*options(data, tmp_path / "runs"), "--gpus=4")
    assert (
        result.exit_code == 2 and "torchrun started 2 processes on this machine: leave out --gpus=4." in result.output
    )
    assert "The ladder is trained by one process" in call("ladder", f"--data={data}").output
    result = call(*options(data, tmp_path / "runs"), "--device=mps")
    assert result.exit_code == 1 and "Error: " in result.output


def test_a_rank_allocates_on_no_gpu_but_its_own(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def require(name: str) -> None:
        done.append(f"require {name}")
        raise DeviceError("Far enough.")

    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    for module in ("train.launch", "train.state", "train.ranks.group"):
        monkeypatch.setattr(f"{module}.require_device", require)
    monkeypatch.setattr("train.launch.check_device", lambda name: done.append(f"check {name}"))
    monkeypatch.setattr("train.ranks.group._take_device", lambda name: done.append(f"take {name}"))
    assert "Far enough." in call(*options(data, tmp_path / "runs"), "--device=cuda").output
    assert done == ["check cuda", "take cuda", "require cuda"]


def test_a_dry_run_starts_nothing(data: Path, tmp_path: Path) -> None:
    result = call(*options(data, tmp_path / "runs"), "--gpus=2", "--batch-gpu=4", "--dry-run")
    assert result.exit_code == 0 and '"batch_gpu": 4' in result.output
    result = call(*options(data, tmp_path / "runs"), "--gpus=4", "--dry-run")
    assert result.exit_code == 1 and "a multiple of 16" in result.output
