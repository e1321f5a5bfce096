# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Mixed precision: float16 for the highest resolutions, float32 for the rest (docs/decisions/019).

Weights, losses, penalties, averages and Adam's moments are always float32.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from gan.networks.precision import NUM_FP16_RES, PrecisionPolicy


def default_num_fp16_res(device: str) -> int:
    """Return how many of the highest resolutions a new run on `device` computes in float16: 0 unless it is CUDA."""
    return NUM_FP16_RES if torch.device(device).type == "cuda" else 0


def describe_precision(num_fp16_res: int, resolution: int) -> str:
    """Return "float16 on 256, 128, 64, 32; float32 below", or "float32"."""
    precision = PrecisionPolicy(num_fp16_res)
    sizes = [2**level for level in range(resolution.bit_length() - 1, 1, -1)]
    low = [str(size) for size in sizes if precision.dtype(size, resolution, torch.float32) == torch.float16]
    return f"float16 on {', '.join(low)}; float32 below" if low else "float32"


def loss_scale(batch: int, resolution: int) -> float:
    """Return the factor for a loss whose gradients pass through float16: the power of two nearest to batch S / 4.

    A gradient with respect to a pixel is of the order of 1 / (batch S), since the loss is a mean over the batch and the
    gradient of a given length has S^2 pixels. Unscaled, those of 256x256 and more would lie where float16 has few bits
    left, or none (docs/decisions/019). In float32 a power of two changes nothing.
    """
    return float(2 ** round(math.log2(batch * resolution / 4)))


@torch.no_grad()
def unscale_and_sanitize_(parameters: Iterable[torch.Tensor], scale: float = 1.0) -> torch.Tensor:
    """Divide the parameters' gradients by `scale` in place, and replace values that are not finite by 0.

    Returns a 0-d tensor, 1 if there was such a value, else 0: nothing here waits for the device. An overflow in float16
    then costs a part of one step, not the weights.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    largest = torch.nn.utils.get_total_norm(gradients, norm_type=math.inf)  # NaN and infinity come through a maximum
    for gradient in gradients:
        gradient.mul_(1 / scale).nan_to_num_(nan=0.0, posinf=0.0, neginf=0.0)
    return torch.isfinite(largest).logical_not().float()
