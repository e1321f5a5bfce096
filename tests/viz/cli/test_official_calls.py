# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The official tools' documented calls, one by one: each starts, or says in one sentence what is missing."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from support.gui import save_model
from support.paths import ROOT

from gan.cli.command import Command
from gan.data.image_dataset import open_images
from train import launch
from train.cli.main import main as trainer
from viz.cli.main import main as viewer

PROGRAMS = {"visualizer.py": viewer, "train.py": trainer}
TINY = "--preset=tiny --batch=4 --cbase=64 --cmax=8 --device=cpu --kimg=0.004"
PAGE = ROOT / "docs" / "coming-from-stylegan3.md"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that has a model and a labelled set, 16 pixels wide."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    save_model(tmp_path / "network.safetensors", "T", 16)
    (tmp_path / "set").mkdir()
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "set" / f"{number}.png")
    labels = {"labels": [[f"{number}.png", number % 2] for number in range(4)]}
    (tmp_path / "set" / "dataset.json").write_text(json.dumps(labels))
    return tmp_path


def run(line: str) -> Result:
    program, *words = shlex.split(line)
    result = CliRunner().invoke(PROGRAMS[program], words)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def parse(line: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the values of a command's parameters; it is not run."""
    seen: list[click.Context] = []
    with monkeypatch.context() as patch:
        patch.setattr(Command, "invoke", lambda _self, ctx: seen.append(ctx), raising=False)
        result = run(line)
    assert result.exit_code == 0, result.output
    return seen[0].params


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("visualizer.py render --outdir=out --trunc=1 --seeds=2 --network=network.safetensors", ["seed0002.png"]),
        (
            "visualizer.py render --outdir=out --seeds=0,1,4-5 --network=network.safetensors --translate=0.25,0.1 "
            "--rotate=45 --noise-mode=random",
            ["seed0000.png", "seed0001.png", "seed0004.png", "seed0005.png"],
        ),
    ],
)
def test_gen_images(place: Path, line: str, files: list[str]) -> None:
    result = run(line)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (place / "out").iterdir()) == files


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--gpus=1 --batch=4 --gamma=8.2 --mirror=1", {"mirror": True, "gamma": 8.2}),
        ("--mirror", {"mirror": True}),
        ("--mirror=0 --cond=0", {"mirror": False}),
        ("--no-mirror", {"mirror": False}),
        ("--cond=1 --aug=noaug --metrics=none --workers=3 --desc=first --fp32=1", {"half": 0}),
        ("--aug=ada --target=0.7 --mirror=1", {"mirror": True}),
        ("--aug=fixed --p=0.5 --augpipe=bgc", {}),
        ("--nobench=1 --subset=3 --img-snap=2", {"cudnn_benchmark": False, "subset": 3, "img_snap": 2}),
        ("--mirror-y=1 --mbstd-group=2 --map-depth=3", {"mirror_y": True}),
        ("--glr=0.001 --dlr=0.003 --seed=5 --snap=5", {"g_lr": 0.001, "d_lr": 0.003, "seed": 5, "snap": 5}),
    ],
)
def test_train_takes_the_official_spellings(place: Path, words: str, said: dict[str, Any]) -> None:
    result = run(f"train.py --outdir=~/training-runs --cfg=stylegan3-t --data=set {TINY} {words} -n")
    assert result.exit_code == 0, result.output
    options = json.loads(result.output[result.output.index("{") : result.output.rindex("}") + 1])
    assert {name: options[name] for name in said} == said
    assert (options["generator"]["c_dim"] == 2) == ("--cond=1" in words)
    assert not (place / "home").exists() and not (place / "~").exists() and "no folder was made" in result.output


def test_train_starts_and_describes_its_folder(place: Path) -> None:
    result = run(
        f"train.py --outdir=~/training-runs --cfg=stylegan2 --data=set --gpus=1 {TINY} --gamma=8.2 --mirror=1 --cond=1 "
        "--workers=3 --desc=first-try --aug=noaug --metrics=none"
    )
    assert result.exit_code == 0, result.output
    assert (place / "home" / "training-runs" / "00000-set-A-16-first-try" / "training_options.json").is_file()


def test_a_dry_run_of_critters_draws_none(place: Path) -> None:
    result = run(f"train.py --cfg=T --data=critters --critters-num=5 --resolution=16 --dry-run {TINY}")
    assert result.exit_code == 0 and '"data_name": "critters-5-16-0"' in result.output, result.output
    assert sorted(path.name for path in place.iterdir()) == ["network.safetensors", "set"]


def test_workers_are_threads(place: Path) -> None:
    assert launch._open_images("set", workers=3).readers == 3


