# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Properties of the networks beyond the vectors: motion, taps, truncation, noise, labels, no mutation."""

import pytest
import torch

from gan.networks.config import ConfigError, DiscriminatorConfig
from gan.networks.discriminator import Discriminator, minibatch_stddev
from gan.networks.generator import Generator
from gan.networks.input_transform import user_matrix
from gan.networks.ladder import rung_config
from gan.networks.synthesis import SynthesisOptions

SMALL = {"channel_base": 512, "channel_max": 16, "z_dim": 16, "w_dim": 16}


def make(name: str, resolution: int = 32, **fields) -> Generator:
    return Generator(rung_config(name, resolution, **SMALL, **fields)).eval().requires_grad_(False)


def calibrate(generator: Generator, z: torch.Tensor) -> None:
    """Magnitudes as training would leave them, so that an untrained network's contrast is sensible."""
    for module in generator.modules():
        if hasattr(module, "magnitude_ema_beta"):
            module.magnitude_ema_beta = 0.0
    generator(z, update_emas=True)


def moved_psnr(generator: Generator, pixels: int) -> float:
    """Return how exactly a translation by whole pixels moves the picture, in dB of its own variance."""
    z = torch.randn(4, 16)
    calibrate(generator, z)
    size = generator.config.resolution
    still = generator(z)
    moved = generator(z, transform=user_matrix(pixels / size, 0, 0))
    error = (moved[..., pixels:] - still[..., :-pixels]).square().mean()
    return float(10 * torch.log10(still.var() / error))


def test_translation_moves_t_and_boils_b():
    t, b = moved_psnr(make("T"), 3), moved_psnr(make("B"), 3)
    # Over twelve seeds T was 38 to 54 dB, B 2 to 12.
    assert t > 30
    assert b < 15


def test_rotation_turns_r_counter_clockwise():
    """A quarter turn is exact on the pixel grid, so no resampling blurs the comparison."""
    generator = make("R")
    z = torch.randn(2, 16)
    calibrate(generator, z)
    still, turned = generator(z), generator(z, transform=user_matrix(0, 0, 90))
    error = (turned - still.rot90(1, (2, 3))).square().mean()
    assert 10 * torch.log10(still.var() / error) > 30


def test_transforms_may_differ_within_a_batch():
    generator = make("T")
    z = torch.randn(2, 16)
    matrices = torch.stack([user_matrix(0.1, 0, 0), user_matrix(0, 0.2, 30)])
    both = generator(z, transform=matrices)
    for i in range(2):
        torch.testing.assert_close(both[i : i + 1], generator(z[i : i + 1], transform=matrices[i]), atol=1e-5, rtol=0)


def test_rung_a_cannot_be_moved():
    generator = make("A")
    assert not generator.config.movable
    with pytest.raises(ConfigError, match="no Fourier input, so it cannot be moved"):
        generator(torch.randn(1, 16), transform=user_matrix(0, 0, 0))


@pytest.mark.slow
@pytest.mark.parametrize("name", list("ABDGTR"))
def test_a_frame_changes_nothing(name):
    generator = make(name)
    before = {key: value.clone() for key, value in generator.state_dict().items()}
    z = torch.randn(2, 16)
    first = generator(z, psi=0.5, cutoff=3)
    if generator.config.movable:
        generator(z, transform=user_matrix(0.3, 0.1, 45))
    assert torch.equal(generator(z, psi=0.5, cutoff=3), first)
    assert all(torch.equal(value, before[key]) for key, value in generator.state_dict().items())


def test_training_moves_the_averages():
    generator = make("T")
    z = torch.randn(8, 16)
    w = generator.mapping(z)[:, 0].mean(0)
    generator(z, update_emas=True)
    torch.testing.assert_close(generator.mapping.w_avg, w * 0.002)
    first = generator.synthesis.get_submodule(generator.synthesis.plan.layers[0].name)
    x = generator.synthesis.input(generator.mapping(z)[:, 0])
    beta = generator.config.magnitude_ema_beta
    torch.testing.assert_close(first.magnitude_ema, x.square().mean() * (1 - beta) + beta)


