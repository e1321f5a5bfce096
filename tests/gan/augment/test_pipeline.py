# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The augmentation pipeline against its definitions; the reference vectors are run by test_conformance.py."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gan.augment import geometry
from gan.augment.bands import POWER, SYM2, build_bank
from gan.augment.colour import GREY, draw_colour
from gan.augment.config import PIPES, AugmentConfig
from gan.augment.draws import Draws
from gan.augment.geometry import draw_geometry, sample, warp
from gan.augment.pipeline import augment
from gan.shares import Share


def pictures(count: int = 3, size: int = 16, channels: int = 3) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).standard_normal((count, channels, size, size))).float()


def test_sym6_and_sym2_are_orthonormal() -> None:
    for taps in (np.array(geometry.SYM6), np.array(SYM2)):
        for lag in range(0, len(taps), 2):
            expected = 1.0 if lag == 0 else 0.0
            assert abs(np.dot(taps[lag:], taps[: len(taps) - lag]) - expected) < 1e-10


def test_nothing_happens_at_p_0() -> None:
    x = pictures()
    assert torch.equal(augment(x, PIPES["bgcfnc"], 0.0), x)


def test_what_is_not_moved_is_not_touched() -> None:
    x = pictures()
    maps = torch.eye(3).repeat(3, 1, 1)
    maps[1, 0, 2] = 2.0  # the second shows what lies two pixels to the right
    y = warp(x, maps)
    assert torch.equal(y[0], x[0]) and torch.equal(y[2], x[2])
    torch.testing.assert_close(y[1, :, :, :-2], x[1, :, :, 2:], atol=2e-5, rtol=0)
    torch.testing.assert_close(y[1, :, :, -2:], x[1, :, :, [-2, -3]], atol=2e-5, rtol=0)  # reflection


def test_the_identity_comes_back_through_the_filters() -> None:
    x = pictures()
    torch.testing.assert_close(geometry._warp_all(x, torch.eye(3).repeat(3, 1, 1)), x, atol=2e-5, rtol=0)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns_turn_a_smooth_picture(turns: int) -> None:
    place = torch.arange(32.0)
    blob = torch.exp(-((place[:, None] - 8) ** 2 + (place[None] - 13) ** 2) / 18)[None, None]
    moved = warp(blob, geometry._rotate(torch.full((1,), turns * math.pi / 2)))
    # The wavelet is not symmetric, so it moves what is turned by a part of a pixel.
    torch.testing.assert_close(moved, torch.rot90(blob, turns, (2, 3)), atol=0.05, rtol=0)


def test_each_transform_is_applied_with_its_own_probability() -> None:
    torch.manual_seed(0)
    maps = draw_geometry(AugmentConfig(xflip=0.5), Draws(Share(20_000), 0.8), 16, 16)
    share = float((maps[:, 0, 0] < 0).float().mean())
    assert abs(share - 0.8 * 0.5 / 2) < 0.01  # half of those chosen are flipped
    maps = draw_geometry(AugmentConfig(rotate=1.0), Draws(Share(20_000), 0.3), 16, 16)
    assert abs(float((maps != torch.eye(3)).flatten(1).any(1).float().mean()) - 0.3) < 0.01
    scales = draw_geometry(AugmentConfig(scale=1.0), Draws(Share(20_000), 1.0), 16, 16)[:, 0, 0].log2()
    assert abs(float(scales.std()) - 0.2) < 0.01 and abs(float(scales.mean())) < 0.01


def test_colours_turn_about_the_axis_of_greys() -> None:
    torch.manual_seed(1)
    for name in ("hue", "saturation"):
        matrix = draw_colour(AugmentConfig(**{name: 1.0}), Draws(Share(50), 1.0))  # type: ignore[arg-type]
        torch.testing.assert_close(matrix @ GREY, GREY.expand(50, 4), atol=1e-6, rtol=0)
        assert (matrix - torch.eye(4)).abs().amax((1, 2)).gt(1e-3).float().mean() > 0.8
    turned = draw_colour(AugmentConfig(hue=1.0), Draws(Share(50), 1.0))[:, :3, :3]
    torch.testing.assert_close(turned @ turned.mT, torch.eye(3).expand(50, 3, 3), atol=1e-5, rtol=0)


