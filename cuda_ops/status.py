# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Which implementation of each operator runs, and why not a faster one."""

from dataclasses import dataclass

from cuda_ops import cpu

OPERATORS = ("bias_act", "upfirdn2d", "filtered_lrelu")


@dataclass(frozen=True)
class OperatorStatus:
    """What runs when an operator is called."""

    name: str
    implementation: str  # "reference", the name of the kernels that override it, or "undecided" (see status)
    reason: str  # one sentence for a person


def status(device: str = "cpu", *, wait: bool = True) -> tuple[OperatorStatus, ...]:
    """One row an operator: what runs when it is called on `device`.

    The CPU kernels are looked for first, as by an operator's first call, which may compile them for some seconds. With
    `wait=False` nothing is looked for and the answer comes at once; until an operator has run, it is "undecided".
    """
    if wait and device == "cpu":
        cpu.library()
    return tuple(_row(name, device) for name in OPERATORS)


def _row(name: str, device: str) -> OperatorStatus:
    if device != "cpu":
        return OperatorStatus(name, "reference", f"There are no kernels for {device} yet: the torch reference runs.")
    variant = cpu.variant()
    implementation = f"C++ ({variant})" if variant else "reference" if cpu.decided() else "undecided"
    return OperatorStatus(name, implementation, cpu.reason())