def test_stopping_at_a_layer_stops_the_computation():
    generator = make("T")
    ran = []
    for name in generator.layer_names[1:]:
        generator.synthesis.get_submodule(name).register_forward_hook(lambda *_, name=name: ran.append(name))
    wanted = generator.layer_names[3]
    for name, maps in generator.synthesis.steps(generator.mapping(torch.randn(1, 16))):
        if name == wanted:
            assert maps.shape[1] == generator.synthesis.plan.layers[2].out_channels
            break
    assert ran == list(generator.layer_names[1:4])


def test_truncation():
    generator = make("T")
    generator.mapping.w_avg.copy_(torch.randn(16))
    z = torch.randn(3, 16)
    ws = generator.mapping(z)
    assert torch.equal(generator.mapping(z, psi=0.0)[0, 0], generator.mapping.w_avg)
    cut = generator.mapping(z, psi=0.3, cutoff=2)
    torch.testing.assert_close(cut[:, :2], generator.mapping.w_avg + 0.3 * (ws[:, :2] - generator.mapping.w_avg))
    assert torch.equal(cut[:, 2:], ws[:, 2:])


def test_noise_modes():
    generator = make("B")
    z = torch.randn(1, 16)
    for module in generator.modules():
        if hasattr(module, "noise_strength"):
            module.noise_strength.fill_(0.5)
    constant = generator(z, noise="const")
    assert torch.equal(constant, generator(z, noise="const"))
    assert not torch.equal(generator(z, noise="random"), generator(z, noise="random"))
    assert not torch.equal(constant, generator(z, noise="none"))
    with pytest.raises(ConfigError, match="one of const, random, none"):
        generator(z, noise="loud")


@pytest.mark.slow
def test_labels_and_wrong_shapes():
    generator = make("T", c_dim=3)
    z, c = torch.randn(2, 16), torch.eye(3)[:2]
    assert generator(z, c).shape == (2, 3, 32, 32)
    assert not torch.equal(generator(z, c), generator(z, c.flip(0)))
    with pytest.raises(ConfigError, match=r"labels of shape \[N, 3\], not none"):
        generator(z)
    with pytest.raises(ConfigError, match=r"latents of shape \[N, 16\], not \[2, 15\]"):
        generator(z[:, :15], c)


def test_discriminator_groups():
    x = torch.randn(6, 2, 4, 4)
    y = minibatch_stddev(x, 3, 1)
    assert y.shape == (6, 3, 4, 4)
    # Sample n is in group n mod N / G = n mod 2.
    deviation = (x[0::2].var(dim=0, unbiased=False) + 1e-8).sqrt().mean()
    torch.testing.assert_close(y[0::2, 2], deviation.expand(3, 4, 4))
    with pytest.raises(ConfigError, match="batch of 5 pictures does not split"):
        minibatch_stddev(torch.randn(5, 2, 4, 4), 4, 1)
    discriminator = Discriminator(DiscriminatorConfig(16, channel_base=64, channel_max=4))
    assert discriminator(torch.randn(2, 3, 16, 16)).shape == (2, 1)


@pytest.mark.parametrize("name", list("ABDGTR"))
def test_weights_modulated_once_give_the_same_picture(name):
    generator = make(name)
    z = torch.randn(2, 16)
    calibrate(generator, z)
    ws = generator.mapping(z)
    expected = generator.synthesis(ws)
    for index in range(2):
        one = ws[index : index + 1]
        found = generator.synthesis(one, SynthesisOptions(weights=generator.synthesis.modulate(one)))
        torch.testing.assert_close(found, expected[index : index + 1], atol=1e-5, rtol=1e-4)
    weights = generator.synthesis.modulate(ws[:1])
    with pytest.raises(ValueError, match="one sample"):
        generator.synthesis.modulate(ws)
    with pytest.raises(ValueError, match="one sample"):
        generator.synthesis(ws, SynthesisOptions(weights=weights))
    with pytest.raises(ValueError, match="averages"):
        generator.synthesis(ws[:1], SynthesisOptions(weights=weights, update_emas=True))
