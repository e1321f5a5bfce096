# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Colour spaces, periodic value noise, soft edges and the band-limited downsampling that critters are made with.

Everything works on float32 arrays of samples and knows nothing about animals.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

# float32 throughout; numpy's stubs take float32 times a Python float for float64, which no annotation can follow.
Array = NDArray[Any]

FILTER_RADIUS = 3  # output pixels to each side that the downsampling's filter reaches

# OKLab to linear sRGB, from Ottosson, "A perceptual color space for image processing" (2020).
_OKLAB_TO_LMS = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def oklch_to_linear(lightness: float, chroma: float, hue: float) -> Array:
    """Convert an OKLCH colour, hue in degrees, to linear sRGB [3]; chroma shrinks until the colour is in the gamut."""
    angle = np.deg2rad(hue)
    for shrink in np.linspace(1, 0, 21):
        lab = np.array([lightness, shrink * chroma * np.cos(angle), shrink * chroma * np.sin(angle)])
        rgb = _LMS_TO_RGB @ (_OKLAB_TO_LMS @ lab) ** 3
        if rgb.min() >= -1e-4 and rgb.max() <= 1 + 1e-4:
            break
    return np.clip(rgb, 0, 1).astype(np.float32)


def encode_srgb(linear: Array) -> NDArray[np.uint8]:
    """Encode linear light in [0, 1] (clamped) by the sRGB curve (IEC 61966-2-1) to 8 bits."""
    x = np.clip(linear, 0, 1)
    encoded = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-9) ** (1 / 2.4) - 0.055)
    return (255 * encoded + 0.5).astype(np.uint8)


def downsampling_filter(factor: int) -> Array:
    """Return the low-pass filter at `factor` samples a pixel, [2 * FILTER_RADIUS * factor], summing to one.

    A Kaiser-windowed sinc. Its cutoff lies a little under the Nyquist frequency and its window is short, which trades
    a touch of sharpness for the absence of visible ringing around bright edges.
    """
    taps = 2 * FILTER_RADIUS * factor
    t = (np.arange(taps) + 0.5) / factor - FILTER_RADIUS
    weights = np.sinc(0.85 * t) * np.i0(4.0 * np.sqrt(1 - (t / FILTER_RADIUS) ** 2))
    return (weights / weights.sum()).astype(np.float32)


def downsample(samples: Array, factor: int) -> Array:
    """Low-pass and decimate samples [(size + 2 * FILTER_RADIUS - 1) * factor]^2 x C to [size, size, C].

    The first pixel's filter starts at the first sample. Plain sums in a fixed order, and not a matrix product, whose
    rounding may change with the number of BLAS threads: a seed must give the same bytes.
    """
    size = samples.shape[0] // factor - 2 * FILTER_RADIUS + 1
    for _ in range(2):
        total = np.zeros((size,) + samples.shape[1:], np.float32)
        for start, weight in enumerate(downsampling_filter(factor)):
            total += weight * samples[start : start + size * factor : factor][:size]
        samples = total.swapaxes(0, 1)
    return samples


def smoothstep(low: float, high: float, x: Array) -> Array:
    """Return 0 below `low`, 1 above `high` and the cubic in between; low > high turns it round."""
    t = np.clip((x - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return t * t * (3 - 2 * t)


def rotate(x: Any, y: Any, radians: float) -> tuple[Any, Any]:
    """Return coordinates, numbers or arrays, in a frame turned clockwise in the picture (x right, y down)."""
    cos, sin = math.cos(radians), math.sin(radians)
    return cos * x + sin * y, cos * y - sin * x


def mix(a: Array, b: Array, amount: Array) -> Array:
    """Blend colours a and b, [..., 3], by an amount [...]."""
    return a + (b - a) * amount[..., None]


def bell(x: Array, y: Array, wide: float, high: float) -> Array:
    """Return a Gaussian bump exp(-(x/wide)^2 - (y/high)^2)."""
    return np.exp(-((x / np.float32(wide)) ** 2 + (y / np.float32(high)) ** 2))


class Noise:
    """Smooth value noise in [-1, 1] from one random table; each `layer` reads another part of it."""

    ROWS, COLUMNS = 64, 512

    def __init__(self, rng: np.random.Generator) -> None:
        self._table = (2 * rng.random((self.ROWS, self.COLUMNS), dtype=np.float32) - 1).ravel()

    def __call__(self, u: Array, v: Array, layer: int, period: int = COLUMNS) -> Array:
        """Return noise at (u, v) in cells, periodic over `period` cells in u, so that angles close without a seam."""
        iu, iv = np.floor(u), np.floor(v)
        fu, fv = u - iu, v - iv
        fu, fv = fu * fu * (3 - 2 * fu), fv * fv * (3 - 2 * fv)
        iu -= period * np.floor(iu / np.float32(period))
        u0 = iu.astype(np.int32)
        u1 = u0 + 1
        u1[u1 == period] = 0
        # Both sides of the table are powers of two, so that a mask wraps.
        u0, u1 = ((u + 97 * layer) & (self.COLUMNS - 1) for u in (u0, u1))
        v0 = iv.astype(np.int32) + 13 * layer
        v0, v1 = ((v & (self.ROWS - 1)) * self.COLUMNS for v in (v0, v0 + 1))
        table = self._table
        top = table[v0 + u0]
        top += (table[v0 + u1] - top) * fu
        bottom = table[v1 + u0]
        bottom += (table[v1 + u1] - bottom) * fu
        return top + (bottom - top) * fv

    def worley(self, x: Array, y: Array, layer: int) -> tuple[Array, Array]:
        """Return the distance to the nearest of jittered points, one per unit cell, and its cell's value in [-1, 1]."""
        fx, fy = x - np.floor(x) - 0.5, y - np.floor(y) - 0.5
        ix, iy = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
        best = np.full(x.shape, 9, np.float32)
        value = np.zeros(x.shape, np.float32)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                cx, cy = ix + dx, iy + dy
                at = (cy + 13 * layer) % self.ROWS * self.COLUMNS + (cx + 97 * layer) % self.COLUMNS
                jitter_x, jitter_y = self._table[at], self._table[(at + 7777) % self._table.size]
                off_x, off_y = fx - np.float32(dx) - 0.36 * jitter_x, fy - np.float32(dy) - 0.36 * jitter_y
                distance = off_x**2 + off_y**2
                nearer = distance < best
                best = np.where(nearer, distance, best)
                value = np.where(nearer, self._table[(at + 3333) % self._table.size], value)
        return np.sqrt(best), value
