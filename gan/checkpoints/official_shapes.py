# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Recognise official networks by the names and shapes of their parameters (references, *Official checkpoints*).

The names tell the kind of network, whatever its class is called. Where a file has no constructor's arguments, they are
inferred from the shapes, and the layer plan that follows must then have the very same names.
"""

import re
from collections.abc import Mapping
from typing import Any

from gan.checkpoints.official_arguments import NOT_SQUARE, generator_config
from gan.checkpoints.read_limits import RefusedError
from gan.networks.config import ConfigError
from gan.networks.layer_plan import plan

Shapes = Mapping[str, tuple[int, ...]]
LAYER = re.compile(r"synthesis\.L(\d{1,3})_(\d{1,5})_(\d{1,5})\.weight")
BLOCK = re.compile(r"(?:synthesis\.)?b(\d{1,5})\.conv1\.weight")
USUAL_TAPS, OVERSAMPLING = 6, (2, 1, 4, 8)  # n and m of a filter's n m taps; these m are tried
CHANNEL_BASES = tuple(2**power for power in range(4, 21))
NOT_STANDARD = (
    "does not say how its network was built, and by its shapes it is not a standard StyleGAN{}: "
    "save the whole network, not only its weights"
)


def detect_kind(shapes: Shapes) -> str:
    """Return "stylegan3.Generator", "stylegan2.Generator" or "stylegan2.Discriminator"; "" for any other."""
    if any(LAYER.fullmatch(name) for name in shapes) and any(name.startswith("synthesis.input.") for name in shapes):
        return "stylegan3.Generator"
    if "synthesis.b4.const" in shapes:
        _check_square(shapes)
        return "stylegan2.Generator"
    return "stylegan2.Discriminator" if "b4.out.weight" in shapes else ""


def _check_square(shapes: Shapes) -> None:
    """Raise RefusedError where StyleGAN2's constant, and so the picture, is not square."""
    constant = shapes["synthesis.b4.const"]
    if len(constant) == 3 and constant[1] != constant[2]:
        scale = max((int(match[1]) for match in map(BLOCK.fullmatch, shapes) if match), default=4) // 4
        raise RefusedError(NOT_SQUARE.format(constant[1] * scale, constant[2] * scale))


def infer_arguments(kind: str, shapes: Shapes) -> dict[str, Any]:
    """Return the constructor's arguments that give a network of these shapes. RefusedError where none do."""
    try:
        if kind == "stylegan2.Discriminator":
            return _infer_discriminator(shapes)
        return _infer_stylegan3(shapes) if kind == "stylegan3.Generator" else _infer_stylegan2(shapes)
    except (KeyError, IndexError, ValueError, ZeroDivisionError) as error:
        if isinstance(error, RefusedError):
            raise
        raise RefusedError(NOT_STANDARD.format(kind.partition(".")[0][-1])) from error


def _infer_mapping(shapes: Shapes) -> dict[str, Any]:
    labelled = "mapping.embed.weight" in shapes
    w_dim, inputs = shapes["mapping.fc0.weight"]
    depth = sum(bool(re.fullmatch(r"mapping\.fc\d{1,3}\.weight", name)) for name in shapes)
    return {
        "z_dim": inputs - (w_dim if labelled else 0),
        "c_dim": shapes["mapping.embed.weight"][1] if labelled else 0,
        "w_dim": shapes[f"mapping.fc{depth - 1}.weight"][0],
        "mapping_kwargs": {"num_layers": depth},
    }


