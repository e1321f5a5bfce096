# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Augmentation in training: its options, its adaptive probability, and a resume that changes nothing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from support.steps import batch, bits, small_config

from gan.augment.config import PIPES
from gan.augment.options import AugmentOptions
from gan.shares import Share
from train.augmentation import Augmenter
from train.cli.main import main
from train.config import TrainConfig, configure
from train.errors import TrainingError
from train.state import TrainState

ADA = AugmentOptions("ada", p=0.3, ramp_images=64, interval=2)


def adapt(augmenter: Augmenter, logits: list[float], steps: int) -> float:
    augmenter.observe(torch.tensor(logits).sign().mean(), len(logits))
    augmenter.adapt(steps, len(logits))
    return augmenter.p


def test_p_follows_the_sign_one_interval_late() -> None:
    augmenter = Augmenter(AugmentOptions("ada", p=0.5, target=0.0, ramp_images=80, interval=2), torch.device("cpu"))
    assert adapt(augmenter, [1.0, 2.0, 3.0, -1.0], 1) == 0.5  # within an interval
    assert adapt(augmenter, [1.0, 2.0, 3.0, -1.0], 2) == 0.5  # its mean sign, 0.5, is on its way
    assert adapt(augmenter, [-1.0, -1.0, -1.0, -1.0], 3) == 0.5
    assert adapt(augmenter, [-1.0, -1.0, -1.0, -1.0], 4) == pytest.approx(0.5 + 4 * 2 / 80)
    adapt(augmenter, [0.0, 0.0, 0.0, 0.0], 5)
    assert adapt(augmenter, [0.0, 0.0, 0.0, 0.0], 6) == pytest.approx(0.5)
    adapt(augmenter, [0.0, 0.0, 0.0, 0.0], 7)
    assert adapt(augmenter, [0.0, 0.0, 0.0, 0.0], 8) == pytest.approx(0.5)  # at the target it stays


@pytest.mark.parametrize(("sign", "end"), [(1.0, 1.0), (-1.0, 0.0)])
def test_p_stays_between_0_and_1(sign: float, end: float) -> None:
    augmenter = Augmenter(AugmentOptions("ada", p=0.5, ramp_images=8, interval=1), torch.device("cpu"))
    for step in range(1, 9):
        adapt(augmenter, [sign] * 4, step)
    assert augmenter.p == end


@pytest.mark.parametrize("options", [ADA, AugmentOptions("fixed", p=0.8), AugmentOptions(diffaug=("color", "cutout"))])
def test_resume_is_exact(tmp_path: Path, options: AugmentOptions) -> None:
    straight = TrainState(small_config("T", augment=options))
    for index in range(8):
        straight.step(batch(index), None)
    half = TrainState(small_config("T", augment=options))
    for index in range(5):  # amid an interval
        half.step(batch(index), None)
    half.save(tmp_path / "state.safetensors")
    torch.manual_seed(12345)
    resumed = TrainState.load(tmp_path / "state.safetensors")
    assert resumed.augmenter.p == half.augmenter.p
    for index in range(5, 8):
        resumed.step(batch(index), None)
    expected = bits(straight)
    assert all(torch.equal(value, expected[key]) for key, value in bits(resumed).items())
    assert resumed.augmenter.p == straight.augmenter.p
    if options.mode == "ada":
        assert straight.augmenter.p != options.p, "it adapts in these steps"


def test_both_networks_see_augmented_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []

    def count(augmenter: Augmenter, images: torch.Tensor, share: Share) -> torch.Tensor:
        counts.append(len(images))
        return images

    monkeypatch.setattr(Augmenter, "__call__", count)
    state = TrainState(small_config("T"))
    state.step(batch(0), None)
    size = len(batch(0))
    assert counts == [size] * 4, "G's fakes, D's fakes and reals, R1's reals"


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    from gan.checkpoints.checkpoint import load_tensors, save_tensors

    state, path = TrainState(small_config("T", augment=ADA)), tmp_path / "state.safetensors"
    state.step(batch(0), None)
    state.save(path)
    tensors, document = load_tensors(path)
    wrong: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({name: value for name, value in tensors.items() if name != "augment.sums"}, document),
        (tensors | {"augment.pending": torch.zeros(3)}, document),
        (tensors, {**document, "augment_p": 7}),
        (tensors, {**document, "augment_p": None}),
        (tensors, {**document, "config": {**document["config"], "augment": {"mode": "often"}}}),
        (tensors, {**document, "config": {**document["config"], "augment": {"pipe": {"xflip": "a"}}}}),
        (tensors, {**document, "config": {**document["config"], "augment": 5}}),
    ]
    for values, described in wrong:
        save_tensors(path, values, described)
        with pytest.raises(TrainingError):
            TrainState.load(path)


