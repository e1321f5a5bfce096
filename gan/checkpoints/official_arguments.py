# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Translate official constructor arguments to our configurations (references, *Official checkpoints*)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gan.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig
from gan.networks.ladder import rung_config

# Arguments that change how fast or how precisely a network runs, or how it was trained, but not what it computes.
IGNORED = {"num_fp16_res", "use_fp16", "fp16_channels_last", "fused_modconv_default", "freeze_layers", "w_avg_beta"}
# Arguments that many files spell out and that are supported with their usual value only.
FIXED = {"activation": "lrelu", "lr_multiplier": 0.01, "kernel_size": 3}
MAPPING_WIDTHS = ("embed_features", "layer_features")  # of the mapping: None, or what None stands for
# Supported options by their official names, and those that have another name in our configurations.
SHARED = {"c_dim", "img_resolution", "img_channels", "channel_base", "channel_max", "conv_clamp"}
STYLEGAN2 = SHARED | {"z_dim", "w_dim", "architecture", "resample_filter", "use_noise", "block_channels"}
STYLEGAN3 = SHARED | {"z_dim", "w_dim", "num_layers", "num_critical", "first_cutoff", "first_stopband"}
STYLEGAN3 |= {"last_stopband_rel", "margin_size", "output_scale", "conv_kernel", "filter_size", "lrelu_upsampling"}
STYLEGAN3 |= {"use_radial_filters", "magnitude_ema_beta"}
DISCRIMINATOR = SHARED | {
    "architecture",
    "cmap_dim",
    "mbstd_group_size",
    "mbstd_num_channels",
    "resample_filter",
    "block_channels",
}
RENAMED = {
    "img_resolution": "resolution",
    "use_radial_filters": "radial_filters",
    "use_noise": "noise_inputs",
    "mbstd_group_size": "mbstd_group",
    "mbstd_num_channels": "mbstd_channels",
}
SQUARE_ONLY = (
    "pictures that are not square, like StyleGAN-Human's, cannot be drawn here yet; draw it with the program that it "
    "was trained with, or open a square model"
)
NOT_SQUARE = f"is a model of pictures {{0}} high and {{1}} wide: {SQUARE_ONLY}"
NESTED = ("synthesis_kwargs", "block_kwargs", "epilogue_kwargs")  # dicts of options within the arguments


def _flatten(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with nested options beside the others, but for the mapping network's."""
    flat: dict[str, Any] = {}
    for key, value in kwargs.items():
        if key in NESTED:
            flat.update(_flatten(_check_options(key, value)))
        else:
            flat[key] = value
    return flat


def _check_options(key: str, value: Any) -> Mapping[str, Any]:
    if value is None or isinstance(value, Mapping):
        return value or {}
    raise ConfigError(f"The network's arguments are damaged: {key} must hold options, not {value!r:.40}.")


def _translate(kwargs: Mapping[str, Any], supported: set[str], mapping_layers: int) -> dict[str, Any]:
    """Return the fields of our configuration. ConfigError names options that are not supported."""
    flat = _flatten(kwargs)
    if flat.pop("square", True) is not True:
        raise ConfigError(SQUARE_ONLY)
    mapping = dict(_check_options("mapping_kwargs", flat.pop("mapping_kwargs", None)))
    fields: dict[str, Any] = {"mapping_layers": mapping.pop("num_layers", mapping_layers)}
    width = flat.get("w_dim") or flat.get("cmap_dim")
    for key in MAPPING_WIDTHS:
        if mapping.get(key) in (None, width):
            mapping.pop(key, None)
    unknown = []
    for options in (mapping, {key: value for key, value in flat.items() if key not in supported}):
        unusual = [key for key, value in options.items() if key not in FIXED or value != FIXED[key]]
        unknown += [f"{key} = {options[key]!r:.40}" for key in unusual if key not in IGNORED]
    if unknown:
        some = ", ".join(sorted(unknown)[:4])
        raise ConfigError(f"The network was built with options that are not supported here: {some}.")
    for key, value in flat.items():
        if key in supported:
            fields[RENAMED.get(key, key)] = tuple(value) if isinstance(value, list) else value
    return fields


def generator_config(kind: str, kwargs: Mapping[str, Any]) -> GeneratorConfig:
    """Return the configuration of a "stylegan3.Generator" or "stylegan2.Generator" from its constructor's arguments.

    For R, channel_base and channel_max are already doubled there. ConfigError names options that are not supported.
    """
    if kind == "stylegan3.Generator":
        fields = {"channel_base": 2**15} | _translate(kwargs, STYLEGAN3, mapping_layers=2)
        rotates = fields.get("conv_kernel", 3) == 1 and fields.get("radial_filters", False)
        return GeneratorConfig(rung="R" if rotates else "T", **fields)
    if kind == "stylegan2.Generator":
        fields = {"architecture": "skip"} | _translate(kwargs, STYLEGAN2, mapping_layers=8)
        if fields["architecture"] not in ("skip", "resnet", "orig"):
            raise ConfigError(f"StyleGAN2's architecture {fields['architecture']!r} is not supported here.")
        return replace(rung_config("A", fields.get("resolution", 0), channel_base=2**15), **fields)
    raise ConfigError(f"There is no generator of the kind {kind!r} here.")


def discriminator_config(kwargs: Mapping[str, Any]) -> DiscriminatorConfig:
    """Return a discriminator's configuration from its constructor's arguments. ConfigError as above."""
    fields = _translate(kwargs, DISCRIMINATOR, mapping_layers=8)
    if fields.get("mbstd_group", 4) is None:  # the whole batch
        fields["mbstd_group"] = 0
    return DiscriminatorConfig(**fields)
