# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Tensors that a foreign file may lack, computed from the rest of our network (`Network.absent`), always the same."""

import math
from collections.abc import Callable, Container
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

Compute = Callable[[nn.Module], Tensor]
AVERAGE_SEED, AVERAGE_LATENTS = 0, 10_000
MAX_AVERAGE_NUMBERS, MAX_BATCH_NUMBERS = 2**27, 2**18  # of all latents of an average, and of those mapped at once


def list_noise_layers(resolution: int) -> list[str]:
    """Return the names of a StyleGAN2's layers with noise, in the order of their planes."""
    sizes = [2**power for power in range(3, int(math.log2(resolution)) + 1)]
    return ["b4.conv1", *(f"b{size}.{conv}" for size in sizes for conv in ("conv0", "conv1"))]


def find_absent(tensors: Container[str], resolution: int, noise: bool = True) -> dict[str, Compute]:
    """Return what a StyleGAN2 lacks of noise planes and average w, each name with the call that computes it."""
    planes = enumerate(list_noise_layers(resolution) if noise else ())
    found: dict[str, Compute] = {
        f"synthesis.{layer}.noise_const": partial(draw_noise, layer, plane) for plane, layer in planes
    }
    found["mapping.w_avg"] = average_w
    return {name: compute for name, compute in found.items() if name not in tensors}


def draw_noise(layer: str, plane: int, ours: nn.Module) -> Tensor:
    """Return a layer's plane of noise; `plane`, its number, is the seed."""
    shape = ours.get_buffer(f"synthesis.{layer}.noise_const").shape
    return torch.from_numpy(np.random.RandomState(plane).randn(*shape)).float()


@torch.no_grad()
def average_w(ours: nn.Module) -> Tensor:
    """Return the mean w of many latents, of all classes in turn."""
    mapping = ours.get_submodule("mapping")
    w_avg, device = mapping.get_buffer("w_avg"), next(mapping.parameters()).device
    z_dim, c_dim = int(mapping.z_dim), int(mapping.c_dim)  # type: ignore[arg-type]
    widest = max(z_dim, c_dim, len(w_avg))
    count = min(AVERAGE_LATENTS, MAX_AVERAGE_NUMBERS // widest)  # a damaged file may have absurd widths
    batch = max(1, min(count, MAX_BATCH_NUMBERS // widest))
    random, total = np.random.RandomState(AVERAGE_SEED), torch.zeros(len(w_avg), dtype=torch.float64)
    for start in range(0, count, batch):
        some = min(batch, count - start)
        z = torch.from_numpy(random.randn(some, z_dim)).to(w_avg)
        c = torch.zeros(some, c_dim, device=device)
        if c_dim:
            c[torch.arange(some), torch.arange(start, start + some) % c_dim] = 1
        total += mapping(z, c)[:, 0].double().sum(dim=0).cpu()
    return (total / count).float()
