# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Offers of the Sticking panel: x-t slices, neighbourhood means, and the meters' figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gan.analysis.metric_names import TITLES
from gan.hub.resolve import format_title
from viz.core.state import Slot, StickingState
from viz.instruments.sticking import Measured
from viz.record.save_export import Offer
from viz.reports.export import Array, Export, Table
from viz.reports.style import DIM, GREEN, INK, VERMILION, annotate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from viz.render.renderer import Renderer

ACCENTS = {"left": "#b06a0c", "right": "#1a74b0"}  # the slots', of the light theme
GAP = 8  # rows of white between two slices in a picture
SLICE_INCHES, HEAD = (9.0, 2.1), 0.75  # of one slice, and above all
MEAN_INCHES = (7.4, 4.0)  # of one slot's two pictures
SHARES = (("stays", VERMILION, "white"), ("follows", GREEN, "white"), ("boils", "#c3c6cb", INK))


@dataclass(frozen=True, eq=False)
class SlotSlice:
    """A slot's x-t slice, uint8 [samples, frames, 3], oldest at the left, and its share of streaks (nan: unknown)."""

    slot: Slot
    model: str
    pixels: np.ndarray
    streaks: float


@dataclass(frozen=True, eq=False)
class SlotMean:
    """A slot's picture and the mean of its neighbours, uint8 [H, W, 3], and the share that they have in common."""

    slot: Slot
    model: str
    centre: np.ndarray
    mean: np.ndarray
    count: int
    kept: float


def offer_slices(found: Sequence[SlotSlice], chosen: StickingState) -> Offer | None:
    """Offer what has been recorded along the line; a picture of it has a sample a pixel, left above right."""
    if not found:
        return None
    line = (chosen.x0, chosen.y0, chosen.x1, chosen.y1)
    length = math.hypot(line[2] - line[0], line[3] - line[1])
    title = "x-t slices of " + " and ".join(format_title(one.model) for one in found)
    arrays = [Array("segment", line, "picture widths", "x and y of the line's ends, from the left upper corner")]
    for one in found:
        of = f"slice of {format_title(one.model)} in the {one.slot} slot; place on the line, picture, RGB"
        along = np.linspace(0, length, len(one.pixels))
        arrays.append(Array(one.slot, one.pixels, "0 to 255", of))
        arrays.append(Array(f"{one.slot}_place", along, "picture widths", "distance from the line's first end"))
        arrays.append(Array(f"{one.slot}_streaks", one.streaks, "share", "of its fine detail that stays over time"))

    def fill(figure: Figure) -> None:
        figure.suptitle(title, x=0.01, ha="left")
        rows = figure.subplots(len(found), 1, squeeze=False)[:, 0]
        for axes, one in zip(rows, found, strict=True):
            frames = one.pixels.shape[1]
            axes.imshow(one.pixels, aspect="auto", interpolation="nearest", extent=(0, frames, length, 0))
            axes.grid(False)
            share = "" if math.isnan(one.streaks) else f"streaks {max(0.0, 100 * one.streaks):.0f} %"
            axes.set_title(f"{one.slot}: {format_title(one.model)}", color=ACCENTS[one.slot])
            annotate(axes, share, (1, 1), (0, 5), ha="right", color=DIM, fontsize=9)
            axes.set_ylabel("along the line,\npicture widths")
        rows[-1].set_xlabel("pictures, time to the right")

    def table() -> Table:
        return _tabulate_slices(found, length)

    def collect(_: Renderer) -> Export:
        inches = (SLICE_INCHES[0], SLICE_INCHES[1] * len(found) + HEAD)
        about = {one.slot: format_title(one.model) for one in found} | {"segment": line}
        return Export("slices", title, about, inches, fill, tuple(arrays), table, _stack([o.pixels for o in found]))

    return Offer("x-t slices", collect)


