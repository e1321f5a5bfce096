# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Published checkpoints by name, and snapshots by age: what a name stands for. Nothing is fetched."""

from pathlib import Path

import pytest

from gan.hub.published import LICENCE, PUBLISHED, find_published
from gan.hub.resolve import explain_missing, list_snapshots, read_age, resolve
from gan.hub.url import parse_address

NGC = "https://api.ngc.nvidia.com/v2/models/nvidia/research"
CDN = "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("stylegan3-t-ffhqu-256", f"{NGC}/stylegan3/versions/1/files/stylegan3-t-ffhqu-256x256.pkl"),
        ("stylegan3-r-afhqv2-512", f"{NGC}/stylegan3/versions/1/files/stylegan3-r-afhqv2-512x512.pkl"),
        ("stylegan2-lsundog-256", f"{NGC}/stylegan2/versions/1/files/stylegan2-lsundog-256x256.pkl"),
        ("stylegan2-cifar10-32", f"{NGC}/stylegan2/versions/1/files/stylegan2-cifar10-32x32.pkl"),
        ("stylegan2-ada-metfaces-1024", f"{CDN}/metfaces.pkl"),
        ("stylegan2-ada-cifar10-32", f"{CDN}/cifar10.pkl"),
    ],
)
def test_a_name_stands_for_an_address(name: str, address: str) -> None:
    asked: list[str] = []

    def fetch(url: str) -> str:
        asked.append(url)
        return "/cache/file.pkl"

    assert resolve(name) == address, "the window, which fetches by itself"
    assert resolve(name, fetch) == "/cache/file.pkl" and asked == [address]
    found = find_published(name)
    assert found and found.address == address and LICENCE in found.describe_terms()
    file = f"{name}x{name.rpartition('-')[2]}"
    assert {find_published(text) for text in (name.upper(), f" {name} ", file, address, f"{address}#sha256=0")} == {
        found
    }


def test_the_table() -> None:
    assert len(PUBLISHED) == 12 + 15 + 7
    assert len({one.name for one in PUBLISHED}) == len({one.address for one in PUBLISHED}) == len(PUBLISHED)
    for one in PUBLISHED:
        assert parse_address(one.address).is_open and one.width in (32, 256, 512, 1024)


def test_a_file_with_such_a_name_is_that_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("stylegan2-ffhq-256").write_bytes(b"mine")
    assert resolve("stylegan2-ffhq-256") == str(tmp_path / "stylegan2-ffhq-256")


def test_what_is_nearly_a_name_is_said() -> None:
    assert explain_missing("stylegan3-t-ffhqu-255").endswith("do you mean stylegan3-t-ffhqu-256?")
    assert explain_missing("Stylegan3-R-fhq-1024").endswith("do you mean stylegan3-r-ffhq-1024?")
    assert "do you mean" not in explain_missing("my-model.pkl")
    assert find_published("stylegan3-t") is None and find_published("t") is None and find_published("") is None


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run@home"
    folder.mkdir()
    for age in ("000000-000", "000012-000", "000012-480", "000100", "001024-500"):
        (folder / f"network-snapshot-{age}.safetensors").write_bytes(b"")
    (folder / "network-snapshot-other.safetensors").write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    ("age", "file"),
    [("0", "000000-000"), ("12", "000012-480"), ("12.0", "000012-000"), ("12.48", "000012-480"), ("100", "000100")],
)
def test_an_age_of_a_run(run: Path, age: str, file: str) -> None:
    assert resolve(f"{run}@{age}") == str(run / f"network-snapshot-{file}.safetensors")


def test_the_newest_is_a_runs_own_and_its_ages_are_listed(run: Path) -> None:
    assert resolve(str(run)) == str(run / "network-snapshot-001024-500.safetensors")
    assert [one.kimg for one in list_snapshots(run)] == ["0", "12", "12.48", "100", "1024.5"]
    assert [read_age(one.path) for one in list_snapshots(run)] == [one.kimg for one in list_snapshots(run)]
    assert read_age(run / "network-snapshot-other.safetensors") is None
    assert list_snapshots(run / "gone") == []


@pytest.mark.parametrize("age", ["13", "12.5", "99999"])
def test_an_age_that_a_run_does_not_have_is_said_with_those_it_has(run: Path, age: str) -> None:
    path = resolve(f"{run}@{age}")
    assert path == f"{run}@{age}"
    assert explain_missing(path).endswith(f" has no snapshot at {age} kimg: it has 0, 12, 12.48, 100, 1024.5.")


def test_a_folder_that_is_called_so_comes_first(run: Path) -> None:
    folder = run.with_name(f"{run.name}@12")
    folder.mkdir()
    (folder / "network-snapshot-000001-000.safetensors").write_bytes(b"")
    assert resolve(f"{run}@12") == str(folder / "network-snapshot-000001-000.safetensors")
    assert explain_missing(f"{run}@x").startswith("There is no file")
