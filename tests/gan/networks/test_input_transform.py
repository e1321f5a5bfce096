# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The input of one call: scale, the band, overrides of the learned transform and of rung A's constant."""

import math

import pytest
import torch
from torch import Tensor

from gan.networks.config import ConfigError
from gan.networks.fourier_input import FourierInput
from gan.networks.generator import Generator, init_generator
from gan.networks.input_transform import InputOverrides, forward_matrix, learned_vector, user_matrix
from gan.networks.ladder import rung_config
from gan.networks.synthesis import SynthesisOptions

SMALL = {"channel_base": 512, "channel_max": 16, "z_dim": 16, "w_dim": 16}


def make(name: str, resolution: int = 32) -> Generator:
    return init_generator(rung_config(name, resolution, **SMALL))


def taught(name: str, resolution: int = 32) -> Generator:
    """A generator whose w turns and moves the input, as training leaves it."""
    generator = make(name, resolution)
    generator.synthesis.input.affine.weight.copy_(torch.randn(4, 16))
    return generator


def fourier(rate: float = 16.0, cutoff: float = 2.0, w_dim: int | None = None) -> FourierInput:
    """A 16x16 input of 24 sinusoids whose mix is the identity, so that its channels are the sinusoids themselves."""
    layer = FourierInput(w_dim, 24, 16, rate, cutoff).requires_grad_(False)
    layer.weight.copy_(torch.eye(24) * math.sqrt(24))
    return layer


def sinusoids(layer: FourierInput, points: Tensor) -> Tensor:
    """[channels, ...] values of the untouched sinusoids at points [..., 2], in image widths from the centre."""
    phases = layer.phases.view(-1, *[1] * (points.dim() - 1))
    return torch.sin(2 * math.pi * (torch.einsum("...d,cd->c...", points, layer.freqs) + phases))


def centres(layer: FourierInput) -> Tensor:
    """[size, size, 2] positions (x, y) of the input's pixels."""
    axis = (torch.arange(layer.size) + 0.5 - layer.size / 2) / layer.rate
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=2)


def test_scale_one_is_bit_for_bit_the_matrix_without_scale() -> None:
    assert torch.equal(user_matrix(0.3, -0.2, 33.0), user_matrix(0.3, -0.2, 33.0, 1.0))
    cos, sin = math.cos(math.radians(33.0)), math.sin(math.radians(33.0))
    rigid = torch.tensor([[cos, sin, 0.3], [-sin, cos, -0.2], [0, 0, 1]], dtype=torch.float64)
    assert torch.equal(user_matrix(0.3, -0.2, 33.0), torch.linalg.inv(rigid).float())


def test_the_content_is_enlarged_then_turned_then_moved() -> None:
    point = torch.tensor([0.1, 0.0, 1.0], dtype=torch.float64)
    seen = forward_matrix(0.05, 0.2, 90.0, 3.0) @ point  # 0.3 right of the centre, turned to above it, moved
    torch.testing.assert_close(seen[:2], torch.tensor([0.05, 0.2 - 0.3], dtype=torch.float64))
    for scale in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="positive number"):
            user_matrix(0, 0, 0, scale)


def test_an_enlarged_input_is_the_same_sinusoids_sampled_closer_to_the_centre() -> None:
    layer = fourier()
    found = layer(torch.zeros(1, 4), user_matrix(0, 0, 0, 2.0))[0]
    torch.testing.assert_close(found, sinusoids(layer, centres(layer) / 2), atol=1e-5, rtol=0)
    moved = layer(torch.zeros(1, 4), user_matrix(0.1, -0.05, 0, 2.0))[0]
    expected = sinusoids(layer, (centres(layer) - torch.tensor([0.1, -0.05])) / 2)
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=0)


def test_what_leaves_the_band_fades_and_is_counted() -> None:
    layer, w = fourier(), torch.zeros(2, 4)
    for scale in (1.0, 1.7, 4.0):
        assert torch.equal(layer.retained_power(w, user_matrix(0.3, 0, 20, scale)), torch.ones(2))
    radii = layer.freqs.norm(dim=1)
    for scale in (0.5, 0.3):
        # f / scale against the fading from f_c = 2 to half the rate, 8.
        amplitudes = (1 - (radii / scale - 2) / 6).clamp(0, 1)
        kept = layer.retained_power(w, user_matrix(0, 0, 0, scale))
        torch.testing.assert_close(kept, amplitudes.square().mean().expand(2))
        found = layer(w, user_matrix(0, 0, 0, scale))[0]
        expected = amplitudes[:, None, None] * sinusoids(layer, centres(layer) / scale)
        torch.testing.assert_close(found, expected, atol=2e-5, rtol=0)
    assert (
        0
        < layer.retained_power(w, user_matrix(0, 0, 0, 0.3))[0]
        < layer.retained_power(w, user_matrix(0, 0, 0, 0.5))[0]
        < 1
    )


