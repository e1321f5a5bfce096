# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Format the commands that messages name, as this user may type them. Standard library only (see viz.__main__)."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent.parent  # of a checkout; site-packages where Jinc was installed


def describe_failed_start(problem: Exception) -> str:
    """Return the sentence for something that could not be imported."""
    text = str(problem) if isinstance(problem, ImportError) else f"{type(problem).__name__}: {problem}"
    return f"Jinc cannot start ({text}): {suggest_doctor()}"


def suggest_doctor() -> str:
    """Return the end of a sentence about a start that failed."""
    return f"run `{format_command('doctor')}`."


def format_command(*words: str) -> str:
    """Return a command line of this program, or of `python -m ...` when the first word is -m."""
    if words[:1] != ("-m",):
        script = ROOT / "visualizer.py"
        if not script.exists():
            return quote_words("jinc", *words)
        words = (relative_path(script), *words)
    return quote_words(python_command(), *words)


def quote_words(*words: str) -> str:
    """Return words as one line for this system's shell."""
    return subprocess.list2cmdline(words) if os.name == "nt" else " ".join(shlex.quote(word) for word in words)


def python_command() -> str:
    """Return how to call the running Python; in full where it is not on the PATH, as make activates nothing."""
    here = relative_path(sys.executable)
    if here.startswith(".venv"):
        return here
    for name in ("python", "python3", os.path.basename(sys.executable)):
        if shutil.which(name) and os.path.abspath(str(shutil.which(name))) == os.path.abspath(sys.executable):
            return name
    return sys.executable


def relative_path(path: str | os.PathLike[str]) -> str:
    """Return a path relative to the current folder where it lies below that, else in full."""
    try:
        full, here = os.path.abspath(path), os.getcwd()
    except OSError:  # the current folder is gone
        return os.fspath(path)
    return os.path.relpath(full, here) if full.startswith(os.path.join(here, "")) else full
