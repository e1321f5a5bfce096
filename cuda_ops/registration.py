# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Define the operators of the namespace `jinc` for torch's dispatcher.

`torch.library.custom_op` would do this too, but imports torch._dynamo at an operator's first call. That costs every
process 1.5 to 2.5 s, and with a CUDA build of torch it loads triton, which crashes a process that has Mesa's LLVM
(docs/decisions/020-operators-without-dynamo.md).
"""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import torch

from cuda_ops.cpu import bindings as cpu_kernels
from cuda_ops.cuda import bindings as cuda_kernels

LIBRARY = torch.library.Library("jinc", "DEF")  # the operators live as long as this object


def define_operator(
    reference: Callable[..., Any], by_kernels: Callable[..., Any], fake: Callable[..., Any]
) -> torch._ops.OpOverload:
    """Define `jinc::NAME` by its `NAME_reference` and return it; without `differentiate` it has no gradient.

    Args:
        reference: runs where there are no kernels; its annotations give the operator's schema.
        by_kernels: takes a module of kernels before the arguments; returns None where they do not support the call.
        fake: returns an empty result of the right shape, dtype and layout.
    """

    def run(kernels: ModuleType, *arguments: Any) -> Any:
        result = by_kernels(kernels, *arguments)
        return reference(*arguments) if result is None else result

    name = reference.__name__.removesuffix("_reference")
    LIBRARY.define(
        f"{name}{torch.library.infer_schema(reference, mutates_args=())}", tags=(torch.Tag.pt2_compliant_tag,)
    )
    LIBRARY.impl(name, reference, "CompositeExplicitAutograd")
    LIBRARY.impl(name, partial(run, cpu_kernels), "CPU")
    LIBRARY.impl(name, partial(run, cuda_kernels), "CUDA")
    torch.library.register_fake(f"jinc::{name}", fake, lib=LIBRARY)
    return getattr(torch.ops.jinc, name).default


def differentiate(
    operator: torch._ops.OpOverload, backward: Callable[..., Any], setup_context: Callable[..., None]
) -> None:
    """Give an operator its gradient: both functions as `torch.library.register_autograd` takes them."""
    torch.library.register_autograd(operator.name(), backward, setup_context=setup_context, lib=LIBRARY)
