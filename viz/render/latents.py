# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Latents to w's: the one place that knows what each kind of latent means."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan.data.latent_files import LatentError
from gan.networks.generator import Generator, z_from_seed
from gan.networks.labels import Label
from viz.core.latent import Blend, Direction, FileLatent, Latent, Mixture, Moved, OtherModel, SeedPoint, WeightedSum
from viz.loading.latent_files import read_values
from viz.loading.lru_cache import LRUCache
from viz.render.cuda_graphs import copy_in

Move = Callable[[np.ndarray], np.ndarray]  # of a z [z_dim]
SEEDS_KEPT = 256  # whose w's are kept: while a point walks over the plane, few are mapped


class LatentMisfit(ValueError):
    """A file of a latent or a direction, called `name`, that a model cannot be drawn with: one sentence."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


@lru_cache(SEEDS_KEPT)  # seeding a generator takes longer than all else that a step of a walk costs here
def _draw_z(seed: int, z_dim: int) -> np.ndarray:
    """Return a seed's z [1, z_dim], which is read-only."""
    z = z_from_seed(seed, z_dim)
    z.flags.writeable = False
    return z


@dataclass(frozen=True)
class LatentMapper:
    """Maps latents to w's, with one model, label and truncation; `move` is applied to every z before it is mapped.

    `key` is the model's, under which `cache` keeps the w's of seeds. `unit` returns what a standard deviation along a
    direction adds to the w's [1, num_ws, w_dim].
    """

    generator: Generator
    key: Hashable
    cache: LRUCache[Tensor]
    unit: Callable[[Direction], Tensor]
    label: Label
    psi: float = 1.0
    cutoff: int | None = None
    move: Move | None = None
    other: Callable[[OtherModel], Tensor] | None = None  # maps with another model

    def map(self, latent: Latent) -> Tensor:
        """Return w's [1, num_ws, w_dim]. Raises LatentMisfit for a file's that do not fit the model; ValueError."""
        match latent:
            case SeedPoint():
                return self._truncate(self._map_point(latent))
            case FileLatent():
                return self._truncate(self._map_file(latent))
            case Mixture():
                return self._mix(latent)
            case OtherModel():
                return self._map_other(latent)
            case Blend():
                return (1.0 - latent.amount) * self.map(latent.first) + latent.amount * self.map(latent.second)
            case WeightedSum():
                return self._add(latent)
            case Moved():
                return sum((step.strength * self._unit(step.direction) for step in latent.steps), self.map(latent.base))

    def _unit(self, direction: Direction) -> Tensor:
        try:
            return self.unit(direction)
        except LatentError as problem:
            raise LatentMisfit(Path(direction.path).name, str(problem)) from None

    def _map_point(self, point: SeedPoint) -> Tensor:
        z_dim, weights = self.generator.config.z_dim, point.weights()
        if point.space == "z":
            return self._map_z(np.asarray(sum(weight * _draw_z(seed, z_dim) for seed, weight in weights)))
        # Each seed by itself: in a batch its last bits would depend on its neighbours, and so on the way here.
        ws = [(weight, self._map_seed(seed)) for seed, weight in weights]
        return ws[0][1] if len(ws) == 1 else sum((weight * w for weight, w in ws), torch.zeros_like(ws[0][1]))

    def _map_seed(self, seed: int) -> Tensor:
        z = _draw_z(seed, self.generator.config.z_dim)
        if self.move is not None:
            return self._map_z(z)
        return self.cache.get((self.key, seed, self.label), lambda: (self._map_z(z), 1.0))[0]

    def _map_z(self, z: np.ndarray) -> Tensor:
        """Map z [1, z_dim] to w's, not truncated."""
        if self.move is not None:
            z = self.move(z[0])[None]
        vector = torch.empty(z.shape, device=self._device)
        copy_in(torch.from_numpy(np.array(z)), vector)
        return self.generator.mapping(vector, self._c)

    def _map_file(self, latent: FileLatent) -> Tensor:
        config = self.generator.config
        try:
            values = read_values(latent)
        except LatentError as problem:
            raise LatentMisfit(latent.name, str(problem)) from None
        size = config.z_dim if latent.space == "z" else config.w_dim
        if values.shape[1] != size:
            what = f"a {latent.space} of {values.shape[1]} numbers"
            sentence = f"{latent.name} holds {what}, and this model takes {size}: open one that it made."
            raise LatentMisfit(latent.name, sentence)
        if len(values) not in (1, config.num_ws):
            sentence = (
                f"{latent.name} holds {len(values)} w's, and this model takes {config.num_ws}: open one of its own."
            )
            raise LatentMisfit(latent.name, sentence)
        if latent.space == "z":
            return self._map_z(values)
        ws = torch.empty(1, config.num_ws, size, device=self._device)
        copy_in(torch.from_numpy(np.broadcast_to(values, ws.shape[1:]).copy())[None], ws)
        if self.move is None:
            return ws
        # A w has no z to be moved: it moves as far as the w of seed 0 does.
        return ws + self._map_seed(0) - self._still()._map_seed(0)

    def _still(self) -> "LatentMapper":
        return LatentMapper(self.generator, self.key, self.cache, self.unit, self.label)

    def _mix(self, mixture: Mixture) -> Tensor:
        ws, other = self.map(mixture.base).clone(), self.map(mixture.other)
        for index in mixture.layers:
            if index < min(ws.shape[1], other.shape[1]):
                ws[:, index] = other[:, index]
        return ws

    def _add(self, curve: WeightedSum) -> Tensor:
        ws = [(weight, self._map_part(part)) for part, weight in curve.parts]
        return sum((weight * w for weight, w in ws), torch.zeros_like(ws[0][1]))

    def _map_part(self, part: Latent) -> Tensor:
        """Map a latent that stays while the point moves along a curve through it: once, unless it is moved."""
        if self.move is not None:
            return self.map(part)
        key = (self.key, part, self.label, self.psi, self.cutoff)
        return self.cache.get(key, lambda: (self.map(part), 1.0))[0]

    def _map_other(self, latent: OtherModel) -> Tensor:
        if self.other is None:
            raise ValueError("The w's of another model can only be had beside it: open both.")
        ws, size = self.other(latent), self.generator.config.w_dim
        if ws.shape[2] != size:
            what = f"{Path(latent.model).name} has w's of {ws.shape[2]} numbers"
            raise ValueError(f"{what}, and this model takes {size}: mix it with one whose w's are as long.")
        return ws

    def _truncate(self, ws: Tensor) -> Tensor:
        return self.generator.mapping.truncate(ws, self._c, self.psi, self.cutoff)

    @property
    def _device(self) -> torch.device:
        return next(self.generator.parameters()).device

    @property
    def _c(self) -> Tensor | None:
        """The label as the mapping network takes it, [1, c_dim]."""
        c_dim = self.generator.config.c_dim
        if not c_dim:
            return None
        c = torch.zeros(1, c_dim, device=self._device)
        if isinstance(self.label, tuple):
            copy_in(torch.tensor([self.label]), c)
        else:
            c[:, self.label : self.label + 1] = 1.0  # by a range: by two numbers it would be a copy that waits
        return c
