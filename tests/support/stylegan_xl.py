# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""StyleGAN-XL's pickles for the tests: networks with super-resolution heads, written as dill writes them."""

import math
import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from gan.networks.config import GeneratorConfig, ListedLayer
from gan.networks.generator import Generator
from gan.networks.ladder import rung_config
from gan.networks.layer_plan import LayerSpec, compute_padding, plan
from support.foreign import Call, Named, module, module_state, pickled, snapshot

DILL = "dill._dill"
NUMPY_INNER = "numpy.core._multiarray_umath"
SMALL = {"channel_base": 128, "channel_max": 6, "z_dim": 4, "w_dim": 5}
COPIED = ("in_channels", "out_channels", "in_size", "out_size", "in_rate", "out_rate", "in_cutoff", "out_cutoff")
COPIED += ("in_half_width", "out_half_width", "conv_kernel", "up", "down", "up_taps", "down_taps", "radial_down")


def listed(spec: LayerSpec, name: str = "") -> ListedLayer:
    """Return a planned layer as an entry of a list."""
    numbers = {key: getattr(spec, key) for key in COPIED}
    return ListedLayer(name or spec.name, **numbers, padding_before=spec.padding[0], is_critical=spec.is_critical)


def add_head(layers: Sequence[ListedLayer], factor: int, count: int) -> list[ListedLayer]:
    """Return a network's layers with a head of `count` layers and ToRGB in place of the critical ones."""
    kept = [layer for layer in layers if not layer.is_critical]
    number, last, kernel = layers[-1].index - 1, kept[-1], kept[-1].conv_kernel
    resolution = layers[-1].out_size * factor
    size, rate, channels, cutoff, width = (
        getattr(last, f"out_{key}") for key in ("size", "rate", "channels", "cutoff", "half_width")
    )
    first_cutoff, first_stopband = cutoff, cutoff + width
    for i in range(count + 1):
        share, torgb, critical = min(i / (count - 2), 1), i == count, i >= count - 2
        new_cutoff = first_cutoff * (resolution / 2 / first_cutoff) ** share
        stopband = first_stopband * (resolution / 2 * 1.2311 / first_stopband) ** share
        new_rate = int(min(2 ** math.ceil(math.log2(2 * stopband)), resolution))
        new_size = resolution if i >= count - 1 else new_rate + 20
        new_channels = 3 if torgb else max(round(channels * 0.8), 2)
        new_width = max(stopband, new_rate / 2) - new_cutoff
        kernel = 1 if torgb else kernel
        rates = max(rate, new_rate) * (1 if torgb else 2)
        up, down = rates // rate, rates // new_rate
        taps = [6 * factor if factor > 1 else 1 for factor in (up, down)]
        before = compute_padding(size, new_size, kernel, kernel - 1, up, down, taps[0], taps[1])[0]
        name, radial = f"L{number + i}_{new_size}_{new_channels}", kernel == 1 and not critical
        numbers = (channels, new_channels, size, new_size, rate, new_rate, cutoff, new_cutoff, width, new_width)
        kept.append(ListedLayer(name, *numbers, kernel, up, down, *taps, before, radial, critical))
        size, rate, channels, cutoff, width = new_size, new_rate, new_channels, new_cutoff, new_width
    return kept


def network_config(classes: int = 3, heads: int = 1, rung: str = "T", resolution: int = 16) -> GeneratorConfig:
    """Return the configuration of a network of that many heads, each of twice the resolution."""
    stem = rung_config(rung, resolution, **SMALL, num_layers=5)
    layers = [listed(spec) for spec in plan(stem).layers]
    for _ in range(heads):
        layers = add_head(layers, 2, 4)
    fields: dict[str, Any] = {"schedule": "listed", "layers": tuple(layers), "num_layers": len(layers) - 1}
    if classes:
        fields |= {"c_dim": classes, "embed_rows": classes + 2, "embed_dim": 7, "w_avg_rows": classes}
    return replace(stem, rung="XL", resolution=layers[-1].out_size, **fields)


def make_generator(config: GeneratorConfig) -> Generator:
    """Return a generator whose every number is drawn, averages too."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        generator = Generator(config).eval().requires_grad_(False)
        generator.mapping.get_buffer("w_avg").normal_()
        for name, tensor in generator.state_dict().items():
            if name.endswith("magnitude_ema"):
                tensor.uniform_(0.5, 2)
    return generator


def dill_attribute(name: str, module: str = NUMPY_INNER) -> Call:
    """Return a name as dill 0.3.4 spells those of numpy's inner module."""
    return Call(Named(DILL, "_get_attr"), Call(Named(DILL, "_import_module"), module), name)


def _dtype(code: str) -> Call:
    return Call(Named("numpy", "dtype"), code, False, True, state=(3, "<", None, None, None, -1, -1, 0))


def dill_number(value: float) -> Call:
    """Return a float64 of numpy's."""
    return Call(dill_attribute("scalar"), _dtype("f8"), struct.pack("<d", value))


