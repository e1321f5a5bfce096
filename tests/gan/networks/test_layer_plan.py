# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Layer plans and parameter counts of all rungs, pinned by numbers from the paper and by stored ones."""

import json
import math
from dataclasses import asdict, fields

import pytest
import torch
from support.paths import DATA

from gan.checkpoints.official_arguments import generator_config
from gan.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.ladder import RUNGS, parse_rung, rung_config
from gan.networks.layer_plan import LayerSpec, compute_schedule, plan

GOLDEN = json.loads((DATA / "ladder_plans.json").read_text(encoding="utf-8"))

# [P fig. 4c, app. F.1]: output size, rate, cutoff and channels of each layer (C_base 2^14 at 256, 2^15 at 1024).
T_256 = (
    (36, 16, 2.0, 512),
    (36, 16, 2.83, 512),
    (36, 16, 4.0, 512),
    (52, 32, 5.66, 512),
    (52, 32, 8.0, 512),
    (84, 64, 11.31, 512),
    (84, 64, 16.0, 512),
    (148, 128, 22.63, 362),
    (148, 128, 32.0, 256),
    (148, 128, 45.25, 181),
    (276, 256, 64.0, 128),
    (276, 256, 90.51, 91),
    (276, 256, 128.0, 64),
    (256, 256, 128.0, 64),
    (256, 256, 128.0, 3),
)
T_1024 = (
    (36, 16, 2.0, 512),
    (36, 16, 3.17, 512),
    (52, 32, 5.04, 512),
    (52, 32, 8.0, 512),
    (84, 64, 12.7, 512),
    (148, 128, 20.16, 512),
    (148, 128, 32.0, 512),
    (276, 256, 50.8, 323),
    (276, 256, 80.63, 203),
    (532, 512, 128.0, 128),
    (1044, 1024, 203.19, 81),
    (1044, 1024, 322.54, 51),
    (1044, 1024, 512.0, 32),
    (1024, 1024, 512.0, 32),
    (1024, 1024, 512.0, 3),
)
# By hand from references, "Rungs D to H": size, rate, cutoff / (s/2), channels. Two layers a rate, and ToRGB.
N = 2 - 2**0.5  # f_c = s/2 - f_h with f_h = (sqrt 2 - 1) s/2
RIGID_256 = {
    "D": (
        (4, 4, 1, 512),
        (8, 8, 1, 512),
        (16, 16, 1, 512),
        (32, 32, 1, 512),
        (64, 64, 1, 256),
        (128, 128, 1, 128),
        (256, 256, 1, 64),
    ),
    "E": (
        (24, 4, 1, 512),
        (28, 8, 1, 512),
        (36, 16, 1, 512),
        (52, 32, 1, 512),
        (84, 64, 1, 256),
        (148, 128, 1, 128),
        (276, 256, 1, 64),
    ),
    "G": (
        (24, 4, N, 512),
        (28, 8, N, 512),
        (36, 16, N, 512),
        (52, 32, N, 512),
        (84, 64, N, 437),
        (148, 128, N, 219),
        (276, 256, 1, 64),
    ),
}
# Parameters in millions (references, "Training").
PARAMETERS = (
    ("A", 1024, 30.37),
    ("B", 1024, 30.62),
    ("D", 1024, 30.12),
    ("E", 1024, 30.12),
    ("F", 1024, 30.12),
    ("G", 1024, 33.48),
    ("H", 1024, 33.48),
    ("T", 1024, 22.31),
    ("R", 1024, 15.09),
    ("D", 256, 24.81),
    ("E", 256, 24.81),
    ("F", 256, 24.81),
    ("G", 256, 27.96),
    ("H", 256, 27.96),
    ("T", 256, 23.32),
    ("R", 256, 15.78),
)


@pytest.mark.parametrize(("resolution", "expected"), [(256, T_256), (1024, T_1024)])
def test_schedule_of_t(resolution, expected):
    layers = plan(rung_config("T", resolution)).layers
    found = tuple((x.out_size, x.out_rate, round(x.out_cutoff, 2), x.out_channels) for x in layers)
    assert found == expected
    assert [x.is_critical for x in layers] == [False] * 12 + [True] * 3
    assert layers[0].name == "L0_36_512"


