# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Gallery: a square of seeds of one model; a click shows one."""

import math
from functools import partial

from imgui_bundle import ImVec2, imgui, imgui_ctx

from viz.core import gestures
from viz.core.latent import LARGEST_SEED, find_seed, seed_point
from viz.core.state import SLOTS, AppState, Slot
from viz.instruments.gallery import LARGEST_CELL, GalleryRequest, GalleryView
from viz.record.panel_offers import offer_gallery
from viz.record.save_export import Offer
from viz.ui import fitting, saving, widgets
from viz.ui.checkerboard import draw_checkerboard
from viz.ui.context import PanelContext
from viz.ui.theme import rgb

TITLE = "Gallery"
PLACE = "right"

JOB = "gallery"
GAP = 2.0  # between two pictures, pixels
LEAST = 80.0  # height that the pictures take, pixels
LABEL, LABEL_LEAST = 0.74, 0.6  # of the font size


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the model's switch, the page, and the square of pictures."""
    chosen, theme = state.gallery, context.theme
    tip = "Draw seeds of the model in the {} slot."
    find = partial(_offer, state, context)
    chosen.slot = saving.slot_row(context, chosen.slot, tip, TITLE, find) or chosen.slot
    slot: Slot = "left" if chosen.slot == "left" else "right"
    if context.facts(slot) is None:
        widgets.sentence(context.explain_nothing(state, slot), theme.dim)
        return
    _page(state, context)
    room = imgui.get_content_region_avail()
    foot = 2 * imgui.get_text_line_height_with_spacing()
    side = max(LEAST, min(room.x, room.y - foot))
    cell = min(LARGEST_CELL, max(16, 2 ** math.ceil(math.log2(side / chosen.size))))
    kept, together = context.seed_pictures, state.linked or chosen.both
    request = GalleryRequest(slot, chosen.first, chosen.size, cell, kept, together)
    status = context.jobs.request(JOB, request)
    if status is not None and status.error:
        widgets.sentence(status.error, theme.error)
        return
    view = _shown(state, context, slot)
    pointed = _pictures(state, context, slot, side, view)
    _foot(state, context, view, pointed)


def _shown(state: AppState, context: PanelContext, slot: Slot) -> GalleryView | None:
    """Return the job's result, unless it is of another model or page."""
    chosen, view = state.gallery, context.jobs.result(JOB)
    asked = (state.slot(slot).path, chosen.first, chosen.size)
    return view if view is not None and (view.model, view.first, view.size) == asked else None


def _offer(state: AppState, context: PanelContext) -> Offer | None:
    """Return the page, to be saved."""
    slot: Slot = "left" if state.gallery.slot == "left" else "right"
    picture, view = dict(context.shown()).get(slot), _shown(state, context, slot)
    return None if picture is None or view is None else offer_gallery(view, picture)


def _page(state: AppState, context: PanelContext) -> None:
    """Draw the size, the first seed, and the buttons that turn pages."""
    chosen, theme = state.gallery, context.theme
    row = widgets.label(theme, "size, from", cells=2)
    widgets.number(theme, row, chosen, "size", step=0.05, form="%d a side", tip="Pictures along a side, 2 to 10.")
    row.next_cell()
    with imgui_ctx.push_font(theme.mono, 0.0):
        tip = f"The first seed: type a number from 0 to {LARGEST_SEED} and press Enter."
        typed = widgets.text_field("first", "", str(chosen.first), tip)
    if typed:
        try:
            seed_point(int(typed))
        except ValueError:
            context.message = f"A seed is a whole number from 0 to {LARGEST_SEED}: type one."
        else:
            chosen.first = int(typed)
    row = widgets.label(theme, "page", cells=2)
    if widgets.button("Previous", "The seeds before these.", width=row.next_cell(), enabled=chosen.first > 0):
        _turn(state, -(chosen.size**2))
    more = chosen.first + chosen.size**2 <= LARGEST_SEED
    if widgets.button("Next", "The seeds after these.", width=row.next_cell(), enabled=more):
        _turn(state, chosen.size**2)
    if not state.linked:
        widgets.label(theme, "click")
        widgets.check("in both slots", chosen, "both", "Let both slots take the seed that is clicked.")


