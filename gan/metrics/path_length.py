# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The perceptual path length: how far a picture moves for a small step in latent space [SG1, sec. 4.1]."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

EPSILON = 1e-4  # the step
LOW, HIGH = 0.01, 0.99  # the distances between these shares are averaged


def slerp(a: NDArray[np.floating], b: NDArray[np.floating], t: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the points [N, D], of unit length, at shares t [N, 1] of the arcs from a to b, [N, D] each."""
    a, b = _normalize(a.astype(np.float64)), _normalize(b.astype(np.float64))
    cosine = (a * b).sum(-1, keepdims=True)
    across = _normalize(b - cosine * a)
    angle = t * np.arccos(cosine.clip(-1, 1))
    return _normalize(a * np.cos(angle) + across * np.sin(angle))


def squared_distances(
    first: NDArray[np.floating], second: NDArray[np.floating], epsilon: float = EPSILON
) -> NDArray[np.float64]:
    """Return |first - second|^2 / epsilon^2 of features [N, D] of pictures epsilon apart."""
    return np.square(first.astype(np.float64) - second).sum(1) / epsilon**2


def mean_path_length(distances: NDArray[np.floating]) -> float:
    """Return the mean of distances [N] from the 1st percentile to the 99th, both included."""
    return estimate_path_length(distances)[0]


def estimate_path_length(distances: NDArray[np.floating]) -> tuple[float, float]:
    """Return `mean_path_length`, and the standard error of that mean of what is averaged (nan for one)."""
    ordered = np.sort(distances.astype(np.float64))
    last = len(ordered) - 1
    kept = ordered[math.floor(LOW * last) : math.ceil(HIGH * last) + 1]
    error = kept.std(ddof=1) / math.sqrt(len(kept)) if len(kept) > 1 else math.nan
    return float(kept.mean()), float(error)


def _normalize(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x / np.sqrt(np.square(x).sum(-1, keepdims=True))
