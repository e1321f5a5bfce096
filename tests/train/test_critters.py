# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Critters: the same picture from a seed whatever the order or the workers, varied poses, and no aliasing."""

import io
import json
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.critters.dataset import SEED_STRIDE, draw_critter, write_dataset
from train.critters.paint import paint
from train.critters.species import ALIGNED_SCALE, SPECIES, sample_critter
from train.critters.texture import FILTER_RADIUS, downsample, downsampling_filter

ROOT = Path(__file__).resolve().parents[2]


def _linear(picture: np.ndarray) -> np.ndarray:
    x = picture.astype(np.float32) / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _halved(picture: np.ndarray) -> np.ndarray:
    """Return a picture at half its size, in linear light, through the data set's own filter."""
    margin = 2 * FILTER_RADIUS - 1
    return downsample(np.pad(_linear(picture), ((margin, margin), (margin, margin), (0, 0)), mode="edge"), 2)


def _top_octave(picture: np.ndarray) -> float:
    """Return the power between half the Nyquist frequency and the Nyquist frequency, under a Hann window."""
    size = picture.shape[0]
    window = np.hanning(size)
    grey = picture.mean(axis=2)
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window[:, None] * window[None, :])) ** 2
    frequency = np.abs(np.fft.fftfreq(size))
    return float(power[np.maximum(frequency[:, None], frequency[None, :]) >= 0.25].sum())


def test_a_seed_gives_one_picture_in_any_order() -> None:
    forwards = [draw_critter(seed, 32) for seed in range(6)]
    backwards = [draw_critter(seed, 32) for seed in reversed(range(6))][::-1]
    for (picture, pose), (again, pose_again) in zip(forwards, backwards, strict=True):
        assert picture.shape == (32, 32, 3) and picture.dtype == np.uint8
        assert np.array_equal(picture, again) and pose == pose_again
    assert len({picture.tobytes() for picture, _ in forwards}) == 6


def test_worker_count_does_not_change_the_file(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    write_dataset(tmp_path / "one.zip", 9, 16, 5, workers=1)
    write_dataset(tmp_path / "two.zip", 9, 16, 5, progress=lambda done, num: heard.append((done, num)), workers=2)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert heard == [(done, 9) for done in range(1, 10)]


def test_the_zip_holds_pictures_and_poses(tmp_path: Path) -> None:
    write_dataset(tmp_path / "set.zip", 3, 16, 2, workers=1)
    with zipfile.ZipFile(tmp_path / "set.zip") as archive:
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
        document = json.loads(archive.read("dataset.json"))
        names = sorted(set(archive.namelist()) - {"dataset.json"})
        pictures = [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names]
    assert names == [f"00000/img{index:08d}.png" for index in range(3)] == sorted(document["poses"])
    assert document["labels"] is None
    for index, picture in enumerate(pictures):
        drawn, pose = draw_critter(2 * SEED_STRIDE + index, 16)
        assert np.array_equal(picture, drawn) and document["poses"][names[index]] == pose


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, workers: int) -> None:
    def stop(done: int, num: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_dataset(tmp_path / "set.zip", 50, 16, progress=stop, workers=workers)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="its signals are others")
def test_a_termination_leaves_nothing_behind(tmp_path: Path) -> None:
    words = [ROOT / "train.py", "dataset", "critters", "--out", tmp_path / "a.zip", "--num", "9999", "--size", "16"]
    with subprocess.Popen([sys.executable, *map(str, words)], stderr=subprocess.PIPE, text=True) as child:
        try:
            deadline = time.monotonic() + 60
            while not any(path.stat().st_size > 2000 for path in tmp_path.iterdir()):
                assert time.monotonic() < deadline and child.poll() is None
                time.sleep(0.05)
            child.terminate()
            _, errors = child.communicate(timeout=60)
        finally:
            child.kill()
    assert child.returncode == 1 and "Traceback" not in errors, errors
    assert not list(tmp_path.iterdir())


def test_poses_vary_within_their_ranges() -> None:
    critters = [sample_critter(seed) for seed in range(600)]
    for name, low, high, least_spread in (
        ("x", 0.3, 0.7, 0.03),
        ("y", 0.3, 0.8, 0.03),
        ("scale", 0.45, 0.8, 0.06),
        ("tilt", -40, 40, 8),
        ("yaw", -0.5, 0.5, 0.1),
        ("pitch", -0.3, 0.3, 0.05),
    ):
        values = np.array([getattr(critter, name) for critter in critters])
        assert values.min() >= low and values.max() <= high, name
        assert values.std() > least_spread, name
    assert {critter.species.name for critter in critters} == {species.name for species in SPECIES}
    fanciful = np.mean([critter.coat.name == "fanciful" for critter in critters])
    assert 0.1 < fanciful < 0.35


def test_the_picture_follows_its_pose() -> None:
    # Fur, markings, face and light belong to the animal: moved by four pixels, the head's middle is the same pixels.
    for seed in range(4):
        critter = replace(sample_critter(seed), x=0.5, y=0.5)
        there = paint(replace(critter, x=critter.x + 4 / 64, y=critter.y - 3 / 64), 64).astype(int)
        here = paint(critter, 64).astype(int)
        assert np.abs(here[26:38, 26:38] - there[23:35, 30:42]).max() <= 2
        assert here[26:38, 26:38].std() > 3


@pytest.mark.slow
def test_another_size_is_the_same_creature() -> None:
    for seed in range(6):
        large, pose = draw_critter(seed, 128)
        small, same_pose = draw_critter(seed, 64)
        assert pose == same_pose
        difference = _halved(large)[4:-4, 4:-4] - _linear(small)[4:-4, 4:-4]
        stranger = _linear(draw_critter(seed + 1, 64)[0])[4:-4, 4:-4] - _linear(small)[4:-4, 4:-4]
        assert np.sqrt((difference**2).mean()) < min(0.04, 0.15 * np.sqrt((stranger**2).mean()))


