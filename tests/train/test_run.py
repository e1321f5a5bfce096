# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Whole runs through the command line: the folder's files, every way to end and resume, every refusal."""

import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import Result
from PIL import Image
from support.paths import ROOT
from support.trainer import SMALL, call, rows

import train.loop
import train.run_folder
from gan.checkpoints.checkpoint import load_generator, load_tensors, save_tensors
from gan.data.image_dataset import open_images
from train.cli.options import EXAMPLES
from train.data import Sampler
from train.errors import TrainingError
from train.presets.table import Preset, preset
from train.run_folder import RunLog, find_trainer, hold_folder
from train.state import TrainState

DOCS = ROOT / "docs" / "run-folder.md"


def refused(result: Result, *words: str, status: int = 1) -> None:
    assert result.exit_code == status, result.output
    sentence = result.output.strip().splitlines()[-1]
    assert sentence.startswith("Error: "), result.output
    for word in words:
        assert word in sentence, sentence


def picture(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def progress(run: Path) -> dict[str, Any]:
    return json.loads((run / "progress.json").read_text())


def before_step(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[TrainState], None]) -> None:
    """Do something in the middle of a run: just before step `number` (from 0)."""
    step = TrainState.step

    def watched(self: TrainState, *args: Any) -> Any:
        if self.steps == number:
            act(self)
        return step(self, *args)

    monkeypatch.setattr(TrainState, "step", watched)


def documented(section: str) -> set[str]:
    """Return the field names in the first column of a section's table of docs/run-folder.md."""
    text = DOCS.read_text().split(f"## {section}\n")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


# ---------------------------------------------------------------------------------------------------------- whole runs


def test_a_run_leaves_what_the_page_says(tmp_path: Path, data: Path) -> None:
    result = call("--cfg=B", f"--data={data}", f"--outdir={tmp_path / 'runs'}", "--kimg=0.02", *SMALL)
    assert result.exit_code == 0, result.output
    run = tmp_path / "runs" / "00000-blobs-B-16"
    assert f"Run folder: {run}" in result.output.splitlines()
    assert result.output.splitlines()[0] == f"Reading the pictures in {data}"
    assert (
        "R1 weight 0.016 (0.00025 S^2 / batch; the StyleGAN3 paper has 0.0128 to 0.32 for this size and batch)"
        in result.output
    )
    events = {path.name for path in run.glob("events.out.tfevents.*")}  # where tensorboard is installed
    assert {path.name for path in run.iterdir()} - events == {
        "training_options.json",
        "log.txt",
        "stats.jsonl",
        "progress.json",
        "reals.png",
        "data.json",
        "data-files.txt.gz",
        "training-state.safetensors",
        *(f"fakes000000-{images:03d}.png" for images in (0, 8, 16, 20)),
        *(f"network-snapshot-000000-{images:03d}.safetensors" for images in (8, 16, 20)),
    }
    page = DOCS.read_text()
    for name in (
        "training_options.json",
        "log.txt",
        "stats.jsonl",
        "progress.json",
        "reals.png",
        "data.json",
        "data-files.txt.gz",
        "fakesNNNNNN-NNN.png",
        "network-snapshot-NNNNNN-NNN.safetensors",
        "training-state.safetensors",
        "events.out.tfevents.*",
        "control.json",
        "stop",
    ):
        assert f"`{name}`" in page

    stats = rows(run)
    assert [row["images"] for row in stats] == [8, 16, 20] and [row["tick"] for row in stats] == [1, 2, 3]
    assert all(set(row) == documented("stats.jsonl") for row in stats)
    assert stats[0]["r1"] is not None and stats[1]["r1"] is None
    found = progress(run)
    assert set(found) == documented("progress.json")
    assert (found["state"], found["images"], found["total_images"], found["error"]) == ("finished", 20, 20, None)

    assert picture(run / "fakes000000-000.png").shape == (6 * 16, 8 * 16, 3)
    first = Sampler(6, seed=0, mirror=True).pick(0, 2)  # reals.png shows what the loader gives, flips and all
    for place, (index, flipped) in enumerate(zip(first.indices, first.across, strict=True)):
        expected = picture(data / f"{index}.png")[:, :: -1 if flipped else 1]
        np.testing.assert_array_equal(picture(run / "reals.png")[:16, 16 * place : 16 * (place + 1)], expected)
    generator, facts = load_generator(run / "network-snapshot-000000-020.safetensors")
    assert (facts["images"], facts["kimg"], facts["data"], facts["seed"]) == (20, 0.02, "blobs", 0)
    tensors, _ = load_tensors(run / "training-state.safetensors")
    for key, value in generator.state_dict().items():
        assert torch.equal(value, tensors[f"ema.{key}"]), key


