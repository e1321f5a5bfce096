# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What the doctor's tests share: played answers, and a user whose commands are known."""

import os
import sys
from typing import Any

import pytest

from support.paths import ROOT
from viz.doctor import check_python, finding
from viz.doctor.finding import Finding
from viz.doctor.probe import Answer

WANTED, PINS = check_python.requirements(), check_python.tested()
HAVE = {name: PINS[name.lower()] for name in check_python.MODULES}
POSIX = pytest.mark.skipif(os.name == "nt", reason="paths and commands of POSIX systems")
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what is installed by apt, dnf and pacman")


def answer(trouble: str = "", step: str = "", noise: tuple[str, ...] = (), **facts: Any) -> Answer:
    """A child's answer; of a fact whose name ends in _error, the underscore stands for a space."""
    spaced = {name.replace("_error", " error"): fact for name, fact in facts.items()}
    return Answer(spaced, trouble, step, noise)


def rows(implementation: str, reason: str, kind: str = "cpu") -> list[list[str]]:
    """What a child says of the operators."""
    return [[kind, name, implementation, reason] for name in ("bias_act", "upfirdn2d", "filtered_lrelu")]


def in_venv(monkeypatch: pytest.MonkeyPatch) -> str:
    """A user in a checkout, by the .venv that make made; returns how they call its Python."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "prefix", str(ROOT / ".venv"))
    monkeypatch.setattr(sys, "executable", str(ROOT / ".venv" / "bin" / "python"))
    return os.path.join(".venv", "bin", "python")


def manager(monkeypatch: pytest.MonkeyPatch, name: str, user: int = 1000) -> None:
    """A Linux whose packages this program brings."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(finding.shutil, "which", lambda program: f"/bin/{program}" if program == name else None)
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)


def the(found: list[Finding], title: str) -> Finding:
    """The one finding of this title."""
    (one,) = [one for one in found if one.title == title]
    return one
