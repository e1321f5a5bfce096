# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Check what lies on disk: the folders written to, what was left behind, the bundled models, and a first picture."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from pathlib import Path

from gan.files.format import format_bytes
from viz import invocation
from viz.doctor.check_kernels import without_kernels_command
from viz.doctor.finding import PROBLEM, REMARK, Finding, as_clause, join_names
from viz.doctor.probe import Answer

TOPIC = "Files"
LITTLE_SPACE = 2**30  # bytes: a run of the trainer with its snapshots takes some hundred MB
# Title of a folder that is written to -> what comes of it where it cannot be, and the variable that names another.
FOLDERS = {
    "Settings": ("what is set in the window is lost when it closes", "JINC_CONFIG"),
    "Kernels": ("the CPU kernels are compiled anew by every process", "XDG_CACHE_HOME"),
    "Downloads": ("no model can be downloaded", "XDG_CACHE_HOME"),
}


def check_folders(answer: Answer) -> list[Finding]:
    """Report whether files can be made in each of FOLDERS and how much space there is. `answer`: to "torch"."""
    folders = answer.facts.get("folders", {})
    return [_check_folder(title, Path(folder), *FOLDERS[title]) for title, folder in folders.items()]


def _check_folder(title: str, folder: Path, loss: str, variable: str) -> Finding:
    existing = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    known = _abbreviate(folder)
    try:
        tempfile.TemporaryFile(dir=existing).close()
        free = shutil.disk_usage(existing).free
    except OSError as problem:
        why = f"{_abbreviate(existing)} cannot be written ({problem.strerror or problem}): {loss}."
        return Finding(TOPIC, title, known, REMARK, why, _writable_command(existing, problem, variable))
    value = f"{known}, {format_bytes(free)} free"
    if free >= LITTLE_SPACE:
        return Finding(TOPIC, title, value)
    why = f"Less than {format_bytes(LITTLE_SPACE)} is free there; this finds what takes the space."
    find = "" if os.name == "nt" else f"du -xhd1 {shlex.quote(str(existing))} | sort -h"
    return Finding(TOPIC, title, value, REMARK, why, find)


def _writable_command(existing: Path, problem: OSError, variable: str) -> str:
    """Return the command that makes a folder writable, or starts the program once with another one."""
    if os.name == "nt":
        return ""
    path = shlex.quote(str(existing))
    if not existing.is_dir():
        return f"mv {path} {shlex.quote(f'{existing}.old')}"
    if isinstance(problem, PermissionError) and existing.is_relative_to(Path.home()):
        return f'sudo chown -R "$USER" {path} && chmod -R u+rwX {path}'
    return f"{variable}=$(mktemp -d) {invocation.format_command()}"


def check_left_behind(answer: Answer) -> list[Finding]:
    """Report what killed processes left, deleted by now, as a fact. `answer`: to "torch"."""
    gone = [Path(path).name for path in answer.facts.get("left behind", [])]
    if not gone:
        return []
    names = gone[:3] + ([f"{len(gone) - 3} more"] if len(gone) > 3 else [])
    return [Finding(TOPIC, "Left behind", f"{join_names(names)}, deleted")]


def check_models(answer: Answer) -> list[Finding]:
    """Report the models that come with Jinc. `answer`: to "torch"."""
    if "models" not in answer.facts:
        return []
    names, broken = answer.facts["models"]["names"], answer.facts["models"]["broken"]
    if broken:
        value, why = f"missing or damaged: {join_names(list(broken))}", next(iter(broken.values()))
    elif not names:
        value, why = "none", "The window opens empty without them."
    else:
        return [Finding(TOPIC, "Bundled models", ", ".join(names))]
    command = restore_command(*(f"assets/{name}" for name in broken or [""]))
    return [Finding(TOPIC, "Bundled models", value, REMARK, why, command)]


def check_picture(answer: Answer) -> Finding:
    """Report the first picture: a problem unless it was drawn, as what ended the attempt would end the program."""
    title, step, about = "First picture", answer.step, answer.facts.get("picture", {})
    error = answer.facts.get("picture error") or about.get("error")
    if error:
        why = f"A first picture could not be drawn ({as_clause(error)}); this restores or lists what was changed."
        return Finding(TOPIC, title, "not drawn", PROBLEM, why, restore_command())
    if about:
        return Finding(TOPIC, title, f"{about['model']}, read and drawn in {about['seconds']:.1f} s")
    if answer.trouble and step in ("devices", "kernels"):  # these have findings of their own, with what fixes them
        return Finding(TOPIC, title, "not tried", REMARK, f"Before it the look at the {step} {answer.trouble}.")
    what = "The attempt" if step in ("", "picture") else f"Before it the look at {step}"
    why = f"{what} {answer.trouble or 'said nothing'}, and so may the program."
    command = without_kernels_command() if step == "picture" else restore_command()
    return Finding(TOPIC, title, "not drawn", PROBLEM, why, command)


def restore_command(*paths: str) -> str:
    """Return the command that restores these of Jinc's own files; in a checkout without any, one that lists changes."""
    if not (invocation.ROOT / ".git").exists():
        python = invocation.python_command()
        return invocation.quote_words(python, "-m", "pip", "install", "--force-reinstall", "--no-deps", "jinc")
    words = ("checkout", "--", *paths) if paths else ("status", "--short")
    return invocation.quote_words("git", "-C", str(invocation.ROOT), *words)


def _abbreviate(path: Path) -> str:
    """Return a path, where it is below the home folder as ~/..."""
    home = os.path.expanduser("~")
    return f"~{str(path)[len(home) :]}" if str(path).startswith(os.path.join(home, "")) else str(path)
