# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The programs that train and publish the bundled models, on pictures of 16 and 32 pixels and some steps."""

import json
import zipfile
from pathlib import Path

import pytest
import torch
from test_architecture import MACHINE_PATH
from tools import publish_models, train_models
from tools.train_models import Critters, Stage, find_run

from gan.checkpoints.checkpoint import load_generator, load_tensors, read_document, read_header
from train.run_folder import STATE
from train.transfer.source import open_source

SETS = (Critters("critters-16", 16, source="critters-32"), Critters("critters-32", 32, 8, (0, 1)))
SMALL = "--cbase=256 --cmax=8 --batch=4 --gamma=0.1"
STAGES = (Stage("b-16", "critters-16", 0.016, SMALL), Stage("b-32", "critters-32", 0.016, SMALL, "b-16"))


@pytest.mark.nightly
def test_a_model_is_trained_in_stages_and_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    outdir, assets, docs = (tmp_path / name for name in ("runs", "assets", "docs"))
    assets.mkdir()
    docs.mkdir()
    monkeypatch.setattr(train_models, "SETS", SETS)
    monkeypatch.setattr(train_models, "STAGES", STAGES)
    monkeypatch.setattr(publish_models, "FID", "fid0.016k_full")
    monkeypatch.setattr(publish_models, "MOVING", {"stickiness": "stickiness_0.004k"})
    monkeypatch.setattr(publish_models, "ASSETS", assets)
    monkeypatch.setattr(publish_models, "DOCS", docs)
    train_models.train(outdir, "b")
    assert "Taken of it:" in capfd.readouterr().out, "the second stage is grown from the first"
    with zipfile.ZipFile(outdir / "critters-32.zip") as archive:
        assert len(archive.namelist()) == 16
    train_models.train(outdir, "b")
    assert "train.py" not in capfd.readouterr().out, "nothing is left to do"
    (docs / "models.md").write_text(f"Models\n\n{publish_models.BEGIN}\nold\n{publish_models.END}\n\nMore\n")

    publish_models.publish(outdir, "b")
    publish_models.write_table(docs / "models.md")
    publish_models.draw_curves(docs / "curves.png")
    (path,) = assets.glob("*.safetensors")
    header = read_header(path)
    run = find_run(outdir, STAGES[1])
    assert run is not None and not MACHINE_PATH.search(json.dumps(header.facts))
    assert header.facts["kimg"] == pytest.approx(0.032)
    assert {*header.facts["figures"]} == {"fid", "stickiness"}
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["fid_of_halves"] > 0
    assert [stage["stage"] for stage in card["stages"]] == ["b-16", "b-32"]
    assert path.stat().st_size < 0.8 * next(run.glob("network-snapshot-*.safetensors")).stat().st_size
    assert load_generator(path)[0].config.resolution == 32
    monkeypatch.setenv("JINC_MODELS", str(assets))
    source = open_source("b")
    assert source.is_state and source.lacks == "" and source.title == "critters-b-32 at 0.032 kimg"
    found = source.load("discriminator")
    state = load_tensors(run / STATE, prefix="discriminator.")[0]
    assert found.keys() == state.keys() and all(found[name].dtype == state[name].dtype for name in state)
    assert all(torch.allclose(found[name], state[name], rtol=1e-3, atol=1e-6) for name in state)
    assert not MACHINE_PATH.search(json.dumps(read_document(source.path)))
    rows = path.with_suffix(".stats.jsonl").read_text().splitlines()
    assert {json.loads(row)["stage"] for row in rows} == {"b-16", "b-32"}
    page = (docs / "models.md").read_text()
    assert page.startswith("Models\n\n") and page.endswith("\n\nMore\n") and "| `critters-b-32` | 32 |" in page
    assert "| two halves of the pictures |" in page
    assert "old" not in page and (docs / "curves.png").stat().st_size and (docs / "samples-b.png").stat().st_size
