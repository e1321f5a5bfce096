# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Layers: every layer of a model in numbers, and the maps of one of them, live."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from imgui_bundle import ImVec2, imgui, imgui_ctx

from gan.analysis.bands import Band
from viz.core.layer_info import find_layer, list_layers, number_format
from viz.core.state import AppState, LayersState, Slot
from viz.display.texture import TextureHandle
from viz.instruments.layers import BINS, ChannelOrder, LayerRequest, LayerView, MapStatistics
from viz.record.panel_offers import offer_maps
from viz.record.save_export import Offer
from viz.ui import fitting, saving, widgets
from viz.ui.context import Jobs, PanelContext

TITLE = "Layers"
PLACE = "right"

JOB = "layers"
LIST_SHARE = 0.34  # of the panel's height
GAP = 3.0  # between the cells of a sheet, pixels
HISTOGRAM = 2.6  # height, in font sizes
COLUMNS = (
    ("layer", 0.0, "As the checkpoint names it; the input's frequencies, the convolutions, and the colours at last."),
    ("size", 1.9, "Width of its maps in samples, margin included."),
    ("ch", 1.9, "Channels."),
    ("s", 1.9, "Sampling rate s, in samples a picture width."),
    ("f_c", 2.0, "Cutoff f_c, in cycles a picture width: what lies below it the layer is to keep."),
    ("f_t", 2.0, "Stopband f_t, in cycles a picture width: what lies beyond it the layer is to remove."),
    ("type", 1.4, "Number format of its maps."),
)
# Columns that give way to the names in a panel of so many font sizes and less.
SPARED = {"s": 18.0, "type": 18.0, "ch": 14.0}
CHANNELS = ("red", "green", "blue")


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the slot, its layers, the settings for the selected one, and its maps."""
    chosen = state.layers
    slot = choose_slot(state, context, TITLE, partial(_offer, state, context))
    layer = selected(state, context, slot)
    if layer is None:
        return
    _list(chosen, context, slot, layer)
    _settings(chosen, context, layer)
    if context.jobs.error(JOB):
        widgets.sentence(context.jobs.error(JOB), context.theme.error)
    _maps(chosen, context, slot, layer, _shown(state, context.jobs, slot, layer))


def _shown(state: AppState, jobs: Jobs, slot: Slot, layer: Band) -> LayerView | None:
    """Return the job's result, unless it is of another model or layer, or of another mode."""
    shown: LayerView | None = jobs.result(JOB)
    if shown is None or shown.model != state.slot(slot).path:
        return None
    asked = jobs.statuses[JOB].request
    assert isinstance(asked, LayerRequest)
    return shown if (asked.slot, asked.layer, asked.mode) == (slot, layer.name, state.layers.mode) else None


def choose_slot(state: AppState, context: PanelContext, panel: str, find: Callable[[], Offer | None]) -> Slot:
    """Draw the instruments' switch between the slots, and a hint if the chosen one is empty; return it.

    `find` is what `panel` can save.
    """
    chosen = state.layers
    tip = "Look inside the model in the {} slot."
    chosen.slot = saving.slot_row(context, chosen.slot, tip, panel, find) or chosen.slot
    slot = chosen_slot(state)
    if context.facts(slot) is None:
        widgets.sentence(context.explain_nothing(state, slot), context.theme.dim)
    return slot


def chosen_slot(state: AppState) -> Slot:
    """Return the slot that the instruments look at."""
    return "left" if state.layers.slot == "left" else "right"


def _offer(state: AppState, context: PanelContext) -> Offer | None:
    """Return the maps of the selected layer, to be saved."""
    slot = chosen_slot(state)
    picture, layer = dict(context.shown()).get(slot), selected(state, context, slot)
    return None if picture is None or layer is None else offer_maps(picture, layer, state.layers)


def selected(state: AppState, context: PanelContext, slot: Slot) -> Band | None:
    """Return the layer of a slot's model that the instruments look at; None while no model is there."""
    facts = context.facts(slot)
    return find_layer(facts.config, getattr(state.layers, slot)) if facts else None


