# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Runs of 16x16 in mixed precision, and the types that they compute in."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gan.networks.precision import NUM_FP16_RES
from support.steps import small_config
from train.config import TrainConfig


def small(name: str, num_fp16_res: int = NUM_FP16_RES, **others: Any) -> TrainConfig:
    """Return a run of 16x16 whose 16 and 8 are float16, and that visits every phase within three steps."""
    return small_config(name, num_fp16_res=num_fp16_res, **others)


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[key]) for key, value in one.items())


class Types(TorchDispatchMode):
    """The types that convolutions, forward and backward, get, as (operator, type)."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[str, torch.dtype]] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func).removeprefix("aten.").split(".")[0]
        if name.startswith("convolution"):
            self.seen.add((name, args[0].dtype))
        return func(*args, **(kwargs or {}))
