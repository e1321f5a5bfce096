# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Modulated convolutions and mean squares against their definitions in float64, gradients of gradients included."""

import pytest
import torch
import torch.nn.functional as F

from gan.conformance import relative_error
from gan.networks import conv_autotune
from gan.networks.conv_autotune import convolve_modulated
from gan.networks.layers import mean_square

# Samples, channels in and out, pixels: several of each, an RGB output, one pixel, one channel.
SHAPES = ((3, 24, 20, 13), (2, 32, 3, 16), (1, 16, 16, 9), (2, 5, 7, 1), (2, 1, 1, 6))


def _draw(shape, kernel, dtype, is_demodulated):
    n, c_in, c_out, size = shape
    x = torch.randn(n, c_in, size, size, dtype=torch.float64)
    weight, styles = torch.randn(c_out, c_in, kernel, kernel), torch.randn(n, c_in)
    demodulation = torch.rand(n, c_out) + 0.5 if is_demodulated else None
    tensors = [x.contiguous(memory_format=torch.channels_last), weight, styles, demodulation]
    return [t if t is None else t.to(dtype).detach().requires_grad_() for t in tensors]


def _define(x, weight, styles, demodulation, padding):
    """Convolve each sample with weights of its own, written out."""
    samples = []
    for n in range(len(x)):
        own = weight * styles[n][:, None, None]
        own = own if demodulation is None else own * demodulation[n][:, None, None, None]
        samples.append(F.conv2d(x[n : n + 1], own, padding=padding))
    return torch.cat(samples)


def _differentiate(convolve, tensors, padding):
    tensors = [t if t is None else t.detach().clone().requires_grad_() for t in tensors]
    given = [t for t in tensors if t is not None]
    y = convolve(*tensors, padding)
    first = torch.autograd.grad(y.pow(2).sum(), given, create_graph=True)
    return y, *first, *torch.autograd.grad(sum(g.square().sum() for g in first), given)


@pytest.mark.parametrize("is_demodulated", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("kernel", "padding"), [(1, 0), (1, 2), (3, 1)])
def test_modulated_convolutions_and_gradients_of_gradients_are_those_of_own_weights(
    shape, kernel, padding, is_demodulated
):
    tensors = _draw(shape, kernel, torch.float32, is_demodulated)
    doubles = [t if t is None else t.double() for t in tensors]
    found, expected = (_differentiate(convolve_modulated, tensors, padding), _differentiate(_define, doubles, padding))
    for one, other in zip(found, expected, strict=True):
        assert relative_error(one, other) < 1e-5


@pytest.mark.parametrize("is_demodulated", [True, False])
def test_products_pass_gradcheck_twice(is_demodulated):
    tensors = [t for t in _draw((2, 3, 4, 2), 1, torch.float64, is_demodulated) if t is not None]

    def convolve(x, weight, styles, demodulation=None):
        return convolve_modulated(x, weight, styles, demodulation, 0)

    assert torch.autograd.gradcheck(convolve, tensors)
    assert torch.autograd.gradgradcheck(convolve, tensors)


def test_products_are_taken_for_small_kernels_and_keep_channels_last(monkeypatch):
    called = []
    monkeypatch.setattr(conv_autotune, "convolve_changing", lambda *_: called.append(1))
    x, weight, styles, demodulation = _draw((2, 24, 20, 13), 1, torch.float32, True)
    for count in (1, 2):  # whatever the batch
        y = convolve_modulated(x[:count], weight, styles[:count], demodulation[:count], 0)
        assert y.is_contiguous(memory_format=torch.channels_last)
    assert not called
    convolve_modulated(x, weight.expand(-1, -1, 3, 3), styles, None, 1)
    assert called


def test_a_sample_alone_is_the_sample_in_a_batch():
    tensors = _draw((4, 64, 48, 33), 1, torch.float32, True)
    x, weight, styles, demodulation = tensors
    together = convolve_modulated(*tensors, 0)
    alone = convolve_modulated(x[2:3], weight, styles[2:3], demodulation[2:3], 0)
    assert relative_error(alone, together[2:3]) < 1e-6


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_mean_squares_are_accurate_over_many_pixels(layout):
    x = (torch.randn(8, 32, 84, 84) + 0.5).contiguous(memory_format=layout)
    assert abs(mean_square(x) / x.double().square().mean() - 1) < 1e-6
    x[1, 2, 3, 4] = float("inf")
    assert mean_square(x) == float("inf")
    x[1, 2, 3, 5] = float("nan")
    assert mean_square(x).isnan()
