# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The three operators against a slow definition in loops, and their first and second gradients."""

import subprocess
import sys
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd import gradcheck, gradgradcheck
from torch.library import opcheck

import cuda_ops
from cuda_ops import bias_act, filtered_lrelu, upfirdn2d
from cuda_ops.bias_act import ACTIVATIONS
from cuda_ops.cpu import loader as cpu
from gan.networks.generator import init_generator
from gan.networks.ladder import rung_config

# (image [H, W], filter shape, up, down, padding, flip)
RESAMPLINGS = (
    ((5, 7), (4,), 1, 1, 0, False),
    ((5, 7), (4,), 2, 1, [2, 1, 2, 1], False),
    ((6, 4), (12,), 2, 2, [9, 8, 7, 10], True),
    ((6, 5), (3, 5), [3, 2], [2, 1], [4, 0, 2, 3], False),
    ((9, 8), (4, 4), 1, 2, [-1, 2, 3, -2], True),
    ((8, 9), (6,), 1, 1, [-2, 3, 4, -1], False),
    ((1, 1), (2,), 2, 1, 1, False),
)
# (image [H, W], up filter, down filter, up, down, padding, clamp)
NONLINEARITIES = (
    ((6, 7), (12,), (12,), 2, 2, [9, 8, 9, 8], None),
    ((6, 7), (12,), (4, 4), 2, 2, [9, 8, 9, 8], 0.7),
    ((5, 5), (24,), (12,), 4, 2, [9, 13, 14, 5], 1.0),
    ((9, 6), (8,), (16,), 2, 4, [7, 8, 6, 9], 0.9),
    ((9, 8), (4,), None, 2, 1, [-2, 1, 1, -3], 1.0),
    ((4, 3), None, None, 1, 1, 0, 0.5),
    ((1, 1), (4,), (4,), 2, 2, 4, None),
)


def slow_upfirdn2d(x, f, up, down, padding, flip, gain):
    """The definition, sample by sample, in numpy."""
    (ux, uy), (dx, dy) = ([v, v] if isinstance(v, int) else v for v in (up, down))
    x0, x1, y0, y1 = [padding] * 4 if isinstance(padding, int) else padding
    f = np.outer(f, f) if f.ndim == 1 else f
    f = f if flip else f[::-1, ::-1]
    n, c, h, w = x.shape
    stuffed = np.zeros((n, c, h * uy + 60, w * ux + 60))  # 30 zeros around, of which the padding takes its part
    stuffed[:, :, 30 : 30 + h * uy : uy, 30 : 30 + w * ux : ux] = x
    padded = stuffed[:, :, 30 - y0 : 30 + h * uy + y1, 30 - x0 : 30 + w * ux + x1]
    rows, columns = padded.shape[2] - f.shape[0] + 1, padded.shape[3] - f.shape[1] + 1
    y = np.zeros((n, c, rows, columns))
    for i, j in product(range(rows), range(columns)):
        y[:, :, i, j] = (padded[:, :, i : i + f.shape[0], j : j + f.shape[1]] * f).sum((2, 3)) * gain
    return y[:, :, ::dy, ::dx]


def random_filter(shape):
    return None if shape is None else torch.randn(shape, dtype=torch.float64) / shape[0] ** 0.5


@pytest.mark.parametrize(("size", "taps", "up", "down", "padding", "flip"), RESAMPLINGS)
def test_upfirdn2d_is_its_definition_and_differentiates_twice(size, taps, up, down, padding, flip):
    x = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    f = random_filter(taps)
    call = lambda x: upfirdn2d(x, f, up=up, down=down, padding=padding, flip_filter=flip, gain=1.7)  # noqa: E731
    expected = slow_upfirdn2d(x.detach().numpy(), f.numpy(), up, down, padding, flip, 1.7)
    np.testing.assert_allclose(call(x).detach().numpy(), expected, atol=1e-12)
    assert gradcheck(call, (x,), fast_mode=True)
    assert gradgradcheck(call, (x,), fast_mode=True)


