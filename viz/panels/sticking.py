# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sticking: detail that stays on the screen while the content moves, as pictures and as numbers."""

import math

from imgui_bundle import ImVec4, imgui

from gan.analysis.metric_names import TITLES
from viz.core import gestures
from viz.core.images import Pixels
from viz.core.state import SLOTS, AppState, Slot, StickingState
from viz.instruments.sticking import MeterRequest, NeighbourhoodRequest, amplify_error
from viz.ui import widgets
from viz.ui.context import PanelContext
from viz.ui.theme import rgb

TITLE = "Sticking"
PLACE = "bottom"

MEAN, METERS = "neighbourhood", "meters"
METRIC_TIPS = {
    "eq_t": "How exactly the picture follows its input over whole pixels.",
    "eq_t_frac": "How exactly it follows over any way, fractions of a pixel included.",
    "eq_r": "How exactly it follows when the input turns.",
}
CONTROLS = 17.0  # width of the column of controls, in font sizes
GLIDE_SPEED, GLIDE_RADIUS = 0.1, 0.08  # turns a second, picture widths


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the choice and its numbers left, both slots beside it."""
    em = imgui.get_font_size()
    height = max(6 * em, imgui.get_content_region_avail().y)
    imgui.begin_child("controls", (CONTROLS * em, height))
    _controls(state, context)
    imgui.end_child()
    imgui.same_line(0, em)
    width = (imgui.get_content_region_avail().x - em) / 2
    for index, slot in enumerate(SLOTS):
        if index:
            imgui.same_line(0, em)
        imgui.begin_child(slot, (width, height), 0, imgui.WindowFlags_.no_scrollbar)
        if not state.slot(slot).path:
            imgui.text_colored(context.theme.dim, f"Nothing is open in the {slot} slot.")
        elif state.sticking.show == "slice":
            _slice(state, context, slot)
        elif state.sticking.show == "mean":
            _mean(state, context, slot)
        else:
            _meters(state, context, slot)
        imgui.end_child()


def _controls(state: AppState, context: PanelContext) -> None:
    chosen, theme = state.sticking, context.theme
    tip = "One line of the picture over time; the mean of a latent's neighbourhood; figures."
    widgets.words(theme, "view", chosen, "show", ("slice", "mean", "meters"), tip)
    context.recorder.wanted = chosen.show == "slice"
    context.recorder.line_pointed = imgui.is_window_hovered(imgui.HoveredFlags_.root_and_child_windows)
    if chosen.show == "slice":
        _slice_controls(state, context)
    elif chosen.show == "mean":
        context.jobs.request(MEAN, NeighbourhoodRequest(chosen.radius, chosen.num))
        tip = (
            "How far the neighbours are from the latent: z becomes (z + radius n) / sqrt(1 + radius^2), "
            "n being normal noise."
        )
        widgets.number(theme, "radius", chosen, "radius", step=0.005, form="%.2f", tip=tip)
        widgets.number(theme, "latents", chosen, "num", step=0.5, form="%d", tip="Neighbours to average.")
        widgets.sentence("What neighbours share at the same place stays sharp: it sticks to the screen.", theme.dim)
    else:
        _meter_controls(chosen, context)


# -- x-t slice ---------------------------------------------------------------------------------------------------------


def _slice_controls(state: AppState, context: PanelContext) -> None:
    theme, chosen = context.theme, state.sticking
    widgets.label(theme, "line", "Drag the line's ends on the pictures.")
    width = widgets.share_width()
    if widgets.button("Upright", "A line from top to bottom, as in the paper.", width=width):
        chosen.x0 = chosen.x1 = 0.5
        chosen.y0, chosen.y1 = 0.3, 0.7
    widgets.beside()
    if widgets.button("Level", "A line from left to right.", width=width):
        chosen.y0 = chosen.y1 = 0.5
        chosen.x0, chosen.x1 = 0.3, 0.7
    widgets.label(theme, "time", "A column is added for every new picture.")
    if widgets.button("Clear", "Start both slices again.", width=width):
        context.recorder.clear()
    widgets.beside()
    playing = gestures.is_animating(state)
    if widgets.button("Stop" if playing else "Glide", "Move the pictures to and fro along the line.", width=width):
        _glide(state, not playing)
    hint = "Steps and level streaks stick, waves follow." if playing else "Press Glide, or move the pictures by hand."
    widgets.sentence(hint, theme.dim)


def _glide(state: AppState, begins: bool) -> None:
    """Move along the line, slowly enough to see each pixel passed; or stop all that moves by itself."""
    line = state.sticking
    for slot in SLOTS:
        transform = state.transform_of(slot)
        state.latent_of(slot).animate, transform.animate = False, "off"
        if begins:
            transform.animate = "y" if abs(line.y1 - line.y0) >= abs(line.x1 - line.x0) else "x"
            transform.speed, transform.radius, transform.phase = GLIDE_SPEED, GLIDE_RADIUS, 0.0


def _slice(state: AppState, context: PanelContext, slot: Slot) -> None:
    share = context.recorder.streaks(slot, state.slot(slot).path, state.sticking)
    # An unbiased estimate of nothing is as often below as above it.
    value = "–" if math.isnan(share) else f"{max(0.0, 100 * share):3.0f} %"
    _title(
        context,
        slot,
        f"streaks {value}",
        "The share of fine detail along the line that stays where it is over time: "
        "0 where it moves or changes, 100 % where it sticks. Compare slots under the same motion.",
    )
    origin, room = imgui.get_cursor_screen_pos(), imgui.get_content_region_avail()
    draw, end = imgui.get_window_draw_list(), (origin.x + room.x, origin.y + room.y)
    draw.add_rect_filled(origin, end, imgui.get_color_u32(imgui.Col_.frame_bg))
    pixels = context.recorder.pixels(slot, state.slot(slot).path, state.sticking)
    if pixels is None or not pixels[0, -2, 3]:
        words = "Each picture adds one column."
        size = imgui.calc_text_size(words)
        at = (origin.x + (room.x - size.x) / 2, origin.y + (room.y - size.y) / 2)
        draw.add_text(at, imgui.get_color_u32(context.theme.dim), words)
        return
    picture = context.texture(f"slice {slot}", pixels)
    draw.add_image(imgui.ImTextureRef(picture.texture), origin, end)


# -- neighbourhood -----------------------------------------------------------------------------------------------------


def _mean(state: AppState, context: PanelContext, slot: Slot) -> None:
    status, result = context.jobs.statuses.get(MEAN), context.results[slot]
    if status and status.error:
        widgets.sentence(status.error, context.theme.error)
        return
    found = status.result.get(slot) if status and status.result else None
    if found is not None and found.model != state.slot(slot).path:
        found = None  # of another model
    kept = f"in common {100 * found.kept:3.0f} %" if found and not math.isnan(found.kept) else ""
    _title(context, slot, kept, "The share of fine detail that all neighbours have at the same place.")
    room, gap = imgui.get_content_region_avail(), imgui.get_style().item_spacing.x
    foot = imgui.get_text_line_height_with_spacing()
    side = max(8.0, min((room.x - gap) / 2, room.y - foot))
    shown = result.picture if result is not None else None
    count = found.count if found else 0
    pictures = (("centre", shown, "centre"), ("mean", found.pixels if found else None, f"mean of {count}"))
    start = imgui.get_cursor_pos()
    for index, (name, pixels, text) in enumerate(pictures):
        imgui.set_cursor_pos((start.x + index * (side + gap), start.y))
        _image(context, f"{name} {slot}", pixels, side)
        imgui.set_cursor_pos((start.x + index * (side + gap), start.y + side))
        imgui.text_colored(context.theme.dim, text)


def _image(context: PanelContext, name: str, pixels: Pixels | None, side: float) -> None:
    origin = imgui.get_cursor_screen_pos()
    draw, end = imgui.get_window_draw_list(), (origin.x + side, origin.y + side)
    draw.add_rect_filled(origin, end, imgui.get_color_u32(imgui.Col_.frame_bg))
    if pixels is not None:
        picture = context.texture(name, pixels, side)
        draw.add_image(imgui.ImTextureRef(picture.texture), origin, end)
    imgui.dummy((side, side))


# -- meters ------------------------------------------------------------------------------------------------------------


def _meter_controls(chosen: StickingState, context: PanelContext) -> None:
    theme = context.theme
    status, running = context.jobs.statuses.get(METERS), context.jobs.is_running(METERS)
    found = status.result if status else None
    tip = "Of each metric and model; standard errors fall with the root of it."
    widgets.number(theme, "samples", chosen, "num", step=0.5, form="%d", tip=tip)
    widgets.label(theme, "measure", "EQ-T, EQ-T_frac, EQ-R (the paper's appendix E), and stickiness, of both models.")
    if running:
        done, total = (found.done, found.total) if found else (0, 0)
        if widgets.progress(done, total, widgets.share_width(), "Stop, and keep what was measured so far."):
            context.jobs.cancel(METERS)
    elif widgets.button("Start", "Measure both models; the pictures go on moving meanwhile.", width=-1):
        pictures = tuple(
            (slot, result.request) for slot in SLOTS if (result := context.results[slot]) and result.error is None
        )
        context.jobs.start(METERS, MeterRequest(pictures, chosen.num))
    half = widgets.share_width(labelled=True)
    widgets.label(theme, "error", "The last pair of pictures that a metric compared, and how they differ.")
    imgui.set_next_item_width(half)
    chosen.error = widgets.select("metric", TITLES[chosen.error], chosen.error, TITLES.items()) or chosen.error
    widgets.beside()
    tip = "Amplification of the error picture: what the moved picture differs in."
    widgets.number(theme, "", chosen, "gain", step=0.2, form="%.0fx", tip=tip)
    if status and status.error:
        widgets.sentence(status.error, theme.error)


def _meters(state: AppState, context: PanelContext, slot: Slot) -> None:
    chosen = state.sticking
    status = context.jobs.statuses.get(METERS)
    found = status.result.slots.get(slot) if status and status.result else None
    if found is None or found.model != state.slot(slot).path:
        _title(context, slot, "", "")
        imgui.text_colored(context.theme.dim, "Not measured yet: press Start.")
        return
    _title(context, slot, f"{found.done} samples" if found.estimates else "", "Samples measured so far.")
    if found.refused and not found.estimates:
        widgets.sentence(found.refused, context.theme.warning)
        return
    start, room = imgui.get_cursor_pos(), imgui.get_content_region_avail()
    side = min(room.y, room.x * 0.4)
    for estimate in found.estimates:
        title = TITLES[estimate.metric]
        tip = (
            f"{METRIC_TIPS[estimate.metric]} In dB, more is better; above 50 motion looks right. Against the "
            f"pictures' own variance: {estimate.relative_db:.1f} dB."
        )
        widgets.fact(context.theme, title, f"{estimate.db:5.1f} ± {estimate.db_error:.1f} dB", tip)
    if found.shares is not None:
        shares = found.shares
        stays = round(100 * shares.stays, 1) + 0.0  # + 0.0 makes -0.0 plain zero
        tip = "Stickiness: the share of fine detail that stays on the screen when the content moves by a pixel."
        widgets.fact(context.theme, "sticks", f"{stays:5.1f} ± {100 * shares.stays_error:.1f} %", tip)
        _bar(context, slot, (shares.stays, shares.follows, shares.boils), room.x - side - 12)
    elif found.refused:
        widgets.fact(context.theme, "sticks", "–", found.refused)
    if chosen.error in found.errors:
        imgui.set_cursor_pos((start.x + room.x - side, start.y))
        _image(context, f"error {slot}", amplify_error(found, chosen.error, chosen.gain), side)
        title = TITLES[chosen.error]
        widgets.tooltip(f"What the last pair of {title} differs in, times the gain; black is equal.")


def _bar(context: PanelContext, slot: Slot, shares: tuple[float, float, float], width: float) -> None:
    """Draw the shares of detail that sticks, follows and boils as parts of a bar."""
    height, origin = 0.7 * imgui.get_font_size(), imgui.get_cursor_screen_pos()
    accent = context.theme.accent[slot]
    inks = (accent, ImVec4(accent.x, accent.y, accent.z, 0.35), rgb(context.theme.palette.active))
    total = sum(max(share, 0.0) for share in shares) or 1.0
    draw, x = imgui.get_window_draw_list(), origin.x
    for share, ink in zip(shares, inks, strict=True):
        step = max(share, 0.0) / total * width
        draw.add_rect_filled((x, origin.y), (x + step, origin.y + height), imgui.get_color_u32(ink))
        x += step
    imgui.dummy((width, height))
    widgets.tooltip(
        "sticks {:.0%}, follows {:.0%}, boils {:.0%}: shares of fine detail that stay, that move with the "
        "content, that are redrawn.".format(*shares)
    )


def _title(context: PanelContext, slot: Slot, value: str, tip: str) -> None:
    """Draw a slot's name and rung, and its number."""
    facts = context.facts(slot)
    imgui.text_colored(context.theme.accent[slot], f"{slot.capitalize()}  {facts.rung if facts else ''}")
    if value:
        imgui.same_line()
        imgui.push_font(context.theme.mono, 0.93 * imgui.get_font_size())
        widgets.align_right(value)
        imgui.text_unformatted(value)
        imgui.pop_font()
        widgets.tooltip(tip)
