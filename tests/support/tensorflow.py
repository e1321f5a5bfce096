# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Our networks under TensorFlow StyleGAN2's names, in pickles as that code writes them."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan.networks.config import DiscriminatorConfig, GeneratorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.ladder import rung_config
from support.foreign import SOURCE, Call, Named, pickled

NETWORK = Named("dnnlib.tflib.network", "Network")
Variables = dict[str, Any]
OF_LAYERS = {"conv0": "Conv0_up", "conv1": "Conv1", "torgb": "ToRGB", "skip": "Skip"}
OF_D = {"fromrgb": "FromRGB", "conv0": "Conv0", "conv1": "Conv1_down", "skip": "Skip"}
AT_4 = {"conv": "4x4/Conv", "fc": "4x4/Dense0", "fromrgb": "4x4/FromRGB", "out": "Output"}


def config(resolution: int = 32, **changed: Any) -> GeneratorConfig:
    """Return a tiny generator's configuration: no clamp, as StyleGAN2's without one."""
    tiny = {"channel_base": 128, "channel_max": 8, "z_dim": 12, "w_dim": 12, "mapping_layers": 3, "conv_clamp": None}
    return rung_config("A", resolution, **(tiny | changed))


def _random(network: torch.nn.Module) -> Any:
    for name, tensor in network.state_dict().items():
        if name.endswith(("bias", "noise_strength", "w_avg")):
            tensor += torch.randn(tensor.shape) * 0.1
    return network.eval().requires_grad_(False)


def generator(resolution: int = 32, **changed: Any) -> Generator:
    """Return a tiny generator whose every number is random."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return _random(Generator(config(resolution, **changed)).requires_grad_(False))


def discriminator(resolution: int = 32, **changed: Any) -> Discriminator:
    """Return a tiny discriminator whose every number is random."""
    tiny = {"channel_base": 128, "channel_max": 8, "conv_clamp": None}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return _random(Discriminator(DiscriminatorConfig(resolution, **(tiny | changed))).requires_grad_(False))


def array(tensor: Tensor) -> Any:
    """Return a variable's value: an array, or a number of numpy's."""
    found = np.ascontiguousarray(tensor.numpy())
    return found[()] if found.ndim == 0 else found


def mapping(ours: Generator) -> Variables:
    """Return the mapping's variables."""
    state = ours.mapping.state_dict()
    found: Variables = {}
    if ours.config.labels_beside_z:
        found["LabelConcat/weight"] = array(state["embed.weight"].t())
    elif ours.config.c_dim:
        found |= {"LabelEmbed/weight": array(state["embed.weight"].t()), "LabelEmbed/bias": array(state["embed.bias"])}
    for i in range(ours.config.mapping_layers):
        found[f"Dense{i}/weight"] = array(state[f"fc{i}.weight"].t())
        found[f"Dense{i}/bias"] = array(state[f"fc{i}.bias"])
    return found


def synthesis(ours: Generator, noises: bool = True, grown: bool = False) -> Variables:
    """Return the synthesis network's variables; those of configs B to D, which have grown, by their other names."""
    found: Variables = {"lod": np.float32(0)} if grown else {}
    layers = [name for name in ours.layer_names if "torgb" not in name]
    state = {name.removeprefix("synthesis."): tensor for name, tensor in ours.synthesis.state_dict().items()}
    for name, tensor in state.items():
        block, *path = name.split(".")
        size, leaf = block.removeprefix("b"), path[-1]
        if leaf == "const":
            found["4x4/Const/const"] = array(tensor[None])
        elif leaf == "noise_const" and noises:
            found[f"noise{layers.index(f'{block}.{path[0]}')}"] = array(tensor[None, None])
        elif leaf not in ("noise_const", "resample_filter"):
            layer = "Conv" if (size, path[0]) == ("4", "conv1") else OF_LAYERS[path[0]]
            prefix = "ToRGB_lod0" if grown and layer == "ToRGB" else f"{size}x{size}/{layer}"
            found[f"{prefix}/{'mod_' if path[1] == 'affine' else ''}{leaf}"] = _variable(tensor, path, layer)
            if grown and layer == "ToRGB":
                found[f"ToRGB_lod1/{leaf}"] = array(torch.zeros(1))
    return found


