# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The reference vectors, and that the runner does fail where it should."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors import safe_open
from safetensors.torch import save_file
from support import rosinality
from support.paths import DATA, FOREIGN_CASES

from gan.conformance import find_paths, main, run_case

VECTORS = DATA / "conformance"
COVERED = sorted(path for path in VECTORS.glob("*.safetensors") if path.stem != "ada")
FOREIGN = find_paths(FOREIGN_CASES)


def test_all_vectors_are_here():
    assert len(COVERED) == 9


@pytest.mark.slow
@pytest.mark.parametrize("path", COVERED, ids=[path.stem for path in COVERED])
def test_vectors(path):
    verdict, details = run_case(path)
    assert verdict == "pass", details


def rewrite(source: Path, target: Path, change) -> None:
    """A copy of a case with its config and tensors changed in place by `change`."""
    with safe_open(source, framework="pt") as file:
        config = json.loads(file.metadata()["config"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    change(config, tensors)
    save_file(tensors, target, {"config": json.dumps(config)})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("stylegan3_t_64", "out/img"),
        ("stylegan3_t_64", "out/grad/synthesis.input.weight"),
        ("stylegan3_r_64", "out/img_transform1"),
        ("stylegan3_r_64", "state/synthesis.L3_36_16.down_filter"),
        ("discriminator_64", "out/r1_grad"),
        ("ops", "0/out/dx"),
    ],
)
def test_a_wrong_number_fails(tmp_path, name, tensor):
    def change(config, tensors):
        tensors[tensor] = tensors[tensor] * 1.001

    rewrite(VECTORS / f"{name}.safetensors", tmp_path / f"{name}.safetensors", change)
    verdict, details = run_case(tmp_path / f"{name}.safetensors")
    assert verdict == "FAIL"
    assert tensor.rpartition("/")[2].removesuffix(".weight") in details


def test_runner_prints_rows_and_judges(tmp_path):
    runner = CliRunner()
    result = runner.invoke(main, [str(tmp_path)])
    assert result.exit_code == 1
    assert "There are no cases" in result.output

    for name in ("ops", "ada"):
        shutil.copy(VECTORS / f"{name}.safetensors", tmp_path)
    result = runner.invoke(main, [str(tmp_path)])
    assert result.exit_code == 0
    assert "2 passed, 0 failed, 0 not covered yet" in result.output

    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors", {"config": '{"kind": "stylegan9.Generator"}'})
    (tmp_path / "damaged.safetensors").write_bytes(b"\x08" * 100)
    result = runner.invoke(main, [str(tmp_path)])
    assert result.exit_code == 1
    assert "2 passed, 2 failed" in result.output
    assert "There is no generator of the kind 'stylegan9.Generator'" in result.output


def foreign_case(folder: Path, factor: float = 1.0, **config: object) -> Path:
    """A checkpoint of rosinality's in a folder and its case; `factor` is on the logits."""
    ours, critic = rosinality.generator(), rosinality.discriminator()
    data = rosinality.training(ours, critic, latent_avg=ours.mapping.w_avg)
    rosinality.save(folder / "tiny.pt", data)
    z, img = torch.randn(2, 12), torch.randn(8, 3, 32, 32)
    tensors = {"in/z": z, "in/img": img, "out/w": ours.mapping(z), "out/img": ours(z)}
    tensors |= {"out/w_psi0.7": ours.mapping(z, psi=0.7), "out/img_psi0.7": ours(z, psi=0.7)}
    tensors["out/logits"] = critic(img) * factor
    tensors = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}
    path = folder / "tiny.safetensors"
    save_file(tensors, path, {"config": json.dumps({"kind": "rosinality", "file": "tiny.pt"} | config)})
    return path


def test_a_foreign_checkpoint_beside_its_case(tmp_path):
    verdict, details = run_case(foreign_case(tmp_path))
    assert verdict == "pass" and "5 comparisons" in details, details
    verdict, details = run_case(foreign_case(tmp_path, factor=1.001))
    assert verdict == "FAIL" and "logits" in details
    assert run_case(foreign_case(tmp_path, file="../../none.pt")) == (
        "FAIL",
        f"There is no checkpoint at {tmp_path / 'none.pt'}: check the path.",
    )


def test_files_that_must_be_refused_print_their_sentence(tmp_path):
    foreign_case(tmp_path)
    state = rosinality.generator_state(rosinality.generator()) | {"iwt.ll": torch.zeros(2, 2)}
    rosinality.save(tmp_path / "refused_swagan.pt", {"g_ema": state})
    result = CliRunner().invoke(main, [str(tmp_path)])
    assert result.exit_code == 0 and "refused: refused_swagan.pt holds a SWAGAN" in result.output, result.output
    shutil.copy(tmp_path / "tiny.pt", tmp_path / "refused_tiny.pt")
    result = CliRunner().invoke(main, [str(tmp_path)])
    assert result.exit_code == 1 and "it must be refused, and was opened" in result.output


@pytest.mark.skipif(not FOREIGN_CASES.is_dir(), reason="other projects' checkpoints are not at hand")
@pytest.mark.parametrize("path", FOREIGN, ids=[path.stem for path in FOREIGN])
def test_checkpoints_of_other_projects(path):
    verdict, details = run_case(path)
    if path.stem == "stylegan_human_64x32":
        assert verdict == "not covered yet" and "64 high and 32 wide" in details
    else:
        assert verdict == "pass", details


@pytest.mark.skipif(not FOREIGN_CASES.is_dir(), reason="other projects' checkpoints are not at hand")
def test_a_folder_of_uncovered_cases_only_does_not_pass(tmp_path):
    for path in FOREIGN_CASES.glob("stylegan_human*"):
        shutil.copy(path, tmp_path)
    result = CliRunner().invoke(main, [str(tmp_path)])
    assert result.exit_code == 1 and "0 passed, 0 failed, 1 not covered yet" in result.output
