# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""StyleGAN2's discriminator, residual unless told otherwise (references, "StyleGAN2 generator and discriminator")."""

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cuda_ops import bias_act
from gan.networks.config import ConfigError, DiscriminatorConfig
from gan.networks.conv_autotune import convolve_changing
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
            before, after = self.halving
            x = F.conv2d(self.resample(x, (before + 1, after + 1)), weight, stride=2)
        else:
            x = convolve_changing(x, weight, self.kernel // 2)
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
        return F.conv2d(self.resample(x, self.halving, down=2), (self.weight * self.weight_gain).to(x.dtype))


class DiscriminatorBlock(Resampler):
    """One resolution: fromRGB in the first or each ("skip"), then two convolutions, beside a shortcut ("resnet")."""

    def __init__(self, config: DiscriminatorConfig, resolution: int) -> None:
        super().__init__(config.resample_filter)
        channels, after = config.channels_at(resolution), config.channels_at(resolution // 2)
        self.is_first = resolution == config.resolution
        if self.is_first or config.architecture == "skip":
            self.fromrgb = Conv(config, config.img_channels, channels, 1)
        self.conv0 = Conv(config, channels, channels, 3)
        self.conv1 = Conv(config, channels, after, 3, down=True)
        if config.architecture == "resnet":
            self.skip = Shortcut(config, channels, after)

    def forward(self, x: Tensor, img: Tensor | None = None) -> Tensor:
        """Map [N, C, H, W] to [N, C', H/2, W/2]; x is the picture in the first block, `img` in later ones ("skip")."""
        if self.is_first:
            x = self.fromrgb(x)
        elif img is not None:
            x = x + self.fromrgb(img)
        if not hasattr(self, "skip"):
            return self.conv1(self.conv0(x))
        return self.skip(x) + self.conv1(self.conv0(x), gain=math.sqrt(0.5))


def minibatch_stddev(x: Tensor, group: int, channels: int) -> Tensor:
    """Append `channels` maps of the deviation over groups of `group` samples; sample n is in group n mod N / group.

    Of group 0 is the whole batch.
    """
    n, c, height, width = x.shape
    size = min(group or n, n)
    if n % size:
        raise ConfigError(f"The batch of {n} pictures does not split into minibatch-stddev groups of {size}.")
    grouped = x.reshape(size, -1, channels, c // channels, height, width)
    centred = grouped - grouped.mean(dim=0)
    deviation = (centred.square().mean(dim=0) + EPSILON).sqrt().mean(dim=[2, 3, 4])
    maps = deviation.reshape(-1, channels, 1, 1).repeat(size, 1, height, width)
    return torch.cat([x, maps], dim=1)


class Epilogue(nn.Module):
    """4x4: fromRGB ("skip"), minibatch stddev, convolution, two fully connected layers, the label's projection."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        channels = config.channels_at(4)
        self.mbstd_group, self.mbstd_channels = config.mbstd_group, config.mbstd_channels
        self.label_gain = 1.0 if config.direct_labels else 1 / math.sqrt(config.label_dim or 1)
        if config.architecture == "skip":
            self.fromrgb = Conv(config, config.img_channels, channels, 1)
        self.conv = Conv(config, channels + config.mbstd_channels, channels, 3)
        self.fc = FullyConnected(channels * 16, channels, activation="lrelu")
        self.out = FullyConnected(channels, config.label_dim or 1)

    def forward(self, x: Tensor, mapped: Tensor | None, img: Tensor | None = None) -> Tensor:
        """Map [N, C, 4, 4], the mapped label [N, label_dim] and the picture ("skip") to logits [N, 1]."""
        if img is not None:
            x = x + self.fromrgb(img)
        if self.mbstd_channels > 0:
            x = minibatch_stddev(x, self.mbstd_group, self.mbstd_channels)
        x = self.out(self.fc(self.conv(x).flatten(1)))
        return x if mapped is None else (x * mapped).sum(dim=1, keepdim=True) * self.label_gain


class Discriminator(nn.Module):
    """Images [N, img_channels, resolution, resolution] in [-1, 1] and labels [N, c_dim] to logits [N, 1]."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.resolutions = tuple(2**i for i in range(int(math.log2(config.resolution)), 2, -1))
        for resolution in self.resolutions:
            self.add_module(f"b{resolution}", DiscriminatorBlock(config, resolution))
        self.b4 = Epilogue(config)
        if config.c_dim > 0 and not config.direct_labels:
            depth, multiplier = config.mapping_layers, config.mapping_lr_multiplier
            self.mapping = Mapping(0, config.c_dim, config.label_dim, None, depth, lr_multiplier=multiplier)

    def forward(self, img: Tensor, c: Tensor | None = None, precision: PrecisionPolicy = FULL_PRECISION) -> Tensor:
        """Compute logits in the type of `img`: above 0 where a picture looks real."""
        x = seen = img
        skip = self.config.architecture == "skip"
        for resolution in self.resolutions:
            dtype = precision.dtype(resolution, self.config.resolution, img.dtype)
            block = cast(DiscriminatorBlock, self.get_submodule(f"b{resolution}"))
            x = block(precision.convert(x, dtype), precision.convert(seen, dtype) if skip else None)
            if skip:
                seen = block.resample(seen, block.halving, down=2)
        mapped = self._map_labels(c) if self.config.c_dim > 0 else None
        return self.b4(precision.convert(x, img.dtype), mapped, seen if skip else None)

    def _map_labels(self, c: Tensor | None) -> Tensor:
        """Return what the outputs are multiplied with: the labels through the mapping, or as they are."""
        if not self.config.direct_labels:
            return self.mapping(None, c)
        if c is None or c.ndim != 2 or c.shape[1] != self.config.c_dim:
            given = "none" if c is None else str(list(c.shape))
            raise ConfigError(f"This discriminator takes labels of shape [N, {self.config.c_dim}], not {given}.")
        return c.float()
