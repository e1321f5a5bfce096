# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Names of captures: fields, numbers, names that no file can have, and files that are never replaced."""

import itertools
from pathlib import Path

import pytest

from gan.files.atomic_write import write_new
from viz.core.panel_state import DEFAULT_NAME
from viz.core.state import FIRST_SEED, AppState, default_state
from viz.record import naming
from viz.record.naming import choose_folder, describe_fields, find_unknown_fields, list_names

VALUES = {"model": "net", "latent": "seed7", "what": "left", "date": "2026-11-30", "time": "14-05-09"}


def write(folder: Path, template: str = DEFAULT_NAME, text: str = "new") -> str:
    with write_new(list_names(folder, template, VALUES)) as new:
        new.temporary.write_text(text)
    assert new.path is not None
    return new.path.name


def test_numbers_go_on_and_nothing_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    assert [write(folder) for _ in range(3)] == [f"net-seed7-00{number}.png" for number in (1, 2, 3)]
    (folder / "net-seed7-002.png").unlink()
    assert write(folder) == "net-seed7-002.png"
    assert [write(folder, "same") for _ in range(3)] == ["same.png", "same-2.png", "same-3.png"]
    assert write(folder, "") == "net-seed7-004.png"
    assert write(folder, "{what} of {date} {time}.png") == "left of 2026-11-30 14-05-09.png"
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize("template", ["m" * 90 + "-{number}-" + "n" * 60, "m" * 78 + "{number}" + "n" * 60])
def test_numbers_that_a_long_name_loses_come_behind_it(template: str) -> None:
    names = [path.name for path in itertools.islice(list_names(Path(), template, VALUES), 2000)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "template",
    ["../../up", "/etc/x", "a/b\\c", "CON", "x" * 500, "...", "\u202ea\nb", "{model.__class__}", "é" * 200, "?*:<>|"],
)
def test_names_stay_in_their_folder(tmp_path: Path, template: str) -> None:
    names = {write(tmp_path / "in", template) for _ in range(2)}
    assert len(names) == 2
    assert {path.name for path in (tmp_path / "in").iterdir()} == names
    assert all(name.endswith(".png") and name.isprintable() and len(name) < 130 for name in names)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_fields_say_what_is_shown() -> None:
    state = default_state()
    found = describe_fields(state, "both")
    assert found["model"] == "critters-b-32+critters-t-32" and found["latent"] == f"seed{FIRST_SEED:.0f}"
    assert describe_fields(state, "right")["model"] == "critters-t-32"
    state.latent.x = 24.25
    assert describe_fields(state, "left")["latent"] == "24.2_0"
    state.latent.mixed = [1]
    assert describe_fields(state, "left")["latent"] == "24.2_0-mixture"
    assert describe_fields(AppState(), "left")["model"] == "nothing"
    assert found.keys() | {"number"} == naming.FIELDS.keys()
    assert find_unknown_fields("{model} {seed} {number}") == ["seed"]


def test_folders_are_absolute_and_home_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert choose_folder("~/x") == tmp_path / "x" == choose_folder("x")
    assert choose_folder(" ").name == "Jinc" and choose_folder("").is_absolute()
