# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Which implementation of each operator runs, and why not a faster one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class OperatorStatus:
    """What runs when an operator is called."""

    name: str
    implementation: str  # "reference", or the name of the kernels that override it
    reason: str  # one sentence for a person


def status() -> tuple[OperatorStatus, ...]:
    """One row an operator. Every device runs the reference until a kernel is registered over it."""
    reason = "This version has no compiled kernels, so the operator's definition in torch runs, on every device."
    return tuple(OperatorStatus(name, "reference", reason) for name in ("bias_act", "upfirdn2d", "filtered_lrelu"))
