# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A model's layers in the numbers that panels show, from its configuration alone."""

from dataclasses import replace
from functools import lru_cache

from gan.analysis.bands import Band, list_bands
from gan.networks.config import GeneratorConfig
from gan.networks.layer_plan import is_fp16_layer, plan
from viz.core.result import PICTURE


@lru_cache(maxsize=64)
def list_layers(config: GeneratorConfig) -> tuple[Band, ...]:
    """Return the Fourier input if there is one, every layer, and last the finished PICTURE: ToRGB's output, scaled."""
    found = list_bands(config)
    return (*found, replace(found[-1], name=PICTURE))


def find_layer(config: GeneratorConfig, name: str) -> Band:
    """Return the layer called `name`, or the most similar one, so that a selection survives a change of models.

    That is the layer of the same number ("L5_36_32" for "L5_52_64"), else the picture. "" is a layer in the middle,
    where forms appear.
    """
    every = list_layers(config)
    if not name:
        return next(layer for layer in every[len(every) // 2 :] if "torgb" not in layer.name)
    number = name.partition("_")[0]
    for layer in every:
        if layer.name == name:
            return layer
    return next((layer for layer in every if layer.name.partition("_")[0] == number), every[-1])


def number_format(layer: Band, config: GeneratorConfig, half: int) -> str:
    """Return the format of a layer's output, "f16" or "f32", if the `half` highest resolutions are in float16."""
    summed = "torgb" in layer.name  # StyleGAN2's RGB image, added up over the resolutions
    whole = layer.name in ("input", PICTURE) or summed
    return "f16" if not whole and is_fp16_layer(layer.rate, config.resolution, half) else "f32"


@lru_cache(maxsize=64)
def list_w_layers(config: GeneratorConfig) -> tuple[Band, ...]:
    """Return the layer that takes each w first: the input (T and R) or the convolution, and ToRGB the last."""
    layers = [layer for layer in list_bands(config) if config.architecture == "layers" or layer.name != "input"]
    if config.architecture == "layers":
        return tuple(layers)
    # StyleGAN2's ToRGB shares the w of the convolution after it; the last has one of its own.
    return (*(layer for layer in layers if "torgb" not in layer.name), layers[-1])


def split_w_layers(count: int) -> dict[str, range]:
    """Return the w's of coarse, middle and fine styles, 4, 4 and 10 of the 18 of StyleGAN2 at 1024 pixels."""
    middle, fine = round(count * 4 / 18), round(count * 8 / 18)
    return {"coarse": range(middle), "middle": range(middle, fine), "fine": range(fine, count)}


@lru_cache(maxsize=64)
def breaks_when_turned(config: GeneratorConfig) -> bool:
    """Return whether a network's pictures can be turned and fall apart: it mixes neighbours that do not turn along."""
    return config.fourier_input and any(layer.conv_kernel > 1 for layer in plan(config).layers)
