# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Batches of noise, and everything that decides the future of a run."""

import torch

from train.state import TrainState


def batch(index: int) -> torch.Tensor:
    return torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(index)) * 2 - 1


def bits(state: TrainState) -> dict[str, torch.Tensor]:
    """Everything that decides the future of a run."""
    found = {"pl_mean": state.pl_mean, "rng": torch.get_rng_state()}
    for name in ("generator", "discriminator", "ema"):
        found |= {f"{name}.{key}": value for key, value in state.network(name).state_dict().items()}
    for name, optimizer in state.optimizers.items():
        for index, entry in optimizer.state_dict()["state"].items():
            found |= {f"{name}.{index}.{key}": value for key, value in entry.items()}
    return {key: value.clone() for key, value in found.items()}
