# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Draw the layers' schedule and their filters' responses [P fig. 4a, 4c]."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gan.analysis.bands import list_bands
from gan.analysis.filter_response import AXIS, Filter, attenuation_db, get_layer_filters, magnitude_response
from gan.networks.config import ConfigError, GeneratorConfig
from gan.networks.layer_plan import LayerSpec, compute_schedule, plan
from viz.reports import style
from viz.reports.export import Array, Export, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 4  # layers whose responses one panel can show
WIDTH, HEIGHT, LINE = 14.0, 5.8, 0.19  # inches; LINE is a line of the legend below the panels
LOWEST = 90.0  # dB of attenuation at the panel's foot
MARKERS = (("o", 11, "f_c"), ("s", 8, "f_c + f_h, stopband edge"), ("X", 8, "s − f_c, images or aliases begin"))
POINTS = 2000  # of a curve
CYCLES = "cycles/picture width"  # a unit


class LayerFilters(NamedTuple):
    """A layer and those of its filters that are drawn: (what for, filter)."""

    spec: LayerSpec
    filters: tuple[tuple[str, Filter], ...]


def choose_layers(config: GeneratorConfig, wanted: Sequence[str] = ()) -> list[LayerFilters]:
    """Return the layers whose responses are drawn: those of these numbers or names, else the two that tell most.

    These are one in the middle of those that are not critically sampled, of which one that also doubles the rate tells
    more, and the last of the critical ones. ConfigError names what is not there.
    """
    every = []
    for spec in plan(config).layers:
        filters = zip(("up", "down"), get_layer_filters(config, spec), strict=True)
        every.append(LayerFilters(spec, tuple((name, f) for name, f in filters if f is not None)))
    if wanted:
        found = {curves.spec.index: curves for curves in (_find(every, name) for name in wanted)}
        if len(found) > MOST:
            raise ConfigError(f"The panel has room for the filters of {MOST} layers, not of {len(found)}: name fewer.")
        return list(found.values())
    filtered = [curves for curves in every if curves.filters]
    critical = [curves for curves in filtered if curves.spec.is_critical]
    others = [curves for curves in filtered if not curves.spec.is_critical]
    others = [curves for curves in others if curves.spec.out_rate > curves.spec.in_rate] or others
    return others[len(others) // 2 :][:1] + critical[-1:]


def _find(every: Sequence[LayerFilters], name: str) -> LayerFilters:
    for curves in every:
        if name in (str(curves.spec.index), curves.spec.name):
            if not curves.filters:
                raise ConfigError(f"Layer {curves.spec.name} has no filters to draw: choose another one.")
            return curves
    first, last = every[0].spec, every[-1].spec
    raise ConfigError(
        f"There is no layer {name!r}: choose from {first.index} ({first.name}) to {last.index} ({last.name})."
    )


def build_schedule(
    config: GeneratorConfig, title: str, chosen: Sequence[LayerFilters], about: Mapping[str, Any]
) -> Export:
    """Return the schedule and the chosen layers' filters, ready to be written."""

    def fill(figure: Figure) -> None:
        figure.suptitle(title, x=0.01, ha="left")
        left, right = figure.subplots(1, 2)
        _draw_schedule(left, config)
        _draw_responses(right, chosen)

    entries = sum(len(f.directions) for _, f in _merged(chosen)) + len(MARKERS) + 1
    inches = (WIDTH, HEIGHT + LINE * max(math.ceil(entries / 2), 3))
    table = _schedule_columns(config)
    arrays = (*table, *_filter_arrays(chosen))
    return Export("filters", title, about, inches, fill, arrays, lambda: table)


def _schedule_columns(config: GeneratorConfig) -> Table:
    """Return the schedule as arrays of one length: a place for each layer."""
    bands = [band for band in list_bands(config) if band.index is not None]
    return (
        Array("layer", [band.name for band in bands], "", "name of the layer"),
        Array("channels", [band.channels for band in bands], "", "channels of its output"),
        Array("size", [band.size for band in bands], "samples", "width of its output, margin included"),
        Array("rate", [band.rate for band in bands], "samples/picture width", "sampling rate s of its output"),
        Array("cutoff", [float(band.cutoff) for band in bands], CYCLES, "f_c of its output"),
        Array("stopband", [float(band.stopband) for band in bands], CYCLES, "f_t of its output, as designed"),
        Array("edge", [float(band.edge) for band in bands], CYCLES, "f_c + f_h, the edge of its filter's stopband"),
        Array("radial", [band.radial for band in bands], "", "whether its band ends on circles, not on squares"),
        Array("critical", [band.critical for band in bands], "", "whether it is critically sampled"),
    )


def _filter_arrays(chosen: Sequence[LayerFilters]) -> list[Array]:
    """Return each chosen filter's taps and its response along each of its directions."""
    arrays = []
    for spec, filters in chosen:
        for way, f in filters:
            of, key = f"of the {way}sampling filter of {spec.name}", f"{spec.name}_{way}"
            arrays.append(Array(f"{key}_taps", np.asarray(f.taps), "", f"impulse response {of}, at {f.rate} samples"))
            for angle in f.directions:
                frequencies, gains = _response(f, angle)
                along = f"{of} along {angle:g} degrees"
                arrays.append(Array(f"{key}_frequency_{angle:g}", frequencies, CYCLES, f"frequencies {along}"))
                arrays.append(Array(f"{key}_gain_{angle:g}", gains, "dB", f"gain {along}"))
    return arrays


def _response(f: Filter, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies from 0 to the edge of the plane, in cycles a picture width, and gains in dB."""
    frequencies = np.linspace(0, f.edge(angle), POINTS)
    return frequencies, -attenuation_db(magnitude_response(f.taps, f.rate, frequencies, angle))


def _draw_schedule(axes: Axes, config: GeneratorConfig) -> None:
    """Draw frequencies over the layers [P fig. 4c]."""
    layers = plan(config).layers
    x = np.arange(len(layers))
    rates = np.array([spec.out_rate for spec in layers])
    cutoffs = np.array([spec.out_cutoff for spec in layers])
    stopbands = cutoffs + [spec.out_half_width for spec in layers]
    axes.step(x, rates, where="mid", color=style.VERMILION, linewidth=2, label="s, sampling rate")
    line: dict[str, Any] = {"linewidth": 1.3, "linestyle": style.NYQUIST}
    axes.step(x, rates / 2, where="mid", color=style.VERMILION, label="s/2, the most it can hold", **line)
    axes.plot(
        x, stopbands, color=style.GREEN, marker="s", markersize=4.5, linewidth=1.5, label="f_c + f_h, stopband edge"
    )
    if config.architecture == "layers" and config.schedule == "flexible":
        line = {"marker": "^", "markersize": 4.5, "linewidth": 1.2, "linestyle": ":"}
        axes.plot(x, compute_schedule(config)[1], color=style.PURPLE, label="f_t, stopband asked for", **line)
    axes.plot(x, cutoffs, color=style.BLUE, marker="o", markersize=4.5, linewidth=2, label="f_c, cutoff")
    critical = [place for place, spec in enumerate(layers) if spec.is_critical]
    if critical and len(critical) < len(layers):
        area: dict[str, Any] = {"color": style.PALE, "alpha": 0.7, "linewidth": 0, "zorder": 0}
        axes.axvspan(critical[0] - 0.5, critical[-1] + 0.5, label="critically sampled", **area)
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
    axes.set_title(f"Schedule of the layers' outputs{everywhere}")
    axes.legend(loc="lower right")  # where nothing is: frequencies rise to the right


def _merged(chosen: Sequence[LayerFilters]) -> list[tuple[str, Filter]]:
    """Return label and filter of each curve; filters that respond alike, seen from their rates, share one.

    L1 up, L1 down and L2 up are then labelled `L1 up and down, L2 up`.
    """
    found: dict[bytes, tuple[dict[str, list[str]], Filter]] = {}
    for spec, filters in chosen:
        for way, f in filters:
            alike = (f.rate / f.low_rate, f.cutoff / f.low_rate, f.half_width / f.low_rate)
            key = np.round(np.array([*alike, *f.taps.ravel()], np.float64), 6).tobytes()
            found.setdefault(key, ({}, f))[0].setdefault(spec.name, []).append(way)
    curves = []
    for layers, f in found.values():
        names = [f"{layer} {' and '.join(ways)}" for layer, ways in layers.items()]
        curves.append((", ".join([*names, "critical"] if f.alias_from <= f.cutoff else names), f))
    return curves


def _draw_responses(axes: Axes, chosen: Sequence[LayerFilters]) -> None:
    """Draw gain in dB over frequency, in units of the lower of the filter's two rates s [P fig. 4a]."""
    widest = 1.0
    drawn = _merged(chosen)
    for i, (label, f) in enumerate(drawn):
        colour, dashes = style.COLOURS[i], style.DASHES if i % 2 else "-"
        for angle in f.directions:
            frequencies, gains = _response(f, angle)
            line: dict[str, Any] = {
                "color": colour,
                "linewidth": 1.8,
                "linestyle": dashes if angle == AXIS else style.DOTS,
            }
            axes.plot(frequencies / f.low_rate, gains, label=f"{label}, {angle:g}°" if f.radial else label, **line)
            widest = max(widest, frequencies[-1] / f.low_rate)
        for frequency, (marker, size, _), own in zip(
            (f.cutoff, f.stopband, f.alias_from), MARKERS, (colour, colour, style.INK), strict=True
        ):
            at = np.array([frequency])
            gain = max(-attenuation_db(magnitude_response(f.taps, f.rate, at, angle))[0] for angle in f.directions)
            mark: dict[str, Any] = {"marker": marker, "color": own, "markersize": size, "clip_on": False, "zorder": 4}
            axes.plot(frequency / f.low_rate, max(gain, -LOWEST), **style.MARK, **mark)
    axes.axvline(0.5, color=style.DIM, linewidth=1.2, linestyle=style.NYQUIST, label="s/2")
    for marker, size, label in MARKERS:
        axes.plot([], [], marker=marker, color=style.INK, markersize=size, label=label, **style.MARK)
    axes.set_xlim(0, widest)
    axes.set_ylim(-LOWEST, 5)
    axes.set_xlabel("frequency / s, the lower of the filter's two rates")
    axes.set_ylabel("gain, dB")
    axes.set_title("Responses of the filters")
    # Below, where the names of the left panel's layers leave room: within, it would cover the slower filters' curves.
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.11), ncols=2, frameon=False)
