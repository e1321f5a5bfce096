# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Winograd convolution against torch's in float64, and whole generators that use it wherever it can be used."""

import json

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from support.paths import DATA

from cuda_ops import winograd
from cuda_ops.cpu import loader as cpu
from gan.checkpoints.official_arguments import generator_config
from gan.conformance import NETWORK_TOLERANCE, _load_state, _under, relative_error
from gan.networks import conv_autotune
from gan.networks.conv_autotune import WinogradWeight, convolve, prepare_weight
from gan.networks.generator import Generator
from gan.networks.ladder import rung_config
from gan.networks.synthesis import SynthesisOptions

pytestmark = pytest.mark.skipif(cpu.load_library() is None, reason=cpu.explain())
VECTORS = DATA / "conformance"

# (image [N, C, H, W], C_out, padding)
CASES = (
    ((1, 16, 8, 8), 16, 1),
    ((2, 17, 5, 10), 40, 2),
    ((1, 64, 13, 1), 33, 1),
    ((1, 16, 1, 1), 24, 1),
    ((1, 24, 1, 1), 16, 2),
    ((1, 16, 3, 3), 16, 0),
    ((3, 31, 6, 7), 16, 0),
    ((1, 16, 50, 37), 47, 2),
)


@pytest.fixture(params=("baseline", "avx2", "avx512"))
def variant(request):
    best = cpu.variant()
    if not cpu.load_library().jinc_use_variant(request.param.encode()):
        pytest.skip(f"this machine has no {request.param}")
    yield request.param
    cpu.load_library().jinc_use_variant(best.encode())


@pytest.fixture
def forced(monkeypatch):
    """Winograd for every layer that it can do, however small."""
    monkeypatch.setattr(conv_autotune, "MIN_SIZE", 1)
    monkeypatch.setattr(conv_autotune, "MIN_WORK", 0)
    monkeypatch.setattr(conv_autotune, "_winograd_wins", lambda *_: True)


@pytest.mark.parametrize(("shape", "c_out", "padding"), CASES)
def test_it_is_conv2d(variant, monkeypatch, shape, c_out, padding):
    x, weight = torch.randn(shape), torch.randn(c_out, shape[1], 3, 3)
    assert winograd.supports(weight)
    expected = F.conv2d(x.double(), weight.double(), padding=padding)
    transformed = winograd.transform(weight)
    for chunk in (winograd.CHUNK, 1):  # of one tile each, but for the weights' size
        monkeypatch.setattr(winograd, "CHUNK", chunk)
        for layout in (torch.contiguous_format, torch.channels_last):
            y = winograd.conv2d(x.contiguous(memory_format=layout), transformed, padding)
            assert y.is_contiguous(memory_format=torch.channels_last)
            assert relative_error(y, expected) < 5e-6


def test_its_error_stays_small_in_wide_layers():
    """Ten times conv2d's own, and a fiftieth of what networks may differ by (the limit of conformance)."""
    x, weight = torch.randn(1, 512, 36, 36), torch.randn(512, 512, 3, 3)
    expected = F.conv2d(x.double(), weight.double(), padding=2)
    assert relative_error(winograd.conv2d(x, winograd.transform(weight), 2), expected) < 5e-6


def test_chunks_and_threads_change_nothing_but_rounding(monkeypatch):
    threads = torch.get_num_threads()
    x, transformed = torch.randn(1, 16, 70, 70), winograd.transform(torch.randn(16, 16, 3, 3))
    expected = winograd.conv2d(x, transformed, 1)
    monkeypatch.setattr(winograd, "CHUNK", 2**18)
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            torch.testing.assert_close(winograd.conv2d(x, transformed, 1), expected, rtol=0, atol=2e-5)
    finally:
        torch.set_num_threads(threads)


def test_what_is_not_finite_stays_within_the_tiles_that_read_it():
    x, weight = torch.randn(1, 16, 24, 24), torch.randn(16, 16, 3, 3)
    x[0, 3, 9, 10] = float("nan")
    y = winograd.conv2d(x, winograd.transform(weight), 1)
    expected = torch.zeros(24, 24, dtype=torch.bool)
    expected[8:12, 8:12] = True  # tiles begin at multiples of 4 and read one pixel beyond
    assert torch.equal(y.isnan(), expected.expand_as(y))


def test_what_it_cannot_do_it_refuses():
    weight = torch.randn(16, 16, 3, 3)
    for other in (weight.double(), weight.half(), weight[:15], weight[:, :15], weight[:, :, :1, :1]):
        assert not winograd.supports(other)
    transformed = winograd.transform(weight)
    for x in (torch.randn(1, 17, 8, 8), torch.randn(1, 16, 8, 8, dtype=torch.float64)):
        with pytest.raises(ValueError, match="Expected float32 images of 16 channels"):
            winograd.conv2d(x, transformed, 1)
    with pytest.raises(ValueError, match="gradients"):
        winograd.conv2d(torch.randn(1, 16, 8, 8, requires_grad=True), transformed, 1)


@torch.inference_mode()
def test_the_faster_one_is_used(monkeypatch):
    weight, x = torch.randn(32, 48, 3, 3), torch.randn(1, 48, 64, 64)
    asked = []
    monkeypatch.setattr(conv_autotune, "_winograd_wins", lambda *key: asked.append(key) or True)
    narrow = weight[:17, :17]
    assert (
        prepare_weight(weight, torch.float32, 16, 1) is weight
        and prepare_weight(narrow, torch.float32, 64, 1) is narrow
        and not asked
    )  # too little work
    chosen = prepare_weight(weight, torch.float32, 64, 1)
    assert isinstance(chosen, WinogradWeight) and asked == [(32, 48, 64, 1, torch.get_num_threads())]
    assert relative_error(convolve(x, chosen, 1), convolve(x, weight, 1)) < 5e-6
    monkeypatch.setattr(conv_autotune, "_winograd_wins", lambda *_: False)
    assert prepare_weight(weight, torch.float32, 64, 1) is weight


