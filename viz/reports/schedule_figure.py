# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The layers' schedule and their filters' responses as a picture [P fig. 4a, 4c], drawn by matplotlib without a screen.

matplotlib is loaded when something is drawn, not before: nothing else here waits for it.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gan.analysis.filter_response import AXIS, Filter, decibels, magnitude, of_layer
from gan.files.atomic_write import atomic_write
from gan.networks.config import GeneratorConfig
from gan.networks.layer_plan import LayerSpec, plan, schedule

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 4  # layers whose responses one panel can show
WIDTH, HEIGHT, LINE, DPI = 14.0, 5.8, 0.19, 110  # inches; LINE is a line of the legend below the panels
LOWEST = 90.0  # dB of attenuation at the panel's foot
# Okabe and Ito's colours, which stay apart for the colour-blind; never the only difference between two curves.
BLUE, VERMILION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#aa4499"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, "#e69f00", "#56b4e9", "#882255", "#777777")
DASHES, DOTS = (0, (5, 1.5)), (0, (1, 1))
MARKERS = (("o", 11, "f_c"), ("s", 8, "f_c + f_h, stopband edge"), ("X", 8, "s − f_c, images or aliases begin"))
POINTS = 2000  # of a curve
INK, DIM, PALE = "#25272b", "#666b74", "#e3e3e0"
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.edgecolor": DIM,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": DIM,
    "ytick.color": DIM,
    "legend.fontsize": 9,
    "legend.framealpha": 0.92,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": PALE,
    "axes.grid": True,
    "axes.axisbelow": True,
    "text.parse_math": False,  # a file's name may hold a $
}


class PlotError(ValueError):
    """A picture that cannot be drawn or written; one sentence says why and what to do."""


class Curves(NamedTuple):
    """A layer and those of its filters that are drawn: (what for, filter)."""

    spec: LayerSpec
    filters: tuple[tuple[str, Filter], ...]


def check(path: Path) -> None:
    """PlotError where `path` is no place for a PNG, said before any work is done."""
    if path.suffix.lower() != ".png":
        raise PlotError(f"The plot is a PNG: let the name {path.name!r} end in .png.")
    check_place(path)


def check_place(path: Path) -> None:
    """PlotError where no file can be written at `path`, said before any work is done."""
    if os.path.isdir(path):
        raise PlotError(f"{path} cannot be written: it is a folder.")
    if not os.path.isdir(path.parent):
        raise PlotError(f"{path} cannot be written: make the folder {path.parent} first.")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
        with contextlib.suppress(FileNotFoundError):
            os.stat(path)  # a name may be too long
    except OSError as problem:
        raise PlotError(f"{path} cannot be written: {problem.strerror or problem}.") from None


def load() -> None:
    """PlotError where matplotlib cannot be loaded."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as problem:
        raise PlotError(
            f"Plots need matplotlib, which cannot be loaded ({problem}): {sys.executable} -m pip install matplotlib"
        ) from None


def choose(config: GeneratorConfig, wanted: Sequence[str] = ()) -> list[Curves]:
    """The layers whose responses are drawn: those of these numbers or names, else the two that tell most.

    These are one in the middle of those that are not critically sampled, of which one that also doubles the rate tells
    more, and the last of the critical ones. PlotError names what is not there.
    """
    every = []
    for spec in plan(config).layers:
        filters = zip(("up", "down"), of_layer(config, spec), strict=True)
        every.append(Curves(spec, tuple((name, f) for name, f in filters if f is not None)))
    if wanted:
        found = {curves.spec.index: curves for curves in (_find(every, name) for name in wanted)}
        if len(found) > MOST:
            raise PlotError(f"The panel has room for the filters of {MOST} layers, not of {len(found)}: name fewer.")
        return list(found.values())
    filtered = [curves for curves in every if curves.filters]
    critical = [curves for curves in filtered if curves.spec.is_critical]
    others = [curves for curves in filtered if not curves.spec.is_critical]
    others = [curves for curves in others if curves.spec.out_rate > curves.spec.in_rate] or others
    return others[len(others) // 2 :][:1] + critical[-1:]


def _find(every: Sequence[Curves], name: str) -> Curves:
    for curves in every:
        if name in (str(curves.spec.index), curves.spec.name):
            if not curves.filters:
                raise PlotError(f"Layer {curves.spec.name} has no filters to draw: choose another one.")
            return curves
    first, last = every[0].spec, every[-1].spec
    raise PlotError(
        f"There is no layer {name!r}: choose from {first.index} ({first.name}) to {last.index} ({last.name})."
    )


@contextmanager
def drawing() -> Iterator[type[Figure]]:
    """matplotlib's Figure, and its settings as ours within the block. PlotError where it cannot be loaded."""
    load()
    import matplotlib
    from matplotlib.figure import Figure

    with warnings.catch_warnings(), matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE}):
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a file may be called anything; a box stands for it then
        yield Figure


