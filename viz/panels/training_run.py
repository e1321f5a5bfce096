# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Draw a training run: its progress, its losses, its newest pictures, and what can be done with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from imgui_bundle import ImVec2, imgui, imgui_ctx, implot

from gan.files.format import format_duration
from gan.networks.ladder import RUNGS
from viz.core.panel_state import TrainingState
from viz.core.state import SLOTS
from viz.record.panel_offers import offer_curves
from viz.training.monitor import RunMonitor, RunReport
from viz.training.run_folder import RunSnapshot
from viz.ui import saving, widgets
from viz.ui.context import PanelContext
from viz.ui.theme import rgb

COLUMN = 23.0  # width of the left column, in font sizes
# Curves wear no slot's colour: those mean left and right. These read on both themes.
CURVES = (
    ("loss_g", "G", "#6fa35a", "Generator loss: softplus(-D(G(z))), the non-saturating loss."),
    ("loss_d", "D", "#9a76c2", "Discriminator loss: softplus(D(G(z))) + softplus(-D(x))."),
    ("r1", "R1", "#8d929b", "R1 gradient penalty, before its weight: the squared gradient of D at real images."),
)
METRIC_COLOUR = "#c08a3e"
Line = tuple[str, str, np.ndarray, np.ndarray]  # name, colour, kimg, values
OPTION = r"(?<![\w-])--([a-z][a-z0-9-]*)"
CONTROLS = {  # by the trainer's options
    "cfg": "rung",
    "data": "data",
    "resolution": "size",
    "preset": "preset",
    "transfer": "start from",
    "kimg": "length",
    "batch": "batch",
    "gamma": "R1 γ",
    "aug": "augment",
    "outdir": "output",
}
STAGES = {
    "launching": "Starting",
    "starting": "Preparing",
    "training": "Training",
    "paused": "Paused",
    "stopping": "Stopping, writing the snapshot",
    "stopped": "Stopped",
    "finished": "Finished",
    "failed": "Failed",
    "crashed": "Crashed",
}


def draw(training: TrainingState, context: PanelContext, monitor: RunMonitor, report: RunReport) -> None:
    """Draw the run, its losses and its pictures in three columns, or below each other where the panel is narrow."""
    room, size = imgui.get_content_region_avail(), imgui.get_font_size()
    gap = 2 * imgui.get_style().item_spacing.x
    shape = _shape(report)
    stacked = room.x < (COLUMN + 30) * size
    if stacked:
        run, losses = ImVec2(0, 0), ImVec2(0, 14 * size)
        pictures = min(room.x, 22 * size)
    else:
        pictures = min(room.y * shape, room.x - (COLUMN + 16) * size - 2 * gap)
        run, losses = ImVec2(COLUMN * size, room.y), ImVec2(room.x - COLUMN * size - pictures - 2 * gap, room.y)
    with imgui_ctx.begin_child("run", run, imgui.ChildFlags_.auto_resize_y if stacked else imgui.ChildFlags_.none):
        _run(training, context, monitor, report)
    if not stacked:
        imgui.same_line(0, gap)
    still = imgui.WindowFlags_.no_scrollbar | imgui.WindowFlags_.no_scroll_with_mouse  # the plot takes what is left
    with imgui_ctx.begin_child("losses", losses, imgui.ChildFlags_.none, still):
        _curves(training, context, report.snapshot)
    if not stacked:
        imgui.same_line(0, gap)
    _fakes(context, report, ImVec2(pictures, pictures / shape))


def _last_line(report: RunReport) -> str:
    """Return what the trainer said last; "" of one that this window did not start."""
    return next((line.strip() for line in reversed(report.output.splitlines()) if line.strip()), "")


def _shape(report: RunReport) -> float:
    """Return width over height of the grid of fakes; before there is one, that of the trainer's 8 by 6."""
    if report.fakes is None:
        return 8 / 6
    height, width = report.fakes.pixels.shape[:2]
    return min(max(width / height, 0.25), 4.0)


# -------------------------------------------------------------------------------------------------------- the run


