# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Try Jinc on several Pythons and torches, each in an environment of its own; print docs/install.md's platform table.

`make matrix` runs this. Each environment is installed as docs/install.md says, then come `make check`'s tests, the
window, a picture and the doctor. Everything happens in a copy of the checkout inside one temporary folder, which is
removed before the next one is made, and on Ctrl-C. It takes a network, 7 GB of disk and a quarter of an hour for each
environment.
"""

import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = "test,metrics,osc,video,cuda-test"
SIZE = 1280, 800
TESTS = "tests"  # the step whose output ends with pytest's sentence
TAIL = 120  # lines of what failed that are shown
# What an environment must not inherit: another one's packages, and the user's choices.
PRIVATE = ("JINC_", "PYTHON", "PYTEST_", "VIRTUAL_ENV", "PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT")
# It answers with its version, and can make environments; torch has no builds for a Python without the lock.
PROBE = """
import ensurepip, sys, sysconfig, venv
print(*sys.version_info[:2], sep=".") if not sysconfig.get_config_var("Py_GIL_DISABLED") else sys.exit(1)
"""


class Row(NamedTuple):
    """Pythons and constraints tried together; `torch`, if given, is a requirement in place of the constraints' own."""

    name: str
    pythons: tuple[str, ...]
    constraints: str
    torch: str = ""


# Which build of torch comes, CPU or CUDA, is pip's choice: on Linux the CUDA build, unless pip is told of another.
ROWS = (
    Row("tested", ("3.11", "3.12", "3.13"), "constraints.txt"),
    Row("newest", ("3.13",), "constraints.txt", torch="torch"),
    Row("lowest", ("3.11", "3.12"), "tests/constraints-lowest.txt"),
)


class Case(NamedTuple):
    """One environment."""

    row: Row
    python: str

    @property
    def name(self) -> str:
        return f"{self.row.name}-{self.python}"


class Step(NamedTuple):
    """One thing tried in an environment; `said` is the last line of its output."""

    name: str
    passed: bool
    seconds: float
    said: str = ""


class Outcome(NamedTuple):
    """The steps of a case, none without an interpreter. `versions`: Python, torch and OpenGL, as far as known."""

    case: Case
    steps: tuple[Step, ...] = ()
    versions: tuple[str, str, str] = ("", "", "")

    @property
    def passed(self) -> bool:
        return all(step.passed for step in self.steps)


CASES = tuple(Case(row, python) for row in ROWS for python in row.pythons)


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the cases that are asked for, one after the other, and return the exit status."""
    parser = argparse.ArgumentParser(prog="make matrix", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", metavar="NAME", help="a row (newest) or a case (tested-3.12); again")
    parser.add_argument("--keep", action="store_true", help="leave the environments where they are, and say where")
    parser.add_argument("--list", action="store_true", help="say which cases there are, and with which interpreters")
    choice = parser.parse_args(arguments)
    unknown = set(choice.only or ()) - {name for case in CASES for name in (case.name, case.row.name)}
    if unknown:
        parser.error(f"there is no row {' or '.join(sorted(unknown))}: see --list")
    cases = [case for case in CASES if not choice.only or {case.name, case.row.name} & set(choice.only)]
    if choice.list:
        for case in cases:
            print(f"{case.name:14} {find_interpreter(case.python) or 'no interpreter'}")
        return 0
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that it cleans up, too
    outcomes = []
    try:
        for case in cases:
            outcomes.append(try_case(case, keep=choice.keep))
    except KeyboardInterrupt:
        say("stopped")
    finally:
        signal.signal(signal.SIGTERM, before)
    print(format_table(outcomes))
    return 0 if len(outcomes) == len(cases) and all(outcome.passed for outcome in outcomes) else 1


def say(text: str) -> None:
    print(f"matrix: {text}", file=sys.stderr, flush=True)


# -- interpreters ------------------------------------------------------------------------------------------------------


def find_interpreter(python: str) -> str | None:
    """Find a Python of this version: python3.X on the PATH, else pyenv's newest, else none."""
    candidates = [str(Path(folder) / f"python{python}") for folder in os.get_exec_path()]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [path for path in (pyenv / "versions").glob("*") if re.fullmatch(rf"{re.escape(python)}(\D.*)?", path.name)]
    found.sort(key=lambda path: [int(number) for number in re.findall(r"\d+", path.name)], reverse=True)
    candidates += [str(path / "bin" / f"python{python}") for path in found]
    return next((candidate for candidate in candidates if is_python(candidate, python)), None)