def _list(chosen: LayersState, context: PanelContext, slot: Slot, current: Band) -> None:
    result, theme = context.results[slot], context.theme
    assert result is not None and result.facts is not None
    layers = list_layers(result.facts.config)
    flags, em = imgui.TableFlags_, imgui.get_font_size()
    row = imgui.get_text_line_height() + 2 * imgui.get_style().cell_padding.y
    height = min(max(6 * em, LIST_SHARE * imgui.get_content_region_avail().y), (len(layers) + 1) * row + 4)
    look = flags.scroll_y | flags.row_bg | flags.pad_outer_x
    room = imgui.get_content_region_avail().x / em
    columns = [column for column in COLUMNS if room > SPARED.get(column[0], 0.0)]
    with imgui_ctx.begin_table("layers", len(columns), look, ImVec2(0, height)) as table:
        if not table:
            return
        imgui.table_setup_scroll_freeze(0, 1)
        for name, width, _ in columns:
            kind = imgui.TableColumnFlags_.width_fixed if width else imgui.TableColumnFlags_.width_stretch
            imgui.table_setup_column(name, kind, width * em)
        for name, width, tip in columns:
            imgui.table_next_column()
            if width:
                widgets.align_right(name)
            imgui.text_colored(theme.dim, name)
            widgets.tooltip(tip)
        with imgui_ctx.push_style_color(imgui.Col_.header, imgui.get_style_color_vec4(imgui.Col_.button_active)):
            for layer in layers:
                imgui.table_next_column()
                with fitting.letters(imgui.get_font(), 0.93 * em):
                    if imgui.selectable(layer.name, layer == current, imgui.SelectableFlags_.span_all_columns)[0]:
                        setattr(chosen, slot, layer.name)
                cutoff, stopband = (f"{f:.0f}" if f >= 100 else f"{f:.1f}" for f in (layer.cutoff, layer.stopband))
                number = number_format(layer, result.facts.config, result.half)
                texts = {"size": layer.size, "ch": layer.channels, "s": layer.rate, "f_c": cutoff, "f_t": stopband}
                texts["type"] = number
                for name, *_ in columns[1:]:
                    imgui.table_next_column()
                    colour = theme.text if layer == current else theme.dim
                    widgets.mono_text(theme, str(texts[name]), colour, widgets.SMALL * em, right=True)


def _settings(chosen: LayersState, context: PanelContext, layer: Band) -> None:
    theme, span = context.theme, (0, layer.channels - 1)
    widgets.words(theme, "maps", chosen, "mode", "All channels as a contact sheet, any three as colours, or one.")
    if chosen.mode == "sheet":
        tip = (
            "By number; by energy (variance over the pixels); or by phase-likeness: how even the local amplitude of "
            "the monogenic signal is, 1 for a wave, 0 for noise. The order stays while the picture moves; choose it "
            "again to sort again."
        )
        if widgets.words(theme, "sort", chosen, "sort", tip):
            context.channel_order = ChannelOrder()
    elif chosen.mode == "one":
        tip = "The channel shown. Click it to go back to the sheet."
        widgets.number(theme, "channel", chosen, "one", step=0.1, form="%d", span=span, tip=tip)
    else:
        tip = "The channels shown as red, green and blue (the paper's fig. 6)."
        row = widgets.label(theme, "channels", tip, cells=3)
        for name in CHANNELS:
            form, tip = f"{name[0].upper()} %d", f"The channel shown as {name}."
            widgets.number(theme, row, chosen, name, step=0.1, form=form, span=span, tip=tip)
    tip = "Display gain in dB; at 0 dB black and white are three deviations from grey."
    row = widgets.label(theme, "scale", tip, cells=2)
    widgets.number(theme, row, chosen, "gain", step=0.2, form="%+.1f dB", tip=tip)
    widgets.beside()
    tip = "One scale for all channels, grey being 0; otherwise each has its own, grey being its mean."
    widgets.check("common", chosen, "common", tip)


