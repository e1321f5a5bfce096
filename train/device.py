# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What training asks of a device beside arithmetic: its settings, transfers that nobody waits for, memory, time."""

from __future__ import annotations

from typing import Any

import numpy as np
import psutil
import torch

from gan.networks import precision


def prepare(device: torch.device) -> None:
    """Process-wide settings of torch, before training: float32 is float32, and vanishing values cost nothing.

    TF32 has float16's 10 bits of mantissa, too few for the layers that are float32 because float16 is not enough
    for them. cuDNN times its algorithms, once for each shape: a run's shapes do not change.
    """
    torch.set_float32_matmul_precision("highest")
    precision.prepare(device)
    if device.type == "cpu":
        torch.set_flush_denormal(True)  # vanishing gradients of vanishing activations cost a hundred times their worth


def upload(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """`array` on `device`. On a GPU the copy is only queued: from pinned memory, which torch keeps until it is done.

    A copy from ordinary memory would wait for everything that was queued before it, a whole step.
    """
    tensor = torch.from_numpy(array)
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all that was queued: before a clock is read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def memory(device: torch.device) -> dict[str, float | None]:
    """MB in use: `memory_mb` of the process, or on a GPU the peak of its tensors since the last call.

    `memory_reserved_mb`: the peak of what torch took from the GPU to make them of; None elsewhere.
    """
    if device.type != "cuda":
        return {"memory_mb": round(psutil.Process().memory_info().rss / 2**20, 1), "memory_reserved_mb": None}
    peaks: dict[str, Any] = {
        "memory_mb": torch.cuda.max_memory_allocated(device),
        "memory_reserved_mb": torch.cuda.max_memory_reserved(device),
    }
    torch.cuda.reset_peak_memory_stats(device)
    return {name: round(peak / 2**20, 1) for name, peak in peaks.items()}
