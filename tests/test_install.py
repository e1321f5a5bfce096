# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`.ci/install` brings what is missing, mends what is half-made (apt, sudo, pip are played); ranges and pins agree."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from support.paths import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the script is for sh")

# Plays Python, its venv module and pip; each call that changes something is written to calls.txt.
PYTHON = """#!/bin/sh
case "$*" in
    --version) echo "Python 3.11.0" ;;
    "-m venv "*) echo "venv" >>"$CALLS"; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip --version") ;;
    "-m pip install"*cuda-test*) echo "pip" >>"$CALLS"; [ ! -e "$BROKEN_PIP" ] && [ ! -e "$BROKEN_PIP-cuda" ] ;;
    "-m pip install"*) echo "pip without CUDA" >>"$CALLS"; [ ! -e "$BROKEN_PIP" ] ;;
esac
"""
# Plays a Debian on which libgles2 alone is missing until apt has run.
DPKG_QUERY = """#!/bin/sh
for package; do :; done
if [ "$package" != libgles2 ] || grep -q "install libgles2" "$CALLS" 2>/dev/null; then echo installed; else exit 1; fi
"""
APT_GET = """#!/bin/sh
case "$*" in *update*) echo "apt update" ;; *install*) echo "apt install ${*##* install }" ;; esac >>"$CALLS"
"""


class Machine:
    """A folder with a copy of the script, and a PATH whose first entries are the players above."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.programs = folder / "programs"
        self.calls_file = folder / "calls.txt"
        self.broken_pip = folder / "broken-pip"
        (self.checkout / ".ci").mkdir(parents=True)
        self.programs.mkdir()
        shutil.copy(ROOT / ".ci" / "install", self.checkout / ".ci" / "install")
        for name in ("pyproject.toml", "constraints.txt"):
            (self.checkout / name).write_text("")
        for name, text in {"python3": PYTHON, "dpkg-query": DPKG_QUERY, "apt-get": APT_GET}.items():
            self.play(name, text)
        self.play("id", "#!/bin/sh\necho 0\n")

    def play(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def install(self) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "CALLS": str(self.calls_file),
            "BROKEN_PIP": str(self.broken_pip),
        }
        command = ["sh", str(self.checkout / ".ci" / "install")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    def calls(self) -> list[str]:
        lines = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        self.calls_file.unlink(missing_ok=True)
        return lines


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def without_apt(machine: Machine) -> Machine:
    machine.play("dpkg-query", "#!/bin/sh\necho installed\n")
    return machine


def test_root_gets_the_missing_package_then_the_environment_once(machine: Machine) -> None:
    assert machine.install().returncode == 0
    assert machine.calls() == ["apt update", "apt install libgles2", "venv", "pip"]
    without_apt(machine)
    assert machine.install().returncode == 0
    assert machine.calls() == [], "a second run has nothing to do"


def test_without_rights_one_sentence_names_the_packages(machine: Machine) -> None:
    machine.play("id", "#!/bin/sh\necho 1000\n")
    machine.play("sudo", "#!/bin/sh\nexit 1\n")
    result = machine.install()
    assert result.returncode == 1
    assert machine.calls() == []
    assert result.stderr.splitlines() == [
        "jinc: these system packages are missing; install them and run make again: sudo apt-get install libgles2"
    ]


def test_a_failed_install_is_tried_again(machine: Machine) -> None:
    without_apt(machine)
    machine.broken_pip.touch()
    assert machine.install().returncode != 0
    assert machine.calls() == ["venv", "pip", "pip without CUDA"]
    machine.broken_pip.unlink()
    assert machine.install().returncode == 0
    assert machine.calls() == ["pip"], "the environment itself was sound"


def test_packages_that_only_the_cuda_kernels_tests_need_may_be_out_of_reach(machine: Machine) -> None:
    without_apt(machine)
    machine.broken_pip.with_name("broken-pip-cuda").touch()
    ran = machine.install()
    assert ran.returncode == 0 and "whose tests are then skipped" in ran.stdout + ran.stderr
    assert machine.calls() == ["venv", "pip", "pip without CUDA"]
    assert machine.install().returncode == 0 and machine.calls() == [], "and that is that"


def test_new_pins_a_dead_interpreter_and_a_move_are_noticed(machine: Machine) -> None:
    without_apt(machine).install()
    machine.calls()
    stamp = machine.checkout / ".venv" / "jinc.stamp"
    os.utime(stamp, (0, 0))
    machine.install()
    assert machine.calls() == ["pip"], "pyproject.toml is newer than the stamp"
    (machine.checkout / ".venv" / "bin" / "python").unlink()
    machine.install()
    assert machine.calls() == ["venv", "pip"]
    machine.checkout = machine.checkout.rename(machine.checkout.with_name("moved"))
    machine.install()
    assert machine.calls() == ["pip"]


def test_an_old_python_is_refused_in_one_sentence(machine: Machine) -> None:
    without_apt(machine)
    for name in ("python3", "python3.13", "python3.12", "python3.11", "python"):
        machine.play(name, "#!/bin/sh\nexit 1\n")
    result = machine.install()
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "jinc: Python 3.11 or newer was not found; install it, or name it: make PYTHON=/path/to/python3.12"
    ]


def pins(name: str) -> dict[str, tuple[int, ...]]:
    """Package, as pip compares names, to version of a constraints file."""
    found = re.findall(r"^([\w.-]+)==([\w.]+)$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    return {package.lower().replace("_", "-"): release(version) for package, version in found}


def release(version: str) -> tuple[int, ...]:
    """Return a version's numbers without zeros at the end: 2.0.0 is 2, 2.1.post1 is 2.1."""
    return tuple(int(number) for number in re.sub(r"(\.0)*(\.post\d+)?$", "", version).split("."))


def lower_bounds() -> dict[str, tuple[int, ...]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    wanted = [*project["project"]["dependencies"], *sum(extras, []), *project["build-system"]["requires"]]
    bounds: dict[str, tuple[int, ...]] = {}
    for requirement in wanted:
        found = re.match(r"([\w.-]+)(?:>=|==)([\w.]+)(?:;|$)", requirement)
        assert found, f"no lower bound: {requirement}"
        package, bound = found[1].lower(), release(found[2])
        assert bounds.setdefault(package, bound) == bound, f"two lower bounds: {requirement}"
    return bounds


def test_the_lowest_versions_are_those_that_are_tried() -> None:
    """tests/constraints-lowest.txt, which `make matrix` installs, pins every lower bound of pyproject.toml."""
    tried = pins("tests/constraints-lowest.txt")
    assert {package: tried.get(package) for package in lower_bounds()} == lower_bounds()


def test_the_tested_versions_are_within_the_ranges() -> None:
    tested = pins("constraints.txt")
    for package, bound in lower_bounds().items():
        if not package.startswith(("cuda-bindings", "nvidia-")):  # constraints.txt says why they are not pinned
            assert tested[package] >= bound, package
