# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Each rung is the one before and the change that it names, in its configuration and in what it computes."""

import copy
import math

import pytest
import torch

from cuda_ops import upfirdn2d
from gan.checkpoints.checkpoint import load_generator, save_generator
from gan.networks.generator import Generator, init_generator
from gan.networks.input_transform import user_matrix
from gan.networks.ladder import RUNGS, Recipe, build_ladder, compare_rungs, find_rung, rung_config
from gan.networks.synthesis import SynthesisOptions

# References, "The ladder": every setting that a rung changes, at 256 pixels.
CHANGES = {
    "B": {"fourier_input": (False, True)},
    "C": {"noise_inputs": (True, False)},
    "D": {
        "architecture": ("skip", "layers"),
        "mapping_layers": (8, 2),
        "num_layers": (13, 14),
        "num_critical": (13, 14),
        "output_scale": (1.0, 0.25),
        "style_mixing": (0.9, 0.0),
        "pl_weight": (2.0, 0.0),
        "mbstd_group": (8, 4),
    },
    "E": {
        "margin_size": (0, 10),
        "same_padding": (True, False),
        "filter_kind": ("binomial", "kaiser"),
        "filter_size": (2, 6),
    },
    "F": {"lrelu_upsampling": (1, 2)},
    "G": {"num_critical": (14, 2)},
    "H": {"learned_transform": (False, True)},
    "T": {"schedule": ("rigid", "flexible")},
    "R": {
        "conv_kernel": (3, 1),
        "radial_filters": (False, True),
        "channel_base": (2**14, 2**15),
        "channel_max": (512, 1024),
        "blur_sigma": (0.0, 10 / 256),
    },
}


def test_each_rung_is_the_one_before_and_its_change():
    rows = build_ladder(256)
    assert [rung.letter for rung in rows] == list("ABCDEFGHTR") == [letter for letter, _ in RUNGS]
    for before, after in zip(rows, rows[1:], strict=False):
        assert compare_rungs(before, after) == CHANGES[after.letter]
        assert after.network.rung == after.letter
    assert rows[0].recipe == Recipe(style_mixing=0.9, pl_weight=2.0, mbstd_group=8, blur_sigma=0.0)


def test_rows_print_the_papers_words():
    assert [str(rung) for rung in build_ladder(64)] == [
        "A StyleGAN2",
        "B + Fourier features (StyleGAN2 on Fourier features)",
        "C + no noise inputs",
        "D + simplified generator",
        "E + boundaries & upsampling",
        "F + filtered nonlinearities",
        "G + non-critical sampling",
        "H + transformed Fourier features",
        "T + flexible layers (StyleGAN3-T)",
        "R + rotation equivariance (StyleGAN3-R)",
    ]


def test_differences_between_distant_rungs_and_settings():
    assert compare_rungs(find_rung("E", 64), find_rung("G", 64)) == {
        "lrelu_upsampling": (1, 2),
        "num_critical": (10, 2),
    }
    assert compare_rungs(find_rung("T", 64), find_rung("T", 64, filter_size=8)) == {"filter_size": (6, 8)}
    assert compare_rungs(find_rung("T", 64), find_rung("T", 64)) == {}


def small(name: str, size: int = 16, **changed) -> Generator:
    return init_generator(rung_config(name, size, channel_base=64, channel_max=8, z_dim=8, w_dim=8, **changed))


@pytest.mark.parametrize("name", [name for name, _ in RUNGS])
def test_every_rung_draws_learns_and_is_kept(name, tmp_path):
    generator = small(name, c_dim=2).requires_grad_(True)
    z, c = torch.randn(2, 8), torch.eye(2)
    images = generator(z, c)
    assert images.shape == (2, 3, 16, 16) and torch.isfinite(images).all()
    images.square().sum().backward()
    unused = {key for key, parameter in generator.named_parameters() if parameter.grad is None}
    assert unused == set()
    save_generator(tmp_path / "x.safetensors", generator, {})
    loaded, _ = load_generator(tmp_path / "x.safetensors")
    assert loaded.config == generator.config
    assert torch.equal(loaded(z, c), generator(z, c))