def is_python(candidate: str, python: str) -> bool:
    """Check that it runs and is this version: pyenv puts shims on the PATH for Pythons that they then refuse."""
    try:
        ran = subprocess.run([candidate, "-c", PROBE], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ran.returncode == 0 and ran.stdout.strip() == python


# -- one environment ---------------------------------------------------------------------------------------------------


class Place:
    """The folder of one case: checkout, environment, and whatever its programs write."""

    def __init__(self, folder: Path, case: Case) -> None:
        self.folder, self.case = folder, case
        self.checkout, self.log = folder / "checkout", folder / "log.txt"
        programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        self.python = str(programs / ("python.exe" if os.name == "nt" else "python"))
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}
        self.environment["PATH"] = os.pathsep.join([str(programs), *os.get_exec_path()])
        for name in ("TMPDIR", "TEMP", "TMP"):
            self.environment[name] = str(folder / "temporary")
        (folder / "temporary").mkdir()

    def run(self, *command: str, limit: float, **environment: str) -> int | None:
        """Run a command, all of its output into the log, and return its exit status; None if it took too long."""
        group = {"start_new_session": True} if os.name == "posix" else {}
        with open(self.log, "wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.checkout,
                env=self.environment | environment,
                **group,
            )
            try:
                return process.wait(limit)
            except subprocess.TimeoutExpired:
                return None
            finally:  # whatever happened: it, and all that it started, is gone before the folder is
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL) if os.name == "posix" else process.kill()
                process.wait()

    def program(self, *words: str, limit: float = 300.0) -> int | None:
        """Run visualizer.py with settings and caches of its own."""
        own = {"JINC_CONFIG": str(self.folder / "settings"), "XDG_CACHE_HOME": str(self.folder / "cache")}
        return self.run(self.python, "visualizer.py", *words, limit=limit, **own)

    def output(self) -> list[str]:
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()


def try_case(case: Case, *, keep: bool = False) -> Outcome:
    """Make the environment, try everything in it, and remove it."""
    base = find_interpreter(case.python)
    if base is None:
        say(f"{case.name}: no interpreter")
        return Outcome(case)
    with make_folder(keep=keep) as path:
        place = Place(path, case)
        copy_checkout(place.checkout)
        steps = []
        for name, step in (
            ("installation", lambda place: install(place, base)),
            (TESTS, run_tests),
            ("window", open_window),
            ("picture", render_picture),
            ("doctor", run_doctor),
        ):
            steps.append(run_step(name, step, place))
            if name == "installation" and not steps[-1].passed:
                break
        return Outcome(case, tuple(steps), read_versions(place))


@contextlib.contextmanager
def make_folder(*, keep: bool) -> Iterator[Path]:
    """A new temporary folder on disk, removed at the end unless it is kept."""
    path = Path(tempfile.mkdtemp(prefix="jinc-matrix-"))
    try:
        yield path
    finally:
        if keep:
            say(f"kept: {path}")
        else:
            shutil.rmtree(path, ignore_errors=True)


