# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The compiled kernels against the references: every variant that this machine runs, values, codes, gradients, layouts,
threads, and what NaN touches."""

import os
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from cuda_ops import bias_act, filtered_lrelu, upfirdn2d
from cuda_ops.bias_act import bias_act_gradient_reference, bias_act_reference
from cuda_ops.cpu import build, build_dir
from cuda_ops.cpu import loader as cpu
from cuda_ops.filtered_lrelu import _filtered_lrelu, filtered_lrelu_reference
from cuda_ops.upfirdn2d import _upfirdn2d, upfirdn2d_reference

pytestmark = pytest.mark.skipif(cpu.load_library() is None, reason=cpu.explain())
VARIANTS = ("baseline", "avx2", "avx512")
LAYOUTS = (torch.contiguous_format, torch.channels_last)

# (image [N, C, H, W], up filter, down filter, up, down, padding); "m": the down filter is its own mirror image
FILTERED = (
    ((1, 16, 20, 20), (12,), (12,), 2, 2, [9, 8, 9, 8]),
    ((2, 9, 37, 21), (12,), (12, "m"), 2, 2, [9, 8, 10, 11]),
    ((1, 8, 24, 40), (12,), (12, 12, "m"), 2, 2, [9, 8, 9, 8]),
    ((1, 11, 23, 17), (12,), (12, 12), 2, 2, [9, 8, 9, 8]),
    ((2, 8, 9, 12), (24,), (12, "m"), 4, 2, [14, 13, 14, 13]),
    ((1, 5, 33, 18), (12,), (24, "m"), 2, 4, [7, 8, 6, 9]),
    ((1, 3, 8, 8), (12, 12), (12,), 2, 2, [9, 8, 9, 8]),
    ((1, 12, 16, 16), None, None, 1, 1, 0),
    ((3, 4, 7, 9), (8,), (16,), 2, 2, 8),
    ((1, 2, 9, 8), (5,), (7, 4), 3, 2, [4, 6, 1, 5]),
    ((1, 1, 1, 1), (12,), (12,), 2, 2, 16),
    ((1, 8, 12, 14), (12,), (12,), 2, 2, [-3, 9, 8, -4]),
    ((1, 10, 6, 600), (12,), (12,), 2, 2, [9, 8, 9, 8]),  # several tiles wide
    ((1, 8, 4, 4), (4,), None, 2, 3, 3),  # the down filter is shorter than its step
)
RESAMPLED = (
    ((2, 9, 13, 10), (4,), 2, 1, [2, 1, 2, 1]),
    ((1, 8, 16, 16), (4,), 1, 2, [1, 1, 1, 1]),
    ((1, 16, 9, 9), (4,), 1, 1, [2, 1, 1, 2]),
    ((1, 3, 7, 6), (3, 5), [3, 2], [2, 1], [4, 0, 2, 3]),
    ((1, 4, 11, 12), (6,), 2, 3, [-2, 5, 4, -1]),
    ((2, 5, 8, 8), (12, 12), 1, 2, [5, 5, 5, 5]),
    ((1, 2, 1, 1), (2,), 2, 1, 1),
)


@pytest.fixture(params=VARIANTS)
def variant(request):
    """Each instruction set in turn; the kernels, not the references, run."""
    best = cpu.variant()
    if not cpu.load_library().jinc_use_variant(request.param.encode()):
        pytest.skip(f"this machine has no {request.param}")
    assert cpu.load_library().jinc_variant().decode() == request.param
    yield request.param
    cpu.load_library().jinc_use_variant(best.encode())


def random_filter(shape, dtype):
    if shape is None:
        return torch.ones(1, dtype=dtype)
    taps = [size for size in shape if size != "m"]
    f = torch.randn(taps, dtype=dtype) / max(taps) ** (len(taps) / 2)
    return f + f.flip(0) if "m" in shape else f


def four(padding):
    return [padding] * 4 if isinstance(padding, int) else padding


def pair(factor):
    return [factor] * 2 if isinstance(factor, int) else factor


def near(a, b, dtype):
    scale = b.abs().max().clamp(min=1e-3)
    return a.shape == b.shape and ((a - b).abs().max() / scale) < (2e-6 if dtype == torch.float32 else 1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("shape", "fu", "fd", "up", "down", "padding"), FILTERED)
def test_filtered_lrelu_equals_its_reference(variant, shape, fu, fd, up, down, padding, dtype):
    x, b = torch.randn(shape, dtype=dtype), torch.randn(shape[1], dtype=dtype)
    fu, fd, padding = random_filter(fu, dtype), random_filter(fd, dtype), four(padding)
    for clamp, slope, flip, layout in product((None, 0.8), (0.2, 0.0, 1.5), (False, True), LAYOUTS):
        options = (fu, fd, b, up, down, padding, 1.4, slope, clamp, flip)
        y, codes = filtered_lrelu_reference(x, *options, True)
        source = x.contiguous(memory_format=layout)
        with torch.inference_mode():
            assert near(_filtered_lrelu(source, *options, False)[0], y, dtype)
        found, found_codes = _filtered_lrelu(source, *options, True)
        assert near(found, y, dtype) and found.stride() == filtered_lrelu_reference(source, *options, True)[0].stride()
        # A value within rounding of 0 or of the clamp may fall on either side.
        assert found_codes.shape == codes.shape
        different = sum(value.bit_count() for value in (codes ^ found_codes).flatten().tolist())
        assert different <= 2e-5 * codes.numel() * 8


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("shape", "fu", "fd", "up", "down", "padding"), FILTERED)
def test_gradients_and_second_gradients_equal_those_of_the_references(variant, shape, fu, fd, up, down, padding, dtype):
    """Through the operator with kernels, and through torch functions alone, on the same double-differentiated loss."""
    fu, fd, padding = random_filter(fu, dtype), random_filter(fd, dtype), four(padding)

    def plain(x, b):
        u = upfirdn2d_reference(x + b[:, None, None], fu, [up, up], [1, 1], padding, False, up * up * 1.4)
        u = F.leaky_relu(u, 0.2).clamp(-0.9, 0.9)
        return upfirdn2d_reference(u, fd, [1, 1], [down, down], [0] * 4, False, 1.0)

    def kernel(x, b):
        return filtered_lrelu(x, fu, fd, b, up=up, down=down, padding=padding, gain=1.4, clamp=0.9)

    start, bias = torch.randn(shape, dtype=dtype), torch.randn(shape[1], dtype=dtype)
    weight = torch.randn_like(plain(start, bias))
    for layout in LAYOUTS:
        results = []
        for call in (plain, kernel):
            x = start.clone(memory_format=layout).requires_grad_()
            b = bias.clone().requires_grad_()
            w = weight.clone().requires_grad_()
            first = torch.autograd.grad((call(x, b) * w).sum(), [x, b], create_graph=True)
            results.append([*first, *torch.autograd.grad(first[0].square().sum() + first[1].square().sum(), [w])])
        for a, b in zip(*results, strict=True):
            assert (a - b).norm() <= (2e-5 if dtype == torch.float32 else 1e-12) * a.norm()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("shape", "taps", "up", "down", "padding"), RESAMPLED)
def test_upfirdn2d_equals_its_reference(variant, shape, taps, up, down, padding, dtype):
    x, f = torch.randn(shape, dtype=dtype), random_filter(taps, dtype)
    for flip, layout in product((False, True), LAYOUTS):
        options = (f, pair(up), pair(down), four(padding), flip, 1.7)
        source = x.contiguous(memory_format=layout)
        expected = upfirdn2d_reference(source, *options)
        found = _upfirdn2d(source, *options)
        assert near(found, expected, dtype) and found.stride() == expected.stride()


@pytest.mark.parametrize("act", ["linear", "lrelu"])
def test_bias_act_equals_its_reference(variant, act):
    for shape, dim in (((3, 5), 1), ((2, 7, 9, 4), 1), ((4, 6, 3), 2), ((0, 3, 2, 2), 1)):
        x, b = torch.randn(shape), torch.randn(shape[dim])
        for layout in LAYOUTS if len(shape) == 4 else LAYOUTS[:1]:
            source = x.contiguous(memory_format=layout)
            expected = bias_act_reference(source, b, dim, act, 0.3, 1.5, 0.9)
            weight = torch.randn(shape, requires_grad=True)
            found = bias_act(source, b, dim=dim, act=act, alpha=0.3, gain=1.5, clamp=0.9)
            torch.testing.assert_close(found, expected)
            assert found.stride() == expected.stride()
            results = []
            for call in (bias_act, bias_act_reference):
                x1, b1 = source.clone().requires_grad_(), b.clone().requires_grad_()
                y1 = call(x1, b1, dim=dim, act=act, alpha=0.3, gain=1.5, clamp=0.9)
                first = torch.autograd.grad((y1 * weight).sum(), [x1, b1], create_graph=True)
                results.append([*first, *torch.autograd.grad(first[0].square().sum(), [weight])])
            for ours, theirs in zip(*results, strict=True):
                torch.testing.assert_close(ours, theirs)


def support(f, up, down, padding, shape, at):
    """Return a mask of the outputs whose window of taps lies over the input at (y, x)."""
    x = torch.zeros(1, 1, *shape[2:], dtype=torch.float64)
    x[0, 0, at[0], at[1]] = 1.0
    ones = torch.ones([f.shape[0], f.shape[-1]], dtype=torch.float64)
    return upfirdn2d_reference(x, ones, [up, up], [down, down], padding, False, 1.0)[0, 0] > 0.5


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(("taps", "up"), [((12,), 2), ((7,), 2), ((24,), 4), ((12, 12, "m"), 1), ((5, 3), 3)])
def test_what_is_not_finite_reaches_just_the_outputs_whose_taps_touch_it(variant, value, taps, up):
    """Through resampling, and through the nonlinearity down to outputs whose window holds a touched value."""
    shape, at, f = (1, 9, 15, 14), (6, 9), random_filter(taps, torch.float32)
    x = torch.randn(shape)
    x[0, 4, at[0], at[1]] = value
    for layout in LAYOUTS:
        y = upfirdn2d(x.contiguous(memory_format=layout), f, up=up, padding=4)
        expected = torch.zeros(y.shape, dtype=torch.bool)
        expected[0, 4] = support(f, up, 1, [4] * 4, shape, at)
        assert torch.equal(~y.isfinite(), expected)
        fd = random_filter((12, "m"), torch.float32)
        z = filtered_lrelu(x.contiguous(memory_format=layout), f, fd, up=up, down=2, padding=9)
        touched = support(f, up, 1, [9] * 4, shape, at).double()[None, None]
        window = torch.ones(12, 12, dtype=torch.float64)
        expected = torch.zeros(z.shape, dtype=torch.bool)
        expected[0, 4] = upfirdn2d_reference(touched, window, [1, 1], [2, 2], [0] * 4, False, 1.0)[0, 0] > 0.5
        assert torch.equal(~z.isfinite(), expected)


def test_values_beyond_the_clamp_only_by_the_slope_are_clamped(variant):
    """The slope acts before the clamp, and one above 1 lifts what the filters alone would leave below it."""
    x = torch.full((1, 8, 8, 8), -0.6)
    y = filtered_lrelu(x, slope=1.7, clamp=0.9, gain=1.0)
    torch.testing.assert_close(y, torch.full_like(x, -0.9))


@pytest.mark.parametrize("clamp", [None, 0.9])
def test_the_gradient_of_bias_act_hides_nothing(variant, clamp):
    y, dy = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.5, -0.5]), torch.ones(5)
    found = torch.ops.jinc.bias_act_gradient(dy, y, 0.2, 1.0, clamp)
    torch.testing.assert_close(found, bias_act_gradient_reference(dy, y, 0.2, 1.0, clamp))


def test_every_number_of_threads_gives_the_same_bits():
    threads = torch.get_num_threads()
    x, b = torch.randn(2, 20, 40, 70, requires_grad=True), torch.randn(20)
    f = torch.randn(12)
    results = []
    try:
        for count in range(1, 9):
            torch.set_num_threads(count)
            y = filtered_lrelu(x, f, f, b, up=2, down=2, padding=9, clamp=1.0)
            (dx,) = torch.autograd.grad(y, x, torch.ones_like(y))
            resampled, activated = upfirdn2d(x.detach(), f, up=2, padding=9), bias_act(x.detach(), b, act="lrelu")
            results.append((y, dx, resampled, activated))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for result in results for a, b in zip(result, results[0], strict=True))


def test_threads_of_its_own_do_where_torch_lends_none():
    library, x, f = cpu.load_library(), torch.randn(1, 16, 64, 64), torch.randn(12)
    expected = upfirdn2d(x, f, up=2, padding=9)
    try:
        library.jinc_use_team(None)
        assert torch.equal(upfirdn2d(x, f, up=2, padding=9), expected)
    finally:
        cpu._lend_threads(library)


def test_what_the_kernels_are_not_made_for_goes_to_the_reference():
    x, f = torch.randn(1, 2, 300, 9), torch.randn(257, 1)
    y = upfirdn2d(x, f, up=[1, 20], padding=[0, 0, 0, 0])
    torch.testing.assert_close(y, upfirdn2d_reference(x, f, [1, 20], [1, 1], [0] * 4, False, 1.0))


@pytest.mark.slow
def test_the_address_sanitizer_finds_nothing(tmp_path):
    """The tests above, and those of the operators, on kernels that check each access, gaps between their buffers."""
    found = build.find_compilers()
    # C++'s own library with it: a module such as triton's, which throws, must find it there already.
    runtimes = [
        subprocess.run([*compiler, f"-print-file-name={name}"], capture_output=True, text=True).stdout.strip()
        for compiler in found[:1]
        for name in ("libasan.so", "libstdc++.so")
    ]
    if not runtimes or not Path(runtimes[0]).is_absolute():
        pytest.skip("there is no compiler with an address sanitizer")
    sources = tmp_path / "sources"
    sources.mkdir()
    for path in cpu.SOURCES.iterdir():
        text = path.read_text(encoding="utf-8")
        flags = "-O3", "-O1 -g -fsanitize=address -fno-omit-frame-pointer"
        (sources / path.name).write_text(text.replace(*flags) if path.suffix == ".txt" else text, encoding="utf-8")
    with build_dir.build_dir(tmp_path) as place:
        library = shutil.copy(build.compile_library(sources, place, 300).library, tmp_path)
    environment = {
        **os.environ,
        cpu.SWITCH: str(library),
        "LD_PRELOAD": " ".join(path for path in runtimes if Path(path).is_absolute()),
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONMALLOC": "malloc",
    }
    here = Path(__file__)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rs",
        "-m",
        "not slow and not nightly",
        "-p",
        "no:cacheprovider",
        *(str(here.with_name(name)) for name in (here.name, "test_operators.py", "test_winograd.py")),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-4000:]
    skips = [line for line in ran.stdout.splitlines() if line.startswith("SKIPPED")]
    assert " passed" in ran.stdout and all("this machine has no" in line for line in skips), skips
