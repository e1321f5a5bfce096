# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Latent: a point of the seed plane, truncation, and the label."""

import math
import random

from imgui_bundle import ImVec2, imgui, imgui_ctx

from viz.core import gestures
from viz.core.latent import PLANE_WIDTH
from viz.core.state import SLOTS, AppState
from viz.panels import labels
from viz.ui import widgets
from viz.ui.context import PanelContext
from viz.ui.theme import rgb

TITLE = "Latent"
PLACE = "left"

PAD_HEIGHT = 4.8  # of the map of the plane, in font sizes
CELL = 3.6  # of one seed on it


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the plane, its numbers, truncation and label."""
    latent, theme = state.latent_of(state.focus), context.theme
    widgets.side(theme, state)
    _pad(state, context)
    row = widgets.label(theme, "seed x, y", "Point of the seed plane; the seed at whole numbers is x + 100 y.", cells=2)
    widgets.number(theme, row, latent, "x", step=0.02)
    widgets.number(theme, row, latent, "y", step=0.02)
    row = widgets.label(theme, "go to", cells=2)
    tip = "To the nearest seed: its z is exactly RandomState(seed).randn."
    if widgets.button("Nearest", tip, width=row.next_cell()):
        latent.x, latent.y = round(latent.x) + 0.0, round(latent.y) + 0.0
    if widgets.button("Random", "To a random seed.", width=row.next_cell()):
        latent.x, latent.y = float(random.randrange(PLANE_WIDTH)), float(random.randrange(PLANE_WIDTH))
    row = widgets.label(theme, "walk", "Move the point along x by itself.", cells=2)
    if widgets.button("Stop" if latent.animate else "Play", "Start or stop the walk (Space).", width=row.next_cell()):
        latent.animate = not latent.animate
    widgets.number(theme, row, latent, "speed", step=0.01, form="%.2f /s", tip="Speed of the walk in seeds a second.")
    _truncation(state, context)
    labels.draw(state, context)


def _truncation(state: AppState, context: PanelContext) -> None:
    theme, latent = context.theme, state.latent_of(state.focus)
    facts = [known for known in map(context.facts, SLOTS) if known]
    tip = "Truncation ψ: w is moved towards the average w; 1 leaves it alone, 0 gives the average picture."
    widgets.number(theme, "ψ", latent, "psi", step=0.01, span=(-1.0, 2.0), tip=tip)
    most = max((known.config.num_ws for known in facts), default=16)
    form = "%d w's" if latent.cutoff else "all w's"
    tip = "Truncation cutoff: how many of the layers' w's are truncated, counted from the first."
    widgets.number(theme, "cutoff", latent, "cutoff", step=1, form=form, span=(0, most), tip=tip)


def _pad(state: AppState, context: PanelContext) -> None:
    """Draw a map of the plane with the point in its middle; it is dragged like a map."""
    theme, latent = context.theme, state.latent_of(state.focus)
    em = imgui.get_font_size()
    origin, width, height = imgui.get_cursor_screen_pos(), imgui.get_content_region_avail().x, PAD_HEIGHT * em
    imgui.invisible_button("##plane", (max(1.0, width), height))
    cell = CELL * em
    if imgui.is_item_active() and not imgui.is_item_activated():
        delta = imgui.get_io().mouse_delta
        gestures.walk(latent, delta.x / cell, delta.y / cell)
    if imgui.is_item_hovered():
        imgui.set_mouse_cursor(imgui.MouseCursor_.resize_all)
    widgets.tooltip(
        "The seed plane: drag it. Between seeds the neighbours' z are blended; seeds below 0 count back from 2^32."
    )
    centre_x, centre_y = origin.x + width / 2, origin.y + height / 2
    draw = imgui.get_window_draw_list()
    corner = origin + ImVec2(width, height)
    draw.add_rect_filled(origin, corner, imgui.get_color_u32(imgui.Col_.frame_bg), 4.0)
    line = imgui.get_color_u32(rgb(theme.palette["active"], 0.6))
    ink, small = imgui.get_color_u32(theme.dim), round(widgets.SMALL * em)
    across, down = math.ceil(width / 2 / cell), math.ceil(height / 2 / cell)
    columns = range(math.floor(latent.x) - across, math.floor(latent.x) + across + 2)
    rows = range(math.floor(latent.y) - down, math.floor(latent.y) + down + 2)
    with imgui_ctx.push_clip_rect(origin, corner, True):
        for row in rows:
            y = centre_y + (row - latent.y) * cell
            draw.add_line((origin.x, y), (corner.x, y), line)
        for column in columns:
            x = centre_x + (column - latent.x) * cell
            draw.add_line((x, origin.y), (x, corner.y), line)
            for row in rows:
                at, seed = (x + 6, centre_y + (row - latent.y) * cell + 3), str(column + PLANE_WIDTH * row)
                draw.add_text(theme.mono or imgui.get_font(), small, at, ink, seed)
        draw.add_circle_filled((centre_x, centre_y), 4.5, imgui.get_color_u32(theme.text))
