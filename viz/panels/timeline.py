# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Timeline: keys of all that decides the picture, played at real time, edited by hand or begun from a template."""

from imgui_bundle import imgui, imgui_ctx

from viz.core.state import AppState
from viz.core.timeline_state import MOST_SECONDS, PROPERTIES, SHORTEST
from viz.record import timeline_edits as edits
from viz.record.timeline_templates import TEMPLATES, Template
from viz.ui import timelining, widgets
from viz.ui.context import PanelContext
from viz.ui.theme import rgb
from viz.ui.timeline_lanes import draw_lanes, handle_lane_keys

TITLE = "Timeline"
PLACE = "bottom"

EMPTY = (
    "Nothing moves yet. Set up the picture and press Key: the present latent, truncation and transform are kept at the "
    "playhead. Drag the playhead on, change the picture, press Key again, then Play. Or begin with a template:"
)
PLAY_WIDTH, TIME_WIDTH, NUMBER_WIDTH, SAID_WIDTH = 3.6, 4.8, 7.0, 20.0  # in font sizes
FORMS = {
    "seeds": "%d seeds",
    "spread": "share %.2f",
    "radius": "radius %.2f",
    "psi": "to %.2f",
}  # of templates' numbers


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the bar of controls, and the rows below it, or how to begin."""
    _bar(state, context)
    draw_lanes(state, context)
    if not state.timeline.tracks:
        _empty(state, context)
    handle_lane_keys(state, context)


def _bar(state: AppState, context: PanelContext) -> None:
    em, timeline = imgui.get_font_size(), state.timeline
    text = "Stop" if state.playback.playing else "Play"
    has_keys = bool(timeline.tracks)
    tip = "Play at real time, passing over frames that there is no time for (Space)."
    if widgets.button(f"{text}###play", tip, width=PLAY_WIDTH * em, enabled=has_keys or state.playback.playing):
        timelining.toggle_play(state)
    widgets.beside()
    _times(state, context)
    _follow(4.4)
    tip = "After the end comes the beginning, without a seam: the way from the last keys leads to the first ones."
    loop = widgets.checkbox("Loop", timeline.loop, tip)
    if loop != timeline.loop:
        timelining.put(state, edits.set_loop(timeline, loop))
        if state.timeline.seconds != timeline.seconds:
            context.message = (
                f"The loop is {state.timeline.seconds:.2f} s long, for the way from the last keys back to the first."
            )
        timelining.scrub(state, state.playback.seconds)
    _follow(PLAY_WIDTH, gap=0.9)
    tip = "Keep what the rows below show now at the playhead (K)."
    if widgets.button("Key", tip, width=PLAY_WIDTH * em):
        timelining.key(state, context, edits.list_listed(state))
    _follow(PLAY_WIDTH)
    if widgets.button("Key all", "Keep everything that decides the picture at the playhead (Shift-K)."):
        timelining.key(state, context, edits.list_properties(state))
    _follow(PLAY_WIDTH)
    if widgets.button("+ Row", "Key one more property, as it is now, at the playhead."):
        imgui.open_popup("properties")
    _properties(state, context)
    _follow(5.6)
    if widgets.button("Templates", "Ready-made motions: each puts the keys of one property over the whole length."):
        imgui.open_popup("templates")
    with imgui_ctx.push_style_color(imgui.Col_.popup_bg, rgb(context.theme.palette["stage"])):  # buttons stand out
        is_open = imgui.begin_popup("templates")
    if is_open:
        widgets.close_by_escape()
        for template in TEMPLATES:
            _template(state, context, template)
        imgui.end_popup()
    _follow(4.4)
    tip = "Write the timeline as a video: its frames are drawn one by one, while the window stays usable."
    if widgets.button("Export …", tip, enabled=has_keys):
        context.exports.open("timeline")


def _follow(width: float, *, gap: float = 0.4) -> None:
    """Put what is drawn next, so many font sizes wide, in the same row while there is room, else in a new one."""
    em = imgui.get_font_size()
    imgui.same_line(0, gap * em)
    if imgui.get_content_region_avail().x < width * em:
        imgui.new_line()


def _times(state: AppState, context: PanelContext) -> None:
    """Draw the playhead's time and the length; both can be dragged and typed."""
    em, timeline, flags = imgui.get_font_size(), state.timeline, imgui.SliderFlags_.always_clamp
    with imgui_ctx.push_font(context.theme.mono, 0.0):
        imgui.set_next_item_width(TIME_WIDTH * em)
        last = timeline.seconds
        changed, seconds = imgui.drag_float("##time", state.playback.seconds, 0.01, 0.0, last, "%.2f s", flags)
    widgets.tooltip("Where the playhead is.")
    if changed and seconds == seconds:
        state.playback.playing = False
        timelining.scrub(state, seconds)
    _follow(TIME_WIDTH + 2.0)  # with the word before it
    imgui.align_text_to_frame_padding()
    imgui.text_colored(context.theme.dim, "of")
    imgui.same_line(0, 0.4 * em)
    with imgui_ctx.push_font(context.theme.mono, 0.0):
        imgui.set_next_item_width(TIME_WIDTH * em)
        changed, seconds = imgui.drag_float("##length", timeline.seconds, 0.02, SHORTEST, MOST_SECONDS, "%.2f s", flags)
    widgets.tooltip("The length. Keys stay where they are; those behind the end are not reached.")
    if changed and seconds == seconds:
        timelining.put(state, edits.set_length(timeline, round(seconds, timelining.DIGITS)))
        timelining.scrub(state, state.playback.seconds)


