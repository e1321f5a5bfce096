# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The inception score of class probabilities (Salimans et al. 2016)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SPLITS = 10


def inception_score(probabilities: NDArray[np.floating], splits: int = SPLITS) -> tuple[float, float]:
    """Return the mean and the deviation, over the splits, of exp(E KL(p(class | picture) || p(class))).

    `probabilities` is [N, classes]; a split's p(class) is its own mean. ValueError for fewer pictures than splits.
    """
    count = len(probabilities)
    if count < splits:
        raise ValueError(f"An inception score needs at least {splits} pictures, not {count}.")
    scores = []
    for i in range(splits):
        part = probabilities[i * count // splits : (i + 1) * count // splits].astype(np.float64)
        mean = part.mean(0, keepdims=True)
        # p ln p is 0 where p is.
        logs = np.log(np.where(part > 0, part, 1)) - np.log(np.where(mean > 0, mean, 1))
        scores.append(np.exp((part * logs).sum(1).mean()))
    return float(np.mean(scores)), float(np.std(scores))
