# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Wheel and sdist, built as `make` builds them, run without the checkout: each in an environment of its own."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
RENDER = ("render", "--model", "t", "--seed", "7", "--out")

BUNDLED = {name: value for name, value in os.environ.items() if name != "JINC_MODELS"}  # letters mean what users get

pytestmark = [pytest.mark.nightly, pytest.mark.skipif(not shutil.which("make"), reason="they are built by make")]


class Installed:
    """An environment with nothing but what was built and what it asks for, and a folder to call it from."""

    def __init__(self, folder: Path, built: Path) -> None:
        self.programs = folder / "venv" / SCRIPTS
        self.here = folder / "a folder with what users have"
        self.here.mkdir()
        # Whoever trains has scripts of these names; a program that imported them would end with what they say.
        for name in ("train.py", "viz.py", "gan.py", "assets.py", "cuda_ops.py"):
            (self.here / name).write_text(f"raise SystemExit('{name} of the current folder was run')\n")
        # What imgui-bundle and PyOpenGL set where another test imported them names the checkout's libraries.
        dropped = ("JINC_", "PYTHON", "VIRTUAL_ENV", "PYGLFW_", "PYOPENGL_")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        pins = {"PIP_CONSTRAINT": str(CONSTRAINTS), "PIP_BUILD_CONSTRAINT": str(CONSTRAINTS)}
        self.run(sys.executable, "-m", "venv", str(folder / "venv"))
        self.run(str(self.programs / "python"), "-m", "pip", "install", "--quiet", str(built), **pins)
        self.environment |= {"JINC_CONFIG": str(folder / "settings"), "XDG_CACHE_HOME": str(folder / "cache")}

    def run(self, *command: str, **environment: str) -> str:
        ran = subprocess.run(
            command, cwd=self.here, env=self.environment | environment, capture_output=True, text=True, timeout=1800
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def jinc(self, *words: str) -> str:
        return self.run(str(self.programs / "jinc"), *words)

    def picture(self, name: str) -> np.ndarray:
        """uint8 [H, W, 3]."""
        with Image.open(self.here / name) as image:
            return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both."""
    folder = tmp_path_factory.mktemp("dist")
    for target in ("wheel", "sdist"):
        ran = subprocess.run(["make", target, f"DIST={folder}"], cwd=ROOT, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


@pytest.fixture(scope="module", params=["*.whl", "*.tar.gz"], ids=["wheel", "sdist"])
def installed(request: pytest.FixtureRequest, dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    (built,) = dist.glob(request.param)
    return Installed(tmp_path_factory.mktemp("installed"), built)


def test_the_sdist_holds_what_git_holds(dist: Path) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {name for name in listed.splitlines() if (ROOT / name).exists()} <= names


def test_it_comes_with_its_kernels_and_a_clean_report(installed: Installed) -> None:
    assert "render" in installed.jinc("--help")
    found = {
        (finding["topic"], finding["title"]): finding
        for finding in json.loads(installed.jinc("doctor", "--json"))["findings"]
    }
    assert "as they came with the installation" in found["Operators", "CPU"]["value"]
    assert not (installed.here.parent / "cache" / "jinc" / "kernels").exists(), "nothing was compiled"
    assert not [finding for finding in found.values() if finding["state"] == "problem"]


def test_the_window_opens(installed: Installed) -> None:
    installed.jinc("--screenshot", "window.png", "--size", "1280x800")
    picture = installed.picture("window.png")
    assert picture.shape == (800, 1280, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 1000, "panels, and two pictures among them"


def test_it_draws_the_checkout_s_picture(installed: Installed, tmp_path: Path) -> None:
    installed.jinc(*RENDER, "picture.png")
    mine = tmp_path / "picture.png"
    program = [sys.executable, str(ROOT / "visualizer.py")]
    subprocess.run([*program, *RENDER, str(mine)], env=BUNDLED, check=True, capture_output=True)
    wanted = np.asarray(Image.open(mine).convert("RGB")).astype(int)
    assert np.abs(installed.picture("picture.png") - wanted).max() <= 1


def test_it_trains(installed: Installed) -> None:
    words = ("--cfg=T", "--data=critters", "--preset=tiny", "--kimg=0.1", "--critters-num", "64")
    installed.run(str(installed.programs / "jinc-train"), *words)
    (snapshot,) = installed.here.glob("training-runs/*/network-snapshot-*.safetensors")
    installed.jinc("render", "--model", str(snapshot), "--seed", "0", "--out", "trained.png")
    assert installed.picture("trained.png").std() > 0


def test_the_window_s_trainer_is_found(installed: Installed) -> None:
    """The window starts the trainer as a process of its own, from whatever folder it was opened in."""
    found = "from viz.training.process import trainer_program"
    ask = f"import json, sys; sys.path.remove(''); {found}; print(json.dumps(trainer_program()))"
    program = json.loads(installed.run(str(installed.programs / "python"), "-c", ask))
    assert "--preset" in installed.run(*program, "run", "--help")