def _variable(tensor: Tensor, path: list[str], layer: str) -> Any:
    if path[1] == "affine":
        return array(tensor.t() if path[2] == "weight" else tensor - 1)
    if path[-1] != "weight":
        return array(tensor)
    kernel = tensor.flip(2, 3) if layer in ("Conv0_up", "Skip") else tensor
    return array(kernel.permute(2, 3, 1, 0))


def critic(ours: Discriminator, grown: bool = False) -> Variables:
    """Return a discriminator's variables."""
    found: Variables = {"lod": np.float32(0)} if grown else {}
    for name, tensor in ours.state_dict().items():
        block, layer, leaf = name.split(".") if name.count(".") == 2 else (*name.split("."), "")
        if leaf not in ("weight", "bias"):
            continue
        size = block.removeprefix("b")
        if block == "mapping":
            theirs = "LabelEmbed" if layer == "embed" else layer.replace("fc", "Mapping")
        elif size == "4":
            theirs = AT_4[layer]
        else:
            theirs = "FromRGB_lod0" if grown and layer == "fromrgb" else f"{size}x{size}/{OF_D[layer]}"
        linear = tensor.ndim == 2
        found[f"{theirs}/{leaf}"] = array(
            tensor.t() if linear else tensor.permute(2, 3, 1, 0) if tensor.ndim == 4 else tensor
        )
    return found


def network(
    name: str, version: int, function: str, variables: Variables, parts: dict[str, Call] | None = None, **arguments: Any
) -> Call:
    """Return a network as that code writes it."""
    state: dict[str, Any] = {"version": version, "name": name, "static_kwargs": arguments, "components": parts or {}}
    state |= {"build_module_src": SOURCE, "build_func_name": function, "variables": list(variables.items())}
    if version == 5:
        state |= {"input_shapes": [[None, 4]], "output_shapes": [[None, 3, 4, 4]]}
        state |= {"input_names": ["latents_in"], "output_names": ["images_out"]}
    return Call(NETWORK, new=True, state=state)


def written_generator(
    ours: Generator,
    version: int = 4,
    name: str = "Gs",
    noises: bool = True,
    average: bool = True,
    grown: bool = False,
    **given: Any,
) -> Call:
    """Return our generator as a network of theirs; `given` are arguments beside those that are not the usual ones."""
    usual = {"architecture": "skip", "num_fp16_res": 4, "truncation_psi": 0.5, "style_mixing_prob": 0.9}
    usual |= {"dlatent_avg_beta": 0.995, "randomize_noise": False, "fused_modconv": True, "structure": "auto"}
    if ours.config.architecture != "skip" and not grown:
        usual["architecture"] = ours.config.architecture
    function = "G_synthesis" if version == 5 else "G_synthesis_stylegan2"
    if grown:
        function = "G_synthesis_stylegan_revised"
        usual |= {"synthesis_func": function}
        del usual["architecture"]
    arguments = usual | given
    parts = {
        "synthesis": network("G_synthesis", version, function, synthesis(ours, noises, grown), **arguments),
        "mapping": network("G_mapping", version, "G_mapping", mapping(ours), dlatent_broadcast=8, **arguments),
    }
    own: Variables = {"lod": np.float32(0)} if version == 4 else {}
    if average:
        own["dlatent_avg"] = array(ours.mapping.get_buffer("w_avg"))
    return network(name, version, "G_main", own, parts, **arguments)


def written_discriminator(ours: Discriminator, version: int = 4, grown: bool = False, **given: Any) -> Call:
    """Return our discriminator as a network of theirs."""
    function = "D_stylegan" if grown else "D_main" if version == 5 else "D_stylegan2"
    usual: dict[str, Any] = {"label_size": ours.config.c_dim}
    if not grown and ours.config.architecture != "resnet":
        usual["architecture"] = ours.config.architecture
    return network("D", version, function, critic(ours, grown), **(usual | given))


def file_of(*networks: Any, protocol: int = 4) -> bytes:
    """Return a pickle of (G, D, Gs) or fewer."""
    return pickled(tuple(networks), protocol, old_numpy=True)
