# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Recognise TensorFlow's StyleGAN2 and StyleGAN2-ADA: a pickle of (G, D, Gs), each a dict of arguments and variables.

Sizes come from the stored shapes; of the arguments only those count that change what a network of these shapes draws.
The source text that such a file carries is never run.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from gan.checkpoints.absent import find_absent
from gan.checkpoints.derived import TRANSPOSE, Change, Derived, Network
from gan.checkpoints.module_tree import find_placeholder
from gan.checkpoints.official_arguments import NOT_SQUARE
from gan.checkpoints.official_shapes import fit_channel_rule
from gan.checkpoints.pickle_stubs import NumpyArray, Placeholder, StoredTensor, refuse_placeholder
from gan.checkpoints.read_limits import Budget, RefusedError
from gan.checkpoints.tensorflow_variables import INCOMPLETE, Variables, read_components
from gan.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig
from gan.networks.ladder import rung_config

# Names of the class, the last two before StyleGAN.
CLASSES = ("dnnlib.tflib.network.Network", "dnnlib.tflib.Network", "network.Network", "tfutil.Network")
POSITIONS = ("G", "D", "Gs")
FAMILIES = {4: "TensorFlow StyleGAN2", 5: "TensorFlow StyleGAN2-ADA"}
REVISED = "G_synthesis_stylegan_revised"  # configs B to D, which grew
SYNTHESIS = ("G_synthesis_stylegan2", "G_synthesis", REVISED)
GROWN_DISCRIMINATOR = "D_stylegan"
DISCRIMINATORS = ("D_stylegan2", "D_main", GROWN_DISCRIMINATOR)
# Arguments that say how a network was trained, run or sized, which shapes tell.
IGNORED = set(
    "latent_size dlatent_size label_size label_fmaps resolution num_channels mapping_layers mapping_fmaps "
    "fmap_base fmap_max fmap_min fmap_decay num_fp16_res style_mixing_prob dlatent_avg_beta "
    "dlatent_broadcast randomize_noise fused_modconv structure conditioning mapping_func is_training "
    "is_validation is_template_graph return_dlatents mbstd_num_features freeze_layers".split()
)
READ = {"architecture", "resample_kernel", "conv_clamp", "mapping_lrmul"}
READ_OF_G, READ_OF_D = READ | {"synthesis_func", "use_noise"}, READ | {"mbstd_group_size", "label_size"}
USUAL = {"nonlinearity": "lrelu", "mapping_nonlinearity": "lrelu", "normalize_latents": True, "dtype": "float32"}
FILTER, HALF_FILTER = [1, 3, 3, 1], (1.0, 1.0)
OTHER = "open a StyleGAN2 or StyleGAN3 model of the same pictures, or draw this one with its authors' program"
STYLEGAN1 = f"is a TensorFlow pickle of StyleGAN1, which works otherwise and cannot be opened here: {OTHER}"
PROGRESSIVE = (
    f"is a TensorFlow pickle of a progressive GAN, which came before StyleGAN and cannot be opened here: {OTHER}"
)
GROWING = (
    "is a TensorFlow pickle from the middle of progressive growing (its lod is {}), which cannot be opened here: "
    "open a later snapshot, whose lod is 0"
)
UNKNOWN = "is a TensorFlow pickle of {}, which is no StyleGAN2 that can be opened here: open a model of StyleGAN2 or 3"

