# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The generator of any rung: mapping and synthesis behind one interface."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gan.networks.config import GeneratorConfig
from gan.networks.labels import Label, encode_labels
from gan.networks.mapping import Mapping
from gan.networks.synthesis import SynthesisNetwork, SynthesisOptions
from gan.networks.synthesis_stylegan2 import StyleGAN2Synthesis
from gan.networks.synthesis_stylegan3 import StyleGAN3Synthesis


class Generator(nn.Module):
    """A map from z [N, z_dim] and labels c [N, c_dim] to images [N, img_channels, S, S] in about [-1, 1].

    Parameters and buffers have the official names (references, "Official checkpoints"). Only `update_emas`, which
    training alone sets, changes the module.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        table = (config.embed_rows, config.embed_dim) if config.embed_rows else None
        widths = (config.z_dim, config.c_dim, config.w_dim, config.num_ws, config.mapping_layers)
        labels = config.label_width, config.labels_beside_z
        self.mapping = Mapping(
            *widths, table, config.w_avg_rows, *labels, config.mapping_lr_multiplier, config.mapping_width
        )
        kind = StyleGAN3Synthesis if config.architecture == "layers" else StyleGAN2Synthesis
        self.synthesis: SynthesisNetwork = kind(config)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Names of the layers that `synthesis.steps` yields, in order."""
        return self.synthesis.layer_names

    def forward(
        self, z: Tensor, c: Tensor | None = None, psi: float = 1.0, cutoff: int | None = None, **options: Any
    ) -> Tensor:
        """Draw images: `psi` and `cutoff` as in `Mapping.forward`, the rest as in `SynthesisOptions`."""
        ws = self.mapping(z, c, psi=psi, cutoff=cutoff, update_emas=options.get("update_emas", False))
        return self.synthesis(ws, SynthesisOptions(**options))


def z_from_seed(seed: int, z_dim: int) -> np.ndarray:
    """Return the latent [1, z_dim] that the official tools draw for a seed: normal float64 numbers.

    Seeds are taken modulo 2**32, which is what RandomState accepts.
    """
    return np.random.RandomState(seed % 2**32).randn(1, z_dim)


def map_latents(
    generator: Generator, z: np.ndarray, labels: Sequence[Label], psi: float = 1.0, cutoff: int | None = None
) -> Tensor:
    """Map latents z [N, z_dim] and labels, which a model without labels ignores, on the network's device."""
    device, c_dim = next(generator.parameters()).device, generator.config.c_dim
    c = torch.from_numpy(encode_labels(labels, c_dim)).to(device) if c_dim else None
    return generator.mapping(torch.from_numpy(z).float().to(device), c, psi=psi, cutoff=cutoff)


MAX_BATCH_PIXELS, MAX_BATCH = 2**18, 16


def choose_batch_size(resolution: int) -> int:
    """Return a batch size that keeps memory moderate: 16 up to 128x128, then fewer."""
    return max(1, min(MAX_BATCH, MAX_BATCH_PIXELS // resolution**2))


@torch.no_grad()
def init_generator(config: GeneratorConfig, seed: int = 0, calibrated: bool = True) -> Generator:
    """Make an untrained generator, as at the start of training but with its layers' true input magnitudes.

    The running magnitudes start at 1, up to several times more or less than untrained layers see; training finds them
    in its first thousands of images, `calibrated` in one pass. Torch's random state does not change.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = Generator(config).eval().requires_grad_(False)
    if not calibrated:
        return generator
    count = choose_batch_size(config.resolution)
    z = np.concatenate([z_from_seed(i, config.z_dim) for i in range(count)])
    labels = [i % max(config.c_dim, 1) for i in range(count)]
    generator.synthesis.calibrate(map_latents(generator, z, labels))
    return generator
