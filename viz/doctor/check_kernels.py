# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Check the operators: which implementations run, why no faster ones do, and whether a first picture can be drawn."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from viz import invocation
from viz.doctor.finding import PROBLEM, REMARK, Finding, as_clause, install_command, join_names, restore_command
from viz.doctor.probe import Answer

TOPIC, PICTURE = "Operators", "First picture"
SWITCH, CUDA_SWITCH = "JINC_CPU_KERNELS", "JINC_CUDA_KERNELS"  # as in cuda_ops.cpu.loader and .cuda, which import torch


def check_operators(answer: Answer, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """Report what runs on each kind of device; nothing without torch, which has a finding. `answer`: to "torch"."""
    if answer.trouble and answer.step == "kernels":
        why = f"The search for the kernels {answer.trouble}, and so will the program as long as it looks for them."
        return [Finding(TOPIC, "CPU", "not known", PROBLEM, why, without_kernels_command())]
    error = answer.facts.get("kernels error")
    if error:
        return [Finding(TOPIC, "CPU", "not known", REMARK, f"The operators could not be listed: {error}.")]
    rows = answer.facts.get("kernels", [])
    kinds = dict.fromkeys(row[0] for row in rows)
    return [_check_device(kind, [row for row in rows if row[0] == kind], environment) for kind in kinds]


def _check_device(kind: str, rows: list[list[str]], environment: Mapping[str, str]) -> Finding:
    """Report all operators on one kind of device in one line: mostly the same implementation runs all of them."""
    running = {name: implementation for _, name, implementation, _ in rows}
    why = " ".join(dict.fromkeys(reason for *_, reason in rows))
    command = _find_fix(kind, why, "reference" in running.values(), environment)
    if command is None:
        return Finding(TOPIC, kind.upper(), why.rstrip("."))
    groups = {value: [name for name in running if running[name] == value] for value in running.values()}
    value = "; ".join(f"{what} for {join_names(names)}" if len(groups) > 1 else what for what, names in groups.items())
    return Finding(TOPIC, kind.upper(), value, REMARK, why, command)


def _find_fix(kind: str, why: str, is_slow: bool, environment: Mapping[str, str]) -> str | None:
    """Return the command that brings faster operators, "" where none is known, None where nothing is wrong."""
    if kind == "cuda" and is_slow:
        if CUDA_SWITCH in why:
            return _unset_command(CUDA_SWITCH)
        return f"{sys.executable} -m pip install -U cuda-core" if "cuda-core" in why else ""
    if kind != "cpu":
        return None
    if environment.get(SWITCH, "").strip() and SWITCH in why and "from the file that" not in why:
        return _unset_command(SWITCH)
    if environment.get("CXX") and "$CXX" in why:
        return _unset_command("CXX")
    if not is_slow:
        return None
    return "xcode-select --install" if sys.platform == "darwin" else install_command("a C++ compiler")


def check_picture(answer: Answer) -> Finding:
    """Report the first picture: a problem unless it was drawn, as what ended the attempt would end the program."""
    title, step, about = PICTURE, answer.step, answer.facts.get("picture", {})
    error = answer.facts.get("picture error") or about.get("error")
    if error:
        why = f"A first picture could not be drawn ({as_clause(error)}); this restores or lists what was changed."
        return Finding(TOPIC, title, "not drawn", PROBLEM, why, restore_command())
    if about:
        return Finding(TOPIC, title, f"{about['model']}, read and drawn in {about['seconds']:.1f} s")
    if answer.trouble and step in ("devices", "kernels"):  # these have findings of their own, with what fixes them
        return Finding(TOPIC, title, "not tried", REMARK, f"Before it the look at the {step} {answer.trouble}.")
    why = f"The attempt {answer.trouble or 'said nothing'}, and so may the program."
    return Finding(TOPIC, title, "not drawn", PROBLEM, why, without_kernels_command())


def without_kernels_command() -> str:
    """Return the command that starts the program on torch alone; on Windows the one to be given before that."""
    return f"set {SWITCH}=off" if os.name == "nt" else f"{SWITCH}=off {invocation.format_command()}"


def _unset_command(name: str) -> str:
    return f"set {name}=" if os.name == "nt" else f"unset {name}"
