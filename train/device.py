# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The device of a run: torch's settings, copies to it, and memory, estimated before a run and measured in it."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import replace

import numpy as np
import psutil
import torch

from gan.augment.config import GEOMETRY, GEOMETRY_BLIT
from gan.networks import precision
from gan.networks.config import DiscriminatorConfig, GeneratorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.layer_plan import plan
from gan.networks.precision import PrecisionPolicy
from train.config import TrainConfig
from train.errors import TrainingError
from train.ranks.dealing import find_choices

# malloc.h: M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD
MALLOC_SETTINGS = ((-1, 2**31 - 1), (-2, 64 * 2**20), (-3, 32 * 2**20))
PROCESS_BYTES = 400 * 2**20  # of Python and torch before the first network


def configure_torch(device: torch.device, threads: int = 0, benchmark: bool = True) -> None:
    """Set torch's process-wide options for training: true float32, no denormals, CPU threads (0: torch decides).

    TF32 has float16's 10 bits of mantissa, too few for the layers that are float32 because float16 is not enough
    for them. cuDNN times its algorithms once for each shape, as a run's shapes do not change; without
    `benchmark` it takes those that it holds for best.
    """
    if threads:
        torch.set_num_threads(threads)
    torch.set_float32_matmul_precision("highest")
    precision.configure_backends(device)
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = benchmark
    if device.type == "cpu":
        torch.set_flush_denormal(True)  # precision on denormals is a hundred times slower, and gradients vanish often
        keep_freed_memory()


