# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A grid of pictures, each of which walks through seeds of its own and back to the first, along a spline of their w's.

The spline is the closed interpolating cubic one: with knots y_0...y_{K-1} a time of 1 apart, its second derivatives m
solve (m_{i-1} + 4 m_i + m_{i+1}) / 6 = y_{i-1} - 2 y_i + y_{i+1}, all indices modulo K. They are y convolved with one
kernel, so that a point of the spline is a sum of all knots with weights that fall by 2 - sqrt(3) from knot to knot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from viz.core.latent import WeightedSum, seed_point
from viz.core.request import PictureRequest
from viz.record.video.formats import VideoError
from viz.record.video.frames import FramePainter, measure_frame
from viz.render.renderer import Renderer

LEAST_WEIGHT = 1e-7  # of a knot that counts: less is below what float32 holds


@lru_cache(maxsize=4)
def _bending(count: int) -> np.ndarray:
    """Return the kernel [count] that makes second derivatives of knots, by circular convolution."""
    cosine = np.cos(2 * np.pi * np.arange(count) / count)
    return np.fft.ifft((2 * cosine - 2) / ((4 + 2 * cosine) / 6)).real


def spline_weights(count: int, time: float) -> np.ndarray:
    """Return the weights [count] of the knots at a time, a knot's number at its own; they add up to 1."""
    first = int(np.floor(time))
    u = time - first
    v = 1.0 - u
    weights = np.zeros(count)
    for knot, value, bend in ((first, v, (v**3 - v) / 6), (first + 1, u, (u**3 - u) / 6)):
        weights[knot % count] += value
        weights += bend * np.roll(_bending(count), knot % count)
    return weights


def deal_seeds(seeds: Sequence[int], cells: int, keys: int | None = None, shuffle: int | None = None) -> np.ndarray:
    """Return the seeds of each cell, [cells, K], one cell's after the other's.

    `keys` is K, for which the seeds are repeated as often as needed; `shuffle` is the seed of their order. VideoError
    if the seeds do not go round without `keys`.
    """
    if keys is None:
        if len(seeds) % cells:
            few, more = len(seeds) - len(seeds) % cells, len(seeds) + cells - len(seeds) % cells
            several = f"{few} or {more}" if few else str(more)
            raise VideoError(
                f"{len(seeds)} seeds do not fill {cells} cells evenly: give {several}, or say by --num-keyframes how "
                "many each cell shows."
            )
        keys = len(seeds) // cells
    dealt = np.resize(np.asarray(seeds, dtype=np.int64), cells * keys)
    if shuffle is not None:
        np.random.RandomState(shuffle).shuffle(dealt)
    return dealt.reshape(cells, keys)


class SeedWalk:
    """The frames of a grid of (columns, rows) that walks through seeds [cells, K], `w_frames` from one to the next."""

    def __init__(
        self,
        request: PictureRequest,
        seeds: np.ndarray,
        grid: tuple[int, int],
        w_frames: int,
        size: tuple[int, int] | None = None,
        renderer: Renderer | None = None,
    ) -> None:
        """`request`: the picture apart from its latent. `size` None: the model's own for each cell. VideoError."""
        self._request, self._seeds, self._w_frames = request, seeds, w_frames
        self.size = size or measure_frame([request] * len(seeds), grid[0])
        self._painter = FramePainter(self.size, *grid, renderer=renderer)

    @property
    def count(self) -> int:
        return self._seeds.shape[1] * self._w_frames

    def prepare(self) -> Iterable[None]:
        return ()

    def requests(self, index: int) -> list[PictureRequest]:
        """Return the requests of a frame's pictures."""
        weights = spline_weights(self._seeds.shape[1], index / self._w_frames)
        kept = np.flatnonzero(abs(weights) > LEAST_WEIGHT)
        parts = [[(seed_point(int(cell[knot])), float(weights[knot])) for knot in kept] for cell in self._seeds]
        return [replace(self._request, latent=WeightedSum(tuple(part))) for part in parts]

    def draw(self, index: int) -> np.ndarray:
        return self._painter.draw(self.requests(index))
