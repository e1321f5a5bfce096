# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The generator: mapping and synthesis of any rung behind one interface."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.networks.config import GeneratorConfig
from gan.networks.mapping import Mapping
from gan.networks.synthesis import SynthesisNetwork, SynthesisOptions
from gan.networks.synthesis_stylegan2 import StyleGAN2Synthesis
from gan.networks.synthesis_stylegan3 import StyleGAN3Synthesis


class Generator(nn.Module):
    """z [N, z_dim] and label c [N, c_dim] to images [N, img_channels, resolution, resolution] in about [-1, 1].

    Parameters and buffers have the official names (checkpoint-formats). Nothing below changes the module but
    `update_emas`, which training alone sets.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.mapping = Mapping(config.z_dim, config.c_dim, config.w_dim, config.num_ws, config.mapping_layers)
        kind = StyleGAN3Synthesis if config.architecture == "layers" else StyleGAN2Synthesis
        self.synthesis: SynthesisNetwork = kind(config)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Names of what `synthesis.steps` yields, in order."""
        return self.synthesis.layer_names

    def forward(
        self,
        z: Tensor,
        c: Tensor | None = None,
        psi: float = 1.0,
        cutoff: int | None = None,
        noise: str = "const",
        transform: Tensor | None = None,
        update_emas: bool = False,
    ) -> Tensor:
        """Draw images: `psi` and `cutoff` as in `Mapping.forward`, the rest as in `SynthesisOptions`."""
        ws = self.mapping(z, c, psi=psi, cutoff=cutoff, update_emas=update_emas)
        return self.synthesis(ws, SynthesisOptions(noise=noise, transform=transform, update_emas=update_emas))


def z_from_seed(seed: int, z_dim: int) -> np.ndarray:
    """Return the latent [1, z_dim] that the official tools draw for a seed: normal float64 numbers.

    Seeds are taken modulo 2**32, which is what RandomState accepts.
    """
    return np.random.RandomState(seed % 2**32).randn(1, z_dim)


BATCH_PIXELS, MOST = 2**18, 16


def choose_batch_size(resolution: int) -> int:
    """Pictures at a time that keep memory moderate: 16 up to 128x128, then fewer."""
    return max(1, min(MOST, BATCH_PIXELS // resolution**2))


@torch.no_grad()
def init_generator(config: GeneratorConfig, seed: int = 0, calibrated: bool = True) -> Generator:
    """A generator as training would start with it, but with the input magnitudes that its layers really see.

    The running magnitudes start at 1, which is up to several times more or less than what untrained layers see;
    training finds them in its first thousands of images, `calibrated` in one pass. Torch's random numbers stay as they
    are.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = Generator(config).eval().requires_grad_(False)
    if not calibrated:
        return generator
    count = choose_batch_size(config.resolution)
    z = np.concatenate([z_from_seed(i, config.z_dim) for i in range(count)])
    c = F.one_hot(torch.arange(count) % config.c_dim, config.c_dim).float() if config.c_dim else None
    generator.synthesis.calibrate(generator.mapping(torch.from_numpy(z).float(), c))
    return generator
