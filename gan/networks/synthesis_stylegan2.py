# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""StyleGAN2's synthesis network, rungs A to C (references, "StyleGAN2 generator and discriminator")."""

import math
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cuda_ops import bias_act, upfirdn2d
from cuda_ops.scale_channels import scale_channels
from gan.networks.config import ConfigError, GeneratorConfig
from gan.networks.conv_autotune import PreparedWeight, Weight, convolve, convolve_changing, prepare_weight
from gan.networks.layer_plan import LayerSpec, plan
from gan.networks.layers import EPSILON, FullyConnected, compute_demodulation
from gan.networks.precision import PrecisionPolicy
from gan.networks.synthesis import SynthesisNetwork, SynthesisOptions
from gan.shares import Share


def normalize_taps(taps: tuple[float, ...]) -> Tensor:
    """Return the filter [taps] of one axis, normalised to sum 1; `resample_filter` is its outer product."""
    f = torch.tensor(taps, dtype=torch.float32)
    return f / f.sum()


class Resampler(nn.Module):
    """The family's [1, 3, 3, 1] filter. The 2-D buffer is what checkpoints hold; 1-D passes compute the same faster.

    `doubling` and `halving` are the paddings with which it changes a picture of n pixels to 2n or n / 2.
    """

    def __init__(self, taps: tuple[float, ...]) -> None:
        super().__init__()
        f = normalize_taps(taps)
        self.register_buffer("resample_filter", torch.outer(f, f))
        self.doubling = (len(taps) + 1) // 2, (len(taps) - 2) // 2
        self.halving = (len(taps) - 1) // 2, (len(taps) - 2) // 2

    def resample(self, x: Tensor, padding: tuple[int, int], *, up: int = 1, down: int = 1, gain: float = 1.0) -> Tensor:
        """Apply upfirdn2d with the same padding (before, after) on both axes."""
        f = self.get_buffer("resample_filter").sum(dim=0)  # of outer(f, f), f summing to 1
        return upfirdn2d(x, f, up=up, down=down, padding=[*padding, *padding], gain=gain)


class StyledConv(Resampler):
    """Modulated 3x3 convolution, noise, bias and leaky ReLU; doubling layers upsample within the convolution."""

    def __init__(self, config: GeneratorConfig, spec: LayerSpec) -> None:
        super().__init__(config.resample_filter)
        self.spec, self.clamp, self.noise_inputs = spec, config.conv_clamp, config.noise_inputs
        self.affine = FullyConnected(config.w_dim, spec.in_channels, bias_init=1)
        self.weight = nn.Parameter(torch.randn(spec.out_channels, spec.in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(spec.out_channels))
        if config.noise_inputs:
            self.register_buffer("noise_const", torch.randn(spec.out_size, spec.out_size))
            self.noise_strength = nn.Parameter(torch.zeros([]))

    def prepare(self, precision: PrecisionPolicy, dtype: torch.dtype) -> PreparedWeight:
        """Prepare the convolution's weights for modulation; `dtype` is the layer's."""
        weight: Weight = precision.convert_layout(self.weight, dtype)
        if self.spec.up == 1 and isinstance(weight, Tensor):
            weight = prepare_weight(weight, dtype, self.spec.in_size, self.spec.conv_padding)
        return PreparedWeight(weight, self.affine.fold(), self.weight.square().sum(dim=[2, 3]))

    def _convolve(self, x: Tensor, weight: Weight, plain: Callable[[Tensor, Any, int], Tensor]) -> Tensor:
        """Convolve by `plain` where the size stays."""
        if self.spec.up == 1:
            return plain(x, weight, self.spec.conv_padding)
        assert isinstance(weight, Tensor)
        # The transposed convolution leaves 2n + 1 pixels; the filter makes up for its gain of 1/4.
        x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        return self.resample(x, self.spec.padding, gain=4.0)

    def forward(
        self, x: Tensor, w: Tensor, noise: str | Tensor, gain: float = 1.0, modulated_weight: Weight | None = None
    ) -> Tensor:
        """Map [N, C_in, H, W] and w [N, w_dim] to [N, C_out, H, W] or twice the size, in the type of x.

        `noise` is a mode, or a plane [H, W] of the output's size, or one for each sample, [N, 1, H, W].
        """
        if modulated_weight is not None:
            x = self._convolve(x, modulated_weight, convolve)
        else:
            weight: Tensor = self.weight
            styles = self.affine(w)
            if x.dtype == torch.float16:  # demodulation undoes both; without them the sums would leave its range
                weight = weight / math.sqrt(weight[0].numel())
                styles = styles / styles.abs().amax(dim=1, keepdim=True).clamp(min=EPSILON)
            x = self._convolve(scale_channels(x, styles), weight.to(x.dtype), convolve_changing)
            x = scale_channels(x, compute_demodulation(weight, styles))
        if self.noise_inputs and not (isinstance(noise, str) and noise == "none"):
            if not isinstance(noise, str):
                plane = noise
            elif noise == "random":
                plane = torch.randn(x.shape[0], 1, *x.shape[2:], device=x.device)
            else:
                plane = self.get_buffer("noise_const")
            x = x + (plane * self.noise_strength).to(x.dtype)
        clamp = None if self.clamp is None else self.clamp * gain
        return bias_act(x, self.bias, act="lrelu", gain=math.sqrt(2) * gain, clamp=clamp)


class ToRGB(nn.Module):
    """Modulated 1x1 convolution without demodulation."""

    def __init__(self, config: GeneratorConfig, spec: LayerSpec) -> None:
        super().__init__()
        self.spec, self.clamp = spec, config.conv_clamp
        self.affine = FullyConnected(config.w_dim, spec.in_channels, bias_init=1)
        self.weight = nn.Parameter(torch.randn(spec.out_channels, spec.in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(spec.out_channels))
        self.weight_gain = 1 / math.sqrt(spec.in_channels)

    def prepare(self, precision: PrecisionPolicy, dtype: torch.dtype) -> PreparedWeight:
        """Prepare the weights [img_channels, C, 1, 1] for modulation; `dtype` is the layer's."""
        return PreparedWeight(precision.convert_layout(self.weight, dtype), self.affine.fold(self.weight_gain))

    def forward(self, x: Tensor, w: Tensor, modulated_weight: Weight | None = None) -> Tensor:
        """Map [N, C, H, W] to [N, img_channels, H, W]."""
        if modulated_weight is not None:
            x = convolve(x, modulated_weight, 0)
        else:
            x = F.conv2d(scale_channels(x, self.affine(w) * self.weight_gain), self.weight.to(x.dtype))
        return bias_act(x, self.bias, clamp=self.clamp)


class ResidualSkip(Resampler):
    """The resnet architecture's 1x1 shortcut, upsampled: no bias, gain sqrt(1/2)."""

    def __init__(self, config: GeneratorConfig, in_channels: int, out_channels: int) -> None:
        super().__init__(config.resample_filter)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 1, 1))
        self.weight_gain = 1 / math.sqrt(in_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, C_in, H, W] to [N, C_out, 2H, 2W]."""
        x = F.conv2d(x, (self.weight * self.weight_gain).to(x.dtype))
        return self.resample(x, self.doubling, up=2, gain=4.0) * math.sqrt(0.5)


class SynthesisBlock(Resampler):
    """The modules of one resolution: conv0 (doubling), conv1; ToRGB and a shortcut where the architecture has them."""

    def __init__(self, config: GeneratorConfig, specs: tuple[LayerSpec, ...]) -> None:
        super().__init__(config.resample_filter)
        first = specs[0]
        if first.out_size == 4 and not config.fourier_input:
            self.const = nn.Parameter(torch.randn(first.in_channels, 4, 4))
        for spec in specs:
            layer = ToRGB(config, spec) if spec.is_torgb else StyledConv(config, spec)
            self.add_module(spec.name.partition(".")[2], layer)
        if config.architecture == "resnet" and first.up > 1:
            self.skip = ResidualSkip(config, first.in_channels, first.out_channels)


def draw_planes(config: GeneratorConfig, share: Share, device: torch.device) -> dict[str, Tensor] | None:
    """Draw noise for a share of a batch, [N, 1, H, W] by layer's name; None for a rung that has none."""
    if config.architecture == "layers" or not config.noise_inputs:
        return None
    layers = [spec for spec in plan(config).layers if not spec.is_torgb]
    return {spec.name: share.draw_normal(1, spec.out_size, spec.out_size, device=device) for spec in layers}


