# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Which implementation of each operator runs, and why not a faster one."""

from dataclasses import dataclass

from cuda_ops import cpu

OPERATORS = ("bias_act", "upfirdn2d", "filtered_lrelu")


@dataclass(frozen=True)
class OperatorStatus:
    """What runs when an operator is called."""

    name: str
    implementation: str  # "reference", or the name of the kernels that override it
    reason: str  # one sentence for a person


def status(device: str = "cpu") -> tuple[OperatorStatus, ...]:
    """One row an operator, as things stand now: the CPU kernels are looked for at their first use, not by asking."""
    return tuple(_row(name, device) for name in OPERATORS)


def _row(name: str, device: str) -> OperatorStatus:
    if device != "cpu":
        return OperatorStatus(name, "reference", f"There are no kernels for {device} yet: the torch reference runs.")
    variant = cpu.variant()
    return OperatorStatus(name, f"C++ ({variant})" if variant else "reference", cpu.reason())
