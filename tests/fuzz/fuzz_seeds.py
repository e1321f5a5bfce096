# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Well-formed files, as small as they can be, that the mutations start from: one maker for each kind of file."""

import io
import json
import tempfile
import types
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from support.foreign import Writer, dump, given, module, pickled, snapshot

from fuzz.fuzz_files import Contents, zip_of, zip_parts
from gan.checkpoints.checkpoint import save_generator
from gan.networks.config import DiscriminatorConfig, GeneratorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.ladder import rung_config
from train.config import TrainConfig
from train.state import TrainState
from viz.core.state import AppState, to_json

SMALL = {"channel_base": 64, "channel_max": 4, "z_dim": 4, "w_dim": 4}
NETWORKS: dict[str, GeneratorConfig | DiscriminatorConfig] = {
    "T": rung_config("T", 16, **SMALL, num_layers=4),
    "R": rung_config("R", 16, **SMALL, num_layers=4, lrelu_upsampling=1),
    "T with labels": rung_config("T", 16, **SMALL, num_layers=4, c_dim=3),
    "A": rung_config("A", 16, **SMALL),
    "A resnet with labels": rung_config("A", 16, **SMALL, architecture="resnet", c_dim=2),
    "A orig": rung_config("A", 16, **SMALL, architecture="orig"),
    "D": DiscriminatorConfig(16, 3, 2, 64, 4, mapping_layers=2),
}


@cache
def state(name: str) -> dict[str, torch.Tensor]:
    """The weights of a network."""
    config = NETWORKS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Generator(config) if isinstance(config, GeneratorConfig) else Discriminator(config)
    return network.state_dict()


def _whole(name: str) -> dict[str, Any]:
    config = NETWORKS[name]
    if isinstance(config, GeneratorConfig):
        whole = module("Generator", state(name), given(config), num_ws=config.num_ws)
        return snapshot({"G_ema": whole})
    kwargs = {
        "c_dim": config.c_dim,
        "img_resolution": config.resolution,
        "img_channels": config.img_channels,
        "channel_base": config.channel_base,
        "channel_max": config.channel_max,
        "mapping_kwargs": {"num_layers": 2},
    }
    return snapshot({"D": module("Discriminator", state(name), kwargs)})


@cache
def official(name: str, protocol: int, half: bool = False) -> bytes:
    """An official pickle."""
    whole = _whole(name)
    if half:
        config = NETWORKS[name]
        assert isinstance(config, GeneratorConfig)
        weights = {key: tensor.half() for key, tensor in state(name).items()}
        whole = snapshot({"G_ema": module("Generator", weights, given(config))})
    return pickled(whole, protocol)


@cache
def torch_file(name: str, zipped: bool, bare: bool) -> bytes:
    """A file of torch.save's: the older format or a zip; bare weights or whole networks."""
    data = io.BytesIO()
    writer = types.SimpleNamespace(Pickler=Writer, dump=dump, __name__="writer")
    what = {"state_dict": state(name)} if bare else _whole(name)
    torch.save(what, data, _use_new_zipfile_serialization=zipped, pickle_module=writer, pickle_protocol=2)
    return data.getvalue()


@cache
def ours(name: str) -> bytes:
    """A checkpoint of ours."""
    config = NETWORKS[name]
    assert isinstance(config, GeneratorConfig)
    generator = Generator(config)
    generator.load_state_dict(state(name))
    facts = {"images": 1000, "kimg": 1.0, "data": "critters", "seed": 0, "ema": {"half_life": 10.0}}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        save_generator(path, generator, facts)
        return path.read_bytes()


@cache
def training(name: str) -> bytes:
    """A training state after one step, so that there are averages of gradients in it."""
    network = NETWORKS[name]
    assert isinstance(network, GeneratorConfig)
    config = TrainConfig(
        generator=network,
        discriminator=replace(NETWORKS["D"], c_dim=network.c_dim),
        data="set.zip",
        data_name="set",
        data_images=8,
        data_digest="0" * 16,
        total_images=1000,
        batch=4,
        gamma=1.0,
    )
    with torch.random.fork_rng(devices=[]), tempfile.TemporaryDirectory() as folder:
        made = TrainState(config)
        labels = torch.eye(network.c_dim)[[0, 1, 1, 0]] if network.c_dim else None
        made.step(torch.zeros(4, 3, 16, 16), labels)
        path = Path(folder) / "training-state.safetensors"
        made.save(path)
        return path.read_bytes()


@cache
def settings() -> dict[str, Any]:
    """A state file's document in which little is as it is by default."""
    document = to_json(AppState())
    document["left"]["path"], document["recents"], document["linked"] = "network.pkl", ["a.pkl", "b.safetensors"], False
    return document


def picture(seed: int, kind: str = "PNG", **options: Any) -> bytes:
    """16 pixels wide."""
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, kind, **options)
    return data.getvalue()


@cache
def pictures() -> Contents:
    """An image set with labels."""
    files = {"00/a.png": picture(0), "00/b.jpg": picture(1, "JPEG"), "c.jpeg": picture(2, "JPEG", progressive=True)}
    return files | {"dataset.json": json.dumps(labels()).encode()}


def labels() -> dict[str, Any]:
    return {"labels": [["00/a.png", 0], ["00/b.jpg", 1], ["c.jpeg", 1]]}


def vectors() -> dict[str, Any]:
    return {"labels": [["00/a.png", [0.5, 1]], ["00/b.jpg", [1.5, -1]], ["c.jpeg", [0, 0.0]]]}


@cache
def run_documents() -> dict[str, Any]:
    """A run folder's documents; "stats.jsonl" has a line for each entry."""
    options = TrainConfig(
        generator=NETWORKS["T"],
        discriminator=replace(NETWORKS["D"], c_dim=0),
        data="set.zip",
        data_name="set",
        data_images=8,
        data_digest="0" * 16,
        total_images=1000,
        batch=4,
        gamma=1.0,
    ).to_json()
    progress = {
        "state": "training",
        "images": 400,
        "total_images": 1000,
        "images_per_s": 9.5,
        "seconds_left": 60.0,
        "pid": 2**22 + 1,
        "error": "",
    }
    row = {
        "tick": 1,
        "images": 400,
        "kimg": 0.4,
        "seconds": 40.0,
        "loss_g": 0.7,
        "loss_d": 1.2,
        "r1": None,
        "memory_mb": 300.0,
    }
    return {"training_options.json": options, "progress.json": progress, "stats.jsonl": row}


def honest(contents: Contents) -> bytes:
    """A zip as the mutations of zips write it before they lie."""
    return zip_of(zip_parts(contents))
