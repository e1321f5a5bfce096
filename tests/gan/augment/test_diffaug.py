# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""DiffAugment's three transforms against their definitions."""

import pytest
import torch

from gan.augment.config import POLICIES
from gan.augment.diffaug import cut_out, diff_augment, shift_colour, translate


def test_translation_brings_in_zeros() -> None:
    x = torch.randn(2, 3, 8, 8)
    y = translate(x, torch.tensor([2, 0]), torch.tensor([-3, 1]))
    assert torch.equal(y[0, :, 2:, :-3], x[0, :, :-2, 3:]) and not y[0, :, :2].any() and not y[0, :, :, -3:].any()
    assert torch.equal(y[1, :, :, 1:], x[1, :, :, :-1]) and not y[1, :, :, 0].any()


def test_colour_by_hand() -> None:
    x = torch.randn(2, 3, 4, 4)
    half, one = torch.full((2,), 0.5), torch.ones(2)
    torch.testing.assert_close(shift_colour(x, half, half, half), x)
    torch.testing.assert_close(shift_colour(x, one, half, half), x + 0.5)
    grey = shift_colour(x, half, torch.zeros(2), half)
    torch.testing.assert_close(grey, x.mean(1, keepdim=True).expand_as(x))
    mean = x.mean((1, 2, 3), keepdim=True)
    torch.testing.assert_close(shift_colour(x, half, half, one), (x - mean) * 1.5 + mean)


def test_a_box_is_cut_out_at_its_centre_and_at_the_border() -> None:
    y = cut_out(torch.ones(2, 1, 8, 8), (4, 4), torch.tensor([4, 0]), torch.tensor([4, 8]))
    assert torch.equal(y[0, 0, 2:6, 2:6], torch.zeros(4, 4)) and float(y[0].sum()) == 64 - 16
    assert torch.equal(y[1, 0, :2, 6:], torch.zeros(2, 2)) and float(y[1].sum()) == 64 - 4


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_all_three_are_differentiable_twice(channels: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(4, channels, 16, 16, requires_grad=True)
    y = diff_augment(x, POLICIES)
    assert y.shape == x.shape and not torch.equal(y, x)
    (gradient,) = torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)
    (again,) = torch.autograd.grad(gradient.square().sum(), x)
    assert torch.isfinite(again).all() and again.any()
    assert diff_augment(x, ()) is x