def _maps(chosen: LayersState, context: PanelContext, slot: Slot, layer: Band, shown: LayerView | None) -> None:
    foot = 2 * imgui.get_text_line_height_with_spacing() + (HISTOGRAM + 0.8) * imgui.get_font_size()
    room = imgui.get_content_region_avail()
    size = ImVec2(room.x, max(4 * imgui.get_font_size(), room.y - foot))
    if chosen.mode == "sheet":
        first, count, pointed = _sheet(chosen, context, size, layer, shown)
    else:
        first, count, pointed = 0, 1, _picture(chosen, context, size, shown)
    channels = (chosen.red, chosen.green, chosen.blue) if chosen.mode == "rgb" else (chosen.one,)
    request = LayerRequest(
        slot,
        layer.name,
        mode=chosen.mode,
        sort=chosen.sort,
        channels=channels,
        first=first,
        count=count,
        thumb=chosen.thumb,
        gain=chosen.gain,
        common=chosen.common,
        order=context.channel_order,
    )
    context.jobs.request(JOB, request)
    _foot(context, shown, pointed)


def _sheet(
    chosen: LayersState, context: PanelContext, size: ImVec2, layer: Band, shown: LayerView | None
) -> tuple[int, int, str]:
    """Draw the contact sheet; return the first visible place, how many are, and what the pointer is on."""
    pointed = ""
    # Whether a scrollbar is needed must not depend on whether one is there.
    columns, side, rows = _raster(chosen, size.x, layer)
    scrolls = rows * (side + GAP) - GAP > size.y
    if scrolls:
        columns, side, rows = _raster(chosen, size.x - imgui.get_style().scrollbar_size, layer)
    flags = imgui.WindowFlags_
    with imgui_ctx.push_style_var(imgui.StyleVar_.window_padding, ImVec2(0, 0)):
        imgui.begin_child("sheet", size, 0, flags.always_vertical_scrollbar if scrolls else flags.no_scrollbar)
    width = columns * (side + GAP) - GAP
    top = imgui.get_scroll_y()
    first_row = int(top // (side + GAP))
    visible = math.ceil(size.y / (side + GAP)) + 1
    origin = imgui.get_cursor_screen_pos()
    imgui.invisible_button("##cells", (max(1.0, width), max(1.0, rows * (side + GAP) - GAP)))
    if shown is not None and len(shown.values):
        picture = context.texture("layers", shown.cells)
        hovered = imgui.is_item_hovered()
        for index in range(len(shown.values)):
            row, column = divmod(shown.first + index, columns)
            corner = ImVec2(origin.x + column * (side + GAP), origin.y + row * (side + GAP))
            at = _within(corner, side) if hovered else None
            _cell(context, picture, corner, side, index, shown, lit=at is not None)
            if at is not None:
                channel = int(shown.order[shown.first + index])
                pointed = _said(shown, (channel,), shown.values[index], at)
                if imgui.is_item_clicked():
                    chosen.one, chosen.mode = channel, "one"
    imgui.end_child()
    return first_row * columns, visible * columns, pointed


def _raster(chosen: LayersState, width: float, layer: Band) -> tuple[int, float, int]:
    """Return the columns of the sheet, its cells' side so that a row is filled, and its rows."""
    width = max(width, 1.0)  # a panel may be no wider than its scrollbar, as while large letters are laid out
    columns = max(1, int((width + GAP) // (chosen.thumb + GAP)))
    return columns, (width + GAP) / columns - GAP, math.ceil(layer.channels / columns)


def _picture(chosen: LayersState, context: PanelContext, size: ImVec2, shown: LayerView | None) -> str:
    """Draw one channel, or three as colours, as large as there is room; return what the pointer is on."""
    start, pointed = imgui.get_cursor_pos(), ""
    if shown is not None:
        origin, side = imgui.get_cursor_screen_pos(), min(size.x, size.y)
        picture = context.texture("layers", shown.cells, side)
        corner = ImVec2(origin.x + (size.x - side) / 2, origin.y)
        imgui.set_cursor_screen_pos(corner)
        imgui.invisible_button("##map", (side, side))
        at = _within(corner, side) if imgui.is_item_hovered() else None
        _cell(context, picture, corner, side, 0, shown, lit=False)
        if at is not None:
            pointed = _said(shown, shown.channels, shown.values[0], at)
        if imgui.is_item_clicked() and chosen.mode == "one":
            chosen.mode = "sheet"
    imgui.set_cursor_pos(start)
    imgui.dummy(size)
    return pointed


def _cell(
    context: PanelContext, picture: TextureHandle, corner: ImVec2, side: float, index: int, shown: LayerView, lit: bool
) -> None:
    """Draw one of the cells that a texture holds row by row."""
    draw, end = imgui.get_window_draw_list(), (corner.x + side, corner.y + side)
    row, column = divmod(index, shown.across)
    wide, high = shown.values.shape[3] / picture.width, shown.values.shape[2] / picture.height
    right, down = 0.5 / picture.width, 0.5 / picture.height  # half a texel, so that the neighbours do not bleed in
    first = (column * wide + right, row * high + down)
    last = ((column + 1) * wide - right, (row + 1) * high - down)
    draw.add_image(imgui.ImTextureRef(picture.texture), corner, end, first, last)
    if lit:
        draw.add_rect(corner, end, imgui.get_color_u32(context.theme.text), 0.0, 1.5)


def _within(corner: ImVec2, side: float) -> tuple[float, float] | None:
    """Return the pointer's place in a square, 0..1 each way; None outside."""
    mouse = imgui.get_io().mouse_pos
    x, y = (mouse.x - corner.x) / side, (mouse.y - corner.y) / side
    return (x, y) if 0 <= x < 1 and 0 <= y < 1 else None


def _said(shown: LayerView, channels: tuple[int, ...], values: np.ndarray, at: tuple[float, float]) -> str:
    """Describe what the pointer is on: channel, value there, and what it was sorted by."""
    height, width = values.shape[1:]
    here = values[:, min(int(at[1] * height), height - 1), min(int(at[0] * width), width - 1)]
    words = ", ".join(f"ch {channel}: {value:+.3f}" for channel, value in zip(channels, here, strict=False))
    score = f"   score {shown.scores[channels[0]]:.3g}" if shown.scores is not None and len(channels) == 1 else ""
    return words + score


def _foot(context: PanelContext, shown: LayerView | None, pointed: str) -> None:
    """Draw the pointer's value, and mean, deviation and histogram of all maps and of the selection."""
    if shown is None:
        imgui.text_colored(context.theme.dim, "Waiting for the layer's maps …")
        return
    theme, (count, height, width) = context.theme, shown.shape
    text = pointed or f"{count} maps of {width}x{height}"
    widgets.mono_text(theme, text, theme.text if pointed else theme.dim, widgets.SMALL * imgui.get_font_size())
    half = (imgui.get_content_region_avail().x - imgui.get_style().item_spacing.x) / 2
    names = " ".join(str(channel) for channel in shown.channels)
    for index, (title, numbers) in enumerate((("all", shown.every), (f"ch {names}", shown.selected))):
        if index:
            imgui.same_line()
        with imgui_ctx.begin_group():
            _numbers(context, title, numbers, half)


def _numbers(context: PanelContext, title: str, numbers: MapStatistics, width: float) -> None:
    em, origin = imgui.get_font_size(), imgui.get_cursor_screen_pos()
    imgui.dummy((width, HISTOGRAM * em))
    widgets.tooltip(
        f"{title}: mean {numbers.mean:+.4g}, deviation {numbers.deviation:.4g}, largest magnitude "
        f"{numbers.largest:.4g}; values from {numbers.span[0]:.4g} to {numbers.span[1]:.4g}."
    )
    draw, colour = imgui.get_window_draw_list(), imgui.get_color_u32(context.theme.dim)
    heights = np.sqrt(numbers.counts / max(1.0, float(numbers.counts.max())))  # roots, so that tails are seen
    step, base = width / BINS, origin.y + HISTOGRAM * em
    for index, part in enumerate(heights):
        x = origin.x + index * step
        draw.add_rect_filled((x, base - max(1.0, float(part) * HISTOGRAM * em)), (x + max(1.0, step - 1), base), colour)
    text = f"{title}  {numbers.mean:+.2f}±{numbers.deviation:.2f}"
    widgets.mono_text(context.theme, text, context.theme.dim, widgets.SMALL * em)