def test_a_grey_picture_is_a_coloured_one_of_three_equal_channels() -> None:
    x = pictures(channels=1)
    for q in (0.2, 0.7):
        grey = augment(x, PIPES["color"], 1.0, percentile=q)
        coloured = augment(x.expand(-1, 3, -1, -1), PIPES["color"], 1.0, percentile=q)
        torch.testing.assert_close(grey, coloured.mean(1, keepdim=True), atol=1e-5, rtol=1e-5)


def test_alpha_keeps_its_values_and_moves_with_the_picture() -> None:
    x = pictures(channels=4)
    assert torch.equal(augment(x, PIPES["color"], 1.0, percentile=0.8)[:, 3], x[:, 3])
    moved = augment(x, PIPES["geom"], 1.0, percentile=0.8)
    torch.testing.assert_close(moved[:, 3:], augment(x[:, 3:], PIPES["geom"], 1.0, percentile=0.8))


def test_the_bands_add_up_and_keep_the_expected_power() -> None:
    bank = build_bank()
    whole = bank.sum(0)
    expected = torch.zeros_like(whole)
    expected[len(whole) // 2] = 1
    torch.testing.assert_close(whole, expected, atol=1e-6, rtol=0)
    assert float(POWER.sum()) == pytest.approx(1.0)
    # The lowest band passes a constant, the others nothing of it.
    torch.testing.assert_close(bank.sum(1), torch.tensor([1.0, 0.0, 0.0, 0.0]), atol=1e-6, rtol=0)


def test_cut_out_leaves_a_box_of_zeros() -> None:
    x = torch.ones(1, 1, 32, 32)
    y = augment(x, AugmentConfig(cutout=1.0, cutout_size=0.5), 1.0, percentile=0.5)
    assert float(y.sum()) == 32 * 32 - 16 * 16 and torch.equal(y[0, 0, 8:24, 8:24], torch.zeros(16, 16))


def test_noise_has_its_strength() -> None:
    torch.manual_seed(0)
    y = augment(torch.zeros(2000, 1, 16, 16), AugmentConfig(noise=1.0, noise_std=0.3), 1.0)
    assert float(y.square().mean().sqrt()) == pytest.approx(0.3, rel=0.05)


def test_the_warp_has_a_second_derivative() -> None:
    """R1 takes the gradient of a gradient's square: compare both with finite differences."""
    torch.manual_seed(0)
    maps = draw_geometry(PIPES["geom"], Draws(Share(1), 1.0), 6, 6)
    x = torch.randn(1, 1, 6, 6, dtype=torch.float64, requires_grad=True)

    def moved(images: torch.Tensor) -> torch.Tensor:
        return warp(images, maps).pow(3)

    assert torch.autograd.gradcheck(moved, (x,), atol=1e-4)
    assert torch.autograd.gradgradcheck(moved, (x,), atol=1e-4)


def test_sampling_is_torchs() -> None:
    x, grid = pictures(2), torch.rand(2, 9, 7, 2) * 2.4 - 1.2
    expected = torch.nn.functional.grid_sample(x, grid, align_corners=False)
    assert torch.equal(sample(x, grid), expected)


def test_random_numbers_are_the_hosts() -> None:
    x = pictures()
    torch.manual_seed(3)
    one = augment(x, PIPES["bgcfnc"], 0.7)
    torch.manual_seed(3)
    assert torch.equal(one, augment(x, PIPES["bgcfnc"], 0.7)) and not torch.equal(one, x)
    assert torch.isfinite(one).all() and one.shape == x.shape


def test_options_come_back_from_json() -> None:
    config = replace(PIPES["bgc"], xint_max=0.25, imgfilter_bands=(1.0, 0.0, 1.0, 0.5))
    assert AugmentConfig.from_json(config.to_json()) == config
    for wrong in (
        [],
        {"flip": 1},
        {"xflip": "1"},
        {"xflip": float("nan")},
        {"imgfilter_bands": [1, 1]},
        {"xflip": True},
    ):
        with pytest.raises(ValueError, match="augmentation pipeline"):
            AugmentConfig.from_json(wrong)
