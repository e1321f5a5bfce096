# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Paths on both command lines: ~, empty ones, files that exist, and names that say what is written."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import ExifTags, Image
from support.gui import save_model

from gan import conformance
from gan.cli.path_types import DataPath, ModelName, UserPath
from gan.data.image_io import FORMATS, save_image
from train.cli.main import main as trainer
from viz.cli.main import main as viewer
from viz.cli.output import PICTURES

PROGRAMS = {"visualizer.py": viewer, "train.py": trainer, "gan.conformance": conformance.main}
OURS = (UserPath, DataPath, ModelName)
# Every parameter that is a path or a model: a new one is added here, and typed by one of OURS.
PATHS = {
    "visualizer.py convert": {"model", "out"},
    "visualizer.py inspect": {"model", "picture"},
    "visualizer.py render": {"model", "out", "outdir"},
    "visualizer.py spectra": {"models", "data", "out"},
    "visualizer.py sticking": {"left", "right", "out"},
    "visualizer.py view": {"models", "left", "right", "state_file", "screenshot"},
    "train.py dataset convert": {"source", "source_option", "out", "labels"},
    "train.py dataset critters": {"out"},
    "train.py ladder": {"data", "outdir"},
    "train.py metrics": {"models", "target"},
    "train.py resume": {"run_folder", "data"},
    "train.py run": {"data", "resume", "transfer", "outdir"},
    "gan.conformance": {"folder"},
}


def commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None
            yield from commands(f"{name} {below}", found)


EVERY = {name: command for program, main in PROGRAMS.items() for name, command in commands(program, main)}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_model(tmp_path_factory.mktemp("models") / "b.safetensors", "B", 16)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home, and work beside it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


def run(main: click.Command, *words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.mark.parametrize("words", ["--cfg=T --data=set", "dataset critters --out=x.zip", "metrics --cfg=T", "ladder"])
def test_seeds_of_training_do_not_wrap(words: str) -> None:
    """torch takes the lower 32 bits of a larger one for the same."""
    refused(run(trainer, *words.split(), "--seed=4294967296"), "4294967295")


def refused(result: Result, *said: str, code: int = 2) -> None:
    last = result.output.strip().splitlines()[-1]
    assert isinstance(result.exception, SystemExit) and result.exit_code == code, result.output
    assert last.startswith("Error: ") and all(words in last for words in said), result.output


@pytest.mark.parametrize("name", EVERY)
def test_paths_are_of_our_types(name: str) -> None:
    parameters = EVERY[name].params
    for parameter in parameters:
        assert not isinstance(parameter.type, click.Path | click.File), parameter.name
    ours = {parameter.name for parameter in parameters if isinstance(parameter.type, OURS)}
    assert ours == PATHS.get(name, set()) or PATHS.get(name, set()) < ours, "a path that is a plain text"


@pytest.mark.parametrize(("name", "parameter"), [(name, one) for name, some in PATHS.items() for one in sorted(some)])
def test_a_tilde_is_home_and_an_empty_path_is_refused(name: str, parameter: str, home: Path) -> None:
    (home / "there").mkdir()
    found = next(one for one in EVERY[name].params if one.name == parameter)
    assert str(found.type.convert("~/there", found, None)) == str(home / "there")
    if not getattr(found.type, "may_be_empty", False):
        for empty in ("", " "):
            with pytest.raises(click.UsageError, match="empty"):
                found.type.convert(empty, found, None)
    with pytest.raises(click.UsageError, match="home folder"):
        found.type.convert("~nobody-of-this-name/x.zip", found, None)
    with pytest.raises(click.UsageError, match="null character"):
        found.type.convert("a\0b", found, None)


def test_addresses_and_bundled_names_stay_as_they_are() -> None:
    for name in ("t", "stylegan3-r", "critters-t-32", "https://example.com/~me/a.pkl"):
        assert ModelName().convert(name, None, None) == name
    assert DataPath("critters").convert("critters", None, None) == "critters"
    assert DataPath("critters").convert("./critters", None, None) == "./critters", "a folder of that name"


def test_outputs_go_home(model: str, home: Path) -> None:
    assert run(viewer, "render", "--model", model, "--out=~/a/b.png").exit_code == 0
    assert run(viewer, "inspect", "--cfg=T", "--size=16", "--plot=~/t.png").exit_code == 0
    assert run(trainer, "dataset", "critters", "--out=~/c.zip", "--num=1", "--size=16").exit_code == 0
    assert all((home / name).is_file() for name in ("a/b.png", "t.png", "c.zip"))
    assert list(Path().iterdir()) == [], "no folder named ~"
    refused(run(trainer, "--cfg=T", "--data=~/gone"), f"{home / 'gone'} does not exist", code=1)
    refused(run(trainer, "--cfg=T", "--data="), "--data", "it is empty; give a path")


COMMANDS_THAT_WRITE = {
    "render": (viewer, "render --model {model}", "--out", "x.png"),
    "render as JPEG": (viewer, "render --model {model}", "--out", "x.jpg"),
    "render, official": (viewer, "render --network={model} --seeds=0-2", "--outdir", "x/seed0001.png"),
    "spectra": (viewer, "spectra --model {model} --num 1", "--out", "x.png"),
    "spectra as arrays": (viewer, "spectra --model {model} --num 1", "--out", "x.npz"),
    "sticking": (viewer, "sticking --left {model} --right {model}", "--out", "x/sticking.json"),
    "inspect": (viewer, "inspect --cfg T --size 16", "--plot", "x.png"),
    "convert": (viewer, "convert {model}", "--out", "x.safetensors"),
    "view": (viewer, "view --left {model}", "--screenshot", "x.png"),
    "metrics": (trainer, "metrics --model {model} --num 1", "--json", "x.json"),
    "critters": (trainer, "dataset critters --num=1 --size=16", "--out", "x.zip"),
    "dataset convert": (trainer, "dataset convert pictures --size=16 --workers=1", "--out", "x.zip"),
}


@pytest.mark.parametrize("name", COMMANDS_THAT_WRITE)
def test_nothing_is_overwritten_unasked(name: str, model: str, home: Path) -> None:
    main, words, option, file = COMMANDS_THAT_WRITE[name]
    Path("pictures").mkdir()
    Image.new("RGB", (16, 16), "red").save("pictures/a.png")
    target = Path(file)
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(b"dear")
    given = str(target.parent if target.parent.name else target)
    command = [*words.format(model=model).split(), f"{option}={given}"]
    refused(run(main, *command), option, "already" if target.parent.name else "is there already", "--overwrite")
    assert target.read_bytes() == b"dear"
    if name not in ("view", "sticking", "metrics"):  # those that take no second
        assert run(main, *command, "--overwrite").exit_code == 0
        assert target.read_bytes() != b"dear"


def test_a_folder_in_the_way_is_said(model: str, home: Path) -> None:
    Path("x.png").mkdir()
    refused(run(viewer, "render", "--model", model, "--out=x.png"), "--out x.png is a folder")
    Path("file").touch()
    refused(run(viewer, "render", "--model", model, "--outdir=file"), "--outdir file is a file")


def test_the_window_does_not_take_another_file_for_its_state(home: Path) -> None:
    Path("cats.pkl").write_bytes(b"\x80\x02.")
    refused(run(viewer, "--state=cats.pkl", "--screenshot=x.png"), "--state cats.pkl is another file")
    assert Path("cats.pkl").read_bytes() == b"\x80\x02."


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".jpg", ".jpeg", ".webp"])
def test_a_picture_is_of_the_kind_that_its_name_says(suffix: str, model: str, home: Path) -> None:
    assert run(viewer, "render", "--model", model, "--seed=3", f"--out=a{suffix}", "--class=0").exit_code == 2
    assert run(viewer, "render", "--model", model, "--seed=3", f"--out=a{suffix}").exit_code == 0
    with Image.open(f"a{suffix}") as picture:
        assert picture.format == FORMATS[suffix.lower()] and picture.size == (16, 16)
        if picture.format == "PNG":
            text = picture.info["jinc"]
        else:
            text = json.loads(picture.getexif()[ExifTags.Base.ImageDescription])["jinc"]
    assert json.loads(text)["request"]["latent"]["x"] == 3


