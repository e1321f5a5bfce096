# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""TensorFlow's StyleGAN2 and StyleGAN2-ADA: every kind of network draws as ours does, and every other one is named."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import tensorflow as tf
from support.foreign import Call, Named, pickled

from gan.checkpoints.checkpoint import CheckpointError, load_discriminator, load_generator, read_header
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "network.pkl"


def draw(generator: Generator) -> torch.Tensor:
    """Draw two pictures, with labels where there are any, truncated."""
    config = generator.config
    z = torch.from_numpy(np.random.RandomState(1).randn(2, config.z_dim)).float()
    c = torch.eye(config.c_dim)[[0, config.c_dim - 1]] if config.c_dim else None
    return generator(z, c, psi=0.7)


def same(path: Path, ours: Generator, written: Call, protocol: int = 4) -> None:
    path.write_bytes(tf.file_of(None, None, written, protocol=protocol))
    found, _ = load_generator(path)
    assert found.config == replace(ours.config, channel_base=found.config.channel_base)
    assert torch.equal(draw(found), draw(ours))
    assert read_header(path).config == found.config


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_generators_of_every_architecture_version_and_protocol(path, architecture, version, protocol):
    ours = tf.generator(architecture=architecture)
    same(path, ours, tf.written_generator(ours, version), protocol)


VARIANTS = [
    ({"c_dim": 3}, 5, {"label_size": 3}),
    ({"c_dim": 3, "label_width": 7}, 5, {"label_fmaps": 7}),
    ({"c_dim": 3, "label_width": 9, "z_dim": 9, "labels_beside_z": True}, 4, {"label_size": 3}),
    ({"mapping_width": 20}, 4, {"mapping_fmaps": 20}),
    ({"mapping_layers": 1}, 5, {"mapping_layers": 1}),
    ({"mapping_lr_multiplier": 0.1}, 4, {"mapping_lrmul": 0.1}),
    ({"conv_clamp": 0.5}, 5, {"conv_clamp": 0.5}),
    ({"conv_clamp": 0.5, "architecture": "resnet"}, 5, {"conv_clamp": 0.5}),
    ({"resample_filter": (1.0, 1.0)}, 4, {"resample_kernel": None}),
    ({"resample_filter": (1.0, 2.0, 1.0)}, 4, {"resample_kernel": [1, 2, 1]}),
    ({"resample_filter": (1.0, 4.0, 6.0, 4.0, 1.0)}, 4, {"resample_kernel": np.array([1, 4, 6, 4, 1])}),
    ({"img_channels": 1}, 4, {"num_channels": 1}),
    ({"noise_inputs": False}, 5, {"use_noise": False}),
    ({"block_channels": (8, 5, 7, 3)}, 4, {"fmap_base": 77, "fmap_decay": 1.0}),
    ({}, 4, {"nonlinearity": "lrelu", "normalize_latents": True, "dtype": "float32", "mapping_func": "G_mapping"}),
]


@pytest.mark.parametrize(("changed", "version", "given"), VARIANTS, ids=range(len(VARIANTS)))
def test_variants_of_generators(path, changed, version, given):
    ours = tf.generator(**changed)
    same(path, ours, tf.written_generator(ours, version, **given))


@pytest.mark.parametrize("lod", [np.float32(0), np.zeros((), np.float32), np.zeros(1, np.float32), 0.0])
def test_configs_that_grew(path, lod):
    ours = tf.generator(architecture="orig")
    written = tf.written_generator(ours, grown=True)
    variables = written.state["components"]["synthesis"].state["variables"]
    variables[:] = [(name, lod if name == "lod" else value) for name, value in variables]
    same(path, ours, written)


