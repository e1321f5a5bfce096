# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Draw the losses of training runs over the images that they have seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from viz.reports.export import Array, Export, ExportError, Table
from viz.reports.style import COLOURS, DIM, annotate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = len(COLOURS)  # runs in one figure
INCHES = (9.0, 6.6)
LOSSES = (  # name in stats.jsonl, label, line style, meaning
    ("loss_g", "G", "-", "mean of softplus(-D(G(z))) over a tick"),
    ("loss_d", "D", (0, (5, 1.5)), "mean of softplus(D(G(z))) + softplus(-D(x)) over a tick"),
)
PENALTY = "mean squared gradient of D at real images over a tick, before its weight"


class RunCurves(NamedTuple):
    """A run's name, and its columns of stats.jsonl: `kimg`, `loss_g`, `loss_d` and `r1`, nan where nothing is known."""

    name: str
    columns: Mapping[str, np.ndarray]


def build_curves(runs: Sequence[RunCurves], *, log: bool = False) -> Export:
    """Return the curves of runs ready to be written; `log` is of the losses' axis. Raises ExportError for none."""
    for run in runs:
        if not len(run.columns.get("kimg", ())):
            raise ExportError(f"{run.name} has no losses yet: they come with the first tick.")
    if len(runs) > MOST:
        raise ExportError(f"One figure has room for {MOST} runs, not for {len(runs)}: give fewer.")
    title = f"Training of {runs[0].name}" if len(runs) == 1 else f"Training of {len(runs)} runs"

    def fill(figure: Figure) -> None:
        figure.suptitle(title, x=0.01, ha="left")
        losses, penalty = figure.subplots(2, 1, sharex=True, height_ratios=(1.5, 1))
        for index, run in enumerate(runs):
            _draw_run(losses, penalty, run, COLOURS[index], alone=len(runs) == 1)
        losses.set(ylabel="loss, nats")
        for axes in (losses, penalty) if log else (penalty,):
            _use_decades(axes)
        losses.set_title("Losses of G (solid) and D (dashed)")
        penalty.set(ylabel="R1", xlabel="thousands of real images shown (kimg)")
        penalty.set_title("R1 penalty, before its weight")
        for axes in (losses, penalty):
            if not axes.lines:
                annotate(axes, "nothing to show", (0.5, 0.5), (0, 0), ha="center", color=DIM)
        handles, labels = losses.get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)

    arrays = [Array("runs", [run.name for run in runs], "", "names; i below counts them from 0")]
    for i, run in enumerate(runs):
        arrays += [Array(f"{one.name}_{i}", one.values, one.unit, one.meaning) for one in _columns(run)]
    settings = {"runs": [run.name for run in runs]}
    return Export("training", title, settings, INCHES, fill, tuple(arrays), lambda: _tabulate(runs))


def _columns(run: RunCurves) -> tuple[Array, ...]:
    kept = run.columns
    return (
        Array("kimg", kept["kimg"], "thousands of images", "real images shown to D so far"),
        *(Array(name, kept[name], "nats", meaning) for name, _, _, meaning in LOSSES),
        Array("r1", kept["r1"], "", PENALTY),
    )


def _tabulate(runs: Sequence[RunCurves]) -> Table:
    """Return a row for each tick of each run."""
    names = [run.name for run in runs for _ in run.columns["kimg"]]
    columns = zip(*(_columns(run) for run in runs), strict=True)
    joined = (Array(*_words(parts), parts[0].meaning) for parts in columns)
    return (Array("run", names, "", "name of the run's folder"), *joined)


def _words(parts: Sequence[Array]) -> tuple[str, np.ndarray, str]:
    return parts[0].name, np.concatenate([part.values for part in parts]), parts[0].unit


def _draw_run(losses: Axes, penalty: Axes, run: RunCurves, colour: str, *, alone: bool) -> None:
    for index, (name, label, dashes, _) in enumerate(LOSSES):
        style: dict[str, Any] = {"color": COLOURS[index] if alone else colour, "linestyle": dashes, "linewidth": 1.5}
        words = label if alone else f"{label}, {run.name}"
        _plot(losses, run.columns["kimg"], run.columns[name], label=words, **style)
    _plot(penalty, run.columns["kimg"], run.columns["r1"], color=DIM if alone else colour, linewidth=1.5)


def _use_decades(axes: Axes) -> None:
    """Make the upright axis logarithmic, with plain numbers at 1, 2 and 5 of each decade, if anything is above 0."""
    from matplotlib.ticker import LogLocator, NullFormatter

    if not any((np.asarray(line.get_ydata()) > 0).any() for line in axes.lines):
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def _plot(axes: Axes, x: np.ndarray, y: np.ndarray, **style: Any) -> None:
    keep = np.isfinite(y) & (np.abs(y) < 1e30)
    if keep.any():
        axes.plot(x[keep], y[keep], marker="o" if keep.sum() == 1 else "", markersize=3, **style)
