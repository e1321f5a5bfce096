# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Parts that all networks share: equalised fully connected layers and modulated convolution."""

import math

import torch
from torch import Tensor, nn

from cuda_ops import bias_act

EPSILON = 1e-8


def normalize(x: Tensor) -> Tensor:
    """Divide x by its root mean square over axis 1 (references, "Mapping")."""
    return x * (x.square().mean(dim=1, keepdim=True) + EPSILON).rsqrt()


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

    def forward(self, x: Tensor) -> Tensor:
        y = x @ (self.weight * self.weight_gain).t()
        return bias_act(y, self.bias * self.bias_gain, act=self.activation)


def compute_demodulation(weight: Tensor, styles: Tensor) -> Tensor:
    """Compute the factors [N, C_out] that bring each modulated kernel to unit norm: rsqrt(sum (w s)^2 + 1e-8).

    `weight` is [C_out, C_in, k, k], `styles` [N, C_in]. The sum of squares separates, so the modulated weights of each
    sample need never be formed: scaling a convolution's input by s and its output by this is the same and keeps one
    shared convolution for the batch, which on CPUs is much faster than one group a sample.
    """
    return (styles.square() @ weight.square().sum(dim=[2, 3]).t() + EPSILON).rsqrt()


def modulate_weight(weight: Tensor, styles: Tensor, demodulate: bool) -> Tensor:
    """Modulate `weight` [C_out, C_in, k, k] by one sample's styles [1, C_in].

    For pictures whose w stays while the input moves: the same convolution without the two passes of `scale_channels`
    over its input and output. ValueError for more than one sample.
    """
    if styles.shape[0] != 1:
        raise ValueError(f"Weights are modulated for one sample, not for {styles.shape[0]}: pass no weights.")
    scaled = weight * styles[:, :, None, None]
    if demodulate:
        scaled = scaled * compute_demodulation(weight, styles)[0, :, None, None, None]
    return scaled


def scale_channels(x: Tensor, factors: Tensor) -> Tensor:
    """Multiply x [N, C, H, W] by factors [N, C], in the type of x."""
    return x * factors[:, :, None, None].to(x.dtype)
