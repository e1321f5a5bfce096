# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Filters: the selected layer's up and down filter, and the schedule of all layers [P fig. 4a, 4c]."""

import math
from functools import partial

import numpy as np
from imgui_bundle import ImVec2, imgui, imgui_ctx, implot

from gan.analysis.bands import list_bands
from viz.core.result import PICTURE
from viz.core.state import AppState
from viz.instruments.filters import FiltersView, FilterView, response_image, view_filters
from viz.panels.layers import choose_slot, chosen_slot, selected
from viz.record.panel_offers import offer_filters
from viz.record.save_export import Offer
from viz.ui import fitting, widgets
from viz.ui.context import PanelContext
from viz.ui.theme import DARK, Palette, rgb

TITLE = "Filters"
PLACE = "right"

FLOOR = -90.0  # dB, the darkest of the plane and the foot of the slices
SCHEDULE_SHARE = 0.3  # of the panel's height
LOSSES = (
    ("at f_c", "cutoff", "Attenuation at the cutoff; about 6 dB is usual for a windowed filter."),
    ("stopband", "stopband", "Least attenuation from f_c + f_h on."),
    ("aliases", "alias", "Least attenuation from s - f_c on, where aliases and images begin."),
)

LEAST_HEIGHT = 19.0  # of one filter with large letters, in font sizes


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the layer, its two filters beside each other, and its place in the schedule."""
    slot = choose_slot(state, context, TITLE, partial(_offer, state, context))
    facts, band = context.facts(slot), selected(state, context, slot)
    if facts is None or band is None:
        return
    last = list_bands(facts.config)[-1].name  # ToRGB, whose output the picture is
    shown = view_filters(facts.config, last if band.name == PICTURE else band.name)
    imgui.set_next_item_width(-1)
    names = ("input", *shown.schedule.names) if facts.config.movable else shown.schedule.names
    tip = "The layer shown here, under Layers and under Spectrum."
    chosen = widgets.select("layer", band.name, band.name, ((name, name) for name in names), tip)
    if chosen != band.name:
        setattr(state.layers, slot, chosen)
    with widgets.plot_style():
        _filters(context, shown, (1 - SCHEDULE_SHARE) * imgui.get_content_region_avail().y)
        _schedule(context, shown)


def _offer(state: AppState, context: PanelContext) -> Offer | None:
    """Return the schedule and the selected layer's filters, to be saved."""
    slot = chosen_slot(state)
    facts, band = context.facts(slot), selected(state, context, slot)
    if facts is None or band is None:
        return None
    last = list_bands(facts.config)[-1].name
    return offer_filters(facts.config, last if band.name == PICTURE else band.name, state.slot(slot).path)


def _filters(context: PanelContext, shown: FiltersView, height: float) -> None:
    if shown.up is None and shown.down is None:
        why = "The Fourier input has no filters." if shown.place is None else "This layer neither up- nor downsamples."
        widgets.sentence(f"{why} Choose another layer.", context.theme.dim)
        return
    gap = imgui.get_style().item_spacing.x
    room, both = imgui.get_content_region_avail().x, {"up": shown.up, "down": shown.down}
    if fitting.is_narrow():  # one below the other, and none that there is not
        height = max(height, LEAST_HEIGHT * imgui.get_font_size())
        for name, one in both.items():
            if one is not None:
                with imgui_ctx.begin_child(name, ImVec2(room, height), 0, imgui.WindowFlags_.no_scrollbar):
                    _filter(context, name, one, height)
        return
    size = ImVec2((room - gap) / 2, height)
    for name, one in both.items():
        if name == "down":
            imgui.same_line(0, gap)
        with imgui_ctx.begin_child(name, size, 0, imgui.WindowFlags_.no_scrollbar):
            if one is None:
                imgui.text_colored(context.theme.dim, f"no {name} filter")
            else:
                _filter(context, name, one, height)


def _filter(context: PanelContext, name: str, one: FilterView, height: float) -> None:
    """Draw a filter's numbers, taps, response in the plane, and slices of it."""
    theme, f = context.theme, one.filter
    imgui.text_unformatted(f"{name} {f.rate // f.low_rate}x")
    imgui.same_line()
    imgui.text_colored(theme.dim, f"{'radial' if f.radial else 'separable'}, {len(f.taps)} taps")
    widgets.tooltip(
        f"A {f.kind} low-pass between s = {f.low_rate} and {f.rate} samples a picture width, "
        f"f_c = {f.cutoff:.2f}, f_h = {f.half_width:.2f} cycles a picture width."
    )
    for text, loss, tip in LOSSES:
        imgui.text_colored(theme.dim, text)
        widgets.tooltip(tip)
        imgui.same_line()
        widgets.mono_text(theme, f"{getattr(one.attenuation, loss):.1f} dB", right=True)
        widgets.tooltip(tip)
    rest = height - 4 * imgui.get_text_line_height_with_spacing()
    _taps(context, name, one, rest * 0.24)
    _plane(context, name, one, rest * 0.42)
    _slices(context, name, one, max(imgui.get_content_region_avail().y, 3.4 * imgui.get_font_size()))


