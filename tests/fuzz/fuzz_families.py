# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Well-formed files of other projects, as small as they can be, that the mutations start from: one maker a project.

A maker takes a random source and whether it is one of torch's zips that is wanted, where the project writes both.
"""

import io
import random
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from support import rosinality as names
from support import stylegan_xl as xl
from support import tensorflow as tf

from gan.checkpoints.checkpoint import save_generator

SMALL: dict[str, Any] = {"channel_base": 64, "channel_max": 4, "z_dim": 4, "w_dim": 4, "mapping_layers": 2}


@cache
def rosinality(form: str, zipped: bool) -> bytes:
    """A file of rosinality's: converted, of training, of a decoder beside an encoder, or bare weights."""
    with torch.random.fork_rng(devices=[]):
        ours = names.generator(16, **SMALL)
        critic = names.discriminator(16, channel_base=64, channel_max=4)
    state, w_avg = names.generator_state(ours), ours.mapping.w_avg
    data: dict[str, Any] = {
        "converted": lambda: {"g_ema": state, "latent_avg": w_avg},
        "training": lambda: names.training(ours, critic),
        "decoder": lambda: {
            "state_dict": names.ENCODER | names.under("decoder.", state),
            "opts": names.OPTIONS,
            "latent_avg": w_avg.expand(6, 4).clone(),
        },
        "bare": lambda: names.generator_state(ours, noises=False),
    }[form]()
    file = io.BytesIO()
    torch.save(data, file, _use_new_zipfile_serialization=zipped)
    return file.getvalue()


ROSINALITY = ("converted", "training", "decoder", "bare")


def choose_rosinality(rng: random.Random, zipped: bool) -> bytes:
    """One of the files above."""
    return rosinality(rng.choice(ROSINALITY), zipped)


STYLEGAN_XL = ("stem", "head", "two heads", "unlabelled", "R")


@cache
def stylegan_xl(form: str, protocol: int) -> bytes:
    """A pickle of StyleGAN-XL's, by dill 0.3.4 in even protocols and by a later one in odd ones."""
    config = {
        "stem": lambda: xl.network_config(heads=0),
        "head": lambda: xl.network_config(heads=1),
        "two heads": lambda: xl.network_config(heads=2),
        "unlabelled": lambda: xl.network_config(classes=0),
        "R": lambda: xl.network_config(rung="R"),
    }[form]()
    later = protocol % 2 == 1
    return xl.official_stylegan_xl(xl.make_generator(config), protocol, later=later)


@cache
def listed() -> bytes:
    """A checkpoint of ours whose configuration lists its layers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        save_generator(path, xl.make_generator(xl.network_config()), {"kimg": 1.0})
        return path.read_bytes()


def choose_stylegan_xl(rng: random.Random) -> bytes:
    """One of the pickles above."""
    return stylegan_xl(rng.choice(STYLEGAN_XL), rng.choice((2, 3, 4, 4, 5)))


TENSORFLOW = ("skip", "labels", "labels beside z", "grown", "without what can be made up")


@cache
def tensorflow(form: str, protocol: int) -> bytes:
    """A pickle of TensorFlow's (G, D, Gs)."""
    version = 4 if form in ("skip", "labels beside z", "grown") else 5
    ours = tf.generator(
        16,
        **SMALL
        | {
            "skip": {},
            "labels": {"c_dim": 2, "architecture": "resnet", "conv_clamp": 4.0},
            "labels beside z": {"c_dim": 2, "labels_beside_z": True, "label_width": 4, "resample_filter": (1.0, 1.0)},
            "grown": {"architecture": "orig"},
            "without what can be made up": {"mapping_width": 3},
        }[form],
    )
    judge = {"channel_base": 64, "channel_max": 4, "c_dim": ours.config.c_dim}
    if ours.config.c_dim:
        judge |= {"direct_labels": True} if version == 4 else {"mapping_layers": 0, "cmap_dim": 3}
    grown, whole = form == "grown", not form.startswith("without")
    critic = tf.discriminator(16, architecture="orig" if grown else "resnet", **judge)
    given = {"label_size": ours.config.c_dim, "resample_kernel": list(ours.config.resample_filter)}
    given["conv_clamp"] = ours.config.conv_clamp
    written = tf.written_generator(ours, version, noises=whole, average=whole, grown=grown, **given)
    return tf.file_of(None, tf.written_discriminator(critic, version, grown), written, protocol=protocol)


def choose_tensorflow(rng: random.Random) -> bytes:
    """One of the pickles above."""
    return tensorflow(rng.choice(TENSORFLOW), rng.choice((2, 3, 4, 4, 5)))
