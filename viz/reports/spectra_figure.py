# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Draw average spectra side by side [P fig. 13], heat maps with their bands and slices, or save them as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gan.analysis.bands import Band, distance_to_square
from gan.analysis.filter_response import AXIS, DIAGONAL
from viz.reports.export import Array, Export, Table
from viz.reports.style import BLUE, COLOURS, DASHES, DIM, DOTS, INK, MARK, NYQUIST, VERMILION, annotate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 8  # curves in one picture
DIRECTIONS = (AXIS, DIAGONAL)
HEAT, BEYOND = (-40.0, 20.0), 10.0  # dB [P fig. 13]: of maps, and how far slices reach beyond
COLOUR_MAP = "magma"
MAP, ONLY_MAP, PANEL, HEIGHT = 3.1, 6.1, 7.2, 7.7  # inches: a heat map, one alone, the slices beside them, all
FRAME = 1.02  # so far the panel reaches, in s/2, so that s/2 is seen
OF_MODELS = (VERMILION, BLUE, *COLOURS[2:])  # as in the window, where left is orange and right is blue
SIGNS = {"f_c": "o", "f_t": "^"}  # where a slice crosses a contour
NAME = 36  # characters of a name that fit above a heat map
LOWEST = -200.0  # dB, of what is nothing at all
CYCLES, POWER = "cycles/picture width", "power of white noise"  # units
NO_BAND = (math.nan, math.nan, False)


class Contour(NamedTuple):
    """A line on a heat map: a circle or a square of that radius, in cycles an image width."""

    label: str
    frequency: float
    radial: bool
    dashes: Any


@dataclass(frozen=True, eq=False)
class Curve:
    """One averaged spectrum, ready to be drawn; powers are linear, frequencies in cycles a picture width."""

    name: str
    pictures: int
    mean: float  # by which it was whitened
    deviation: float
    size: int
    rate: float
    band: Band | None  # None: pictures of a data set, which have no band
    frequencies: np.ndarray  # [M], of both axes
    power: np.ndarray  # [M, M], 0 in the middle, down and right
    slices: tuple[tuple[np.ndarray, np.ndarray], ...]  # (frequencies, power) along each of `angles`
    angles: tuple[float, ...] = DIRECTIONS  # degrees, counter-clockwise

    @property
    def label(self) -> str:
        return f"{shorten_name(self.name)}, {self.pictures} picture{'s' if self.pictures != 1 else ''}"


def list_contours(curve: Curve) -> tuple[Contour, ...]:
    """Return the contours on a heat map: the square of s/2, and f_c and f_t where they lie within it."""
    nyquist = Contour("s/2", curve.rate / 2, False, "-")
    if curve.band is None:
        return (nyquist,)
    band = curve.band
    inner = (Contour("f_c", band.cutoff, band.radial, DASHES), Contour("f_t", band.stopband, band.radial, DOTS))
    return (nyquist, *(contour for contour in inner if contour.frequency < nyquist.frequency))


def describe_band(curve: Curve) -> str:
    """Return the numbers below a heat map's name."""
    nyquist = f"s/2 = {_number(curve.rate / 2)}"
    if curve.band is None:
        return nyquist
    cutoff, stopband = curve.band.cutoff, curve.band.stopband
    beyond = " (beyond)" if stopband > curve.rate / 2 else ""
    if cutoff == curve.rate / 2:
        return f"f_c = {nyquist}, f_t = {_number(stopband)}{beyond}"
    return f"f_c = {_number(cutoff)}, f_t = {_number(stopband)}{beyond}, {nyquist}"


def _number(value: float) -> str:
    return f"{value:.4g}"


def shorten_name(name: str) -> str:
    """Shorten a name to fit above a heat map: keep the start and, since it tells snapshots and layers, the end."""
    return name if len(name) <= NAME else f"{name[: NAME // 3]}…{name[NAME // 3 + 1 - NAME :]}"


