# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Small runs of the trainer, batches of noise, and all numbers that decide a run's future."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gan.networks.config import DiscriminatorConfig
from gan.networks.ladder import rung_config
from gan.networks.precision import NUM_FP16_RES
from train.config import TrainConfig
from train.state import TrainState


def small_config(name: str, **others: Any) -> TrainConfig:
    """Return a run of 16x16 that takes milliseconds a step and visits every phase within three."""
    skip = name in "ABC"
    layers = {"num_layers": 4} if name in "TR" else {}
    generator = rung_config(name, 16, channel_base=64, channel_max=8, z_dim=8, w_dim=8, mapping_layers=2, **layers)
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
        "style_mixing": 0.9 if skip else 0.0,
        "blur_sigma": 1.0 if name == "R" else 0.0,
        "blur_images": 100,
    }
    return TrainConfig(**{**fields, **others})


def batch(index: int) -> torch.Tensor:
    return torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(index)) * 2 - 1


def bits(state: TrainState) -> dict[str, torch.Tensor]:
    """Return everything that decides the future of a run."""
    found = {"pl_mean": state.pl_mean, "rng": torch.get_rng_state()}
    for name, network in state.networks.items():
        found |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
    for name, optimizer in state.optimizers.items():
        for index, entry in optimizer.state_dict()["state"].items():
            found |= {f"{name}.{index}.{key}": value for key, value in entry.items()}
    return {key: value.clone() for key, value in found.items()}


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