def _infer_stylegan3(shapes: Shapes) -> dict[str, Any]:
    """Infer from the layers' names, which hold sizes and channels, and the filters' lengths, which hold n and m."""
    found = sorted(tuple(map(int, match.groups())) for match in map(LAYER.fullmatch, shapes) if match)
    names = [f"L{index}_{size}_{channels}" for index, size, channels in found]
    given = _infer_mapping(shapes) | {
        "img_resolution": found[-1][1],
        "img_channels": found[-1][2],
        "num_layers": len(found) - 1,
        "conv_kernel": shapes[f"synthesis.{names[0]}.weight"][3],
        "use_radial_filters": any(name.endswith(".down_filter") and len(shapes[name]) == 2 for name in shapes),
        "channel_max": max(channels for _, _, channels in found[:-1]),
    }
    taps = shapes.get(f"synthesis.{names[0]}.up_filter", (0,))[0]
    # n = 6 wherever that is possible: only the product n m is seen.
    for oversampling in sorted(OVERSAMPLING, key=lambda m: taps != USUAL_TAPS * m) if taps else (1,):
        given |= {"lrelu_upsampling": oversampling, "filter_size": taps // oversampling if taps else USUAL_TAPS}
        for base in CHANNEL_BASES:
            try:
                planned = plan(generator_config("stylegan3.Generator", given | {"channel_base": base}))
            except ConfigError:
                continue
            if [spec.name for spec in planned.layers] == names and all(
                shapes.get(f"synthesis.{spec.name}.up_filter", (1,))[0] == spec.up_taps for spec in planned.layers
            ):
                return given | {"channel_base": base}
    raise RefusedError(NOT_STANDARD.format(3))


def _channels_by_resolution(shapes: Shapes, prefix: str) -> dict[int, int]:
    """Return channels by resolution, from the second convolution of each."""
    sizes = sorted(int(match[1]) for match in map(BLOCK.fullmatch, shapes) if match)
    return {size: shapes[f"{prefix}b{size}.conv1.weight"][1] for size in sizes}


def fit_channel_rule(channels: Mapping[int, int]) -> dict[str, Any]:
    """Return the base and the maximum of min(base / resolution, maximum), and the channels where that is not the rule.

    `channels` has every resolution from 4 up, in order.
    """
    maximum = max(channels.values())
    fewer = [size * count for size, count in channels.items() if count < maximum]
    base = max(fewer, default=maximum * max(channels))
    fitted: dict[str, Any] = {"channel_max": maximum, "channel_base": base}
    if any(min(base // size, maximum) != count for size, count in channels.items()):
        fitted["block_channels"] = list(channels.values())
    return fitted


def _infer_stylegan2(shapes: Shapes) -> dict[str, Any]:
    """Infer from the convolutions of each resolution; ToRGB and shortcuts tell the architecture."""
    channels = {4: shapes["synthesis.b4.const"][0]} | _channels_by_resolution(shapes, "synthesis.")
    resolution = max(channels)
    if f"synthesis.b{resolution}.skip.weight" in shapes:
        architecture = "resnet"
    else:
        architecture = "skip" if "synthesis.b4.torgb.weight" in shapes else "orig"
    found = {"img_resolution": resolution, "img_channels": shapes[f"synthesis.b{resolution}.torgb.weight"][0]}
    return found | _infer_mapping(shapes) | fit_channel_rule(channels) | {"architecture": architecture}


def _infer_discriminator(shapes: Shapes) -> dict[str, Any]:
    channels = _channels_by_resolution(shapes, "")
    resolution, at_4 = max(channels), shapes["b4.fc.weight"][0]
    given: dict[str, Any] = fit_channel_rule({4: at_4} | channels) | {
        "img_resolution": resolution,
        "img_channels": shapes[f"b{resolution}.fromrgb.weight"][1],
        "epilogue_kwargs": {"mbstd_num_channels": shapes["b4.conv.weight"][1] - at_4},
    }
    if f"b{resolution}.skip.weight" not in shapes:
        given["architecture"] = "skip" if "b4.fromrgb.weight" in shapes else "orig"
    if "mapping.embed.weight" in shapes:
        mapping = _infer_mapping(shapes)
        given |= {"c_dim": mapping["c_dim"], "cmap_dim": mapping["w_dim"], "mapping_kwargs": mapping["mapping_kwargs"]}
    return given