def copy_checkout(target: Path) -> None:
    """Copy what git tracks, as it is now, and what is new and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        if (ROOT / name).is_file():  # else deleted since
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def run_step(name: str, step: Callable[[Place], bool], place: Place) -> Step:
    began = time.monotonic()
    place.log.unlink(missing_ok=True)
    passed = step(place)
    output = place.output() if place.log.exists() else []
    done = Step(name, passed, time.monotonic() - began, output[-1].strip("= ") if output else "")
    if not passed:
        print("\n".join(output[-TAIL:]), file=sys.stderr)
    say(f"{place.case.name}: {name} {'passed' if passed else 'FAILED'} in {done.seconds:.0f} s")
    return done


def install(place: Place, base: str) -> bool:
    """Install as docs/install.md says; build requirements first, so that they heed the constraints with any pip."""
    constraints = place.checkout / place.case.row.constraints
    if place.case.row.torch:
        lines = constraints.read_text(encoding="utf-8").splitlines(keepends=True)
        constraints = place.folder / "constraints.txt"
        constraints.write_text("".join(line for line in lines if not line.startswith("torch==")), encoding="utf-8")
    project = tomllib.loads((place.checkout / "pyproject.toml").read_text(encoding="utf-8"))
    pip = (place.python, "-m", "pip", "install", "--disable-pip-version-check", "-c", str(constraints))
    own = [place.case.row.torch] if place.case.row.torch else []
    return (
        place.run(base, "-m", "venv", str(place.folder / "venv"), limit=300) == 0
        and place.run(*pip, *project["build-system"]["requires"], limit=600) == 0
        and place.run(*pip, "--no-build-isolation", *own, "-e", f".[{EXTRAS}]", limit=3600) == 0
    )


def run_tests(place: Place) -> bool:
    words = "-m pytest -q -n 2 --dist loadfile -p no:cacheprovider -m".split()
    return (
        place.run(
            place.python, *words, "not slow and not nightly", limit=3600, XDG_CACHE_HOME=str(place.folder / "cache")
        )
        == 0
    )


def open_window(place: Place) -> bool:
    name = "window.png"
    done = place.program("--screenshot", name, "--size", "x".join(map(str, SIZE)))
    return done == 0 and read_png_size(place.checkout / name) == SIZE


def render_picture(place: Place) -> bool:
    done = place.program("render", "--model", "t", "--seed", "7", "--out", "picture.png")
    return done == 0 and read_png_size(place.checkout / "picture.png") != (0, 0)


def run_doctor(place: Place) -> bool:
    return place.program("doctor", "--json") == 0


def read_png_size(path: Path) -> tuple[int, int]:
    """Return width and height from a PNG's header, (0, 0) for anything else."""
    head = path.read_bytes()[:24] if path.exists() else b""
    return struct.unpack(">2I", head[16:]) if head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) == 24 else (0, 0)


def read_versions(place: Place) -> tuple[str, str, str]:
    """Read Python's, torch's and OpenGL's version from the doctor's report, which the log holds last."""
    try:
        findings = json.loads("\n".join(place.output()))["findings"]
    except (OSError, ValueError, KeyError):
        return "", "", ""
    said = {finding["title"]: finding["value"] for finding in findings}
    drawn = said.get("Offscreen") or said.get("Display", "")
    opengl = re.search(r"OpenGL .*", drawn)
    return said.get("Python", "").partition(",")[0], said.get("torch", ""), opengl[0] if opengl else ""


# -- the table ---------------------------------------------------------------------------------------------------------


def format_table(outcomes: Sequence[Outcome]) -> str:
    """Return the platform table of docs/install.md."""
    return "\n".join(["| system | torch | tried |", "|---|---|---|", *(format_row(outcome) for outcome in outcomes)])


def format_row(outcome: Outcome) -> str:
    python, torch, opengl = outcome.versions
    name = outcome.case.row.name
    what = f"{describe_system()}, Python {python or outcome.case.python}"
    what += "" if name == "tested" else f", {name} versions"
    return f"| {what} | {torch or '-'} | {describe_outcome(outcome, opengl)} |"


def describe_outcome(outcome: Outcome, opengl: str) -> str:
    """Describe what was tried, in the table's words."""
    if not outcome.steps:
        return "no interpreter"
    words = []
    for step in outcome.steps:
        counted = re.sub(r" in [\d.]+s.*", "", step.said) if step.name == TESTS else ""
        detail = ", ".join(filter(None, [counted, opengl if step.name == "window" else "", f"{step.seconds:.0f} s"]))
        words.append(f"{step.name}{'' if step.passed else ' failed'} ({detail})")
    return f"{'yes' if outcome.passed else 'no'}: {', '.join(words)}"


def describe_system() -> str:
    """Name this machine's system as docs/install.md does."""
    try:
        release = platform.freedesktop_os_release()
        about = f" ({release.get('ID', '').capitalize()} {release.get('VERSION_ID', '')})"
    except OSError:
        about = f" {platform.release()}"
    return f"{platform.system()} {platform.machine().replace('_', '-')}{about}"


if __name__ == "__main__":
    sys.exit(main())
