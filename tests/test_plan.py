# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Filters, layer plans and parameter counts, pinned by numbers from the paper and from scipy."""

import numpy as np
import pytest
import scipy.signal
import scipy.special
import torch

from gan.config import ConfigError, DiscriminatorConfig, GeneratorConfig
from gan.filters import bessel_j1, low_pass
from gan.generator import Generator
from gan.ladder import RUNGS, letter, rung
from gan.plan import plan

# [P fig. 4c, app. F.1]: output size, rate, cutoff and channels of each layer (C_base 2^14 at 256, 2^15 at 1024).
T_256 = (
    (36, 16, 2.0, 512), (36, 16, 2.83, 512), (36, 16, 4.0, 512), (52, 32, 5.66, 512), (52, 32, 8.0, 512),
    (84, 64, 11.31, 512), (84, 64, 16.0, 512), (148, 128, 22.63, 362), (148, 128, 32.0, 256), (148, 128, 45.25, 181),
    (276, 256, 64.0, 128), (276, 256, 90.51, 91), (276, 256, 128.0, 64), (256, 256, 128.0, 64), (256, 256, 128.0, 3),
)  # fmt: skip
T_1024 = (
    (36, 16, 2.0, 512), (36, 16, 3.17, 512), (52, 32, 5.04, 512), (52, 32, 8.0, 512), (84, 64, 12.7, 512),
    (148, 128, 20.16, 512), (148, 128, 32.0, 512), (276, 256, 50.8, 323), (276, 256, 80.63, 203),
    (532, 512, 128.0, 128), (1044, 1024, 203.19, 81), (1044, 1024, 322.54, 51), (1044, 1024, 512.0, 32),
    (1024, 1024, 512.0, 32), (1024, 1024, 512.0, 3),
)  # fmt: skip
# Parameters in millions (model-spec, "Training").
PARAMETERS = (("A", 1024, 30.37), ("B", 1024, 30.62), ("T", 1024, 22.31), ("R", 1024, 15.09),
              ("T", 256, 23.32), ("R", 256, 15.78))  # fmt: skip


@pytest.mark.parametrize(("resolution", "expected"), [(256, T_256), (1024, T_1024)])
def test_schedule_of_t(resolution, expected):
    layers = plan(rung("T", resolution)).layers
    found = tuple((x.out_size, x.out_rate, round(x.out_cutoff, 2), x.out_channels) for x in layers)
    assert found == expected
    assert [x.is_critical for x in layers] == [False] * 12 + [True] * 3
    assert layers[0].name == "L0_36_512"


@pytest.mark.parametrize("resolution", [256, 1024])
def test_r_differs_from_t_by_kernels_filters_and_channels(resolution):
    for t, r in zip(plan(rung("T", resolution)).layers, plan(rung("R", resolution)).layers, strict=True):
        assert (r.in_size, r.out_size, r.up, r.down, r.up_taps, r.down_taps) == (
            t.in_size, t.out_size, t.up, t.down, t.up_taps, t.down_taps)  # fmt: skip
        assert r.conv_kernel == 1
        assert r.radial_down == (r.index < 12)
        assert r.is_torgb or 2 * t.out_channels - 1 <= r.out_channels <= 2 * t.out_channels + 1


@pytest.mark.parametrize(("size", "kernel"), [(32, 3), (64, 1), (128, 3), (512, 3)])
def test_padding_gives_exactly_the_planned_size(size, kernel):
    for layer in plan(rung("T", size, conv_kernel=kernel, margin_size=7, filter_size=5)).layers:
        convolved = layer.in_size + 2 * layer.conv_padding - (layer.conv_kernel - 1)
        upsampled = convolved * layer.up + sum(layer.padding) - (layer.up_taps - 1)
        assert (upsampled - layer.down_taps) // layer.down + 1 == layer.out_size


@pytest.mark.parametrize(("name", "resolution", "millions"), PARAMETERS)
def test_parameter_counts(name, resolution, millions):
    with torch.device("meta"):
        generator = Generator(rung(name, resolution))
    count = sum(p.numel() for p in generator.parameters())
    # The spec counts what is stored; the Fourier features' frequencies and phases are buffers of A to R alike.
    assert round(count / 1e6, 2) == millions