@pytest.mark.slow
@pytest.mark.parametrize("rung", ["T", "B"])  # B alone mixes styles and has a path length, due before and after
def test_stopped_and_resumed_equals_straight_through(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, rung: str
) -> None:
    def noisy(*which: Any) -> Preset:
        found = preset(*which)
        return found._replace(options={**found.options, "noise": "random"})

    monkeypatch.setattr("train.config.preset", noisy)
    full = ["--pl-weight=2", "--style-mixing=0.9"] if rung == "B" else []  # as the paper's B has them, the tiny one not
    start = [f"--cfg={rung}", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.024", *full, *SMALL]
    assert call(*start).exit_code == 0
    straight = tmp_path / f"00000-blobs-{rung}-16"

    with monkeypatch.context() as patch:
        run = tmp_path / f"00001-blobs-{rung}-16"
        before_step(patch, 2, lambda state: (run / "stop").touch())
        result = call(*start)
    assert result.exit_code == 0 and f"--resume={run}" in result.output
    assert progress(run)["state"] == "stopped" and progress(run)["images"] == 12
    assert not (run / "stop").exists()
    with (run / "stats.jsonl").open("a") as file:  # a tick that was lost with a crash, and half of another
        file.write(json.dumps({**rows(run)[-1], "images": 999}) + '\n{"tick":')

    assert call("resume", run).exit_code == 0
    assert progress(run)["state"] == "finished"
    assert [row["images"] for row in rows(run)] == [8, 12, 20, 24]  # the stop cut a tick short: numbers do not care
    assert [row["pl"] is not None for row in rows(run)] == [rung == "B", False, rung == "B", False]
    for name in ("network-snapshot-000000-024.safetensors", "training-state.safetensors"):
        ours, theirs = load_tensors(run / name)[0], load_tensors(straight / name)[0]
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs), name
    assert (run / "fakes000000-024.png").read_bytes() == (straight / "fakes000000-024.png").read_bytes()

    result = call(f"--resume={run}")
    assert result.exit_code == 0 and "is complete" in result.output and "--kimg" in result.output
    result = call(f"--resume={run}", "--kimg=0.028", "--snap=5")
    assert result.exit_code == 0 and progress(run)["total_images"] == 28
    assert json.loads((run / "training_options.json").read_text())["snap"] == 5


