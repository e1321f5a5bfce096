# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Tell which implementation of each operator runs, and why not a faster one."""

from dataclasses import dataclass

from cuda_ops.cpu import loader as cpu
from cuda_ops.cuda import loader as cuda

OPERATORS = ("bias_act", "upfirdn2d", "filtered_lrelu")


@dataclass(frozen=True)
class OperatorStatus:
    """An operator, the implementation that runs when it is called, and the reason."""

    name: str
    implementation: str  # "reference", the name of the kernels that override it, or "undecided" (see status)
    reason: str  # one sentence for a person


def status(device: str = "cpu", *, wait: bool = True) -> tuple[OperatorStatus, ...]:
    """Return a row for each operator: what runs when it is called on `device`, and why.

    The kernels are looked for first, as by an operator's first call, which may compile them for some seconds. With
    `wait=False` the answer comes at once; until an operator has run, it is "undecided".
    """
    kind = device.partition(":")[0]
    if wait and kind == "cpu":
        cpu.load_library()
    implementation, reason = "reference", f"There are no kernels for {kind} yet: the torch reference runs."
    if kind == "cpu":
        reason = cpu.explain()
        if variant := cpu.variant():
            implementation = f"C++ ({variant})"
        elif not cpu.is_decided():
            implementation = "undecided"
    elif kind == "cuda":
        reason = cuda.explain(device, wait)
        if reason == cuda.NOT_YET:
            implementation = "undecided"
        elif not reason.startswith(cuda.REFERENCE):
            implementation = f"CUDA (sm_{cuda.architecture(device)})"
    return tuple(OperatorStatus(name, implementation, reason) for name in OPERATORS)
