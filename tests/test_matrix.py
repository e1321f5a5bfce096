# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`make matrix` finds interpreters, tries what they have, removes what it made and says so; all programs are played."""

import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tools import matrix

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the players are for sh")

# Plays a Python of version VERSION and, copied into an "environment", pip, pytest and visualizer.py.
PYTHON = """#!/bin/sh
case "$*" in
    *ensurepip*) echo VERSION ;;
    "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip install"*) echo "$*" >>"$CALLS" ;;
    "-m pytest"*) SLEEP echo "12 passed, 3 skipped in 4.5s"; exit STATUS ;;
    *--screenshot*) cp "$PICTURE" window.png ;;
    *render*) cp "$PICTURE" picture.png ;;
    *doctor*) echo '{"findings": [{"title": "Python", "value": "VERSION.7, here"},
                                  {"title": "torch", "value": "9.9, CPU build"},
                                  {"title": "Offscreen", "value": "a renderer, OpenGL 4.5 Mesa"}]}' ;;
esac
"""
# No machine has these, 3.99 not even here.
TESTED = matrix.Row("tested", ("3.97", "3.98", "3.99"), "constraints.txt")
NEWEST = matrix.Row("newest", ("3.98",), "constraints.txt", torch="torch")
CASES = tuple(matrix.Case(row, version) for row in (TESTED, NEWEST) for version in row.pythons)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with Python 3.98 on the PATH and 3.97 in pyenv, a shim that refuses, and one for temporary files."""
    for name in ("shims", "programs", "pyenv/versions/3.97.9/bin", "temporary"):
        (tmp_path / name).mkdir(parents=True)
    play(tmp_path / "shims" / "python3.98", "#!/bin/sh\nexit 127\n")
    play(tmp_path / "programs" / "python3.98", python("3.98"))
    play(tmp_path / "pyenv/versions/3.97.9/bin/python3.97", python("3.97"))
    (tmp_path / "header.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">2I", *matrix.SIZE))
    folders = [str(tmp_path / "shims"), str(tmp_path / "programs"), "/usr/bin", "/bin"]
    monkeypatch.setattr(matrix.os, "get_exec_path", lambda: folders)
    for name, path in {"PYENV_ROOT": "pyenv", "CALLS": "calls.txt", "PICTURE": "header.png"}.items():
        monkeypatch.setenv(name, str(tmp_path / path))
    monkeypatch.setattr(matrix.tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(matrix, "copy_checkout", copy_little)
    monkeypatch.setattr(matrix, "CASES", CASES)
    return tmp_path


def copy_little(target: Path) -> None:
    target.mkdir()
    for name in ("pyproject.toml", "constraints.txt"):
        (target / name).write_bytes((matrix.ROOT / name).read_bytes())


def python(version: str, *, status: int = 0, sleep: str = "") -> str:
    return PYTHON.replace("VERSION", version).replace("STATUS", str(status)).replace("SLEEP", sleep)


def play(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def left(machine: Path) -> list[str]:
    return [path.name for path in (machine / "temporary").iterdir()]


def test_interpreters_are_found_on_the_path_and_in_pyenv(machine: Path) -> None:
    assert matrix.find_interpreter("3.98") == str(machine / "programs" / "python3.98"), "not the shim that refuses"
    assert matrix.find_interpreter("3.97") == str(machine / "pyenv/versions/3.97.9/bin/python3.97")
    play(machine / "pyenv/versions/3.97.9/bin/python3.9", python("3.9"))
    assert matrix.find_interpreter("3.9") is None, "3.97.9 is no 3.9"
    newer = machine / "pyenv/versions/3.97.10/bin"
    newer.mkdir(parents=True)
    play(newer / "python3.97", python("3.97"))
    assert matrix.find_interpreter("3.97") == str(newer / "python3.97")


def test_a_row_is_tried_and_leaves_nothing(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert matrix.main(["--only", "tested"]) == 0, "an interpreter that is missing is no failure"
    rows = capsys.readouterr().out.splitlines()[-3:]
    assert rows[2].endswith(", Python 3.99 | - | no interpreter |")
    for row, version in zip(rows, ("3.97.7", "3.98.7"), strict=False):
        assert f", Python {version} | 9.9, CPU build | yes: installation (" in row
        assert "tests (12 passed, 3 skipped, 0 s), window (OpenGL 4.5 Mesa, 0 s), picture (0 s), doctor (0 s)" in row
    assert not left(machine)
    pip = [line for line in (machine / "calls.txt").read_text().splitlines() if "-e ." in line]
    assert len(pip) == 2 and all("--no-build-isolation -e .[test,metrics,osc,video,cuda-test]" in line for line in pip)


def test_the_newest_torch_is_asked_for_without_a_pin(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def look(place: matrix.Place) -> bool:
        seen.append((place.folder / "constraints.txt").read_text())
        return True

    monkeypatch.setattr(matrix, "run_tests", look)
    assert matrix.main(["--only", "newest-3.98"]) == 0
    whole = (matrix.ROOT / "constraints.txt").read_text()
    assert "\ntorch==" in whole and "\ntorch==" not in seen[0]
    assert len(seen[0].splitlines()) == len(whole.splitlines()) - 1
    assert "--no-build-isolation torch -e ." in (machine / "calls.txt").read_text()


def test_what_fails_is_shown_and_counts(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    play(machine / "programs" / "python3.98", python("3.98", status=1))
    assert matrix.main(["--only", "tested-3.98"]) == 1
    said = capsys.readouterr()
    assert "| no: installation (" in said.out and "tests failed (12 passed, 3 skipped, 0 s), window (" in said.out
    assert "12 passed, 3 skipped in 4.5s\nmatrix: tested-3.98: tests FAILED in 0 s" in said.err
    assert not left(machine)


def test_a_row_that_is_not_there_is_refused(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        matrix.main(["--only", "oldest"])
    assert "there is no row oldest: see --list" in capsys.readouterr().err
    assert matrix.main(["--list"]) == 0
    assert "tested-3.99    no interpreter\n" in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_midst_it_leaves_nothing(machine: Path, number: signal.Signals) -> None:
    play(machine / "programs" / "python3.98", python("3.98", sleep=f"touch {machine}/began; sleep 600;"))
    program = f"""
import signal, sys
sys.path[:0] = [{str(Path(__file__).parent)!r}]
import test_matrix
from tools import matrix
signal.signal(signal.SIGINT, signal.default_int_handler)
matrix.os.get_exec_path = lambda: [{str(machine / "programs")!r}, "/usr/bin", "/bin"]
matrix.copy_checkout, matrix.CASES = test_matrix.copy_little, test_matrix.CASES
matrix.tempfile.tempdir = {str(machine / "temporary")!r}
sys.exit(matrix.main(["--only", "tested-3.98"]))
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (machine / "began").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (1 if number == signal.SIGINT else 128 + signal.SIGTERM), said
    assert not left(machine)
