# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Map a 2-D array to RGBA with the inferno colour map."""

from functools import lru_cache

import numpy as np

MAX_SIZE = 512  # samples of a heat map a side: more than a panel has pixels


# The colour map "inferno" (of matplotlib, in the public domain) at 33 even steps: dark to light in even lightness.
INFERNO = """
000004 040312 0b0724 150b37 210c4a 2e0a5a 3c0965 4a0c6b 57106d 63146e 70196e
7d1e6d 89226a 962766 a32b61 af315c bb3755 c63e4d d14644 db4f3b e35932 eb6528
f1711e f67f14 f98d0a fb9c06 fcab0f fbba1f f9ca32 f5d949 f2e865 f3f586 fcffa4
"""


@lru_cache(maxsize=1)
def inferno() -> np.ndarray:
    """Return [256, 4] bytes, dark to light. Importing matplotlib for it would hold up a frame for 0.25 s."""
    steps = np.array([list(bytes.fromhex(code)) for code in INFERNO.split()], np.float64)
    at = np.linspace(0, len(steps) - 1, 256)
    table = np.full((256, 4), 255, np.uint8)
    for channel in range(3):
        table[:, channel] = np.interp(at, np.arange(len(steps)), steps[:, channel]).round()
    return table


def apply_colormap(levels: np.ndarray, low: float, high: float) -> np.ndarray:
    """Map [M, M] dB to uint8 [M, M, 4], at most MAX_SIZE a side: the largest of each square of neighbours is kept."""
    factor = -(-len(levels) // MAX_SIZE)
    if factor > 1:
        size = len(levels) // factor
        levels = levels[: size * factor, : size * factor].reshape(size, factor, size, factor).max(axis=(1, 3))
    places = (levels - low) * (255 / max(high - low, 1e-3))
    return inferno()[places.clip(0, 255).astype(np.uint8)]
