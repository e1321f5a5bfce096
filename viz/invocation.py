# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Say how this program is called here, for messages that name a command. Standard library only (see viz.__main__)."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)  # Python that the rest needs
ROOT = Path(__file__).resolve().parent.parent  # of a checkout; site-packages where Jinc was installed


def cannot_start(problem: Exception) -> str:
    """The sentence for something that could not be imported."""
    text = str(problem) if isinstance(problem, ImportError) else f"{type(problem).__name__}: {problem}"
    return f"Jinc cannot start ({text}): {see_doctor()}"


def see_doctor() -> str:
    """The end of a sentence about a start that failed."""
    return f"run `{command('doctor')}`."


def command(*words: str) -> str:
    """A command line of this program as this user may type it, or a `python -m ...` when the first word is -m."""
    if words[:1] != ("-m",):
        script = ROOT / "visualizer.py"
        if not script.exists():
            return line("jinc", *words)
        words = (nearby(script), *words)
    return line(python(), *words)


def line(*words: str) -> str:
    """Words as one line for this system's shell."""
    return subprocess.list2cmdline(words) if os.name == "nt" else " ".join(shlex.quote(word) for word in words)


def python() -> str:
    """How to call the Python that runs: whoever came by make has activated nothing."""
    here = nearby(sys.executable)
    if here.startswith(".venv"):
        return here
    for name in ("python", "python3", os.path.basename(sys.executable)):
        if shutil.which(name) and os.path.abspath(str(shutil.which(name))) == os.path.abspath(sys.executable):
            return name
    return sys.executable


def nearby(path: str | os.PathLike[str]) -> str:
    """A path as it is typed from the current folder where it lies below that, else in full."""
    try:
        full, here = os.path.abspath(path), os.getcwd()
    except OSError:  # the current folder is gone
        return os.fspath(path)
    return os.path.relpath(full, here) if full.startswith(os.path.join(here, "")) else full


def dotted(version: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in version)
