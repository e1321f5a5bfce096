# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""StyleGAN2's synthesis network, rungs A and B (model-spec, "StyleGAN2 generator and discriminator")."""

import math
from collections.abc import Iterator
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cuda_ops import bias_act, upfirdn2d
from gan.config import ConfigError, GeneratorConfig
from gan.fourier import FourierInput
from gan.layers import FullyConnected, SteppedNetwork, demodulation, scale_channels

NOISE_MODES = ("const", "random", "none")


def resampling_filter(taps: tuple[float, ...]) -> Tensor:
    """[taps] low-pass of one axis, normalised to sum 1. The stored `resample_filter` is its outer product."""
    f = torch.tensor(taps, dtype=torch.float32)
    return f / f.sum()


class Resampler(nn.Module):
    """The family's [1, 3, 3, 1] filter. The 2-D buffer is what checkpoints hold; 1-D passes compute the same faster."""

    def __init__(self, taps: tuple[float, ...]) -> None:
        super().__init__()
        f = resampling_filter(taps)
        self.register_buffer("resample_filter", torch.outer(f, f))

    def resample(self, x: Tensor, padding: tuple[int, int], *, up: int = 1, down: int = 1, gain: float = 1.0) -> Tensor:
        """upfirdn2d with the same padding (before, after) on both axes."""
        f = self.get_buffer("resample_filter").sum(dim=0)  # of outer(f, f), f summing to 1
        return upfirdn2d(x, f, up=up, down=down, padding=[*padding, *padding], gain=gain)


class StyledConv(Resampler):
    """Modulated 3x3 convolution, noise, bias and leaky ReLU; doubling layers upsample within the convolution."""

    def __init__(self, config: GeneratorConfig, in_channels: int, out_channels: int, size: int, up: bool) -> None:
        super().__init__(config.resample_filter)
        self.up, self.clamp, self.noise_inputs = up, config.conv_clamp, config.noise_inputs
        self.affine = FullyConnected(config.w_dim, in_channels, bias_init=1)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        if config.noise_inputs:
            self.register_buffer("noise_const", torch.randn(size, size))
            self.noise_strength = nn.Parameter(torch.zeros([]))

    def forward(self, x: Tensor, w: Tensor, noise: str, gain: float = 1.0) -> Tensor:
        """[N, C_in, H, W] and [N, w_dim] to [N, C_out, H, W], or twice the size for a doubling layer."""
        styles = self.affine(w)
        x = scale_channels(x, styles)
        if self.up:
            # The transposed convolution leaves 2n + 1 pixels; its gain of 1/4 is made up for by the filter.
            x = F.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2)
            x = self.resample(x, (1, 1), gain=4.0)
        else:
            x = F.conv2d(x, self.weight, padding=1)
        x = scale_channels(x, demodulation(self.weight, styles))
        if self.noise_inputs and noise == "random":
            x = x + torch.randn(x.shape[0], 1, *x.shape[2:], device=x.device) * self.noise_strength
        elif self.noise_inputs and noise == "const":
            x = x + self.get_buffer("noise_const") * self.noise_strength
        clamp = None if self.clamp is None else self.clamp * gain
        return bias_act(x, self.bias, act="lrelu", gain=math.sqrt(2) * gain, clamp=clamp)


