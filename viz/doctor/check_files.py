# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The doctor on what lies on disk: folders that are written, the window's state, the bundled models, the program."""

from __future__ import annotations

import errno
import os
import re
import shlex
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from gan.files.format import format_bytes
from viz import invocation
from viz.doctor.check_kernels import without_kernels
from viz.doctor.finding import OK, PROBLEM, REMARK, Finding, listed
from viz.doctor.probe import Answer

TOPIC = "Files"
LITTLE_SPACE = 2**30  # bytes: a run of the trainer with its snapshots takes some hundred MB
HALF_WRITTEN = re.compile(r"\.[0-9a-f]{12}\.\w+")  # as gan.files.atomic_write names what it has not finished
LARGE_CACHE = 20 * 2**30  # bytes
ABANDONED = 3600.0  # seconds after which nobody finishes it


def place(title: str, folder: Path, loss: str, command: Callable[[Path, OSError], str], about: str = "") -> Finding:
    """Whether files can be made in a folder (or it can be made), and how much space there is.

    `loss`: what comes of it otherwise, a clause. `command`: what mends it, given the nearest folder that exists.
    `about`: what is in it.
    """
    existing = next((path for path in (folder, *folder.absolute().parents) if os.path.lexists(path)), folder)
    known = ", ".join(filter(None, (short(folder), about)))
    try:
        tempfile.TemporaryFile(dir=existing).close()
        free = shutil.disk_usage(existing).free
    except OSError as problem:
        why = f"{short(existing)} cannot be written ({problem.strerror or problem}): {loss}"
        return Finding(TOPIC, title, known, REMARK, why, command(existing, problem))
    value = f"{known}, {format_bytes(free)} free"
    if free >= LITTLE_SPACE:
        return Finding(TOPIC, title, value)
    why = f"Less than {format_bytes(LITTLE_SPACE)} is free there; this finds what takes the space."
    find = "" if os.name == "nt" else f"du -xhd1 {quoted(existing)} | sort -h"
    return Finding(TOPIC, title, value, REMARK, why, find)


def take_back(existing: Path, problem: OSError, instead: str = "") -> str:
    """The command that makes a folder writable again, or `instead` where the disk itself is not."""
    if problem.errno in (errno.EROFS, errno.ENOSPC, errno.EDQUOT) or os.name == "nt":
        return instead
    if not existing.is_dir():
        return f"mv {quoted(existing)} {quoted(f'{existing}.old')}"
    try:
        mine = existing.stat().st_uid == os.geteuid()
    except OSError:
        return instead
    if not mine and existing.is_relative_to(Path.home()):
        return f'sudo chown -R "$USER" {quoted(existing)}'
    return f"chmod u+rwx {quoted(existing)}" if mine and not os.access(existing, os.W_OK) else instead


def places(settings: Path, answer: Answer) -> list[Finding]:
    """The folders that the program writes. `settings`: of the state. `answer`: to "torch", which knows the caches."""
    found = [
        place(
            "Settings",
            settings,
            "what is set in the window is lost when it closes.",
            lambda existing, problem: take_back(existing, problem, _elsewhere("JINC_CONFIG")),
        )
    ]
    for folder, files, size in answer.facts.get("caches", [])[:1]:
        found.append(
            place(
                "Kernels",
                Path(folder),
                "the CPU kernels are compiled anew by every process.",
                lambda existing, problem: take_back(existing, problem, _elsewhere("XDG_CACHE_HOME")),
                _contents(files, size),
            )
        )
    for folder, files, size in answer.facts.get("caches", [])[1:]:
        found.append(_cache(Path(folder), files, size))
    try:
        temporary = Path(tempfile.gettempdir())
        found.append(place("Temporary files", temporary, "the CPU kernels cannot be compiled.", take_back))
    except OSError:
        why = "No folder for temporary files can be written: the CPU kernels cannot be compiled."
        found.append(Finding(TOPIC, "Temporary files", "none", REMARK, why, "df -h /tmp /var/tmp ."))
    try:
        here = Path.cwd()
    except OSError:
        why = "The folder that you are in was deleted: pictures and runs would have no place."
        return [*found, Finding(TOPIC, "This folder", "gone", REMARK, why, "cd")]
    return [*found, place("This folder", here, "pictures and runs need another place.", lambda *_: "cd")]


def _elsewhere(variable: str) -> str:
    """The command that starts the program with another folder, for once."""
    return "" if os.name == "nt" else f"{variable}=$(mktemp -d) {invocation.command()}"


def _contents(files: int, size: int) -> str:
    return f"{format_bytes(size)} in {files} file{'' if files == 1 else 's'}" if files else "nothing yet"


def _cache(folder: Path, files: int, size: int) -> Finding:
    """Whatever else is kept beside the kernels: the models that were downloaded."""
    title = "Downloads" if folder.name == "models" else folder.name.capitalize()
    value = f"{short(folder)}, {_contents(files, size)}"
    if not size:
        return Finding(TOPIC, title, value)
    why = "This empties it, should the space be needed: what is wanted again is fetched again."
    state = REMARK if size >= LARGE_CACHE else OK
    empty = f'rmdir /s /q "{folder}"' if os.name == "nt" else f"rm -r {quoted(folder)}"
    return Finding(TOPIC, title, value, state, why, empty) if state == REMARK else Finding(TOPIC, title, value)


