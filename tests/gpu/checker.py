# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Section "memory": compute-sanitizer watches gpu.operators. A planted error shows that it sees."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from . import program, ran
from .device import Choice
from .operators import PLANTED
from .rows import Row, failed, row, sentence

NAME = "compute-sanitizer"
TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")
FOUND = 9  # its exit status where it found something
SECONDS = 120.0  # for one tool
SUMMARY = re.compile(r"(?:ERROR|RACECHECK) SUMMARY: (.+)")
# Every tensor in an allocation of its own, so that reading past one is seen; no error of the driver's interface is
# counted that somebody provoked to find something out; a slow start is waited for.
APART = {"PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}
COMMON = ("--error-exitcode", str(FOUND), "--launch-timeout", "120", "--print-limit", "5")
OPTIONS = {"memcheck": ("--report-api-errors", "no")}


def found() -> str | None:
    """Where the checker is: on PATH, or where toolkits are put."""
    on_path = shutil.which(NAME)
    if on_path:
        return on_path
    root = Path(os.sep)
    homes = [Path(os.environ[name]) for name in ("CUDA_HOME", "CUDA_PATH") if os.environ.get(name)]
    homes += sorted((root / "usr" / "local").glob("cuda*"), reverse=True) + sorted((root / "opt" / "nvidia").glob("*"))
    for home in homes:
        for place in (home / "bin" / NAME, home / NAME, home / NAME / NAME, home / "extras" / NAME / NAME):
            if place.is_file() and os.access(place, os.X_OK):
                return str(place)
    return None


def memory(choice: Choice) -> Iterator[Row]:
    """Section "memory"."""
    if choice.small:
        yield row("memory checker", note="It checks what runs on a GPU.")
        return
    where = found()
    if where is None:
        yield row("memory checker", note=f"There is no {NAME} here: it comes with the CUDA toolkit; put it on PATH.")
        return
    few = ["--few"] if choice.quick else []
    try:
        warm = ran(program("operators", *few), min(choice.left, SECONDS))  # compiles what the checker need not wait for
    except subprocess.TimeoutExpired:
        yield failed("operators, unwatched", f"They did not end within {SECONDS:.0f} s.")
        return
    if warm.returncode:
        yield failed("operators, unwatched", (warm.stderr.strip() or "They failed.").splitlines()[-1])
        return
    yield planted(where, choice)
    for tool in TOOLS:
        yield watched(where, tool, choice, few)


def _under(where: str, tool: str, arguments: list[str], choice: Choice) -> subprocess.CompletedProcess[str]:
    options = [*COMMON, *OPTIONS.get(tool, ())]
    return ran([where, "--tool", tool, *options, *program("operators", *arguments)], min(choice.left, SECONDS), **APART)


def planted(where: str, choice: Choice) -> Row:
    """Whether it sees an error that is there."""
    try:
        done = _under(where, "memcheck", ["--planted"], choice)
    except subprocess.TimeoutExpired:
        return failed("memcheck, a planted error", f"It did not end within {SECONDS:.0f} s.")
    seen = "Invalid __global__" in done.stdout + done.stderr
    note = "Seen." if seen else "Not seen: what follows proves nothing. " + _last(done)
    return {**row("memcheck, a planted error", bar="is seen", met=seen, note=note), "failed": not seen}


def watched(where: str, tool: str, choice: Choice, few: list[str]) -> Row:
    """One tool over the list of operators."""
    try:
        done = _under(where, tool, few, choice)
    except subprocess.TimeoutExpired:
        return failed(tool, f"It did not end within {SECONDS:.0f} s.")
    said = done.stdout + done.stderr
    summary = SUMMARY.findall(said)
    if not summary:
        return failed(tool, f"It printed no summary. {_last(done)}")
    clean = done.returncode == 0 and "digest" in done.stdout
    first = next(
        (
            line
            for line in said.splitlines()
            if line.startswith("=========")
            and re.search(r"Invalid|Uninitialized|hazard|Barrier|Race|Program hit", line)
        ),
        "",
    )
    note = sentence(summary[-1] + ("" if clean else f"; {first.strip('= ')}; {_last(done)}"))
    return {**row(f"{tool} of the list of operators", bar="no error", met=clean, note=note), "failed": not clean}


def _last(done: subprocess.CompletedProcess[str]) -> str:
    """The last line that says something other than where the program had come to."""
    lines = [line.strip("= ") for line in (done.stdout + "\n" + done.stderr).splitlines() if line.strip("= ")]
    lines = [line for line in lines if line != PLANTED] or ["it said nothing"]
    return f"Exit status {done.returncode}: {lines[-1]}"
