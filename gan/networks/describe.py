# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Describe a network's configuration: its rung, its pictures, and the number of its parameters. Without torch."""

from itertools import pairwise

from gan.files.errors import sanitize_text
from gan.networks.config import GeneratorConfig
from gan.networks.ladder import RUNGS, build_ladder
from gan.networks.layer_plan import plan

STYLEGAN_XL = "XL"  # what stands for the rung of a network whose layers a file lists
RUNG_TITLES = {**dict(RUNGS), STYLEGAN_XL: "StyleGAN-XL"}
NAME_LENGTH = 60  # characters of a rung's name that are shown: a file may call it anything


def describe_rung(config: GeneratorConfig) -> str:
    """Return the title of a configuration's rung: its letter, phrase and name."""
    known = {rung.letter: str(rung) for rung in build_ladder(config.resolution)}
    known[STYLEGAN_XL] = f"{STYLEGAN_XL} StyleGAN-XL, its layers as its file lists them"
    return known.get(config.rung, f"{sanitize_text(config.rung, NAME_LENGTH)} (no rung of the ladder)")


def describe_channels(channels: int) -> str:
    """Name the kind of a picture of so many channels."""
    return {1: "grey", 2: "2 channels", 3: "RGB", 4: "RGBA"}.get(channels, f"{channels} channels")


def count_parameters(config: GeneratorConfig) -> tuple[int, int]:
    """Return the trained numbers in (mapping, synthesis); buffers, such as the sinusoids' frequencies, do not count."""
    w_dim = config.w_dim
    embedded = (config.label_width or w_dim) if config.c_dim else 0
    mapping = (config.c_dim + (not config.labels_beside_z)) * embedded
    if config.embed_rows:
        embedded = config.z_dim
        mapping = config.embed_rows * config.embed_dim + (config.embed_dim + 1) * embedded
    widths = [config.z_dim + embedded, *[config.mapping_width or w_dim] * (config.mapping_layers - 1), w_dim]
    mapping += sum((before + 1) * after for before, after in pairwise(widths))

    planned = plan(config)
    of_layers = config.architecture == "layers"
    synthesis = planned.input_channels**2  # the mix of the sinusoids, or the constant's 4x4 pixels
    if not of_layers and not config.fourier_input:
        synthesis = planned.input_channels * planned.input_size**2
    if of_layers and config.learned_transform:
        synthesis += (w_dim + 1) * 4
    for spec in planned.layers:
        synthesis += (w_dim + 1) * spec.in_channels  # affine
        synthesis += (spec.in_channels * spec.conv_kernel**2 + 1) * spec.out_channels
        synthesis += not of_layers and config.noise_inputs and not spec.is_torgb  # the noise's strength
        if config.architecture == "resnet" and spec.up > 1:
            synthesis += spec.in_channels * spec.out_channels  # the shortcut
    return mapping, synthesis