@pytest.mark.parametrize("name", ["x", "x.bmp", "x.pkl", "x.png.zip", ".png"])
def test_other_kinds_of_pictures_are_refused(name: str, model: str, home: Path) -> None:
    refused(run(viewer, "render", "--model", model, f"--out={name}"), "must end in .png, .jpg or .webp")
    refused(run(viewer, f"--screenshot={name}"), "must end in .png, .jpg or .webp")
    assert list(Path().iterdir()) == []


def test_pictures_with_alpha_are_no_jpegs(tmp_path: Path) -> None:
    assert set(PICTURES) == set(FORMATS)
    pixels = np.arange(16 * 16 * 4, dtype=np.uint8).reshape(16, 16, 4)
    with pytest.raises(OSError, match="no transparency"):
        save_image(tmp_path / "a.jpg", pixels)
    save_image(tmp_path / "a.webp", pixels, {"jinc": "x"})
    with Image.open(tmp_path / "a.webp") as picture:
        np.testing.assert_array_equal(np.asarray(picture), pixels)
    with pytest.raises(OSError, match="no room"):
        save_image(tmp_path / "a.jpg", pixels[:, :, :3], {"jinc": "x" * 70_000})
    save_image(tmp_path / "a.jpg", pixels[:, :, 0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "a.webp"]


@pytest.mark.parametrize(
    "words",
    [
        "render --model t --out x.png --seed 4294967296",
        "render --model t --outdir x --seeds 4294967296",
        "render --model t --outdir x --seeds 4294967290-4294967296",
        "render --model t --outdir x --seeds 99999999999999999999",
        "spectra --model t --out x.png --seed 4294967296",
        "spectra --model t --out x.png --seed 4294967295 --num 2",
        "sticking --out x --seed 4294967296",
    ],
)
def test_seeds_do_not_wrap(words: str, home: Path) -> None:
    refused(run(viewer, *words.split()), "4294967295")
    assert list(Path().iterdir()) == []


def test_the_largest_seed_and_repeated_ones_are_drawn(model: str, home: Path) -> None:
    assert run(viewer, "render", "--model", model, "--seeds=4294967295,1,0-1", "--outdir=x").exit_code == 0
    assert {path.name for path in Path("x").iterdir()} == {"seed4294967295.png", "seed0000.png", "seed0001.png"}


def test_several_seeds_need_a_folder(model: str, home: Path) -> None:
    refused(run(viewer, "render", "--model", model, "--seeds=0-1", "--out=x.png"), "the name of one picture")
    refused(run(viewer, "render", "--model", model), "--out", "--outdir")
    refused(run(viewer, "render", "--model", model, "--out=x.png", "--outdir=y"), "--out", "--outdir")
    assert run(viewer, "render", "--model", model, "--seeds=7", "--out=x.png").exit_code == 0
    assert Path("x.png").is_file()
