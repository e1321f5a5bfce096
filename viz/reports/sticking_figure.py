# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Draw the figure of `visualizer.py sticking`: two models, a row each [P fig. 1]."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from viz.reports.export import Array, Export, Table
from viz.reports.sticking_study import AMPLITUDE, Findings, Model, Settings, format_percent, segment_length
from viz.reports.style import DIM, GREEN, INK, VERMILION, annotate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

# Inches. Everything has its place to the pixel, so that pictures and slices of both models line up.
EDGE, GAP = 0.22, 0.2
HEIGHT = 2.3  # of pictures, slices and bars
WIDTHS = (HEIGHT, HEIGHT, 3.9, 3.9, 2.55)
HEAD, NAME, BELOW, FOOT = 0.86, 0.34, 0.42, 0.34  # above all rows, above a row, below it, below all
ROW = NAME + HEIGHT + BELOW
ACCENTS = {"left": "#b06a0c", "right": "#1a74b0"}  # the slots', of the light theme
GREY = "#c3c6cb"
PARTS = (("stays", VERMILION, "white"), ("follows", GREEN, "white"), ("boils", GREY, INK))
ERROR = "standard error of the same, over latents"
SHARES = (  # columns of the table: name, unit, meaning
    ("side", "", "left or right"),
    ("model", "", "its name"),
    ("distance", "pixels", "how far the content was moved"),
    ("stays", "share", "of the fine detail's energy that stays where it was on the screen: stickiness"),
    ("stays_error", "share", ERROR),
    ("follows", "share", "of it that moves with the content"),
    ("follows_error", "share", ERROR),
    ("boils", "share", "of it that does neither"),
    ("boils_error", "share", ERROR),
)
LEAST = 0.08  # share of a bar that has room for its number
LABEL = 0.16  # of the bars' width, for the distances


def build_sticking(
    models: Sequence[Model], settings: Settings, found: Sequence[Findings], about: Mapping[str, Any]
) -> Export:
    """Return the figure, its pictures and its numbers, ready to be written."""
    width = 2 * EDGE + sum(WIDTHS) + GAP * (len(WIDTHS) - 1)
    height = HEAD + ROW * len(models) + FOOT

    def fill(figure: Figure) -> None:
        figure.subplots_adjust(
            left=EDGE / width,
            right=1 - EDGE / width,
            top=1 - (HEAD + NAME) / height,
            bottom=(FOOT + BELOW) / height,
            wspace=GAP * len(WIDTHS) / sum(WIDTHS),
            hspace=(NAME + BELOW) / HEIGHT,
        )
        rows = figure.subplots(len(models), len(WIDTHS), width_ratios=WIDTHS, squeeze=False)
        for axis in rows.ravel():
            axis.axis("off")
        for axes, model, findings in zip(rows, models, found, strict=True):
            _draw_model(axes, model, settings, findings)
        _draw_heads(rows[0], settings)
        _draw_notes(figure, models, settings)

    title = "Texture sticking: " + " and ".join(model.name for model in models)
    arrays = tuple(array for model, one in zip(models, found, strict=True) for array in _list_arrays(model, one))

    def table() -> Table:
        return _tabulate(models, found)

    return Export("sticking", title, about, (width, height), fill, (*arrays, *table()), table, layout=None)


def _list_arrays(model: Model, findings: Findings) -> list[Array]:
    pictures = {
        "centre": (findings.centre, "picture of the latent, enlarged; rows, columns, RGB"),
        "mean": (findings.mean, "mean picture of its neighbours, enlarged; rows, columns, RGB"),
        "walk": (findings.walk, "x-t slice while the latent walks; places on the segment, frames, RGB"),
        "glide": (findings.glide, "x-t slice while the content moves; places on the segment, frames, RGB"),
    }
    return [
        Array(f"{model.side}_{part}", pixels, "0 to 255", f"{meaning}, of {model.name}")
        for part, (pixels, meaning) in pictures.items()
        if pixels is not None
    ]


def _tabulate(models: Sequence[Model], found: Sequence[Findings]) -> Table:
    """Return the shares: a row for each model and distance."""
    rows = [
        (model.side, model.name, s.distance, s.stays, s.stays_error, s.follows, s.follows_error, s.boils, s.boils_error)
        for model, findings in zip(models, found, strict=True)
        for s in findings.shares or ()
    ]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in SHARES]
    return tuple(
        Array(name, column, unit, meaning) for (name, unit, meaning), column in zip(SHARES, columns, strict=True)
    )


def _draw_heads(axes: Iterable[Axes], settings: Settings) -> None:
    heads = (
        "one latent",
        f"mean of {settings.num} neighbours",
        "the latent walks round its neighbourhood",
        "the content moves along the segment",
        "fine detail in %, moved by",
    )
    for axis, head in zip(axes, heads, strict=True):
        _text(axis, NAME + 0.05, head, va="baseline", fontsize=10.5)