VALUES = {"bias": Change(), "noise_strength": Change(reshape=()), "mod_weight": TRANSPOSE, "mod_bias": Change(add=1.0)}
KERNEL, REVERSED_KERNEL = Change(permute=(3, 2, 0, 1)), Change(permute=(3, 2, 0, 1), flip=(2, 3))
FIRST, PLANE = Change(index=(0,)), Change(index=(0, 0))
LAYERS = {"Conv0_up": "conv0", "Conv1": "conv1", "ToRGB": "torgb", "Skip": "skip"}
DISCRIMINATOR_LAYERS = {"FromRGB": "fromrgb", "Conv0": "conv0", "Conv1_down": "conv1", "Skip": "skip"}
AT_4 = {"FromRGB": "fromrgb", "Conv": "conv", "Dense0": "fc"}
LAYER = re.compile(r"(?:synthesis/)?(\d{1,5})x\1/(\w{1,20})/(\w{1,20})")
DENSE = re.compile(r"(?:mapping/)?(?:Dense|Mapping)(\d{1,3})/(weight|bias)")
NOISE = re.compile(r"(?:synthesis/)?noise(\d{1,3})")
GROWN = re.compile(r"(?:synthesis/)?(ToRGB|FromRGB)_lod(\d{1,3})/(\w{1,20})")

Tensors = dict[str, StoredTensor | Derived]


def find_networks(data: Any, budget: Budget) -> dict[str, Callable[[], Network]]:
    """Return the networks of a file by name, each as a call that describes it; none where it is of another family."""
    members = data if isinstance(data, tuple | list) else [data]
    names = POSITIONS[: len(members)] if len(members) >= len(POSITIONS) else (None,) * len(members)
    pairs = list(data.items()) if isinstance(data, dict) else list(zip(names, members, strict=False))
    found: dict[str, Callable[[], Network]] = {}
    for name, member in pairs:
        if isinstance(member, Placeholder) and member.title in CLASSES:
            state = member.state or {}
            own = state.get("name")
            known = name or (own if isinstance(own, str) and own else POSITIONS[-1])
            found[known] = partial(_describe, known, member, budget)
    return found


def find_sources(data: Any) -> Iterator[Any]:
    """Yield the source texts that came with the networks."""
    members = data.values() if isinstance(data, dict) else data if isinstance(data, tuple | list) else [data]
    for member in members:
        if isinstance(member, Placeholder) and member.title in CLASSES:
            for state in (member.state or {}, *read_components(member.state or {}).values()):
                yield state.get("build_module_src")


def _describe(name: str, network: Placeholder, budget: Budget) -> Network:
    """Describe a network. RefusedError, ConfigError."""
    state = network.state or {}
    version, function = state.get("version"), _name_of(state.get("build_func_name"))
    variables = Variables(state, budget)
    if network.title.startswith(("tfutil.", "network.")) or version == 2:
        raise RefusedError(PROGRESSIVE)
    of_stylegan1 = function in ("G_style", "D_basic") or any("/StyleMod/" in key for key in variables.values)
    if of_stylegan1 or (version == 3 and function.startswith(("G_", "D_"))):
        raise RefusedError(STYLEGAN1)
    if version == 3:  # a metric's Inception or VGG
        raise RefusedError(UNKNOWN.format(function or "version 3"))
    if type(version) is not int or version not in FAMILIES:
        raise RefusedError(UNKNOWN.format(f"version {_show(version)}"))
    unknown = find_placeholder(network, budget, CLASSES)
    if unknown is not None:
        raise refuse_placeholder(unknown)
    describe = {"G_main": _describe_generator} | dict.fromkeys(DISCRIMINATORS, _describe_discriminator)
    if function not in describe:
        raise RefusedError(UNKNOWN.format(function or "a network without a name"))
    return describe[function](name, state, variables)


def _name_of(function: Any) -> str:
    """Return a function's name without its module; "" for what is none."""
    return function.rpartition(".")[2] if isinstance(function, str) else ""


def _arguments(state: Mapping[str, Any], read: set[str]) -> dict[str, Any]:
    """Return the arguments that change what is computed. ConfigError names those that are not supported."""
    given: dict[str, Any] = {}
    for part in (*read_components(state).values(), state):  # a part's own come before the whole's
        arguments = part.get("static_kwargs")
        given |= arguments if isinstance(arguments, dict) else {}
    others = {key: value for key, value in given.items() if key not in IGNORED | read and not _is_truncation(key)}
    unusual = [f"{key} = {_show(value)}" for key, value in others.items() if key not in USUAL or value != USUAL[key]]
    if unusual:
        raise ConfigError(f"The network was built with options that are not supported here: {', '.join(unusual[:4])}.")
    return {key: value for key, value in given.items() if key in read}