@pytest.mark.parametrize("resolution", [256, 1024])
def test_r_differs_from_t_by_kernels_filters_and_channels(resolution):
    for t, r in zip(plan(rung_config("T", resolution)).layers, plan(rung_config("R", resolution)).layers, strict=True):
        assert (r.in_size, r.out_size, r.up, r.down, r.up_taps, r.down_taps) == (
            t.in_size,
            t.out_size,
            t.up,
            t.down,
            t.up_taps,
            t.down_taps,
        )
        assert r.conv_kernel == 1
        assert r.radial_down == (r.index < 12)
        assert r.is_torgb or 2 * t.out_channels - 1 <= r.out_channels <= 2 * t.out_channels + 1


@pytest.mark.parametrize("name", RIGID_256)
def test_schedule_of_d_to_h(name):
    """F has E's sizes, rates and cutoffs, H has G's."""
    for twin in {"D": "D", "E": "EF", "G": "GH"}[name]:
        layers = plan(rung_config(twin, 256)).layers
        expected = [row for row in RIGID_256[name] for _ in range(2)] + [(256, 256, 1, 3)]
        expected[-2] = (256, *expected[-2][1:])  # the last layer leaves the margin
        found = [(x.out_size, x.out_rate, x.out_cutoff / (x.out_rate / 2), x.out_channels) for x in layers]
        assert found == [pytest.approx(row) for row in expected]
        for x in layers:
            assert x.out_half_width == pytest.approx((2**0.5 - 1) * x.out_rate / 2)
            assert x.up == (2 if x.out_rate > x.in_rate else 1) * (2 if twin in "FGH" and not x.is_torgb else 1)
            assert x.down == (2 if twin in "FGH" and not x.is_torgb else 1)
            assert x.up_taps == ((2 if twin == "D" else 6) * x.up if x.up > 1 else 1)


def test_d_pads_with_zeros_and_upsamples_as_stylegan2_does():
    for x in plan(rung_config("D", 256)).layers[:-1]:
        assert (x.conv_padding, x.filter_kind, x.down_taps) == (1, "binomial", 1)
        assert x.padding == ((2, 1) if x.up == 2 else (0, 0))


@pytest.mark.parametrize("case", [name for name in GOLDEN if name != "columns"])
def test_golden_plans(case):
    """All numbers of all rungs, as they were when docs/ladder.md was written; regenerate only for a named reason."""
    name, _, size = case.partition("/")
    config = rung_config(name, int(size))
    found, expected = plan(config), GOLDEN[case]
    assert [field.name for field in fields(LayerSpec)] == GOLDEN["columns"]
    assert [config.num_layers, config.num_ws] == [expected["num_layers"], expected["num_ws"]]
    assert [found.input_channels, found.input_size, found.input_rate, found.input_cutoff] == expected["input"]
    assert len(found.layers) == len(expected["layers"])
    for layer, row in zip(found.layers, expected["layers"], strict=True):
        pinned = dict(zip(GOLDEN["columns"], row, strict=True))
        pinned["padding"] = tuple(pinned["padding"])
        for field, value in asdict(layer).items():
            near = pytest.approx(pinned[field], abs=1e-6) if isinstance(value, float) else pinned[field]
            assert value == near, (layer.name, field)
    with torch.device("meta"):
        assert sum(p.numel() for p in Generator(config).parameters()) == expected["parameters"]


@pytest.mark.parametrize("name", [name for name, _ in RUNGS])
@pytest.mark.parametrize("size", [16, 64, 1024])
def test_padding_gives_exactly_the_planned_size(name, size):
    changed = {"margin_size": 7, "filter_size": 5} if name in "TR" else {}
    for layer in plan(rung_config(name, size, **changed)).layers:
        if name in "ABC":  # a doubling layer's convolution is transposed, and its filter comes after it
            convolved = 2 * layer.in_size + 1 if layer.up == 2 else layer.in_size
            filtered = convolved + sum(layer.padding) - (layer.up_taps - 1)
            assert filtered == layer.out_size
            continue
        convolved = layer.in_size + 2 * layer.conv_padding - (layer.conv_kernel - 1)
        upsampled = convolved * layer.up + sum(layer.padding) - (layer.up_taps - 1)
        assert (upsampled - layer.down_taps) // layer.down + 1 == layer.out_size


