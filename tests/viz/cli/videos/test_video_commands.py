# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`visualizer.py video` and `film` write what they say, and end in one sentence where they cannot."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from support.gui import save_model
from support.paths import ROOT

from viz.cli.main import main
from viz.core import state as states
from viz.core.state import AppState
from viz.core.timeline_state import Key, Timeline, Track


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_model(tmp_path_factory.mktemp("models") / "t.safetensors", "T", 32)


@pytest.fixture
def state_file(model: str, tmp_path: Path) -> Path:
    state = AppState()
    state.left.path = model
    state.transform.animate = "x"
    states.save(state, tmp_path / "state.json")
    return tmp_path / "state.json"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_grid_has_as_many_frames_as_seeds_by_cells_times_w_frames(model: str, tmp_path: Path) -> None:
    out = tmp_path / "frames"
    result = run("video", "--model", model, "--seeds", "0-7", "--grid", "2x2", "--w-frames", 3, "--out", out)
    assert result.exit_code == 0, result.output
    assert "64x64, 6 frames, 0.1 s, PNG sequence" in result.output and "moves" not in result.output
    assert [np.asarray(Image.open(file)).shape for file in sorted(out.iterdir())] == [(64, 64, 3)] * 6


def test_a_walk_that_stands_still_says_so(model: str, tmp_path: Path) -> None:
    out = tmp_path / "frames"
    result = run("video", "--model", model, "--seeds", "0-3", "--grid", "2x2", "--w-frames", 1, "--out", out)
    assert result.exit_code == 0, result.output
    assert "Nothing moves: each cell has one seed alone. Give 8 seeds or more" in result.output
    assert "64x64, 1 frame, " in result.output


def test_official_options_mean_the_same(model: str, tmp_path: Path) -> None:
    out = tmp_path / "lerp.gif"
    options = "--trunc=0.7 --seeds=0-3 --grid=2x1 --num-keyframes=1 --w-frames=2 --shuffle-seed=5 --fps=20".split()
    result = run("video", f"--network={model}", f"--output={out}", *options)
    assert result.exit_code == 0, result.output
    with Image.open(out) as animation:
        assert (animation.size, animation.n_frames) == ((64, 32), 2)


def test_sizes_and_odd_sides_are_said(model: str, tmp_path: Path) -> None:
    pytest.importorskip("av")
    out = tmp_path / "walk.mp4"
    result = run("video", "--model", model, "--seeds", "0,1", "--w-frames", 2, "--size", "101x77", "--out", out)
    assert result.exit_code == 0 and "102x78, 4 frames" in result.output and "even sides" in result.output
    import av

    with av.open(str(out)) as container:
        frames = [(frame.width, frame.height) for frame in container.decode(video=0)]
    assert frames == [(102, 78)] * 4


