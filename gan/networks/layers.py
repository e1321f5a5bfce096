# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Parts that all networks share: equalised fully connected layers and modulated convolution."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from cuda_ops import bias_act

EPSILON = 1e-8
Average = Callable[[Tensor], Tensor]  # from a mean over these samples to that over the whole batch that they are of


def keep_mean(mean: Tensor) -> Tensor:
    """Return the mean as it is, where the samples are a whole batch."""
    return mean


def normalize(x: Tensor) -> Tensor:
    """Divide x by its root mean square over axis 1 (references, "Mapping")."""
    return x * (x.square().mean(dim=1, keepdim=True) + EPSILON).rsqrt()


def mean_square(x: Tensor) -> Tensor:
    """Compute the mean square of images [N, C, H, W] in one pass over memory, for which square and mean take three.

    By rows: torch's norms add up one number after the other, and err where these are many.
    """
    return torch.linalg.vector_norm(x, dim=(1, 3)).square().mean() / (x.shape[1] * x.shape[3])


class FullyConnected(nn.Module):
    """A fully connected layer act(x W^T + b) on [N, in_features], with the equalised learning rate.

    Weights are stored unscaled and multiplied by lr_multiplier / sqrt(in_features) at run time, biases by
    lr_multiplier; both start out divided by lr_multiplier.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        activation: str = "linear",
        lr_multiplier: float = 1.0,
        weight_init: float = 1.0,
        bias_init: float = 0.0,
    ) -> None:
        super().__init__()
        self.activation = activation
        # Zeros draw no random numbers: rung H starts with the very weights of rung G.
        start = torch.randn if weight_init else torch.zeros
        self.weight = nn.Parameter(start(out_features, in_features) * (weight_init / lr_multiplier))
        self.bias = nn.Parameter(torch.full([out_features], bias_init / lr_multiplier))
        self.weight_gain = lr_multiplier / math.sqrt(in_features)
        self.bias_gain = lr_multiplier

    def fold(self, gain: float = 1.0) -> tuple[Tensor, Tensor]:
        """Return a linear layer's bias [out_features] and matrix [in_features, out_features], both times `gain`."""
        return self.bias * (self.bias_gain * gain), (self.weight * (self.weight_gain * gain)).t().contiguous()

    def forward(self, x: Tensor) -> Tensor:
        y = x @ (self.weight * self.weight_gain).t()
        return bias_act(y, self.bias * self.bias_gain, act=self.activation)


def compute_demodulation(weight: Tensor, styles: Tensor) -> Tensor:
    """Compute the factors [N, C_out] that bring each modulated kernel to unit norm: rsqrt(sum (w s)^2 + 1e-8).

    `weight` is [C_out, C_in, k, k], `styles` [N, C_in]. The sum of squares separates, so the modulated weights of each
    sample need never be formed: scaling a convolution's input by s and its output by this is the same and keeps one
    shared convolution for the batch, which on CPUs is much faster than one group a sample.
    """
    return demodulate(weight.square().sum(dim=[2, 3]), styles)


def demodulate(squares: Tensor, styles: Tensor) -> Tensor:
    """Compute the same from each kernel's sum of squares [C_out, C_in]."""
    return (styles.square() @ squares.t() + EPSILON).rsqrt()
