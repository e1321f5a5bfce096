# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Choose a model's number format: float32, or float16 if its pictures stay the same."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gan.networks.generator import Generator, map_latents, z_from_seed
from gan.networks.input_transform import user_matrix
from gan.networks.precision import FULL_PRECISION, NUM_FP16_RES, PrecisionPolicy
from gan.networks.synthesis import SynthesisOptions

ENOUGH = 50.0  # dB between a picture in mixed precision and in float32: 0.8 of a step of 8 bits, root mean square
SEEDS = 4  # pictures that are compared
NOT_HERE = "float16 is for CUDA devices, where it is faster: on {device} the model runs in float32."
TOO_COARSE = "float16 changes this model's pictures ({db:.0f} dB): precision “auto” draws them in float32."


def measure_psnr(found: Tensor, expected: Tensor) -> float:
    """Return the lowest peak signal-to-noise ratio of pictures [N, C, H, W] from -1 to 1, in dB."""
    error = (found.double().clamp(-1, 1) - expected.double().clamp(-1, 1)).square().mean(dim=(1, 2, 3)).max()
    return math.inf if float(error) == 0 else 10 * math.log10(4 / float(error)) if torch.isfinite(error) else -math.inf


def measure_float16_psnr(generator: Generator) -> float:
    """Measure the PSNR of a model in float16 in the highest four resolutions, the worst of a few pictures, in dB."""
    worst, config = math.inf, generator.config
    transform = user_matrix(0.07, -0.11, 17.0) if config.fourier_input else None
    for seed in range(SEEDS):
        ws = map_latents(generator, z_from_seed(seed, config.z_dim), [seed % max(config.c_dim, 1)])
        mixed, full = (
            generator.synthesis(ws, SynthesisOptions(transform=transform, precision=PrecisionPolicy(half)))
            for half in (NUM_FP16_RES, 0)
        )
        worst = min(worst, measure_psnr(mixed, full))
    return worst


def choose_precision(precision: str, device: str, measured: Callable[[], float]) -> tuple[PrecisionPolicy, str | None]:
    """Return the precision policy of a model on a device, and a remark if it is not the one asked for.

    `precision`: "float32", "float16", or "auto": float16 on CUDA devices if `measured` returns enough decibels.
    """
    if not device.startswith("cuda"):
        return FULL_PRECISION, NOT_HERE.format(device=device) if precision == "float16" else None
    if precision == "float32":
        return FULL_PRECISION, None
    db = measured()
    if precision == "float16":
        return PrecisionPolicy(NUM_FP16_RES), TOO_COARSE.format(db=db) if db < ENOUGH else None
    return PrecisionPolicy(NUM_FP16_RES) if db >= ENOUGH else FULL_PRECISION, None
