# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Published checkpoints and ages of a run on command lines; `models`, which lists them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.gui import save_model
from support.sites import Page, Site, serving

from gan.hub import cache, published
from gan.hub.cache import hold_only
from gan.hub.published import PUBLISHED, Published
from viz.cli.main import ViewerGroup
from viz.cli.main import main as viewer

NAME = "stylegan3-r-ffhqu-256"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Serves a small model in the place of every published checkpoint, by its file's name."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "jinc" / "models")
    monkeypatch.chdir(tmp_path)
    with serving() as found:
        model = Path(save_model(tmp_path / "made.safetensors", "R", 16)).read_bytes()
        found.pages.update({f"/{one.name}.pkl": Page(model) for one in PUBLISHED})
        here = (Published(o.name, o.family, o.data, o.width, found.url(f"/{o.name}.pkl")) for o in PUBLISHED)
        monkeypatch.setattr(published, "PUBLISHED", tuple(here))
        monkeypatch.setattr("viz.cli.model_list.PUBLISHED", published.PUBLISHED)
        yield found
    hold_only([])


def run(*words: str) -> Result:
    return CliRunner().invoke(viewer, list(words), prog_name="visualizer.py")


def test_the_licence_is_printed_before_the_checksum(site: Site) -> None:
    ran = run("render", "--model", NAME, "--out", "p.png")
    assert ran.exit_code == 0, ran.output
    terms, fetched = (ran.stderr.index(words) for words in ("non-commercial use only", "sha256"))
    assert terms < fetched and "StyleGAN3-R, faces, not aligned (FFHQ-U), 256 px. Under NVIDIA" in ran.stderr
    assert [one.status for one in site.asked] == [200]


def test_a_file_that_changed_at_its_address_is_said(site: Site, tmp_path: Path) -> None:
    first = run("inspect", NAME)
    assert first.exit_code == 0 and "another file" not in first.stderr
    other = Path(save_model(tmp_path / "other.safetensors", "R", 16, seed=1)).read_bytes()
    site.pages[f"/{NAME}.pkl"] = Page(other, etag='"two"')
    second = run("inspect", NAME)
    old = first.stderr.split("sha256 ")[1].split()[0].rstrip(".")
    assert second.exit_code == 0 and f"this address gave another file, of sha256 {old}" in second.stderr


def test_models_lists_what_can_be_named_and_fetches_nothing(site: Site) -> None:
    ran = run("models")
    assert ran.exit_code == 0 and not site.asked, ran.output
    assert all(one.name in ran.output for one in PUBLISHED) and "critters-t-32" in ran.output
    assert "non-commercial use only" in ran.output and "fetched before" not in ran.output
    run("inspect", NAME)
    lines = run("models").output.splitlines()
    assert [line.split()[0] for line in lines if line.endswith("fetched before")] == [NAME]


def test_ages_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("run")
    folder.mkdir()
    made = save_model(tmp_path / "made.safetensors", "T", 16)
    for age in ("000004-000", "000012-250"):
        shutil.copy(made, folder / f"network-snapshot-{age}.safetensors")
    listed = run("models", "run")
    assert listed.exit_code == 0 and listed.output.splitlines()[1:] == ["  run@4", "  run@12.25"]
    for name in ("run@4", "run@12", "run@12.25", "run", "./run@4"):
        ran = run("render", "--model", name, "--out", "p.png", "--overwrite")
        assert ran.exit_code == 0, ran.output
    gone = run("render", "--model", "run@5", "--out", "q.png")
    assert gone.exit_code == 1 and "Error: run has no snapshot at 5 kimg: it has 4, 12.25." in gone.output
    nothing = run("models", str(tmp_path / "nowhere"))
    assert nothing.exit_code == 1 and "is no run folder with snapshots: give one that has some." in nothing.output


def test_a_name_alone_opens_the_window(tmp_path: Path) -> None:
    group = viewer
    assert isinstance(group, ViewerGroup)
    (tmp_path / "run").mkdir()
    assert group.is_for_default(NAME) and group.is_for_default(f"{tmp_path}/run@12")
    assert not group.is_for_default("models") and not group.is_for_default("stylegan3")
