# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Plan a generator's layers in pure numbers [P app. F.1]: no tensors, so tests can pin all of it.

All rungs have one: D to R run it as it stands, A to C (StyleGAN2) add RGB images that bypass the layers.
"""

import math
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from gan.networks.config import GeneratorConfig

SQRT2 = math.sqrt(2)
RADIAL_KINDS = ("kaiser", "lanczos")  # a Gaussian is radial as it is, a binomial filter never


@dataclass(frozen=True)
class LayerSpec:
    """One layer. Rates are in samples per image width, cutoffs and half-widths in cycles per image width.

    StyleGAN2's layers have no cutoff by design: theirs are those of critical sampling, f_c = s/2.
    """

    name: str  # official parameter name: L{index}_{out_size}_{out_channels}, or b{out_size}.{conv0, conv1 or torgb}
    index: int  # its place, but in a list of layers the number in its name, which may skip some
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
    filter_kind: str
    up_taps: int
    down_taps: int
    radial_down: bool
    padding: tuple[int, int]  # before and after, on both axes, in the upsampled image; negative crops
    is_torgb: bool
    is_critical: bool

    @property
    def temporary_rate(self) -> int:
        """Rate at which the nonlinearity runs."""
        return self.in_rate * self.up


@dataclass(frozen=True)
class Plan:
    """The input's grid and the layers after it."""

    input_channels: int
    input_size: int
    input_rate: int
    input_cutoff: float  # radius of the disc that the Fourier input's frequencies are drawn from
    layers: tuple[LayerSpec, ...]


def is_fp16_layer(rate: float, resolution: int, num_fp16_res: int) -> bool:
    """Check if a layer of `rate` is among the `num_fp16_res` highest resolutions, in float16; 4x4 never is."""
    return rate > 4 and rate * 2**num_fp16_res > resolution


Schedule = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def compute_schedule(config: GeneratorConfig) -> Schedule:
    """Compute (f_c, f_t, s, f_h) over i = 0 ... N, N being ToRGB, of architecture "layers"."""
    if config.schedule == "listed":
        return _listed(config)
    return _rigid(config) if config.schedule == "rigid" else _flexible(config)


def _flexible(config: GeneratorConfig) -> Schedule:
    """Geometric in cutoff and stopband (T, R)."""
    last_cutoff = config.resolution / 2
    last_stopband = last_cutoff * config.last_stopband_rel
    exponents = np.minimum(np.arange(config.num_layers + 1) / (config.num_layers - config.num_critical), 1)
    cutoffs = config.first_cutoff * (last_cutoff / config.first_cutoff) ** exponents
    stopbands = config.first_stopband * (last_stopband / config.first_stopband) ** exponents
    rates = np.exp2(np.ceil(np.log2(np.minimum(stopbands * 2, config.resolution))))
    half_widths = np.maximum(stopbands, rates / 2) - cutoffs
    return cutoffs, stopbands, rates, half_widths