@pytest.mark.parametrize(("size", "up_taps", "down_taps", "up", "down", "padding", "clamp"), NONLINEARITIES)
def test_filtered_lrelu_is_its_definition_and_differentiates_twice(size, up_taps, down_taps, up, down, padding, clamp):
    x = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    b = torch.randn(3, dtype=torch.float64, requires_grad=True)
    fu, fd = random_filter(up_taps), random_filter(down_taps)
    one = np.ones(1)
    shifted = (x + b[:, None, None]).detach().numpy()
    u = slow_upfirdn2d(shifted, one if fu is None else fu.numpy(), up, 1, padding, False, up**2)
    u = np.where(u < 0, 0.1 * u, u) * 1.3
    u = u if clamp is None else u.clip(-clamp, clamp)
    expected = slow_upfirdn2d(u, one if fd is None else fd.numpy(), 1, down, 0, False, 1.0)

    def call(x, b):
        return filtered_lrelu(x, fu, fd, b, up=up, down=down, padding=padding, gain=1.3, slope=0.1, clamp=clamp)

    np.testing.assert_allclose(call(x, b).detach().numpy(), expected, atol=1e-12)
    assert gradcheck(call, (x, b), fast_mode=True)
    assert gradgradcheck(call, (x, b), fast_mode=True)