def _tabulate_slices(found: Sequence[SlotSlice], length: float) -> Table:
    """Return a row for each sample of each slice."""
    parts = []
    for one in found:
        samples, frames = one.pixels.shape[:2]
        place = np.repeat(np.linspace(0, length, samples), frames)
        parts.append((np.full(samples * frames, one.slot), place, np.tile(np.arange(frames), samples), one.pixels))
    slots, places, frames_, colours = zip(*parts, strict=True)
    rgb = np.concatenate([pixels.reshape(-1, 3) for pixels in colours])
    return (
        Array("slot", np.concatenate(slots), "", "left or right"),
        Array("place", np.concatenate(places), "picture widths", "distance from the line's first end"),
        Array("picture", np.concatenate(frames_), "", "number of the picture, the oldest is 0"),
        *(Array(name, rgb[:, i], "0 to 255", f"{name} there") for i, name in enumerate(("red", "green", "blue"))),
    )


def _stack(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Put pictures [H, W, 3] below each other, white between them and where one is narrower."""
    width = max(picture.shape[1] for picture in pictures)
    rows: list[np.ndarray] = []
    for picture in pictures:
        rows += [np.full((GAP, width, 3), 255, np.uint8)] if rows else []
        rows.append(np.pad(picture, ((0, 0), (width - picture.shape[1], 0), (0, 0)), constant_values=255))
    return np.concatenate(rows)


def offer_means(found: Sequence[SlotMean], chosen: StickingState) -> Offer | None:
    """Offer each slot's picture beside the mean of its neighbours."""
    if not found:
        return None
    title = "Neighbourhood means of " + " and ".join(format_title(one.model) for one in found)
    arrays: list[Array] = []
    rows: list[tuple[Any, ...]] = []
    for one in found:
        of = f"{format_title(one.model)} in the {one.slot} slot; row, column, RGB"
        arrays.append(Array(f"{one.slot}_centre", one.centre, "0 to 255", f"picture of {of}"))
        arrays.append(Array(f"{one.slot}_mean", one.mean, "0 to 255", f"mean of {one.count} neighbours of {of}"))
        rows.append((one.slot, format_title(one.model), one.count, one.kept))
    heads = (
        ("slot", "", "left or right"),
        ("model", "", "its name"),
        ("neighbours", "", "how many the mean is of"),
        ("kept", "share", "of the fine detail that all neighbours have at the same place"),
    )
    columns = tuple(Array(*_named(head, values)) for head, values in zip(heads, zip(*rows, strict=True), strict=True))

    def fill(figure: Figure) -> None:
        figure.suptitle(title, x=0.01, ha="left")
        for places, one in zip(figure.subplots(len(found), 2, squeeze=False), found, strict=True):
            kept = "" if math.isnan(one.kept) else f", {100 * one.kept:.0f} % in common"
            words = (f"{one.slot}: {format_title(one.model)}", f"mean of {one.count} neighbours{kept}")
            for axes, pixels, text in zip(places, (one.centre, one.mean), words, strict=True):
                axes.imshow(pixels, interpolation="antialiased")
                axes.axis("off")
                axes.set_title(text, fontsize=10, color=ACCENTS[one.slot])

    def collect(_: Renderer) -> Export:
        about = {one.slot: format_title(one.model) for one in found} | {"radius": chosen.radius}
        inches = (MEAN_INCHES[0], MEAN_INCHES[1] * len(found) + HEAD / 2)
        return Export("means", title, about, inches, fill, (*arrays, *columns), lambda: columns)

    return Offer("neighbourhood means", collect)


def _named(head: tuple[str, str, str], values: Any) -> tuple[str, Any, str, str]:
    return head[0], values, head[1], head[2]


def offer_meters(found: Mapping[Slot, Measured]) -> Offer | None:
    """Offer the figures of what was measured: a row for each slot and metric."""
    rows = [row for slot, measured in found.items() for row in _list_measures(slot, measured)]
    if not rows:
        return None
    title = "Equivariance and stickiness of " + " and ".join(format_title(one.model) for one in found.values())
    heads = (
        ("slot", "", "left or right"),
        ("model", "", "its name"),
        ("measure", "", "EQ-T, EQ-T_frac, EQ-R; what fine detail does when the content moves by a pixel"),
        ("value", "", "in the unit that the next column names"),
        ("unit", "", "dB or share"),
        ("error", "", "standard error of the value"),
        ("samples", "", "how many it is the mean of"),
    )
    columns = tuple(Array(*_named(head, values)) for head, values in zip(heads, zip(*rows, strict=True), strict=True))

    def fill(figure: Figure) -> None:
        figure.suptitle(title, x=0.01, ha="left")
        levels, shares = figure.subplots(1, 2, width_ratios=(1.2, 1))
        _draw_levels(levels, found)
        _draw_shares(shares, found)

    def collect(_: Renderer) -> Export:
        about: dict[str, Any] = {slot: format_title(measured.model) for slot, measured in found.items()}
        return Export("meters", title, about, (9.5, 3.6), fill, columns, lambda: columns)

    return Offer("equivariance", collect)


def _list_measures(slot: Slot, measured: Measured) -> list[tuple[Any, ...]]:
    name = format_title(measured.model)
    rows: list[tuple[Any, ...]] = [
        (slot, name, TITLES[one.metric], one.db, "dB", one.db_error, one.num) for one in measured.estimates
    ]
    if (shares := measured.shares) is not None:
        for part, _, _ in SHARES:
            value, error = getattr(shares, part), getattr(shares, f"{part}_error")
            rows.append((slot, name, part, value, "share", error, shares.num))
    return rows


def _draw_levels(axes: Axes, found: Mapping[Slot, Measured]) -> None:
    metrics = [metric for metric in TITLES if any(o.metric == metric for m in found.values() for o in m.estimates)]
    for index, (slot, measured) in enumerate(found.items()):
        at = {metric: place + 0.14 * (2 * index - len(found) + 1) for place, metric in enumerate(metrics)}
        x = [at[one.metric] for one in measured.estimates]
        y, errors = ([getattr(one, part) for one in measured.estimates] for part in ("db", "db_error"))
        errors = [0.0 if math.isnan(error) else error for error in errors]
        style: dict[str, Any] = {"color": ACCENTS[slot], "marker": "os"[index], "linestyle": "none", "capsize": 4}
        axes.errorbar(x, y, errors, label=f"{slot}: {format_title(measured.model)}", **style)
    axes.set_xticks(range(len(metrics)), [TITLES[metric] for metric in metrics])
    axes.set_xlim(-0.5, max(len(metrics), 1) - 0.5)
    axes.set(ylabel="dB, more is better", title="Equivariance")
    axes.grid(False, axis="x")
    if axes.containers:
        axes.legend(loc="best", frameon=False)


def _draw_shares(axes: Axes, found: Mapping[Slot, Measured]) -> None:
    """Draw what becomes of the fine detail when the content moves by a pixel, a bar a slot."""
    axes.set_title("Fine detail, content moved by 1 pixel")
    names = []
    for row, (slot, measured) in enumerate(found.items()):
        names.append(slot)
        if measured.shares is None:
            axes.text(0.02, row, "not measured", color=DIM, va="center")
            continue
        values = np.clip([getattr(measured.shares, part) for part, _, _ in SHARES], 0, None)
        start = 0.0
        for (_, colour, ink), value in zip(SHARES, values / max(values.sum(), 1e-12), strict=True):
            axes.barh(row, value, left=start, color=colour, height=0.5)
            if value >= 0.08:
                axes.text(start + value / 2, row, f"{100 * value:.0f} %", color=ink, ha="center", va="center")
            start += value
    for index, (part, colour, _) in enumerate(SHARES):
        for text, offset, ink in (("■", 0, colour), (part, 12, DIM)):
            annotate(axes, text, (0.02 + 0.3 * index, 0), (offset, -22), va="top", color=ink, fontsize=9)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlim=(0, 1), ylim=(len(names) - 0.5, -0.5))
    axes.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    axes.grid(False)
