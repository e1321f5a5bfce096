# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Official constructor arguments to our configurations (checkpoint-formats, "Parameter names")."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gan.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig
from gan.networks.ladder import rung_config

# Arguments that change how fast or how precisely a network runs, or how it was trained, but not what it computes.
IGNORED = {"num_fp16_res", "use_fp16", "fp16_channels_last", "fused_modconv_default", "freeze_layers", "w_avg_beta"}
# Arguments with one value that is computed here, the usual one, which many files spell out.
USUAL = {"activation": "lrelu", "lr_multiplier": 0.01, "kernel_size": 3}
AS_WIDE_AS_W = ("embed_features", "layer_features")  # of the mapping: None, or what None stands for
SHARED = {
    "z_dim": "z_dim",
    "c_dim": "c_dim",
    "w_dim": "w_dim",
    "img_resolution": "resolution",
    "img_channels": "img_channels",
    "channel_base": "channel_base",
    "channel_max": "channel_max",
    "conv_clamp": "conv_clamp",
}
LAYERS = SHARED | {
    "num_layers": "num_layers",
    "num_critical": "num_critical",
    "first_cutoff": "first_cutoff",
    "first_stopband": "first_stopband",
    "last_stopband_rel": "last_stopband_rel",
    "margin_size": "margin_size",
    "output_scale": "output_scale",
    "conv_kernel": "conv_kernel",
    "filter_size": "filter_size",
    "lrelu_upsampling": "lrelu_upsampling",
    "use_radial_filters": "radial_filters",
    "magnitude_ema_beta": "magnitude_ema_beta",
}
SKIP = SHARED | {"architecture": "architecture", "resample_filter": "resample_filter", "use_noise": "noise_inputs"}
DISCRIMINATOR = {key: name for key, name in SHARED.items() if key not in ("z_dim", "w_dim")} | {
    "cmap_dim": "cmap_dim",
    "mbstd_group_size": "mbstd_group",
    "mbstd_num_channels": "mbstd_channels",
    "resample_filter": "resample_filter",
}
NESTED = ("synthesis_kwargs", "block_kwargs", "epilogue_kwargs")  # options that stand in a dict of their own


def _flat(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with nested options beside the others; the mapping's keep to themselves."""
    flat: dict[str, Any] = {}
    for key, value in kwargs.items():
        if key in NESTED:
            flat.update(_flat(_options(key, value)))
        else:
            flat[key] = value
    return flat


def _options(key: str, value: Any) -> Mapping[str, Any]:
    if value is None or isinstance(value, Mapping):
        return value or {}
    raise ConfigError(f"The network's arguments are damaged: {key} must hold options, not {value!r:.40}.")


def _fields(kwargs: Mapping[str, Any], names: Mapping[str, str], mapping_layers: int) -> dict[str, Any]:
    flat = _flat(kwargs)
    mapping = dict(_options("mapping_kwargs", flat.pop("mapping_kwargs", None)))
    fields: dict[str, Any] = {"mapping_layers": mapping.pop("num_layers", mapping_layers)}
    width = flat.get("w_dim") or flat.get("cmap_dim")
    for key in AS_WIDE_AS_W:
        if mapping.get(key) in (None, width):
            mapping.pop(key, None)
    unknown = []
    for options in (mapping, {key: value for key, value in flat.items() if key not in names}):
        unusual = [key for key, value in options.items() if key not in USUAL or value != USUAL[key]]
        unknown += [f"{key} = {options[key]!r:.40}" for key in unusual if key not in IGNORED]
    if unknown:
        some = ", ".join(sorted(unknown)[:4])
        raise ConfigError(f"The network was built with options that are not supported here: {some}.")
    for key, value in flat.items():
        if key in names:
            fields[names[key]] = tuple(value) if isinstance(value, list) else value
    return fields


def generator_config(kind: str, kwargs: Mapping[str, Any]) -> GeneratorConfig:
    """`kind` "stylegan3.Generator" or "stylegan2.Generator" with its constructor's arguments.

    For R, channel_base and channel_max are already doubled there. ConfigError names what is not supported.
    """
    if kind == "stylegan3.Generator":
        fields = {"channel_base": 2**15} | _fields(kwargs, LAYERS, mapping_layers=2)
        rotates = fields.get("conv_kernel", 3) == 1 and fields.get("radial_filters", False)
        return GeneratorConfig(rung="R" if rotates else "T", **fields)
    if kind == "stylegan2.Generator":
        fields = {"architecture": "skip"} | _fields(kwargs, SKIP, mapping_layers=8)
        if fields["architecture"] not in ("skip", "resnet", "orig"):
            raise ConfigError(f"StyleGAN2's architecture {fields['architecture']!r} is not supported here.")
        return replace(rung_config("A", fields.get("resolution", 0), channel_base=2**15), **fields)
    raise ConfigError(f"There is no generator of the kind {kind!r} here.")


def discriminator_config(kwargs: Mapping[str, Any]) -> DiscriminatorConfig:
    """The residual discriminator from its constructor's arguments; ConfigError names what is not supported."""
    flat = dict(kwargs)
    architecture = flat.pop("architecture", "resnet")
    if architecture != "resnet":
        raise ConfigError(f"The discriminator's architecture {architecture!r} is not supported here.")
    return DiscriminatorConfig(**_fields(flat, DISCRIMINATOR, mapping_layers=8))
