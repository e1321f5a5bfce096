# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Spectrum: the power spectrum of picture or layer with the plan's frequencies on it, slices, averages over seeds."""

import math
import os
from functools import partial

import numpy as np
from imgui_bundle import ImVec2, ImVec4, imgui, imgui_ctx, implot

from gan.analysis.bands import Band
from viz.core import gestures
from viz.core.layer_info import find_layer
from viz.core.result import PICTURE
from viz.core.state import SLOTS, AppState, Slot, SpectrumState, absolute_path
from viz.instruments.spectrum import AXIS, DATA, DIAGONAL, AverageRequest, SpectrumData, SpectrumRequest, SpectrumView
from viz.panels.layers import choose_slot, selected
from viz.record.panel_offers import offer_spectra
from viz.record.save_export import Offer
from viz.ui import fitting, widgets
from viz.ui.context import PanelContext
from viz.ui.theme import DARK, rgb

TITLE = "Spectrum"
PLACE = "right"

LIVE, AVERAGE = "spectrum", "average"
HEAT_SHARE = 0.4  # of the panel's height that the heat map takes at most
MARGIN = 10.0  # dB that slices show beyond the map's range, as in the paper
GRIP = 9.0  # pixels within which the free slice is taken hold of


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the choice of what is transformed, the heat map, its slices, and averaging."""
    chosen, theme = state.spectrum, context.theme
    main = choose_slot(state, context, TITLE, partial(_offer, state, context))
    bands = _bands(state, context)
    if main not in bands:
        return
    tip = "The spectrum of the picture, or of each slot's layer chosen under Layers."
    widgets.words(theme, "of", chosen, "source", tip)
    progress = context.jobs.result(AVERAGE)
    averaged = progress if progress and progress.done else None
    request = SpectrumRequest(
        tuple((slot, band.name, float(band.rate)) for slot, band in bands.items()),
        main,
        chosen.of_average and averaged is not None,
        chosen.beta,
        chosen.pad,
        chosen.low,
        chosen.high,
        chosen.angle,
        averaged,
    )
    context.jobs.request(LIVE, request)
    shown = _shown(state, context, bands)
    problem = context.jobs.error(LIVE) or (shown and shown.errors.get(main))
    if problem:
        widgets.sentence(problem, theme.error)
    _heat(chosen, context, bands[main], shown, main)
    _settings(chosen, context)
    _averaging(state, context, bands)
    _slices(chosen, context, bands, shown)


def _bands(state: AppState, context: PanelContext) -> dict[Slot, Band]:
    return {slot: band for slot in SLOTS if (band := _band(state, context, slot)) is not None}


def _shown(state: AppState, context: PanelContext, bands: dict[Slot, Band]) -> SpectrumView | None:
    """Return the job's result, unless it is of another model."""
    shown: SpectrumView | None = context.jobs.result(LIVE)
    if shown and any(look.model != state.slot(slot).path for slot in bands if (look := shown.looks.get(slot))):
        return None
    return shown


def _offer(state: AppState, context: PanelContext) -> Offer | None:
    """Return the spectra that are shown, to be saved; those of a layer before are not."""
    bands = _bands(state, context)
    shown = _shown(state, context, bands)
    if shown is None or any(shown.looks[slot].reach != bands[slot].rate / 2 for slot in bands if slot in shown.looks):
        return None
    return offer_spectra(shown, bands, state.spectrum)


def _band(state: AppState, context: PanelContext, slot: Slot) -> Band | None:
    facts, layer = context.facts(slot), selected(state, context, slot)
    return find_layer(facts.config, PICTURE) if facts and layer and state.spectrum.source == "picture" else layer


# -- the heat map ------------------------------------------------------------------------------------------------------