def _run(training: TrainingState, context: PanelContext, monitor: RunMonitor, report: RunReport) -> None:
    snapshot = report.snapshot
    _heading(context, snapshot)
    stage = STAGES.get(report.stage, "No run here yet")
    if snapshot is not None and report.stage not in ("launching", "idle"):
        progress = snapshot.progress
        widgets.progress_bar(progress.fraction, f"{stage}  {100 * progress.fraction:.0f} %")
        said = _last_line(report)
        if report.stage == "starting" and said:
            widgets.sentence(said, context.theme.dim)
        elif not report.error:
            rates = [format_length(progress.images, progress.total_images)]
            if report.stage == "training":
                rates += [f"{progress.images_per_s:.1f} images/s", f"{format_duration(progress.seconds_left)} left"]
            widgets.mono_text(context.theme, "   ".join(rates))
            widgets.tooltip("kimg: thousands of real images shown to the discriminator.")
    else:
        line = _last_line(report)
        drawn = re.fullmatch(r"Drawn (\d+) of (\d+)", line)  # the trainer draws its critters first
        if drawn:
            widgets.progress_bar(int(drawn[1]) / max(int(drawn[2]), 1), "Drawing critters")
        else:
            widgets.progress_bar(None if report.active else 0.0, stage)
        if report.active:
            widgets.sentence(line or "Loading torch", context.theme.dim)
    if report.error:
        draw_failure(context, report)
    _actions(training, context, monitor, report)
    if snapshot is not None:
        imgui.same_line()
        find = partial(offer_curves, snapshot.folder.name, snapshot.curves, log=training.log_scale)
        saving.draw_button(context, "Training", find)
    _snapshots(training, context, snapshot)


def _heading(context: PanelContext, snapshot: RunSnapshot | None) -> None:
    if snapshot is None:
        imgui.text_colored(context.theme.dim, "New run")
        return
    generator = snapshot.options.get("generator")
    rung = generator.get("rung") if isinstance(generator, dict) else None
    title = dict(RUNGS).get(str(rung), "")
    if title:
        imgui.text_unformatted(title)
        imgui.same_line()
    imgui.text_colored(context.theme.dim, snapshot.folder.name)
    gamma = snapshot.options.get("gamma")
    facts = [str(snapshot.folder)]
    facts += [f"batch {snapshot.options['batch']}"] if "batch" in snapshot.options else []
    facts += [f"R1 γ {gamma:.4g}"] if isinstance(gamma, float) else []
    widgets.tooltip("\n".join(facts))


def _snapshots(training: TrainingState, context: PanelContext, snapshot: RunSnapshot | None) -> None:
    """Draw the buttons that open and follow the newest snapshot."""
    newest = snapshot.network if snapshot is not None else None
    widgets.label(context.theme, "newest", "The newest snapshot: the moving average (EMA) of the generator's weights.")
    gap = 2 * imgui.get_style().item_spacing.x
    for slot in SLOTS:
        tip = "None is written yet."
        if newest:
            tip = f"Open the newest snapshot ({newest.kimg:g} kimg) in the {slot} slot."
        with imgui_ctx.push_style_color(imgui.Col_.text, context.theme.accent[slot]):
            pressed = widgets.button(f"Open {slot}", enabled=newest is not None)
        widgets.tooltip(tip)
        if pressed and newest is not None:
            context.models.open(slot, str(newest.path))
        imgui.same_line(0, gap)
    widgets.mono_text(context.theme, f"{newest.kimg:g} kimg" if newest else "none yet", context.theme.dim)
    widgets.label(context.theme, "follow", "Keep a slot on the newest snapshot, until another model is opened there.")
    for slot in SLOTS:
        widgets.check(slot, training, f"follow_{slot}", f"Keep the {slot} slot on the newest snapshot.")
        imgui.same_line(0, gap)
    imgui.new_line()


