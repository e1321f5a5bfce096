# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A finding of the doctor, and the wording and install commands that all checks share."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass

from viz import invocation

OK, REMARK, PROBLEM = "ok", "remark", "problem"

# What may be missing on Linux -> its packages on Debian and Ubuntu, on Fedora, on Arch.
MANAGERS = (("apt", "apt install"), ("dnf", "dnf install"), ("pacman", "pacman -S"))
PACKAGES = {
    "libX11": ("libx11-6", "libX11", "libx11"),
    "libEGL": ("libegl1", "mesa-libEGL", "libglvnd"),
    "libGL": ("libgl1", "mesa-libGL", "libglvnd"),
    "libGLESv2": ("libgles2", "libglvnd-gles", "libglvnd"),
    "libgomp": ("libgomp1", "libgomp", "gcc-libs"),
    "libstdc++": ("libstdc++6", "libstdc++", "gcc-libs"),
    "Mesa's drivers": ("libgl1-mesa-dri", "mesa-dri-drivers", "mesa"),
    "XWayland": ("xwayland", "xorg-x11-server-Xwayland", "xorg-xwayland"),
    "a C++ compiler": ("g++", "gcc-c++", "gcc"),
    "a file dialog": ("zenity", "zenity", "zenity"),
    "East Asian letters": ("fonts-noto-cjk", "google-noto-sans-cjk-vf-fonts", "noto-fonts-cjk"),
}


@dataclass(frozen=True)
class Finding:
    """One line of the report. A problem keeps the program from running; a remark is what could be better."""

    topic: str  # the heading that it stands under
    title: str
    value: str
    state: str = OK  # "ok", "remark" or "problem"
    explanation: str = ""  # one sentence
    command: str = ""  # the one that fixes it, or in a remark the one that works instead


def install_command(*wanted: str) -> str:
    """Return the command that installs these names of PACKAGES, "" where the system's package manager is not known."""
    if not sys.platform.startswith("linux"):
        return ""
    for column, (program, command) in enumerate(MANAGERS):
        if shutil.which(program):
            names = dict.fromkeys(PACKAGES[name][column] for name in wanted)
            return " ".join(["sudo" if os.geteuid() else "", command, *names]).strip()
    return ""


def restore_command(*paths: str) -> str:
    """Return the command that restores these of Jinc's own files; in a checkout without any, one that lists changes."""
    if not (invocation.ROOT / ".git").exists():
        python = invocation.python_command()
        return invocation.quote_words(python, "-m", "pip", "install", "--force-reinstall", "--no-deps", "jinc")
    words = ("checkout", "--", *paths) if paths else ("status", "--short")
    return invocation.quote_words("git", "-C", str(invocation.ROOT), *words)


def join_names(names: list[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def as_clause(error: object) -> str:
    """Return the text of an error as a part of a sentence: at most 300 characters, without a full stop."""
    return str(error).strip()[:300].rstrip(".")