def _properties(state: AppState, context: PanelContext) -> None:
    if not imgui.begin_popup("properties"):
        return
    widgets.close_by_escape()
    for name in edits.list_properties(state):
        if imgui.menu_item(PROPERTIES[name].title, "", state.timeline.track(name) is not None)[0]:
            timelining.key(state, context, [name])
        widgets.tooltip(PROPERTIES[name].tip)
    imgui.separator()
    if imgui.menu_item("Delete all keys", "", False, bool(state.timeline.tracks))[0]:
        every = [(track.name, key.seconds) for track in state.timeline.tracks for key in track.keys]
        timelining.remove(state, context, every)
        state.playback.playing = False
    imgui.end_popup()


def _template(state: AppState, context: PanelContext, template: Template) -> None:
    """Draw a template's button with its number."""
    em, playback = imgui.get_font_size(), state.playback
    if widgets.button(template.title, template.tip, width=12 * em):
        timelining.use_template(state, context, template)
        imgui.close_current_popup()
    if said := timelining.explain_turn(state, context, template):
        with imgui_ctx.push_text_wrap_pos(imgui.get_cursor_pos_x() + SAID_WIDTH * em):
            imgui.text_colored(context.theme.warning, said)
    if not template.number:
        return
    widgets.beside()
    imgui.set_next_item_width(NUMBER_WIDTH * em)
    if template.number == "rungs":
        playback.rungs = widgets.select("rungs", playback.rungs, playback.rungs, (("left", "left"), ("right", "right")))
    else:
        form = FORMS[template.number]
        step = 0.1 if template.number == "seeds" else 0.005
        widgets.number(context.theme, None, playback, template.number, step=step, form=form, tip=template.tip)


def _empty(state: AppState, context: PanelContext) -> None:
    """Draw how to begin over the empty rows."""
    em, lanes = imgui.get_font_size(), context.timeline.lanes
    left = lanes.left + em  # beside the playhead
    imgui.set_cursor_screen_pos((left, lanes.ruler + 1.4 * em))
    widgets.sentence(EMPTY, context.theme.dim)
    for place, template in enumerate(TEMPLATES):
        if place:
            widgets.beside()
        else:
            imgui.set_cursor_screen_pos((left, imgui.get_cursor_screen_pos().y))
        if widgets.button(f"{template.title}##empty", template.tip):
            timelining.use_template(state, context, template)
    if said := " ".join(timelining.explain_turn(state, context, template) for template in TEMPLATES).strip():
        imgui.set_cursor_screen_pos((left, imgui.get_cursor_screen_pos().y))
        widgets.sentence(f"Full turn: {said}", context.theme.dim)
