# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Convolution with weights that are used for many pictures, plain or by Winograd's algorithm, whichever is faster.

The faster one depends on the machine, the number of threads and the layer, so both are timed, once in a process for
each layer (docs/decisions/008).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from time import perf_counter

import torch
import torch.nn.functional as F
from torch import Tensor

from cuda_ops import winograd
from cuda_ops.scale_channels import scale_channels
from gan.networks.layers import demodulate
from gan.networks.precision import PrecisionPolicy

MIN_SIZE = 32  # pixels: on smaller images a few pictures do not win back the time for transforming the weights
MIN_WORK = 5e7  # multiplications of a layer: below it, half a millisecond, there is little to win
TIMED_TILES = 128  # of 4x4 pixels: enough to keep both algorithms as busy as in a whole picture
TIMING_SECONDS = 0.01  # for a layer, unless one run of each takes longer
MAX_TIME_RATIO = 0.9  # to the plain convolution: a smaller gain is not worth four times the memory for weights


@dataclass(frozen=True)
class WinogradWeight:
    """Weights in the form of the Winograd convolution."""

    weight: Tensor  # [36, C_out, C_in]


Weight = Tensor | WinogradWeight  # the tensor [C_out, C_in, k, k], channels-last on CPUs


def prepare_weight(weight: Tensor, dtype: torch.dtype, size: int, padding: int) -> Weight:
    """Return `weight` [C_out, C_in, k, k] in the form that is fastest for many images of size x size pixels in `dtype`.

    The plain one while gradients are wanted, or where the kernels are not.
    """
    if torch.is_grad_enabled() or dtype != weight.dtype or not winograd.supports(weight):
        return weight
    c_out, c_in = weight.shape[:2]
    if size < MIN_SIZE or 9 * c_out * c_in * size**2 < MIN_WORK:
        return weight
    wins = _winograd_wins(c_out, c_in, size, padding, torch.get_num_threads())
    return WinogradWeight(winograd.transform(weight)) if wins else weight


@dataclass(frozen=True)
class PreparedWeight:
    """A layer's weights before modulation, in the form that its convolution takes, for as long as the layer stays.

    A w then costs a product with numbers, and no transform. `affine` is the bias [C_in] and the matrix [w_dim, C_in] of
    the styles, which are brought to unit RMS if `is_normalized`; `squares` [C_out, C_in] are the kernels' sums of
    squares, None for a layer that does not demodulate.
    """

    weight: Weight
    affine: tuple[Tensor, Tensor]
    squares: Tensor | None = None
    is_normalized: bool = False

    def modulate(self, w: Tensor, precision: PrecisionPolicy, dtype: torch.dtype) -> Weight:
        """Return the weights in `dtype` for one sample's w [1, w_dim]. ValueError for more than one sample.

        It is the same convolution as with `scale_channels`, without its two passes over input and output.
        """
        if w.shape[0] != 1:
            raise ValueError(f"Weights are modulated for one sample, not for {w.shape[0]}: pass no weights.")
        bias, matrix = self.affine
        styles = torch.addmm(bias, w, matrix)
        if self.is_normalized:
            styles = styles * styles.square().mean().rsqrt()
        factors = styles if self.squares is None else styles * demodulate(self.squares, styles).t()
        if isinstance(self.weight, WinogradWeight):
            return WinogradWeight(self.weight.weight * factors)
        return precision.convert(self.weight * factors[:, :, None, None], dtype)


def convolve(x: Tensor, weight: Weight, padding: int) -> Tensor:
    """Convolve x [N, C_in, H, W] with prepared weights to [N, C_out, H + 2 padding - k + 1, W + 2 padding - k + 1]."""
    if isinstance(weight, WinogradWeight):
        return winograd.conv2d(x, weight.weight, padding)
    return F.conv2d(x, weight, padding=padding)


def convolve_changing(x: Tensor, weight: Tensor, padding: int) -> Tensor:
    """Convolve x [N, C_in, H, W] with weights that are used for this batch only, as in training; differentiable."""
    return (
        winograd.convolve(x, weight, padding)
        if winograd.pays(x, weight, padding)
        else F.conv2d(x, weight, padding=padding)
    )


def multiplies(x: Tensor, weight: Tensor, padding: int) -> bool:
    """Return whether `convolve_modulated` takes matrix products: a rule by sizes, which a resumed run repeats."""
    return x.is_cpu and weight.shape[2:] == (1, 1) and padding == 0


def convolve_modulated(x: Tensor, weight: Tensor, styles: Tensor, demodulation: Tensor | None, padding: int) -> Tensor:
    """Convolve x [N, C_in, H, W] with weights that styles [N, C_in] and demodulation [N, C_out] scale; differentiable.

    One shared convolution between scaled channels; for 1x1 kernels on a CPU a product of each sample's pixels with its
    own weights, which passes over no map but input and output.
    """
    if multiplies(x, weight, padding):
        own = weight.flatten(1) * styles[:, None]  # [N, C_out, C_in]
        own = own if demodulation is None else own * demodulation[:, :, None]
        pixels = x.permute(0, 2, 3, 1)  # channels-last: no copy
        y = torch.bmm(pixels.flatten(1, 2), own.to(x.dtype).transpose(1, 2))
        return y.unflatten(1, pixels.shape[1:3]).permute(0, 3, 1, 2)
    y = convolve_changing(scale_channels(x, styles), weight.to(x.dtype), padding)
    return y if demodulation is None else scale_channels(y, demodulation)


@cache
def _winograd_wins(c_out: int, c_in: int, size: int, padding: int, threads: int) -> bool:
    """Time both on the upper rows of an image. `threads`, torch's number, is only a part of the cache's key."""
    out = size + 2 * padding - 2
    rows = min(out, 4 * math.ceil(TIMED_TILES / math.ceil(out / 4)))
    # Ones: random numbers would move the generator that the caller may have seeded.
    x = torch.ones(1, c_in, rows + 2 - 2 * padding, size).contiguous(memory_format=torch.channels_last)
    weight = torch.ones(c_out, c_in, 3, 3).contiguous(memory_format=torch.channels_last)
    transformed = winograd.transform(weight)
    plain, ours = partial(F.conv2d, x, weight, padding=padding), partial(winograd.conv2d, x, transformed, padding)
    plain(), ours()  # to warm up
    times: list[tuple[float, float]] = []
    while sum(map(sum, times)) < TIMING_SECONDS:
        times.append((_seconds(plain), _seconds(ours)))  # in turns: machines drift
    return min(t for _, t in times) < MAX_TIME_RATIO * min(t for t, _ in times)


def _seconds(call: Callable[[], Tensor]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start
