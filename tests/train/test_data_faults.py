# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What people's data does to runs: damage, changes, labels, grey and RGBA; nothing trained is lost, all is said."""

import gzip
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result
from PIL import Image
from support.trainer import SMALL, call

import gan.data.image_dataset
import gan.data.verify
import train.launch
from gan.checkpoints.checkpoint import load_generator, load_tensors
from gan.data.image_dataset import open_images
from gan.data.verify import Verifier
from gan.hub.resolve import find_newest_snapshot
from train.config import configure
from train.damage import SourceReader
from train.divergence import advise
from train.run_folder import fakes_name, snapshot_name
from train.state import TrainState


def save_picture(path: Path, seed: int, size: int = 16, channels: int = 3) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, channels), dtype=np.uint8)
    Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels).save(path)


def make_set(folder: Path, count: int, size: int = 16, channels: int = 3, classes: int = 0) -> Path:
    folder.mkdir()
    for i in range(count):
        save_picture(folder / f"{i:03d}.png", i, size, channels)
    if classes:
        labels = [[f"{i:03d}.png", i * classes // count] for i in range(count)]
        names = [f"kind {i}" for i in range(classes)]
        (folder / "dataset.json").write_text(json.dumps({"labels": labels, "classes": names}))
    return folder


def damage(*paths: Path) -> None:
    for path in paths:
        path.write_bytes(path.read_bytes()[:400])  # a sound header


def refused(result: Result, *words: str, status: int = 1) -> str:
    assert result.exit_code == status, result.output
    sentence = result.output.strip().splitlines()[-1]
    assert sentence.startswith("Error: ") and sentence.endswith("."), result.output
    for word in words:
        assert word in sentence, sentence
    return sentence


@pytest.fixture
def uncached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Have every set read as large ones are; return the folder in which findings are remembered."""

    def open_large(data: str, resolution: int | None = None) -> gan.data.image_dataset.ImageSource:
        return open_images(data, resolution, memory_limit=0)

    monkeypatch.setattr(train.launch, "open_images", open_large)
    monkeypatch.setattr(gan.data.verify, "_find_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def sixteen(tmp_path: Path) -> Path:
    return make_set(tmp_path / "set", 16)


def start(data: Path, *more: str, cfg: str = "B", kimg: str = "0.024") -> Result:
    return call(f"--cfg={cfg}", f"--data={data}", f"--outdir={data.parent / 'runs'}", f"--kimg={kimg}", *SMALL, *more)


def runs(data: Path) -> list[Path]:
    return sorted((data.parent / "runs").iterdir())


def same_tensors(one: Path, other: Path) -> bool:
    ours, theirs = load_tensors(one)[0], load_tensors(other)[0]
    return ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)


# ------------------------------------------------------------------------------------------------------------- damage


def test_a_damaged_picture_is_left_out_by_name_and_the_run_goes_on(sixteen: Path, uncached: Path) -> None:
    damage(sixteen / "003.png", sixteen / "011.png")
    result = start(sixteen)
    assert result.exit_code == 0, result.output
    assert "16 pictures of 16x16" in result.output and "16 of them are checked for damage meanwhile" in result.output
    assert "Left out, for they cannot be read: " in result.output
    assert "003.png (" in result.output and "011.png (" in result.output
    again = start(sixteen).output
    assert "003.png (" in again and "011.png (" in again, "whatever the first run had time to check"


def test_small_sets_refuse_damage_at_the_start(sixteen: Path) -> None:
    damage(sixteen / "003.png")
    refused(start(sixteen), "003.png", "cannot be read")
    assert not (sixteen.parent / "runs").exists()


def test_a_stand_in_depends_on_the_files_alone(sixteen: Path, uncached: Path) -> None:
    damage(sixteen / "003.png", sixteen / "004.png", sixteen / "015.png")
    indices, pictures = SourceReader(open_images(sixteen, memory_limit=0)).read([3, 15, 4, 0])
    assert indices.tolist() == [5, 0, 5, 0]
    np.testing.assert_array_equal(pictures[0], pictures[2])


def test_stopped_and_resumed_with_damage_equals_straight_through(
    sixteen: Path, uncached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(sixteen / "003.png", sixteen / "004.png")
    assert start(sixteen).exit_code == 0
    step = TrainState.step

    def stop_there(self: TrainState, *args: object) -> object:
        if self.steps == 2:
            (runs(sixteen)[1] / "stop").touch()
        return step(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(TrainState, "step", stop_there)
        assert "Stopped at 0.012" in start(sixteen).output
    straight, run = runs(sixteen)
    assert call("resume", run).exit_code == 0
    assert same_tensors(straight / "training-state.safetensors", run / "training-state.safetensors")


def test_too_much_damage_stops_with_everything_saved(
    sixteen: Path, uncached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = TrainState.step

    def spoil(self: TrainState, *args: object) -> object:
        if self.steps == 2:
            damage(*sorted(sixteen.glob("*.png"))[:14])
        return step(self, *args)

    monkeypatch.setattr(TrainState, "step", spoil)
    sentence = refused(
        start(sixteen, "--snap=50", kimg="1"), "cannot be read", "dataset check", "--data-changed", "network-snapshot"
    )
    (run,) = runs(sixteen)
    images = load_tensors(run / "training-state.safetensors")[1]["images"]
    assert images >= 12 and snapshot_name(images) in sentence
    assert json.loads((run / "progress.json").read_text())["state"] == "failed"

    for path in sixteen.glob("00*.png"):
        path.unlink()
    refused(call("resume", run, "--kimg=0.1"), "6 pictures, and 16 before", "10 removed (000.png", "--data-changed")
    for path in sixteen.glob("*.png"):
        save_picture(path, 77)
    monkeypatch.setattr(TrainState, "step", step)
    result = call("resume", run, f"--kimg={(images + 8) / 1000}", "--data-changed")
    assert result.exit_code == 0 and "The data changed: it holds 6 pictures" in result.output, result.output
    assert "did not change" in call(f"--resume={run}", f"--kimg={(images + 16) / 1000}", "--data-changed").output


def test_a_set_known_to_be_damaged_starts_no_run(sixteen: Path, uncached: Path) -> None:
    damage(*sorted(sixteen.glob("*.png"))[:12])
    verifier = Verifier(open_images(sixteen, memory_limit=0))
    verifier.start()
    assert verifier._thread is not None
    verifier._thread.join()
    refused(start(sixteen), "11 of the 16", "cannot be read")
    assert not (sixteen.parent / "runs").exists()


def test_what_is_repaired_counts_no_longer(sixteen: Path, uncached: Path) -> None:
    """Even if size and time are what they were: a copy from a backup, a disk that was unplugged for a while."""
    sound = {path: (path.read_bytes(), path.stat()) for path in sorted(sixteen.glob("*.png"))}
    for path, (data, status) in sound.items():
        path.write_bytes(data[:400] + bytes(len(data) - 400))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    verifier = Verifier(open_images(sixteen, memory_limit=0))
    verifier.start()
    assert verifier._thread is not None
    verifier._thread.join()
    assert len(verifier.damaged) == 11 and not verifier.complete  # one more than a run may leave out
    for path, (data, status) in sound.items():
        path.write_bytes(data)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    again = Verifier(open_images(sixteen, memory_limit=0))
    assert again.done == 11 and not again.damaged


def test_pictures_are_counted_by_their_own_names(tmp_path: Path) -> None:
    """Names that look the same once they are fit to be shown are two."""
    folder = make_set(tmp_path / "set", 3)
    for name in ("a\u200b.png", "a\u200c.png"):
        shutil.copy(folder / "000.png", folder / name)
        damage(folder / name)
    reader = SourceReader(open_images(folder, memory_limit=0), tmp_path)
    names = reader.source.names
    reader.read([names.index("a\u200b.png"), names.index("a\u200c.png")])
    assert len(reader.damaged) == 2 and "a?.png" in reader.describe_news()


def test_what_was_verified_is_not_verified_again_until_it_changes(
    sixteen: Path, uncached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(sixteen / "003.png")
    first = Verifier(open_images(sixteen, memory_limit=0))
    first.start()
    assert first._thread is not None
    first._thread.join()
    assert first.complete and list(first.damaged) == ["003.png"]
    second = Verifier(open_images(sixteen, memory_limit=0))
    assert second.complete and second.damaged == first.damaged
    save_picture(sixteen / "003.png", 3)
    assert not Verifier(open_images(sixteen, memory_limit=0)).complete
    for path in uncached.rglob("*.json"):
        path.write_bytes(b"[")
    assert Verifier(open_images(sixteen, memory_limit=0)).done == 0


def test_verification_that_is_stopped_goes_on_where_it_was(
    sixteen: Path, uncached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gan.data.verify, "IDLE_SHARE", 1e6)  # one picture, then rest
    first = Verifier(open_images(sixteen, memory_limit=0))
    first.start()
    deadline = time.monotonic() + 60
    while first.done == 0 and time.monotonic() < deadline:
        time.sleep(0.001)
    first.stop()
    assert 1 <= first.done < 16
    assert Verifier(open_images(sixteen, memory_limit=0)).done == first.done


# ------------------------------------------------------------------------------------------------------- changed sets


def test_changes_are_named(sixteen: Path) -> None:
    start(sixteen, kimg="0.004")
    (run,) = runs(sixteen)
    lines = gzip.decompress((run / "data-files.txt.gz").read_bytes()).splitlines()
    assert len(lines) == 16 and lines[0].endswith(b'"000.png"')
    (sixteen / "000.png").unlink()
    save_picture(sixteen / "new.png", 1)
    Image.new("RGB", (16, 16)).save(sixteen / "001.png")
    words = ("1 added (new.png)", "1 removed (000.png)", "1 of another size (001.png)", "--data-changed")
    refused(call("resume", run, "--kimg=0.008"), *words)
    for damaged in (b"junk", gzip.compress(b"junk"), b""):
        (run / "data-files.txt.gz").write_bytes(damaged)
        refused(call("resume", run, "--kimg=0.008"), "16 pictures, and 16 before")
    assert call("resume", run, "--kimg=0.008", "--data-changed").exit_code == 0
    refused(call("--cfg=B", f"--data={sixteen}", "--data-changed"), "--data-changed", "--resume", status=2)


def test_a_set_that_no_longer_fits_is_refused(tmp_path: Path) -> None:
    data = make_set(tmp_path / "set", 12, classes=3)
    start(data, "--cond", kimg="0.004")
    (run,) = runs(data)
    document = json.loads((data / "dataset.json").read_text())
    shutil.copy(data / "dataset.json", tmp_path / "labels")
    (data / "dataset.json").unlink()
    refused(call("resume", run, "--kimg=0.008", "--data-changed"), "labels of 3", "has none")
    labels = [[name, number + 1] for name, number in document["labels"]]
    (data / "dataset.json").write_text(json.dumps({"labels": labels}))
    refused(call("resume", run, "--kimg=0.008", "--data-changed"), "labels of 3", "has 4")
    (data / "dataset.json").write_text(json.dumps({"labels": [[name, [0.5]] for name, _ in labels]}))
    refused(call("resume", run, "--kimg=0.008", "--data-changed"), "labels of 3", "has 1")
    (data / "dataset.json").write_text(json.dumps({"labels": [[name, number // 2] for name, number in labels]}))
    refused(call("resume", run, "--kimg=0.008"), "its labels are others", "--data-changed")
    assert call("resume", run, "--kimg=0.008", "--data-changed").exit_code == 0, "two classes of three are left"
    for path in data.glob("*.png"):
        save_picture(path, 1, channels=1)
    refused(call("resume", run, "--kimg=0.012", "--data-changed"), "1 channels", "draws 3")


# ------------------------------------------------------------------------------------------------------------- labels


def test_labels_that_are_not_used_are_mentioned(tmp_path: Path) -> None:
    data = make_set(tmp_path / "set", 12, classes=3)
    (data / "notes.txt").write_text("x")
    output = start(data, kimg="0.004").output
    assert "in 3 classes; left out: notes.txt (no picture: .txt)" in output and "--cond" in output
    _, facts = load_generator(find_newest_snapshot(runs(data)[0]) or data)
    assert "classes" not in facts
    assert "labels condition both" in start(data, "--cond", kimg="0.004").output
    _, facts = load_generator(find_newest_snapshot(runs(data)[1]) or data)
    assert facts["classes"] == ["kind 0", "kind 1", "kind 2"] and facts["training"]["data"] == "set"
    assert json.loads((runs(data)[1] / "data.json").read_text())["classes"] == facts["classes"]
    (data / "dataset.json").unlink()
    refused(start(data, "--cond"), "no labels", "--labels folders", "--cond")


def test_the_grids_of_a_conditional_run_show_all_of_a_sorted_set(tmp_path: Path) -> None:
    data = make_set(tmp_path / "set", 96, classes=4)
    assert start(data, "--cond", kimg="0.004").exit_code == 0
    with Image.open(runs(data)[0] / "reals.png") as image:
        grid = np.asarray(image)
    images = open_images(data)
    assert images.labels is not None
    last = np.flatnonzero(images.labels.values == images.labels.values.max())
    row = images.batch(last[:8]).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(grid[-16:, -8 * 16 :], np.concatenate(list(row), axis=1))


# ---------------------------------------------------------------------------------------------------- grey and alpha


@pytest.mark.slow
@pytest.mark.parametrize("rung", ["T", "R", "B"])
@pytest.mark.parametrize("channels", [1, 4])
def test_grey_and_rgba_train_and_resume_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channels: int, rung: str
) -> None:
    data = make_set(tmp_path / "set", 16, channels=channels)
    result = start(data, cfg=rung, kimg="0.016")
    assert result.exit_code == 0, result.output
    assert ("grey pictures" if channels == 1 else "with alpha") in result.output
    step = TrainState.step

    def stop_there(self: TrainState, *args: object) -> object:
        if self.steps == 1:
            (runs(data)[1] / "stop").touch()
        return step(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(TrainState, "step", stop_there)
        assert "Stopped at 0.008" in start(data, cfg=rung, kimg="0.016").output
    straight, run = runs(data)
    assert call("resume", run).exit_code == 0
    ours, theirs = load_tensors(run / snapshot_name(16))[0], load_tensors(straight / snapshot_name(16))[0]
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    generator, _ = load_generator(run / snapshot_name(16))
    assert generator(torch.zeros(1, generator.config.z_dim)).shape == (1, channels, 16, 16)
    for name, grid_rows in (("reals.png", 4), (fakes_name(16), 6)):  # each real and its mirror image
        with Image.open(run / name) as image:
            assert np.asarray(image).shape == (grid_rows * 16, 8 * 16, 3)
    with Image.open(run / "reals.png") as image:
        shown = np.asarray(image).reshape(4, 16, 8, 16, 3).swapaxes(1, 2).reshape(32, 16, 16, 3)
    checks = np.where(np.add.outer(np.arange(16) // 2, np.arange(16) // 2) % 2, 200, 176)[:, :, None]
    for path in sorted(data.glob("*.png")):
        with Image.open(path) as picture:
            stored = np.asarray(picture).reshape(16, 16, channels)
        for expected in (stored, stored[:, ::-1]):
            if channels == 4:
                alpha = expected[:, :, 3:] / 255
                expected = expected[:, :, :3] * alpha + checks * (1 - alpha)
            errors = np.abs(shown - np.broadcast_to(expected, (16, 16, 3)).astype(float)).max((1, 2, 3))
            assert (errors <= (0 if channels == 1 else 1)).sum() == 1


# ------------------------------------------------------------------------------------------- names and the beginning


def test_a_run_killed_before_its_first_snapshot_begins_again(sixteen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(self: TrainState, *args: object) -> object:
        raise KeyboardInterrupt

    start(sixteen, "--seed=5")
    with monkeypatch.context() as patch:
        patch.setattr(TrainState, "step", die)
        assert start(sixteen, "--seed=5").exit_code == 1
    straight, run = runs(sixteen)
    assert not list(run.glob("*.safetensors"))
    result = call("resume", run)
    assert result.exit_code == 0 and "begins again, with the same options" in result.output, result.output
    assert same_tensors(straight / "training-state.safetensors", run / "training-state.safetensors")
    (run / "training-state.safetensors").unlink()
    refused(call("resume", run), "holds no training-state.safetensors", snapshot_name(24), "with --transfer")
    for path in run.glob("network-snapshot-*"):
        path.unlink()
    for text in ("{", "[]", "{}", '{"batch": 4}', '"x"'):
        (run / "training_options.json").write_text(text)
        refused(call("resume", run))


def test_names_of_snapshots_sort_by_age_and_old_ones_count(tmp_path: Path) -> None:
    images = (0, 4, 999, 1000, 1001, 12_345, 999_999, 25_000_000)
    assert sorted(map(snapshot_name, images)) == [*map(snapshot_name, images)]
    assert sorted(map(fakes_name, images)) == [*map(fakes_name, images)]
    for name in ("network-snapshot-000012.safetensors", "network-snapshot-000003.safetensors"):
        (tmp_path / name).touch()
    newest = find_newest_snapshot(tmp_path)
    assert newest is not None and newest.name == "network-snapshot-000012.safetensors"
    for count in (11_999, 12_001):
        (tmp_path / snapshot_name(count)).touch()
    newest = find_newest_snapshot(tmp_path)
    assert newest is not None and newest.name == "network-snapshot-000012-001.safetensors"


def test_critters_are_not_drawn_over_a_file_and_their_progress_ends(tmp_path: Path) -> None:
    out = tmp_path / "a.zip"
    options = ("dataset", "critters", f"--out={out}", "--num=13", "--size=16")
    assert "Drawn 13 of 13" in call(*options).output
    before = out.read_bytes()
    refused(call(*options, "--seed=1"), "is there already", "--overwrite", status=2)
    assert out.read_bytes() == before
    assert call(*options, "--seed=1", "--overwrite").exit_code == 0 and out.read_bytes() != before


# --------------------------------------------------------------------------------------------------------- divergence


def test_advice_after_a_divergence_follows_what_happened() -> None:
    def config(**options: float) -> train.config.TrainConfig:
        read = {"data": "", "data_name": "", "data_images": 1, "data_digest": ""}
        return configure("B", resolution=16, preset_name="tiny", **read, **options)

    sound = {"loss_d": 1.2, "loss_g": 0.9, "r1": 0.01, "grad_nonfinite": None}
    nan = {"loss_d": float("nan"), "loss_g": float("nan"), "r1": None, "grad_nonfinite": None}
    won = {**sound, "loss_d": 0.01, "loss_g": 12.0}
    cases = [
        (config(gamma=1), won, "larger --gamma, such as 4"),
        (config(gamma=1), {**sound, "r1": 100.0}, "smaller --gamma, such as 0.25"),
        (config(gamma=0), sound, "--gamma above 0"),
        (config(gamma=1), None, "first tick"),
        (config(gamma=1), sound, "show no reason"),
        (config(gamma=1, num_fp16_res=4), sound, "--fp32"),
    ]
    for options, before, words in cases:
        assert words in advise(options, nan, before), words
    assert "resume with --fp32" in advise(config(num_fp16_res=4), {**nan, "grad_nonfinite": 0.9}, won)
    assert "larger --gamma" not in advise(config(gamma=1), nan, {**sound, "r1": 100.0})


def test_what_is_no_set_is_called_what_it_is(tmp_path: Path, sixteen: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "set"), "tar", sixteen))
    sentence = refused(start(archive), "is a tar", "dataset convert")
    assert "damaged" not in sentence
    sentence = refused(start(sixteen / "000.png"), "neither a folder nor a zip")
    assert "damaged" not in sentence and "<" not in sentence
    refused(start(tmp_path / "gone"), "gone does not exist")


def test_a_broken_header_is_left_out_of_a_large_set_and_resumed_over(sixteen: Path, uncached: Path) -> None:
    start(sixteen, kimg="0.004")
    (run,) = runs(sixteen)
    name = sixteen / "005.png"
    name.write_bytes(b"x" * name.stat().st_size)  # the same size: the set has not changed
    result = call("resume", str(run), "--kimg=0.008")
    assert result.exit_code == 0, result.output
    assert "005.png (" in result.output
