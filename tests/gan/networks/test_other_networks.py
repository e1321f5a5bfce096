# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Networks that only files of other projects hold, each against the plainest way to compute the same."""

import math

import pytest
import torch
import torch.nn.functional as F
from support import tensorflow as tf
from torch import Tensor

from gan.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig
from gan.networks.describe import count_parameters
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator

State = dict[str, Tensor]
FILTERS = [(1.0, 3.0, 3.0, 1.0), (1.0, 1.0), (1.0, 2.0, 1.0), (1.0, 4.0, 6.0, 4.0, 1.0)]


def kernel(taps: tuple[float, ...]) -> Tensor:
    f = torch.tensor(taps) / sum(taps)
    return torch.outer(f, f)


def filtered(x: Tensor, taps: tuple[float, ...], before: int, after: int) -> Tensor:
    padded = F.pad(x, (before, after, before, after))
    channels = x.shape[1]
    return F.conv2d(padded, kernel(taps).expand(channels, 1, -1, -1), groups=channels)


def halved(x: Tensor, taps: tuple[float, ...]) -> Tensor:
    """Half the size: so many pixels are added that the filter's middle is between the two that become one."""
    extra = len(taps) - 2
    return filtered(x, taps, (extra + 1) // 2, extra // 2)[:, :, ::2, ::2]


def convolved(x: Tensor, state: State, name: str, gain: float = 1.0) -> Tensor:
    weight = state[f"{name}.weight"] / math.sqrt(state[f"{name}.weight"][0].numel())
    x = F.conv2d(x, weight, state[f"{name}.bias"], padding=weight.shape[2] // 2)
    return F.leaky_relu(x, 0.2) * math.sqrt(2) * gain


def reference(network: Discriminator, img: Tensor) -> Tensor:
    """Logits of a batch that is one group."""
    state, config = network.state_dict(), network.config
    taps, architecture, x = config.resample_filter, config.architecture, None
    for resolution in network.resolutions:
        block = f"b{resolution}"
        if x is None:
            x = convolved(img, state, f"{block}.fromrgb")
        elif architecture == "skip":
            x = x + convolved(img, state, f"{block}.fromrgb")
        gain = math.sqrt(0.5) if architecture == "resnet" else 1.0
        y = convolved(x, state, f"{block}.conv0")
        weight = state[f"{block}.conv1.weight"] / math.sqrt(state[f"{block}.conv1.weight"][0].numel())
        extra = len(taps)  # of the filter, and of the convolution, which is 3 wide
        y = filtered(y, taps, (extra + 1) // 2, extra // 2)
        y = F.conv2d(y, weight, state[f"{block}.conv1.bias"], stride=2)
        y = F.leaky_relu(y, 0.2) * math.sqrt(2) * gain
        if architecture == "resnet":
            skip = state[f"{block}.skip.weight"] / math.sqrt(x.shape[1])
            y = y + F.conv2d(halved(x, taps), skip) * gain
        x, img = y, halved(img, taps)
    assert x is not None
    if architecture == "skip":
        x = x + convolved(img, state, "b4.fromrgb")
    deviation = ((x - x.mean(dim=0)).square().mean(dim=0) + 1e-8).sqrt().mean()
    x = torch.cat([x, deviation.expand(len(x), 1, 4, 4)], dim=1)
    x = convolved(x, state, "b4.conv").flatten(1)
    x = F.leaky_relu(x @ state["b4.fc.weight"].t() / math.sqrt(x.shape[1]) + state["b4.fc.bias"], 0.2) * math.sqrt(2)
    return x @ state["b4.out.weight"].t() / math.sqrt(x.shape[1]) + state["b4.out.bias"]


@pytest.mark.parametrize("architecture", ["resnet", "skip", "orig"])
@pytest.mark.parametrize("taps", FILTERS)
def test_discriminators_of_every_architecture_and_filter(architecture, taps):
    network = tf.discriminator(architecture=architecture, resample_filter=taps, mbstd_group=0)
    torch.manual_seed(0)
    img = torch.randn(5, 3, 32, 32)
    assert torch.allclose(network(img), reference(network, img), atol=1e-4)
    assert DiscriminatorConfig.from_json(network.config.to_json()) == network.config


@pytest.mark.parametrize("taps", FILTERS)
@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
def test_generators_of_every_filter_keep_their_pictures_in_place(taps, architecture):
    """Doubled pictures lie where the filter of an even number of taps puts them; sizes fit for all."""
    ours = tf.generator(resample_filter=taps, architecture=architecture)
    z = torch.randn(2, 12)
    assert ours(z).shape == (2, 3, 32, 32)
    block, x = ours.synthesis.b8, torch.zeros(1, 1, 4, 4)
    x[0, 0, 1, 2] = 1
    doubled = block.resample(x, block.doubling, up=2, gain=4.0)
    assert doubled.shape == (1, 1, 8, 8) and abs(float(doubled.sum()) - 4) < 1e-5
    if len(taps) % 2 == 0:  # the middle of pixel 1 of 4 is that of pixels 2 and 3 of 8
        assert abs(float(doubled.sum(dim=3)[0, 0] @ torch.arange(8.0)) / 4 - 2.5) < 1e-4
    weight, spec = torch.randn(8, 8, 3, 3), ours.synthesis.b8.conv0.spec
    y = F.conv_transpose2d(torch.randn(1, 8, 4, 4), weight, stride=2)
    assert filtered(y, taps, *spec.padding).shape[2:] == (8, 8)


def test_labels_times_outputs():
    network = tf.discriminator(c_dim=3, direct_labels=True, mbstd_channels=0)
    img, c = torch.randn(4, 3, 32, 32), torch.rand(4, 3)
    each = torch.stack([network(img, torch.eye(3)[[i] * 4])[:, 0] for i in range(3)], dim=1)
    assert torch.allclose(network(img, c)[:, 0], (each * c).sum(dim=1), atol=1e-5)
    for wrong in (None, torch.ones(4, 2)):
        with pytest.raises(ConfigError, match="takes labels of shape .N, 3."):
            network(img, wrong)


@pytest.mark.parametrize(
    "changed",
    [
        {"c_dim": 3},
        {"c_dim": 3, "label_width": 5},
        {"c_dim": 3, "label_width": 5, "labels_beside_z": True},
        {"mapping_width": 20},
        {"mapping_width": 20, "mapping_layers": 1},
        {"mapping_lr_multiplier": 0.1},
    ],
)
def test_mappings_of_other_widths_are_counted_and_kept(changed):
    ours = tf.generator(**changed)
    assert GeneratorConfig.from_json(ours.config.to_json()) == ours.config
    assert sum(count_parameters(ours.config)) == sum(parameter.numel() for parameter in ours.parameters())
    assert set(ours.config.to_json()) - set(tf.config().to_json()) <= set(changed)
    assert isinstance(ours, Generator)
