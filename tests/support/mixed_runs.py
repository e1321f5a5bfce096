# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Runs of 16x16 in mixed precision, all that decides their future, and the types that they compute in."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gan.networks.config import DiscriminatorConfig
from gan.networks.ladder import rung
from gan.networks.precision import HALF
from train.config import TrainConfig


def small(name: str, half: int = HALF, **others: Any) -> TrainConfig:
    """A run of 16x16 whose 16 and 8 are float16, and that visits every phase within three steps."""
    skip = name in "ABC"
    layers = {"num_layers": 4} if name in "TR" else {}
    generator = rung(name, 16, channel_base=64, channel_max=8, z_dim=8, w_dim=8, mapping_layers=2, **layers)
    fields: dict[str, Any] = {
        "generator": generator,
        "discriminator": DiscriminatorConfig(resolution=16, channel_base=64, channel_max=8),
        "data": "set",
        "data_name": "set",
        "data_images": 10,
        "data_digest": "",
        "total_images": 1000,
        "batch": 4,
        "gamma": 1.0,
        "r1_interval": 3,
        "pl_interval": 2,
        "pl_weight": 2.0 if skip else 0.0,
        "half": half,
        "style_mixing": 0.9 if skip else 0.0,
        "blur_sigma": 1.0 if name == "R" else 0.0,
        "blur_images": 100,
    }
    return TrainConfig(**{**fields, **others})


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
