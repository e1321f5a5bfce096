# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The CUDA kernels against the definitions without a GPU: the same headers, compiled as C++, a thread a CUDA thread.

This checks indexing, barriers, arithmetic and everything in Python above the driver; not speed, nor what only a GPU
does.
"""

import math

import pytest
import torch
from support.cuda_host import Host, poisoned

from cuda_ops import bias_act
from cuda_ops.bias_act import _bias_act_by, _bias_act_gradient_by, bias_act_gradient_reference, bias_act_reference
from cuda_ops.cpu import bindings as cpu_kernels
from cuda_ops.cpu import build
from cuda_ops.cuda import bindings as cuda_kernels
from cuda_ops.cuda import tiling
from cuda_ops.filtered_lrelu import _filtered_lrelu_by, filtered_lrelu, filtered_lrelu_reference
from cuda_ops.shapes import memory_format
from cuda_ops.upfirdn2d import _upfirdn2d_by, upfirdn2d, upfirdn2d_reference

pytestmark = pytest.mark.skipif(not build.find_compilers(), reason="there is no C++ compiler")
PLANAR, LAST = torch.contiguous_format, torch.channels_last
TOLERANCE = {torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}  # bfloat16: two of its own steps of 2^-7

# (image [N, C, H, W], up filter, down filter, up, down, padding, threads, layout); "m": its own mirror image
FILTERED = (
    ((2, 3, 9, 11), (12,), (12,), 2, 2, [9, 8, 9, 8], 1, PLANAR),
    ((1, 9, 8, 12), (12,), (12,), 2, 2, [9, 8, 9, 8], 4, PLANAR),  # rows of whole fours
    ((2, 16, 9, 7), (12,), (12,), 2, 2, [9, 8, 10, 11], 4, LAST),
    ((1, 5, 12, 8), (12,), (12, 12, "m"), 2, 2, [11, 10, 11, 10], 32, PLANAR),
    ((1, 9, 6, 9), (12,), (12, 12, "m"), 2, 2, [11, 10, 11, 10], 4, LAST),
    ((1, 3, 7, 6), (12,), (12, 12), 2, 2, [9, 8, 8, 9], 4, PLANAR),
    ((1, 3, 16, 15), (24,), (12,), 4, 2, [-6, -9, -6, -9], 4, PLANAR),
    ((1, 8, 12, 13), (24,), (12, 12, "m"), 4, 2, [-2, -5, -2, -5], 4, LAST),
    ((1, 9, 33, 18), (12,), (24,), 2, 4, [7, 8, 6, 9], 4, PLANAR),
    ((1, 3, 8, 8), (12, 12, "m"), (12,), 2, 2, [9, 8, 9, 8], 4, PLANAR),
    ((1, 3, 8, 8), (12, 12), (12,), 2, 2, [9, 8, 9, 8], 4, PLANAR),
    ((1, 12, 16, 16), None, None, 1, 1, [0] * 4, 4, PLANAR),
    ((2, 3, 28, 30), None, None, 1, 1, [-1] * 4, 32, LAST),
    ((1, 9, 15, 16), (12,), None, 2, 1, [-6, -7, -6, -7], 4, PLANAR),
    ((1, 4, 5, 6), (4,), None, 2, 1, [2, 1, 2, 1], 4, PLANAR),
    ((1, 1, 1, 1), (12,), (12,), 2, 2, [16] * 4, 4, PLANAR),
    ((1, 2, 4, 4), (4,), None, 2, 4, [3, 3, 3, 3], 4, PLANAR),  # the down filter is shorter than its step
    ((1, 2, 9, 8), (5,), (7,), 1, 2, [4, 6, 1, 5], 4, PLANAR),
    ((1, 8, 12, 14), (12,), (12,), 2, 2, [-3, 9, 8, -4], 4, PLANAR),
)
RESAMPLED = (
    ((2, 9, 13, 10), (4,), 2, 1, [2, 1, 2, 1]),
    ((1, 8, 16, 16), (4,), 1, 2, [1, 1, 1, 1]),
    ((1, 3, 9, 9), (4,), 1, 1, [2, 1, 1, 2]),
    ((1, 3, 7, 6), (3, 5), [3, 2], [2, 1], [4, 0, 2, 3]),
    ((1, 4, 11, 12), (6,), 2, 4, [-2, 5, 4, -1]),
    ((2, 5, 8, 8), (12, 12), 1, 2, [5, 5, 5, 5]),
    ((1, 2, 1, 1), (2,), 2, 1, [1, 1, 1, 1]),
    ((1, 2, 30, 9), (48, 1), [1, 4], 1, [0, 0, 25, 22]),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture
def host(folder, monkeypatch):
    host = Host(folder)
    host.take_over(monkeypatch)
    monkeypatch.setattr(torch, "empty", poisoned)
    return host


def random_filter(shape, dtype=torch.float32):
    if shape is None:
        return torch.ones(1, dtype=dtype)
    taps = [size for size in shape if size != "m"]
    f = torch.randn(taps, dtype=dtype) / max(taps) ** (len(taps) / 2)
    f = f + f.flip(0) if "m" in shape else f
    return f + f.flip(1) if "m" in shape else f


def near(a, b, dtype):
    """To within the tolerance of the largest value."""
    return a.shape == b.shape and bool((a.double() - b).abs().max() <= TOLERANCE[dtype] * b.abs().max().clamp(min=1e-3))


def unclear(x, options, margin):
    """Positions of codes, one byte a value, that lie within rounding of 0 or of the clamp: they may fall either way."""
    u = upfirdn2d_reference(
        x.double() + options[2].double()[:, None, None],
        options[0].double(),
        [options[3]] * 2,
        [1, 1],
        options[5],
        options[9],
        options[3] ** 2 * options[6],
    )
    v = torch.where(u < 0, u * options[7], u).abs()
    clamp = math.inf if options[8] is None else options[8]
    return (u.abs() < margin) | ((v - clamp).abs() < margin)


def bits(codes, channels):
    """[N, C, 2, H, W] bits of packed codes."""
    n, planes, *size = codes.shape
    pairs = codes.view(n, planes // 2, 2, *size)
    return torch.stack([pairs >> bit & 1 for bit in range(8)], dim=2).flatten(1, 2)[:, :channels]


def check_forward(host, shape, options, layout, dtype):
    """Output and codes of FORWARD and ENCODE against the definition in float64, from the same rounded numbers."""
    x = torch.randn(shape).to(dtype).contiguous(memory_format=layout)
    fu, fd, b, *rest = options
    b = b.to(dtype)
    y, codes = filtered_lrelu_reference(x.double(), fu.double(), fd.double(), b.double(), *rest, True)
    found, found_codes = _filtered_lrelu_by(cuda_kernels, x, fu, fd, b, *rest, True)
    plain, nothing = _filtered_lrelu_by(cuda_kernels, x, fu, fd, b, *rest, False)
    assert host.launched[-2:] == ["resample"] * 2
    assert near(found, y, dtype) and near(plain, y, dtype) and not nothing.numel()
    assert found.is_contiguous(memory_format=memory_format(x)) and found.dtype == dtype
    assert found_codes.shape == codes.shape
    wrong = (bits(codes, shape[1]) != bits(found_codes, shape[1])).any(dim=2)
    assert not (wrong & ~unclear(x, (fu, fd, b, *rest), 1e-5)).any()
    unused = found_codes.view(shape[0], -1, 2, *codes.shape[2:])[:, -1] >> ((shape[1] - 1) % 8 + 1)
    assert not unused.any(), "bits of channels that do not exist"


@pytest.mark.parametrize(("shape", "fu", "fd", "up", "down", "padding", "threads", "layout"), FILTERED)
def test_filtered_lrelu_equals_its_definition(host, shape, fu, fd, up, down, padding, threads, layout):
    host.threads = threads
    fu, fd, b = random_filter(fu), random_filter(fd), torch.randn(shape[1])
    for clamp, slope, flip in ((0.8, 0.2, False), (None, 0.0, True), (0.8, 1.5, False)):
        check_forward(host, shape, (fu, fd, b, up, down, padding, 1.4, slope, clamp, flip), layout, torch.float32)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("case", [1, 2, 3], ids=["planar", "last", "radial"])
def test_filtered_lrelu_in_lower_precision(host, case, dtype):
    shape, fu, fd, up, down, padding, _, layout = FILTERED[case]
    fu, fd, b = random_filter(fu), random_filter(fd), torch.randn(shape[1])
    check_forward(host, shape, (fu, fd, b, up, down, padding, 1.4, 0.2, 0.8, False), layout, dtype)


@pytest.mark.parametrize("case", [0, 1, 2, 3, 4, 6, 7, 8, 11, 13, 14, 15, 16, 18])
def test_gradients_and_second_gradients(host, case, monkeypatch):
    """Through the operator, whose kernels these are here, and through torch functions alone."""
    shape, fu, fd, up, down, padding, host.threads, layout = FILTERED[case]
    fu, fd = random_filter(fu), random_filter(fd)

    def plain(x, b):
        u = upfirdn2d_reference(x + b[:, None, None], fu, [up, up], [1, 1], padding, False, up * up * 1.4)
        u = torch.nn.functional.leaky_relu(u, 0.2).clamp(-0.9, 0.9)
        return upfirdn2d_reference(u, fd, [1, 1], [down, down], [0] * 4, False, 1.0)

    def kernel(x, b):
        with monkeypatch.context() as patch:
            patch.setattr(cpu_kernels, "resample", cuda_kernels.resample)
            patch.setattr(cpu_kernels, "supports", cuda_kernels.supports)
            y = filtered_lrelu(x, fu, fd, b, up=up, down=down, padding=padding, gain=1.4, clamp=0.9)
            first = torch.autograd.grad((y * weight).sum(), [x, b], create_graph=True)
            return [*first, *torch.autograd.grad(first[0].square().sum() + first[1].square().sum(), [weight])]

    start, bias = torch.randn(shape), torch.randn(shape[1])
    weight = torch.randn_like(plain(start, bias)).requires_grad_()
    x, b = start.clone().requires_grad_(), bias.clone().requires_grad_()
    first = torch.autograd.grad((plain(x, b) * weight).sum(), [x, b], create_graph=True)
    expected = [*first, *torch.autograd.grad(first[0].square().sum() + first[1].square().sum(), [weight])]
    x, b = start.clone(memory_format=layout).requires_grad_(), bias.clone().requires_grad_()
    for ours, theirs in zip(kernel(x, b), expected, strict=True):
        assert (ours - theirs).norm() <= 2e-5 * theirs.norm()
    assert host.launched.count("resample") == 3


@pytest.mark.parametrize(("shape", "taps", "up", "down", "padding"), RESAMPLED)
def test_upfirdn2d_equals_its_definition(host, shape, taps, up, down, padding):
    f = random_filter(taps)
    up, down = ([v] * 2 if isinstance(v, int) else v for v in (up, down))
    for flip, layout, dtype in ((False, PLANAR, torch.float32), (True, LAST, torch.float16)):
        x = torch.randn(shape).to(dtype).contiguous(memory_format=layout)
        y = upfirdn2d_reference(x.double(), f.double(), up, down, padding, flip, 1.7)
        found = _upfirdn2d_by(cuda_kernels, x, f, up, down, padding, flip, 1.7)
        assert near(found, y, dtype) and found.is_contiguous(memory_format=memory_format(x))
    fused = f.ndim == 1 and up[0] == up[1] and down[0] == down[1]
    assert host.launched == ["resample" if fused else "upfirdn2d"] * 2


def test_strided_images_and_empty_batches(host):
    """Parts of larger tensors are read where they lie; nothing makes nothing."""
    f, b = random_filter((12,)), torch.randn(3)
    options = (f, f, b, 2, 2, [9, 8, 9, 8], 1.4, 0.2, None, False, True)
    for x in (torch.randn(3, 4, 12, 16)[::2, 1:, 2:9, 3:12], torch.randn(2, 3, 8, 8).transpose(2, 3)):
        y, codes = filtered_lrelu_reference(x.double(), f.double(), f.double(), b.double(), *options[3:])
        found, found_codes = _filtered_lrelu_by(cuda_kernels, x, *options)
        assert near(found, y, torch.float32) and torch.equal(found_codes, codes)
    empty = _filtered_lrelu_by(cuda_kernels, torch.randn(0, 3, 8, 8), *options)
    assert empty[0].shape[0] == empty[1].shape[0] == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_bias_act_equals_its_definition(host, dtype):
    for shape, dim in (((3, 5), 1), ((2, 8, 6, 4), 1), ((4, 6, 3), 2), ((0, 3, 2, 2), 1)):
        for layout in (PLANAR, LAST) if len(shape) == 4 else (PLANAR,):
            x, b = torch.randn(shape).to(dtype).contiguous(memory_format=layout), torch.randn(shape[dim]).to(dtype)
            for act, slope, clamp in (("lrelu", 0.3, 0.9), ("linear", 1.0, None)):
                shifted = (x + b.reshape([-1 if axis == dim else 1 for axis in range(len(shape))])).double()
                y = bias_act_reference(shifted, torch.zeros_like(b).double(), dim, act, slope, 1.5, clamp)
                found = _bias_act_by(cuda_kernels, x, b, dim, act, slope, 1.5, clamp)
                dy = torch.randn_like(found)
                dx = _bias_act_gradient_by(cuda_kernels, dy, found, slope, 1.5, clamp)
                expected = bias_act_gradient_reference(dy.double(), found.double(), slope, 1.5, rounded(clamp, dtype))
                if x.numel():
                    assert found.stride() == x.stride()
                    assert near(found, y, dtype) and near(dx, expected, dtype)
    assert set(host.launched) == {"bias_act", "bias_act_gradient"}


def rounded(clamp, dtype):
    """The clamp as the values that were clamped to it are."""
    return None if clamp is None else float(torch.tensor(clamp).to(dtype))


def test_activations_without_a_kernel_take_the_reference(host):
    x, b = torch.randn(2, 3), torch.randn(3)
    assert _bias_act_by(cuda_kernels, x, b, 1, "swish", 0.0, 1.4, None) is None
    y = bias_act(x, b, 1, "swish", 0.0, 1.4)
    torch.testing.assert_close(y, bias_act_reference(x, b, 1, "swish", 0.0, 1.4, None))
    assert not host.launched


@pytest.mark.parametrize("clamp", [None, 0.9])
def test_the_gradient_of_bias_act_hides_nothing(host, clamp):
    y, dy = torch.tensor([math.nan, math.inf, -math.inf, 0.5, -0.5]), torch.ones(5)
    found = _bias_act_gradient_by(cuda_kernels, dy, y, 0.2, 1.0, clamp)
    torch.testing.assert_close(found, bias_act_gradient_reference(dy, y, 0.2, 1.0, clamp), equal_nan=True)


def support(f, up, down, padding, shape, at):
    """Return a mask of the outputs whose window of taps lies over the input at (y, x)."""
    x = torch.zeros(1, 1, *shape[2:], dtype=torch.float64)
    x[0, 0, at[0], at[1]] = 1.0
    ones = torch.ones([f.shape[0], f.shape[-1]], dtype=torch.float64)
    return upfirdn2d_reference(x, ones, [up, up], [down, down], padding, False, 1.0)[0, 0] > 0.5


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("radial", [False, True])
def test_what_is_not_finite_reaches_just_the_outputs_whose_taps_touch_it(host, value, radial):
    """As with the CPU kernels. A clamp stops infinities, as torch's does, and NaN passes it."""
    f, fd = random_filter((12,)), random_filter((12, 12, "m") if radial else (12,))
    shape, at = (1, 3, 15, 14), (6, 9)
    x = torch.randn(shape)
    x[0, 1, at[0], at[1]] = value
    for layout, clamp in ((PLANAR, None), (LAST, None), (PLANAR, 0.8)):
        options = (f, fd, torch.zeros(3), 2, 2, [9, 8, 9, 8], 1.4, 0.2, clamp, False, False)
        z, _ = _filtered_lrelu_by(cuda_kernels, x.contiguous(memory_format=layout), *options)
        touched = support(f, 2, 1, [9, 8, 9, 8], shape, at).double()[None, None]
        window = torch.ones(12, 12, dtype=torch.float64)
        expected = torch.zeros(z.shape, dtype=torch.bool)
        if clamp is None or math.isnan(value):
            expected[0, 1] = upfirdn2d_reference(touched, window, [1, 1], [2, 2], [0] * 4, False, 1.0)[0, 0] > 0.5
            assert torch.equal(~z.isfinite(), expected)
        else:  # two infinities of different sign can still meet in one sum before the clamp
            untouched = upfirdn2d_reference(touched, window, [1, 1], [2, 2], [0] * 4, False, 1.0)[0, 0] < 0.5
            assert z[0, 1][untouched].isfinite().all() and z[0, [0, 2]].isfinite().all()


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5, 6])
@pytest.mark.nightly
def test_the_tiles_that_a_gpu_takes(host, number):
    """The table's own tiles instead of a small one, over several tiles, all modes."""
    (up, down, up_plane, down_plane), tiles = list(tiling.TILES.items())[number]
    fu = random_filter((6 * up,) * (1 + up_plane) + (("m",) if up_plane else ()))
    fd = random_filter((6 * down,) * (1 + down_plane) + (("m",) if down_plane else ()))
    for layout in (PLANAR, LAST):
        for host.tile in tiles:
            host.threads = min(host.tile.threads, 32)
            shape = (1, 9, *(-(-(size * 2 + 7) * down // up) for size in (host.tile.height, host.tile.width)))
            options = (fu, fd, torch.randn(9), up, down, [3 * up, 4, 3 * up, 5], 1.4, 0.2, 0.8, False)
            check_forward(host, shape, options, layout, torch.float32)


def test_sources_that_the_operators_share_are_not_reached_without_a_device():
    """CPU tensors go to the CPU kernels: nothing here has registered itself for them."""
    x, f = torch.randn(1, 1, 8, 8), torch.randn(4)
    torch.testing.assert_close(upfirdn2d(x, f), upfirdn2d_reference(x, f, [1, 1], [1, 1], [0] * 4, False, 1.0))
