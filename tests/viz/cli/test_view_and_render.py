# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The viewer's command line: pictures without a window, and one sentence for whatever cannot be done."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from support.gui import save_model

from gan.checkpoints import checkpoint
from gan.hub import resolve
from gan.hub.resolve import Bundled
from viz.cli import view
from viz.cli.main import main as viewer
from viz.core import state
from viz.core.latent import seed_point
from viz.core.request import PictureRequest
from viz.display import offscreen
from viz.render.renderer import Renderer


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return {letter: save_model(folder / f"net-{letter}.safetensors", letter, 16) for letter in ("A", "B", "T")}


def run(*words: str) -> Result:
    return CliRunner().invoke(viewer, list(words), prog_name="visualizer.py")


def refused(result: Result, words: str, code: int) -> None:
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code == code and last.startswith("Error: ") and words in last, result.output
    assert isinstance(result.exception, SystemExit), "an exit, not a traceback"


def test_render_writes_what_was_asked_for(paths: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "new folder" / "picture.png"
    result = run(
        "render",
        "--model",
        paths["T"],
        "--seed",
        "5",
        "--translate",
        "0.25,-0.1",
        "--rotate",
        "20",
        "--trunc",
        "0.8",
        "--out",
        str(out),
    )
    assert result.exit_code == 0 and str(out) in result.output, result.output
    request = PictureRequest(paths["T"], latent=seed_point(5), psi=0.8, tx=0.25, ty=-0.1, degrees=20)
    expected = Renderer().render(request).image
    with Image.open(out) as written:
        document = json.loads(written.info["jinc"])
        assert expected is not None and np.array_equal(np.asarray(written), expected[:, :, :3])
    assert (
        document["request"]["latent"] == {"x": 5, "y": 0, "space": "w", "type": "seeds"}
        and document["request"]["tx"] == 0.25
    )


def test_render_takes_the_whole_transform(paths: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "picture.png"
    cases = [
        (
            "T",
            ["--scale", "0.5", "--translate", "0.2,0", "--untransform", "--zero-learned"],
            {"scale": 0.5, "tx": 0.2, "untransform": True, "learned": (0.0, 0.0, 0.0)},
        ),
        ("T", ["--stretch", "2", "--shear", "-0.5", "--mirror"], {"stretch": 2.0, "shear": -0.5, "mirror": True}),
        ("A", ["--mean-constant"], {"mean_constant": True}),
    ]
    for letter, words, asked in cases:
        assert run("render", "--model", paths[letter], *words, "--out", str(out), "--overwrite").exit_code == 0
        expected = Renderer().render(PictureRequest(paths[letter], **asked)).image  # type: ignore[arg-type]
        with Image.open(out) as written:
            assert expected is not None and np.array_equal(np.asarray(written), expected[:, :, :3])
            assert json.loads(written.info["jinc"])["request"].keys() >= asked.keys()


def test_several_seeds_go_to_a_folder(paths: dict[str, str], tmp_path: Path) -> None:
    assert run("render", "--model", paths["B"], "--seeds", "0-1,7", "--out", str(tmp_path / "many")).exit_code == 0
    names = ["seed0000.png", "seed0001.png", "seed0007.png"]
    assert sorted(path.name for path in (tmp_path / "many").iterdir()) == names
    one = run("render", "--model", paths["B"], "--seed", "7", "--out", str(tmp_path / "one.png"))
    assert one.exit_code == 0
    assert (tmp_path / "many" / names[2]).read_bytes() == (tmp_path / "one.png").read_bytes()


def test_errors_are_one_sentence(paths: dict[str, str], tmp_path: Path) -> None:
    out = ("--out", str(tmp_path / "x.png"))
    refused(run("render", "--model", str(tmp_path / "none.safetensors"), *out), "none.safetensors", 1)
    refused(run("render", "--model", __file__, *out), "is a text, perhaps", 1)
    refused(run("render", "--model", paths["A"], "--translate", "0.1,0", *out), "Fourier input", 1)
    refused(run("render", "--model", paths["T"], "--class", "1", *out), "without labels", 2)
    refused(run("render", "--model", paths["T"], "--out", str(tmp_path)), "is a folder", 2)
    refused(run("render", "--model", paths["T"], "--translate", "0.1", *out), "two numbers", 2)
    refused(run("render", "--model", paths["T"], "--translate", "nan,0", *out), "out of range", 2)
    refused(run("render", "--model", paths["T"], "--seeds", "5-1", *out), "smaller first", 2)
    refused(run("render", "--model", paths["T"], "--seed", "1", "--seeds", "2", *out), "not both", 2)
    refused(run("render", "--model", paths["T"], "--device", "gpu9", *out), "gpu9", 1)
    refused(run("render", "--model", paths["T"], "--rotate", "nan", *out), "nan is not a finite number", 2)
    refused(run("render", "--model", paths["T"], "--mean-constant", *out), "only rung A", 1)
    refused(run("render", "--model", paths["B"], "--zero-learned", *out), "from rung H on", 1)
    refused(run("render", "--model", paths["A"], "--mirror", *out), "Fourier input", 1)
    refused(run("render", "--model", paths["T"], "--stretch", "0", *out), "not in the range 0.25<=x<=4", 2)
    refused(run("render", "--model", paths["T"], "--shear", "nan", *out), "not a finite number", 2)
    refused(run("render", "--model", paths["T"], "--scale", "0", *out), "not in the range 0.25<=x<=4", 2)
    refused(run("--animate", "wobble"), "'walk', 'x', 'y', 'circle', 'rotate', 'scale'", 2)
    refused(run("--bogus"), "--bogus", 2)
    refused(run("rendr"), "rendr", 2)
    refused(run("--size", "big"), "1600x1000", 2)
    assert not (tmp_path / "x.png").exists()


def test_no_display_names_a_command_that_works_without(
    paths: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offscreen, "has_display", lambda: False)
    monkeypatch.setattr(view, "list_bundled", lambda: ())
    refused(run(), "python visualizer.py --screenshot ", 1)
    assert run().output.strip().endswith("python visualizer.py doctor`.")
    for module in (resolve, view):
        monkeypatch.setattr(module, "list_bundled", lambda: (Bundled("T", "net-T", paths["T"]),))
    result = run()
    refused(result, "python visualizer.py render --model net-T", 1)
    assert len(result.output.strip().splitlines()) == 1
    monkeypatch.chdir(tmp_path)
    words = result.output.strip().partition("visualizer.py ")[2].partition("`")[0].split()
    assert run(*words).exit_code == 0 and Path("picture.png").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only X11 names a display in a variable")
@pytest.mark.parametrize(("display", "said"), [(":77", "DISPLAY is :77, which cannot be opened"), ("", "is not set")])
def test_a_display_that_cannot_be_opened_is_named(monkeypatch: pytest.MonkeyPatch, display: str, said: str) -> None:
    monkeypatch.setattr(offscreen, "has_display", lambda: False)
    monkeypatch.setenv("DISPLAY", display)
    refused(run(), said, 1)


def test_a_rung_off_the_ladder_sorts_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rungs = {"a": "X", "b": "T", "c": "S", "d": "C", "e": "A"}
    for name in rungs:
        (tmp_path / f"{name}.safetensors").touch()
    monkeypatch.setattr(
        checkpoint, "read_header", lambda path: SimpleNamespace(config=SimpleNamespace(rung=rungs[path.stem]))
    )
    monkeypatch.setenv("JINC_MODELS", str(tmp_path))
    assert [model.rung for model in resolve.list_bundled()] == ["A", "C", "T", "S", "X"]


def test_bundled_models_go_by_name_and_rung(paths: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    known = tuple(Bundled(letter, f"net-{letter}", path) for letter, path in paths.items())
    monkeypatch.setattr(resolve, "list_bundled", lambda: known)
    monkeypatch.setattr(state, "list_bundled", lambda: known)
    for name in ("T", "t", "stylegan3-t", "net-T", paths["T"]):
        assert resolve.resolve(name) == paths["T"]
    assert resolve.resolve("nothing") == "nothing"
    monkeypatch.chdir(Path(paths["T"]).parent)
    assert resolve.resolve("net-T.safetensors") == paths["T"], "the state keeps what means the same file elsewhere"
    run = Path(paths["T"]).parent / "run"
    run.mkdir()
    assert resolve.resolve(str(run)) == str(run) and "folder without a snapshot" in resolve.explain_missing(run)
    for name in ("network-snapshot-000002", "network-snapshot-000010"):
        (run / f"{name}.safetensors").touch()
    assert resolve.resolve(str(run)) == str(run / "network-snapshot-000010.safetensors")
    first, message = view.load_state(Path("no such file"))
    assert (first.left.path, first.right.path, message) == (paths["B"], paths["T"], "")


def test_a_damaged_state_file_is_said_and_replaced_by_defaults(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("{")
    state, message = view.load_state(path)
    assert "damaged" in message and str(path) in message and state.transform.tx == 0


def damaged(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir() if "damaged" in one.name)


def test_one_setting_that_is_unfit_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    kept = state.AppState(recents=["/a.pkl"])
    kept.latent.x, kept.latent.psi, kept.transform.tx = 7.0, 0.5, 0.25
    document = state.to_json(kept)
    document["latent"]["psi"] = 9.5
    path.write_text(json.dumps(document))
    found, message = view.load_state(path)
    assert message == (
        "latent.psi was not understood and is as at first: latent.psi must be between -1 and 2, not 9.5. "
        "The file as it was is kept as state.damaged.json."
    )
    assert (found.latent.x, found.latent.psi, found.transform.tx) == (7.0, state.AppState().latent.psi, 0.25)
    assert found.recents == ["/a.pkl"] and path.exists()
    assert (tmp_path / "state.damaged.json").read_text() == path.read_text() == json.dumps(document)
    document.update(noise=3, osc={"\x1b[2J": 1}, timeline=[], canvas={"zoom": "x", "gain": 8.0})
    path.write_text(json.dumps(document))
    found, message = view.load_state(path)
    assert message.startswith("latent.psi, noise, canvas.zoom and 2 more were not understood and are as at first: lat")
    assert message.endswith("kept as state.damaged-2.json.") and message.isprintable()
    first = state.AppState()
    assert (found.canvas.gain, found.canvas.zoom, found.noise) == (8.0, first.canvas.zoom, first.noise)


@pytest.mark.parametrize("content", ["{", "[]", "3", '{"latent": {}}', '{"schema": "1"}', '{"schema": 99, "x": 1}'])
def test_what_is_no_state_as_a_whole_is_put_aside(content: str, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    found, message = view.load_state(path)
    assert message.startswith("Started afresh: ") and found == state.default_state()
    assert message.endswith("The file is kept as state.damaged.json.")
    assert damaged(path) == ["state.damaged.json"] and not path.exists()
    path.write_text(content)
    assert view.load_state(path)[1].endswith("kept as state.damaged-2.json."), "the earlier one may be of use"
    assert (tmp_path / "state.damaged.json").read_text() == content


def test_a_name_that_is_too_long_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 300}.json"
    found, message = view.load_state(path)
    assert found == state.default_state() and message.startswith("Started afresh: cannot read the state file ")
    kept, message = view.check_state_path(path)
    assert kept is None and message.startswith("What you set will not be kept, because ") and "\n" not in message
    for missing in (tmp_path / "none.json", tmp_path / "none" / "state.json"):
        assert view.load_state(missing)[1] == "" and view.check_state_path(missing) == (missing, "")


def test_a_model_that_is_gone_does_not_spoil_the_next_start(tmp_path: Path) -> None:
    gone, path = str(tmp_path / "gone.safetensors"), tmp_path / "state.json"
    state.save(state.AppState(left=state.SlotState(gone)), path)
    found, message = view.load_state(path)
    assert found.left.path != gone
    assert message == f"There is no {gone} any more."


def test_a_picture_of_a_window_without_its_model_is_refused_before_it_opens(tmp_path: Path) -> None:
    result = run("--left", str(tmp_path / "none.safetensors"), "--screenshot", str(tmp_path / "x.png"))
    refused(result, "There is no file", 1)
    assert len(result.output.strip().splitlines()) == 1 and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("problem", "is_explained"),
    [
        (ImportError("No module named 'glfw'", name="glfw"), True),
        (ImportError("Unable to load the EGL library"), True),
        (ImportError("cannot import name 'x' from 'viz.core'", name="viz.core"), False),
        (ModuleNotFoundError("No module named 'gan.nothing'", name="gan.nothing"), False),
    ],
)
def test_only_missing_packages_of_others_are_explained(
    monkeypatch: pytest.MonkeyPatch, problem: ImportError, is_explained: bool
) -> None:
    def fail(*_: object) -> None:
        raise problem

    monkeypatch.setattr("viz.cli.main.LazyGroup.invoke", fail)
    result = run("render", "--help")
    assert (result.exception is problem) != is_explained and ("Jinc cannot start" in result.output) == is_explained
