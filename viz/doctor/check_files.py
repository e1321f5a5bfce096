# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Check what lies on disk: the folders written to, the window's state, the bundled models, the program's own code."""

from __future__ import annotations

import errno
import os
import re
import shlex
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from gan.files.format import format_bytes
from viz import invocation
from viz.doctor.check_kernels import without_kernels_command
from viz.doctor.finding import PROBLEM, REMARK, Finding, as_clause, join_names
from viz.doctor.probe import Answer

TOPIC = "Files"
LITTLE_SPACE = 2**30  # bytes: a run of the trainer with its snapshots takes some hundred MB
LARGE_CACHE = 20 * 2**30  # bytes
HALF_WRITTEN = re.compile(r"\.[0-9a-f]{12}\.\w+")  # as gan.files.atomic_write names what it has not finished
ABANDONED_SECONDS = 3600.0  # after which no process will finish it


def check_folders(settings: Path, answer: Answer) -> list[Finding]:
    """Report the folders that the program writes. `settings`: the state's. `answer`: to "torch", with the caches."""
    found = [_check_folder("Settings", settings, "what is set in the window is lost when it closes.", "JINC_CONFIG")]
    for number, (folder, files, size) in enumerate(answer.facts.get("caches", [])):
        contents = f"{format_bytes(size)} in {files} file{'' if files == 1 else 's'}" if files else "nothing yet"
        if number:
            found.append(_check_cache(Path(folder), contents, size))
        else:
            loss = "the CPU kernels are compiled anew by every process."
            found.append(_check_folder("Kernels", Path(folder), loss, "XDG_CACHE_HOME", contents))
    try:
        loss = "the CPU kernels cannot be compiled."
        found.append(_check_folder("Temporary files", Path(tempfile.gettempdir()), loss))
    except OSError:
        why = f"No folder for temporary files can be written: {loss}"
        found.append(Finding(TOPIC, "Temporary files", "none", REMARK, why, "df -h /tmp /var/tmp ."))
    try:
        found.append(_check_folder("This folder", Path.cwd(), "pictures and runs need another place.", command="cd"))
    except OSError:
        why = "The folder that you are in was deleted: pictures and runs would have no place."
        found.append(Finding(TOPIC, "This folder", "gone", REMARK, why, "cd"))
    return found


def _check_folder(
    title: str, folder: Path, loss: str, variable: str = "", contents: str = "", command: str = ""
) -> Finding:
    """Report whether files can be made in a folder (or it can be made), and how much space there is.

    `loss`: what comes of it otherwise, a clause. `variable`: names another folder for it. `command`: fixes it.
    """
    existing = next((path for path in (folder, *folder.absolute().parents) if os.path.lexists(path)), folder)
    known = ", ".join(filter(None, (_abbreviate(folder), contents)))
    try:
        tempfile.TemporaryFile(dir=existing).close()
        free = shutil.disk_usage(existing).free
    except OSError as problem:
        why = f"{_abbreviate(existing)} cannot be written ({problem.strerror or problem}): {loss}"
        command = command or writable_command(existing, problem, _elsewhere_command(variable))
        return Finding(TOPIC, title, known, REMARK, why, command)
    value = f"{known}, {format_bytes(free)} free"
    if free >= LITTLE_SPACE:
        return Finding(TOPIC, title, value)
    why = f"Less than {format_bytes(LITTLE_SPACE)} is free there; this finds what takes the space."
    find = "" if os.name == "nt" else f"du -xhd1 {shlex.quote(str(existing))} | sort -h"
    return Finding(TOPIC, title, value, REMARK, why, find)


def writable_command(existing: Path, problem: OSError, instead: str = "") -> str:
    """Return the command that makes a folder writable again, or `instead` where the disk itself is not."""
    if problem.errno in (errno.EROFS, errno.ENOSPC, errno.EDQUOT) or os.name == "nt":
        return instead
    if not existing.is_dir():
        return _set_aside_command(existing)
    try:
        mine = existing.stat().st_uid == os.geteuid()
    except OSError:
        return instead
    if not mine and existing.is_relative_to(Path.home()):
        return f'sudo chown -R "$USER" {shlex.quote(str(existing))}'
    return f"chmod u+rwx {shlex.quote(str(existing))}" if mine and not os.access(existing, os.W_OK) else instead


def _set_aside_command(path: Path) -> str:
    return f"mv {shlex.quote(str(path))} {shlex.quote(f'{path}.old')}"


def _elsewhere_command(variable: str) -> str:
    """Return the command that starts the program once with another folder."""
    return f"{variable}=$(mktemp -d) {invocation.format_command()}" if variable and os.name != "nt" else ""


def _check_cache(folder: Path, contents: str, size: int) -> Finding:
    """Report a folder beside the kernels: the downloaded models."""
    title = "Downloads" if folder.name == "models" else folder.name.capitalize()
    value = f"{_abbreviate(folder)}, {contents}"
    if size < LARGE_CACHE:
        return Finding(TOPIC, title, value)
    why = "This empties it if you need the space: what is wanted again is downloaded again."
    empty = f'rmdir /s /q "{folder}"' if os.name == "nt" else f"rm -r {shlex.quote(str(folder))}"
    return Finding(TOPIC, title, value, REMARK, why, empty)