def draw(path: Path, config: GeneratorConfig, title: str, chosen: Sequence[Curves]) -> tuple[int, int]:
    """Write the picture, whole or not at all; its width and height in pixels. PlotError where that cannot be done."""

    def fill(figure: Figure) -> None:
        figure.suptitle(title, fontsize=13, x=0.01, ha="left")
        left, right = figure.subplots(1, 2)
        _draw_schedule(left, config)
        _draw_responses(right, chosen)

    entries = sum(len(f.directions) for _, f in _merged(chosen)) + len(MARKERS) + 1
    return write(path, (WIDTH, HEIGHT + LINE * max(math.ceil(entries / 2), 3)), fill)


def write(
    path: Path, inches: tuple[float, float], fill: Callable[[Figure], None], text: Mapping[str, str] | None = None
) -> tuple[int, int]:
    """Write the figure that `fill` draws on, whole or not at all, with `text` as the PNG's text chunks.

    Its width and height in pixels; PlotError where it cannot be drawn or written.
    """
    with drawing() as new_figure:
        figure = new_figure(figsize=inches, dpi=DPI, layout="constrained", facecolor="white")
        fill(figure)
        try:
            with atomic_write(path) as temporary:
                figure.savefig(temporary, format="png", metadata=dict(text or {}))
        except OSError as problem:
            raise PlotError(f"{path} cannot be written: {problem.strerror or problem}.") from None
        return figure.canvas.get_width_height()


def _draw_schedule(axes: Axes, config: GeneratorConfig) -> None:
    """Frequencies over the layers [P fig. 4c]."""
    layers = plan(config).layers
    x = np.arange(len(layers))
    rates = np.array([spec.out_rate for spec in layers])
    cutoffs = np.array([spec.out_cutoff for spec in layers])
    stopbands = cutoffs + [spec.out_half_width for spec in layers]
    axes.step(x, rates, where="mid", color=VERMILION, linewidth=2, label="s, sampling rate")
    axes.step(
        x,
        rates / 2,
        where="mid",
        color=VERMILION,
        linewidth=1.3,
        linestyle=(0, (4, 2)),
        label="s/2, the most it can hold",
    )
    axes.plot(x, stopbands, color=GREEN, marker="s", markersize=4.5, linewidth=1.5, label="f_c + f_h, stopband edge")
    if config.architecture == "layers" and config.schedule == "flexible":
        axes.plot(
            x,
            schedule(config)[1],
            color=PURPLE,
            marker="^",
            markersize=4.5,
            linewidth=1.2,
            linestyle=":",
            label="f_t, stopband asked for",
        )
    axes.plot(x, cutoffs, color=BLUE, marker="o", markersize=4.5, linewidth=2, label="f_c, cutoff")
    critical = [spec.index for spec in layers if spec.is_critical]
    if critical and len(critical) < len(layers):
        axes.axvspan(
            critical[0] - 0.5,
            critical[-1] + 0.5,
            color=PALE,
            alpha=0.7,
            linewidth=0,
            zorder=0,
            label="critically sampled",
        )
    axes.set_yscale("log", base=2)
    low, high = int(np.floor(np.log2(cutoffs.min()))), int(np.log2(rates.max()))
    axes.set_yticks([2.0**power for power in range(low, high + 1)])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.minorticks_off()
    axes.set_ylim(2.0**low / 1.2, 2.0**high * 1.2)
    axes.set_xlim(-0.5, len(layers) - 0.5)
    axes.set_xticks(x, [spec.name for spec in layers], rotation=90, fontsize=8)
    axes.set_ylabel("cycles, or samples, per picture width")
    everywhere = ", all critically sampled" if len(critical) == len(layers) else ""
    axes.set_title(f"Schedule of the layers' outputs{everywhere}", loc="left")
    axes.legend(loc="lower right")  # where nothing is: frequencies rise to the right