def keep_freed_memory() -> None:
    """Let the C library keep what is freed (glibc; elsewhere nothing is done).

    A step frees and asks for the same gigabyte again: a tenth of its time went into pages that the system took back and
    zeroed (docs/log.md). Blocks above 32 MiB, the most that glibc allows here, are still given back.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in MALLOC_SETTINGS:
            mallopt(ctypes.c_int(parameter), ctypes.c_int(value))


def to_host(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """Return `array` as a tensor that can be copied to `device` at once: in pinned memory for a GPU.

    That copy is only queued, and torch keeps the memory until then. A copy from ordinary memory would wait for
    everything that was queued before it, a whole step.
    """
    tensor = torch.from_numpy(array)
    return tensor.pin_memory() if device.type == "cuda" else tensor


def to_device(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """Return `array` as a tensor on `device`; on a GPU the copy is only queued."""
    return to_host(array, device).to(device, non_blocking=True)


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all that was queued: before a clock is read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def measure_memory(device: torch.device) -> dict[str, float | None]:
    """Return MB in use: `memory_mb` of the process, or the peak of a GPU's tensors since the last call.

    `memory_reserved_mb` is the peak of what torch reserved on the GPU for them; None elsewhere.
    """
    if device.type != "cuda":
        return {"memory_mb": round(psutil.Process().memory_info().rss / 2**20, 1), "memory_reserved_mb": None}
    allocated, reserved = torch.cuda.max_memory_allocated(device), torch.cuda.max_memory_reserved(device)
    torch.cuda.reset_peak_memory_stats(device)
    return {"memory_mb": round(allocated / 2**20, 1), "memory_reserved_mb": round(reserved / 2**20, 1)}


def check_memory(config: TrainConfig, ranks: int = 1) -> None:
    """Raise TrainingError if the run needs more memory than its device has free; ConfigError if it cannot be built.

    Where fewer pictures at once would fit, the most that do are proposed.
    """
    processes = 1  # on one device
    if config.device.startswith("cuda"):
        free = torch.cuda.mem_get_info(config.device)[0]
    else:
        free = psutil.virtual_memory().available
        processes = min(int(os.environ.get("LOCAL_WORLD_SIZE", ranks)), ranks)
    needed = processes * estimate_memory(config, ranks)
    if needed <= free:
        return
    said = f"This run needs about {needed / 2**30:.1f} GB of memory, but only {free / 2**30:.1f} GB are free; "
    for once in reversed(find_choices(config.batch, config.discriminator.group_size(config.batch), ranks)):
        smaller = processes * estimate_memory(replace(config, batch_gpu=once), ranks)
        if once < (config.batch_gpu or config.batch // ranks) and smaller <= free:
            raise TrainingError(
                f"{said}give --batch-gpu={once}, which computes {once} pictures of a batch at once and adds up the "
                f"gradients: that needs about {smaller / 2**30:.1f} GB."
            )
    raise TrainingError(f"{said}give a smaller --batch, --cbase or --cmax, or --preset=tiny.")


def estimate_memory(config: TrainConfig, ranks: int = 1) -> int:
    """Estimate the bytes that training takes in one of `ranks`: exact for weights, rough for activations.

    Counted are weights, gradients, Adam's two moments, the generator's average, and what one backward pass keeps.
    """
    with torch.device("meta"):  # the networks' shapes without their memory
        generator, discriminator = (
            sum(parameter.numel() for parameter in network.parameters())
            for network in (Generator(config.generator), Discriminator(config.discriminator))
        )
    precision = PrecisionPolicy(config.num_fp16_res)
    g_kept = generator_activation_bytes(config.generator, precision, config.device)
    d_kept = pyramid_activation_bytes(config.discriminator, precision)
    # A step holds the generator's graph together with the discriminator's, or the discriminator's twice.
    kept = max(g_kept + d_kept, 2 * d_kept) + augmentation_bytes(config)
    kept *= config.batch_gpu or config.batch // ranks
    return 4 * (5 * generator + 4 * discriminator) + kept + PROCESS_BYTES


def augmentation_bytes(config: TrainConfig) -> int:
    """Estimate the bytes that augmenting takes at most for a picture, in float32.

    A warp pads a picture by its own width on each side and doubles that: 9 and 36 times its size (27 to 47 times in
    all were measured); without one there are some copies.
    """
    augment = config.augment
    copies = 10 if augment.diffaug or augment.mode != "noaug" else 0
    if augment.mode != "noaug" and any(getattr(augment.pipe, name) > 0 for name in (*GEOMETRY_BLIT, *GEOMETRY)):
        copies = 9 + 36 + 2
    return copies * 4 * config.generator.img_channels * config.resolution**2


def generator_activation_bytes(config: GeneratorConfig, precision: PrecisionPolicy, device: str) -> int:
    """Estimate the bytes of activations that a backward pass keeps for one generated picture."""
    if config.architecture != "layers":
        return pyramid_activation_bytes(config, precision)
    # Per layer the input before and after its styles, the convolution's output, and the nonlinearity's codes, two bits
    # for each value at the temporary rate. Products with each sample's own weights, on a CPU, keep their input alone
    # and these weights, modulated and demodulated.
    total = 0
    for layer in plan(config).layers:
        multiplies = device == "cpu" and layer.conv_kernel == 1
        values = layer.in_channels if multiplies else 2 * layer.in_channels + layer.out_channels
        codes = layer.out_channels * layer.up**2 // 4
        total += 2 * 4 * layer.in_channels * layer.out_channels if multiplies else 0
        total += layer.in_size**2 * (values * _bytes_per_value(precision, layer.out_rate, config.resolution) + codes)
    return total


def pyramid_activation_bytes(config: GeneratorConfig | DiscriminatorConfig, precision: PrecisionPolicy) -> int:
    """Estimate the same for two layers per resolution from 4x4 up, each keeping four tensors."""
    sizes = [2**level for level in range(2, config.resolution.bit_length())]
    return sum(
        2 * 4 * config.channels_at(size) * size**2 * _bytes_per_value(precision, size, config.resolution)
        for size in sizes
    )


def _bytes_per_value(precision: PrecisionPolicy, rate: int, resolution: int) -> int:
    return precision.dtype(rate, resolution, torch.float32).itemsize
