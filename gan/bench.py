# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Time a frame of whole generators beside their convolutions: `python -m cuda_ops.bench --only=generators`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

import torch
import torch.nn.functional as F

from cuda_ops.bench import Row, chain_filtered_lrelu, chain_upfirdn2d, time_row
from cuda_ops.cpu import loader as cpu
from gan.networks.conv_autotune import Weight, convolve
from gan.networks.generator import Generator
from gan.networks.input_transform import user_matrix
from gan.networks.ladder import rung_config
from gan.networks.precision import FULL_PRECISION
from gan.networks.synthesis import SynthesisOptions, Weights

# Rung, resolution, T's channel base and maximum (R doubles them), rounds.
CASES = (
    ("T", 128, 2048, 64, 15),
    ("T", 128, 4096, 128, 15),
    ("R", 128, 2048, 64, 15),
    ("R", 128, 4096, 128, 9),
    ("A", 128, 2048, 64, 15),
    ("T", 256, 32768, 512, 3),
)


Layer = tuple[torch.Tensor, Weight, int, int]  # input, weight, stride of the transposed convolution or 0, padding


@contextmanager
def chained() -> Iterator[None]:
    """Run the models within as chains of general operators, as the official code does on CPUs."""
    chains = (
        ("gan.networks.synthesis_stylegan3.filtered_lrelu", chain_filtered_lrelu),
        ("gan.networks.synthesis_stylegan2.upfirdn2d", chain_upfirdn2d),  # the discriminator's too
    )
    with ExitStack() as stack:
        for name, chain in chains:
            stack.enter_context(mock.patch(name, chain))
        stack.enter_context(cpu.switched_off())
        yield


def convolutions(generator: Generator, ws: torch.Tensor) -> list[Layer]:
    """Return every convolution as a plain one with random input, contiguous."""
    found: list[Layer] = []
    shape = torch.Size()
    with cpu.switched_off():  # plain weights
        weights = generator.synthesis.modulate(ws)
    for name, output in generator.synthesis.steps(ws):
        weight = weights.get(name)
        if isinstance(weight, torch.Tensor):
            shape = shape or output.shape  # rung A starts from a constant, which is no step
            source = torch.randn(1, weight.shape[1], *shape[2:])
            doubling = output.shape[2] == 2 * shape[2] and not name.endswith("torgb") and ".conv" in name
            found.append((source, weight.contiguous(), 2 if doubling else 0, _padding(generator, name, weight)))
        if not name.endswith("torgb"):
            shape = output.shape
    return found


def _padding(generator: Generator, name: str, weight: torch.Tensor) -> int:
    spec = getattr(generator.synthesis.get_submodule(name), "spec", None)
    return weight.shape[2] // 2 if spec is None else int(spec.conv_padding)


def _all(layers: list[Layer]) -> None:
    for x, weight, stride, padding in layers:
        if stride and isinstance(weight, torch.Tensor):
            F.conv_transpose2d(x, weight.transpose(0, 1), stride=stride)
        else:
            convolve(x, weight, padding)


@torch.inference_mode()
def frame_row(cfg: str, resolution: int, channel_base: int, channel_max: int, rounds: int) -> Row:
    """Time a frame while the input moves: weights modulated beforehand, a new transform each time."""
    torch.manual_seed(0)
    config = rung_config(cfg, resolution, channel_base=channel_base, channel_max=channel_max)
    generator = Generator(config).eval().requires_grad_(False)
    ws = torch.randn(1, config.num_ws, config.w_dim)
    weights = generator.synthesis.modulate(ws)
    with cpu.switched_off():
        plain = generator.synthesis.modulate(ws)
    transform = user_matrix(0.1, 0.05, 3.0) if config.movable else None

    def frame() -> torch.Tensor:
        return generator.synthesis(ws, SynthesisOptions(transform=transform, weights=weights))

    def reference() -> torch.Tensor:
        with cpu.switched_off():
            return generator.synthesis(ws, SynthesisOptions(transform=transform, weights=plain))

    layers = convolutions(generator, ws)

    def with_weights(of: Weights) -> list[Layer]:
        given = zip(layers, of.values(), strict=True)
        return [
            (FULL_PRECISION.convert(x, x.dtype), weight, stride, padding) for (x, _, stride, padding), weight in given
        ]

    fast, chosen = with_weights(plain), with_weights(weights)
    candidates: dict[str, Callable[[], object]] = {
        "reference": reference,
        "kernel": frame,
        "convolutions": lambda: _all(layers),
        "convolutions, channels-last": lambda: _all(fast),
        "convolutions, as chosen": lambda: _all(chosen),
    }
    name = f"{cfg} {resolution}², C_base {config.channel_base}, C_max {config.channel_max}: a frame"
    ratios = "kernel / convolutions", "kernel / convolutions, channels-last", "reference / kernel"
    return time_row(name, candidates, rounds, *ratios)


def rows(quick: bool) -> Iterator[Row]:
    """Time a frame of T, R and StyleGAN2 beside their convolutions alone."""
    for rung, resolution, base, maximum, rounds in CASES:
        if not quick or base == 2048:
            yield frame_row(rung, resolution, base, maximum, 1 if quick else rounds)