def to_decibels(power: np.ndarray) -> np.ndarray:
    """Convert power to decibels: 10 log10 of it."""
    return 10 * np.log10(np.maximum(power, 10 ** (LOWEST / 10)))


ARRAYS = """\b
names [K]                what each of the K spectra is of; i below counts them from 0
pictures [K]             how many pictures each is the mean of
mean, deviation [K]      what they were whitened by
size, rate [K]           samples a side, and in a picture width (s)
cutoff, stopband [K]     f_c and f_t of the layer, in cycles a picture width, nan for a data set
radial [K]               whether these are radii of circles, not half sides of squares
smooth                   deviation of the Gauss curve that all are smoothed by, in cycles a picture width; 0 for none
frequencies_i [M]        both axes of power_i, in cycles a picture width: columns to the right, rows downwards
power_i [M, M]           mean power; 1 is white noise of unit variance
frequencies_0_i [P]      of the slice along 0 degrees
slice_0_i [P]            its power
frequencies_45_i, slice_45_i [Q]
                         the same along 45 degrees, counter-clockwise
about                    title, settings, and the arrays' units, as JSON
"""


def build_spectra(
    curves: Sequence[Curve],
    title: str,
    note: str,
    about: Mapping[str, Any],
    *,
    smooth: float = 0.0,
    heat: tuple[float, float] = HEAT,
) -> Export:
    """Return the spectra ready to be written.

    `smooth` is what they were smoothed by; `heat` the dB that are darkest and brightest.
    """

    def fill(figure: Figure) -> None:
        draw_spectra(figure, curves, title, note, heat)

    inches = (_maps_width(len(curves)) + PANEL, HEIGHT)
    return Export(
        "spectra", title, {**about, "note": note}, inches, fill, _arrays(curves, smooth), lambda: _table(curves)
    )


def _arrays(curves: Sequence[Curve], smooth: float) -> tuple[Array, ...]:
    """Return the arrays that are named in `ARRAYS`; `spectra_file.read_spectra` reads them."""
    bands = [(float(c.band.cutoff), float(c.band.stopband), c.band.radial) if c.band else NO_BAND for c in curves]
    cutoffs, stopbands, radial = zip(*bands, strict=True)
    arrays = [
        Array("names", [c.name for c in curves], "", "what each spectrum is of"),
        Array("pictures", [c.pictures for c in curves], "", "how many pictures each is the mean of"),
        Array("mean", [c.mean for c in curves], "", "mean that was taken out"),
        Array("deviation", [c.deviation for c in curves], "", "deviation that was divided by"),
        Array("size", [c.size for c in curves], "samples", "samples a side"),
        Array("rate", [float(c.rate) for c in curves], "samples/picture width", "sampling rate s"),
        Array("cutoff", cutoffs, CYCLES, "f_c of the layer, nan for a data set"),
        Array("stopband", stopbands, CYCLES, "f_t of the layer, nan for a data set"),
        Array("radial", radial, "", "whether f_c and f_t are radii of circles, not half sides of squares"),
        Array("smooth", smooth, CYCLES, "deviation of the Gauss curve that they are smoothed by, 0 for none"),
    ]
    for i, curve in enumerate(curves):
        arrays.append(Array(f"frequencies_{i}", curve.frequencies, CYCLES, "both axes of the power"))
        arrays.append(Array(f"power_{i}", curve.power, POWER, "mean power; rows downwards, columns to the right"))
        for degrees, (frequencies, power) in zip(curve.angles, curve.slices, strict=True):
            along = f"of the slice along {degrees:g} degrees, counter-clockwise"
            arrays.append(Array(f"frequencies_{degrees:g}_{i}", frequencies, CYCLES, f"frequencies {along}"))
            arrays.append(Array(f"slice_{degrees:g}_{i}", power, POWER, f"mean power {along}"))
    return tuple(arrays)