START = "train.py --outdir=~/training-runs --cfg=stylegan3-r --data=set"
NOT_THERE = [
    (
        "visualizer.py gen_video.py --output=lerp.mp4 --trunc=1 --seeds=0-31 --grid=4x2",
        "`video` takes the same options",
    ),
    (
        "visualizer.py render --output=lerp.mp4 --trunc=1 --seeds=0-31 --grid=4x2 --network=t",
        "the command `video` takes it",
    ),
    ("visualizer.py gen_images.py --outdir=out --seeds=2 --network=t", "`render` takes the same options"),
    ("visualizer.py --browse-dir=models", "--browse-dir is not needed here"),
    ("visualizer.py avg_spectra.py stats --source=set --dest=a.npz", "`spectra` averages and draws"),
    ("visualizer.py calc_metrics.py --metrics=fid50k_full", "python train.py metrics"),
    ("train.py dataset_tool.py --source=set --dest=set.zip", "train.py dataset convert"),
    ("train.py calc_metrics.py --metrics=eqt50k_int,eqr50k --network=t", "train.py metrics --model MODEL"),
    ("train.py metrics --metrics=fid50k_full --network=t", "fid50k_full compares with pictures: give the --data"),
    ("train.py metrics --metrics=fid50k --data=set --network=t", "'fid50k' is not one of fid50k_full"),
    (f"{START} --freezed=10", "--freezed goes with --transfer"),
]


@pytest.mark.parametrize(("line", "said"), NOT_THERE)
def test_what_is_missing_is_said_in_one_sentence(place: Path, line: str, said: str) -> None:
    result = run(line)
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code == 2 and last.startswith("Error: ") and said in last, result.output
    assert result.output.count("Error: ") == 1 and re.search(r"[^ ,.][.?]$", last)
    assert sorted(path.name for path in place.iterdir()) == ["network.safetensors", "set"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("network.safetensors", "network.safetensors is a file and no run folder: a new run starts from a model"),
        ("gone.pkl", "There is no run folder gone.pkl: give one that train.py made; a new run starts from"),
        ("ffhq256", "There is no run folder ffhq256: give one that train.py made; a new run starts from"),
        ("training-runs/00000-gone", "There is no run folder training-runs/00000-gone: give one that train.py made."),
        ("https://example.com/a.pkl?key=secret", "An address is no run folder to resume: a new run starts"),
        ("", "it is empty; give a path"),
        ("run/network-snapshot-000001.safetensors", "to continue the run that it is of, give its folder"),
    ],
)
@pytest.mark.parametrize("words", ["", "--data=x --batch=no", "--aug=ada --foo=3 --kimg=nan"])
def test_resume_is_looked_at_first(place: Path, given: str, said: str, words: str) -> None:
    (place / "run").mkdir()
    (place / "run" / "training_options.json").touch()
    (place / "run" / "network-snapshot-000001.safetensors").touch()
    result = run(f"train.py {words} --resume={given}")
    assert result.exit_code == 2 and said in result.output.strip().splitlines()[-1], result.output
    assert "secret" not in result.output
    if not words:
        assert said in run(f"train.py resume '{given}'").output


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ("gone.pkl", 1, "There is no file gone.pkl"),
        ("ffhq256", 1, "There is no file ffhq256"),
        ("training-runs/00000-gone", 1, "There is no file training-runs/00000-gone"),
        ("", 2, "it is empty; give a model"),
    ],
)
def test_beside_cfg_resume_names_a_model(place: Path, given: str, status: int, said: str) -> None:
    for words in ("", "--preset=tiny -n"):
        for line in (
            f"--cfg=stylegan3-t --data=set {words} --resume='{given}'",
            f"--resume='{given}' --cfg T --data=set",
        ):
            result = run(f"train.py {line}")
            assert result.exit_code == status and said in result.output.strip().splitlines()[-1], result.output
    assert sorted(path.name for path in place.iterdir()) == ["network.safetensors", "set"]


def test_official_transfer_starts(place: Path) -> None:
    common = f"train.py --outdir=runs --cfg=stylegan3-t --data=set --gpus=1 --mirror=1 {TINY}"
    assert run(common).exit_code == 0
    made = place / "runs" / "00000-set-T-16" / "network-snapshot-000000-004.safetensors"
    result = run(f"{common} --resume={made.rename(place / 'model.safetensors')}")
    assert result.exit_code == 0 and "Starting from model (rung T, 16x16)" in result.output, result.output
    assert (place / "runs" / "00001-set-T-16" / "training-state.safetensors").is_file()