def test_a_state_is_exported_as_it_moves(state_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "moving.webp"
    result = run("video", "--state", state_file, "--seconds", 0.5, "--fps", 10, "--out", out)
    assert result.exit_code == 0, result.output
    with Image.open(out) as animation:
        assert (animation.size, animation.n_frames) == ((32, 32), 5)


def test_a_captured_picture_goes_on_moving(state_file: Path, tmp_path: Path) -> None:
    captured, out = tmp_path / "captured.png", tmp_path / "frames"
    assert run("render", "--state", state_file, "--out", captured).exit_code == 0
    result = run("video", "--state", captured, "--seconds", 0.4, "--fps", 10, "--out", out)
    assert result.exit_code == 0, result.output
    first, _, third, _ = (np.asarray(Image.open(file)).astype(int) for file in sorted(out.iterdir()))
    assert abs(first - np.asarray(Image.open(captured).convert("RGB"))).max() <= 1 and (first != third).any()


def test_a_timeline_has_its_own_length(state_file: Path, model: str, tmp_path: Path) -> None:
    state = states.load(state_file)
    state.timeline = Timeline((Track("rotation", (Key(0.0, (0.0,)), Key(0.3, (90.0,)))),), seconds=0.4, loop=False)
    states.save(state, state_file)
    result = run("video", "--state", state_file, "--fps", 10, "--out", tmp_path / "frames")
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "frames").iterdir())) == 4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--out a.gif", "Give --model"),
        ("--model MODEL --out a.gif", "such as --seeds 0-7"),
        ("--model MODEL --seeds 0-6 --grid 2x2 --out a.gif", "7 seeds do not fill 4 cells evenly: give 4 or 8"),
        ("--model MODEL --seeds 0-3 --seconds 2 --out a.gif", "--seconds goes with --state"),
        ("--model MODEL --state STATE --seeds 0 --out a.gif", "Give --model"),
        ("--state STATE --grid 2x2 --out a.gif", "--grid goes with --model"),
        ("--state STATE --out a.gif", "has no timeline"),
        ("--state STATE --seconds 1 --slot right --out a.gif", "Nothing is open in the right slot"),
        ("--state nothing.json --seconds 1 --out a.gif", "There is no file nothing.json"),
        ("--model MODEL --seeds 0 --out a.avi", "must end in .mp4, .webm, .webp or .gif"),
        ("--model MODEL --seeds 0 --out a.gif --format vp9", "must end in .webm"),
        ("--model MODEL --seeds 0 --out a.gif --fps 60", "GIF takes 1 to 50 frames a second"),
        ("--model MODEL --seeds 0 --out a.gif --size 9x9", "is not a size of"),
        ("--model MODEL --seeds 0 --w-frames 100000 --num-keyframes 100 --out a.webp", "are the most"),
        ("--model MODEL --seeds 0 --out STATE/a.gif", "cannot be written"),
        ("--model MODEL --seeds 0 --out FOLDER", "holds other files than frames"),
        ("--model MODEL --seeds 0 --class 3 --out a.gif", "trained without labels"),
    ],
)
def test_what_cannot_be_is_one_sentence_before_anything_is_drawn(
    arguments: str, sentence: str, model: str, state_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    known = {"MODEL": model, "STATE": str(state_file), "FOLDER": str(tmp_path)}
    for name, value in known.items():
        arguments = arguments.replace(name, value)
    result = run("video", *arguments.split())
    assert result.exit_code in (1, 2) and sentence in " ".join(result.output.split()), result.output
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_nothing_is_overwritten_unasked(model: str, tmp_path: Path) -> None:
    out, frames = tmp_path / "a.gif", tmp_path / "frames"
    command = ("video", "--model", model, "--seeds", "0", "--w-frames", 2, "--fps", 10, "--out")
    out.write_text("mine")
    assert "is there already" in run(*command, out).output and out.read_text() == "mine"
    assert run(*command, out, "--overwrite").exit_code == 0 and out.read_bytes()[:3] == b"GIF"
    assert run(*command, frames).exit_code == 0
    assert "is there already" in run(*command, frames).output
    assert run(*command, frames, "--overwrite").exit_code == 0 and len(list(frames.iterdir())) == 2


# The handler is set anew: Ctrl-C is ignored where the tests run in a shell's background.
CHILD = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["visualizer.py", *sys.argv[1:]]
runpy.run_path("visualizer.py", run_name="__main__")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another signal there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_a_sentence_and_leaves_nothing(model: str, tmp_path: Path, number: int) -> None:
    words = ["video", "--model", model, "--seeds", "0-7", "--w-frames", "9999", "--out", str(tmp_path / "a.gif")]
    with subprocess.Popen([sys.executable, "-c", CHILD, *words], stderr=subprocess.PIPE, text=True, cwd=ROOT) as child:
        try:
            deadline = time.monotonic() + 60
            while not any(path.stat().st_size > 20_000 for path in tmp_path.iterdir()):
                assert time.monotonic() < deadline and child.poll() is None
                time.sleep(0.05)
            child.send_signal(number)
            _, errors = child.communicate(timeout=60)
        finally:
            child.kill()
    assert child.returncode == 1 and errors.splitlines()[-1].startswith("Error: Stopped:") and "Traceback" not in errors
    assert not list(tmp_path.iterdir())


def test_a_film_is_written(model: str, tmp_path: Path) -> None:
    out = tmp_path / "film.gif"
    small = "--seconds 0.2 --fps 10 --height 360 --latents 2 --motion rotate".split()
    result = run("film", "--left", model, "--right", model, *small, "--out", out)
    assert result.exit_code == 0 and "640x360, 2 frames" in result.output, result.output
    with Image.open(out) as animation:
        assert (animation.size, animation.n_frames) == ((640, 360), 2)


def test_a_film_too_small_to_read_is_refused(model: str, tmp_path: Path) -> None:
    result = run("film", "--left", model, "--height", "359", "--out", tmp_path / "a.gif")
    assert result.exit_code == 2 and "359 is not in the range 360<=x<=2160" in result.output
    assert not list(tmp_path.iterdir())


def test_a_film_without_its_models_is_one_sentence(tmp_path: Path) -> None:
    result = run("film", "--left", tmp_path / "none.safetensors", "--out", tmp_path / "a.gif")
    assert result.exit_code == 1 and "none.safetensors" in result.output and not list(tmp_path.iterdir())


def test_help_needs_no_torch() -> None:
    script = "import sys; from viz.cli.main import main\ntry: main([sys.argv[1], '--help'])\nexcept SystemExit: pass\n"
    script += "assert not {'torch', 'av'} & set(sys.modules)"
    for command in ("video", "film"):
        done = subprocess.run([sys.executable, "-c", script, command], capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0 and "Examples:" in done.stdout, done.stderr