def _heat(chosen: SpectrumState, context: PanelContext, band: Band, shown: SpectrumView | None, main: Slot) -> None:
    em, room = imgui.get_font_size(), imgui.get_content_region_avail()
    side = max(8 * em, min(room.x, HEAT_SHARE * room.y))
    origin = imgui.get_cursor_screen_pos()
    corner = ImVec2(origin.x + (room.x - side) / 2, origin.y)
    imgui.set_cursor_screen_pos(corner)
    imgui.invisible_button("##heat", (side, side))
    hovered, active = imgui.is_item_hovered(), imgui.is_item_active()
    look = shown.looks.get(main) if shown else None
    if shown and chosen.of_average:
        look = shown.averages.get(main, look)
    if look is not None and look.reach != band.rate / 2:
        look = None  # of the layer before
    widgets.picture(context, "spectrum", shown.heat if shown and look else None, corner, ImVec2(side, side))
    mouse = imgui.get_io().mouse_pos
    # The frequency 0 is in the middle of its sample, half a sample right of the picture's middle.
    shift = 0.5 / len(look.levels) if look else 0.0
    scale = side / band.rate  # pixels a cycle a picture width
    centre = ImVec2(corner.x + (0.5 + shift) * side, corner.y + (0.5 + shift) * side)
    with imgui_ctx.push_clip_rect(corner, corner + ImVec2(side, side), True):
        _contours(band, centre, scale)
        _ray(chosen, centre, band, scale)
    if active:
        degrees = math.degrees(math.atan2(centre.y - mouse.y, mouse.x - centre.x)) % 180.0
        gestures.set_clamped(chosen, "angle", round(degrees, 1))
        chosen.at_angle = True
    if band.cutoff >= 0.999 * band.nyquist:
        text = "border: f_c = s/2, f_t beyond; drag: turn slice"
    elif band.stopband >= band.nyquist:
        text = "blue f_c, f_t beyond the border s/2; drag: turn slice"
    else:
        text = "blue f_c, green f_t, border s/2; drag: turn slice"
    pointed, width = "", imgui.get_content_region_avail().x
    if hovered and look is not None:
        x, y = (mouse.x - centre.x) / scale, (mouse.y - centre.y) / scale
        pointed = f"f {x:+.1f}, {-y:+.1f}  |f| {math.hypot(x, y):.1f}  {look.at(x, y):+.1f} dB"
    start = imgui.get_cursor_pos()
    with fitting.letters(imgui.get_font(), widgets.SMALL * em):
        height = imgui.calc_text_size(text, wrap_width=width).y  # kept, so that nothing below moves with the pointer
        if not pointed:
            widgets.sentence(text, context.theme.dim)
    if pointed:
        with fitting.letters(context.theme.mono, widgets.SMALL * em):
            imgui.text_colored(context.theme.text, fitting.elide(pointed, width))
    imgui.set_cursor_pos(start)
    imgui.dummy((width, height))
    if not hovered:
        widgets.tooltip(
            "Frequencies in cycles a picture width, 0 in the middle, s/2 at the border. Squares where a "
            "layer is filtered along the axes, circles where radially."
        )


def _contours(band: Band, centre: ImVec2, scale: float) -> None:
    """Draw f_c, f_t and s/2 on the heat map: cutoff, stopband and the limit of the sampling."""
    draw, palette = imgui.get_window_draw_list(), DARK  # as the map is, whatever the theme
    lines = (
        (band.cutoff, palette["cutoff"], band.radial),
        (band.stopband, palette["stopband"], band.radial),
        (band.rate / 2, "#c8c8c8", False),
    )
    for frequency, colour, round_ in lines:
        reach = min(frequency * scale, band.rate / 2 * scale - 1) if not round_ else frequency * scale
        for code, width in (("#000000", 3.0), (colour, 1.5)):  # on any colour of the map
            ink = imgui.get_color_u32(rgb(code, 0.55 if width > 2 else 1.0))
            if round_:
                draw.add_circle(centre, reach, ink, 96, width)
            else:
                corner = (centre.x - reach, centre.y - reach)
                draw.add_rect(corner, (centre.x + reach, centre.y + reach), ink, 0.0, width)