def test_runs_from_before_are_not_augmented() -> None:
    config = small_config("T")
    document = config.to_json()
    del document["augment"]
    assert TrainConfig.from_json(document) == config and config.augment.mode == "noaug"
    augmented = replace(config, augment=ADA)
    assert TrainConfig.from_json(json.loads(json.dumps(augmented.to_json()))) == augmented


def test_presets() -> None:
    read: dict[str, Any] = {"data": "x", "data_name": "x", "data_images": 1, "data_digest": ""}
    assert configure("T", resolution=256, **read).augment == AugmentOptions("ada")
    assert configure("T", resolution=32, preset_name="tiny", **read).augment.mode == "noaug"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--aug=ada --target=0.5 --ada-kimg=2", AugmentOptions("ada", target=0.5, ramp_images=2000)),
        ("--target=0.5", AugmentOptions("ada", target=0.5)),
        ("--aug=fixed", AugmentOptions("fixed", p=0.2)),
        ("--p=0.7 --augpipe=bg", AugmentOptions("fixed", pipe=PIPES["bg"], p=0.7)),
        ("--aug=noaug", AugmentOptions()),
        ("--diffaug=translation,color", AugmentOptions(diffaug=("color", "translation"))),
    ],
)
def test_the_command_line(tmp_path: Path, data: Path, words: str, expected: AugmentOptions) -> None:
    line = ["--cfg=T", f"--data={data}", "--preset=tiny", f"--outdir={tmp_path}", "-n", *words.split()]
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 0, result.output
    document = json.loads(result.output[result.output.index("{") : result.output.rindex("}") + 1])
    assert AugmentOptions.from_json(document["augment"]) == expected
    assert ("augmented by" in result.output) == (expected != AugmentOptions())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--aug=noaug --p=0.5", "--p goes with --aug=ada or --aug=fixed, not with --aug=noaug"),
        ("--aug=fixed --target=0.5", "--target goes with --aug=ada"),
        ("--aug=fixed --ada-kimg=5", "--ada-kimg goes with --aug=ada"),
        ("--diffaug=blur", "names none of DiffAugment's transforms"),
        ("--augpipe=xyz", "bgcfnc"),
        ("--p=2", "--p"),
    ],
)
def test_refusals(tmp_path: Path, data: Path, words: str, said: str) -> None:
    line = ["--cfg=T", f"--data={data}", "--preset=tiny", f"--outdir={tmp_path}", *words.split()]
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 2 and said in result.output, result.output


def test_a_run_writes_its_probability(tmp_path: Path, data: Path) -> None:
    words = "--cfg=T --preset=tiny --kimg=0.032 --batch=4 --aug=ada --ada-kimg=0.016 --target=0.01 --threads=1".split()
    result = CliRunner().invoke(main, [*words, f"--data={data}", f"--outdir={tmp_path / 'runs'}"])
    assert result.exit_code == 0, result.output
    (folder,) = (tmp_path / "runs").iterdir()
    rows = [json.loads(line) for line in (folder / "stats.jsonl").read_text().splitlines()]
    assert rows and all(0 <= row["augment_p"] <= 1 for row in rows)
    assert "augmented by bgc, p adapted to a sign of 0.01" in (folder / "log.txt").read_text()
    resumed = CliRunner().invoke(main, [f"--resume={folder}", "--aug=noaug"])
    assert resumed.exit_code == 2 and "--aug is fixed for a run that is resumed" in resumed.output


def test_a_sheet_shows_each_picture_and_its_augmentations(tmp_path: Path, data: Path) -> None:
    out = tmp_path / "sheet.png"
    line = ["dataset", "augment", str(data), "--p=1", "--rows=2", "--columns=3", f"--out={out}"]
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 0 and "augmented by bgc, p = 1" in result.output, result.output
    with Image.open(out) as sheet:
        pixels = np.asarray(sheet)
    assert pixels.shape == (32, 48, 3)
    for row, name in enumerate(("0.png", "3.png")):
        with Image.open(data / name) as picture:
            assert np.array_equal(pixels[16 * row : 16 * row + 16, :16], np.asarray(picture))
    assert not np.array_equal(pixels[:16, :16], pixels[:16, 16:32])
    for given, said in (
        (("--augpipe=bg", "--diffaug=color"), "augmented by bg, p = 0.5; augmented by DiffAugment's color."),
        (("--aug=fixed", "--diffaug=color"), "augmented by bgc, p = 0.5; augmented by DiffAugment's color."),
        (("--diffaug=color",), ": augmented by DiffAugment's color."),
    ):
        result = CliRunner().invoke(main, [*line[:3], *line[4:], *given, "--overwrite"])
        assert result.exit_code == 0 and said in result.output, result.output
    for more, said in (
        ((), "is there already"),
        (("--overwrite", "--target=0.5"), "give --p"),
        (("--overwrite", f"--out={tmp_path / 'sheet.jpg'}"), "PNG"),
    ):
        result = CliRunner().invoke(main, [*line, *more])
        assert result.exit_code in (1, 2) and said in result.output, result.output