def _merged(chosen: Sequence[Curves]) -> list[tuple[str, Filter]]:
    """Label and filter of each curve; filters that respond alike, seen from their rates, share one."""
    found: dict[bytes, tuple[list[str], Filter]] = {}
    for spec, filters in chosen:
        for name, f in filters:
            alike = (f.rate / f.low_rate, f.cutoff / f.low_rate, f.half_width / f.low_rate)
            key = np.round(np.array([*alike, *f.taps.ravel()], np.float64), 6).tobytes()
            found.setdefault(key, ([], f))[0].append(f"{spec.name} {name}")
    labels = ((_joined(names) + (", critical" if f.alias_from <= f.cutoff else ""), f) for names, f in found.values())
    return list(labels)


def _joined(names: Sequence[str]) -> str:
    """What one curve stands for: L1 up, L1 down and L2 up become `L1 up and down, L2 up`."""
    layers: dict[str, list[str]] = {}
    for name in names:
        layer, _, way = name.partition(" ")
        layers.setdefault(layer, []).append(way)
    return ", ".join(f"{layer} {' and '.join(ways)}" for layer, ways in layers.items())


def _draw_responses(axes: Axes, chosen: Sequence[Curves]) -> None:
    """Gain in dB over frequency, in units of the lower of the two rates s that a filter works between [P fig. 4a]."""
    widest = 1.0
    drawn = _merged(chosen)
    for i, (label, f) in enumerate(drawn):
        colour, style = COLOURS[i], DASHES if i % 2 else "-"
        for angle in f.directions:
            edge = f.edge(angle)
            frequencies = np.linspace(0, edge, POINTS)
            gains = -decibels(magnitude(f.taps, f.rate, frequencies, angle))
            axes.plot(
                frequencies / f.low_rate,
                gains,
                color=colour,
                linewidth=1.8,
                linestyle=style if angle == AXIS else DOTS,
                label=f"{label}, {angle:g}°" if f.radial else label,
            )
            widest = max(widest, edge / f.low_rate)
        for frequency, (marker, size, _), own in zip(
            (f.cutoff, f.stopband, f.alias_from), MARKERS, (colour, colour, INK), strict=True
        ):
            at = np.array([frequency])
            gain = max(-decibels(magnitude(f.taps, f.rate, at, angle))[0] for angle in f.directions)
            axes.plot(
                frequency / f.low_rate,
                max(gain, -LOWEST),
                marker=marker,
                color=own,
                markersize=size,
                markeredgecolor="white",
                linestyle="none",
                clip_on=False,
                zorder=4,
            )
    axes.axvline(0.5, color=DIM, linewidth=1.2, linestyle=(0, (4, 2)), label="s/2")
    for marker, size, label in MARKERS:
        axes.plot(
            [], [], marker=marker, color=INK, markersize=size, markeredgecolor="white", linestyle="none", label=label
        )
    axes.set_xlim(0, widest)
    axes.set_ylim(-LOWEST, 5)
    axes.set_xlabel("frequency / s, the lower of the filter's two rates")
    axes.set_ylabel("gain, dB")
    axes.set_title("Responses of the filters", loc="left")
    # Below, where the names of the left panel's layers leave room: within, it would cover the slower filters' curves.
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.11), ncols=2, frameon=False)