def _show(value: Any) -> str:
    """Return a value as it is shown: what is not plain by its type alone."""
    return f"{value!r:.40}" if value is None or isinstance(value, bool | int | float | str) else type(value).__name__


def _is_truncation(key: str) -> bool:
    return key.startswith("truncation_")


def _shared_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that both configurations have."""
    kernel = given.get("resample_kernel", FILTER)
    if isinstance(kernel, NumpyArray):
        kernel = kernel.values
    if kernel is None and "resample_kernel" in given:
        taps: tuple[float, ...] = HALF_FILTER
    elif isinstance(kernel, list | tuple) and all(type(tap) in (int, float) for tap in kernel):
        taps = tuple(map(float, kernel))
    else:
        raise ConfigError("The network was built with a resampling filter of two axes, which is not supported here.")
    clamp = given.get("conv_clamp")
    return {"resample_filter": taps, "conv_clamp": clamp if clamp is None else _number("conv_clamp", clamp)}


def _number(name: str, value: Any) -> float:
    if type(value) not in (int, float):
        raise ConfigError(f"The network's argument {name} is no number.")
    return float(value)


def _describe_generator(name: str, state: Mapping[str, Any], variables: Variables) -> Network:
    given = _arguments(state, READ_OF_G)
    synthesis = read_components(state).get("synthesis", {})
    drawn_by = _name_of(given.get("synthesis_func", synthesis.get("build_func_name")))
    built_by = _name_of(synthesis.get("build_func_name", drawn_by))
    for function in (drawn_by, built_by):
        if function not in SYNTHESIS:
            raise RefusedError(UNKNOWN.format(function or "a generator without synthesis"))
    grown = REVISED in (drawn_by, built_by)
    if grown:
        _check_grown(variables, "synthesis/lod")
    _, constant, height, width = variables.shape("synthesis/4x4/Const/const", 4)
    channels = {4: constant}
    while variables.has(f"synthesis/{_square(2 * max(channels))}/Conv1/weight"):
        size = 2 * max(channels)
        channels[size] = variables.shape(f"synthesis/{_square(size)}/Conv1/weight", 4)[3]
    resolution = max(channels)
    if height != width:
        raise RefusedError(NOT_SQUARE.format(height * resolution // 4, width * resolution // 4))
    architecture = "orig" if grown else given.get("architecture", "skip")
    if architecture not in ("orig", "skip", "resnet"):
        raise ConfigError(f"StyleGAN2's architecture {_show(architecture)} is not supported here.")
    to_rgb = "ToRGB_lod0" if grown else f"{_square(resolution)}/ToRGB"
    noise = given.get("use_noise", True) is not False and variables.has("synthesis/4x4/Conv/noise_strength")
    fields = _mapping_fields(variables, given) | _shared_options(given)
    fields |= {"architecture": architecture, "noise_inputs": noise, **_channel_fields(channels)}
    fields["img_channels"] = variables.shape(f"synthesis/{to_rgb}/weight", 4)[3]
    config = replace(rung_config("A", resolution), **fields)  # ConfigError for a size that nothing here has
    tensors = _generator_tensors(variables, config, grown)
    absent = find_absent(tensors, resolution, noise)
    return Network(name, "Generator", config, tensors, absent, FAMILIES[state["version"]])


def _check_grown(variables: Variables, name: str) -> None:
    """Check that a network that grew has grown up. RefusedError."""
    lod = variables.number(name)
    if lod != 0:
        raise RefusedError(GROWING.format("missing" if lod is None else f"{lod:g}"))


def _square(size: int) -> str:
    return f"{size}x{size}"


def _channel_fields(channels: Mapping[int, int]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in fit_channel_rule(channels).items()
    }


def _mapping_fields(variables: Variables, given: Mapping[str, Any]) -> dict[str, Any]:
    depth = variables.count("mapping/Dense{}/weight")
    if not depth:
        raise RefusedError(INCOMPLETE.format("its mapping"))
    inputs, hidden = variables.shape("mapping/Dense0/weight", 2)
    w_dim = variables.shape(f"mapping/Dense{depth - 1}/weight", 2)[1]
    beside_z = variables.has("mapping/LabelConcat/weight")
    labels = "mapping/LabelConcat/weight" if beside_z else "mapping/LabelEmbed/weight"
    c_dim, width = variables.shape(labels, 2) if variables.has(labels) else (0, 0)
    multiplier = _number("mapping_lrmul", given.get("mapping_lrmul", 0.01))
    return {
        "z_dim": inputs - width,
        "c_dim": c_dim,
        "w_dim": w_dim,
        "mapping_layers": depth,
        "mapping_width": hidden if hidden != w_dim else 0,
        "label_width": width if width != w_dim else 0,
        "labels_beside_z": beside_z,
        "mapping_lr_multiplier": 0.0 if multiplier == 0.01 else multiplier,
    }


def _generator_tensors(variables: Variables, config: GeneratorConfig, grown: bool) -> Tensors:
    """Return the tensors by our names; unknown ones keep theirs, at which `ForeignFile.check` stops."""
    tensors: Tensors = {}
    for name in variables.values:
        entry = _place_in_generator(name, config, grown)
        if entry is not None:
            ours, change = entry
            tensors[ours] = _derive(variables.tensor(name), change)
    return tensors


def _derive(stored: StoredTensor, change: Change) -> StoredTensor | Derived:
    if len(stored.shape) < len(change.index):
        raise RefusedError(INCOMPLETE.format("the shape of a variable"))
    return stored if change == Change() else Derived(stored, change)


def _place_in_generator(name: str, config: GeneratorConfig, grown: bool) -> tuple[str, Change] | None:
    """Return our name of a variable and its change; its own name where it has no place, None where it is not needed."""
    if name == "dlatent_avg":
        return "mapping.w_avg", Change(reshape=(-1,))
    if name in ("lod", "synthesis/lod"):
        return None
    if name in ("mapping/LabelEmbed/weight", "mapping/LabelConcat/weight"):
        return "mapping.embed.weight", TRANSPOSE
    if name == "mapping/LabelEmbed/bias":
        return "mapping.embed.bias", Change()
    if name == "synthesis/4x4/Const/const":
        return "synthesis.b4.const", FIRST
    if found := DENSE.fullmatch(name):
        return f"mapping.fc{found[1]}.{found[2]}", TRANSPOSE if found[2] == "weight" else Change()
    if found := NOISE.fullmatch(name):
        k = int(found[1])
        layer = f"b{2 ** ((k + 5) // 2)}.conv{(k + 1) % 2}" if k else "b4.conv1"
        return (f"synthesis.{layer}.noise_const", PLANE) if config.noise_inputs else None
    if grown and (found := GROWN.fullmatch(name)):
        if found[2] != "0":
            return None
        return _place_layer(f"synthesis.b{config.resolution}.torgb", "ToRGB", found[3], name)
    if found := LAYER.fullmatch(name):
        size, layer, value = found.groups()
        ours = "conv1" if (size, layer) == ("4", "Conv") else LAYERS.get(layer)
        if value == "noise_strength" and not config.noise_inputs:
            return None
        if ours is not None:
            return _place_layer(f"synthesis.b{size}.{ours}", layer, value, name)
    return name, Change()


def _place_layer(ours: str, layer: str, value: str, name: str) -> tuple[str, Change]:
    if value == "weight":
        return f"{ours}.weight", REVERSED_KERNEL if layer in ("Conv0_up", "Skip") else KERNEL
    if value not in VALUES:
        return name, Change()
    return f"{ours}.{value.replace('mod_', 'affine.')}", VALUES[value]


def _describe_discriminator(name: str, state: Mapping[str, Any], variables: Variables) -> Network:
    given = _arguments(state, READ_OF_D)
    grown = _name_of(state.get("build_func_name")) == GROWN_DISCRIMINATOR
    if grown:
        _check_grown(variables, "lod")
    channels: dict[int, int] = {4: variables.shape("4x4/Conv/weight", 4)[3]}
    while variables.has(f"{_square(2 * max(channels))}/Conv0/weight"):
        size = 2 * max(channels)
        channels[size] = variables.shape(f"{_square(size)}/Conv0/weight", 4)[2]
    resolution = max(channels)
    if resolution > 4:  # what is read at 4x4 and what its convolution makes of it are as wide in every network here
        channels[4] = variables.shape("8x8/Conv1_down/weight", 4)[3]
    outputs = variables.shape("Output/weight", 2)[1]
    embedded = variables.has("LabelEmbed/weight")
    labelled = outputs > 1 or bool(given.get("label_size"))
    c_dim = variables.shape("LabelEmbed/weight", 2)[0] if embedded else outputs if labelled else 0
    from_rgb = "FromRGB_lod0" if grown else f"{_square(resolution)}/FromRGB"
    group = given.get("mbstd_group_size", None if state["version"] == 5 else 4)
    multiplier = _number("mapping_lrmul", given.get("mapping_lrmul", 0.1))
    fields = _shared_options(given) | _channel_fields(channels)
    config = DiscriminatorConfig(
        resolution=resolution,
        img_channels=variables.shape(f"{from_rgb}/weight", 4)[2],
        c_dim=c_dim,
        cmap_dim=outputs if embedded else None,
        mapping_layers=variables.count("Mapping{}/weight") if embedded else 8,
        mapping_lr_multiplier=(0.0 if multiplier == 0.01 else multiplier) if embedded else 0.0,
        mbstd_group=0 if group is None else group,
        mbstd_channels=variables.shape("4x4/Conv/weight", 4)[2] - channels[4],
        direct_labels=c_dim > 0 and not embedded,
        architecture="orig" if grown else given.get("architecture", "resnet"),
        **fields,
    )
    tensors: Tensors = {}
    for key in variables.values:
        entry = _place_in_discriminator(key, config, grown)
        if entry is not None:
            tensors[entry[0]] = _derive(variables.tensor(key), entry[1])
    return Network(name, "Discriminator", config, tensors, family=FAMILIES[state["version"]])


def _place_in_discriminator(name: str, config: DiscriminatorConfig, grown: bool) -> tuple[str, Change] | None:
    """Return what `_place_in_generator` does, of a discriminator."""
    if name == "lod":
        return None
    path, _, value = name.rpartition("/")
    linear = TRANSPOSE if value == "weight" else Change()
    if value not in ("weight", "bias"):
        return name, Change()
    if path in ("Output", "LabelEmbed"):
        return f"{'b4.out' if path == 'Output' else 'mapping.embed'}.{value}", linear
    if found := DENSE.fullmatch(name):
        return f"mapping.fc{found[1]}.{value}", linear
    if grown and (found := GROWN.fullmatch(name)):
        return (f"b{config.resolution}.fromrgb.{value}", _kernel(value)) if found[2] == "0" else None
    if found := LAYER.fullmatch(name):
        size, layer, _ = found.groups()
        ours = AT_4.get(layer) if size == "4" else DISCRIMINATOR_LAYERS.get(layer)
        if ours is not None:
            return f"b{size}.{ours}.{value}", linear if layer == "Dense0" else _kernel(value)
    return name, Change()


def _kernel(value: str) -> Change:
    return KERNEL if value == "weight" else Change()