def test_a_critically_sampled_input_loses_whole_sinusoids() -> None:
    layer = fourier(rate=4.0)
    kept = layer.retained_power(torch.zeros(1, 4), user_matrix(0, 0, 0, 0.5))
    torch.testing.assert_close(kept[0], (layer.freqs.norm(dim=1) <= 1).float().mean())
    assert layer.retained_power(torch.zeros(1, 4), user_matrix(0, 0, 77))[0] == 1


@pytest.mark.parametrize("name", ["H", "T", "R"])
def test_the_models_own_numbers_give_its_very_picture(name: str) -> None:
    generator = taught(name)
    ws = generator.mapping(torch.randn(3, 16))
    own = generator.synthesis.input.learned_transform(ws[:, 0])
    torch.testing.assert_close(own[:, :2].norm(dim=1), torch.ones(3))
    moved = user_matrix(0.1, 0.05, 20, 1.3)
    expected = generator.synthesis(ws, SynthesisOptions(transform=moved))
    for override in (own, torch.tensor(own.tolist())):
        assert torch.equal(
            generator.synthesis(ws, SynthesisOptions(transform=moved, overrides=InputOverrides(override))), expected
        )
    found = generator.synthesis(
        ws, SynthesisOptions(transform=moved, overrides=InputOverrides(3 * own))
    )  # divided by |(r_c, r_s)|
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_zero_is_the_start_that_training_turned_and_moved() -> None:
    generator = taught("H")
    ws, zero = generator.mapping(torch.randn(2, 16)), InputOverrides(learned_vector(0, 0, 0))
    found, learned = generator.synthesis(ws, SynthesisOptions(overrides=zero)), generator.synthesis(ws)
    generator.synthesis.input.affine.weight.zero_()
    assert torch.equal(found, generator.synthesis(ws))
    assert not torch.allclose(found, learned, atol=0.01)


def test_overrides_may_differ_within_a_batch() -> None:
    generator = taught("T")
    ws = generator.mapping(torch.randn(2, 16))
    poses = torch.stack([learned_vector(0.1, 0, 0), learned_vector(0, -0.2, 70)])
    both = generator.synthesis(ws, SynthesisOptions(overrides=InputOverrides(poses)))
    for i in range(2):
        one = generator.synthesis(ws[i : i + 1], SynthesisOptions(overrides=InputOverrides(poses[i])))
        torch.testing.assert_close(both[i : i + 1], one, atol=1e-5, rtol=0)
    for learned, words in ((poses[:, :3], r"\[4\] or \[2, 4\], not \[2, 3\]"), (torch.zeros(4), "must not be 0")):
        with pytest.raises(ConfigError, match=words):
            generator.synthesis(ws, SynthesisOptions(overrides=InputOverrides(learned)))


def test_a_learned_transform_means_what_the_users_does() -> None:
    """By the numbers alone: turned counter-clockwise, moved right and down, before the user's transform."""
    layer, w = fourier(w_dim=4), torch.zeros(1, 4)
    override = InputOverrides(learned_vector(0.1, -0.2, 30))
    torch.testing.assert_close(layer(w, None, override), layer(w, user_matrix(0.1, -0.2, 30)), atol=1e-5, rtol=0)
    both = torch.linalg.inv(forward_matrix(0.3, 0, -50, 1.5) @ forward_matrix(0.1, -0.2, 30)).float()
    torch.testing.assert_close(layer(w, user_matrix(0.3, 0, -50, 1.5), override), layer(w, both), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["A", "B", "G"])
def test_rungs_without_a_learned_transform_refuse_one(name: str) -> None:
    generator = make(name, 16)
    ws = generator.mapping(torch.randn(1, 16))
    with pytest.raises(ConfigError, match=r"(?i)learned"):
        generator.synthesis(ws, SynthesisOptions(overrides=InputOverrides(learned_vector(0, 0, 0))))
    if name != "A":
        with pytest.raises(ConfigError, match="from rung H on"):
            generator.synthesis.input.learned_transform(ws[:, 0])


