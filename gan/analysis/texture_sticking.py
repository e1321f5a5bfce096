# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Texture sticking made visible [P fig. 1]: the mean of a latent's neighbourhood, and slices in place and time.

Frames k = 1...K show a content that moves. h_k is a frame's *fine detail*: the frame less its Gaussian blur of `SIGMA`
pixels, which keeps half the energy at 1/8 cycle a pixel and more above. The share of it that stays on the screen is

    sum over P of <h_k, h_l> / |P|  divided by  sum over k of <h_k, h_k> / K,

P being pairs of *different* frames. Differences at random between frames are uncorrelated in such pairs, so they count
below the line alone; with all K^2 pairs they would add 1/K. Detail that the frames have in common at the same place
counts in full. Moving detail counts for nothing on average, provided that it moved by its own width (some 4 pixels) or
more between the two frames of a pair: `temporal_persistence` therefore takes pairs that are far apart in time. The
content's motion is not known here; where it is, `stickiness` measures the same share exactly, a pixel at a time.

Nothing here needs torch. Pictures are arrays [H, W, C], positions fractions of the picture's width and height.
"""

import math
from functools import lru_cache

import numpy as np

from gan.networks.filter_design import PICTURE_LOBES, lanczos

SIGMA = 2.0  # pixels; |1 - exp(-2 (pi sigma f)^2)|^2 is one half at f = 1/8
MIN_DISTANCE_SHARE = 1 / 8  # of a slice's length: pairs of its columns are at least so far apart
ROUNDING_ENERGY = 1e-10  # of a picture's energy: so little fine detail is the rounding of a flat picture


def sample_segment(picture: np.ndarray, x0: float, y0: float, x1: float, y1: float, samples: int) -> np.ndarray:
    """Sample a picture [H, W, C] along the segment from (x0, y0) to (x1, y1), both included: [samples, C] float32.

    (0, 0) is the picture's left upper corner, (1, 1) the right lower one; beyond the border its pixels repeat.
    A Lanczos filter samples it, since bilinear interpolation blurs most halfway between two pixels and would draw
    streaks of its own into every slice. `samples` should be at least the number of pixels on the segment, or detail
    aliases.
    """
    rows, columns, down, right = _taps(*picture.shape[:2], x0, y0, x1, y1, samples)
    values: np.ndarray = picture[rows[:, :, None], columns[:, None, :]].astype(np.float32)  # [samples, 6, 6, C]
    return np.einsum("si,sj,sijc->sc", down, right, values, optimize=_ORDER)


_ORDER = ["einsum_path", (1, 2), (0, 1)]  # over columns, then over rows


@lru_cache(maxsize=16)
def _taps(
    height: int, width: int, x0: float, y0: float, x1: float, y1: float, samples: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Compute the rows and columns [samples, 6] that each sample reads, and their weights."""
    along = np.linspace(0.0, 1.0, samples)
    found = []
    for first, last, size in ((y0, y1, height), (x0, x1, width)):
        where = (first + along * (last - first)) * size - 0.5  # a pixel's value lies at its centre
        taps = np.floor(where)[:, None] + np.arange(1 - PICTURE_LOBES, PICTURE_LOBES + 1)
        weights = lanczos(where[:, None] - taps)
        weights /= weights.sum(axis=1, keepdims=True)
        found.append((np.clip(taps, 0, size - 1).astype(np.intp), weights.astype(np.float32)))
    (rows, down), (columns, right) = found
    return rows, columns, down, right


class SliceBuffer:
    """The last columns of an x-t slice, one segment for each frame. Appending copies the column only."""

    def __init__(self, capacity: int, samples: int, channels: int = 3, dtype: type = np.uint8) -> None:
        """Reserve `capacity` columns of `samples` values; uint8 values are rounded and clamped to 0...255."""
        self.capacity, self.samples, self.channels = capacity, samples, channels
        # Every column is kept twice, `capacity` apart, so that the last ones always are contiguous.
        self._columns: np.ndarray = np.zeros((2 * capacity, samples, channels), dtype)
        self._next = self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, column: np.ndarray) -> None:
        """Add a column [samples, channels], which replaces the oldest one once there are `capacity`."""
        if self._columns.dtype == np.uint8:
            column = np.clip(np.rint(column), 0, 255)
        self._columns[self._next] = self._columns[self._next + self.capacity] = column
        self._next = (self._next + 1) % self.capacity
        self._count = min(self._count + 1, self.capacity)

    @property
    def columns(self) -> np.ndarray:
        """View of the columns [count, samples, channels], oldest first, valid until the next `append`."""
        end = self._next + self.capacity
        return self._columns[end - self._count : end]

    @property
    def picture(self) -> np.ndarray:
        """View of the slice as a picture [samples, count, channels], with time to the right."""
        return self.columns.transpose(1, 0, 2)

    def clear(self) -> None:
        self._next = self._count = 0