def test_labels_of_version_4_are_normalised_together_with_z(path):
    """As the page says it: c W, as it is, behind z, and one normalisation."""
    ours = tf.generator(c_dim=3, label_width=12, z_dim=9, labels_beside_z=True)
    path.write_bytes(tf.file_of(None, None, tf.written_generator(ours, 4, label_size=3)))
    found = load_generator(path)[0].mapping
    z, c = torch.randn(4, 9), torch.eye(3)[[0, 1, 2, 1]]
    x = torch.cat([z, c @ found.embed.weight.t()], dim=1)
    w = x / (x.square().mean(dim=1, keepdim=True) + 1e-8).sqrt()
    for layer in (found.fc0, found.fc1, found.fc2):
        w = torch.nn.functional.leaky_relu(
            w @ layer.weight.t() * (0.01 / w.shape[1] ** 0.5) + layer.bias * 0.01, 0.2
        ) * (2**0.5)
    assert torch.allclose(found(z, c)[:, 0], w, atol=1e-5)


def test_what_a_file_lacks_is_made_up(path):
    ours = tf.generator(c_dim=2)
    path.write_bytes(tf.file_of(None, None, tf.written_generator(ours, 5, noises=False, average=False)))
    first, again = load_generator(path)[0], load_generator(path)[0]
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
        assert name.endswith(("noise_const", "w_avg")) or torch.equal(tensor, ours.state_dict()[name])
    plane, w_avg = first.synthesis.b8.conv1.noise_const, first.mapping.w_avg
    assert 0.5 < plane.std() < 1.5
    z, c = torch.randn(5000, 12), torch.eye(2)[torch.arange(5000) % 2]
    assert (first.mapping(z, c)[:, 0].mean(dim=0) - w_avg).abs().max() < 0.1 * first.mapping(z, c).std()
    assert "it holds" in read_header(path).describe()


@pytest.mark.parametrize("kind", ["Fortran", "float16", "float64", "one axis more"])
def test_arrays_of_other_kinds(path, kind):
    ours = tf.generator()
    written = tf.written_generator(ours)
    for part in (written, *written.state["components"].values()):
        variables = part.state["variables"]
        if kind == "Fortran":
            variables[:] = [(name, np.asfortranarray(value) if np.ndim(value) else value) for name, value in variables]
        elif kind != "one axis more":
            variables[:] = [(name, value.astype(kind)) for name, value in variables]
    if kind == "one axis more":
        written.state["variables"][:] = [
            (name, np.reshape(value, (1, -1))) for name, value in written.state["variables"]
        ]
    path.write_bytes(tf.file_of(None, None, written))
    found = load_generator(path)[0]
    assert torch.allclose(draw(found), draw(ours), atol=0.05 if kind == "float16" else 1e-6)


def test_networks_by_name_and_alone(path):
    other, ours, judge = tf.generator(w_dim=9), tf.generator(), tf.discriminator()
    written = tf.written_generator(other, name="G"), tf.written_discriminator(judge), tf.written_generator(ours)
    path.write_bytes(tf.file_of(*written))
    header = read_header(path)
    assert header.networks == ("G", "D", "Gs") and header.network == "Gs" and header.format == "pickle"
    assert header.describe().startswith("a pickle of a TensorFlow StyleGAN2 generator, which carries ")
    assert header.code_pieces == 1 and header.code_bytes > 0
    assert torch.equal(draw(load_generator(path)[0]), draw(ours))
    assert load_generator(path, network="G")[0].config.w_dim == 9
    assert load_discriminator(path).config == judge.config
    for whole in (written[2], [*written], {"G": written[0], "Gs": written[2]}, (written[2],), (*written, "extra")):
        path.write_bytes(pickled(whole, old_numpy=True))
        assert torch.equal(draw(load_generator(path)[0]), draw(ours))


def logits(found: Discriminator, count: int = 8) -> torch.Tensor:
    config = found.config
    img = torch.from_numpy(np.random.RandomState(2).randn(count, config.img_channels, 32, 32)).float()
    c = torch.eye(config.c_dim)[torch.arange(count) % config.c_dim] if config.c_dim else None
    return found(img, c)


