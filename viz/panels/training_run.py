# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Draw a training run: its progress, its losses, its newest pictures, and what can be done with it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from imgui_bundle import ImVec2, imgui, implot

from gan.files.format import format_duration
from gan.networks.ladder import RUNGS
from viz.core.state import SLOTS, TrainingState
from viz.training.monitor import RunMonitor, RunReport
from viz.training.run_folder import Progress, RunSnapshot
from viz.ui.context import PanelContext
from viz.ui.theme import rgb
from viz.ui.widgets import button, check, label, mono_text, number, sentence, tooltip

COLUMN = 23.0  # width of the left column, in font sizes
# Curves wear no slot's colour: those mean left and right. These read on both themes.
CURVES = (
    ("loss_g", "G", "#6fa35a", "Generator loss: softplus(-D(G(z))), the non-saturating loss."),
    ("loss_d", "D", "#9a76c2", "Discriminator loss: softplus(D(G(z))) + softplus(-D(x))."),
    ("r1", "R1", "#8d929b", "R1 gradient penalty, before its weight: the squared gradient of D at real images."),
)
STAGES = {
    "launching": "Starting",
    "starting": "Preparing",
    "training": "Training",
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
    imgui.begin_child("run", run, imgui.ChildFlags_.auto_resize_y if stacked else imgui.ChildFlags_.none)
    _run(training, context, monitor, report)
    imgui.end_child()
    if not stacked:
        imgui.same_line(0, gap)
    still = imgui.WindowFlags_.no_scrollbar | imgui.WindowFlags_.no_scroll_with_mouse  # the plot takes what is left
    imgui.begin_child("losses", losses, imgui.ChildFlags_.none, still)
    _losses(training, context, report.snapshot.curves if report.snapshot else {})
    imgui.end_child()
    if not stacked:
        imgui.same_line(0, gap)
    _fakes(context, report, ImVec2(pictures, pictures / shape))


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
    progress = snapshot.progress if snapshot is not None else None
    known = progress is not None and report.stage not in ("launching", "idle")
    stage = STAGES.get(report.stage, "No run here yet")
    if progress is not None and known:
        _bar(context, progress.fraction, f"{stage}  {100 * progress.fraction:.0f} %")
        if not report.error:
            _rates(context, report, progress)
    else:
        line = _last_line(report.output)
        drawn = re.fullmatch(r"Drawn (\d+) of (\d+)", line)  # the trainer draws its critters first
        if drawn:
            _bar(context, int(drawn[1]) / max(int(drawn[2]), 1), "Drawing critters")
        else:
            _bar(context, -0.5 * imgui.get_time() if report.active else 0.0, stage)
        if report.active:
            sentence(line or "Loading torch", context.theme.dim)
    if report.error:
        draw_failure(context, report)
    _actions(training, context, monitor, report)
    _snapshots(training, context, snapshot)


def _rates(context: PanelContext, report: RunReport, progress: Progress) -> None:
    rates = [format_length(progress.images, progress.total_images)]
    if report.stage == "training":
        rates += [f"{progress.images_per_s:.1f} images/s", f"{format_duration(progress.seconds_left)} left"]
    mono_text(context.theme, "   ".join(rates))
    tooltip("kimg: thousands of real images shown to the discriminator.")


def _bar(context: PanelContext, fraction: float, words: str) -> None:
    """Draw how much is done; a negative fraction is a bar that only shows that something happens."""
    imgui.push_style_color(imgui.Col_.plot_histogram, imgui.get_style_color_vec4(imgui.Col_.button_active))
    imgui.progress_bar(fraction, ImVec2(-1, 0), words)
    imgui.pop_style_color()


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
    tooltip("\n".join(facts))


def _snapshots(training: TrainingState, context: PanelContext, snapshot: RunSnapshot | None) -> None:
    """Draw the buttons that open and follow the newest snapshot."""
    newest = snapshot.network if snapshot is not None else None
    label(context.theme, "newest", "The newest snapshot: the moving average (EMA) of the generator's weights.")
    gap = 2 * imgui.get_style().item_spacing.x
    for slot in SLOTS:
        imgui.push_style_color(imgui.Col_.text, context.theme.accent[slot])
        tip = f"Open the newest snapshot ({newest.kimg} kimg) in the {slot} slot." if newest else "None is written yet."
        pressed = button(f"Open {slot}", enabled=newest is not None)
        imgui.pop_style_color()
        tooltip(tip)
        if pressed and newest is not None:
            context.models.open(slot, str(newest.path))
        imgui.same_line(0, gap)
    mono_text(context.theme, f"{newest.kimg} kimg" if newest else "none yet", context.theme.dim)
    label(context.theme, "follow", "Keep a slot on the newest snapshot, until another model is opened there.")
    for slot in SLOTS:
        check(context.theme, slot, training, f"follow_{slot}", f"Keep the {slot} slot on the newest snapshot.")
        imgui.same_line(0, gap)
    imgui.new_line()


def _actions(training: TrainingState, context: PanelContext, monitor: RunMonitor, report: RunReport) -> None:
    snapshot = report.snapshot
    if report.stage == "stopping":
        button("Stop", enabled=False)  # stays, so that a second click on it hits nothing else
        imgui.same_line()
        if button("End now", "Terminate the trainer; what it learned since its last snapshot is lost."):
            monitor.end()
        return
    if report.active:
        if button("Stop", "Finish the step, write snapshot and state, and end; it can be resumed exactly there."):
            monitor.stop()
        return
    if button("New run", "Back to the form; this run stays in its folder."):
        training.run_folder = ""
        monitor.follow("")
    if snapshot is None or not snapshot.resumable:
        return
    imgui.same_line()
    if report.stage != "finished":
        if button("Resume", "Go on exactly where it stopped: optimisers, EMA, counters, random numbers, sampler."):
            monitor.resume(snapshot.folder)
        return
    longer = 1000 * training.kimg > snapshot.progress.images
    if button("Train on to", "Go on with the finished run, up to a greater length.", enabled=longer):
        monitor.resume(snapshot.folder, training.kimg)
    imgui.same_line()
    tip = "Total length in thousands of images; double click doubles the present one."
    number(
        context.theme,
        "",
        training,
        "kimg",
        step=1,
        form="%.1f kimg",
        default=2e-3 * snapshot.progress.images,
        width=8 * imgui.get_font_size(),
        tip=tip,
    )


def draw_failure(context: PanelContext, report: RunReport) -> None:
    """Draw what went wrong in the trainer's own words, and the path of its log."""
    ended = report.stage in ("failed", "crashed")
    sentence(f"The trainer stopped: {report.error}" if ended else report.error, context.theme.error)
    if report.log is not None:
        imgui.push_font(context.theme.mono, 0.0)
        sentence(f"log {report.log}", context.theme.dim)
        imgui.pop_font()
        tooltip("Click to copy the path.")
        if imgui.is_item_clicked():
            imgui.set_clipboard_text(str(report.log))


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def format_length(images: int, total: int) -> str:
    """Format how much of a run is done: in kimg as the paper counts, in images where that would be all zeros."""
    return f"{images / 1000:.1f} / {total / 1000:g} kimg" if total >= 10_000 else f"{images:,} / {total:,} images"


# ----------------------------------------------------------------------------------------------------- the losses


def _losses(training: TrainingState, context: PanelContext, curves: Mapping[str, np.ndarray]) -> None:
    _legend(training, context, curves)
    if not curves or not len(curves["kimg"]):
        sentence("The first losses come with the first tick: after 4 kimg or a minute.", context.theme.dim)
        return
    colours, palette = implot.Col_, context.theme.palette
    implot.push_style_color(colours.frame_bg, rgb(palette.window))
    implot.push_style_color(colours.plot_bg, rgb(palette.stage))
    implot.push_style_color(colours.plot_border, rgb(palette.border))
    implot.push_style_color(colours.axis_grid, rgb(palette.dim, 0.25))
    implot.push_style_color(colours.axis_text, context.theme.dim)
    implot.push_style_var(implot.StyleVar_.plot_padding, ImVec2(8, 3))
    flags = implot.Flags_
    if implot.begin_plot(
        "##losses", ImVec2(-1, -1), flags.no_legend | flags.no_menus | flags.no_title | flags.no_box_select
    ):
        _axes(curves, log=training.log_scale)
        for name, _, colour, _ in CURVES:
            _curve(name, colour, curves, log=training.log_scale)
        implot.end_plot()
    implot.pop_style_var()
    implot.pop_style_color(5)


def _axes(curves: Mapping[str, np.ndarray], log: bool) -> None:
    """Show all of the run, from 0 kimg, with room for the last tick's words; implot's own fit fails on few points."""
    axis, always = implot.AxisFlags_, implot.Cond_.always
    implot.setup_axes("", "", axis.no_menus, axis.no_menus)
    implot.setup_axis_format(implot.ImAxis_.x1, "%g kimg")
    implot.setup_axis_limits(implot.ImAxis_.x1, 0.0, 1.06 * max(float(curves["kimg"].max()), 1e-3), always)
    implot.setup_axis_limits(implot.ImAxis_.y1, *loss_range(curves, log), always)
    if log:
        implot.setup_axis_scale(implot.ImAxis_.y1, implot.Scale_.log10)


def loss_range(curves: Mapping[str, np.ndarray], log: bool) -> tuple[float, float]:
    """Return (low, high) that hold every finite point of the curves with a margin; positive if `log`."""
    values = np.concatenate([curves[name] for name, *_ in CURVES])
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
        mono_text(context.theme, f"{title} {values[-1]:<8.3g}" if len(values) else f"{title} -", rgb(colour))
        tooltip(tip)
        imgui.same_line(0, 2 * imgui.get_style().item_spacing.x)
    imgui.same_line(imgui.get_content_region_avail().x + imgui.get_cursor_pos_x() - 3.4 * imgui.get_font_size())
    check(context.theme, "log", training, "log_scale", "Logarithmic axis: the penalty is often far below the losses.")


def _curve(name: str, colour: str, curves: Mapping[str, np.ndarray], log: bool) -> None:
    x, y = curves["kimg"], curves[name]
    keep = np.isfinite(y) & ((y > 0.0) if log else True)
    if keep.any():
        alone = implot.Marker_.circle if keep.sum() == 1 else implot.Marker_.none
        implot.plot_line(
            name, x[keep], y[keep], implot.Spec(line_color=rgb(colour), line_weight=1.6, marker=alone, marker_size=2.5)
        )


# --------------------------------------------------------------------------------------------------- the pictures


def _fakes(context: PanelContext, report: RunReport, size: ImVec2) -> None:
    """Draw the newest grid of generated pictures, whole."""
    fakes = report.fakes
    picture = context.texture("fakes", fakes.pixels) if fakes is not None else None
    if fakes is None or picture is None:
        imgui.begin_child("fakes", size, imgui.ChildFlags_.none)
        sentence("The first pictures appear as soon as the run has begun.", context.theme.dim)
        imgui.end_child()
        return
    imgui.image(imgui.ImTextureRef(picture.texture), size)
    tooltip(f"Newest fakes, {fakes.file.kimg} kimg: the moving average (EMA) generator at fixed latents.")