@pytest.mark.parametrize(
    "line",
    [
        "visualizer.py render --scale=9 --foo=1 --network=gone.pkl",
        "visualizer.py spectra --num=0 --model=gone.pkl",
        "visualizer.py sticking --frames=1 --right=gone.pkl",
        "visualizer.py inspect --size=17 gone.pkl",
        "visualizer.py convert gone.pkl --out=x.pkl",
        "train.py metrics --num=0 --cfg=T --model=gone.pkl",
    ],
)
def test_a_missing_model_is_said_before_what_depends_on_it(place: Path, line: str) -> None:
    result = run(line)
    assert result.exit_code == 1 and "There is no file gone.pkl" in result.output, result.output


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("train.py --metricz=none", "did you mean --metrics?"),
        ("train.py --metrik --tock=3", "No such option: --metrik; did you mean --metrics?"),
        ("train.py --quux=3", "No such option: --quux; --help lists those there are."),
        ("visualizer.py --network=x.pkl", "an option of the commands `render`"),
        ("visualizer.py --untransform", "an option of the command `render`: name one first."),
        ("visualizer.py render --sede=3 --model=t", "did you mean --seed"),
    ],
)
def test_hints_are_no_guesses(line: str, said: str) -> None:
    assert said in run(line).output.strip().splitlines()[-1]


def test_contradictions_are_said(place: Path) -> None:
    for words, said in (
        ("--mirror=1 --no-mirror", "--mirror and --no-mirror contradict"),
        ("--fp32=1 --num-fp16-res=2", "--fp32 means"),
        ("--desc=a/b", "cannot end a folder's name"),
        ("--desc=", "cannot end a folder's name"),
        ("--gpus=0", "--gpus"),
    ):
        result = run(f"{START} {words}")
        assert result.exit_code == 2 and said in result.output.strip().splitlines()[-1], result.output
    (place / "run").mkdir()
    assert "--dry-run is for new runs" in run("train.py --resume=run --dry-run").output


def test_positional_models_fill_the_slots(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse("visualizer.py t network.safetensors", monkeypatch)["models"] == ("t", "network.safetensors")
    assert parse("visualizer.py gone.pkl --size=900x700", monkeypatch)["models"] == ("gone.pkl",)
    assert parse("visualizer.py https://example.com/x", monkeypatch)["models"] == ("https://example.com/x",)
    assert "alone or by --left and --right" in run("visualizer.py t --left b").output
    assert "No such command 'rendr'" in run("visualizer.py rendr").output


def test_what_names_a_capture_is_no_command(place: Path) -> None:
    for name in ("gone.png", "captures/gone.png"):
        assert f"There is no file {name}" in run(f"visualizer.py {name} --screenshot=w.png").output
    assert "There is no file captures/gone" in run("visualizer.py captures/gone --screenshot=w.png").output
    assert "is not whole" in run("visualizer.py jinc1:abc --screenshot=w.png").output


def test_metrics_by_official_names(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    usual = "--metrics=fid50k_full,kid50k_full,pr50k3_full,is50k,ppl2_wend --data=set.zip --mirror=1"
    monkeypatch.setattr("train.metrics.report.measure_all", seen.append)
    for words in ("--metrics=eqt50k_int,eqr50k", "--metrics=eqt50k_frac --num=9", "--metrics=eq_r", usual):
        assert run(f"train.py metrics {words} --network=t").exit_code == 0
    assert [[(metric.kind, metric.num) for metric in one["metrics"]] for one in seen] == [
        [("eq_t", 50_000), ("eq_r", 50_000)],
        [("eq_t_frac", 9)],
        [("eq_r", 1000)],
        [("fid", 50_000), ("kid", 50_000), ("pr", 50_000), ("is", 50_000), ("ppl", 50_000)],
    ]
    assert seen[3]["data"] == "set.zip" and seen[3]["mirror"] is True and seen[0]["mirror"] is None


def test_dataset_tool(place: Path) -> None:
    line = "train.py dataset convert --source=set --dest=set.zip --resolution=16x16 --transform=center-crop"
    result = run(f"{line} --max-images=3 --workers=1")
    assert result.exit_code == 0 and (place / "set.zip").is_file(), result.output
    labels = open_images(place / "set.zip").labels
    assert labels is not None and labels.values.tolist() == [0, 1, 0], "of the pictures that were taken"
    assert "Give SRC" in run("train.py dataset convert --dest=x.zip --size=16").output


def ours() -> list[str]:
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [found for row in rows for found in re.findall(r"`python ([^`]+)`", row[2])]


@pytest.mark.parametrize("line", ours())
def test_the_page_is_true(place: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "network.pkl").touch()
    (place / "training-runs" / "00000-set-T-256").mkdir(parents=True)
    parse(line, monkeypatch)


def test_the_page_is_linked_and_whole() -> None:
    assert len(ours()) >= 15
    assert "docs/coming-from-stylegan3.md" in (ROOT / "README.md").read_text(encoding="utf-8")