@pytest.mark.parametrize("name", ["B", "D", "T"])
def test_rungs_without_a_constant_refuse_its_mean(name: str) -> None:
    generator = make(name, 16)
    with pytest.raises(ConfigError, match="only rung A"):
        generator.synthesis(
            generator.mapping(torch.randn(1, 16)), SynthesisOptions(overrides=InputOverrides(mean_constant=True))
        )


def test_a_mean_constant_leaves_place_to_the_zero_padding_alone() -> None:
    """Layers out of reach of the padding cannot tell places apart, so that the leak alone varies."""
    generator = make("A")
    ws, mean = generator.mapping(torch.randn(1, 16)), InputOverrides(mean_constant=True)
    first, constant = generator.synthesis.b4.conv1, generator.synthesis.b4.const
    seen: list[Tensor] = []
    hook = first.register_forward_pre_hook(lambda _, given: seen.append(given[0].clone()))
    steps = dict(generator.synthesis.steps(ws, SynthesisOptions(noise="none", overrides=mean)))
    hook.remove()
    torch.testing.assert_close(seen[0], constant.mean(dim=(1, 2))[None, :, None, None].expand(1, -1, 4, 4))
    out = steps["b4.conv1"]  # of its 4x4 pixels, a 3x3 kernel on the inner 2x2 reads no padding
    inner, whole = out[:, :, 1:3, 1:3], out.var(dim=(2, 3)).mean()
    assert inner.var(dim=(2, 3)).max() < 1e-10 * whole, "translation-invariant where the padding is out of reach"
    assert whole > 1e-3 * out.square().mean(), "and the padding is what draws structure"
    plain = dict(generator.synthesis.steps(ws, SynthesisOptions(noise="none")))
    assert plain["b4.conv1"][:, :, 1:3, 1:3].var(dim=(2, 3)).mean() > 1e-2 * whole
    leak, usual = (run["b32.torgb"].var(dim=(2, 3)).mean() for run in (steps, plain))
    assert 1e-3 < leak / usual < 0.5


@pytest.mark.parametrize("name", ["A", "T"])
def test_overrides_change_nothing_in_the_model(name: str) -> None:
    generator = make("A") if name == "A" else taught("T")
    overrides = InputOverrides(mean_constant=True) if name == "A" else InputOverrides(learned_vector(0.1, 0.2, 3))
    ws = generator.mapping(torch.randn(1, 16))
    before, first = {key: value.clone() for key, value in generator.state_dict().items()}, generator.synthesis(ws)
    weights = generator.synthesis.modulate(ws)
    changed = generator.synthesis(ws, SynthesisOptions(overrides=overrides, weights=weights))
    assert not torch.allclose(changed, first, atol=0.01)
    assert torch.equal(generator.synthesis(ws), first)
    assert all(torch.equal(value, before[key]) for key, value in generator.state_dict().items())


def test_content_is_mirrored_stretched_and_sheared_before_it_is_turned() -> None:
    point = torch.tensor([0.1, 0.2, 1.0], dtype=torch.float64)  # right of the centre and below it

    def seen(**asked: float) -> list[float]:
        return (forward_matrix(0.0, 0.0, 0.0, **asked) @ point)[:2].tolist()

    assert seen(mirror=True) == pytest.approx([-0.1, 0.2])
    assert seen(stretch=4.0) == pytest.approx([0.2, 0.1])
    assert seen(shear=0.5) == pytest.approx([0.2, 0.2])
    assert seen(mirror=True, shear=0.5, stretch=4.0, scale=2.0) == pytest.approx([2 * (-0.2 + 0.05), 0.2])
    turned = forward_matrix(0.3, 0.0, 90.0, 1.0, 1.0, 0.0, True) @ point
    assert turned[:2].tolist() == pytest.approx([0.5, 0.1]), "to the left, then turned down, then moved to the right"
    assert abs(torch.linalg.det(forward_matrix(0.1, 0.2, 30.0, 2.0, 3.0, 1.5, True))) == pytest.approx(4.0)
    with pytest.raises(ValueError, match="The stretch must be a positive number, not 0"):
        forward_matrix(0.0, 0.0, 0.0, 1.0, 0.0)