def _draw_notes(figure: Figure, models: Sequence[Model], settings: Settings) -> None:
    left, top = EDGE / figure.get_figwidth(), 1 - 0.34 / figure.get_figheight()
    title = figure.text(left, top, "Texture sticking", fontsize=15, weight="bold")
    _beside(title, "detail that stays on the screen while the content moves", fontsize=11.5)
    sizes = {model.config.resolution for model in models}
    note = (
        f"Seed {settings.seed}, radius {settings.radius:g}, psi {settings.trunc:g}. Stickiness: fine detail that stays "
        f"when the content moves by 1 pixel, mean of {settings.latents} latents ± its standard error. Fine detail: up "
        "to 8 pixels wide."
    )
    note += " Pixels are each model's own." if len(sizes) > 1 else ""
    figure.text(left, 0.13 / figure.get_figheight(), note, fontsize=8.5, color=DIM)


def _draw_model(axes: Iterable[Axes], model: Model, settings: Settings, findings: Findings) -> None:
    centre, mean, walk, glide, bars = axes
    accent = ACCENTS[model.side]
    _beside(_text(centre, 0.09, model.name, va="baseline", color=accent, fontsize=11.5, weight="bold"), model.title)
    for axis, pixels in ((centre, findings.centre), (mean, findings.mean), (walk, findings.walk)):
        axis.imshow(pixels, interpolation="antialiased", aspect="auto")
    _segment(centre, settings, accent, findings.centre.shape[0])
    _below(mean, f"keeps {_whole(findings.kept)} of the fine detail")
    _below(walk, "", time=True)
    if findings.glide is None or findings.shares is None:
        words = "Its input is a learned constant:\nthe content cannot be moved."
        annotate(glide, words, (0.5, 0.5), (0, 0), ha="center", va="center", color=DIM)
        return
    glide.imshow(findings.glide, interpolation="antialiased", aspect="auto")
    _motion(glide, settings, findings.glide.shape)
    _below(glide, "dotted: the motion", time=True)
    _bars(bars, findings)
    nearest = findings.shares[0]
    words = f"Stickiness {format_percent(nearest.stays)} ± {format_percent(nearest.stays_error)} %"
    _text(bars, 0.09, words, va="baseline", color=accent, fontsize=11.5, weight="bold")


def _whole(share: float) -> str:
    """Format a share in whole percent. Unbiased estimates of nothing may come out a little below 0."""
    return f"{max(100 * share, 0):.0f} %" if math.isfinite(share) else "none"


def _text(axis: Axes, above: float, text: str, **style: Any) -> Text:
    """Write at an axis' left, so many inches above it."""
    return annotate(axis, text, (0, 1), (0, 72 * above), **style)


def _beside(text: Text, more: str, **style: Any) -> None:
    """Write more words after others, on their line."""
    assert text.figure is not None
    place: dict[str, Any] = {"xycoords": text, "va": "bottom", "annotation_clip": False}
    annotate(text.figure.axes[0], more, (1, 0), (9, 0), color=DIM, **place, **{"fontsize": 9.5, **style})


def _below(axis: Axes, text: str, *, time: bool = False) -> None:
    for x, words, side in ((0, text, "left"), (1, "time →" if time else "", "right")):
        annotate(axis, words, (x, 0), (0, -6), va="top", ha=side, color=DIM, fontsize=9)


def _segment(axis: Axes, settings: Settings, accent: str, size: int) -> None:
    x0, y0, x1, y1 = (part * size - 0.5 for part in settings.segment)
    for colour, width in (("white", 3.6), (accent, 1.8)):
        axis.plot([x0, x1], [y0, y1], color=colour, linewidth=width, solid_capstyle="round", scalex=False, scaley=False)


def _motion(axis: Axes, settings: Settings, shape: tuple[int, ...]) -> None:
    """Draw how the content was moved: the path that detail should follow."""
    rows, frames = shape[:2]
    x = np.arange(frames)
    y = (0.5 + AMPLITUDE / segment_length(settings.segment) * np.sin(2 * math.pi * x / frames)) * (rows - 1)
    for colour, width in (("black", 2.0), ("white", 1.3)):  # dots with a rim, to be seen on whatever lies below
        points = slice(None, None, max(1, frames // 60))
        dots: dict[str, Any] = {"color": colour, "markersize": 2 * width, "markeredgewidth": 0}
        axis.plot(x[points], y[points], ".", scalex=False, scaley=False, **dots)


def _bars(axis: Axes, findings: Findings) -> None:
    """Draw three shares for each distance, side by side."""
    assert findings.shares is not None
    for row, shares in enumerate(findings.shares):
        values = np.clip([shares.stays, shares.follows, shares.boils], 0, None)
        start = 0.0
        for (_, colour, ink), value in zip(PARTS, values / values.sum(), strict=True):
            axis.barh(row, value, left=start, color=colour, height=0.64)
            if value >= LEAST:
                axis.text(start + value / 2, row, f"{100 * value:.0f}", color=ink, ha="center", va="center", fontsize=9)
            start += value
        axis.text(-0.03, row, f"{shares.distance} px", ha="right", va="center", color=INK, fontsize=9)
    axis.set_xlim(-LABEL / (1 - LABEL), 1)
    axis.set_ylim(len(findings.shares) - 0.5 - 0.18, -0.5 + 0.18)  # bars reach from the pictures' top to their foot
    for index, (name, colour, _) in enumerate(PARTS):
        x = LABEL + 0.3 * index
        for text, offset, ink in (("■", 0, colour), (name, 12, DIM)):
            annotate(axis, text, (x, 0), (offset, -6), va="top", color=ink, fontsize=9)