def _rigid(config: GeneratorConfig) -> Schedule:
    """Two layers a rate, 4, 4, 8, 8, ...: critical f_c = s/2, else f_c = s/2 - f_h (references, "Rungs D to H")."""
    indices = np.arange(config.num_layers + 1)
    rates = np.minimum(4.0 * 2 ** (indices // 2), config.resolution)
    half_widths = (SQRT2 - 1) * rates / 2
    critical = indices >= config.num_layers - config.num_critical
    cutoffs = np.where(critical, rates / 2, rates / 2 - half_widths)
    return cutoffs, cutoffs + half_widths, rates, half_widths


def _listed(config: GeneratorConfig) -> Schedule:
    """Read from the list of layers, which knows the stopbands' edges alone: f_t is where they begin."""
    cutoffs = np.array([layer.out_cutoff for layer in config.layers], np.float64)
    half_widths = np.array([layer.out_half_width for layer in config.layers], np.float64)
    rates = np.array([layer.out_rate for layer in config.layers], np.float64)
    return cutoffs, cutoffs + half_widths, rates, half_widths


def compute_padding(
    in_size: int, out_size: int, kernel: int, conv_padding: int, up: int, down: int, up_taps: int, down_taps: int
) -> tuple[int, int]:
    """Compute the padding (before, after) with which a layer maps in_size to exactly out_size pixels.

    The extra `up` before keeps the pixel grids' centres aligned [V].
    """
    conv = in_size + 2 * conv_padding - (kernel - 1)
    total = (out_size - 1) * down + 1 - conv * up + up_taps + down_taps - 2
    before = (total + up) // 2
    return before, total - before


def plan(config: GeneratorConfig) -> Plan:
    """Plan the layers of a generator."""
    if config.architecture != "layers":
        return _blocks(config)
    return _listed_layers(config) if config.schedule == "listed" else _layers(config)


# A layer's input or output: channels, size, rate, cutoff, half_width. In a LayerSpec those of the two alternate.
_Grid = tuple[int, int, int, float, float]


def _make_spec(name: str, index: int, before: _Grid, after: _Grid, *others: Any) -> LayerSpec:
    """Make a LayerSpec; `others` are its fields from conv_kernel on."""
    return LayerSpec(name, index, *chain.from_iterable(zip(before, after, strict=True)), *others)  # type: ignore[arg-type]


def _layers(config: GeneratorConfig) -> Plan:
    cutoffs, _, rates, half_widths = compute_schedule(config)
    sizes = rates + 2 * config.margin_size
    sizes[-2:] = config.resolution
    channels = np.rint(np.minimum((config.channel_base / 2) / cutoffs, config.channel_max))
    channels[-1] = config.img_channels
    whole = (values.astype(int).tolist() for values in (channels, sizes, rates))
    grids: list[_Grid] = list(zip(*whole, cutoffs.tolist(), half_widths.tolist(), strict=True))

    layers = []
    for i, after in enumerate(grids):
        before = grids[max(i - 1, 0)]
        (_, in_size, in_rate, *_), (out_channels, out_size, out_rate, *_) = before, after
        is_torgb, is_critical = i == config.num_layers, i >= config.num_layers - config.num_critical
        kernel = 1 if is_torgb else config.conv_kernel
        conv_padding = kernel // 2 if config.same_padding else kernel - 1
        temporary = max(in_rate, out_rate) * (1 if is_torgb else config.lrelu_upsampling)
        up, down = temporary // in_rate, temporary // out_rate
        up_taps, down_taps = (config.filter_size * n if n > 1 and not is_torgb else 1 for n in (up, down))
        radial = config.radial_filters and not is_critical and config.filter_kind in RADIAL_KINDS
        filters = (up, down, config.filter_kind, up_taps, down_taps, radial)
        padding = compute_padding(in_size, out_size, kernel, conv_padding, up, down, up_taps, down_taps)
        name = f"L{i}_{out_size}_{out_channels}"
        layers.append(
            _make_spec(name, i, before, after, kernel, conv_padding, *filters, padding, is_torgb, is_critical)
        )
    return Plan(*grids[0][:3], config.first_cutoff, tuple(layers))


def _listed_layers(config: GeneratorConfig) -> Plan:
    """Plan the layers that the configuration lists, each with the paddings that give its size."""
    specs = []
    for layer in config.layers:
        before = (layer.in_channels, layer.in_size, layer.in_rate, layer.in_cutoff, layer.in_half_width)
        after = (layer.out_channels, layer.out_size, layer.out_rate, layer.out_cutoff, layer.out_half_width)
        conv_padding = layer.conv_kernel - 1
        resampling = (layer.up, layer.down, layer.up_taps, layer.down_taps)
        total = sum(compute_padding(layer.in_size, layer.out_size, layer.conv_kernel, conv_padding, *resampling))
        radial = layer.radial_down and config.filter_kind in RADIAL_KINDS
        filters = (layer.up, layer.down, config.filter_kind, layer.up_taps, layer.down_taps, radial)
        padding = (layer.padding_before, total - layer.padding_before)
        kinds = (layer is config.layers[-1], layer.is_critical)
        others = (layer.conv_kernel, conv_padding, *filters, padding, *kinds)
        specs.append(_make_spec(layer.name, layer.index, before, after, *others))
    first = config.layers[0]
    return Plan(first.in_channels, first.in_size, first.in_rate, config.first_cutoff, tuple(specs))


def _blocks(config: GeneratorConfig) -> Plan:
    """StyleGAN2: conv0 (doubling), conv1 and ToRGB a rate, but for the first rate's conv0."""
    layers: list[LayerSpec] = []

    def grid(channels: int, rate: int) -> _Grid:
        return channels, rate, rate, rate / 2, rate * ((SQRT2 - 1) / 2)

    def add(name: str, rate: int, kernel: int = 3, up: int = 1) -> None:
        is_torgb = name == "torgb"
        before = grid(config.channels_at(rate // up), rate // up)
        after = grid(config.img_channels if is_torgb else config.channels_at(rate), rate)
        # A doubling layer's convolution is transposed: it leaves 2n + 1 pixels, the filter with this padding 2n.
        taps = len(config.resample_filter)
        conv_padding, up_taps, padding = kernel // 2, 1, (0, 0)
        if up > 1:
            conv_padding, up_taps, padding = 0, taps, ((taps + 1) // 2 - 1, (taps - 2) // 2)
        filters = (up, 1, "binomial", up_taps, 1, False)
        others = (kernel, conv_padding, *filters, padding, is_torgb, True)
        layers.append(_make_spec(f"b{rate}.{name}", len(layers), before, after, *others))

    rates = [2**i for i in range(2, int(math.log2(config.resolution)) + 1)]
    for rate in rates:
        if rate > rates[0]:
            add("conv0", rate, up=2)
        add("conv1", rate)
        if config.architecture == "skip" or rate == rates[-1]:
            add("torgb", rate, kernel=1)
    return Plan(config.channels_at(4), 4, 4, config.first_cutoff, tuple(layers))