def test_layer_names_are_the_steps():
    for name, _ in RUNGS:
        generator = Generator(rung(name, 16, channel_base=64, channel_max=4, z_dim=4, w_dim=4))
        ws = generator.mapping(torch.randn(1, 4))
        assert tuple(step for step, _ in generator.synthesis.steps(ws)) == generator.layer_names
        assert ws.shape[1] == generator.config.num_ws


@pytest.mark.parametrize(("taps", "cutoff", "half_width", "rate"), [(12, 3.0, 1.3, 16.0), (24, 8.0, 4.5, 64.0)])
def test_separable_filters_are_scipys(taps, cutoff, half_width, rate):
    expected = scipy.signal.firwin(taps, cutoff=cutoff, width=2 * half_width, fs=rate)
    np.testing.assert_allclose(low_pass(taps, cutoff, half_width, rate), expected, atol=1e-7)


def anisotropy(f: np.ndarray) -> float:
    """Difference of a 12-tap filter's gain at 3 cycles of 16 samples between the axis and the diagonal."""
    x = (np.arange(12) - 5.5) / 16
    gain = lambda fx, fy: np.abs((f * np.exp(-2j * np.pi * (fx * x + fy * x[:, None]))).sum())  # noqa: E731
    return float(abs(gain(3.0, 0.0) - gain(3 / 2**0.5, 3 / 2**0.5)))


def test_radial_filters_are_jincs():
    x = np.linspace(0, 200, 4001)
    np.testing.assert_allclose(bessel_j1(x), scipy.special.j1(x), atol=1e-13)
    f = low_pass(12, 3.0, 1.3, 16.0, radial=True)
    assert f.shape == (12, 12)
    assert abs(f.sum() - 1) < 1e-6
    for turned in (f.T, f[::-1], f[:, ::-1]):
        np.testing.assert_allclose(f, turned, atol=1e-8)
    # At 3 cycles, its cutoff, a separable filter responds differently along the diagonal; this one does not.
    separable = low_pass(12, 3.0, 1.3, 16.0)
    assert anisotropy(f) < 0.2 * anisotropy(np.outer(separable, separable))
    assert low_pass(5, 3.0, 1.3, 16.0, radial=True)[2, 2] == low_pass(5, 3.0, 1.3, 16.0, radial=True).max()
    assert low_pass(1, 3.0, 1.3, 16.0) is None
    with pytest.raises(ValueError, match="positive cutoff"):
        low_pass(12, 0.0, 1.0, 16.0)


def test_configurations_round_trip_and_refuse_nonsense():
    config = rung("R", 64, c_dim=3)
    assert GeneratorConfig.from_json(config.to_json()) == config
    assert DiscriminatorConfig.from_json(DiscriminatorConfig(64).to_json()) == DiscriminatorConfig(64)
    assert letter("StyleGAN3-R") == "R"
    assert letter("b") == "B"
    for bad, sentence in (
        (lambda: rung("Z", 64), "There is no rung 'Z' here"),
        (lambda: rung("T", 48), "power of two from 8 to 1024, not 48"),
        (lambda: rung("T", 64, num_critical=14), "can be critically sampled"),
        (lambda: rung("T", 64, conv_kernel=5), "1 or 3 wide"),
        (lambda: rung("T", 64, first_cutoff=40.0), "below half the resolution"),
        (lambda: rung("T", 64, num_layers=10**9, num_critical=2), "num_layers must be from 1 to 64"),
        (lambda: rung("T", 64, depth=3), "no such setting"),
        (lambda: rung("A", 64, img_channels=5), "1 to 4 channels"),
        (lambda: GeneratorConfig.from_json({**config.to_json(), "colour": 1}), "does not know: colour"),
        (lambda: GeneratorConfig.from_json({"rung": "T"}), "incomplete"),
        (lambda: GeneratorConfig.from_json({**config.to_json(), "w_dim": 2.5}), "w_dim must be of type int, not 2.5"),
        (lambda: GeneratorConfig.from_json({**config.to_json(), "output_scale": float("nan")}), "not nan"),
        (lambda: GeneratorConfig.from_json({**config.to_json(), "rung": 7}), "rung must be of type str"),
        (lambda: GeneratorConfig.from_json({**config.to_json(), "resample_filter": "abcd"}), "resample_filter must be"),
        (lambda: rung("T", 64, channel_base=1), "leaves no channels"),
        (lambda: DiscriminatorConfig(64, channel_base=1), "leaves no channels"),
        (lambda: DiscriminatorConfig(64, mbstd_group=0), "mbstd_group must be from 1"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            bad()