def test_nothing_aliases() -> None:
    # A drawing that aliased would carry more power near its Nyquist frequency than the larger one, low-passed.
    for seed in range(6):
        large, small = _halved(draw_critter(seed, 128)[0]), _linear(draw_critter(seed, 64)[0])
        assert 0.6 < _top_octave(small) / _top_octave(large) < 1.2


def test_more_samples_change_little() -> None:
    # What twice the samples change near the Nyquist frequency is what aliased; half the samples alias far more.
    errors: dict[int, list[float]] = {2: [], 4: []}
    for seed in range(10):
        exact = paint(sample_critter(seed), 32, 8).astype(np.float32)
        for factor, found in errors.items():
            found.append(_top_octave(paint(sample_critter(seed), 32, factor) - exact) / _top_octave(exact))
    assert np.mean(errors[4]) < 0.08
    assert np.mean(errors[4]) < 0.5 * np.mean(errors[2])


def test_the_reduction_passes_constants_and_stops_what_would_alias() -> None:
    count = (16 + 2 * FILTER_RADIUS - 1) * 4
    flat = downsample(np.full((count, count, 1), 0.7, np.float32), 4)
    assert flat.shape == (16, 16, 1) and np.abs(flat - 0.7).max() < 1e-5
    taps = downsampling_filter(4)
    frequencies = np.array([0.25, 0.75, 1.0, 1.5])  # cycles a pixel; 0.5 is the Nyquist frequency
    response = np.abs(np.exp(-2j * np.pi * frequencies[:, None] * np.arange(taps.size)[None, :] / 4) @ taps)
    assert response[0] > 0.85 and response[1:].max() < 0.02


@pytest.mark.parametrize(
    ("num", "size", "seed", "word"),
    [
        (0, 32, 0, "number"),
        (-3, 32, 0, "number"),
        (4, 48, 0, "power of two"),
        (4, 8, 0, "power of two"),
        (4, 0, 0, "power of two"),
        (4, 32, -1, "seed"),
    ],
)
def test_bad_arguments_are_refused(tmp_path: Path, num: int, size: int, seed: int, word: str) -> None:
    with pytest.raises(ValueError, match=word) as caught:
        write_dataset(tmp_path / "set.zip", num, size, seed)
    assert str(caught.value).count(".") == 1 and "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_species_can_be_chosen(tmp_path: Path) -> None:
    write_dataset(tmp_path / "some.zip", 12, 16, seed=3, species=("red panda", "owl"), workers=1)
    with zipfile.ZipFile(tmp_path / "some.zip") as archive:
        poses = list(json.loads(archive.read("dataset.json"))["poses"].values())
    assert {pose["species"] for pose in poses} == {"red panda", "owl"}
    assert [pose["seed"] for pose in poses] == [
        seed
        for seed in range(3 * SEED_STRIDE, poses[-1]["seed"] + 1)
        if sample_critter(seed).species.name in ("red panda", "owl")
    ]
    with pytest.raises(ValueError, match="'lynx', but there are cat, fox"):
        write_dataset(tmp_path / "none.zip", 12, 16, species=("fox", "lynx"))
    assert not (tmp_path / "none.zip").exists()


def test_aligned_heads_stand_in_one_place(tmp_path: Path) -> None:
    write_dataset(tmp_path / "aligned.zip", 8, 16, seed=3, aligned=True, workers=1)
    with zipfile.ZipFile(tmp_path / "aligned.zip") as archive:
        poses = list(json.loads(archive.read("dataset.json"))["poses"].values())
    assert {(pose["x"], pose["scale"], pose["tilt"]) for pose in poses} == {(0.5, ALIGNED_SCALE, 0.0)}
    for pose in poses:  # the same animals, which turn less
        loose = draw_critter(pose["seed"], 16)[1]
        assert {name for name in pose if pose[name] != loose[name]} <= {"x", "y", "scale", "tilt", "yaw", "pitch"}
        assert abs(pose["yaw"]) < 0.2 * abs(loose["yaw"]) and abs(pose["pitch"]) < 0.2 * abs(loose["pitch"])
    picture = np.mean([draw_critter(seed, 32, aligned=True)[0] for seed in range(24)], axis=(0, 3))
    loose_picture = np.mean([draw_critter(seed, 32)[0] for seed in range(24)], axis=(0, 3))
    assert picture.std() > 1.5 * loose_picture.std()  # the mean of all still has a head


def test_plush_fur_grows_alike(tmp_path: Path) -> None:
    write_dataset(tmp_path / "plush.zip", 12, 64, seed=3, species=["fox"], aligned=True, plush=True, workers=1)
    with zipfile.ZipFile(tmp_path / "plush.zip") as archive:
        poses = list(json.loads(archive.read("dataset.json"))["poses"].values())

    def keep_strands(plush: bool) -> float:
        """Return how much of the fine detail of single pictures their mean still has, 1 / 12 where it is unrelated."""
        pictures = [draw_critter(pose["seed"], 64, aligned=True, plush=plush)[0].mean(2) for pose in poses]
        fine = np.stack([picture[1:] - picture[:-1] for picture in pictures])[:, 15:26, 24:40]  # the forehead
        return float(fine.mean(0).var() / fine.var(axis=(1, 2)).mean())

    assert keep_strands(True) > 3 * keep_strands(False)
    for pose in poses:  # the same animals in the same pose
        assert draw_critter(pose["seed"], 16, aligned=True)[1] == pose


def test_draw_refuses_bad_sizes() -> None:
    with pytest.raises(ValueError, match="power of two"):
        draw_critter(0, 100)
