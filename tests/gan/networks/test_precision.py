# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Mixed precision: which layers compute in float16, and that pictures, logits and gradients stay what they were."""

import math

import pytest
import torch

from gan.checkpoints.checkpoint import load_generator
from gan.hub.resolve import resolve
from gan.networks.config import DiscriminatorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator, init_generator
from gan.networks.ladder import rung_config
from gan.networks.precision import FULL_PRECISION, NUM_FP16_RES, PrecisionPolicy
from gan.networks.synthesis import SynthesisOptions
from viz.core.layer_info import list_layers, number_format
from viz.core.result import PICTURE

MIXED = PrecisionPolicy(NUM_FP16_RES)


def psnr(found: torch.Tensor, expected: torch.Tensor) -> float:
    """dB of a signal from -1 to 1."""
    error = (found.double().clamp(-1, 1) - expected.double().clamp(-1, 1)).square().mean()
    return 10 * math.log10(4 / float(error))


def small(cfg: str, resolution: int = 64) -> Generator:
    return init_generator(rung_config(cfg, resolution, channel_base=1024, channel_max=16, w_dim=32, z_dim=32))


@pytest.mark.slow
@pytest.mark.parametrize("cfg", ["A", "B", "E", "T", "R"])
def test_the_four_highest_resolutions_are_in_float16(cfg: str) -> None:
    generator = small(cfg)
    ws = generator.mapping(torch.randn(1, 32))
    specs = {spec.name: spec for spec in generator.synthesis.plan.layers}
    with torch.inference_mode():
        for weights in (None, generator.synthesis.modulate(ws, MIXED)):
            rates = {torch.float16: set(), torch.float32: set()}  # type: ignore[var-annotated]
            for name, x in generator.synthesis.steps(ws, SynthesisOptions(weights=weights, precision=MIXED)):
                # a running sum of RGB is float32 all along
                if name in specs and not (cfg in "AB" and specs[name].is_torgb):
                    rates[x.dtype].add(specs[name].out_rate)
            assert rates[torch.float16] == {rate for rate in (8, 16, 32, 64) if rate in rates[torch.float16]}
            assert max(rates[torch.float32], default=0) <= 4 and {16, 32, 64} <= rates[torch.float16]


@pytest.mark.parametrize("half", [0, 2, NUM_FP16_RES])
@pytest.mark.parametrize("cfg", ["A", "B", "E", "T"])
def test_the_panel_tells_the_format_of_each_layer(cfg: str, half: int) -> None:
    generator, shown = small(cfg), {"f16": torch.float16, "f32": torch.float32}
    ws = generator.mapping(torch.randn(1, 32))
    with torch.inference_mode():
        found = {
            name: x.dtype
            for name, x in generator.synthesis.steps(ws, SynthesisOptions(precision=PrecisionPolicy(half)))
        }
    rows = list_layers(generator.config)
    assert {row.name: shown[number_format(row, generator.config, half)] for row in rows} == {
        **found,
        PICTURE: torch.float32,
    }


@pytest.mark.slow
@pytest.mark.parametrize("cfg", ["A", "B", "D", "E", "T", "R"])
def test_pictures_stay_within_50_db(cfg: str) -> None:
    generator = small(cfg)
    ws = generator.mapping(torch.randn(2, 32))
    with torch.inference_mode():
        expected = generator.synthesis(ws)
        found = generator.synthesis(ws, SynthesisOptions(precision=MIXED))
        assert found.dtype == torch.float32 and psnr(found, expected) > 50
        one = ws[:1]
        found = generator.synthesis(
            one, SynthesisOptions(weights=generator.synthesis.modulate(one, MIXED), precision=MIXED)
        )
        assert psnr(found, expected[:1]) > 50


@pytest.mark.slow
@pytest.mark.parametrize("name", ["b", "t", "r"])
def test_bundled_models_stay_within_50_db(name: str) -> None:
    generator = load_generator(resolve(name))[0]
    ws = generator.mapping(torch.randn(4, generator.config.z_dim))
    with torch.inference_mode():
        assert psnr(generator.synthesis(ws, SynthesisOptions(precision=MIXED)), generator.synthesis(ws)) > 50


