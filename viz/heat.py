# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Numbers in the plane as colours."""

from functools import lru_cache

import numpy as np

SHARPEST = 512  # samples of a heat map a side: more than a panel has pixels


@lru_cache(maxsize=1)
def colours() -> np.ndarray:
    """[256, 4] bytes, dark to light in even steps of lightness."""
    from matplotlib import colormaps

    return (colormaps["inferno"](np.linspace(0, 1, 256)) * 255).round().astype(np.uint8)


def heat_map(levels: np.ndarray, low: float, high: float) -> np.ndarray:
    """[M, M] dB to uint8 [M, M, 4], at most SHARPEST a side: the largest of each square of neighbours is kept."""
    factor = -(-len(levels) // SHARPEST)
    if factor > 1:
        size = len(levels) // factor
        levels = levels[: size * factor, : size * factor].reshape(size, factor, size, factor).max(axis=(1, 3))
    places = (levels - low) * (255 / max(high - low, 1e-3))
    return colours()[places.clip(0, 255).astype(np.uint8)]