def test_other_schedules():
    t = rung_config("T", 256, first_stopband=2.0**1.5, num_critical=4, num_layers=10)
    cutoffs, stopbands, rates, half_widths = compute_schedule(t)
    assert len(cutoffs) == 11
    assert stopbands[0] == pytest.approx(2**1.5) and cutoffs[0] == 2
    assert (cutoffs[6:] == 128).all() and cutoffs[5] < 128
    assert rates[0] == 2 ** math.ceil(math.log2(2 * 2**1.5))
    assert half_widths[0] == pytest.approx(max(2**1.5, rates[0] / 2) - 2)
    assert plan(rung_config("T", 256, capacity=0.5)).layers[0].out_channels == 256
    assert plan(rung_config("R", 256, capacity=2)).layers[0].out_channels == 2048
    assert {x.filter_kind for x in plan(rung_config("F", 64, filter_kind="lanczos")).layers} == {"lanczos"}


@pytest.mark.parametrize(("name", "resolution", "millions"), PARAMETERS)
def test_parameter_counts(name, resolution, millions):
    with torch.device("meta"):
        generator = Generator(rung_config(name, resolution))
    count = sum(p.numel() for p in generator.parameters())
    # The spec counts what is stored; the Fourier features' frequencies and phases are buffers of A to R alike.
    assert round(count / 1e6, 2) == millions


@pytest.mark.slow
def test_layer_names_are_the_steps():
    for name, _ in RUNGS:
        generator = Generator(rung_config(name, 16, channel_base=64, channel_max=4, z_dim=4, w_dim=4))
        ws = generator.mapping(torch.randn(1, 4))
        assert tuple(step for step, _ in generator.synthesis.steps(ws)) == generator.layer_names
        assert ws.shape[1] == generator.config.num_ws


