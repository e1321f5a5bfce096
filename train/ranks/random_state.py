# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The state of torch's random generators, of the host and of the run's device."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def read_random_state(device: torch.device) -> dict[str, Tensor]:
    """Return the states by the kind of device; on a GPU nothing is waited for."""
    found = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        found["cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        found["mps"] = torch.mps.get_rng_state()
    return found


def set_random_state(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Set the generators to what `read_random_state` returned, there or on another kind of device."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    if device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])
