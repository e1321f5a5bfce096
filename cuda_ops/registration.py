# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Define the operators of the namespace `jinc` for torch's dispatcher.

`torch.library.custom_op` would do this too, but imports torch._dynamo at an operator's first call. That costs every
process 1.5 to 2.5 s, and with a CUDA build of torch it loads triton, which crashes a process that has Mesa's LLVM
(docs/decisions/020-operators-without-dynamo.md).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch

LIBRARY = torch.library.Library("jinc", "DEF")  # the operators live as long as this object


def fall_back_to(reference: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a function of (kernels, *arguments) to call `reference(*arguments)` where it returns None."""

    def decorate(run: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(run)
        def run_or_fall_back(kernels: Any, *arguments: Any) -> Any:
            result = run(kernels, *arguments)
            return reference(*arguments) if result is None else result

        return run_or_fall_back

    return decorate


def define_operator(
    reference: Callable[..., Any],
    *,
    name: str,
    cpu: Callable[..., Any],
    cuda: Callable[..., Any],
    fake: Callable[..., Any],
) -> torch._ops.OpOverload:
    """Define `jinc::name` and return it; without `differentiate` it has no gradient.

    Args:
        reference: runs on every device without kernels; its annotations give the operator's schema.
        name: without the namespace.
        cpu: runs on CPUs.
        cuda: runs on CUDA devices.
        fake: returns an empty result of the right shape, dtype and layout.
    """
    schema = torch.library.infer_schema(reference, mutates_args=())
    LIBRARY.define(f"{name}{schema}", tags=(torch.Tag.pt2_compliant_tag,))
    LIBRARY.impl(name, reference, "CompositeExplicitAutograd")
    LIBRARY.impl(name, cpu, "CPU")
    LIBRARY.impl(name, cuda, "CUDA")
    torch.library.register_fake(f"jinc::{name}", fake, lib=LIBRARY)
    return getattr(torch.ops.jinc, name).default


def differentiate(
    operator: torch._ops.OpOverload, backward: Callable[..., Any], setup_context: Callable[..., None]
) -> None:
    """Give an operator its gradient: both functions as `torch.library.register_autograd` takes them."""
    torch.library.register_autograd(operator.name(), backward, setup_context=setup_context, lib=LIBRARY)