@pytest.mark.slow
def test_large_styles_do_not_leave_the_range_of_float16() -> None:
    generator = init_generator(rung_config("B", 64, channel_base=2**14, channel_max=512, w_dim=32, z_dim=32))
    with torch.no_grad():
        for block in (generator.synthesis.b32, generator.synthesis.b64):
            block.conv0.affine.bias += 3000.0
    ws = generator.mapping(torch.randn(1, 32))
    with torch.inference_mode():
        assert psnr(generator.synthesis(ws, SynthesisOptions(precision=MIXED)), generator.synthesis(ws)) > 50


@pytest.mark.slow
@pytest.mark.parametrize("last", [True, False])
def test_layouts(last: bool) -> None:
    generator = small("T")
    ws = generator.mapping(torch.randn(1, 32))
    with torch.inference_mode():
        expected = generator.synthesis(ws)
        for half in (0, NUM_FP16_RES):
            precision = PrecisionPolicy(half, last)
            weights = generator.synthesis.modulate(ws, precision)
            layout = torch.channels_last if last else torch.contiguous_format
            for name, x in generator.synthesis.steps(ws, SynthesisOptions(weights=weights, precision=precision)):
                assert x.is_contiguous(memory_format=layout), name
            assert psnr(x * generator.synthesis.output_scale, expected) > 50


def gradients(
    generator: Generator, ws: torch.Tensor, direction: torch.Tensor, precision: PrecisionPolicy
) -> torch.Tensor:
    """Return the gradient of pictures along a direction, each tensor's divided by its norm, joined."""
    generator.requires_grad_(True).zero_grad()
    images = generator.synthesis(ws, SynthesisOptions(noise="none", update_emas=True, precision=precision))
    (images * direction).mean().mul(1e3).backward()
    found = [p.grad for p in generator.synthesis.parameters() if p.grad is not None]
    assert all(gradient.dtype == torch.float32 and torch.isfinite(gradient).all() for gradient in found)
    return torch.cat([gradient.flatten() / max(float(gradient.norm()), 1e-20) for gradient in found])


@pytest.mark.slow
@pytest.mark.parametrize("cfg", ["A", "T", "R"])
def test_training_s_averages_and_gradients_in_float16(cfg: str) -> None:
    full, mixed = small(cfg).train(), small(cfg).train()
    ws = full.mapping(torch.randn(2, 32)).detach()
    direction = torch.randn(2, 3, 64, 64)
    expected = gradients(full, ws, direction, FULL_PRECISION)
    found = gradients(mixed, ws, direction, MIXED)
    for one, other in zip(full.buffers(), mixed.buffers(), strict=True):
        torch.testing.assert_close(other, one, rtol=1e-2, atol=1e-4)
    # Where rounding turns the sign of a value near 0, its derivative changes by a factor of five: what that comes to is
    # seen where w itself is changed by the rounding of float16.
    turned = gradients(full, ws * (1 + torch.randn_like(ws) * 2**-11), direction, FULL_PRECISION)
    assert 0 < float((found - expected).norm()) < 2 * float((turned - expected).norm())


def test_a_discriminator_in_float16() -> None:
    torch.manual_seed(1)
    discriminator = Discriminator(DiscriminatorConfig(resolution=64, channel_base=1024, channel_max=32))
    seen = {}
    for name, module in discriminator.named_children():
        module.register_forward_hook(lambda _, given, __, name=name: seen.update({name: given[0].dtype}))
    penalties = []
    reals = torch.randn(4, 3, 64, 64).clamp(-1, 1)
    for precision in (FULL_PRECISION, MIXED):
        images = reals.clone().requires_grad_(True)
        logits = discriminator(images, precision=precision)
        (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
        penalty = gradient.square().sum(dim=(1, 2, 3)).mean()
        penalty.backward()  # through the operators' second gradients
        assert logits.dtype == torch.float32
        penalties.append((logits.detach(), penalty.detach(), discriminator.b64.conv0.weight.grad.clone()))
        discriminator.zero_grad()
    assert seen == {
        "b64": torch.float16,
        "b32": torch.float16,
        "b16": torch.float16,
        "b8": torch.float16,
        "b4": torch.float32,
    }
    for one, other in zip(*penalties, strict=True):
        assert float((one - other).norm()) <= 0.02 * float(one.norm())