def _table(curves: Sequence[Curve]) -> Table:
    """Return the slices: a row for each frequency of each."""
    names, angles, frequencies, powers = [], [], [], []
    for curve in curves:
        for degrees, (along, power) in zip(curve.angles, curve.slices, strict=True):
            names += [curve.name] * len(along)
            angles.append(np.full(len(along), degrees))
            frequencies.append(along)
            powers.append(power)
    power = np.concatenate(powers)
    return (
        Array("spectrum", names, "", "what it is of"),
        Array("angle", np.concatenate(angles), "degrees", "direction of the slice, counter-clockwise"),
        Array("frequency", np.concatenate(frequencies), CYCLES, "distance from the centre"),
        Array("power", power, POWER, "mean power; 1 is white noise of unit variance"),
        Array("level", to_decibels(power), "dB", "the same in decibels"),
    )


def describe_smoothing(deviation: float) -> str:
    """Return the end of a figure's note on what its spectra are smoothed by."""
    return f" Smoothed by a Gauss curve, σ = {deviation:g} cycles per picture width." if deviation else ""


def _grid(count: int) -> tuple[int, int]:
    """Return rows and columns of heat maps."""
    return (1, 1) if count == 1 else (2, math.ceil(count / 2))


def _maps_width(count: int) -> float:
    return ONLY_MAP if count == 1 else MAP * _grid(count)[1]


def draw_spectra(
    figure: Figure, curves: Sequence[Curve], title: str, note: str, heat: tuple[float, float] = HEAT
) -> None:
    """Draw on an empty figure: heat maps to the left, slices to the right."""
    figure.suptitle(f"{title}\n", x=0.01, ha="left", linespacing=1.5)
    figure.text(0.01, 1 - 0.32 / HEIGHT, note, fontsize=9, color=DIM, va="top")
    parts: Any = figure.subfigures(1, 2, width_ratios=[_maps_width(len(curves)), PANEL])
    _draw_maps(parts[0], curves, heat)
    angles = list(dict.fromkeys(degrees for curve in curves for degrees in curve.angles))
    reach = max(frequencies[-1] for curve in curves for frequencies, _ in curve.slices)
    *_, below = rows = parts[1].subplots(len(angles), 1, sharex=True, squeeze=False)[:, 0]
    for axes, degrees in zip(rows, angles, strict=True):
        _draw_slices(axes, curves, degrees, (reach, heat[0] - BEYOND, heat[1] + BEYOND))
    below.set_xlabel("frequency, cycles per picture width")
    signs = {contour.label for curve in curves for contour in list_contours(curve)}
    for label, marker in SIGNS.items():
        if label in signs:
            below.plot([], [], marker=marker, color=DIM, markersize=8, label=label, **MARK)
    # Below: within it would cover curves.
    parts[1].legend(*below.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)


def _draw_maps(figure: Any, curves: Sequence[Curve], heat: tuple[float, float]) -> None:
    maps = figure.subplots(*_grid(len(curves)), squeeze=False)
    for i, (axes, curve) in enumerate(zip(maps.ravel(), curves, strict=False)):
        image = _draw_map(axes, curve, choose_colour(curves, i), heat)
        axes.set_anchor("N")
    place: dict[str, Any] = {"ax": maps.ravel().tolist(), "location": "bottom", "shrink": 0.7, "aspect": 40}
    if maps.size > len(curves):  # an empty place
        empty = maps[-1, -1]
        empty.axis("off")
        place = {"cax": empty.inset_axes((0.05, 0.55, 0.9, 0.04)), "orientation": "horizontal"}
    figure.colorbar(image, extend="both", **place).set_label("power, dB")
    for axes in maps[-1]:
        axes.set_xlabel("cycles per picture width", fontsize=8)


def choose_colour(curves: Sequence[Curve], index: int) -> str:
    """Return a curve's colour: ink for data sets, colours for models."""
    if curves[index].band is None:
        return INK
    return OF_MODELS[sum(curve.band is not None for curve in curves[:index]) % len(OF_MODELS)]


