# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The synthesis network of rungs D to R [P app. F.1]: one executor over a plan of layers."""

import math
from collections.abc import Iterator
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cuda_ops import filtered_lrelu
from gan.networks.config import GeneratorConfig
from gan.networks.conv_autotune import Weight, convolve, prepare_weight
from gan.networks.filter_design import design_down_filter, design_up_filter
from gan.networks.fourier_input import FourierInput
from gan.networks.layer_plan import LayerSpec, plan
from gan.networks.layers import FullyConnected, compute_demodulation, modulate_weight, scale_channels
from gan.networks.precision import FULL_PRECISION, PrecisionPolicy
from gan.networks.synthesis import SynthesisNetwork, SynthesisOptions, Weights


class SynthesisLayer(nn.Module):
    """One layer of the plan: modulated convolution, then bias and leaky ReLU between an up- and a down-filter."""

    def __init__(self, spec: LayerSpec, w_dim: int, clamp: float | None, magnitude_ema_beta: float) -> None:
        super().__init__()
        self.spec, self.clamp, self.magnitude_ema_beta = spec, clamp, magnitude_ema_beta
        self.affine = FullyConnected(w_dim, spec.in_channels, bias_init=1)
        k = spec.conv_kernel
        self.weight = nn.Parameter(torch.randn(spec.out_channels, spec.in_channels, k, k))
        self.bias = nn.Parameter(torch.zeros(spec.out_channels))
        self.register_buffer("magnitude_ema", torch.ones([]))
        for name, f in (("up_filter", design_up_filter(spec)), ("down_filter", design_down_filter(spec))):
            self.register_buffer(name, None if f is None else torch.from_numpy(f))

    def _modulation(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Compute weights and styles [N, C_in] for modulation, without the input's magnitude."""
        spec = self.spec
        styles = self.affine(w)
        if spec.is_torgb:
            return self.weight, styles / math.sqrt(spec.in_channels * spec.conv_kernel**2)
        # Unit RMS before modulation: it changes nothing but keeps float16 in its range.
        weight = self.weight * self.weight.square().mean(dim=[1, 2, 3], keepdim=True).rsqrt()
        return weight, styles * styles.square().mean().rsqrt()

    def modulate(self, w: Tensor, precision: PrecisionPolicy, dtype: torch.dtype) -> Weight:
        """Compute the convolution's weight in `dtype` for one sample's w [1, w_dim], with the input's magnitude."""
        weight, styles = self._modulation(w)
        weight = modulate_weight(weight, styles, not self.spec.is_torgb) * self.get_buffer("magnitude_ema").rsqrt()
        return prepare_weight(precision.convert(weight, dtype), self.spec.in_size, self.spec.conv_padding)

    def forward(
        self, x: Tensor, w: Tensor, update_emas: bool = False, modulated_weight: Weight | None = None
    ) -> Tensor:
        """Map [N, C_in, in_size, in_size] and w [N, w_dim] to [N, C_out, out_size, out_size] in the type of x."""
        spec = self.spec
        if modulated_weight is not None:
            return self._nonlinearity(convolve(x, modulated_weight, spec.conv_padding))
        magnitude_ema = self.get_buffer("magnitude_ema")
        if update_emas:
            magnitude = x.detach().float().square().mean()
            if x.dtype == torch.float16:  # an overflow ends with its step, unless an average keeps it
                magnitude = torch.where(torch.isfinite(magnitude), magnitude, magnitude_ema)
            magnitude_ema.copy_(magnitude.lerp(magnitude_ema, self.magnitude_ema_beta))
        weight, styles = self._modulation(w)
        x = scale_channels(x, styles * magnitude_ema.rsqrt())
        x = F.conv2d(x, weight.to(x.dtype), padding=spec.conv_padding)
        if not spec.is_torgb:
            x = scale_channels(x, compute_demodulation(weight, styles))
        return self._nonlinearity(x)

    def _nonlinearity(self, x: Tensor) -> Tensor:
        spec = self.spec
        return filtered_lrelu(
            x,
            self._buffers["up_filter"],
            self._buffers["down_filter"],
            self.bias,
            up=spec.up,
            down=spec.down,
            padding=[*spec.padding, *spec.padding],
            gain=1.0 if spec.is_torgb else math.sqrt(2),
            slope=1.0 if spec.is_torgb else 0.2,
            clamp=self.clamp,
        )


class StyleGAN3Synthesis(SynthesisNetwork):
    """The synthesis network of rungs D to R, from ws [N, num_layers + 2, w_dim] to images [N, img_channels, S, S]."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.plan = plan(config)
        self.resolution, self.output_scale = config.resolution, config.output_scale
        self.input = FourierInput(
            config.w_dim if config.learned_transform else None,
            self.plan.input_channels,
            self.plan.input_size,
            self.plan.input_rate,
            self.plan.input_cutoff,
        )
        for spec in self.plan.layers:
            layer = SynthesisLayer(spec, config.w_dim, config.conv_clamp, config.magnitude_ema_beta)
            self.add_module(spec.name, layer)
        self.layer_names = ("input", *(spec.name for spec in self.plan.layers))

    def _layers(self, ws: Tensor) -> Iterator[tuple[str, SynthesisLayer, Tensor]]:
        for spec, w in zip(self.plan.layers, ws[:, 1:].unbind(dim=1), strict=True):
            yield spec.name, cast(SynthesisLayer, self.get_submodule(spec.name)), w

    def modulate(self, ws: Tensor, precision: PrecisionPolicy = FULL_PRECISION) -> Weights:
        return {
            name: layer.modulate(w, precision, precision.dtype(layer.spec.out_rate, self.resolution, w.dtype))
            for name, layer, w in self._layers(ws)
        }

    @torch.no_grad()
    def calibrate(self, ws: Tensor) -> None:
        layers = [layer for _, layer, _ in self._layers(ws)]
        betas = [layer.magnitude_ema_beta for layer in layers]
        try:
            for layer in layers:
                layer.magnitude_ema_beta = 0.0  # nothing of the average stays
            self(ws, SynthesisOptions(update_emas=True))
        finally:
            for layer, beta in zip(layers, betas, strict=True):
                layer.magnitude_ema_beta = beta

    def _steps(self, ws: Tensor, options: SynthesisOptions) -> Iterator[tuple[str, Tensor]]:
        precision = options.precision
        x = precision.convert(self.input(ws[:, 0], options.transform, options.overrides), ws.dtype)
        yield "input", x
        for name, layer, w in self._layers(ws):
            dtype = precision.dtype(layer.spec.out_rate, self.resolution, ws.dtype)
            if x.dtype != dtype:
                x = precision.convert(x, dtype)
            x = layer(x, w, options.update_emas, options.weight(name))
            yield name, x