def dill_array(*values: int, later: bool = False) -> Call:
    """Return an array of int64; `later` versions of dill write it in one call."""
    arguments, data = (Named("numpy", "ndarray"), (0,), b"b"), struct.pack(f"<{len(values)}q", *values)
    state = (1, (len(values),), _dtype("i8"), False, data)
    if later:
        make = Named("numpy.core.multiarray", "_reconstruct")
        return Call(Named(DILL, "_create_array"), make, arguments, state, None)
    return Call(dill_attribute("_reconstruct"), *arguments, state=state)


def layer_attributes(layer: ListedLayer, last: bool, later: bool) -> dict[str, Any]:
    """Return what a layer's module says of itself."""
    _, after = padding = _paddings(layer)
    return {
        "is_torgb": last,
        "is_critically_sampled": layer.is_critical,
        "in_channels": layer.in_channels,
        "out_channels": layer.out_channels,
        "in_size": dill_array(layer.in_size, layer.in_size, later=later),
        "out_size": dill_array(layer.out_size, layer.out_size, later=later),
        "in_sampling_rate": layer.in_rate,
        "out_sampling_rate": float(layer.out_rate),
        "in_cutoff": dill_number(layer.in_cutoff),
        "out_cutoff": dill_number(layer.out_cutoff),
        "in_half_width": dill_number(layer.in_half_width),
        "out_half_width": dill_number(layer.out_half_width),
        "conv_kernel": layer.conv_kernel,
        "conv_clamp": layer.conv_clamp,
        "filter_size": 6,
        "up_factor": layer.up,
        "down_factor": layer.down,
        "padding": [padding[0], after] * 2,
    }


def _paddings(layer: ListedLayer) -> tuple[int, int]:
    resampling = (layer.up, layer.down, layer.up_taps, layer.down_taps)
    kernel = layer.conv_kernel
    total = sum(compute_padding(layer.in_size, layer.out_size, kernel, kernel - 1, *resampling))
    return layer.padding_before, total - layer.padding_before


def foreign_discriminator() -> Call:
    """Return a discriminator of classes that nobody has, with functions that came by value."""
    function = Call(Named(DILL, "_create_function"), Call(Named(DILL, "_create_code"), 1, 2, b"code"), {}, "f", None)
    block = Call(
        Named("timm.models.vision_transformer", "Block"), new=True, state=module_state() | {"forward": function}
    )
    norm = Call(Named("torch.nn.utils.spectral_norm", "SpectralNorm"), new=True, state={"name": "weight"})
    members = {"_modules": {"block": block}, "_forward_pre_hooks": {1: norm}}
    return Call(Named("pg_modules.discriminator", "ProjectedDiscriminator"), new=True, state=module_state() | members)


def stylegan_xl(
    generator: Generator, later: bool = False, class_name: str = "SuperresGenerator", change: Any = None
) -> dict[str, Any]:
    """Return what the file of such a generator holds; `change` edits the modules' states, by their names."""
    config = generator.config
    named = {"path_stem": "stem.pkl", "head_layers": 4, "up_factor": 2}
    about = {"z_dim": config.z_dim, "c_dim": config.c_dim, "w_dim": config.w_dim, "num_ws": config.num_ws}
    whole = module(class_name, dict(generator.state_dict()), named, img_resolution=config.resolution, **about)
    states = module_states(whole)
    synthesis = {"layer_names": [layer.name for layer in config.layers], "output_scale": config.output_scale}
    states["synthesis"].update(synthesis)
    states["synthesis.input"].update(bandwidth=dill_number(config.first_cutoff), sampling_rate=dill_number(16.0))
    for layer in config.layers:
        attributes = layer_attributes(layer, layer is config.layers[-1], later)
        states[f"synthesis.{layer.name}"].update(attributes)
    if config.embed_rows:
        table = Named("torch.nn.modules.sparse", "Embedding")
        mapping = states["mapping"]["_modules"]
        mapping["embed"] = Call(table, new=True, state=states["mapping.embed"])
    for state in states.values():
        state["_non_persistent_buffers_set"] = Call(Call(Named(DILL, "_load_type"), "set"), [])
    if change is not None:
        change(states)
    progress = {"cur_nimg": torch.zeros(1), "best_fid": 1.5}
    return snapshot({"G": whole, "D": foreign_discriminator(), "G_ema": whole}) | {"progress": progress}


def module_states(whole: Call) -> dict[str, dict[str, Any]]:
    """Return the state of each module, by its full name."""
    found = {"": whole.arguments[0]["state"]}
    for name, state in found.copy().items():
        _add_states(found, name, state)
    return found


def _add_states(found: dict[str, dict[str, Any]], prefix: str, state: dict[str, Any]) -> None:
    for name, child in state["_modules"].items():
        full = f"{prefix}.{name}".lstrip(".")
        found[full] = child.arguments[0]["state"]
        _add_states(found, full, found[full])


def official_stylegan_xl(generator: Generator, protocol: int = 4, **options: Any) -> bytes:
    """Return the file of such a generator."""
    return pickled(stylegan_xl(generator, **options), protocol)
