# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Frechet distance between two sets of features (FID: Heusel et al. 2017)."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray


class FeatureStats:
    """Sums over features [N, D], from which their mean and covariance come; all in float64."""

    def __init__(self, width: int) -> None:
        self.count = 0
        self._sum = np.zeros(width)
        self._products = np.zeros((width, width))

    def add(self, features: NDArray[np.floating]) -> None:
        """Add features [n, D]."""
        values = features.astype(np.float64)
        sums, products = self._sum + values.sum(0), self._products + values.T @ values
        self.count, self._sum, self._products = self.count + len(values), sums, products  # at once, even on Ctrl-C

    @property
    def sums(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the sums of the features [D] and of their products [D, D]."""
        return self._sum, self._products

    @classmethod
    def restore(cls, count: int, sums: NDArray[np.float64], products: NDArray[np.float64]) -> Self:
        """Return statistics of which `count` and `sums` are known. ValueError for what does not fit together."""
        width = len(sums)
        if count < 1 or sums.shape != (width,) or products.shape != (width, width):
            raise ValueError("The sums of features do not fit together.")
        stats = cls(width)
        stats.count, stats._sum, stats._products = count, sums, products
        return stats

    @property
    def mean(self) -> NDArray[np.float64]:
        return self._sum / self.count

    @property
    def covariance(self) -> NDArray[np.float64]:
        """Return the mean of x xT less the means' product: divided by N, as the published code does."""
        return self._products / self.count - np.outer(self.mean, self.mean)


def frechet_distance(first: FeatureStats, second: FeatureStats) -> float:
    """Return |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).

    The trace of the root is that of (C1^(1/2) C2 C1^(1/2))^(1/2), which is symmetric: its eigenvalues are the same.
    """
    values, vectors = np.linalg.eigh(first.covariance)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    inner = np.linalg.eigvalsh(root @ second.covariance @ root)
    traces = np.trace(first.covariance) + np.trace(second.covariance)
    return float(np.square(first.mean - second.mean).sum() + traces - 2 * np.sqrt(inner.clip(0)).sum())