@pytest.mark.parametrize("name", [name for name, _ in RUNGS])
def test_weights_modulated_once_give_the_same_picture(name):
    """The viewer's way for every rung: one w, modulated once, its input moved."""
    generator = small(name)
    ws = generator.mapping(torch.randn(1, 8))
    with torch.no_grad():
        weights = generator.synthesis.modulate(ws)
        expected = generator.synthesis(ws)
        torch.testing.assert_close(
            generator.synthesis(ws, SynthesisOptions(weights=weights)), expected, rtol=1e-4, atol=1e-5
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [
        {"filter_size": 4},
        {"lrelu_upsampling": 1},
        {"lrelu_upsampling": 4},
        {"filter_kind": "lanczos"},
        {"filter_kind": "gaussian"},
        {"filter_kind": "binomial"},
        {"first_stopband": 2.0**3.1},
        {"num_layers": 6},
        {"num_critical": 0},
        {"margin_size": 3},
        {"learned_transform": False},
        {"capacity": 0.5},
    ],
)
@pytest.mark.parametrize("name", ["T", "R"])
def test_every_switch_makes_a_network_that_is_kept(name, changed, tmp_path):
    generator, plain = small(name, 32, **changed), small(name, 32)
    assert generator.config != plain.config
    z = torch.randn(1, 8)
    images = generator(z)
    assert images.shape == (1, 3, 32, 32) and torch.isfinite(images).all()
    save_generator(tmp_path / "x.safetensors", generator, {})
    loaded, _ = load_generator(tmp_path / "x.safetensors")
    assert loaded.config == generator.config and torch.equal(loaded(z), images)


def test_a_doubling_layer_of_d_is_what_the_spec_says():
    """Convolution with a border of zeros, bias, [1,3,3,1]/8 per axis with gain 4 and padding 2, 1, leaky ReLU."""
    generator = small("D")
    layer = generator.synthesis.get_submodule("L2_8_8")
    layer.bias.normal_()
    x, w = torch.randn(1, 8, 4, 4), torch.randn(1, 8)
    weight, styles = layer._modulation(w)
    kernel = weight * styles[:, :, None, None]
    kernel = kernel / (kernel.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
    y = torch.nn.functional.conv2d(x / layer.magnitude_ema.sqrt(), kernel, padding=1) + layer.bias[:, None, None]
    f = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    y = upfirdn2d(y, f, up=2, padding=[2, 1, 2, 1], gain=4)
    expected = torch.nn.functional.leaky_relu(y, 0.2) * math.sqrt(2)
    torch.testing.assert_close(layer(x, w), expected, rtol=1e-4, atol=1e-5)


def test_c_is_b_without_noise():
    b, c = small("B"), small("C")
    state = {name: tensor for name, tensor in b.state_dict().items() if "noise" not in name}
    c.load_state_dict(state)
    z = torch.randn(1, 8)
    for name, module in b.named_modules():
        if hasattr(module, "noise_strength"):
            module.noise_strength.fill_(0.3)
            assert "conv" in name
    assert torch.equal(b(z, noise="none"), c(z))
    assert not torch.equal(b(z, noise="const"), c(z))


@pytest.mark.slow
def test_h_starts_as_g_and_moves_its_input_by_w():
    g, h = small("G"), small("H")
    z = torch.randn(1, 8)
    assert torch.equal(g(z), h(z))
    h.synthesis.input.affine.bias.copy_(torch.tensor([1.0, 0.0, 0.25, 0.0]))  # the picture a quarter to the right
    torch.testing.assert_close(h(z), g(z, transform=user_matrix(0.25, 0, 0)), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_calibration_sets_the_magnitudes_that_layers_see():
    generator = small("T")
    kept = copy.deepcopy(generator.state_dict())
    assert all(layer.magnitude_ema_beta > 0.9 for layer in generator.synthesis.children() if hasattr(layer, "spec"))
    torch.manual_seed(3)
    before = torch.get_rng_state()
    again = init_generator(generator.config)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in kept.items())
    as_built = init_generator(generator.config, calibrated=False)
    emas = [(name, t.item()) for name, t in generator.state_dict().items() if name.endswith("magnitude_ema")]
    assert len(emas) == 15
    assert any(abs(value - 1) > 0.1 for _, value in emas)
    assert all(as_built.state_dict()[name] == 1 for name, _ in emas)
    # Inputs of unit magnitude after division, on average, is what calibration is for.
    z = torch.randn(64, 8)
    ws, ema = generator.mapping(z), emas[3][1]
    inputs = [x for layer, x in generator.synthesis.steps(ws) if layer == generator.layer_names[3]]
    assert inputs[0].square().mean().item() == pytest.approx(ema, rel=0.2)