def _turn(state: AppState, seeds: int) -> None:
    """Show the seeds so many further on."""
    chosen = state.gallery
    chosen.first = max(0, min(chosen.first + seeds, LARGEST_SEED))


def _pictures(state: AppState, context: PanelContext, slot: Slot, side: float, view: GalleryView | None) -> int | None:
    """Draw the square; return the seed that the pointer is on."""
    chosen, theme, origin = state.gallery, context.theme, imgui.get_cursor_screen_pos()
    pressed = imgui.invisible_button("##seeds", (side, side))
    hovered = imgui.is_item_hovered()
    if hovered:
        imgui.set_item_key_owner(imgui.Key.mouse_wheel_y)
        if imgui.get_io().mouse_wheel:
            _turn(state, -round(imgui.get_io().mouse_wheel) * chosen.size)
    step, mouse = side / chosen.size, imgui.get_io().mouse_pos
    column, row = int((mouse.x - origin.x) // step), int((mouse.y - origin.y) // step)
    pointed = chosen.first + row * chosen.size + column if hovered else None
    if pointed is not None and pointed > LARGEST_SEED:
        pointed = None
    if pressed and pointed is not None:
        _take(state, slot, pointed)
    corner = origin + ImVec2(side, side)
    result = context.results[slot]
    if view is not None:
        if result is not None and result.has_alpha:
            draw_checkerboard(context, origin, corner)
        widgets.picture(context, "gallery", view.cells, origin, ImVec2(side, side), side)
    else:
        imgui.get_window_draw_list().add_rect_filled(origin, corner, imgui.get_color_u32(imgui.Col_.frame_bg))
    shown = find_seed(state.latent_of(slot).base())
    for index in range(chosen.size**2):
        seed = chosen.first + index
        if seed > LARGEST_SEED:
            break
        at = ImVec2(origin.x + index % chosen.size * step, origin.y + index // chosen.size * step)
        _frame(context, at, step, seed, theme.text if seed == shown else theme.dim if seed == pointed else None)
    return pointed


def _frame(context: PanelContext, at: ImVec2, step: float, seed: int, lit: object) -> None:
    """Draw a picture's number, its border, and a frame around one that is shown or pointed at."""
    theme, draw = context.theme, imgui.get_window_draw_list()
    end = at + ImVec2(step, step)
    draw.add_rect(at, end, imgui.get_color_u32(rgb(theme.palette["window"])), 0.0, GAP)
    if lit is not None:
        draw.add_rect(at + ImVec2(1, 1), end - ImVec2(1, 1), imgui.get_color_u32(lit), 0.0, 2.0)  # type: ignore[call-overload]
    em = imgui.get_font_size()
    text, small = str(seed), round(min(LABEL * em, max(LABEL_LEAST * em, 0.22 * step)))
    with fitting.letters(imgui.get_font(), small):
        size = imgui.calc_text_size(text)
        if size.x + 10 <= step and size.y + 8 <= step:
            corner = at + ImVec2(4, 4)
            plate = imgui.get_color_u32(rgb(theme.palette["window"], 0.75))
            draw.add_rect_filled(corner, corner + size + ImVec2(6, 2), plate, 3.0)
            draw.add_text(corner + ImVec2(3, 1), imgui.get_color_u32(theme.text), text)


def _take(state: AppState, slot: Slot, seed: int) -> None:
    """Show a seed in the gallery's slot, and in the other one if they are linked or `both` is chosen."""
    point = seed_point(seed)
    for each in SLOTS if state.gallery.both else (slot,):
        gestures.go_to(state.latent_of(each), point.x, point.y)
    state.focus = slot


def _foot(state: AppState, context: PanelContext, view: GalleryView | None, pointed: int | None) -> None:
    done, total = (view.done, view.total) if view is not None else (0, state.gallery.size**2)
    if pointed is not None:
        text = f"seed {pointed}: click to show it"
    elif done < total:
        text = f"{done} of {total}: fills while the pictures rest"
    else:
        text = "Click shows a seed, the wheel goes on."
    widgets.sentence(text, context.theme.dim)