@pytest.mark.parametrize("act", [row[0] for row in ACTIVATIONS])
@pytest.mark.parametrize("clamp", [None, 0.8])
def test_bias_act_differentiates_twice(act, clamp):
    x = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    b = torch.randn(3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x, b: bias_act(x, b, act=act, gain=1.1, clamp=clamp), (x, b), fast_mode=True)
    assert gradgradcheck(lambda x, b: bias_act(x, b, act=act, gain=1.1, clamp=clamp), (x, b), fast_mode=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_values_and_gradients_in_lower_precision(dtype):
    """Against float64 on the same rounded inputs, to a few units of the dtype's own rounding."""
    x, f, b = torch.randn(2, 3, 9, 9).to(dtype), torch.randn(12).to(dtype) / 4, torch.randn(3).to(dtype)
    calls = (
        # Near the kink a rounded value may take the other slope, so the slopes are close to each other here.
        lambda x, f, b: filtered_lrelu(x, f, f, b, up=2, down=2, padding=9, slope=0.95, clamp=256.0),
        lambda x, f, b: upfirdn2d(x, f, up=2, padding=9) + b[:, None, None],
        lambda x, f, b: bias_act(x, b, act="swish"),
    )
    for call in calls:
        found = gradients(call, x, f, b)
        for a, expected in zip(found, gradients(call, x.double(), f.double(), b.double()), strict=True):
            assert a.dtype == dtype
            error = (a.double() - expected).norm() / expected.norm()
            assert error < 16 * torch.finfo(dtype).eps


def gradients(call, x, f, b):
    """The output and the gradients of its sum in x and b."""
    x, b = x.clone().requires_grad_(), b.clone().requires_grad_()
    y = call(x, f, b)
    return y.detach(), *torch.autograd.grad(y.sum(), [x, b])


@pytest.mark.slow
# Its own: torch 2.14 hides it again, but by a way that comes too late for warnings that are errors.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
def test_operators_pass_opcheck():
    x = torch.randn(2, 3, 6, 7, requires_grad=True)
    f, b = torch.randn(4), torch.randn(3, requires_grad=True)
    opcheck(torch.ops.jinc.upfirdn2d.default, (x, f, [2, 1], [1, 2], [2, 1, 3, 4], False, 1.5))
    for act in ("swish", "lrelu", "linear"):
        opcheck(torch.ops.jinc.bias_act.default, (x, b, 1, act, 0.3, 1.4, 0.9))
    opcheck(torch.ops.jinc.bias_act_gradient.default, (x, torch.randn_like(x), 0.2, 1.4, 0.9))
    opcheck(torch.ops.jinc.filtered_lrelu.default, (x, f, f, b, 2, 2, [3, 3, 3, 3], 1.4, 0.2, 256.0, False, True))
    _, codes = torch.ops.jinc.filtered_lrelu(x, f, f, b, 2, 2, [3, 3, 3, 3], 1.4, 0.2, 256.0, False, True)
    y = torch.randn(2, 3, *((s - 4) // 2 + 1 for s in codes.shape[2:]), requires_grad=True)
    opcheck(torch.ops.jinc.filtered_codes.default, (y, codes, f, f, 2, 2, [3, 3, 3, 3], [0, 0, 0, 0], 1.0, 0.2, True))


def test_batches_and_layouts_do_not_matter():
    x = torch.randn(4, 2, 9, 9)
    f = torch.randn(12)
    call = lambda x: filtered_lrelu(x, f, f, up=2, down=2, padding=9, clamp=1.0)  # noqa: E731
    y = call(x)
    assert torch.equal(torch.cat([call(part) for part in x.split(1)]), y)
    torch.testing.assert_close(call(x.contiguous(memory_format=torch.channels_last)), y)
    torch.testing.assert_close(call(x.transpose(2, 3).contiguous().transpose(2, 3)), y)
    assert call(x[:0]).shape == (0, *y.shape[1:])


def test_wrong_arguments_are_named():
    x = torch.randn(1, 2, 4, 4)
    with pytest.raises(ValueError, match="Nothing is left of 4 pixels after a filter of 12 taps"):
        upfirdn2d(x, torch.ones(12))
    with pytest.raises(ValueError, match="Nothing is left"):
        filtered_lrelu(x, None, torch.ones(5), down=2)
    with pytest.raises(ValueError, match="positive integer"):
        upfirdn2d(x, torch.ones(2), up=0)
    with pytest.raises(ValueError, match="1-D or 2-D filter"):
        upfirdn2d(x, torch.ones(0, 3))
    with pytest.raises(ValueError, match="floating-point"):
        filtered_lrelu(x.int())
    with pytest.raises(ValueError, match="beyond"):
        upfirdn2d(x, torch.ones(2), padding=2**40)
    with pytest.raises(ValueError, match="down must be a positive integer"):
        filtered_lrelu(x, down=0)
    with pytest.raises(ValueError, match="NCHW"):
        upfirdn2d(x[0], torch.ones(2))
    with pytest.raises(ValueError, match="bias has shape"):
        filtered_lrelu(x, b=torch.ones(3))
    with pytest.raises(ValueError, match="There is no activation 'gelu'"):
        bias_act(x, act="gelu")


def test_status_tells_what_runs():
    rows = cuda_ops.status()
    assert [row.name for row in rows] == ["bias_act", "upfirdn2d", "filtered_lrelu"]
    expected = f"C++ ({cpu.variant()})" if cpu.load_library() else "reference"
    assert all(row.implementation == expected and row.reason == cpu.explain() for row in rows)


KERNEL_OVER_REFERENCE = """
import torch
from cuda_ops.registration import LIBRARY
from cuda_ops.upfirdn2d import upfirdn2d, upfirdn2d_reference
calls = []
def kernel(*arguments):
    calls.append(1)
    return upfirdn2d_reference(*arguments)
LIBRARY.impl("upfirdn2d", kernel, "CPU", allow_override=True)
x = torch.randn(1, 1, 8, 8, requires_grad=True)
upfirdn2d(x, torch.randn(4), up=2).sum().backward()
print(len(calls), x.grad.shape)
"""


@pytest.mark.slow
def test_a_kernel_takes_the_place_of_the_reference():
    """The seam that the compiled kernels use: forward and backward both go through what was registered."""
    result = subprocess.run([sys.executable, "-c", KERNEL_OVER_REFERENCE], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "2 torch.Size([1, 1, 8, 8])"


@pytest.mark.slow
def test_a_generator_is_exported_and_draws_the_same():
    """torch.export traces the operators by their fakes, and the program that it makes calls them."""
    for name, size, channels in (("A", 16, 8), ("T", 16, 8), ("R", 16, 8), ("B", 32, 64)):
        config = replace(rung_config(name, size, channel_base=64 * channels, channel_max=channels), z_dim=8, w_dim=8)
        generator = init_generator(config, 0).eval()
        z = torch.randn(1, 8)
        program = torch.export.export(generator, (z,), {"noise": "const"})
        called = {str(node.target) for node in program.graph.nodes if "jinc" in str(node.target)}
        assert called, "the operators were traced into, or left out"
        with torch.no_grad():
            torch.testing.assert_close(program.module()(z, noise="const"), generator(z, noise="const"))


def test_operators_under_autocast_keep_the_type_of_what_they_get():
    x, f, b = torch.randn(1, 3, 8, 8), torch.randn(4), torch.randn(3)
    for dtype in (torch.float32, torch.bfloat16):
        with torch.autocast("cpu", torch.bfloat16):
            for y in (bias_act(x.to(dtype), b), upfirdn2d(x.to(dtype), f), filtered_lrelu(x.to(dtype), f, f, b)):
                assert y.dtype == dtype


def test_fake_tensors_have_the_shape_and_layout_of_real_ones():
    x, f, b = torch.randn(2, 3, 9, 8).contiguous(memory_format=torch.channels_last), torch.randn(4), torch.randn(3)
    calls = (
        lambda x, f, b: bias_act(x, b, act="lrelu"),
        lambda x, f, b: upfirdn2d(x, f, up=2, down=3, padding=2),
        lambda x, f, b: filtered_lrelu(x, f, f, b, up=2, down=2, padding=4),
    )
    for call in calls:
        real = call(x, f, b)
        with FakeTensorMode() as mode:
            fake = call(*(mode.from_tensor(tensor) for tensor in (x, f, b)))
        assert (fake.shape, fake.stride(), fake.dtype) == (real.shape, real.stride(), real.dtype)
