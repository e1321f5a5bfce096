# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""From a configuration to a tuple of layers in pure numbers [P app. F.1]: no tensors, so all of it can be pinned."""

from dataclasses import dataclass

import numpy as np

from gan.config import GeneratorConfig


@dataclass(frozen=True)
class LayerSpec:
    """One alias-free layer. Rates are in samples per image width, cutoffs and half-widths in cycles per image width."""

    name: str  # official parameter name: L{index}_{out_size}_{out_channels}
    index: int
    in_channels: int
    out_channels: int
    in_size: int
    out_size: int
    in_rate: int
    out_rate: int
    in_cutoff: float
    out_cutoff: float
    in_half_width: float
    out_half_width: float
    conv_kernel: int
    conv_padding: int
    up: int
    down: int
    up_taps: int
    down_taps: int
    radial_down: bool
    padding: tuple[int, int]  # before and after, on both axes, in the upsampled image; negative crops
    is_torgb: bool
    is_critical: bool

    @property
    def temporary_rate(self) -> int:
        """The rate at which the nonlinearity runs."""
        return self.in_rate * self.up


@dataclass(frozen=True)
class Plan:
    """The Fourier input's grid and the layers after it."""

    input_channels: int
    input_size: int
    input_rate: int
    input_cutoff: float  # radius of the disc that the input's frequencies are drawn from
    layers: tuple[LayerSpec, ...]


def schedule(config: GeneratorConfig) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(f_c, f_t, s, f_h) over i = 0 ... N, N being ToRGB: the geometric schedule of T and R."""
    last_cutoff = config.resolution / 2
    last_stopband = last_cutoff * config.last_stopband_rel
    exponents = np.minimum(np.arange(config.num_layers + 1) / (config.num_layers - config.num_critical), 1)
    cutoffs = config.first_cutoff * (last_cutoff / config.first_cutoff) ** exponents
    stopbands = config.first_stopband * (last_stopband / config.first_stopband) ** exponents
    rates = np.exp2(np.ceil(np.log2(np.minimum(stopbands * 2, config.resolution))))
    half_widths = np.maximum(stopbands, rates / 2) - cutoffs
    return cutoffs, stopbands, rates, half_widths


def padding(
    in_size: int, out_size: int, kernel: int, conv_padding: int, up: int, down: int, up_taps: int, down_taps: int
) -> tuple[int, int]:
    """Padding (before, after) that makes convolution, up- and downsampling map in_size to exactly out_size pixels.

    The extra `up` before keeps the pixel grids' centres aligned [V].
    """
    conv = in_size + 2 * conv_padding - (kernel - 1)
    total = (out_size - 1) * down + 1 - conv * up + up_taps + down_taps - 2
    before = (total + up) // 2
    return before, total - before


def plan(config: GeneratorConfig) -> Plan:
    """The layers of an alias-free generator (architecture "layers")."""
    cutoffs, _, rates, half_widths = schedule(config)
    sizes = rates + 2 * config.margin_size
    sizes[-2:] = config.resolution
    channels = np.rint(np.minimum((config.channel_base / 2) / cutoffs, config.channel_max))
    channels[-1] = config.img_channels

    layers = []
    for i in range(config.num_layers + 1):
        before = max(i - 1, 0)
        is_torgb = i == config.num_layers
        is_critical = i >= config.num_layers - config.num_critical
        kernel = 1 if is_torgb else config.conv_kernel
        temporary = max(rates[before], rates[i]) * (1 if is_torgb else config.lrelu_upsampling)
        up, down = int(temporary // rates[before]), int(temporary // rates[i])
        up_taps = config.filter_size * up if up > 1 and not is_torgb else 1
        down_taps = config.filter_size * down if down > 1 and not is_torgb else 1
        in_size, out_size = int(sizes[before]), int(sizes[i])
        layers.append(LayerSpec(
            name=f"L{i}_{out_size}_{int(channels[i])}",
            index=i,
            in_channels=int(channels[before]),
            out_channels=int(channels[i]),
            in_size=in_size,
            out_size=out_size,
            in_rate=int(rates[before]),
            out_rate=int(rates[i]),
            in_cutoff=float(cutoffs[before]),
            out_cutoff=float(cutoffs[i]),
            in_half_width=float(half_widths[before]),
            out_half_width=float(half_widths[i]),
            conv_kernel=kernel,
            conv_padding=kernel - 1,
            up=up,
            down=down,
            up_taps=up_taps,
            down_taps=down_taps,
            radial_down=config.radial_filters and not is_critical,
            padding=padding(in_size, out_size, kernel, kernel - 1, up, down, up_taps, down_taps),
            is_torgb=is_torgb,
            is_critical=is_critical,
        ))  # fmt: skip
    return Plan(
        input_channels=int(channels[0]),
        input_size=int(sizes[0]),
        input_rate=int(rates[0]),
        input_cutoff=config.first_cutoff,
        layers=tuple(layers),
    )