JUDGES = [
    ({}, 4, {}, False),
    ({"architecture": "skip"}, 4, {}, False),
    ({"architecture": "orig"}, 5, {"mbstd_group_size": 4}, False),
    ({"architecture": "orig"}, 4, {}, True),
    ({"mbstd_group": 0}, 5, {}, False),
    ({"mbstd_group": 0}, 4, {"mbstd_group_size": None}, False),
    ({"mbstd_group": 2, "mbstd_channels": 2}, 4, {"mbstd_group_size": 2, "mbstd_num_features": 2}, False),
    ({"mbstd_channels": 0}, 4, {"mbstd_group_size": 1}, False),
    ({"conv_clamp": 0.5, "mbstd_group": 0}, 5, {"conv_clamp": 0.5, "num_fp16_res": 4, "freeze_layers": 2}, False),
    ({"resample_filter": (1.0, 1.0)}, 4, {"resample_kernel": [1, 1]}, False),
    ({"c_dim": 3, "direct_labels": True}, 4, {}, False),
    ({"c_dim": 1, "direct_labels": True}, 4, {}, False),
    ({"c_dim": 3, "mapping_layers": 0, "mapping_lr_multiplier": 0.1, "cmap_dim": 8}, 5, {"mbstd_group_size": 4}, False),
    ({"c_dim": 3, "mapping_layers": 2, "mapping_lr_multiplier": 0.1, "cmap_dim": 6}, 5, {"mbstd_group_size": 4}, False),
    ({"c_dim": 3, "mapping_layers": 2, "cmap_dim": 6}, 5, {"mbstd_group_size": 4, "mapping_lrmul": 0.01}, False),
]


@pytest.mark.parametrize(("changed", "version", "given", "grown"), JUDGES, ids=range(len(JUDGES)))
@pytest.mark.parametrize("protocol", [3, 4])
def test_discriminators(path, changed, version, given, grown, protocol):
    ours = tf.discriminator(**changed)
    path.write_bytes(tf.file_of(None, tf.written_discriminator(ours, version, grown, **given), None, protocol=protocol))
    found = load_discriminator(path)
    assert torch.equal(logits(found), logits(ours))
    wanted = replace(ours.config, channel_base=found.config.channel_base, mbstd_group=found.config.mbstd_group)
    assert replace(found.config, mapping_layers=wanted.mapping_layers) == wanted


def state(version: Any = 4, function: str = "G_main", variables: Any = (), **more: Any) -> Call:
    return Call(
        tf.NETWORK,
        new=True,
        state={"version": version, "build_func_name": function, "variables": list(variables)} | more,
    )


def changed(**given: Any) -> Call:
    return tf.written_generator(tf.generator(), **given)


def with_variable(name: str, value: Any, part: str = "synthesis", **given: Any) -> Call:
    written = changed(**given)
    listed = written.state["components"][part].state["variables"]
    listed[:] = [item for item in listed if item[0] != name] + ([] if value is None else [(name, value)])
    return written