@torch.inference_mode()
def test_the_measurement_is_made_once_and_leaves_the_random_numbers_alone():
    conv_autotune._winograd_wins.cache_clear()
    state = torch.get_rng_state()
    assert conv_autotune._winograd_wins(32, 32, 40, 1, 2) == conv_autotune._winograd_wins(32, 32, 40, 1, 2)
    assert conv_autotune._winograd_wins.cache_info().misses == 1
    assert torch.equal(torch.get_rng_state(), state)


def test_without_kernels_and_with_gradients_convolutions_stay_plain(forced):
    weight = torch.randn(16, 16, 3, 3)
    assert prepare_weight(weight, torch.float32, 64, 1) is weight  # gradients are enabled
    with torch.inference_mode():
        assert isinstance(prepare_weight(weight, torch.float32, 64, 1), WinogradWeight)
        with cpu.switched_off():
            assert prepare_weight(weight, torch.float32, 64, 1) is weight


@torch.inference_mode()
@pytest.mark.parametrize(
    "case", ["stylegan3_t_64", "stylegan3_t_32_conditional", "stylegan2_64", "stylegan2_32_conditional_resnet"]
)
def test_generators_conform_with_it(forced, case):
    with safe_open(VECTORS / f"{case}.safetensors", framework="pt") as file:
        config = json.loads(file.metadata()["config"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    generator = Generator(generator_config(config.pop("kind"), config))
    assert max(error for _, error in _load_state(generator, _under(tensors, "state/"))) < NETWORK_TOLERANCE
    for index, w in enumerate(generator.mapping(tensors["in/z"], tensors.get("in/c"))):
        weights = generator.synthesis.modulate(w[None])
        assert sum(isinstance(weight, WinogradWeight) for weight in weights.values()) >= 4
        steps = dict(generator.synthesis.steps(w[None], SynthesisOptions(weights=weights)))
        images = generator.synthesis(w[None], SynthesisOptions(weights=weights))
        errors = [relative_error(images[0], tensors["out/img"][index])]
        for name, expected in _under(tensors, "out/feature/synthesis.").items():
            errors.append(relative_error(steps[name][0], expected[index]))
        assert max(errors) < NETWORK_TOLERANCE / 10


@torch.inference_mode()
@pytest.mark.parametrize("cfg", ["A", "B", "T"])
def test_a_picture_is_the_same_but_for_rounding(forced, cfg):
    config = rung_config(cfg, 64, channel_base=4096, channel_max=64)
    generator = Generator(config).eval()
    ws = torch.randn(1, config.num_ws, config.w_dim)
    found = generator.synthesis(ws, SynthesisOptions(weights=generator.synthesis.modulate(ws)))
    assert relative_error(found, generator.synthesis(ws)) < 2e-5


# (image [N, C, H, W], C_out, padding)
TRAINED = (((2, 24, 9, 14), 20, 1), ((3, 20, 8, 8), 33, 2), ((1, 32, 13, 11), 16, 0), ((2, 47, 5, 50), 17, 2))


@pytest.mark.parametrize(("shape", "c_out", "padding"), TRAINED)
def test_its_gradients_are_those_of_conv2d(variant, monkeypatch, shape, c_out, padding):
    """First gradients by Winograd's algorithm, second ones (R1) by torch's, both against float64."""
    x, weight = torch.randn(shape), torch.randn(c_out, shape[1], 3, 3) / 9

    def differentiate(convolve, dtype, layout=torch.contiguous_format):
        a = x.to(dtype).contiguous(memory_format=layout).requires_grad_()
        b = weight.to(dtype).requires_grad_()
        y = convolve(a, b, padding)
        first = torch.autograd.grad(y.square().sum(), (a, b))
        (slope,) = torch.autograd.grad(convolve(a, b, padding).pow(3).sum(), a, create_graph=True)
        return y, *first, *torch.autograd.grad(slope.square().sum(), (a, b))

    expected = differentiate(lambda a, b, padding: F.conv2d(a, b, padding=padding), torch.float64)
    for chunk in (winograd.CHUNK, 1):
        monkeypatch.setattr(winograd, "CHUNK", chunk)
        for layout in (torch.contiguous_format, torch.channels_last):
            found = differentiate(winograd.convolve, torch.float32, layout)
            assert max(map(relative_error, found, expected)) < 1e-5


def test_only_what_is_wanted_is_differentiated():
    x, weight = torch.randn(2, 24, 16, 16, requires_grad=True), torch.randn(24, 24, 3, 3)
    winograd.convolve(x, weight, 1).sum().backward()
    assert x.grad is not None
    weight.requires_grad_()
    winograd.convolve(x.detach(), weight, 1).sum().backward()
    assert weight.grad is not None


def test_the_rule_of_training_knows_sizes_only():
    """Not the batch and not a clock: parts of a batch, and a run that is resumed, compute as the whole did."""
    weight = torch.randn(24, 24, 3, 3)
    for count in (1, 16):
        assert winograd.pays(torch.empty(count, 24, 8, 8), weight, 1)
        assert not winograd.pays(torch.empty(count, 24, 7, 8), weight, 1)
    assert not winograd.pays(torch.empty(16, 16, 64, 64), weight[:16, :16], 1)
    assert not winograd.pays(torch.empty(16, 24, 64, 64), weight, 3)
    assert not winograd.pays(torch.empty(16, 24, 64, 64, dtype=torch.float64), weight.double(), 1)
    with cpu.switched_off():
        assert not winograd.pays(torch.empty(16, 24, 64, 64), weight, 1)
