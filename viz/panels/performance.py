# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Performance: times, what runs the operators, and limits of the frame loop."""

from collections.abc import Sequence
from statistics import median_high

import numpy as np
from imgui_bundle import imgui, imgui_ctx, implot

from gan.files.format import format_bytes
from viz.core.state import SLOTS, AppState
from viz.ui import widgets
from viz.ui.context import PanelContext

TITLE = "Performance"
PLACE = "bottom"

COLUMNS = (("times", 15.0), ("runs", 21.0), ("history", 0.0))  # widths in font sizes, 0: the rest
LEAST, HEIGHT = 40.0, 8.0  # width of the panel with columns; height of the plot without, in font sizes
SHOWN = 240  # frames in the plot
PRECISIONS = {
    "auto": "auto: float16 where the picture stays the same",
    "float32": "float32",
    "float16": "float16: in any case",
}


def draw(state: AppState, context: PanelContext) -> None:
    """Draw numbers left, what runs in the middle, history right; below one another where there is little room."""
    kinds, em = imgui.TableColumnFlags_, imgui.get_font_size()
    if imgui.get_content_region_avail().x < LEAST * em:  # large letters
        _times(context)
        _runs(state, context)
        _history(context, HEIGHT * em)
        return
    with imgui_ctx.begin_table("performance", len(COLUMNS)) as table:
        if not table:
            return
        for name, width in COLUMNS:
            kind = kinds.width_fixed if width else kinds.width_stretch
            imgui.table_setup_column(name, kind, width * em)
        imgui.table_next_column()
        _times(context)
        imgui.table_next_column()
        _runs(state, context)
        imgui.table_next_column()
        _history(context, -1)


def _times(context: PanelContext) -> None:
    theme, times = context.theme, context.timings
    widgets.fact(theme, "rate", f"{imgui.get_io().framerate:6.1f} fps", "Frames of the window a second.")
    for slot in SLOTS:
        model = f"{_recent(times.model[slot])}{times.rate.recent(slot):5.1f}/s"
        tip = "Mapping and synthesis of one picture; new pictures shown a second."
        widgets.fact(theme, f"{slot} model", model, tip, theme.accent[slot])
    widgets.fact(theme, "pixels", _recent(times.post), "Time from the model's output to bytes, enlarged for display.")
    widgets.fact(theme, "upload", _recent(times.upload), "The window's time to bring a picture to its texture.")
    widgets.fact(theme, "frame", _recent(times.frame), "The window's own time for a frame.")


def _runs(state: AppState, context: PanelContext) -> None:
    theme, display, machine = context.theme, state.display, context.machine
    widgets.label(theme, "device", "The device that runs the models.")
    devices = ((name, name) for name in machine.devices)
    display.device = widgets.select("device", display.device, display.device, devices)
    used, limit = machine.memory(display.device)
    tip = "Memory that open models take, of what they may take (--model-memory)."
    widgets.fact(theme, "models", f"{format_bytes(used)} of {format_bytes(limit)}", tip)
    _precision(state, context)
    alike = len({line.implementation for line in machine.operators}) <= 1
    for line in machine.operators[:1] if alike else machine.operators:
        widgets.fact(theme, "operators" if alike else line.name, line.implementation, line.reason)
    path, reason = machine.presented or ("–", "How pictures come to the window's textures, once there is one.")
    widgets.fact(theme, "display", path, reason)
    tip = "Most frames a second; 0 for no limit."
    widgets.label(theme, "limit", tip)
    imgui.set_next_item_width(imgui.get_content_region_avail().x / 2)
    form = "%d fps" if display.fps_limit else "none"
    widgets.number(theme, None, display, "fps_limit", step=0.25, form=form, tip=tip)
    imgui.same_line()
    widgets.check("Vsync", display, "vsync", "Wait for the screen before showing a frame.")


def _precision(state: AppState, context: PanelContext) -> None:
    theme, display = context.theme, state.display
    how = {slot: found.how for slot in SLOTS if (found := context.results[slot]) and found.how}
    tip = "Number format of the models' arithmetic."
    if not display.device.startswith("cuda"):
        widgets.fact(theme, "precision", "float32", f"{tip} float16 is for CUDA devices, where it is faster.")
        return
    widgets.label(theme, "precision", "\n".join([tip, *(f"{slot.capitalize()}: {text}" for slot, text in how.items())]))
    formats = ", ".join(sorted({text[:7] for text in how.values()}))
    now = f"auto ({formats})" if display.precision == "auto" and formats else display.precision
    display.precision = widgets.select("precision", now, display.precision, PRECISIONS.items())


def _history(context: PanelContext, height: float) -> None:
    flags, axis, theme, times = implot.Flags_, implot.AxisFlags_, context.theme, context.timings
    curves = [(f"{slot} model", times.model[slot], theme.accent[slot]) for slot in SLOTS]
    curves += [("frame", times.frame, theme.dim), ("upload", times.upload, theme.warning)]
    # A single slow frame (a model being opened) must not flatten all the others.
    high = 1.4 * max([1.0, *(float(np.percentile(np.asarray(values), 95)) for _, values, _ in curves if values)])
    axes = axis.no_tick_labels | axis.no_grid_lines | axis.no_tick_marks, 0
    quiet = flags.no_menus | flags.no_mouse_text | flags.no_inputs
    if not widgets.begin_plot("history", height, (-SHOWN, 0), (0, high), labels=("", "ms"), axes=axes, flags=quiet):
        return
    implot.setup_legend(implot.Location_.north_west, implot.LegendFlags_.horizontal)
    for name, values, colour in curves:
        if values:
            data = np.asarray(values, dtype=np.float64)
            implot.plot_line(name, data, 1.0, 1.0 - len(data), implot.Spec(line_color=colour, line_weight=1.5))
    implot.end_plot()


def _recent(values: Sequence[float]) -> str:
    """Format the median of the last few, since single frames jump."""
    latest = list(values)[-15:]
    return f"{median_high(latest):6.2f} ms" if latest else "     –"
