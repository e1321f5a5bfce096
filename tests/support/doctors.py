# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Simulated answers, and a user whose commands are known, for the doctor's tests."""

import os
import sys
from typing import Any

import pytest

from support.paths import ROOT
from viz.doctor import check_python, finding
from viz.doctor.finding import Finding
from viz.doctor.probe import Answer

HAVE = dict.fromkeys(check_python.MODULES, "1.2")
POSIX = pytest.mark.skipif(os.name == "nt", reason="paths and commands of POSIX systems")
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what is installed by apt, dnf and pacman")


def answer(trouble: str = "", step: str = "", noise: tuple[str, ...] = (), **facts: Any) -> Answer:
    """Return a child's answer; of a fact whose name ends in _error, the underscore stands for a space."""
    spaced = {name.replace("_error", " error"): fact for name, fact in facts.items()}
    return Answer(spaced, trouble, step, noise)


def rows(implementation: str, reason: str, kind: str = "cpu") -> list[list[str]]:
    """Return what a child says of the operators."""
    return [[kind, name, implementation, reason] for name in ("bias_act", "upfirdn2d", "filtered_lrelu")]


def in_venv(monkeypatch: pytest.MonkeyPatch) -> str:
    """Simulate a user of a checkout with the .venv that make made; return how they call its Python."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "prefix", str(ROOT / ".venv"))
    monkeypatch.setattr(sys, "executable", str(ROOT / ".venv" / "bin" / "python"))
    return os.path.join(".venv", "bin", "python")


def manager(monkeypatch: pytest.MonkeyPatch, name: str, user: int = 1000) -> None:
    """Simulate a Linux whose packages this program installs."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(finding.shutil, "which", lambda program: f"/bin/{program}" if program == name else None)
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)


def the(found: list[Finding], title: str) -> Finding:
    """Return the one finding of this title."""
    (one,) = [one for one in found if one.title == title]
    return one
