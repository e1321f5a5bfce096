# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The kernel distance between two sets of features (KID: Binkowski et al. 2018)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SUBSETS, SUBSET_SIZE = 100, 1000  # of the usual procedure
ROWS = 1024  # of the kernel's matrix that are held at once

Features = NDArray[np.floating]


def kernel_distance(fake: Features, real: Features) -> float:
    """Return the unbiased estimate of the squared distance between the kernel's means, over all of both, [N, D] each.

    The kernel is (x·y / D + 1)^3; in float64.
    """
    return _mean_of_pairs(fake) + _mean_of_pairs(real) - 2 * _mean_kernel(fake, real)


def kernel_distance_of_subsets(
    fake: Features, real: Features, fake_rows: NDArray[np.integer], real_rows: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return the distance of each pair of subsets, whose rows are given, [subsets, m] each; their mean is the KID."""
    return np.array([kernel_distance(fake[f], real[r]) for f, r in zip(fake_rows, real_rows, strict=True)])


def draw_subsets(num_fake: int, num_real: int, seed: int = 0) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Draw the rows of 100 subsets of 1,000 of each, or of as many as there are; without replacement, fakes first."""
    rng, size = np.random.RandomState(seed), min(num_fake, num_real, SUBSET_SIZE)
    drawn = [
        (rng.choice(num_fake, size, replace=False), rng.choice(num_real, size, replace=False)) for _ in range(SUBSETS)
    ]
    fake, real = zip(*drawn, strict=True)
    return np.stack(fake), np.stack(real)


def _kernel(x: Features, y: Features) -> NDArray[np.float64]:
    values: NDArray[np.float64] = x.astype(np.float64) @ y.astype(np.float64).T
    values /= x.shape[1]
    values += 1
    return values * values * values  # several times faster than a power


def _mean_kernel(x: Features, y: Features) -> float:
    total = sum(_kernel(x[i : i + ROWS], y).sum() for i in range(0, len(x), ROWS))
    return float(total / (len(x) * len(y)))


def _mean_of_pairs(x: Features) -> float:
    """Return the kernel's mean over pairs of different rows."""
    count = len(x)
    own = ((np.square(x.astype(np.float64)).sum(1) / x.shape[1] + 1) ** 3).sum()
    return float((_mean_kernel(x, x) * count**2 - own) / (count * (count - 1)))