@lru_cache(maxsize=16)
def _high_pass(size: int, sigma: float) -> np.ndarray:
    """Return the matrix [size, size] that subtracts a Gaussian blur of `sigma` from values along an axis."""
    x = np.arange(size)
    blur = np.exp(-0.5 * ((x - x[:, None]) / sigma) ** 2)
    return (np.eye(size) - blur / blur.sum(axis=1, keepdims=True)).astype(np.float32)


def extract_fine_detail(picture: np.ndarray) -> np.ndarray:
    """Subtract from a picture [H, W, C] its blur of SIGMA pixels, in float32."""
    x: np.ndarray = picture.astype(np.float32).transpose(2, 0, 1)
    rows, columns = _high_pass(x.shape[1], SIGMA), _high_pass(x.shape[2], SIGMA)
    left = x - rows @ x  # blurred along y
    return np.asarray(x - (left - left @ columns.T)).transpose(1, 2, 0)


def temporal_persistence(columns: np.ndarray, per_pixel: float, closed: bool = False) -> float:
    """Compute the share of fine detail that stays in place in an x-t slice [count, samples, C]; nan for few columns.

    The module's formula with columns for frames, blurred along the segment alone; `per_pixel` samples make a pixel of
    the picture. Pairs are at least an eighth of the slice apart; in a `closed` slice the first column follows the last.
    Content at rest counts like texture that sticks, so compare only slices whose contents move alike.
    """
    count, samples = columns.shape[:2]
    apart = math.ceil(count * MIN_DISTANCE_SHARE)
    if count < 2 / MIN_DISTANCE_SHARE:
        return math.nan
    h = np.tensordot(_high_pass(samples, SIGMA * per_pixel), columns.astype(np.float32), axes=(1, 1))
    h = h.transpose(1, 0, 2).reshape(count, -1).astype(np.float64)
    energy = float((h * h).sum()) / count
    partners, pairs = np.cumsum(h, axis=0), (count - apart) * (count - apart + 1) / 2
    cross = float((h[apart:] * partners[:-apart]).sum())
    if closed:  # pairs that are close across the seam
        near = apart - 1
        cross -= sum(float(h[i] @ partners[i + near - count]) for i in range(count - near, count))
        pairs -= near * (near + 1) / 2
    return cross / pairs / energy if energy > ROUNDING_ENERGY * h.shape[1] * _mean_square(columns) else math.nan


def _mean_square(values: np.ndarray) -> float:
    return float(np.square(values, dtype=np.float64).mean())


def perturb_latent(z: np.ndarray, radius: float, seed: int, index: int) -> np.ndarray:
    """Return a latent near z [z_dim]: (z + radius n) / sqrt(1 + radius^2) with n drawn from N(0, I).

    If z is a draw from N(0, I) so is the result, at an angle of about atan(radius) from z; so a radius means the same
    for any z_dim, mapping network and rung. `seed` and `index` decide n.
    """
    n = np.random.default_rng([seed, index]).standard_normal(z.shape)
    return (z + radius * n) / math.sqrt(1.0 + radius * radius)


def latent_circle(z: np.ndarray, radius: float, seed: int, phase: float) -> np.ndarray:
    """Return the point at `phase` turns of a circle around z [z_dim].

    It is as far from z as `perturb_latent` is on average; the circle's two directions are those of its indices 0 and 1.
    """
    n = [np.random.default_rng([seed, index]).standard_normal(z.shape) for index in (0, 1)]
    angle = 2 * math.pi * phase
    return (z + radius * (math.cos(angle) * n[0] + math.sin(angle) * n[1])) / math.sqrt(1.0 + radius * radius)


class NeighbourhoodMean:
    """A running mean of pictures [H, W, C] of perturbed latents, in float64."""

    def __init__(self) -> None:
        self.count = 0
        self._sum: np.ndarray | None = None
        self._energy = self._whole = 0.0  # sums of mean squares of fine details, and of pictures

    def add(self, picture: np.ndarray) -> None:
        detail = extract_fine_detail(picture)
        self._energy += _mean_square(detail)
        self._whole += _mean_square(picture)
        self._sum = picture.astype(np.float64) if self._sum is None else self._sum + picture
        self.count += 1

    @property
    def mean(self) -> np.ndarray:
        """Mean picture [H, W, C], float64, in the pictures' units. ValueError before the first picture."""
        if self._sum is None:
            raise ValueError("There is no mean before the first picture.")
        return self._sum / self.count

    @property
    def kept(self) -> float:
        """Share of fine detail that all pictures have in common: the module's formula over all pairs.

        1 if all are the same; nan for fewer than two pictures, and for pictures without fine detail.
        """
        if self.count < 2 or self._energy <= ROUNDING_ENERGY * self._whole:
            return math.nan
        common = _mean_square(extract_fine_detail(self.mean)) * self.count**2
        return (common - self._energy) / ((self.count - 1) * self._energy)
