# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sticking: detail that stays on the screen while the content moves, as pictures and as numbers."""

import math
from functools import partial

from imgui_bundle import ImVec2, ImVec4, imgui, imgui_ctx

from gan.analysis.metric_names import TITLES
from viz.core import gestures
from viz.core.images import put_on_grey
from viz.core.state import SLOTS, AppState, Slot
from viz.instruments.sticking import Measured, MeterRequest, NeighbourhoodRequest, amplify_error
from viz.record.save_export import Offer
from viz.record.sticking_offers import SlotMean, SlotSlice, offer_means, offer_meters, offer_slices
from viz.ui import saving, widgets
from viz.ui.context import PanelContext
from viz.ui.theme import rgb

TITLE = "Sticking"
PLACE = "bottom"

MEAN, METERS = "neighbourhood", "meters"
METRIC_TIPS = {
    "eq_t": "How exactly the picture follows its input over whole pixels.",
    "eq_t_frac": "How exactly it follows over any distance, fractions of a pixel included.",
    "eq_r": "How exactly it follows when the input turns.",
}
CONTROLS, LEAST = 17.0, 32.0  # width of the column of controls, and of a panel that has one, in font sizes
EMPTY_SLICE = "Each picture adds one column."
GLIDE_SPEED, GLIDE_RADIUS = 0.1, 0.08  # turns a second, picture widths


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the choice and its numbers, both slots beside them, or below where there is little room."""
    em = imgui.get_font_size()
    height = max(6 * em, imgui.get_content_region_avail().y)
    with widgets.side_column("controls", CONTROLS, LEAST):
        _controls(state, context)
    contents = {"slice": _slice, "mean": _mean, "meters": _meters}
    width = (imgui.get_content_region_avail().x - em) / 2
    for slot in SLOTS:
        if slot != SLOTS[0]:
            imgui.same_line(0, em)
        with imgui_ctx.begin_child(slot, ImVec2(width, height), 0, imgui.WindowFlags_.no_scrollbar):
            if state.slot(slot).path:
                contents[state.sticking.show](state, context, slot)
            else:
                imgui.text_colored(context.theme.dim, f"Nothing is open in the {slot} slot.")


def _controls(state: AppState, context: PanelContext) -> None:
    chosen, theme = state.sticking, context.theme
    tip = "One line of the picture over time; the mean of a latent's neighbourhood; figures."
    widgets.words(theme, "view", chosen, "show", tip)
    context.recorder.wanted = chosen.show == "slice"
    contents = {"slice": _offer_slices, "mean": _offer_means, "meters": _offer_meters}
    offer = partial(contents[chosen.show], state, context)
    context.recorder.line_pointed = imgui.is_window_hovered(imgui.HoveredFlags_.root_and_child_windows)
    if chosen.show == "slice":
        _slice_controls(state, context)
    elif chosen.show == "mean":
        context.jobs.request(MEAN, NeighbourhoodRequest(chosen.radius, chosen.num))
        tip = (
            "How far the neighbours are from the latent: z becomes (z + radius n) / sqrt(1 + radius^2), "
            "n being normal noise."
        )
        widgets.number(theme, "radius", chosen, "radius", step=0.005, tip=tip)
        widgets.number(theme, "latents", chosen, "num", step=0.5, form="%d", tip="Neighbours to average.")
        widgets.sentence("What neighbours share at the same place stays sharp: it sticks to the screen.", theme.dim)
    else:
        _meter_controls(state, context)
    widgets.label(theme, "file")
    saving.draw_button(context, TITLE, offer)


def _offer_slices(state: AppState, context: PanelContext) -> Offer | None:
    found = []
    for slot in SLOTS:
        path, recorder = state.slot(slot).path, context.recorder
        pixels = recorder.pixels(slot, path, state.sticking) if path else None
        if pixels is not None:
            taken = pixels[:, pixels[0, :, 3] > 0, :3]
            found.append(SlotSlice(slot, path, taken, recorder.streaks(slot, path, state.sticking)))
    return offer_slices([one for one in found if one.pixels.shape[1] > 1], state.sticking)


def _offer_means(state: AppState, context: PanelContext) -> Offer | None:
    means, found = context.jobs.result(MEAN) or {}, []
    for slot, mean in means.items():
        result = context.results[slot]
        if mean.model == state.slot(slot).path and result is not None and result.image is not None:
            centre = put_on_grey(result.image) if result.has_alpha else result.image[:, :, :3]
            found.append(SlotMean(slot, mean.model, centre, mean.pixels[:, :, :3], mean.count, mean.kept))
    return offer_means(found, state.sticking)


def _offer_meters(state: AppState, context: PanelContext) -> Offer | None:
    view = context.jobs.result(METERS)
    slots = view.slots.items() if view else ()
    return offer_meters({slot: one for slot, one in slots if one.model == state.slot(slot).path})


# -- x-t slice ---------------------------------------------------------------------------------------------------------


def _slice_controls(state: AppState, context: PanelContext) -> None:
    theme, chosen = context.theme, state.sticking
    row = widgets.label(theme, "line", "Drag the line's ends on the pictures.", cells=2)
    if widgets.button("Upright", "A line from top to bottom, as in the paper.", width=row.next_cell()):
        chosen.x0, chosen.y0, chosen.x1, chosen.y1 = 0.5, 0.3, 0.5, 0.7
    if widgets.button("Level", "A line from left to right.", width=row.next_cell()):
        chosen.x0, chosen.y0, chosen.x1, chosen.y1 = 0.3, 0.5, 0.7, 0.5
    row = widgets.label(theme, "time", "Each new picture adds one column.", cells=2)
    if widgets.button("Clear", "Start both slices again.", width=row.next_cell()):
        context.recorder.clear()
    playing = gestures.is_animating(state, has_noise=context.has_noise())
    tip = "End all that moves by itself." if playing else "Move the pictures back and forth along the line."
    if widgets.button("Stop" if playing else "Glide", tip, width=row.next_cell()):
        (gestures.stop if playing else _glide)(state)
    hint = "Steps and level streaks stick, waves follow." if playing else "Press Glide, or move the pictures by hand."
    widgets.sentence(hint, theme.dim)


def _glide(state: AppState) -> None:
    """Move along the line, slowly enough to see each pixel passed."""
    line = state.sticking
    for slot in SLOTS:
        transform = state.transform_of(slot)
        transform.animate = "y" if abs(line.y1 - line.y0) >= abs(line.x1 - line.x0) else "x"
        transform.speed, transform.radius, transform.phase = GLIDE_SPEED, GLIDE_RADIUS, 0.0


def _slice(state: AppState, context: PanelContext, slot: Slot) -> None:
    recorder, path = context.recorder, state.slot(slot).path
    share = recorder.streaks(slot, path, state.sticking)
    # An unbiased estimate of nothing is as often below as above it.
    value = "–" if math.isnan(share) else f"{max(0.0, 100 * share):3.0f} %"
    tip = (
        "The share of fine detail along the line that stays where it is over time: 0 where it moves or changes, "
        "100 % where it sticks. Compare slots under the same motion."
    )
    _title(context, slot, f"streaks {value}", tip)
    origin, room = imgui.get_cursor_screen_pos(), imgui.get_content_region_avail()
    pixels = recorder.pixels(slot, path, state.sticking)
    begun = pixels is not None and bool(pixels[0, -2, 3])
    widgets.picture(context, f"slice {slot}", pixels if begun else None, origin, room)
    if not begun:
        size = imgui.calc_text_size(EMPTY_SLICE)
        at = (origin.x + (room.x - size.x) / 2, origin.y + (room.y - size.y) / 2)
        imgui.get_window_draw_list().add_text(at, imgui.get_color_u32(context.theme.dim), EMPTY_SLICE)


# -- neighbourhood -----------------------------------------------------------------------------------------------------


def _mean(state: AppState, context: PanelContext, slot: Slot) -> None:
    error, found, result = context.jobs.error(MEAN), context.jobs.result(MEAN), context.results[slot]
    if error:
        widgets.sentence(error, context.theme.error)
        return
    mean = found.get(slot) if found else None
    if mean is not None and mean.model != state.slot(slot).path:
        mean = None  # of another model
    kept = f"in common {100 * mean.kept:3.0f} %" if mean and not math.isnan(mean.kept) else ""
    _title(context, slot, kept, "The share of fine detail that all neighbours have at the same place.")
    room, gap = imgui.get_content_region_avail(), imgui.get_style().item_spacing.x
    side = max(8.0, min((room.x - gap) / 2, room.y - imgui.get_text_line_height_with_spacing()))
    pictures = (
        ("centre", result.picture if result else None, "centre"),
        ("mean", mean.pixels if mean else None, f"mean of {mean.count if mean else 0}"),
    )
    start = imgui.get_cursor_screen_pos()
    for index, (name, pixels, text) in enumerate(pictures):
        corner = start + ImVec2(index * (side + gap), 0)
        widgets.picture(context, f"{name} {slot}", pixels, corner, ImVec2(side, side), side)
        imgui.set_cursor_screen_pos(corner + ImVec2(0, side))
        imgui.text_colored(context.theme.dim, text)


# -- meters ------------------------------------------------------------------------------------------------------------


def _meter_controls(state: AppState, context: PanelContext) -> None:
    chosen, theme, jobs = state.sticking, context.theme, context.jobs
    tip = "Samples of each metric and model; standard errors fall with their square root."
    widgets.number(theme, "samples", chosen, "num", step=0.5, form="%d", tip=tip)
    tip = "EQ-T, EQ-T_frac, EQ-R (the paper's appendix E), and stickiness, of both models."
    row = widgets.label(theme, "measure", tip, cells=2)
    if not widgets.running_job(jobs, METERS, row, "Stop, and keep what was measured so far."):
        tip = "Measure both models; the pictures go on moving meanwhile."
        waits = context.explain_wait(state, *SLOTS)
        if widgets.button("Start", waits or tip, width=-1, enabled=bool(context.shown()) and not waits):
            jobs.start(METERS, MeterRequest(context.shown(), chosen.num))
    row = widgets.label(
        theme, "error", "The last pair of pictures that a metric compared, and how they differ.", cells=2
    )
    row.next_cell()
    chosen.error = widgets.select("metric", TITLES[chosen.error], chosen.error, TITLES.items())
    tip = "Amplification of the error picture: what the moved picture differs in."
    widgets.number(theme, row, chosen, "gain", step=0.2, form="%.0fx", tip=tip)
    if jobs.error(METERS):
        widgets.sentence(jobs.error(METERS), theme.error)


def _meters(state: AppState, context: PanelContext, slot: Slot) -> None:
    chosen, theme, view = state.sticking, context.theme, context.jobs.result(METERS)
    found: Measured | None = view.slots.get(slot) if view else None
    if found is None or found.model != state.slot(slot).path:
        _title(context, slot, "", "")
        imgui.text_colored(theme.dim, "Not measured yet: press Start.")
        return
    _title(context, slot, f"{found.done} samples" if found.estimates else "", "Samples measured so far.")
    if found.refused and not found.estimates:
        widgets.sentence(found.refused, theme.warning)
        return
    start, room = imgui.get_cursor_screen_pos(), imgui.get_content_region_avail()
    side = min(room.y, room.x * 0.4)
    for estimate in found.estimates:
        tip = (
            f"{METRIC_TIPS[estimate.metric]} In dB, more is better; above 50 motion looks right. Against the "
            f"pictures' own variance: {estimate.relative_db:.1f} dB."
        )
        widgets.fact(theme, TITLES[estimate.metric], f"{estimate.db:5.1f} ± {estimate.db_error:.1f} dB", tip)
    if found.shares is not None:
        shares = found.shares
        stays = round(100 * shares.stays, 1) + 0.0  # + 0.0 makes -0.0 plain zero
        tip = "Stickiness: the share of fine detail that stays on the screen when the content moves by a pixel."
        widgets.fact(theme, "sticks", f"{stays:5.1f} ± {100 * shares.stays_error:.1f} %", tip)
        _bar(context, slot, (shares.stays, shares.follows, shares.boils), room.x - side - 12)
    elif found.refused:
        widgets.fact(theme, "sticks", "–", found.refused)
    if chosen.error in found.errors:
        pixels, corner = amplify_error(found, chosen.error, chosen.gain), start + ImVec2(room.x - side, 0)
        widgets.picture(context, f"error {slot}", pixels, corner, ImVec2(side, side), side)
        imgui.set_cursor_screen_pos(corner)
        imgui.dummy((side, side))
        widgets.tooltip(f"What the last pair of {TITLES[chosen.error]} differs in, times the gain; black is equal.")


def _bar(context: PanelContext, slot: Slot, shares: tuple[float, float, float], width: float) -> None:
    """Draw the shares of detail that sticks, follows and boils as parts of a bar."""
    height, origin = 0.7 * imgui.get_font_size(), imgui.get_cursor_screen_pos()
    accent = context.theme.accent[slot]
    inks = (accent, ImVec4(accent.x, accent.y, accent.z, 0.35), rgb(context.theme.palette["active"]))
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
    imgui.text_colored(context.theme.accent[slot], f"{slot.capitalize()}  {facts.config.rung if facts else ''}")
    if value:
        imgui.same_line()
        widgets.mono_text(context.theme, value, size=0.93 * imgui.get_font_size(), right=True)
        widgets.tooltip(tip)