def _ray(chosen: SpectrumState, centre: ImVec2, band: Band, scale: float) -> None:
    """Draw the directions of the slices."""
    draw = imgui.get_window_draw_list()
    for angle in _angles(chosen):
        turn = math.radians(angle)
        reach = scale * band.rate / 2 / max(abs(math.cos(turn)), abs(math.sin(turn)))
        tip = (centre.x + reach * math.cos(turn), centre.y - reach * math.sin(turn))
        draw.add_line(centre, tip, imgui.get_color_u32(rgb("#ffffff", 0.5)), 1.0)
        if angle == chosen.angle:
            grip = (centre.x + 0.9 * reach * math.cos(turn), centre.y - 0.9 * reach * math.sin(turn))
            draw.add_circle_filled(grip, GRIP / 2, imgui.get_color_u32(rgb("#ffffff", 0.9)))


def _angles(chosen: SpectrumState) -> list[float]:
    """Return the angles of the slices that are drawn, in degrees."""
    known = ((chosen.at_0, AXIS), (chosen.at_45, DIAGONAL), (chosen.at_angle, chosen.angle))
    return [angle for wanted, angle in known if wanted]


# -- controls ----------------------------------------------------------------------------------------------------------


def _settings(chosen: SpectrumState, context: PanelContext) -> None:
    theme = context.theme
    row = widgets.label(theme, "range", "What is darkest and what is brightest on the map.", cells=2)
    widgets.number(theme, row, chosen, "low", step=0.25, form="%+.0f dB", tip="The darkest.")
    widgets.number(theme, row, chosen, "high", step=0.25, form="%+.0f dB", tip="The brightest.")
    row = widgets.label(theme, "window", "Kaiser window's beta, and zero-padding.", cells=2)
    tip = "Beta of the Kaiser window: larger values blur more, with lower side lobes; 0 is no window."
    widgets.number(theme, row, chosen, "beta", step=0.05, form="beta %.1f", tip=tip)
    tip = "Zero-padding: how many times finer than its samples the spectrum is drawn."
    widgets.number(theme, row, chosen, "pad", step=0.05, form="pad %dx", tip=tip)


def _averaging(state: AppState, context: PanelContext, bands: dict[Slot, Band]) -> None:
    chosen, theme, jobs = state.spectrum, context.theme, context.jobs
    tip = "The average spectrum of many seeds, of both slots (the paper's fig. 13)."
    row = widgets.label(theme, "average", tip, cells=2)
    if not widgets.running_job(jobs, AVERAGE, row, "Stop, and keep what was averaged so far."):
        widgets.number(theme, row, chosen, "num", step=1, form="%d seeds", tip="Seeds to average over.")
        row.next_cell()
        tip = "Average over so many seeds; the pictures go on moving meanwhile."
        waits = context.explain_wait(state, *SLOTS)
        if widgets.button("Start", waits or tip, width=-1, enabled=bool(context.shown()) and not waits):
            sources = tuple((slot, picture, bands[slot].name) for slot, picture in context.shown() if slot in bands)
            jobs.start(AVERAGE, AverageRequest(sources, chosen.num, chosen.beta, chosen.data))
    tip = (
        "A data set whose average is a third curve, and whose mean and deviation then whiten "
        "all averages of pictures. What is shown now, and layers, are whitened by their own."
    )
    widgets.label(theme, "data", tip)
    typed = widgets.text_field("data", "folder or zip, or none", chosen.data)
    if typed is not None:
        chosen.data = absolute_path(typed) if typed else ""
    if chosen.data and not os.path.exists(chosen.data):
        widgets.sentence(f"There is no {chosen.data}: type the path of a folder or zip.", theme.warning)
    if jobs.error(AVERAGE):
        widgets.sentence(jobs.error(AVERAGE), theme.error)
    progress = jobs.result(AVERAGE)
    if progress and progress.done:
        widgets.label(theme, "map", "What the map above shows; the slices below show both.")
        if imgui.radio_button("now", not chosen.of_average):
            chosen.of_average = False
        imgui.same_line()
        if imgui.radio_button("average", chosen.of_average):
            chosen.of_average = True