def test_configurations_round_trip_and_refuse_nonsense():
    config = rung_config("R", 64, c_dim=3)
    assert GeneratorConfig.from_json(config.to_json()) == config
    assert DiscriminatorConfig.from_json(DiscriminatorConfig(64).to_json()) == DiscriminatorConfig(64)
    assert parse_rung("StyleGAN3-R") == "R"
    assert parse_rung("b") == "B"
    for bad, sentence in (
        (lambda: rung_config("Z", 64), "There is no rung 'Z' here"),
        (lambda: rung_config("T", 48), "power of two from 16 to 1024, not 48"),
        (lambda: rung_config("T", 8), "power of two from 16 to 1024, not 8"),
        (lambda: rung_config("A", 64, num_layers=5), "Rung A has no --num-layers: only T and R have"),
        (lambda: rung_config("G", 64, first_cutoff=3.0), "The first cutoff can be at most 2, not 3"),
        (lambda: generator_config("stylegan2.Generator", {"img_resolution": "256"}), "not '256'"),
        (lambda: generator_config("stylegan2.Generator", {}), "not 0"),
        (lambda: rung_config("T", "256"), "power of two from 16 to 1024, not '256'"),
        (lambda: rung_config("T", 0), "power of two from 16 to 1024, not 0"),
        (lambda: rung_config("D", 64, num_critical=11), "from 0 to 10 can be critically sampled .N_crit., not 11"),
        (lambda: rung_config("G", 64, num_layers=8), "Rung G has no --num-layers: only T and R have"),
        (lambda: rung_config("C", 64, filter_size=4), "Rung C has no --filter-size: only D to R have"),
        (lambda: rung_config("H", 64, first_stopband=5.0), "Rung H has no --first-stopband"),
        (lambda: rung_config("T", 64, filter_kind="box"), "filters must be one of binomial, kaiser"),
        (
            lambda: GeneratorConfig.from_json({**rung_config("G", 64).to_json(), "num_layers": 9}),
            "10 at 64 pixels, not 9",
        ),
        (
            lambda: GeneratorConfig.from_json({**rung_config("G", 64).to_json(), "schedule": "loose"}),
            "must be one of rigid",
        ),
        (lambda: rung_config("T", 64, num_critical=14), "can be critically sampled"),
        (lambda: rung_config("T", 64, conv_kernel=5), "1 or 3 wide"),
        (lambda: rung_config("T", 64, first_cutoff=40.0), "below half the resolution"),
        (lambda: rung_config("T", 256, first_stopband=500.0), "not above the last stopband, 157.586; it is 500"),
        (lambda: rung_config("T", 256, first_stopband=1.0), "above the first cutoff, 2, and"),
        (
            lambda: rung_config("T", 1024, num_layers=5, num_critical=0),
            "5 layers, 0 of them critically sampled, do not reach",
        ),
        (lambda: rung_config("T", 64, filter_size=33), "filter_size must be from 1 to 32"),
        (lambda: rung_config("T", 64, lrelu_upsampling=9), "lrelu_upsampling must be from 1 to 8"),
        (lambda: rung_config("A", 64, resample_filter=(1.0, -1.0, 1.0, -1.0)), "must not sum to 0"),
        (lambda: rung_config("T", 64, num_layers=10**9, num_critical=2), "num_layers must be from 1 to 64"),
        (lambda: rung_config("T", 64, depth=3), "no such setting"),
        (lambda: rung_config("A", 64, img_channels=5), "1 to 4 channels"),
        (lambda: GeneratorConfig.from_json({**config.to_json(), "colour": 1}), "does not know: colour"),
        (lambda: GeneratorConfig.from_json({"rung": "T"}), "incomplete"),
        (lambda: GeneratorConfig.from_json({**config.to_json(), "w_dim": 2.5}), "w_dim must be of type int, not 2.5"),
        (lambda: GeneratorConfig.from_json({**config.to_json(), "output_scale": float("nan")}), "not nan"),
        (lambda: GeneratorConfig.from_json({**config.to_json(), "rung": 7}), "rung must be of type str"),
        (lambda: GeneratorConfig.from_json({**config.to_json(), "resample_filter": "abcd"}), "resample_filter must be"),
        (lambda: rung_config("T", 64, channel_base=1), "leaves no channels"),
        (lambda: DiscriminatorConfig(64, channel_base=1), "leaves no channels"),
        (lambda: DiscriminatorConfig(64, mbstd_group=-1), "mbstd_group cannot be -1"),
        (lambda: DiscriminatorConfig(64, mapping_layers=65), "mapping_layers cannot be 65"),
        (lambda: DiscriminatorConfig(64, architecture="layers"), "must be one of resnet, skip, orig"),
        (lambda: DiscriminatorConfig(64, resample_filter=(1.0,)), "2 to 16 taps, not 1"),
        (lambda: rung_config("A", 64, mapping_width=-1), "mapping_width cannot be -1"),
        (lambda: rung_config("A", 64, label_width=-1), "label_width cannot be -1"),
        (lambda: rung_config("A", 64, labels_beside_z=True), "c_dim must be above 0"),
        (lambda: rung_config("A", 64, mapping_lr_multiplier=-1.0), "mapping_lr_multiplier cannot be -1"),
        (lambda: rung_config("A", 64, block_channels=(8, 4)), "one entry a resolution from 4 to 64, 5, not 2"),
        (lambda: rung_config("A", 16, block_channels=(8, 0, 8)), "block_channels must be from 1 to"),
        (lambda: rung_config("A", 16, block_channels=(8, 8.5, 8)), "block_channels must be of type"),
        (lambda: rung_config("T", 16, block_channels=(8, 8, 8)), "Only StyleGAN2's architectures have block_channels"),
        (lambda: DiscriminatorConfig(64, block_channels=(8, 8)), "one entry a resolution from 4 to 64"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            bad()


def test_channels_of_each_resolution_may_be_given():
    config = rung_config("A", 32, z_dim=4, w_dim=4, block_channels=(3, 5, 2, 6))
    assert [config.channels_at(rate) for rate in (4, 8, 16, 32)] == [3, 5, 2, 6]
    assert GeneratorConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    generator = Generator(config)
    assert generator(torch.randn(1, 4)).shape == (1, 3, 32, 32)
    assert generator.synthesis.b16.conv0.weight.shape == (2, 5, 3, 3)
    discriminator = DiscriminatorConfig(32, block_channels=(3, 5, 2, 6))
    assert Discriminator(discriminator)(torch.randn(1, 3, 32, 32)).shape == (1, 1)


def test_stored_configurations_stay_readable_by_older_versions():
    assert "block_channels" not in rung_config("A", 64).to_json()
    assert "block_channels" not in DiscriminatorConfig(64).to_json()