def test_a_stop_file_counts_from_the_announcement_on(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = ["--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.024", *SMALL]
    run = tmp_path / "00000-blobs-B-16"
    say = RunLog.write_progress

    def stop_early(self: RunLog, state: str, *args: Any, **kwargs: Any) -> None:
        say(self, state, *args, **kwargs)
        if state == "starting":  # the folder has just been announced
            (self.run / "stop").touch()

    with monkeypatch.context() as patch:
        patch.setattr(RunLog, "write_progress", stop_early)
        assert call(*start).exit_code == 0
        assert (progress(run)["state"], progress(run)["images"]) == ("stopped", 4)
        assert call("resume", run).exit_code == 0
        assert (progress(run)["state"], progress(run)["images"]) == ("stopped", 8)
    (run / "stop").touch()  # left by a session that was killed before it saw it
    assert call("resume", run).exit_code == 0
    assert (progress(run)["state"], progress(run)["images"]) == ("finished", 24)
    assert not (run / "stop").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_cleanly(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    handler = signal.getsignal(number)
    before_step(monkeypatch, 1, lambda state: signal.raise_signal(number))
    result = call("--cfg=A", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.1", *SMALL)
    assert result.exit_code == 0 and "Stopped at 0.008 kimg" in result.output
    assert (tmp_path / "00000-blobs-A-16" / "network-snapshot-000000-008.safetensors").exists()
    assert signal.getsignal(number) is handler


class Broken(io.TextIOBase):
    """A terminal, or the pipe to `tee`, that is gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    def isatty(self) -> bool:
        return True


def test_ctrl_c_that_ends_the_reader_of_the_output_too_stops_cleanly(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_tee(state: TrainState) -> None:
        sys.stdout = Broken()  # until the end of the command
        signal.raise_signal(signal.SIGINT)

    before_step(monkeypatch, 3, end_tee)
    result = call("--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.1", *SMALL)
    run = tmp_path / "00000-blobs-B-16"
    assert result.exit_code == 0 and progress(run)["state"] == "stopped", result.output
    assert (run / "network-snapshot-000000-016.safetensors").exists()
    assert "Stopped at 0.016 kimg" in (run / "log.txt").read_text().splitlines()[-1]


def test_a_log_whose_output_nobody_reads_ends_no_program(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from train.run_folder import RunLog; log = RunLog(pathlib.Path(sys.argv[1]), 10); "
        "sys.stdin.read(); log.say('one'); log.write_progress('training', 5); log.say('two'); print('three')"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:  # type: ignore[call-overload]
        process.stdout.close()
        process.stdin.close()
        assert process.wait() == 0 and not process.stderr.read()
    assert (tmp_path / "log.txt").read_text() == "one\ntwo\n"


def test_a_second_ctrl_c_aborts(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(state: TrainState) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    before_step(monkeypatch, 1, twice)
    result = call("--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.1", *SMALL)
    assert result.exit_code == 1 and "Aborted" in result.output
    run = tmp_path / "00000-blobs-B-16"
    assert progress(run)["state"] == "failed" and not list(run.glob("*.safetensors"))


def test_divergence_stops_before_it_overwrites_anything(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[bytes] = []
    run = tmp_path / "00000-blobs-B-16"

    def spoil(state: TrainState) -> None:
        kept.append((run / "training-state.safetensors").read_bytes())
        with torch.no_grad():
            next(state.discriminator.parameters()).fill_(torch.inf)

    before_step(monkeypatch, 3, spoil)
    result = call("--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.1", *SMALL)
    refused(result, "diverged", "network-snapshot-000000-008.safetensors", "--gamma")
    assert progress(run)["state"] == "failed" and "diverged" in progress(run)["error"]
    assert (run / "training-state.safetensors").read_bytes() == kept[0]
    assert rows(run)[-1]["loss_d"] is None  # JSON has no word for it


def test_a_full_disk_leaves_earlier_files(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "00000-blobs-B-16"
    save, calls = TrainState.save, []

    def full(self: TrainState, path: Path) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(self, path)

    monkeypatch.setattr(TrainState, "save", full)
    result = call("--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.1", *SMALL)
    refused(result, "No space left on device", "network-snapshot-000000-016.safetensors", "resume")
    assert load_tensors(run / "training-state.safetensors")[1]["images"] == 8
    assert "No space left" in progress(run)["error"]


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[enforce fail at alloc_cpu.cpp:116] . DefaultCPUAllocator: can't allocate memory: you tried ..."),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_memory_that_runs_out_is_a_sentence(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(state: TrainState) -> None:
        raise error

    before_step(monkeypatch, 3, fail)
    run = tmp_path / "00000-blobs-B-16"
    result = call("--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.1", *SMALL)
    refused(result, "out of memory", "smaller --batch", "network-snapshot-000000-008.safetensors")
    assert progress(run)["state"] == "failed" and f"Error: {progress(run)['error']}" in result.output


def test_memory_that_runs_out_before_the_run_is_a_sentence(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(TrainState, "__init__", fail)
    out = tmp_path / "runs"
    refused(call("--cfg=B", f"--data={data}", f"--outdir={out}", *SMALL), "out of memory", "smaller --batch")
    assert not out.exists()


@pytest.mark.parametrize(
    ("work", "line", "said"),
    [
        ("train.datasets.convert.convert_dataset", "dataset convert blobs --out=a.zip --size=16", "fewer --workers"),
        ("train.datasets.check.check_dataset", "dataset check blobs", "end other programs"),
        ("train.launch.draw_critters", "dataset critters --out=a.zip --num=2", "smaller --size or --num"),
        ("train.reports.augment_sheet.draw_sheet", "dataset augment blobs --out=a.png", "fewer --rows or --columns"),
        ("train.reports.page.write_report", "report run --out=a.html", "end other programs"),
    ],
)
def test_memory_that_runs_out_elsewhere_is_no_advice_for_training(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, work: str, line: str, said: str
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise MemoryError

    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "training_options.json").write_text("{}")
    monkeypatch.setattr(work, fail)
    result = call(*line.split())
    refused(result, "memory", said)
    assert "--cbase" not in result.output


def test_an_error_of_the_program_is_not_dressed_up(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(state: TrainState) -> None:
        raise RuntimeError("a shape is wrong")

    before_step(monkeypatch, 1, fail)
    with pytest.raises(RuntimeError, match="a shape is wrong"):
        call("--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.1", *SMALL)
    assert progress(tmp_path / "00000-blobs-B-16")["error"] == "a shape is wrong"


def test_labels_condition_both_networks(tmp_path: Path, data: Path) -> None:
    labels = [[f"{i}.png", i % 3] for i in range(6)]
    (data / "dataset.json").write_text(json.dumps({"labels": labels}))
    result = call("--cfg=T", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.008", "--cond", *SMALL)
    assert result.exit_code == 0, result.output
    generator, _ = load_generator(tmp_path / "00000-blobs-T-16" / "network-snapshot-000000-008.safetensors")
    assert generator.config.c_dim == 3


def test_snapshots_say_what_their_labels_are(tmp_path: Path, data: Path) -> None:
    for name, label, expected in (
        ("classes", lambda i: i % 2, {"classes": ["cat", "dog"]}),
        ("vectors", lambda i: [0.5, i / 5], {"classes": ["cat", "dog"], "label_mean": [0.5, 0.5]}),
    ):
        labels = [[f"{i}.png", label(i)] for i in range(6)]
        (data / "dataset.json").write_text(json.dumps({"labels": labels, "classes": ["cat", "dog"]}))
        result = call("--cfg=B", f"--data={data}", f"--outdir={tmp_path / name}", "--kimg=0.004", "--cond", *SMALL)
        assert result.exit_code == 0, result.output
        (snapshot,) = (tmp_path / name / "00000-blobs-B-16").glob("network-snapshot-*-004.safetensors")
        facts = load_generator(snapshot)[1]
        assert {key: facts[key] for key in ("classes", "label_mean") if key in facts} == expected


def test_critters_are_drawn_once(tmp_path: Path) -> None:
    start = [
        "--cfg=B",
        "--data=critters",
        "--critters-num=4",
        "--resolution=16",
        f"--outdir={tmp_path}",
        "--kimg=0.004",
        *SMALL,
    ]
    result = call(*start)
    assert result.exit_code == 0, result.output
    assert "Drawing 4 critters" in result.output and "Drawn 4 of 4" in result.output
    assert (tmp_path / "critters-4-16-0.zip").exists() and (tmp_path / "00000-critters-4-16-0-B-16").is_dir()
    assert "Drawing" not in call(*start).output
    assert "training-runs/00000-critters-2000-32-0-T-32" in EXAMPLES, "what the first example makes, the last resumes"


# ------------------------------------------------------------------------------------------------------------- refusals


def test_refuses_bad_options(tmp_path: Path, data: Path) -> None:
    out = f"--outdir={tmp_path / 'runs'}"
    refused(call("--cfg=T", f"--data={data}", "--frobnicate=3"), "--frobnicate", status=2)
    refused(call(f"--data={data}", out), "--cfg", status=2)
    refused(call("--cfg=T", out), "--data", status=2)
    refused(call("--cfg=T", f"--data={data}", "--batch=0", out), "--batch", status=2)
    refused(call("--cfg=T", f"--data={data}", "--resolution=32", out), "--resolution", status=2)
    refused(call("--cfg=Z", f"--data={data}", out), "'Z'")
    refused(call("--cfg=T", f"--data={data}", "--batch=6", out), "batch of 6")
    refused(call("--cfg=T", f"--data={data}", "--cond", out), "no labels")
    refused(call("--cfg=T", f"--data={data}", "--device=warp9", out), "'warp9'")
    refused(call("--cfg=T", f"--data={data}", "--device=meta", out), "'meta'", "choose one of cpu")
    refused(call("--cfg=T", f"--data={data}", "--kimg=0.0001", out), "--kimg", status=2)
    refused(call("--cfg=T", f"--data={data}", out, *SMALL, "--cbase=1"), "channel")
    refused(call("--cfg=T", f"--data={tmp_path / 'gone'}", out), "gone does not exist")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "option",
    [
        "--kimg=nan",
        "--kimg=inf",
        "--kimg=1e308",
        "--tick=nan",
        "--tick=inf",
        "--gamma=nan",
        "--gamma=inf",
        "--seed=99999999999999999999",
        "--threads=99999999999",
        "--batch=99999999999999999999",
        "--cbase=99999999999999999999",
        "--cmax=99999999999999999999",
    ],
)
def test_refuses_numbers_that_cannot_be_counted_with(tmp_path: Path, data: Path, option: str) -> None:
    out = f"--outdir={tmp_path / 'runs'}"
    refused(call("--cfg=T", f"--data={data}", *SMALL, option, out), option.split("=")[0], status=2)
    assert not (tmp_path / "runs").exists()


def test_refuses_pictures_by_name(tmp_path: Path, data: Path) -> None:
    out = f"--outdir={tmp_path / 'runs'}"
    Image.new("I;16", (16, 16)).save(data / "deep.png")
    refused(call("--cfg=T", f"--data={data}", out), "deep.png", "not 8-bit", "dataset convert")
    (data / "deep.png").unlink()
    Image.new("RGB", (32, 32)).save(data / "large.png")
    refused(call("--cfg=T", f"--data={data}", out), "large.png", "32x32", "not 16x16")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 and then nothing")
    refused(call("--cfg=T", f"--data={broken}", out), "broken.zip", "damaged or incomplete archive")
    assert not (tmp_path / "runs").exists()


def test_refuses_what_memory_cannot_hold(tmp_path: Path, data: Path) -> None:
    result = call("--cfg=R", f"--data={data}", "--batch=1048576", f"--outdir={tmp_path / 'runs'}")
    refused(result, "GB", "give --batch-gpu=")
    batch_gpu = re.search(r"--batch-gpu=\d+", result.output)
    assert batch_gpu is not None
    again = call("--cfg=R", f"--data={data}", "--batch=1048576", "--cond=0", batch_gpu[0], "--dry-run")
    assert again.exit_code == 0, again.output
    refused(call("--cfg=R", f"--data={data}", "--cbase=524288", "--cmax=32768"), "GB", "smaller --batch")
    assert not (tmp_path / "runs").exists()


def test_refuses_critters_that_cannot_be_drawn(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(call("dataset", "critters", f"--out={tmp_path / 'file' / 'a.zip'}", "--num=2", "--size=16"), "file")
    refused(call("dataset", "critters", f"--out={tmp_path / 'a.zip'}", "--num=99999999", "--size=16"), "critters")
    refused(call("dataset", "critters", "--num=2"), "--out", status=2)
    assert not (tmp_path / "a.zip").exists()


def test_refuses_a_folder_that_cannot_be_made(tmp_path: Path, data: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(call("--cfg=B", f"--data={data}", f"--outdir={tmp_path / 'file'}", *SMALL), "--outdir")


def test_refuses_to_resume_what_it_cannot(tmp_path: Path, data: Path) -> None:
    refused(call("resume", tmp_path / "gone"), "There is no run folder", status=2)
    refused(call("resume", tmp_path), "holds no training-state.safetensors")
    (tmp_path / "training-state.safetensors").write_bytes(b"junk")
    refused(call("resume", tmp_path), "training-state.safetensors", "damaged")
    refused(call(f"--resume={tmp_path}", "--batch=8"), "--batch", status=2)
    refused(call(f"--resume={tmp_path}", "--cfg=T"), "--cfg", status=2)
    refused(call(f"--resume={tmp_path}", "--kimg=nan"), "--kimg", status=2)


def test_refuses_to_resume_without_its_device_or_its_options(tmp_path: Path, data: Path) -> None:
    call("--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.004", *SMALL)
    run = tmp_path / "00000-blobs-B-16"
    path = run / "training-state.safetensors"
    tensors, document = load_tensors(path)
    del document["schema"]
    missing = f"cuda:{torch.cuda.device_count()}"  # one more than there are, be it none
    save_tensors(path, tensors, {**document, "config": {**document["config"], "device": missing}})
    refused(call("resume", run, "--kimg=1"), f"'{missing}'", "choose one of cpu")
    result = call("resume", run, "--kimg=0.008", "--device=cpu")
    assert result.exit_code == 0 and progress(run)["images"] == 8
    for options in ({}, {"config": None}, {"config": {"batch": 4}}, {"config": {**document["config"], "batch": "4"}}):
        save_tensors(path, tensors, {"kind": document["kind"], **options})
        refused(call("resume", run, "--kimg=1"))
        refused(call("resume", run, "--kimg=1", "--device=cpu"))


def test_refuses_to_resume_what_is_still_training(tmp_path: Path, data: Path) -> None:
    call("--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.004", *SMALL)
    run = tmp_path / "00000-blobs-B-16"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        active = {**progress(run), "state": "training", "pid": other.pid}
        (run / "progress.json").write_text(json.dumps(active))
        (run / "stop").touch()
        refused(call("resume", run, "--kimg=0.008"), f"process {other.pid}", "stop it first")
        assert (run / "stop").exists(), "it is the other trainer's to take"
        assert progress(run) == active
        os.utime(run / "progress.json", (1e9, 1e9))  # written before the process began: the number was given out again
        assert find_trainer(run) is None
        (run / "progress.json").write_text(json.dumps({**active, "state": "stopped"}))
        assert find_trainer(run) is None
        (run / "progress.json").write_text(json.dumps(active))
        assert find_trainer(run) == other.pid
        other.communicate(b"\n")
    assert call("resume", run, "--kimg=0.008").exit_code == 0
    assert progress(run)["state"] == "finished"


def test_a_session_holds_its_folder_from_its_first_moment_to_its_last(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures are read for minutes before progress.json names the trainer."""
    run, tried = tmp_path / "00000-blobs-B-16", []

    def try_to_resume(where: str) -> None:
        with pytest.raises(TrainingError, match="still being trained by another process; stop it first"):
            hold_folder(run).__enter__()
        tried.append(where)

    def read(*args: Any) -> Any:
        if run.exists():
            try_to_resume("reading")
        return open_images(*args)

    monkeypatch.setattr("train.launch.open_images", read)
    before_step(monkeypatch, 0, lambda state: try_to_resume("new run"))
    call("--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.004", *SMALL)
    assert call("resume", run, "--kimg=0.008").exit_code == 0
    assert tried == ["new run", "reading"] and not list(run.glob(".*"))


def test_a_run_is_resumed_from_any_folder(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("--cfg=B", "--data=blobs", "--outdir=runs", "--kimg=0.004", *SMALL).exit_code == 0
    run = tmp_path / "runs" / "00000-blobs-B-16"
    options = json.loads((run / "training_options.json").read_text())
    assert options["data"] == str(data)
    monkeypatch.chdir("/")
    result = call("resume", run, "--kimg=0.008")
    assert result.exit_code == 0, result.output
    data.rename(tmp_path / "elsewhere")
    refused(call("resume", run, "--kimg=0.012"), f"{data} does not exist", "with --data=")
    monkeypatch.chdir(tmp_path)
    assert call("resume", run, "--kimg=0.012", "--data=elsewhere").exit_code == 0
    assert json.loads((run / "training_options.json").read_text())["data"] == str(tmp_path / "elsewhere")


def test_refuses_to_resume_on_other_data(tmp_path: Path, data: Path) -> None:
    call("--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.004", *SMALL)
    run = tmp_path / "00000-blobs-B-16"
    (data / "5.png").unlink()
    refused(call("resume", run, "--kimg=1"), "holds 5 pictures", "6 before", "1 removed (5.png)", "--data-changed")
    Image.new("RGB", (16, 16)).save(data / "5.png")
    refused(call("resume", run, "--kimg=1"), "changed since", "1 of another size (5.png)")
    for path in data.iterdir():
        Image.new("RGB", (32, 32)).save(path)
    refused(call("resume", run, "--kimg=1"), "0.png", "32x32", "not 16x16")
    data.rename(tmp_path / "elsewhere")
    refused(call("resume", run, "--kimg=1"), "does not exist")


# ---------------------------------------------------------------------------------------------------------------- log


def test_progress_is_rewritten_once_a_second(tmp_path: Path) -> None:
    now = [0.0]
    log = RunLog(tmp_path, total_images=1000, clock=lambda: now[0])
    log.write_progress("training", 10, 5.0)
    now[0] = 0.9
    log.write_progress("training", 20, 5.0)
    assert progress(tmp_path)["images"] == 10 and progress(tmp_path)["seconds_left"] == 198
    now[0] = 1.0
    log.write_progress("training", 30, 5.0)
    assert progress(tmp_path)["images"] == 30
    log.write_progress("stopping", 31, 5.0)
    assert progress(tmp_path)["state"] == "stopping"


def test_progress_that_cannot_be_written_ends_no_run(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows while a reader holds the file; options and statistics still matter."""
    write, refusals = train.run_folder.write_json, []

    def busy(path: Path, document: Any) -> None:
        if path.name == "progress.json" and document["state"] != "finished":
            refusals.append(document["state"])
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        write(path, document)

    monkeypatch.setattr("train.run_folder.write_json", busy)
    result = call("--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.02", *SMALL)
    assert result.exit_code == 0 and refusals
    run = tmp_path / "00000-blobs-B-16"
    assert progress(run)["state"] == "finished" and rows(run)[-1]["images"] == 20

    def row(self: RunLog, row: dict[str, Any]) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(RunLog, "append_row", row)
    refused(call("--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.02", *SMALL), "could not be written")


def test_a_tick_ends_after_its_seconds(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that advances 10 s whenever it is asked, a tick of 60 s holds few steps however large in images."""
    now = [0.0]

    def clock() -> float:
        now[0] += 10
        return now[0]

    loop = train.loop.Loop
    monkeypatch.setattr("train.launch.Loop", lambda *args, **kwargs: loop(*args, **kwargs, clock=clock))
    result = call("--cfg=B", f"--data={data}", f"--outdir={tmp_path}", "--kimg=0.04", *SMALL, "--tick=4", "--snap=9")
    assert result.exit_code == 0, result.output
    assert [row["images"] for row in rows(tmp_path / "00000-blobs-B-16")][:1] == [24]
