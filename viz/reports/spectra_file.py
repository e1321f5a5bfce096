# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Read spectra that were written as .npz back, and smooth spectra."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan.analysis.bands import Band
from gan.data.array_files import ArrayFileError, read_npz
from gan.files.errors import sanitize_text
from viz.reports.spectra_figure import MOST, Curve

LARGEST_FILE = 2**30  # bytes, packed or not: eight spectra of 4096 samples a side
MOST_ANGLES = 8
NAMED = ("names", "pictures", "mean", "deviation", "size", "rate", "cutoff", "stopband", "radial")


class SpectraFile(NamedTuple):
    """The contents of a file of spectra. Title and note are those of the figure, "" where it does not say them."""

    curves: list[Curve]
    smooth: float  # what they were smoothed by, cycles a picture width; 0 for nothing
    title: str = ""
    note: str = ""


class SpectraFileError(ValueError):
    """A file that spectra cannot be drawn from; one sentence."""


def read_spectra(path: Path) -> SpectraFile:
    """Return what is in a file that `spectra` or the Spectrum panel wrote.

    Raises SpectraFileError, one sentence.
    """
    name = sanitize_text(path.name, 100)
    try:
        arrays = read_npz(path, LARGEST_FILE)
    except ArrayFileError as problem:
        raise SpectraFileError(f"{name} {problem}") from None
    missing = [key for key in NAMED if key not in arrays]
    if missing:
        raise SpectraFileError(f"{name} holds no spectra (no array {missing[0]!r}): give an .npz that `spectra` wrote.")
    try:
        count = len(arrays["names"])
        if not 1 <= count <= MOST or any(arrays[key].shape != (count,) for key in NAMED):
            raise ValueError(f"it has {count} spectra, and 1 to {MOST} can be drawn")
        smooth = float(arrays["smooth"]) if "smooth" in arrays else 0.0
        if not 0 <= smooth < 1e6:
            raise ValueError("smooth is no deviation")
        return SpectraFile([_read_curve(arrays, i) for i in range(count)], smooth, *_read_words(arrays))
    except (ValueError, KeyError, IndexError, TypeError, OverflowError) as problem:
        words = f"{problem.args[0]} is missing" if isinstance(problem, KeyError) else str(problem)
        raise SpectraFileError(f"{name} is damaged: {sanitize_text(words, 200)}.") from None


def _read_words(arrays: Mapping[str, np.ndarray]) -> tuple[str, str]:
    """Return the title and the note that a file carries, "" for those that it does not."""
    try:
        document = json.loads(str(arrays["about"]))
        words = document["title"], document["about"]["note"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return "", ""
    title, note = (sanitize_text(text, 300) if isinstance(text, str) else "" for text in words)
    return title, note


def _read_curve(arrays: Mapping[str, np.ndarray], i: int) -> Curve:
    size, rate = int(arrays["size"][i]), float(arrays["rate"][i])
    cutoff, stopband = float(arrays["cutoff"][i]), float(arrays["stopband"][i])
    frequencies, power = _numbers(arrays, f"frequencies_{i}", 1), _numbers(arrays, f"power_{i}", 2)
    if not (0 < size and 0 < rate < 1e9 and len(frequencies) >= 4 and power.shape == 2 * frequencies.shape):
        raise ValueError(f"power_{i} and its frequencies do not fit together")
    slices = {}
    for key in arrays:
        if found := re.fullmatch(rf"slice_([0-9.]{{1,8}})_{i}", key):
            along, values = _numbers(arrays, f"frequencies_{found[1]}_{i}", 1), _numbers(arrays, key, 1)
            if along.shape != values.shape or len(along) < 2:
                raise ValueError(f"{key} and its frequencies do not fit together")
            slices[float(found[1])] = (along, values)
    if not 1 <= len(slices) <= MOST_ANGLES:
        raise ValueError(f"spectrum {i} has {len(slices)} slices")
    band = None
    if math.isfinite(cutoff) and math.isfinite(stopband):
        radial = bool(arrays["radial"][i])
        band = Band("", None, 0, size, int(rate), cutoff, stopband, stopband, radial, cutoff >= rate / 2)
    return Curve(
        sanitize_text(str(arrays["names"][i]), 200),
        int(arrays["pictures"][i]),
        float(arrays["mean"][i]),
        float(arrays["deviation"][i]),
        size,
        rate,
        band,
        frequencies,
        power,
        tuple(slices.values()),
        tuple(slices),
    )


def _numbers(arrays: Mapping[str, np.ndarray], name: str, dimensions: int) -> np.ndarray:
    """Return an array of finite numbers that are evenly meant: float64, with so many dimensions. Raises ValueError."""
    values = arrays[name]
    if values.dtype.kind not in "fiu" or values.ndim != dimensions:
        raise ValueError(f"{name} has the shape {list(values.shape)}")
    values = values.astype(np.float64)
    if not np.isfinite(values).all() or np.abs(values).max(initial=0) > 1e30:
        raise ValueError(f"{name} holds numbers that are not finite, or too large")
    return values


def smooth_curve(curve: Curve, deviation: float) -> Curve:
    """Return a spectrum whose power is averaged under a Gauss curve of that deviation, in cycles a picture width.

    The map repeats beyond its edges, as spectra do; slices are even about 0 and about their end, so they are mirrored
    there (the free one of the panel's is about even there).
    """
    if deviation == 0:
        return curve
    step = float(curve.frequencies[1] - curve.frequencies[0])
    power = curve.power
    for axis in (0, 1):
        power = _average(power, deviation / step, axis)
    slices = []
    for along, values in curve.slices:
        around = np.concatenate([values, values[-2:0:-1]])
        slices.append((along, _average(around, deviation / float(along[1] - along[0]), 0)[: len(values)]))
    return replace(curve, power=power, slices=tuple(slices))


def _average(values: np.ndarray, deviation: float, axis: int) -> np.ndarray:
    """Average what repeats along an axis under a Gauss curve of `deviation` samples."""
    count = values.shape[axis]
    places = np.arange(count)
    weights = np.exp(-0.5 * (np.minimum(places, count - places) / deviation) ** 2)
    weights /= weights.sum()
    shape = [1] * values.ndim
    shape[axis] = -1
    product = np.fft.rfft(values, axis=axis) * np.fft.rfft(weights).reshape(shape)
    return np.maximum(np.fft.irfft(product, count, axis=axis), 0.0)
