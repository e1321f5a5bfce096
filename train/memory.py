# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The memory of a run: refused before it is tried when it cannot fit, and said in one sentence when it runs out."""

from __future__ import annotations

import psutil
import torch

from gan.networks.config import DiscriminatorConfig, GeneratorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.layer_plan import plan
from gan.networks.precision import Arithmetic
from train.config import TrainConfig, TrainingError

PROCESS_BYTES = 400 * 2**20  # of Python and torch before the first network


def out_of_memory(error: BaseException) -> bool:
    """Whether `error` means that memory ran out: on the CPU and on MPS torch raises a plain RuntimeError then."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("DefaultCPUAllocator" in text or "out of memory" in text)


def check_memory(config: TrainConfig) -> None:
    """Raise TrainingError if the run needs more memory than its device has free; ConfigError if it cannot be built."""
    if config.device.startswith("cuda"):
        free = torch.cuda.mem_get_info(config.device)[0]
    else:
        free = psutil.virtual_memory().available
    needed = estimate_memory(config)
    if needed > free:
        raise TrainingError(
            f"This run needs about {needed / 2**30:.1f} GB of memory and {free / 2**30:.1f} GB are "
            "free; give a smaller --batch, --cbase or --cmax, or --preset=tiny."
        )


def estimate_memory(config: TrainConfig) -> int:
    """Bytes that training takes: exact for what a weight costs, rough for the activations.

    Weights, gradients, Adam's two moments and the generator's average, and what one backward pass keeps.
    """
    with torch.device("meta"):  # networks without memory: what they weigh is counted, not derived a second time
        generator, discriminator = (
            sum(parameter.numel() for parameter in network.parameters())
            for network in (Generator(config.generator), Discriminator(config.discriminator))
        )
    arithmetic = Arithmetic(config.half)
    g_kept = _generator_bytes(config.generator, arithmetic)
    d_kept = _pyramid_bytes(config.discriminator, arithmetic)
    # A step holds the generator's graph together with the discriminator's, or the discriminator's twice.
    kept = config.batch * max(g_kept + d_kept, 2 * d_kept)
    return 4 * (5 * generator + 4 * discriminator) + kept + PROCESS_BYTES


def _generator_bytes(config: GeneratorConfig, arithmetic: Arithmetic) -> int:
    """What a picture's backward pass keeps of activations."""
    if config.architecture != "layers":
        return _pyramid_bytes(config, arithmetic)
    # Per layer the input before and after its styles, the convolution's output, and the nonlinearity's codes, two bits
    # for each value at the temporary rate.
    return sum(
        s.in_size**2
        * (
            (2 * s.in_channels + s.out_channels) * _width(arithmetic, s.out_rate, config.resolution)
            + s.out_channels * s.up**2 // 4
        )
        for s in plan(config).layers
    )


def _pyramid_bytes(config: GeneratorConfig | DiscriminatorConfig, arithmetic: Arithmetic) -> int:
    """The same of two layers per resolution from 4x4 up, each keeping four tensors."""
    sizes = [2**level for level in range(2, config.resolution.bit_length())]
    return sum(
        2 * 4 * config.channels_at(size) * size**2 * _width(arithmetic, size, config.resolution) for size in sizes
    )


def _width(arithmetic: Arithmetic, rate: int, resolution: int) -> int:
    """Bytes of an activation."""
    return arithmetic.dtype(rate, resolution, torch.float32).itemsize
