# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Filters: the selected layer's up and down filter, and the schedule of all layers [P fig. 4a, 4c]."""

import math

import numpy as np
from imgui_bundle import ImVec2, imgui, implot

from viz.core.result import PICTURE
from viz.core.state import AppState
from viz.instruments.filters import FiltersView, FilterView, response_image, view_filters
from viz.panels.layers import choose_slot, selected
from viz.ui import widgets
from viz.ui.context import PanelContext
from viz.ui.theme import DARK, rgb

TITLE = "Filters"
PLACE = "right"

FLOOR = -90.0  # dB, the darkest of the plane and the foot of the slices
SCHEDULE_SHARE = 0.3  # of the panel's height
QUIET = (
    implot.Flags_.no_menus
    | implot.Flags_.no_mouse_text
    | implot.Flags_.no_inputs
    | implot.Flags_.no_legend
    | implot.Flags_.no_title
)


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the layer, its two filters beside each other, and its place in the schedule."""
    slot = choose_slot(state, context)
    facts = context.facts(slot)
    if facts is None or not state.slot(slot).path:
        widgets.sentence(f"Nothing is shown in the {slot} slot: open a model there.", context.theme.dim)
        return
    band = selected(state, context, slot)
    assert band is not None
    last = band.index is not None and band.name == PICTURE
    shown = view_filters(facts.config, str(band.index) if last else band.name)
    imgui.set_next_item_width(-1)
    names = ("input", *shown.schedule.names) if facts.movable else shown.schedule.names
    tip = "The layer shown here, under Layers and under Spectrum."
    chosen = widgets.select("layer", band.name, band.name, ((name, name) for name in names), tip)
    setattr(state.layers, slot, chosen or getattr(state.layers, slot))
    imgui.push_font(imgui.get_font(), 0.87 * imgui.get_font_size())
    implot.push_style_var(implot.StyleVar_.plot_padding, ImVec2(6, 5))
    implot.push_style_var(implot.StyleVar_.label_padding, ImVec2(3, 2))
    implot.push_style_var(implot.StyleVar_.plot_min_size, ImVec2(60, 40))
    height = imgui.get_content_region_avail().y
    _filters(context, shown, (1 - SCHEDULE_SHARE) * height)
    _schedule(context, shown)
    implot.pop_style_var(3)
    imgui.pop_font()


def _filters(context: PanelContext, shown: FiltersView, height: float) -> None:
    pair = (("up", shown.up), ("down", shown.down))
    if shown.up is None and shown.down is None:
        why = "The Fourier input has no filters." if shown.index is None else "This layer neither up- nor downsamples."
        widgets.sentence(f"{why} Choose another layer.", context.theme.dim)
        return
    gap = imgui.get_style().item_spacing.x
    width = (imgui.get_content_region_avail().x - gap) / 2
    for index, (name, one) in enumerate(pair):
        if index:
            imgui.same_line(0, gap)
        imgui.begin_child(name, (width, height), 0, imgui.WindowFlags_.no_scrollbar)
        if one is None:
            imgui.text_colored(context.theme.dim, f"no {name} filter")
        else:
            _filter(context, name, one, height)
        imgui.end_child()


def _filter(context: PanelContext, name: str, one: FilterView, height: float) -> None:
    """Draw a filter's numbers, taps, response in the plane, and slices of it."""
    theme, f = context.theme, one.filter
    factor = f.rate // f.low_rate
    shape = "radial" if f.radial else "separable"
    imgui.text_unformatted(f"{name} {factor}x")
    imgui.same_line()
    imgui.text_colored(theme.dim, f"{shape}, {len(f.taps)} taps")
    widgets.tooltip(
        f"A {f.kind} low-pass between s = {f.low_rate} and {f.rate} samples a picture width, "
        f"f_c = {f.cutoff:.2f}, f_h = {f.half_width:.2f} cycles a picture width."
    )
    loss = one.attenuation
    for text, value, tip in (
        ("at f_c", loss.cutoff, "What is lost at the cutoff; about 6 dB is a windowed filter's nature."),
        ("stopband", loss.stopband, "The least that is taken away from f_c + f_h on."),
        ("aliases", loss.alias, "The least that is taken away from s - f_c on, where aliases and images begin."),
    ):
        imgui.text_colored(theme.dim, text)
        widgets.tooltip(tip)
        imgui.same_line()
        imgui.push_font(theme.mono, 0.0)
        widgets.align_right(f"{value:.1f} dB")
        imgui.text_unformatted(f"{value:.1f} dB")
        imgui.pop_font()
        widgets.tooltip(tip)
    rest = height - 4 * imgui.get_text_line_height_with_spacing()
    _taps(context, name, one, rest * 0.24)
    _plane(context, name, one, rest * 0.42)
    _slices(context, name, one, max(imgui.get_content_region_avail().y, 50.0))


