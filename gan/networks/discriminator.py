# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""StyleGAN2's residual discriminator (references, "StyleGAN2 generator and discriminator")."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cuda_ops import bias_act
from gan.networks.config import ConfigError, DiscriminatorConfig
from gan.networks.layers import EPSILON, FullyConnected
from gan.networks.mapping import Mapping
from gan.networks.precision import FULL_PRECISION, PrecisionPolicy
from gan.networks.synthesis_stylegan2 import Resampler


class Conv(Resampler):
    """Equalised convolution with leaky ReLU; `down` halves the size after filtering."""

    def __init__(
        self, config: DiscriminatorConfig, in_channels: int, out_channels: int, kernel: int, down: bool = False
    ) -> None:
        super().__init__(config.resample_filter)
        self.kernel, self.down, self.clamp = kernel, down, config.conv_clamp
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.weight_gain = 1 / math.sqrt(in_channels * kernel**2)

    def forward(self, x: Tensor, gain: float = 1.0) -> Tensor:
        """Map [N, C_in, H, W] to [N, C_out, H, W], or to half the size."""
        weight = (self.weight * self.weight_gain).to(x.dtype)
        if self.down:
            x = F.conv2d(self.resample(x, (2, 2)), weight, stride=2)
        else:
            x = F.conv2d(x, weight, padding=self.kernel // 2)
        clamp = None if self.clamp is None else self.clamp * gain
        return bias_act(x, self.bias, act="lrelu", gain=math.sqrt(2) * gain, clamp=clamp)


class Shortcut(Resampler):
    """The residual branch: filtered, halved, 1x1, no bias, gain sqrt(1/2)."""

    def __init__(self, config: DiscriminatorConfig, in_channels: int, out_channels: int) -> None:
        super().__init__(config.resample_filter)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 1, 1))
        self.weight_gain = math.sqrt(0.5 / in_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, C_in, H, W] to [N, C_out, H / 2, W / 2]."""
        return F.conv2d(self.resample(x, (1, 1), down=2), (self.weight * self.weight_gain).to(x.dtype))


class DiscriminatorBlock(Resampler):
    """One resolution: fromRGB in the first, then two convolutions beside a shortcut."""

    def __init__(self, config: DiscriminatorConfig, resolution: int) -> None:
        super().__init__(config.resample_filter)
        channels, after = config.channels_at(resolution), config.channels_at(resolution // 2)
        if resolution == config.resolution:
            self.fromrgb = Conv(config, config.img_channels, channels, 1)
        self.conv0 = Conv(config, channels, channels, 3)
        self.conv1 = Conv(config, channels, after, 3, down=True)
        self.skip = Shortcut(config, channels, after)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, C, H, W] (the image, in the first block) to [N, C', H / 2, W / 2]."""
        if hasattr(self, "fromrgb"):
            x = self.fromrgb(x)
        return self.skip(x) + self.conv1(self.conv0(x), gain=math.sqrt(0.5))


def minibatch_stddev(x: Tensor, group: int, channels: int) -> Tensor:
    """Append `channels` maps of the deviation over groups of `group` samples; sample n is in group n mod N / group."""
    n, c, height, width = x.shape
    size = min(group, n)
    if n % size:
        raise ConfigError(f"The batch of {n} pictures does not split into minibatch-stddev groups of {size}.")
    grouped = x.reshape(size, -1, channels, c // channels, height, width)
    centred = grouped - grouped.mean(dim=0)
    deviation = (centred.square().mean(dim=0) + EPSILON).sqrt().mean(dim=[2, 3, 4])
    maps = deviation.reshape(-1, channels, 1, 1).repeat(size, 1, height, width)
    return torch.cat([x, maps], dim=1)


class Epilogue(nn.Module):
    """4x4: minibatch stddev, convolution, two fully connected layers, and the label's projection."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        channels = config.channels_at(4)
        self.mbstd_group, self.mbstd_channels = config.mbstd_group, config.mbstd_channels
        self.label_dim = config.label_dim
        self.conv = Conv(config, channels + config.mbstd_channels, channels, 3)
        self.fc = FullyConnected(channels * 16, channels, activation="lrelu")
        self.out = FullyConnected(channels, config.label_dim or 1)

    def forward(self, x: Tensor, mapped: Tensor | None) -> Tensor:
        """Map [N, C, 4, 4] and the mapped label [N, label_dim] to logits [N, 1]."""
        if self.mbstd_channels > 0:
            x = minibatch_stddev(x, self.mbstd_group, self.mbstd_channels)
        x = self.out(self.fc(self.conv(x).flatten(1)))
        return x if mapped is None else (x * mapped).sum(dim=1, keepdim=True) / math.sqrt(self.label_dim)


class Discriminator(nn.Module):
    """Images [N, img_channels, resolution, resolution] in [-1, 1] and labels [N, c_dim] to logits [N, 1]."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.resolutions = tuple(2**i for i in range(int(math.log2(config.resolution)), 2, -1))
        for resolution in self.resolutions:
            self.add_module(f"b{resolution}", DiscriminatorBlock(config, resolution))
        self.b4 = Epilogue(config)
        if config.c_dim > 0:
            self.mapping = Mapping(0, config.c_dim, config.label_dim, None, config.mapping_layers)

    def forward(self, img: Tensor, c: Tensor | None = None, precision: PrecisionPolicy = FULL_PRECISION) -> Tensor:
        """Compute logits in the type of `img`: above 0 where a picture looks real."""
        x = img
        for resolution in self.resolutions:
            x = precision.convert(x, precision.dtype(resolution, self.config.resolution, img.dtype))
            x = self.get_submodule(f"b{resolution}")(x)
        return self.b4(precision.convert(x, img.dtype), self.mapping(None, c) if self.config.c_dim > 0 else None)
