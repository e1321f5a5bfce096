# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The layers of rungs F to H, T and R at 256 and 1024 pixels, one of each kind: together, every specialisation."""

from dataclasses import dataclass

import torch

from cuda_ops.cuda import tiling
from gan.networks.filter_design import design_down_filter, design_up_filter
from gan.networks.ladder import rung_config
from gan.networks.layer_plan import LayerSpec, plan

from .calls import Layer

RUNGS, RESOLUTIONS = "FGHTR", (256, 1024)
MODERATE = 300  # pixels: of a kind, the largest layer up to this is taken


@dataclass(frozen=True)
class Kind:
    """Layers that run the same kernels; `spec` is the one that stands for them."""

    rung: str
    resolution: int
    spec: LayerSpec

    def __str__(self) -> str:
        return f"{self.rung}{self.resolution}-{self.spec.name}"

    @property
    def radial(self) -> bool:
        return self.spec.radial_down and self.spec.down_taps > 1

    def specialisations(self, dtype: torch.dtype, last: bool, training: bool) -> tuple[tiling.Resampling, ...]:
        spec = self.spec
        return tiling.specialise_layer(
            spec.up,
            spec.down,
            spec.up_taps,
            spec.down_taps,
            self.radial,
            (spec.padding[0], spec.padding[0]),
            dtype,
            last,
            training,
        )

    def layer(self, device: torch.device) -> Layer:
        """With the model's own filters."""
        fu, fd = (
            torch.ones(1) if f is None else torch.from_numpy(f).float()
            for f in (design_up_filter(self.spec), design_down_filter(self.spec))
        )
        return Layer(fu.to(device), fd.to(device), self.spec.up, self.spec.down, [*self.spec.padding * 2])


def kinds() -> list[Kind]:
    """One for each set of specialisations."""
    found: dict[object, Kind] = {}
    for letter in RUNGS:
        for resolution in RESOLUTIONS:
            for spec in plan(rung_config(letter, resolution)).layers:
                kind = Kind(letter, resolution, spec)
                key = kind.specialisations(torch.float32, False, True)
                best = found.setdefault(key, kind).spec.in_size
                if best < spec.in_size <= MODERATE or MODERATE < best > spec.in_size:
                    found[key] = kind
    return list(found.values())