def _taps(context: PanelContext, name: str, one: FilterView, height: float) -> None:
    """Draw the impulse response; of a radial filter the row through its middle."""
    taps = one.filter.taps
    values = taps[len(taps) // 2] if taps.ndim == 2 else taps
    if not implot.begin_plot(f"##taps {name}", (-1, height), QUIET):
        return
    axis = implot.AxisFlags_
    implot.setup_axes("", "", axis.none, axis.no_tick_labels | axis.no_tick_marks)
    reach = len(values) / 2
    implot.setup_axis_limits(implot.ImAxis_.x1, -reach, reach, imgui.Cond_.always)
    span = float(np.abs(values).max())
    implot.setup_axis_limits(
        implot.ImAxis_.y1, min(1.25 * float(values.min()), -0.1 * span), 1.15 * span, imgui.Cond_.always
    )
    spec = implot.Spec(
        line_color=context.theme.dim,
        marker=implot.Marker_.circle,
        marker_size=2.0,
        marker_fill_color=context.theme.text,
        marker_line_color=context.theme.text,
    )
    implot.plot_stems("taps", one.positions, np.ascontiguousarray(values, np.float64), 0.0, spec)
    implot.end_plot()


def _plane(context: PanelContext, name: str, one: FilterView, height: float) -> None:
    """Draw the response over the plane, with f_c and f_c + f_h of the lower rate on it."""
    side = min(imgui.get_content_region_avail().x, height)
    start, origin = imgui.get_cursor_pos(), imgui.get_cursor_screen_pos()
    left = origin.x + (imgui.get_content_region_avail().x - side) / 2
    picture = context.texture(f"plane {name}", response_image(one, FLOOR))
    draw = imgui.get_window_draw_list()
    draw.add_image(imgui.ImTextureRef(picture.texture), (left, origin.y), (left + side, origin.y + side))
    centre, scale = (left + side / 2, origin.y + side / 2), side / 2 / one.extent
    # The dark theme's colours, as the map is dark in both.
    for frequency, colour in ((one.filter.cutoff, DARK.cutoff), (one.filter.stopband, DARK.warning)):
        reach, ink = frequency * scale, imgui.get_color_u32(rgb(colour))
        if one.filter.radial:
            draw.add_circle(centre, reach, ink, 64, 1.5)
        else:
            draw.add_rect((centre[0] - reach, centre[1] - reach), (centre[0] + reach, centre[1] + reach), ink, 0, 1.5)
    imgui.set_cursor_pos(start)
    imgui.dummy((imgui.get_content_region_avail().x, side))
    widgets.tooltip(
        f"Response over the plane, {FLOOR:.0f} to 0 dB; blue f_c, yellow f_c + f_h; the border is "
        f"{one.extent:.0f} cycles a picture width."
    )


def _slices(context: PanelContext, name: str, one: FilterView, height: float) -> None:
    if not implot.begin_plot(f"##response {name}", (-1, height), QUIET):
        return
    theme, axis = context.theme, implot.AxisFlags_
    implot.setup_axes("", "", axis.none, axis.none)
    directions = one.slices if one.filter.radial else one.slices[:1]
    implot.setup_axis_limits(implot.ImAxis_.x1, 0, max(part.frequencies[-1] for part in directions), imgui.Cond_.always)
    implot.setup_axis_limits(implot.ImAxis_.y1, FLOOR, 6, imgui.Cond_.always)
    marks = (
        (one.filter.cutoff, theme.palette.cutoff),
        (one.filter.stopband, theme.palette.warning),
        (one.filter.alias_from, theme.palette.error),
    )
    for index, (frequency, code) in enumerate(marks):
        implot.plot_inf_lines(f"##{index}", np.array([frequency]), implot.Spec(line_color=rgb(code), line_weight=1))
    for part, colour in zip(directions, (theme.text, theme.dim), strict=False):
        implot.plot_line(f"{part.degrees:g}", part.frequencies, part.gains, implot.Spec(line_color=colour))
    implot.end_plot()
    widgets.tooltip(
        "Gain in dB over frequency in cycles a picture width; of a radial filter also along the diagonal "
        "(pale). Lines: blue f_c, yellow f_c + f_h, red s - f_c, where aliases begin."
    )


def _schedule(context: PanelContext, shown: FiltersView) -> None:
    """Draw f_c, f_t, s/2 and f_c + f_h over the layers, the selected one marked."""
    theme, schedule = context.theme, shown.schedule
    for text, colour in (
        ("f_c", theme.palette.cutoff),
        ("f_t", theme.palette.stopband),
        ("s/2", theme.palette.text),
        ("f_c + f_h", theme.palette.warning),
    ):
        imgui.text_colored(rgb(colour), text)
        imgui.same_line()
    imgui.text_colored(theme.dim, "over the layers")
    if not implot.begin_plot("##schedule", (-1, max(imgui.get_content_region_avail().y, 60.0)), QUIET):
        return
    axis, x = implot.AxisFlags_, np.arange(len(schedule.names), dtype=np.float64)
    implot.setup_axes("", "", axis.none, axis.none)
    implot.setup_axis_scale(implot.ImAxis_.y1, implot.Scale_.log10)
    low, high = float(schedule.cutoffs.min()), float(schedule.stopbands.max())
    ticks = [2.0**power for power in range(math.floor(math.log2(low)), math.ceil(math.log2(high)) + 1)]
    implot.setup_axis_ticks(implot.ImAxis_.y1, ticks, [f"{tick:g}" for tick in ticks], False)
    implot.setup_axis_limits(implot.ImAxis_.x1, -0.5, len(x) - 0.5, imgui.Cond_.always)
    implot.setup_axis_limits(implot.ImAxis_.y1, low / 1.3, high * 1.3, imgui.Cond_.always)
    if shown.index is not None:
        line = implot.Spec(line_color=rgb(theme.palette.active), line_weight=8)
        implot.plot_inf_lines("##selected", np.array([float(shown.index)]), line)
    curves = (
        ("s/2", schedule.rates / 2, theme.palette.text, 1.0),
        ("f_c + f_h", schedule.edges, theme.palette.warning, 1.0),
        ("f_t", schedule.stopbands, theme.palette.stopband, 1.5),
        ("f_c", schedule.cutoffs, theme.palette.cutoff, 2.0),
    )
    for name, values, colour, weight in curves:
        spec = implot.Spec(line_color=rgb(colour), line_weight=weight)
        if name in ("s/2", "f_c + f_h"):  # which follow the rates' steps; stairs run from a point to the next
            implot.plot_stairs(name, np.append(x, len(x)) - 0.5, np.append(values, values[-1]), spec)
        else:
            implot.plot_line(name, x, values, spec)
    implot.end_plot()