class ToRGB(nn.Module):
    """Modulated 1x1 convolution without demodulation."""

    def __init__(self, config: GeneratorConfig, in_channels: int) -> None:
        super().__init__()
        self.clamp = config.conv_clamp
        self.affine = FullyConnected(config.w_dim, in_channels, bias_init=1)
        self.weight = nn.Parameter(torch.randn(config.img_channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(config.img_channels))
        self.weight_gain = 1 / math.sqrt(in_channels)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """[N, C, H, W] to [N, img_channels, H, W]."""
        x = F.conv2d(scale_channels(x, self.affine(w) * self.weight_gain), self.weight)
        return bias_act(x, self.bias, clamp=self.clamp)


class ResidualSkip(Resampler):
    """The resnet architecture's 1x1 shortcut, upsampled: no bias, gain sqrt(1/2)."""

    def __init__(self, config: GeneratorConfig, in_channels: int, out_channels: int) -> None:
        super().__init__(config.resample_filter)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 1, 1))
        self.weight_gain = 1 / math.sqrt(in_channels)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C_in, H, W] to [N, C_out, 2H, 2W]."""
        x = F.conv2d(x, self.weight * self.weight_gain)
        return self.resample(x, (2, 1), up=2, gain=4.0) * math.sqrt(0.5)


class SynthesisBlock(Resampler):
    """All layers of one resolution: conv0 (doubling), conv1, and ToRGB where the architecture has one."""

    def __init__(self, config: GeneratorConfig, resolution: int) -> None:
        super().__init__(config.resample_filter)
        self.resolution, self.resnet = resolution, config.architecture == "resnet"
        channels = config.channels_at(resolution)
        if resolution == 4:
            if not config.fourier_input:
                self.const = nn.Parameter(torch.randn(channels, 4, 4))
        else:
            before = config.channels_at(resolution // 2)
            self.conv0 = StyledConv(config, before, channels, resolution, up=True)
            if self.resnet:
                self.skip = ResidualSkip(config, before, channels)
        self.conv1 = StyledConv(config, channels, channels, resolution, up=False)
        self.has_torgb = not self.resnet or resolution == config.resolution
        if self.has_torgb:
            self.torgb = ToRGB(config, channels)

    @property
    def num_convs(self) -> int:
        """How many w's its convolutions consume; ToRGB shares the next block's first."""
        return 1 if self.resolution == 4 else 2

    def steps(self, x: Tensor, img: Tensor | None, ws: Tensor, noise: str) -> Iterator[tuple[str, Tensor]]:
        """Each layer's name within the block and its output; "torgb" is the RGB image so far."""
        shortcut = self.skip(x) if self.resnet and self.resolution > 4 else None
        if self.resolution > 4:
            x = self.conv0(x, ws[:, 0], noise)
            yield "conv0", x
        if shortcut is None:
            x = self.conv1(x, ws[:, self.num_convs - 1], noise)
        else:
            x = shortcut + self.conv1(x, ws[:, 1], noise, gain=math.sqrt(0.5))
        yield "conv1", x
        if self.has_torgb:
            rgb = self.torgb(x, ws[:, self.num_convs])
            yield "torgb", rgb if img is None else rgb + self.resample(img, (2, 1), up=2, gain=4.0)


class SkipSynthesis(SteppedNetwork):
    """ws [N, num_ws, w_dim] to images [N, img_channels, resolution, resolution] in about [-1, 1]."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.resolutions = tuple(2**i for i in range(2, int(math.log2(config.resolution)) + 1))
        if config.fourier_input:
            self.input = FourierInput(None, config.channels_at(4), size=4, rate=4, cutoff=config.first_cutoff)
        for resolution in self.resolutions:
            self.add_module(f"b{resolution}", SynthesisBlock(config, resolution))
        names = ["input"] if config.fourier_input else []
        for resolution in self.resolutions:
            block = self._block(resolution)
            layers = ["conv1"] if resolution == 4 else ["conv0", "conv1"]
            names += [f"b{resolution}.{layer}" for layer in [*layers, *(["torgb"] if block.has_torgb else [])]]
        self.layer_names = tuple(names)

    def _block(self, resolution: int) -> SynthesisBlock:
        return cast(SynthesisBlock, self.get_submodule(f"b{resolution}"))

    def steps(
        self, ws: Tensor, *, noise: str = "const", transform: Tensor | None = None, update_emas: bool = False
    ) -> Iterator[tuple[str, Tensor]]:
        """Each layer's name and output as it is computed; whoever stops iterating stops the computation.

        `noise` is "const" (the stored planes), "random" (a plane a sample) or "none". `update_emas` is taken for the
        sake of one interface: there are no magnitudes to average here.
        """
        if noise not in NOISE_MODES:
            raise ConfigError(f"The noise is one of {', '.join(NOISE_MODES)}, not {noise!r}.")
        if hasattr(self, "input"):
            x = self.input(ws[:, 0], transform)
            yield "input", x
        elif transform is not None:
            raise ConfigError("Rung A draws from a learned constant and has no Fourier input, so it cannot be moved.")
        else:
            x = self._block(4).const[None].expand(ws.shape[0], -1, -1, -1)
        img = None
        first = 0
        for resolution in self.resolutions:
            block = self._block(resolution)
            for layer, output in block.steps(x, img, ws[:, first : first + block.num_convs + 1], noise):
                x, img = (x, output) if layer == "torgb" else (output, img)
                yield f"b{resolution}.{layer}", output
            first += block.num_convs
