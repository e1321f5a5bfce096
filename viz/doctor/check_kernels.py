# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The doctor on the operators: which implementations run, why not faster ones, and what was compiled for them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from viz import invocation
from viz.doctor.finding import PROBLEM, REMARK, Finding, install, listed
from viz.doctor.probe import Answer

TOPIC = "Operators"
SWITCH, CUDA_SWITCH = "JINC_CPU_KERNELS", "JINC_CUDA_KERNELS"  # as in cuda_ops.cpu.loader and .cuda, which import torch


def operators(answer: Answer, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """What runs on each kind of device. `answer`: to "torch"."""
    rows = answer.facts.get("kernels")
    if not rows:
        why = str(answer.facts.get("kernels error", ""))
        if answer.trouble and answer.step == "kernels":
            why = f"The search for the kernels {answer.trouble}, and so will the program as long as it looks for them."
            return [Finding(TOPIC, "CPU", "not known", PROBLEM, why, without_kernels())]
        if not why:
            return [Finding(TOPIC, "CPU", "not looked at", REMARK, "Without torch none of them runs.")]
        return [Finding(TOPIC, "CPU", "not known", REMARK, f"What runs could not be found out: {why}.")]
    return [
        _device(kind, [row for row in rows if row[0] == kind], answer, environment)
        for kind in dict.fromkeys(row[0] for row in rows)
    ]


def _device(kind: str, rows: list[list[str]], answer: Answer, environment: Mapping[str, str]) -> Finding:
    """All operators on one kind of device: mostly the same runs all of them."""
    running = {name: implementation for _, name, implementation, _ in rows}
    reasons = list(dict.fromkeys(reason for *_, reason in rows))
    groups = {value: [name for name in running if running[name] == value] for value in dict.fromkeys(running.values())}
    value = "; ".join(f"{what} for {listed(names)}" if len(groups) > 1 else what for what, names in groups.items())
    title = {"cpu": "CPU", "cuda": "CUDA", "mps": "MPS"}.get(kind, kind)
    why = " ".join(reasons)
    if kind == "cuda" and "reference" in running.values():
        if CUDA_SWITCH in why:
            return Finding(TOPIC, title, value, REMARK, why, _unset(CUDA_SWITCH))
        command = f"{sys.executable} -m pip install cuda-core" if "cuda-core" in why else ""
        return Finding(TOPIC, title, value, REMARK, why, command)
    if kind != "cpu":
        return Finding(TOPIC, title, why.rstrip("."))
    switch = environment.get(SWITCH, "").strip()
    if switch and SWITCH in why and "from the file that" not in why:
        return Finding(TOPIC, title, value, REMARK, why, _unset(SWITCH))
    if environment.get("CXX") and "$CXX" in why:
        return Finding(TOPIC, title, value, REMARK, why, _unset("CXX"))
    if "reference" not in running.values():
        return Finding(TOPIC, title, why.rstrip("."))
    return Finding(TOPIC, title, value, REMARK, why, compiler_command())


def compiler_command() -> str:
    """The command that installs a C++ compiler; on Windows none was tried."""
    return "xcode-select --install" if sys.platform == "darwin" else install("a C++ compiler")


def without_kernels() -> str:
    """The command that starts the program on torch alone; on Windows the one to be given before that."""
    return f"set {SWITCH}=off" if os.name == "nt" else f"{SWITCH}=off {invocation.command()}"


def _unset(name: str) -> str:
    return f"set {name}=" if os.name == "nt" else f"unset {name}"


def compiler(answer: Answer) -> list[Finding]:
    """The C++ compiler that would be taken. That there is none matters only where kernels are missing."""
    found = answer.facts.get("compilers")
    if found is None:
        return []
    value = found[0].partition(": ")[2] if found else "none"
    return [Finding(TOPIC, "Compiler", value)]
