# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The interface of both synthesis networks, and the options of one call of them."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from gan.networks.config import ConfigError, GeneratorConfig
from gan.networks.conv_autotune import PreparedWeight, Weight
from gan.networks.fourier_input import FourierInput
from gan.networks.input_transform import NO_OVERRIDES, InputOverrides
from gan.networks.layer_plan import plan
from gan.networks.layers import Average, keep_mean
from gan.networks.precision import FULL_PRECISION, PrecisionPolicy

NOISE_MODES = ("const", "random", "none")
Weights = dict[str, Weight]  # modulated, by layer name
Prepared = dict[str, PreparedWeight]  # before modulation, by layer name


@dataclass(frozen=True, eq=False)
class SynthesisOptions:
    """Options of one call of a synthesis network; the defaults draw the model as it is.

    `noise`: "const" (the stored planes), "random" (a new plane for each sample) or "none"; rungs A and B alone have it.
    `planes`: a plane [H, W] of noise by layer's name, or one for each sample, [N, 1, H, W]; in place of the stored.
    `transform`: [3, 3] or [N, 3, 3] inverse transform of the Fourier input (`input_transform.user_matrix`).
    `overrides`: replacements for what the model learned about its input.
    `weights`: the result of `modulate` for the same w, of one sample, and the same `precision`.
    `update_emas`: move the running averages of input magnitudes (training only), by what `average` makes of each mean
    over these samples: where they are a part of a batch, the mean over all of it.
    ConfigError for another noise mode, ValueError for averages that modulated weights cannot update.
    """

    noise: str = "const"
    planes: Mapping[str, Tensor] | None = None
    transform: Tensor | None = None
    overrides: InputOverrides = NO_OVERRIDES
    weights: Weights | None = None
    precision: PrecisionPolicy = FULL_PRECISION
    update_emas: bool = False
    average: Average = keep_mean

    def __post_init__(self) -> None:
        if self.noise not in NOISE_MODES:
            raise ConfigError(f"The noise must be one of {', '.join(NOISE_MODES)}, not {self.noise!r}.")
        if self.weights is not None and self.update_emas:
            raise ValueError("Modulated weights cannot update running averages: pass no weights or no update_emas.")

    def noise_of(self, layer: str) -> str | Tensor:
        """Return a layer's noise: a plane [H, W], or a noise mode."""
        return self.noise if self.planes is None else self.planes[layer]

    def weight(self, layer: str) -> Weight | None:
        """Return a layer's modulated weight, None where the layer must modulate its own."""
        return None if self.weights is None else self.weights[layer]


DEFAULT_OPTIONS = SynthesisOptions()


class SynthesisNetwork(nn.Module):
    """A synthesis network that iterates over its layers, so that each layer's output can be read without hooks.

    Subclasses add a module for each layer of the plan, by its name, with its `spec` and `prepare`.
    """

    output_scale = 1.0
    w_indices: tuple[int, ...]  # of the w that each layer takes

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.plan, self.resolution = plan(config), config.resolution
        of_layers = config.architecture == "layers"
        if of_layers or config.fourier_input:
            w_dim = config.w_dim if of_layers and config.learned_transform else None
            size, rate, cutoff = self.plan.input_size, self.plan.input_rate, self.plan.input_cutoff
            self.input = FourierInput(w_dim, self.plan.input_channels, size, rate, cutoff)
        self.layer_names = (*(["input"] if hasattr(self, "input") else []), *(spec.name for spec in self.plan.layers))

    def _layers(self, ws: Tensor, precision: PrecisionPolicy) -> Iterator[tuple[str, Any, Tensor, torch.dtype]]:
        """Yield each layer's name, the layer, its w, and the type that it computes in."""
        every = ws.unbind(dim=1)
        for spec, index in zip(self.plan.layers, self.w_indices, strict=True):
            dtype = precision.dtype(spec.out_rate, self.resolution, ws.dtype)
            yield spec.name, self.get_submodule(spec.name), every[index], dtype

    def prepare(self, precision: PrecisionPolicy = FULL_PRECISION, dtype: torch.dtype = torch.float32) -> Prepared:
        """Prepare each layer's convolution weights for `modulate`; they stay as long as the network does not change.

        `dtype` is that of the w's.
        """
        found: Prepared = {}
        for spec in self.plan.layers:
            layer = cast(Any, self.get_submodule(spec.name))
            found[spec.name] = layer.prepare(precision, precision.dtype(spec.out_rate, self.resolution, dtype))
        return found

    def modulate(
        self, ws: Tensor, precision: PrecisionPolicy = FULL_PRECISION, prepared: Prepared | None = None
    ) -> Weights:
        """Compute each layer's convolution weights for one sample, ws [1, num_ws, w_dim], as an option of `steps`.

        `prepared` are the weights before modulation of the same `precision`; None prepares them for this call.
        """
        prepared = self.prepare(precision, ws.dtype) if prepared is None else prepared
        weights: Weights = {}
        for spec, index in zip(self.plan.layers, self.w_indices, strict=True):
            dtype = precision.dtype(spec.out_rate, self.resolution, ws.dtype)
            weights[spec.name] = prepared[spec.name].modulate(ws[:, index], precision, dtype)
        return weights

    def steps(self, ws: Tensor, options: SynthesisOptions = DEFAULT_OPTIONS) -> Iterator[tuple[str, Tensor]]:
        """Yield each layer's name and output as it is computed; stop iterating to stop the computation.

        Layers in float16 yield float16. ConfigError for options that this rung does not have, ValueError for modulated
        weights and more than one sample.
        """
        if options.weights is not None and ws.shape[0] != 1:
            raise ValueError(f"Modulated weights are one sample's, but w has {ws.shape[0]} samples: pass no weights.")
        return self._steps(ws, options)

    def _steps(self, ws: Tensor, options: SynthesisOptions) -> Iterator[tuple[str, Tensor]]:
        raise NotImplementedError

    def calibrate(self, ws: Tensor) -> None:
        """Set the running averages of magnitudes, if there are any, to the magnitudes for ws [N, num_ws, w_dim]."""

    def forward(self, ws: Tensor, options: SynthesisOptions = DEFAULT_OPTIONS) -> Tensor:
        """Draw images [N, img_channels, H, W] in about [-1, 1], in the type of ws [N, num_ws, w_dim]."""
        # A deque of one keeps the last layer's output only; a list would hold every layer's in memory.
        ((_, x),) = deque(self.steps(ws, options), maxlen=1)
        return x.to(ws.dtype) * self.output_scale
