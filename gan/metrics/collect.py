# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Features of a stream of pictures, kept only as far as the metrics that were asked for need them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan.metrics.features import FeatureNetwork, MissingFeatures
from gan.metrics.frechet import FeatureStats

Rows = NDArray[np.float32]


class FeatureRows:
    """Rows [n, width] that arrive in parts, at most `most` of them."""

    def __init__(self, most: int) -> None:
        self.most, self.count = most, 0
        self._parts: list[Rows] = []

    def add(self, rows: Rows) -> None:
        """Add rows, those beyond the most left out."""
        taken = rows[: self.most - self.count].astype(np.float32)
        if len(taken):
            self._parts.append(taken)
            self.count += len(taken)

    @property
    def values(self) -> Rows:
        """All rows. ValueError before the first."""
        if not self.count:
            raise ValueError("There are no features yet.")
        if len(self._parts) > 1:
            joined = np.empty((self.count, self._parts[0].shape[1]), np.float32)
            start = 0
            for i, part in enumerate(self._parts):  # each freed when it is copied: twice all would be too much
                joined[start : start + len(part)] = part
                start += len(part)
                self._parts[i] = joined[:0]
            self._parts = [joined]
        return self._parts[0]


class Collected:
    """Features of the pictures so far.

    `stats` are of the first `num_stats` pictures, `rows` their features, `probabilities` those of classes; None for
    what is asked of no picture.
    """

    def __init__(self, network: FeatureNetwork, num_stats: int, num_rows: int, num_classified: int = 0) -> None:
        self.network, self._num_stats = network, num_stats
        self.stats = FeatureStats(network.width) if num_stats else None
        self.rows = FeatureRows(num_rows) if num_rows else None
        self.probabilities = FeatureRows(num_classified) if num_classified else None

    def add(self, pictures: Tensor) -> None:
        """Look at pictures, uint8 [N, 3, H, W]: one forward pass for all metrics. MissingFeatures."""
        features = self.network(pictures)
        if not torch.isfinite(features).all():
            raise MissingFeatures(
                f"The features that {self.network.name or 'the detector'} finds are not finite numbers: give another "
                "--detector."
            )
        if self.probabilities is not None and self.probabilities.count < self.probabilities.most:
            self.probabilities.add(self.network.classify(pictures, features).cpu().numpy())
        rows: Rows = features.cpu().numpy()
        if self.stats is not None and self.stats.count < self._num_stats:
            self.stats.add(rows[: self._num_stats - self.stats.count])
        if self.rows is not None:
            self.rows.add(rows)


def sum_rows(rows: Rows, step: int = 1024) -> FeatureStats:
    """Return the sums over rows [N, D]."""
    stats = FeatureStats(rows.shape[1])
    for start in range(0, len(rows), step):
        stats.add(rows[start : start + step])
    return stats


def choose_rows(count: int, most: int, seed: int = 0) -> Sequence[int] | slice:
    """Return which of `count` rows to take where at most `most` are: all, or random ones, in order."""
    if count <= most:
        return slice(None)
    return np.sort(np.random.RandomState(seed).choice(count, most, replace=False)).tolist()
