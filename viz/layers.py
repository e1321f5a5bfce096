# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A model's layers in the numbers that panels show, from its configuration alone."""

from dataclasses import dataclass
from functools import lru_cache

from gan.config import GeneratorConfig
from gan.plan import plan, schedule
from viz.result import PICTURE

PRECISION = "f32"  # what every layer runs in here


@dataclass(frozen=True)
class Layer:
    """What a layer puts out. Rates in samples, frequencies in cycles per picture width."""

    name: str
    size: int
    channels: int
    rate: int  # s
    cutoff: float  # f_c
    stopband: float  # f_t, or f_c + f_h for rungs whose schedule knows no f_t
    radial: bool  # whether its band is a disc: the Fourier input's, and that of radial filters; else a square
    precision: str = PRECISION

    @property
    def is_torgb(self) -> bool:
        """Whether its maps are colours."""
        return self.name == PICTURE or "torgb" in self.name


@lru_cache(maxsize=64)
def layers(config: GeneratorConfig) -> tuple[Layer, ...]:
    """The Fourier input where there is one, every layer, and last the finished PICTURE."""
    found, planned = [], plan(config)
    if config.fourier_input:
        found.append(Layer("input", planned.input_size, planned.input_channels, planned.input_rate,
                           planned.input_cutoff, planned.input_rate / 2, True))  # fmt: skip
    stopbands = [spec.out_cutoff + spec.out_half_width for spec in planned.layers]
    if config.architecture == "layers" and config.schedule == "flexible":
        stopbands = [float(stopband) for stopband in schedule(config)[1]]
    for spec, stopband in zip(planned.layers, stopbands, strict=True):
        found.append(Layer(spec.name, spec.out_size, spec.out_channels, spec.out_rate, spec.out_cutoff, stopband,
                           spec.radial_down))  # fmt: skip
    last = found[-1]
    found.append(Layer(PICTURE, last.size, last.channels, last.rate, last.cutoff, last.stopband, last.radial))
    return tuple(found)


def find(config: GeneratorConfig, name: str) -> Layer:
    """The layer called `name`, or the one that is most like it: of the same number ("L5_36_32" for "L5_52_64"), else
    the picture. What is selected thus survives a change of models. "" is a layer in the middle, where forms appear."""
    every = layers(config)
    if not name:
        return every[len(every) // 2]
    number = name.partition("_")[0]
    for layer in every:
        if layer.name == name:
            return layer
    return next((layer for layer in every if layer.name.partition("_")[0] == number), every[-1])