def _taps(context: PanelContext, name: str, one: FilterView, height: float) -> None:
    """Draw the impulse response; of a radial filter the row through its middle."""
    taps, axis, text = one.filter.taps, implot.AxisFlags_, context.theme.text
    values = taps[len(taps) // 2] if taps.ndim == 2 else taps
    span, reach = float(np.abs(values).max()), len(values) / 2
    y = min(1.25 * float(values.min()), -0.1 * span), 1.15 * span
    axes = axis.none, axis.no_tick_labels | axis.no_tick_marks
    if not widgets.begin_plot(f"taps {name}", height, (-reach, reach), y, axes=axes):
        return
    _whole_ticks(-reach, reach)
    spec = implot.Spec(
        line_color=context.theme.dim,
        marker=implot.Marker_.circle,
        marker_size=2.0,
        marker_fill_color=text,
        marker_line_color=text,
    )
    implot.plot_stems("taps", one.positions, np.ascontiguousarray(values, np.float64), 0.0, spec)
    implot.end_plot()


def _plane(context: PanelContext, name: str, one: FilterView, height: float) -> None:
    """Draw the response over the plane, with f_c and f_c + f_h of the lower rate on it."""
    origin, width = imgui.get_cursor_screen_pos(), imgui.get_content_region_avail().x
    side = min(width, height)
    corner = ImVec2(origin.x + (width - side) / 2, origin.y)
    widgets.picture(context, f"plane {name}", response_image(one, FLOOR), corner, ImVec2(side, side))
    draw, centre = imgui.get_window_draw_list(), (corner.x + side / 2, corner.y + side / 2)
    for frequency, code in _marks(one, DARK)[:2]:  # the dark theme's colours, as the map is dark in both
        reach, ink = frequency * side / 2 / one.extent, imgui.get_color_u32(rgb(code))
        if one.filter.radial:
            draw.add_circle(centre, reach, ink, 64, 1.5)
        else:
            draw.add_rect((centre[0] - reach, centre[1] - reach), (centre[0] + reach, centre[1] + reach), ink, 0, 1.5)
    imgui.dummy((width, side))
    widgets.tooltip(
        f"Response over the plane, {FLOOR:.0f} to 0 dB; blue f_c, yellow f_c + f_h; the border is "
        f"{one.extent:.0f} cycles a picture width."
    )


def _marks(one: FilterView, palette: Palette) -> tuple[tuple[float, str], ...]:
    """Return a filter's frequencies f_c, f_c + f_h and s - f_c, and their colours."""
    f = one.filter
    return (f.cutoff, palette["cutoff"]), (f.stopband, palette["warning"]), (f.alias_from, palette["error"])


def _slices(context: PanelContext, name: str, one: FilterView, height: float) -> None:
    theme = context.theme
    directions = one.slices if one.filter.radial else one.slices[:1]
    most = max(part.frequencies[-1] for part in directions)
    if not widgets.begin_plot(f"response {name}", height, (0, most), (FLOOR, 6)):
        return
    _whole_ticks(0, 0.95 * most)
    for index, (frequency, code) in enumerate(_marks(one, theme.palette)):
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
        ("f_c", theme.palette["cutoff"]),
        ("f_t", theme.palette["stopband"]),
        ("s/2", theme.palette["text"]),
        ("f_c + f_h", theme.palette["warning"]),
    ):
        imgui.text_colored(rgb(colour), text)
        imgui.same_line()
    imgui.text_colored(theme.dim, fitting.elide("over the layers", imgui.get_content_region_avail().x))
    x = np.arange(len(schedule.names), dtype=np.float64)
    low, high = float(schedule.cutoffs.min()), float(schedule.stopbands.max())
    height = max(imgui.get_content_region_avail().y, 4 * imgui.get_font_size())
    if not widgets.begin_plot("schedule", height, (-0.5, len(x) - 0.5), (low / 1.3, high * 1.3)):
        return
    implot.setup_axis_scale(implot.ImAxis_.y1, implot.Scale_.log10)
    octaves = range(math.floor(math.log2(low)), math.ceil(math.log2(high)) + 1)
    _ticks(implot.ImAxis_.y1, [2.0**power for power in octaves])
    _whole_ticks(0, len(x) - 1, 10)
    if shown.place is not None:
        line = implot.Spec(line_color=rgb(theme.palette["active"]), line_weight=8)
        implot.plot_inf_lines("##selected", np.array([float(shown.place)]), line)
    curves = (
        ("s/2", schedule.rates / 2, theme.palette["text"], 1.0),
        ("f_c + f_h", schedule.edges, theme.palette["warning"], 1.0),
        ("f_t", schedule.stopbands, theme.palette["stopband"], 1.5),
        ("f_c", schedule.cutoffs, theme.palette["cutoff"], 2.0),
    )
    for name, values, colour, weight in curves:
        spec = implot.Spec(line_color=rgb(colour), line_weight=weight)
        if name in ("s/2", "f_c + f_h"):  # which follow the rates' steps; stairs run from a point to the next
            implot.plot_stairs(name, np.append(x, len(x)) - 0.5, np.append(values, values[-1]), spec)
        else:
            implot.plot_line(name, x, values, spec)
    implot.end_plot()


def _whole_ticks(low: float, high: float, most: int = 4) -> None:
    """Mark multiples of a power of two on the x axis, at most so many steps of it: implot's own run into each other."""
    step = 2 ** max(0, math.ceil(math.log2((high - low) / most)))
    _ticks(implot.ImAxis_.x1, [float(tick) for tick in range(-step * int(-low // step), int(high) + 1, step)])


def _ticks(axis: int, ticks: list[float]) -> None:
    implot.setup_axis_ticks(axis, ticks, [f"{tick:g}" for tick in ticks], False)