OF_1 = {"version": 3, "function": "G_style"}
OTHERS = [
    (Call(Named("tfutil", "Network"), new=True, state={"version": 2}), "progressive GAN.*open a StyleGAN2 or"),
    (Call(Named("network", "Network"), new=True, state={"version": 2}), "progressive GAN"),
    (state(2), "progressive GAN"),
    (state(**OF_1), "StyleGAN1, .* open a StyleGAN2 or"),
    (state(4, "G_style"), "StyleGAN1"),
    (state(4, "G_main", [("4x4/Const/StyleMod/weight", np.zeros((2, 2), np.float32))]), "StyleGAN1"),
    (state(3, "inception_v3"), "TensorFlow pickle of inception_v3, which is no StyleGAN2"),
    (state(6), "of version 6"),
    (state(None), "of version None"),
    (state([4]), "of version list"),
    (changed(architecture=[1]), "architecture list is not supported"),
    (changed(colour={"a": [1] * 1000}), "colour = dict"),
    (state(4, "G_other"), "of G_other"),
    (state(4, "training.networks.G_other"), "of G_other"),
    (state(4), "a generator without synthesis"),
    (state(variables=[1]), "lacks names"),
    (changed(synthesis_func="G_synthesis_mine"), "of G_synthesis_mine"),
    (changed(colour=3), "not supported here: colour = 3"),
    (changed(nonlinearity="relu"), "nonlinearity = 'relu'"),
    (changed(normalize_latents=False), "normalize_latents = False"),
    (changed(architecture="dense"), "architecture 'dense'"),
    (changed(architecture="resnet"), "do not fit how its network was built"),
    (changed(resample_kernel=[[1, 2], [3, 4]]), "filter of two axes"),
    (changed(conv_clamp="much"), "conv_clamp is no number"),
    (with_variable("4x4/Const/const", np.zeros((1, 8, 4, 2), np.float32)), "32 high and 16 wide: .*not square"),
    (with_variable("4x4/Const/const", None), "lacks synthesis/4x4/Const/const"),
    (with_variable("Dense0/weight", None, "mapping"), "lacks its mapping"),
    (with_variable("8x8/Conv0_up/weight", None), "do not fit"),
    (with_variable("8x8/Extra/weight", np.zeros((1, 1, 2, 2), np.float32)), "do not fit .*8x8/Extra/weight"),
    (with_variable("8x8/Conv1/bias", np.zeros((2, 2), np.float32)), "do not fit"),
    (with_variable("8x8/Conv1/bias", np.zeros(8, ">f4")), "8x8/Conv1/bias is no array of plain numbers"),
    (with_variable("8x8/Conv1/bias", "text"), "8x8/Conv1/bias is no array of plain numbers"),
    (with_variable("8x8/Conv1/bias", Call(Named("os", "system"), "x")), "asks for os.system"),
    (with_variable("noise0", np.zeros(4, np.float32)), "lacks the shape"),
]


@pytest.mark.parametrize(("written", "sentence"), OTHERS, ids=range(len(OTHERS)))
def test_what_cannot_be_opened_is_named(path, written, sentence):
    path.write_bytes(tf.file_of(None, None, written))
    for opening in (load_generator, read_header):
        with pytest.raises(CheckpointError, match=sentence) as caught:
            opening(path)
        assert str(caught.value).isprintable() and len(str(caught.value)) < 500


@pytest.mark.parametrize("place", ["arguments", "attributes", "components", "shapes", "arguments of a part"])
def test_what_is_unknown_is_refused_anywhere_in_a_network(path, place):
    hostile = Call(Named("posix", "system"), "echo hostile")
    written = changed()
    state = written.state
    part = state["components"]["mapping"].state
    if place == "shapes":
        state["input_shapes"] = [[hostile, 4]]
    else:
        where = {"arguments": state["static_kwargs"], "attributes": state, "components": state["components"]}
        where.get(place, part["static_kwargs"])["fmap_base"] = hostile
    path.write_bytes(tf.file_of(None, None, written))
    with pytest.raises(CheckpointError, match="asks for posix.system"):
        load_generator(path)
    path.write_bytes(tf.file_of(hostile, hostile, changed()))
    assert read_header(path).suspicious == ("posix.system",), "beside the generator it does not matter"


@pytest.mark.parametrize("lod", [np.float32(1.5), None, np.zeros(3, np.float32)])
def test_a_network_that_still_grows_is_refused(path, lod):
    ours = tf.generator(architecture="orig")
    written = tf.written_generator(ours, grown=True)
    listed = written.state["components"]["synthesis"].state["variables"]
    listed[:] = [(name, lod if name == "lod" else value) for name, value in listed if name != "lod" or lod is not None]
    path.write_bytes(tf.file_of(None, None, written))
    with pytest.raises(CheckpointError, match=r"middle of progressive growing .its lod is (1\.5|missing)"):
        load_generator(path)