def check_state(path: Path) -> list[Finding]:
    """Report the file that brings the window back as it was left, where it cannot be used."""
    from viz.core import state as states

    try:
        if os.path.lexists(path):
            states.load(path)
        return []
    except states.StateError as problem:
        why = str(problem)
        why = why[:1].upper() + why[1:]
        return [Finding(TOPIC, "State", "cannot be used", REMARK, why, _set_aside_command(path))]


def delete_half_written(folder: Path) -> list[Path]:
    """Delete what a killed process had half written into the folder of the settings; return its paths."""
    gone = []
    with suppress(OSError):
        for path in folder.iterdir():
            if HALF_WRITTEN.fullmatch(path.name) and time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink()
                gone.append(path)
    return gone


def check_left_behind(answer: Answer, others: Sequence[Path]) -> list[Finding]:
    """Report what killed processes left, deleted by now, as a fact. `others`: what this process deleted."""
    gone = [path.name for path in [*map(Path, answer.facts.get("left behind", [])), *others]]
    if not gone and "left behind" not in answer.facts:
        return []
    names = gone[:3] + ([f"{len(gone) - 3} more"] if len(gone) > 3 else [])
    return [Finding(TOPIC, "Left behind", f"{join_names(names)}, deleted" if gone else "nothing")]


def check_models(answer: Answer) -> list[Finding]:
    """Report the models that come with Jinc. `answer`: to "torch"."""
    about = answer.facts.get("models")
    if about is None:
        return []
    broken, names = about["broken"], about["names"]
    # Their descriptions are there and their weights are not.
    described = sorted((invocation.ROOT / "assets").glob("*.json"))
    missing = [path.stem for path in described if not path.with_suffix(".safetensors").exists()]
    if broken:
        value, why, paths = f"damaged: {join_names(list(broken))}", next(iter(broken.values())), list(broken)
    elif not names:
        value, why, paths = "none", "The window opens empty without them.", [""]
    elif missing:
        value, why = f"missing: {join_names(missing)}", "The window opens without them."
        paths = [f"{stem}.safetensors" for stem in missing]
    else:
        return [Finding(TOPIC, "Bundled models", ", ".join(names))]
    command = restore_command(*(f"assets/{path}".rstrip("/") for path in paths))
    return [Finding(TOPIC, "Bundled models", value, REMARK, why, command)]


def check_program(answer: Answer) -> list[Finding]:
    """Report whether the window's own code loads, and draws a first picture. `answer`: to "torch"."""
    found = []
    if "program error" in answer.facts:
        why = f"Jinc's own code cannot be imported ({as_clause(answer.facts['program error'])})."
        found.append(_report_own("Program", "does not load", why, answer.facts.get("program file", "")))
    return [*found, _check_picture(answer)]


def _check_picture(answer: Answer) -> Finding:
    """Report the first picture: a problem unless it was drawn, as what ended the attempt would end the program."""
    title, step, facts = "First picture", answer.step, answer.facts
    about = facts.get("picture") or {}
    error = facts.get("picture error") or about.get("error")
    if error:
        why = f"A first picture could not be drawn ({as_clause(error)})."
        return _report_own(title, "not drawn", why, facts.get("picture file") or about.get("file", ""))
    if answer.trouble and step in ("devices", "kernels"):  # these have findings of their own, with what fixes them
        return Finding(TOPIC, title, "not tried", REMARK, f"Before it the look at the {step} {answer.trouble}.")
    if answer.trouble or not about:
        what = "The attempt" if step in ("", "program", "picture") else f"Before it the look at {step}"
        why = f"{what} {answer.trouble or 'said nothing'}, and so may the program."
        command = {
            "picture": without_kernels_command(),
            "left behind": _elsewhere_command("XDG_CACHE_HOME"),
            "caches": _elsewhere_command("XDG_CACHE_HOME"),
            "models": restore_command("assets"),
        }.get(step, "")
        return Finding(TOPIC, title, "not drawn", PROBLEM, why, command)
    return Finding(TOPIC, title, f"{about['model']}, read and drawn in {about['seconds']:.1f} s")


def _report_own(title: str, value: str, why: str, file: str) -> Finding:
    """Report a problem of Jinc's own `file`, a path from its root, or "" where none is known to be at fault."""
    if _is_checkout():
        restores = f"restores {file} as it was committed, and changes to it are lost"
        why += f" The command {restores if file else 'lists what differs from what was committed'}."
    return Finding(TOPIC, title, value, PROBLEM, why, restore_command(*filter(None, [file])))


def _is_checkout() -> bool:
    return (invocation.ROOT / ".git").exists()


def restore_command(*paths: str) -> str:
    """Return the command that restores these of Jinc's own files; in a checkout without any, one that lists changes."""
    if not _is_checkout():
        python = invocation.python_command()
        return invocation.quote_words(python, "-m", "pip", "install", "--force-reinstall", "--no-deps", "jinc")
    words = ("checkout", "--", *paths) if paths else ("status", "--short")
    return invocation.quote_words("git", "-C", str(invocation.ROOT), *words)


def _abbreviate(path: Path) -> str:
    """Return a path, where it is below the home folder as ~/..."""
    home = os.path.expanduser("~")
    return f"~{str(path)[len(home) :]}" if str(path).startswith(os.path.join(home, "")) else str(path)