def _draw_map(axes: Axes, curve: Curve, colour: str, heat: tuple[float, float]) -> Any:
    from matplotlib.patches import Circle, Rectangle
    from matplotlib.patheffects import withStroke

    # The spectrum repeats: what is at -s/2 is at s/2, too, and the map is as wide to either side.
    step = curve.frequencies[1] - curve.frequencies[0]
    beyond = (-curve.frequencies[0] - curve.frequencies[-1]) / step
    power = np.pad(curve.power, (0, round(beyond)), mode="wrap")
    reach = (len(power) * step) / 2
    nyquist = curve.rate / 2
    # Rows point down, as pictures do; the axis counts upwards.
    image = axes.imshow(
        to_decibels(power),
        cmap=COLOUR_MAP,
        vmin=heat[0],
        vmax=heat[1],
        interpolation="nearest",
        extent=(-reach, reach, -reach, reach),
        origin="upper",
    )
    image.set_clip_path(Rectangle((-nyquist, -nyquist), 2 * nyquist, 2 * nyquist, transform=axes.transData))
    for label, frequency, radial, dashes in list_contours(curve):
        line: dict[str, Any] = {"fill": False, "linewidth": 1.3, "linestyle": dashes, "label": label}
        line |= {"edgecolor": INK if label == "s/2" else "white"}
        corner, side = (-frequency, -frequency), 2 * frequency
        axes.add_patch(Circle((0, 0), frequency, **line) if radial else Rectangle(corner, side, side, **line))
        if label != "s/2":
            style = {"color": "white", "fontsize": 9, "ha": "center", "va": "top"}
            rim = [withStroke(linewidth=2, foreground=INK)]
            annotate(axes, label, (0, frequency), (0, -4), xycoords="data", path_effects=rim, **style)
    limit = nyquist * FRAME
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit))
    axes.grid(False)
    axes.spines[["left", "bottom"]].set_visible(False)
    ticks = [-nyquist, -nyquist / 2, 0, nyquist / 2, nyquist]
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    axes.tick_params(labelsize=8)
    axes.set_title(f"{shorten_name(curve.name)}\n", color=colour, fontsize=10)
    annotate(axes, describe_band(curve), (0, 1), (0, 5), fontsize=8, color=DIM, va="bottom")
    return image


def _draw_slices(axes: Axes, curves: Sequence[Curve], degrees: float, limits: tuple[float, float, float]) -> None:
    """Draw all curves along a direction, up to a frequency and between two levels in dB."""
    reach, low, high = limits
    for i, curve in enumerate(curves):
        if degrees not in curve.angles:
            continue
        frequencies, power = curve.slices[curve.angles.index(degrees)]
        colour, levels = choose_colour(curves, i), to_decibels(power)
        order = 3 if curve.band is None else 2.5
        axes.plot(frequencies, levels, color=colour, linewidth=1.6, label=curve.label, zorder=order)
        for contour in list_contours(curve):
            if contour.label in SIGNS:
                at = contour_distance(contour, degrees)
                level = np.interp(at, frequencies, levels)
                style: dict[str, Any] = {"marker": SIGNS[contour.label], "markersize": 8, "clip_on": False, "zorder": 4}
                axes.plot(at, max(level, low), color=colour, **MARK, **style)
    for nyquist in sorted({curve.rate / 2 for curve in curves}):
        at = distance_to_square(nyquist, degrees)
        axes.axvline(at, color=DIM, linewidth=1.2, linestyle=NYQUIST)
        times = {AXIS: "", DIAGONAL: "√2 "}.get(degrees)
        label = f"{times}s/2 = {_number(at)}" if times is not None else f"edge = {_number(at)}"
        style = {"ha": "right", "va": "top", "color": DIM, "fontsize": 9}
        annotate(axes, label, (at, high), (-4, -2), xycoords="data", **style)
    axes.set(xlim=(0, reach * 1.005), ylim=(low, high), ylabel="power, dB")
    axes.set_title(f"Slice at {degrees:g}°")


def contour_distance(contour: Contour, degrees: float) -> float:
    """Return how far from the centre a direction meets a contour."""
    return contour.frequency if contour.radial else distance_to_square(contour.frequency, degrees)