def _actions(training: TrainingState, context: PanelContext, monitor: RunMonitor, report: RunReport) -> None:
    snapshot = report.snapshot
    if report.stage == "stopping":
        widgets.button("Stop", enabled=False)  # stays, so that a second click on it hits nothing else
        imgui.same_line()
        if widgets.button("End now", "Terminate the trainer; what it learned since its last snapshot is lost."):
            monitor.end()
        return
    if report.active:
        if widgets.button(
            "Stop", "Finish the step, write snapshot and state, and end; it can be resumed exactly there."
        ):
            monitor.stop()
        if report.stage in ("training", "paused"):
            imgui.same_line()
            if report.stage == "paused":
                if widgets.button("Go on", "Train on from the step that it waits after."):
                    monitor.pause(False)
            elif widgets.button("Pause", "Wait after the step; the model stays in memory. Stop frees it."):
                monitor.pause(True)
            imgui.same_line()
            if widgets.button("Snapshot", "Write a snapshot, state and fakes after the step, and train on."):
                monitor.snapshot()
        return
    if widgets.button("New run", "Back to the form; this run stays in its folder."):
        training.run_folder = ""
        monitor.follow("")
    if snapshot is None or not snapshot.resumable:
        return
    imgui.same_line()
    if report.stage != "finished":
        if widgets.button(
            "Resume", "Go on exactly where it stopped: optimisers, EMA, counters, random numbers, sampler."
        ):
            monitor.resume(snapshot.folder)
        return
    progress = snapshot.progress
    longer = 1000 * training.kimg > progress.images
    if widgets.button("Train on to", "Go on with the finished run, up to a greater length.", enabled=longer):
        monitor.resume(snapshot.folder, training.kimg)
    imgui.same_line()
    imgui.set_next_item_width(6 * imgui.get_font_size())
    tip, double = "Total length in thousands of images; double click doubles the present one.", 2e-3 * progress.images
    widgets.number(context.theme, None, training, "kimg", step=1, form="%.1f kimg", default=double, tip=tip)


def draw_failure(context: PanelContext, report: RunReport) -> None:
    """Draw what went wrong in the trainer's own words, and the path of its log."""
    ended = report.stage in ("failed", "crashed")
    error = name_controls(report.error)
    widgets.sentence(f"The trainer stopped: {error}" if ended else error, context.theme.error)
    if report.log is not None:
        with imgui_ctx.push_font(context.theme.mono, 0.0):
            widgets.sentence(f"log {report.log}", context.theme.dim)
        widgets.tooltip("Click to copy the path.")
        widgets.copied_on_click(str(report.log))


def name_controls(error: str) -> str:
    """Return a trainer's sentence with the panel's controls in place of its options, and say which it has not."""
    lacking = dict.fromkeys(name for name in re.findall(OPTION, error) if name not in CONTROLS)
    said = re.sub(OPTION, lambda found: CONTROLS.get(found[1], found[0]), error)
    if not lacking:
        return said
    listed = ", ".join(f"--{name}" for name in lacking)
    return f"{said} Only a command in a terminal takes {listed}: Copy command copies one to begin with."


def format_length(images: int, total: int) -> str:
    """Format how much of a run is done: in kimg as the paper counts, in images where that would be all zeros."""
    return f"{images / 1000:.1f} / {total / 1000:g} kimg" if total >= 10_000 else f"{images:,} / {total:,} images"


# ----------------------------------------------------------------------------------------------------- the losses


def _curves(training: TrainingState, context: PanelContext, snapshot: RunSnapshot | None) -> None:
    """Draw the losses, or the metric that is chosen, where snapshots were measured."""
    curves = snapshot.curves if snapshot else {}
    metrics = snapshot.metrics if snapshot else {}
    shown = training.curve if training.curve in metrics else ""
    if metrics:
        words = (("", "losses"), *((name, name) for name in metrics))
        imgui.set_next_item_width(14 * imgui.get_font_size())
        tip = "Losses of D and G, or a metric of the snapshots, by the samples in its name."
        training.curve = widgets.select("curve", shown or "losses", shown, words, tip)
    if not shown:
        _losses(training, context, curves)
        return
    kimg, figures = metrics[shown]
    imgui.same_line(0, 2 * imgui.get_style().item_spacing.x)
    widgets.mono_text(context.theme, f"{figures[-1]:.5g} at {kimg[-1]:g} kimg", rgb(METRIC_COLOUR))
    best = int(figures.argmin())
    widgets.tooltip(f"The newest. Lowest {figures[best]:.5g} at {kimg[best]:g} kimg, highest {figures.max():.5g}.")
    _plot(context, float(kimg.max()), value_range(figures, False), [(shown, METRIC_COLOUR, kimg, figures)], False)


def _losses(training: TrainingState, context: PanelContext, curves: Mapping[str, np.ndarray]) -> None:
    _legend(training, context, curves)
    if not curves or not len(curves["kimg"]):
        widgets.sentence("The first losses come with the first tick: after 4 kimg or a minute.", context.theme.dim)
        return
    log = training.log_scale
    lines = [(name, code, curves["kimg"], curves[name]) for name, _, code, _ in CURVES]
    _plot(context, float(curves["kimg"].max()), loss_range(curves, log), lines, log)


