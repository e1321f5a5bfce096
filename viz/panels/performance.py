# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Performance: times, what runs the operators, and limits of the frame loop."""

from collections.abc import Sequence

import numpy as np
from imgui_bundle import imgui, implot

from gan.files.format import format_bytes
from viz.core.state import SLOTS, AppState
from viz.ui import widgets
from viz.ui.context import PanelContext

TITLE = "Performance"
PLACE = "bottom"

NUMBERS_WIDTH = 21.0  # in font sizes
SHOWN = 240  # frames in the plot


def draw(state: AppState, context: PanelContext) -> None:
    """Draw numbers left, what runs in the middle, history right."""
    em = imgui.get_font_size()
    if imgui.begin_table("performance", 3):
        imgui.table_setup_column("times", imgui.TableColumnFlags_.width_fixed, 15 * em)
        imgui.table_setup_column("runs", imgui.TableColumnFlags_.width_fixed, NUMBERS_WIDTH * em)
        imgui.table_setup_column("history", imgui.TableColumnFlags_.width_stretch)
        imgui.table_next_row()
        imgui.table_next_column()
        _times(state, context)
        imgui.table_next_column()
        _runs(state, context)
        imgui.table_next_column()
        _history(context)
        imgui.end_table()


def _times(state: AppState, context: PanelContext) -> None:
    theme, times = context.theme, context.timings
    widgets.fact(theme, "rate", f"{imgui.get_io().framerate:6.1f} fps", "Frames of the window a second.")
    for slot in SLOTS:
        model = f"{_recent(times.model[slot])}{context.timings.rate.recent(slot):5.1f}/s"
        tip = "Mapping and synthesis of one picture; new pictures shown a second."
        widgets.fact(theme, f"{slot} model", model, tip, theme.accent[slot])
    widgets.fact(theme, "pixels", _recent(times.post), "From the model's numbers to bytes, enlarged for display.")
    widgets.fact(theme, "upload", _recent(times.upload), "The window's own part of bringing a picture to its texture.")
    widgets.fact(theme, "frame", _recent(times.frame), "The window's own work in one frame.")


def _runs(state: AppState, context: PanelContext) -> None:
    theme, display = context.theme, state.display
    widgets.label(theme, "device", "Where the models run.")
    chosen = widgets.select(
        "device", display.device, display.device, ((name, name) for name in context.machine.devices)
    )
    display.device = chosen or display.device
    used, limit = context.machine.memory(display.device)
    tip = "What open models take of what they may take, with what is computed from their weights (--model-memory)."
    widgets.fact(theme, "models", f"{format_bytes(used)} of {format_bytes(limit)}", tip)
    _precision(state, context)
    kinds = {line.implementation for line in context.machine.operators}
    for line in context.machine.operators if len(kinds) > 1 else context.machine.operators[:1]:
        name = line.name if len(kinds) > 1 else "operators"
        widgets.fact(theme, name, line.implementation, line.reason)
    path, reason = context.machine.presented or ("–", "How pictures come to the window's textures, once there is one.")
    widgets.fact(theme, "display", path, reason)
    tip = "Most frames a second; 0 for no limit."
    widgets.label(theme, "limit", tip)
    widgets.number(
        theme,
        "",
        display,
        "fps_limit",
        step=0.25,
        form="%d fps" if display.fps_limit else "none",
        tip=tip,
        width=imgui.get_content_region_avail().x / 2,
    )
    imgui.same_line()
    widgets.check(theme, "Vsync", display, "vsync", "Wait for the screen before showing a frame.")


def _precision(state: AppState, context: PanelContext) -> None:
    theme, display = context.theme, state.display
    how = [f"{slot.capitalize()}: {found.how}" for slot in SLOTS if (found := context.results[slot]) and found.how]
    tip = "Number format of the models' arithmetic."
    if not display.device.startswith("cuda"):
        widgets.fact(theme, "precision", "float32", f"{tip} float16 is for CUDA devices, where it is faster.")
        return
    choices = {
        "auto": "auto: float16 where the picture stays the same",
        "float32": "float32",
        "float16": "float16: in any case",
    }
    widgets.label(theme, "precision", "\n".join([tip, *how]))
    formats = sorted({found.how[:7] for slot in SLOTS if (found := context.results[slot]) and found.how})
    now = f"auto ({', '.join(formats)})" if display.precision == "auto" and formats else display.precision
    display.precision = widgets.select("precision", now, display.precision, choices.items()) or display.precision


def _history(context: PanelContext) -> None:
    flags, axis = implot.Flags_, implot.AxisFlags_
    if not implot.begin_plot("##history", (-1, -1), flags.no_menus | flags.no_mouse_text | flags.no_inputs):
        return
    theme, times = context.theme, context.timings
    curves = [(f"{slot} model", times.model[slot], theme.accent[slot]) for slot in SLOTS]
    curves += [("frame", times.frame, theme.dim), ("upload", times.upload, theme.warning)]
    # A single slow frame (a model being opened) must not flatten all the others.
    usual = [float(np.percentile(np.asarray(values), 95)) for _, values, _ in curves if values]
    implot.setup_axes("", "ms", axis.no_tick_labels | axis.no_grid_lines | axis.no_tick_marks, 0)
    implot.setup_axis_limits(implot.ImAxis_.x1, -SHOWN, 0, imgui.Cond_.always)
    implot.setup_axis_limits(implot.ImAxis_.y1, 0, 1.4 * max([1.0, *usual]), imgui.Cond_.always)
    implot.setup_legend(implot.Location_.north_west, implot.LegendFlags_.horizontal)
    for name, values, colour in curves:
        if values:
            data = np.asarray(values, dtype=np.float64)
            spec = implot.Spec(line_color=colour, line_weight=1.5)
            implot.plot_line(name, data, 1.0, 1.0 - len(data), spec)
    implot.end_plot()


def _recent(values: Sequence[float]) -> str:
    """Format the median of the last few, since single frames jump."""
    latest = sorted(list(values)[-15:])
    return f"{latest[len(latest) // 2]:6.2f} ms" if latest else "     –"