# -- slices ------------------------------------------------------------------------------------------------------------


def _slices(chosen: SpectrumState, context: PanelContext, bands: dict[Slot, Band], shown: SpectrumView | None) -> None:
    widgets.label(context.theme, "slices", "From the centre outwards, in these directions.")
    widgets.check("0°", chosen, "at_0", "Along the axis.")
    imgui.same_line()
    widgets.check("45°", chosen, "at_45", "Along the diagonal.")
    imgui.same_line()
    widgets.check(f"{chosen.angle:.1f}°###angle", chosen, "at_angle", "In the direction dragged on the map.")
    angles, em = _angles(chosen), imgui.get_font_size()
    if not angles:
        return
    with widgets.plot_style():
        _legend(context, shown)
        gap = imgui.get_style().item_spacing.y
        height = (imgui.get_content_region_avail().y - gap * (len(angles) - 1)) / len(angles)
        for angle in angles:
            _slice(chosen, context, bands, shown, angle, max(height, 6 * widgets.SMALL * em))


def _legend(context: PanelContext, shown: SpectrumView | None) -> None:
    """Draw one legend for all plots: whose curves the colours are, and what their weights mean."""
    averages = shown.averages if shown else {}
    for name in (*SLOTS, *([DATA] if DATA in averages else [])):
        imgui.text_colored(_colour(context, name), name)
        imgui.same_line()
    counts = sorted({look.pictures for look in averages.values()})
    means = f"thin: now, thick: mean of {' and '.join(str(count) for count in counts)}" if counts else "now"
    imgui.text_colored(context.theme.dim, means)


def _colour(context: PanelContext, name: str) -> ImVec4:
    return context.theme.text if name == DATA else context.theme.accent["left" if name == "left" else "right"]


def _slice(
    chosen: SpectrumState,
    context: PanelContext,
    bands: dict[Slot, Band],
    shown: SpectrumView | None,
    angle: float,
    height: float,
) -> None:
    palette, turn = context.theme.palette, math.radians(angle)
    x = 0, max(band.rate / 2 for band in bands.values()) / max(abs(math.cos(turn)), abs(math.sin(turn)))
    y = chosen.low - MARGIN, max(chosen.high, chosen.low + 1) + MARGIN
    if not widgets.begin_plot(f"slice{angle}", height, x, y, labels=("", f"dB, {angle:g}°")):
        return
    for slot, band in bands.items():
        for frequency, colour in ((band.cutoff, palette["cutoff"]), (band.stopband, palette["stopband"])):
            at = np.array([band.along(frequency, angle)])
            spec = implot.Spec(line_color=rgb(colour, 0.8 if len(bands) == 1 or slot == "left" else 0.5), line_weight=1)
            implot.plot_inf_lines(f"##{slot}{frequency}", at, spec)
    for looks, averaged in ((shown.looks, False), (shown.averages, True)) if shown else ():
        for name, look in looks.items():
            # What was read of another model, or of a layer of another rate, is not drawn as if it were this one's.
            if name == DATA or (name in bands and look.reach == bands["left" if name == "left" else "right"].rate / 2):
                _curve(context, name, look, angle, averaged)
    implot.end_plot()


def _curve(context: PanelContext, name: str, look: SpectrumData, angle: float, averaged: bool) -> None:
    slices = look.slices.get(angle)
    if slices is None:
        return  # the angle has moved on since
    colour = _colour(context, name)
    if not averaged:
        colour = ImVec4(colour.x, colour.y, colour.z, 0.75)
    spec = implot.Spec(line_color=colour, line_weight=2.2 if averaged else 1.0)
    implot.plot_line(f"{name} mean" if averaged else name, slices.frequencies, slices.levels, spec)