class StyleGAN2Synthesis(SynthesisNetwork):
    """The synthesis network of rungs A to C, from ws [N, num_ws, w_dim] to images [N, img_channels, S, S].

    In float16 layers the maps are float16; the RGB image so far, which "b8.torgb" yields, has the type of ws.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__(config)
        layers, self.resnet = self.plan.layers, config.architecture == "resnet"
        for resolution, specs in groupby(layers, lambda spec: spec.out_size):
            self.add_module(f"b{resolution}", SynthesisBlock(config, tuple(specs)))
        # Each convolution takes the next w; ToRGB shares that of the convolution after it.
        self.w_indices = tuple(sum(not spec.is_torgb for spec in layers[:index]) for index in range(len(layers)))

    def _steps(self, ws: Tensor, options: SynthesisOptions) -> Iterator[tuple[str, Tensor]]:
        precision = options.precision
        if hasattr(self, "input"):
            x = precision.convert(self.input(ws[:, 0], options.transform, options.overrides), ws.dtype)
            yield "input", x
        else:
            x = precision.convert(self._constant(options)[None].expand(ws.shape[0], -1, -1, -1), ws.dtype)
        img = shortcut = None
        for name, layer, w, dtype in self._layers(ws, precision):
            block = cast(SynthesisBlock, self.get_submodule(f"b{layer.spec.out_size}"))
            weight = options.weight(name)
            if x.dtype != dtype:
                x = precision.convert(x, dtype)
            if layer.spec.is_torgb:
                rgb = layer(x, w, weight).to(ws.dtype)
                img = rgb if img is None else rgb + block.resample(img, block.doubling, up=2, gain=4.0)
                yield name, img
                continue
            if shortcut is not None:  # of conv1
                x, shortcut = shortcut + layer(x, w, options.noise_of(name), math.sqrt(0.5), weight), None
            else:
                shortcut = block.skip(x) if self.resnet and layer.spec.up > 1 else None
                x = layer(x, w, options.noise_of(name), 1.0, weight)
            yield name, x

    def _constant(self, options: SynthesisOptions) -> Tensor:
        """Return rung A's constant [C, 4, 4]; ConfigError for options that move it."""
        if options.transform is not None:
            raise ConfigError("Rung A draws from a learned constant and has no Fourier input, so it cannot be moved.")
        if options.overrides.learned is not None:
            raise ConfigError("Rung A draws from a learned constant, which w does not move: there is no transform.")
        constant = cast(Tensor, self.get_parameter("b4.const"))
        return (
            constant.mean(dim=(1, 2), keepdim=True).expand_as(constant) if options.overrides.mean_constant else constant
        )
