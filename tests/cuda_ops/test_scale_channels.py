# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Scaled channels against their definition in float64: values, gradients and gradients of gradients."""

import pytest
import torch

from cuda_ops.cpu import loader as cpu
from cuda_ops.scale_channels import scale_channels, scale_channels_reference
from gan.conformance import relative_error

# Channels that fill 16 and 8 lanes, leave some over, or do not fill one; pixels in one band and in several.
SHAPES = ((2, 16, 5, 7), (3, 51, 30, 41), (1, 24, 64, 64), (2, 3, 23, 23), (1, 13, 1, 1), (0, 16, 4, 4))


def _differentiate(scale, x, factors):
    x, factors = x.clone().requires_grad_(), factors.clone().requires_grad_()
    y = scale(x, factors)
    first = torch.autograd.grad(y.pow(3).sum(), (x, factors))
    slopes = torch.autograd.grad(scale(x, factors).pow(3).sum(), (x, factors), create_graph=True)
    second = torch.autograd.grad(sum(slope.square().sum() for slope in slopes), (x, factors))
    return y, *first, *second


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_the_product_and_so_are_its_gradients(shape, layout):
    x, factors = torch.randn(shape), torch.randn(shape[:2])
    factors[:, 0] = 0  # its gradient is not
    expected = _differentiate(scale_channels_reference, x.double(), factors.double())
    found = _differentiate(scale_channels, x.contiguous(memory_format=layout), factors)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert not one.numel() or relative_error(one, other) < 2e-6


@pytest.mark.skipif(cpu.load_library() is None, reason=cpu.explain())
def test_threads_change_no_bit():
    threads = torch.get_num_threads()
    x = torch.randn(2, 40, 70, 70).contiguous(memory_format=torch.channels_last)
    factors = torch.randn(2, 40)
    try:
        results = []
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            results.append(_differentiate(scale_channels, x, factors)[:3])
    finally:
        torch.set_num_threads(threads)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))
