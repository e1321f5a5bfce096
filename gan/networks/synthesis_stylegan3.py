# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The synthesis network of rungs D to R [P app. F.1]: one executor over a plan of layers."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from cuda_ops import filtered_lrelu
from gan.networks.config import GeneratorConfig
from gan.networks.conv_autotune import PreparedWeight, Weight, convolve, convolve_modulated, prepare_weight
from gan.networks.filter_design import design_down_filter, design_up_filter
from gan.networks.layer_plan import LayerSpec
from gan.networks.layers import Average, FullyConnected, compute_demodulation, keep_mean, mean_square
from gan.networks.precision import FULL_PRECISION, PrecisionPolicy
from gan.networks.synthesis import SynthesisNetwork, SynthesisOptions


class SynthesisLayer(nn.Module):
    """One layer of the plan: modulated convolution, then bias and leaky ReLU between an up- and a down-filter."""

    def __init__(self, config: GeneratorConfig, spec: LayerSpec, clamp: float | None) -> None:
        super().__init__()
        self.spec, self.clamp, self.magnitude_ema_beta = spec, clamp, config.magnitude_ema_beta
        self.affine = FullyConnected(config.w_dim, spec.in_channels, bias_init=1)
        k = spec.conv_kernel
        self.weight = nn.Parameter(torch.randn(spec.out_channels, spec.in_channels, k, k))
        self.bias = nn.Parameter(torch.zeros(spec.out_channels))
        self._torgb_gain = 1 / math.sqrt(spec.in_channels * k**2)
        self.register_buffer("magnitude_ema", torch.ones([]))
        for name, f in (("up_filter", design_up_filter(spec)), ("down_filter", design_down_filter(spec))):
            self.register_buffer(name, None if f is None else torch.from_numpy(f))

    def _normalized_weight(self) -> Tensor:
        """Compute the weight of unit RMS in each kernel: that changes nothing but keeps float16 in its range."""
        return self.weight * self.weight.square().mean(dim=[1, 2, 3], keepdim=True).rsqrt()

    def _modulation(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Compute weights and styles [N, C_in] for modulation, without the input's magnitude."""
        styles = self.affine(w)
        if self.spec.is_torgb:
            return self.weight, styles * self._torgb_gain
        return self._normalized_weight(), styles * styles.square().mean().rsqrt()

    def prepare(self, precision: PrecisionPolicy, dtype: torch.dtype) -> PreparedWeight:
        """Prepare the convolution's weights for modulation, with the input's magnitude; `dtype` is the layer's."""
        weight = self.weight if self.spec.is_torgb else self._normalized_weight()
        squares = None if self.spec.is_torgb else weight.square().sum(dim=[2, 3])
        scaled = precision.convert_layout(weight * self.get_buffer("magnitude_ema").rsqrt(), dtype)
        chosen = prepare_weight(scaled, dtype, self.spec.in_size, self.spec.conv_padding)
        affine = self.affine.fold(self._torgb_gain if self.spec.is_torgb else 1.0)
        return PreparedWeight(chosen, affine, squares, is_normalized=not self.spec.is_torgb)

    def forward(
        self,
        x: Tensor,
        w: Tensor,
        update_emas: bool = False,
        modulated_weight: Weight | None = None,
        average: Average = keep_mean,
    ) -> Tensor:
        """Map [N, C_in, in_size, in_size] and w [N, w_dim] to [N, C_out, out_size, out_size] in the type of x."""
        spec = self.spec
        if modulated_weight is not None:
            return self._nonlinearity(convolve(x, modulated_weight, spec.conv_padding))
        magnitude_ema = self.get_buffer("magnitude_ema")
        if update_emas:
            magnitude = average(mean_square(x.detach().float()))
            if x.dtype == torch.float16:  # an overflow ends with its step, unless an average keeps it
                magnitude = torch.where(torch.isfinite(magnitude), magnitude, magnitude_ema)
            magnitude_ema.copy_(magnitude.lerp(magnitude_ema, self.magnitude_ema_beta))
        weight, styles = self._modulation(w)
        demodulation = None if spec.is_torgb else compute_demodulation(weight, styles)
        x = convolve_modulated(x, weight, styles * magnitude_ema.rsqrt(), demodulation, spec.conv_padding)
        return self._nonlinearity(x)

    def _nonlinearity(self, x: Tensor) -> Tensor:
        spec, padding = self.spec, [*self.spec.padding, *self.spec.padding]
        up_filter, down_filter = self._buffers["up_filter"], self._buffers["down_filter"]
        gain, slope = (1.0, 1.0) if spec.is_torgb else (math.sqrt(2), 0.2)
        return filtered_lrelu(
            x, up_filter, down_filter, self.bias, spec.up, spec.down, padding, gain, slope, clamp=self.clamp
        )


class StyleGAN3Synthesis(SynthesisNetwork):
    """The synthesis network of rungs D to R, from ws [N, num_layers + 2, w_dim] to images [N, img_channels, S, S]."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__(config)
        self.output_scale = config.output_scale
        self.w_indices = tuple(range(1, len(self.plan.layers) + 1))  # the input takes w 0
        clamps = {layer.name: layer.conv_clamp for layer in config.layers}
        for spec in self.plan.layers:
            clamp = clamps.get(spec.name, config.conv_clamp)
            self.add_module(spec.name, SynthesisLayer(config, spec, clamp))

    @torch.no_grad()
    def calibrate(self, ws: Tensor) -> None:
        # A layer runs when the step after it is asked for: each magnitude is set before its layer uses it.
        for (_, layer, _, _), (_, x) in zip(self._layers(ws, FULL_PRECISION), self.steps(ws), strict=False):
            layer.magnitude_ema.copy_(x.float().square().mean())

    def _steps(self, ws: Tensor, options: SynthesisOptions) -> Iterator[tuple[str, Tensor]]:
        precision = options.precision
        x = precision.convert(self.input(ws[:, 0], options.transform, options.overrides), ws.dtype)
        yield "input", x
        for name, layer, w, dtype in self._layers(ws, precision):
            if x.dtype != dtype:
                x = precision.convert(x, dtype)
            x = layer(x, w, options.update_emas, options.weight(name), options.average)
            yield name, x
