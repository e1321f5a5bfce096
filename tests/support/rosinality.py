# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Our networks under rosinality's names, as its files and those of its family hold them."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan.networks.config import DiscriminatorConfig, GeneratorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.ladder import rung_config

State = dict[str, Tensor]
ENCODER = {
    "encoder.input_layer.0.weight": torch.zeros(4, 3, 3, 3),
    "encoder.input_layer.1.running_mean": torch.zeros(4),
}
OPTIONS = {"output_size": 32, "encoder_type": "GradualStyleEncoder", "device": "cuda:0"}


def config(resolution: int = 32, **changed: Any) -> GeneratorConfig:
    """Return a tiny generator as rosinality builds them: no clamp."""
    tiny = {"channel_base": 128, "channel_max": 8, "z_dim": 12, "w_dim": 12, "mapping_layers": 3, "conv_clamp": None}
    return rung_config("A", resolution, **(tiny | changed))


def generator(resolution: int = 32, seed: int = 0, **changed: Any) -> Generator:
    """Return a tiny generator whose every number is random."""
    torch.manual_seed(seed)
    found = Generator(config(resolution, **changed)).eval().requires_grad_(False)
    for name, tensor in found.state_dict().items():
        if name.endswith(("bias", "noise_strength", "w_avg")) and "affine" not in name:
            tensor.copy_(torch.randn(tensor.shape) * 0.1)
    return found


def discriminator(resolution: int = 32, **changed: Any) -> Discriminator:
    """Return a tiny discriminator as rosinality builds them."""
    torch.manual_seed(1)
    tiny = {"channel_base": 128, "channel_max": 8, "conv_clamp": None}
    return Discriminator(DiscriminatorConfig(resolution, **(tiny | changed))).eval().requires_grad_(False)


def generator_state(ours: Generator, noises: bool = True) -> State:
    """Return the state dict of rosinality's generator."""
    state, layers = ours.state_dict(), list(ours.layer_names)
    convolutions = [f"synthesis.{name}" for name in layers if "torgb" not in name]
    found: State = {"input.input": state["synthesis.b4.const"][None]}
    for i in range(ours.config.mapping_layers):
        for part in ("weight", "bias"):
            found[f"style.{i + 1}.{part}"] = state[f"mapping.fc{i}.{part}"]
    for i, name in enumerate(convolutions):
        theirs = f"convs.{i - 1}" if i else "conv1"
        found |= _modulated(state, name, theirs)
        found[f"{theirs}.activate.bias"] = state[f"{name}.bias"]
        found[f"{theirs}.noise.weight"] = state[f"{name}.noise_strength"][None]
        if i % 2:
            found[f"{theirs}.conv.blur.kernel"] = state[f"{name}.resample_filter"] * 4
        if noises:
            found[f"noises.noise_{i}"] = state[f"{name}.noise_const"][None, None]
    for i, name in enumerate(f"synthesis.{name}" for name in layers if "torgb" in name):
        theirs = f"to_rgbs.{i - 1}" if i else "to_rgb1"
        found |= _modulated(state, name, theirs)
        found[f"{theirs}.bias"] = state[f"{name}.bias"][None, :, None, None]
        if i:
            found[f"{theirs}.upsample.kernel"] = state[name.replace("torgb", "resample_filter")] * 4
    return found


def _modulated(state: State, ours: str, theirs: str) -> State:
    return {
        f"{theirs}.conv.weight": state[f"{ours}.weight"][None],
        f"{theirs}.conv.modulation.weight": state[f"{ours}.affine.weight"],
        f"{theirs}.conv.modulation.bias": state[f"{ours}.affine.bias"],
    }


def discriminator_state(ours: Discriminator) -> State:
    """Return the state dict of rosinality's discriminator."""
    state, first = ours.state_dict(), f"b{ours.config.resolution}"
    found = {"convs.0.0.weight": state[f"{first}.fromrgb.weight"], "convs.0.1.bias": state[f"{first}.fromrgb.bias"]}
    for i, size in enumerate(ours.resolutions, 1):
        found |= {
            f"convs.{i}.conv1.0.weight": state[f"b{size}.conv0.weight"],
            f"convs.{i}.conv1.1.bias": state[f"b{size}.conv0.bias"],
            f"convs.{i}.conv2.0.kernel": state[f"b{size}.conv1.resample_filter"],
            f"convs.{i}.conv2.1.weight": state[f"b{size}.conv1.weight"],
            f"convs.{i}.conv2.2.bias": state[f"b{size}.conv1.bias"],
            f"convs.{i}.skip.0.kernel": state[f"b{size}.skip.resample_filter"],
            f"convs.{i}.skip.1.weight": state[f"b{size}.skip.weight"],
        }
    found |= {"final_conv.0.weight": state["b4.conv.weight"], "final_conv.1.bias": state["b4.conv.bias"]}
    for i, name in enumerate(("fc", "out")):
        found |= {f"final_linear.{i}.{part}": state[f"b4.{name}.{part}"] for part in ("weight", "bias")}
    return found


def under(prefix: str, state: State) -> State:
    """Return a state dict whose names begin with a prefix."""
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def optimiser(state: State) -> dict[str, Any]:
    """Return an optimiser's state as torch writes it."""
    moments = {i: {"step": 3, "exp_avg": tensor * 0} for i, tensor in enumerate(list(state.values())[:4])}
    return {"state": moments, "param_groups": [{"lr": 0.002, "betas": (0.0, 0.99), "params": list(moments)}]}


def namespace(**changed: Any) -> Namespace:
    """Return the arguments that rosinality's trainer puts beside its weights; they may be wrong."""
    return Namespace(**({"path": "/data/faces.lmdb", "arch": "stylegan2", "size": 1024, "latent": 512} | changed))


def training(ours: Generator, critic: Discriminator, **changed: Any) -> dict[str, Any]:
    """Return what rosinality's trainer saves."""
    g, d = generator_state(ours), discriminator_state(critic)
    raw = {name: tensor + 1 for name, tensor in g.items() if "kernel" not in name}
    kernels = {name: tensor for name, tensor in g.items() if "kernel" in name}
    whole = {"g": raw | kernels, "d": d, "g_ema": g, "g_optim": optimiser(g), "d_optim": optimiser(d)}
    return whole | {"args": namespace(), "ada_aug_p": 0.25} | changed


def save(path: Path, data: Any, *, stream: bool = False) -> Path:
    """Write a file as torch does: a zip, or (before 1.6) a stream of pickles."""
    torch.save(data, path, _use_new_zipfile_serialization=not stream)
    return path
