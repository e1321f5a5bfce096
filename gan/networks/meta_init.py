# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Build networks without allocating them, to compare names and shapes with a file's first."""

import math
from collections.abc import Callable, Container, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

FACTORIES = (torch.zeros, torch.ones, torch.empty, torch.randn, torch.rand)
ELEMENTWISE = {"mul", "div", "sub", "add", "square", "sqrt", "rsqrt", "exp", "pow", "neg", "__pow__"}
ELEMENTWISE |= {f"__{side}{name}__" for side in ("", "r") for name in ("mul", "truediv", "sub", "add")}


class MetaInit(TorchFunctionMode):
    """A context in which new tensors are on "meta", with shapes and no numbers; those from numpy stay real.

    torch.device("meta") does the same, but torch computes the shapes of arithmetic there in Python: at the first
    operation it imports 800 modules, which takes one to three seconds. Operations unknown here still do that.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        if func in FACTORIES:
            size = args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args
            return torch.empty(tuple(size), device="meta")
        if func is torch.eye:
            return torch.empty((args[0], args[0]), device="meta")
        if func is torch.full:
            return torch.empty(tuple(args[0]), device="meta")
        if func is torch.tensor:
            return torch.empty(np.shape(args[0]), device="meta")
        if not any(isinstance(value, Tensor) and value.is_meta for value in args):
            return func(*args, **kwargs)
        if name in ELEMENTWISE:
            shapes = [value.shape for value in args if isinstance(value, Tensor)]
            return torch.empty(np.broadcast_shapes(*shapes), device="meta")
        if name == "outer":
            return torch.empty((args[0].numel(), args[1].numel()), device="meta")
        if name == "sum" and set(kwargs) <= {"dim", "keepdim"} and len(args) == 1:
            return torch.empty(_sum_shape(args[0].shape, **kwargs), device="meta")
        return func(*args, **kwargs)


def _sum_shape(shape: Sequence[int], dim: int | Sequence[int] | None = None, keepdim: bool = False) -> tuple[int, ...]:
    """Return the shape of a sum."""
    axes = range(len(shape)) if dim is None else [dim] if isinstance(dim, int) else dim
    reduced = {axis % len(shape) for axis in axes}
    return tuple(1 if i in reduced else n for i, n in enumerate(shape) if keepdim or i not in reduced)


def count_bytes(network: torch.nn.Module, without: Container[str] = ()) -> int:
    """Return the bytes that a network's parameters and buffers take, or would take, but for those named."""
    found = (tensor for name, tensor in network.state_dict().items() if name not in without)
    return sum(math.prod(tensor.shape) * tensor.element_size() for tensor in found)