def left_behind(answer: Answer, others: Sequence[Path]) -> list[Finding]:
    """What killed processes left, which is deleted by now. `others`: what this process deleted."""
    gone = [*map(Path, answer.facts.get("left behind", [])), *others]
    failed = answer.facts.get("left behind error")
    if failed:
        return [Finding(TOPIC, "Left behind", "not known", REMARK, f"It could not be looked for: {failed}.")]
    if not gone:
        return [Finding(TOPIC, "Left behind", "nothing")] if "left behind" in answer.facts else []
    names = listed([path.name for path in gone[:3]] + ([f"{len(gone) - 3} more"] if len(gone) > 3 else []))
    why = f"A process that was killed had left {'it' if len(gone) == 1 else 'them'}; nothing more is to be done."
    return [Finding(TOPIC, "Left behind", f"{names}, deleted", REMARK, why)]


def state(path: Path) -> Finding:
    """The file that brings the window back as it was left."""
    from viz.core import state as states

    if not os.path.lexists(path):
        return Finding(TOPIC, "State", "none yet")
    try:
        states.load(path)
        return Finding(TOPIC, "State", short(path))
    except states.StateError as problem:
        why = str(problem)
        return Finding(
            TOPIC,
            "State",
            "cannot be used",
            REMARK,
            why[:1].upper() + why[1:],
            f"mv {quoted(path)} {quoted(f'{path}.old')}",
        )


def finish_writing(folder: Path) -> list[Path]:
    """Delete what a process that was killed had half written into the folder of the settings."""
    gone = []
    with suppress(OSError):
        for path in folder.iterdir():
            if HALF_WRITTEN.fullmatch(path.name) and time.time() - path.stat().st_mtime > ABANDONED:
                path.unlink()
                gone.append(path)
    return gone


def models(answer: Answer) -> list[Finding]:
    """The models that come with Jinc. `answer`: to "torch"."""
    about = answer.facts.get("models")
    if about is None:
        return []
    if about["broken"]:
        names, error = list(about["broken"]), next(iter(about["broken"].values()))
        again = _anew(*(f"assets/{damaged}" for damaged in names))
        return [Finding(TOPIC, "Bundled models", f"damaged: {listed(names)}", REMARK, error, again)]
    missing = _missing_models()
    if missing and about["names"]:
        again = _anew(*(f"assets/{stem}.safetensors" for stem in missing))
        why = "The window opens without them."
        return [Finding(TOPIC, "Bundled models", f"missing: {listed(missing)}", REMARK, why, again)]
    if not about["names"]:
        why = "The window opens empty without them."
        return [Finding(TOPIC, "Bundled models", "none", REMARK, why, _anew("assets"))]
    return [Finding(TOPIC, "Bundled models", ", ".join(about["names"]))]


def _missing_models() -> list[str]:
    """Names of bundled models whose descriptions are there and whose numbers are not."""
    folder = invocation.ROOT / "assets"
    return sorted(path.stem for path in folder.glob("*.json") if not path.with_suffix(".safetensors").exists())


def program(answer: Answer) -> list[Finding]:
    """Whether the window's own code loads, and draws a first picture. `answer`: to "torch"."""
    facts, found = answer.facts, []
    if "program error" in facts:
        why = f"Jinc's own code cannot be imported ({_clause(facts['program error'])})."
        found.append(_own("Program", "does not load", why, facts.get("program file", "")))
    return [*found, _picture(answer)]


def _picture(answer: Answer) -> Finding:
    """A problem unless it was really drawn: whatever ended the attempt would end the program, too."""
    title, facts = "First picture", answer.facts
    about = facts.get("picture") or {}
    error = facts.get("picture error") or about.get("error")
    if error:
        why = f"A first picture could not be drawn ({_clause(error)})."
        return _own(title, "not drawn", why, facts.get("picture file") or about.get("file", ""))
    if answer.trouble and answer.step in ("devices", "kernels"):  # problems of their own, with what mends them
        why = f"Before it the look at the {answer.step} {answer.trouble}."
        return Finding(TOPIC, title, "not tried", REMARK, why)
    if answer.trouble or not about:
        what = "The attempt" if answer.step in ("", "program", "picture") else f"Before it the look at {answer.step}"
        why = f"{what} {answer.trouble or 'said nothing'}, and so may the program."
        return Finding(TOPIC, title, "not drawn", PROBLEM, why, _around(answer.step))
    return Finding(TOPIC, title, f"{about['model']}, read and drawn in {about['seconds']:.1f} s")


def _clause(error: object) -> str:
    return str(error)[:300].rstrip(".")


def _around(step: str) -> str:
    """The command that goes around, or mends, what ended a step of the child; "" where none is known."""
    if step == "picture":
        return without_kernels()
    if step in ("left behind", "caches"):
        return _elsewhere("XDG_CACHE_HOME")
    return _anew("assets") if step == "models" else ""


def _own(title: str, value: str, why: str, file: str) -> Finding:
    """A problem of Jinc's own `file`, a path from its root, or "" where none is known to be at fault."""
    if file and _is_checkout():
        why += f" The command brings {file} back as it was committed, and changes to it are lost."
    elif _is_checkout():
        why += " The command lists what differs from what was committed."
    return Finding(TOPIC, title, value, PROBLEM, why, _anew(file) if file else _anew())


def _is_checkout() -> bool:
    return (invocation.ROOT / ".git").exists()


def _anew(*paths: str) -> str:
    """The command that brings these of Jinc's own files back and touches no others; in a checkout without any, the one
    that lists what was changed.
    """
    if not _is_checkout():
        return invocation.line(invocation.python(), "-m", "pip", "install", "--force-reinstall", "--no-deps", "jinc")
    words = ("checkout", "--", *paths) if paths else ("status", "--short")
    return invocation.line("git", "-C", str(invocation.ROOT), *words)


def short(path: Path) -> str:
    """A path below the home folder as ~/..."""
    home = os.path.expanduser("~")
    return f"~{str(path)[len(home) :]}" if str(path).startswith(os.path.join(home, "")) else str(path)


def quoted(path: str | os.PathLike[str]) -> str:
    """A path in a command."""
    return shlex.quote(os.fspath(path))
