# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The directions of loaded models, from caches: in memory by model, on the disk by what a model is."""

from collections.abc import Generator as Steps
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gan.analysis.directions import (
    DirectionSet,
    WStatistics,
    factorize_styles,
    find_components,
    fingerprint,
    finish,
    measure_w,
    scale_directions,
)
from gan.data.latent_files import LatentError
from gan.networks.generator import Generator
from gan.networks.labels import Label, default_vector
from viz.core.labels import find_kind
from viz.core.latent import Direction
from viz.core.result import ModelFacts
from viz.loading.direction_files import read_directions
from viz.loading.lru_cache import LRUCache
from viz.loading.w_statistics import keep_statistics, load_statistics

MODELS_KEPT = 8
SETS_KEPT = 16
UNITS_KEPT = 256


@dataclass(frozen=True, eq=False)
class Subject:
    """A loaded model whose directions are asked for; `key` stands for it in caches."""

    key: Hashable
    generator: Generator
    facts: ModelFacts

    def labels(self) -> tuple[Label, ...]:
        """Return the labels whose w's are taken, in turn: all classes, or the usual vector."""
        c_dim = self.facts.config.c_dim
        if c_dim and find_kind("auto", self.facts) == "vector":
            return (default_vector(c_dim, self.facts.label_mean),)
        return tuple(range(max(c_dim, 1)))


class Directions:
    """The directions of models. Used by one thread, as the renderer that it belongs to."""

    def __init__(self) -> None:
        self._names: LRUCache[str] = LRUCache(MODELS_KEPT)
        self._statistics: dict[str, WStatistics] = {}  # by name, the newest last
        self._sets: LRUCache[DirectionSet] = LRUCache(SETS_KEPT)
        self._units: LRUCache[Tensor] = LRUCache(UNITS_KEPT)

    def name(self, subject: Subject) -> str:
        """Return the fingerprint of a model, under which its directions are kept."""
        return self._names.get(subject.key, lambda: (fingerprint(subject.generator, subject.labels()), 1.0))[0]

    def measure(self, subject: Subject) -> Steps[int, None, WStatistics]:
        """Return the statistics of a model's w's; yield how many are done while they have to be measured."""
        name = self.name(subject)
        found = self._statistics.pop(name, None) or load_statistics(name, subject.generator.config.w_dim)
        if found is None:
            found = yield from measure_w(subject.generator, subject.labels())
            keep_statistics(name, found)
        self._statistics[name] = found
        for oldest in list(self._statistics)[:-MODELS_KEPT]:
            del self._statistics[oldest]
        return found

    def find_set(self, subject: Subject, direction: Direction) -> DirectionSet:
        """Return the set that a direction is of. ValueError, a sentence, where it does not fit the model."""
        match direction.kind:
            case "pca":
                of: tuple[object, ...] = ()
            case "closed-form":
                of = (direction.first, direction.last)
            case "file":
                of = (direction.path, direction.digest)
        key = (subject.key, direction.kind, *of)
        return self._sets.get(key, lambda: (self._make_set(subject, direction), 1.0))[0]

    def _make_set(self, subject: Subject, direction: Direction) -> DirectionSet:
        statistics, config = finish(self.measure(subject)), subject.generator.config
        if direction.kind == "pca":
            return find_components(statistics)
        if direction.kind == "closed-form":
            return factorize_styles(subject.generator, statistics, direction.first, direction.last)
        vectors = read_directions(direction.path, direction.digest)
        if vectors.shape[2] != config.w_dim:
            what = f"holds directions of {vectors.shape[2]} numbers, and this model's w has {config.w_dim}"
            raise LatentError(direction.path, f"{what}: open one that was made for it.")
        if vectors.shape[1] not in (1, config.num_ws):
            what = f"holds directions for {vectors.shape[1]} layers, and this model has {config.num_ws} w's"
            raise LatentError(direction.path, f"{what}: open one that was made for it.")
        return scale_directions(vectors, statistics)

    def unit(self, subject: Subject, direction: Direction) -> Tensor:
        """Return what a standard deviation along a direction adds to w's, [1, num_ws, w_dim], on the model's device.

        ValueError, a sentence, where there is no such direction.
        """
        return self._units.get((subject.key, direction), lambda: (self._make_unit(subject, direction), 1.0))[0]

    def _make_unit(self, subject: Subject, direction: Direction) -> Tensor:
        units, config = self.find_set(subject, direction).units, subject.generator.config
        if direction.index >= len(units):
            has = f"{Path(direction.path).name} has" if direction.kind == "file" else "This model has"
            kind = "" if direction.kind == "file" else " of this kind"
            raise ValueError(f"{has} {len(units)} directions{kind}, from 0 on: choose one of them.")
        unit = torch.zeros(1, config.num_ws, config.w_dim)
        chosen = slice(direction.first, direction.last + 1)
        unit[0, chosen] = torch.from_numpy(units[direction.index]).expand(config.num_ws, -1)[chosen]
        return unit.to(next(subject.generator.parameters()).device)
