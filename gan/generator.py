# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The generator: mapping and synthesis of any rung behind one interface."""

from torch import Tensor, nn

from gan.config import GeneratorConfig
from gan.mapping import Mapping
from gan.synthesis import Synthesis
from gan.synthesis_skip import SkipSynthesis


class Generator(nn.Module):
    """z [N, z_dim] and label c [N, c_dim] to images [N, img_channels, resolution, resolution] in about [-1, 1].

    Parameters and buffers have the official names (checkpoint-formats). Nothing below changes the module but
    `update_emas`, which training alone sets.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.mapping = Mapping(config.z_dim, config.c_dim, config.w_dim, config.num_ws, config.mapping_layers)
        self.synthesis = Synthesis(config) if config.architecture == "layers" else SkipSynthesis(config)

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
        """`psi`, `cutoff`: truncation (gan.mapping); `transform`: [3, 3] or [N, 3, 3] of gan.transform."""
        ws = self.mapping(z, c, psi=psi, cutoff=cutoff, update_emas=update_emas)
        return self.synthesis(ws, noise=noise, transform=transform, update_emas=update_emas)
