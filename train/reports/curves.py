# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Curves as SVG inside a page: no script, no font, nothing to fetch."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 560.0, 240.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 12.0, 12.0, 34.0  # of the axes
MOST_POINTS = 1000  # of a curve: more than pixels across
STEPS = (1.0, 2.0, 5.0, 10.0)
DECADES = 6  # of a logarithmic axis with a mark each


class Curve(NamedTuple):
    """A curve's name, its class of colour (c0, c1, ...), and its points; those that are not finite are left out."""

    name: str
    colour: str
    points: Sequence[tuple[float, float | None]]


def draw_curves(title: str, curves: Sequence[Curve], x_label: str, log: bool = False) -> str:
    """Return a figure of curves over one axis, "" if none has a point; `log`: a logarithmic axis."""
    # What is measured now and then (R1 in one of many ticks) is joined over the ticks between.
    kept = [(curve, _thin(_select(curve.points, log))) for curve in curves]
    values = [y for _, points in kept for _, y in points]
    if not values:
        return ""
    right = max(x for curve in curves for x, _ in curve.points if _has_place(x)) or 1.0
    low, high = _range([math.log10(y) for y in values] if log else values)
    ticks = _log_ticks(low, high) if log else _ticks(low, high, 5)
    across, along = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(x: float, y: float) -> str:
        height = (math.log10(y) if log else y) - low
        return f"{LEFT + across * x / right:.1f},{TOP + along * (1 - height / (high - low)):.1f}"

    parts = []
    for value in ticks:
        y = TOP + along * (1 - (value - low) / (high - low))
        label = f"{10**value if log else value:.4g}"
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for value in _ticks(0.0, right, 6):
        x = LEFT + across * value / right
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:.4g}</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 3}" text-anchor="end">{html.escape(x_label)}</text>')
    for curve, points in kept:
        places = [place(x, y) for x, y in points]
        if len(places) == 1:
            x_text, _, y_text = places[0].partition(",")
            parts.append(f'<circle class="{curve.colour}" cx="{x_text}" cy="{y_text}" r="3"/>')
        elif places:
            parts.append(f'<polyline class="{curve.colour}" points="{" ".join(places)}"/>')
    legend = "".join(_legend(curve, points[-1][1]) for curve, points in kept if points)
    caption = f"<figcaption><b>{html.escape(title)}</b> {legend}</figcaption>"
    label = html.escape(title, quote=True)
    picture = f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    return f'<figure class="curves">{caption}{picture}</figure>'


def _legend(curve: Curve, last: float) -> str:
    return f'<span class="key {curve.colour}">{html.escape(curve.name)} <output>{last:.4g}</output></span>'


def _select(points: Sequence[tuple[float, float | None]], log: bool) -> list[tuple[float, float]]:
    """Return the points that can be drawn."""
    return [
        (x, y)
        for x, y in points
        if y is not None and _has_place(x) and math.isfinite(y) and abs(y) < 1e30 and (y > 1e-30 or not log)
    ]


def _has_place(x: float) -> bool:
    return math.isfinite(x) and 0 <= x < 1e15


def _thin(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Keep every nth point, and the last."""
    step = math.ceil(len(points) / MOST_POINTS)
    return points if step <= 1 else [*points[:-1:step], points[-1]]


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.06 * max(high - low, 0.1 * abs(high), 1e-6)
    return low - margin, high + margin


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Return round values within a range, `most` of them or a few less."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * power for factor in STEPS if factor * power >= rough), 10 * power)
    first = math.ceil(low / step)
    return [round(step * number, 12) for number in range(first, math.floor(high / step) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """Return exponents within a range: whole ones, or those of 1, 2 and 5 where there are few."""
    whole = list(range(math.ceil(low), math.floor(high) + 1))
    if len(whole) > 2:
        return [float(exponent) for exponent in whole[:: math.ceil(len(whole) / DECADES)]]
    fine = [e + math.log10(f) for e in range(math.floor(low), math.ceil(high) + 1) for f in (1, 2, 5)]
    inside = [exponent for exponent in fine if low <= exponent <= high]
    return inside if len(inside) > 1 else [low + (high - low) * part for part in (0.2, 0.5, 0.8)]