def _plot(context: PanelContext, last: float, y: tuple[float, float], lines: Sequence[Line], log: bool) -> None:
    """Draw curves over the run up to `last` kimg, `y` from bottom to top."""
    palette = context.theme.palette
    colours = {
        implot.Col_.frame_bg: rgb(palette["window"]),
        implot.Col_.plot_bg: rgb(palette["stage"]),
        implot.Col_.plot_border: rgb(palette["border"]),
        implot.Col_.axis_grid: rgb(palette["dim"], 0.25),
        implot.Col_.axis_text: context.theme.dim,
    }
    for role, colour in colours.items():
        implot.push_style_color(role, colour)
    implot.push_style_var(implot.StyleVar_.plot_padding, ImVec2(8, 3))
    implot.push_style_var(implot.StyleVar_.plot_min_size, ImVec2(120, 60))  # or the axis is cut off in a low panel
    # All of the run, from 0 kimg, with room for the last tick's words; implot's own fit fails on few points.
    x, still = (0.0, 1.06 * max(last, 1e-3)), implot.AxisFlags_.no_menus
    flags = implot.Flags_.no_legend | implot.Flags_.no_menus | implot.Flags_.no_title | implot.Flags_.no_box_select
    if widgets.begin_plot("losses", -1, x, y, axes=(still, still), flags=flags):
        implot.setup_axis_format(implot.ImAxis_.x1, "%g kimg")
        if log:
            implot.setup_axis_scale(implot.ImAxis_.y1, implot.Scale_.log10)
        for line in lines:
            _curve(*line, log)
        implot.end_plot()
    implot.pop_style_var(2)
    implot.pop_style_color(len(colours))


def loss_range(curves: Mapping[str, np.ndarray], log: bool) -> tuple[float, float]:
    """Return (low, high) that hold every finite point of the curves with a margin; positive if `log`."""
    return value_range(np.concatenate([curves[name] for name, *_ in CURVES]), log)


def value_range(values: np.ndarray, log: bool) -> tuple[float, float]:
    """Return (low, high) that hold every finite value with a margin; positive if `log`."""
    values = values[np.isfinite(values) & ((values > 0.0) if log else True)]
    if not len(values):
        return 0.1, 1.0
    values = np.clip(values, 1e-30 if log else -1e30, 1e30)
    low, high = float(values.min()), float(values.max())
    if log:
        return low / 1.3, high * 1.3
    margin = 0.08 * max(high - low, 0.1 * abs(high), 1e-6)
    return low - margin, high + margin


def _legend(training: TrainingState, context: PanelContext, curves: Mapping[str, np.ndarray]) -> None:
    """Draw the newest values in the curves' colours, and the switch of the axis."""
    for name, title, colour, tip in CURVES:
        values = curves.get(name, np.empty(0))
        values = values[np.isfinite(values)]
        imgui.align_text_to_frame_padding()
        widgets.mono_text(context.theme, f"{title} {values[-1]:<8.3g}" if len(values) else f"{title} -", rgb(colour))
        widgets.tooltip(tip)
        imgui.same_line(0, 2 * imgui.get_style().item_spacing.x)
    imgui.same_line(imgui.get_content_region_avail().x + imgui.get_cursor_pos_x() - 3.4 * imgui.get_font_size())
    widgets.check("log", training, "log_scale", "Logarithmic axis: the penalty is often far below the losses.")


def _curve(name: str, colour: str, x: np.ndarray, y: np.ndarray, log: bool) -> None:
    keep = np.isfinite(y) & ((y > 0.0) if log else True)
    if keep.any():
        alone = implot.Marker_.circle if keep.sum() == 1 else implot.Marker_.none
        spec = implot.Spec(line_color=rgb(colour), line_weight=1.6, marker=alone, marker_size=2.5)
        implot.plot_line(name, x[keep], y[keep], spec)


# --------------------------------------------------------------------------------------------------- the pictures


def _fakes(context: PanelContext, report: RunReport, size: ImVec2) -> None:
    """Draw the newest grid of generated pictures, whole."""
    fakes = report.fakes
    if fakes is None:
        with imgui_ctx.begin_child("fakes", size):
            widgets.sentence("The first pictures appear as soon as the run has begun.", context.theme.dim)
        return
    imgui.image(imgui.ImTextureRef(context.texture("fakes", fakes.pixels).texture), size)
    widgets.tooltip(f"Newest fakes, {fakes.file.kimg:g} kimg: the moving average (EMA) generator at fixed latents.")
