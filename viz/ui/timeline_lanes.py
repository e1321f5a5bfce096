# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The timeline's rows: a ruler with the playhead, a row of all keys, and a row a property, keys as diamonds on them.

What is drawn is hit by its place, not as items of imgui: keys pass one another while they are dragged.
"""

import math
from collections.abc import Iterator

from imgui_bundle import ImVec2, ImVec4, imgui, imgui_ctx

from viz.core.latent import FileLatent, find_seed
from viz.core.state import AppState
from viz.core.timeline_state import EASINGS, LATENTS, OF_THE_RIGHT, PROPERTIES, Key, Track
from viz.record import timeline_edits as edits
from viz.record.timeline_edits import KeyName
from viz.ui import fitting, modifiers, timelining, widgets
from viz.ui.context import PanelContext, TimelineDrag
from viz.ui.theme import rgb

NAMES = 12.0  # width of the column of names, in font sizes, at most
ROW = 1.45  # height of a row, in font sizes
DIAMOND = 0.36  # from the middle of a key to its corner, in font sizes
NEAR = 7.0  # pixels between the pointer and what it takes hold of or snaps to
TICK = 70.0  # least pixels between two numbers of the ruler
TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0)  # seconds
STEP = 0.05  # seconds, to which keys are moved
ALL = ""  # the name of the row of all keys
EASING_TIPS = {
    "smooth": "A curve through the keys, without corners.",
    "linear": "A straight line to the next key.",
    "constant": "Wait, and jump at the next key.",
}


def draw_lanes(state: AppState, context: PanelContext) -> None:
    """Draw the ruler, the row of all keys, and below them, scrolled, the properties' rows."""
    em, origin, room = imgui.get_font_size(), imgui.get_cursor_screen_pos(), imgui.get_content_region_avail()
    lanes, row = context.timeline.lanes, round(ROW * em)
    lanes.left = origin.x + max(min(NAMES * em, 0.3 * room.x), 7 * em)
    right = origin.x + room.x - imgui.get_style().scrollbar_size - em
    lanes.scale = max(1.0, right - lanes.left) / _find_span(context.timeline.drag or state)
    lanes.ruler, lanes.rows = origin.y + row / 2, {}
    _ruler(state, context, origin, right, row)
    if state.timeline.tracks:
        lanes.rows[ALL] = origin.y + 1.5 * row
    _handle(state, context, "ruler", ImVec2(lanes.left - em / 2, origin.y), ImVec2(right + em / 2, origin.y + 2 * row))
    if state.timeline.tracks:
        imgui.set_cursor_screen_pos((origin.x, origin.y + row))
        _name(state, context, ALL, row)
        _keys_of_all(state, context)
        imgui.set_cursor_screen_pos((origin.x, origin.y + 2 * row))
        with imgui_ctx.begin_child("rows", ImVec2(room.x, max(row, room.y - 2 * row))):
            _rows(state, context, right, row)
    _playhead(state, context, lanes.ruler, origin.y + 2 * row, is_top=True)


def _rows(state: AppState, context: PanelContext, right: float, row: int) -> None:
    top, tracks, lanes = imgui.get_cursor_screen_pos(), state.timeline.tracks, context.timeline.lanes
    for place, track in enumerate(tracks):
        lanes.rows[track.name] = top.y + (place + 0.5) * row
    end = top.y + len(tracks) * row
    bottom = max(end, imgui.get_window_pos().y + imgui.get_window_size().y)
    _handle(state, context, "lanes", ImVec2(lanes.left - row / 2, top.y), ImVec2(right + row / 2, bottom))
    for place, track in enumerate(tracks):
        imgui.set_cursor_screen_pos((top.x, top.y + place * row))
        _name(state, context, track.name, row)
        _track(state, context, track)
    _playhead(state, context, top.y, bottom)
    imgui.set_cursor_screen_pos((top.x, end))
    imgui.dummy((1, 1))


def _find_span(owner: AppState | TimelineDrag) -> float:
    """Return the seconds that are shown: all of the timeline and the keys behind its end; the same during a drag."""
    return max([owner.timeline.seconds, *(track.keys[-1].seconds for track in owner.timeline.tracks)])


def _color(context: PanelContext, name: str, alpha: float = 1.0) -> int:
    return imgui.get_color_u32(rgb(context.theme.palette[name], alpha))


# -- drawing -----------------------------------------------------------------------------------------------------------


def _ruler(state: AppState, context: PanelContext, origin: ImVec2, right: float, row: int) -> None:
    """Draw the band of the ruler with its numbers; what lies behind the timeline's end is darker."""
    draw, lanes, em = imgui.get_window_draw_list(), context.timeline.lanes, imgui.get_font_size()
    end, base = lanes.x(state.timeline.seconds), origin.y + row
    draw.add_rect_filled((lanes.left, origin.y), (end, base), _color(context, "field"), 3.0)
    step = next((tick for tick in TICKS if tick * lanes.scale >= TICK), TICKS[-1])
    with fitting.letters(context.theme.mono, widgets.SMALL * em):
        for place in range(math.floor(_find_span(context.timeline.drag or state) / step + 1e-6) + 1):
            x, text = lanes.x(place * step), _format_tick(place * step, step)
            draw.add_line((x, base - 0.3 * row), (x, base), _color(context, "dim"))
            if x + imgui.calc_text_size(text).x < right + 2 * em:
                draw.add_text((x + 0.3 * em, origin.y + 0.1 * row), _color(context, "dim"), text)
    draw.add_line((end, origin.y), (end, base), _color(context, "dim"))


def _format_tick(seconds: float, step: float) -> str:
    return f"{seconds:.1f} s" if step < 1.0 else f"{seconds:.0f} s"


def _name(state: AppState, context: PanelContext, name: str, row: int) -> None:
    """Draw a row's name, and the diamond that keys it at the playhead."""
    theme, em, lanes = context.theme, imgui.get_font_size(), context.timeline.lanes
    here, draw = imgui.get_cursor_screen_pos(), imgui.get_window_draw_list()
    title = PROPERTIES[name].title if name else "All"
    width = lanes.left - 2.4 * em - here.x
    text = fitting.elide(title, width)
    is_idle = state.linked and name in OF_THE_RIGHT
    draw.add_text((here.x, here.y + (row - em) / 2), _color(context, "dim" if is_idle or not name else "text"), text)
    if name:
        imgui.invisible_button(f"name {name}", (width, row))
        idle = " Both models are linked, so it moves nothing now: L unlinks them." if is_idle else ""
        widgets.tooltip(f"{PROPERTIES[name].tip}{idle} Right-click for more.")
        _name_menu(state, context, name)
        imgui.same_line(0, 0)
    spot = ImVec2(lanes.left - 1.7 * em, here.y + row / 2)
    listed = [name] if name else [track.name for track in state.timeline.tracks]
    is_keyed = all(edits.find_key(state.timeline, one, state.playback.seconds) for one in listed)
    imgui.set_cursor_screen_pos((spot.x - 0.7 * em, here.y))
    if imgui.invisible_button(f"key {name}", (1.4 * em, row)):
        if name:
            timelining.toggle_key(state, context, name)
        else:
            timelining.key(state, context, listed)
    is_hovered = imgui.is_item_hovered()
    tip = "Delete the key at the playhead." if is_keyed and name else "Key this, as it is now, at the playhead."
    widgets.tooltip(tip if name else "Key every row, as it is now, at the playhead (K).")
    _diamond(context, spot, _accent(context, name) if is_keyed or is_hovered else theme.dim, filled=is_keyed)


def _name_menu(state: AppState, context: PanelContext, name: str) -> None:
    track = state.timeline.track(name)
    if track is None or not imgui.begin_popup_context_item(f"row {name}"):
        return
    widgets.close_by_escape()
    if name in LATENTS:
        for through, text in (("w", "Through the keys' w's"), ("plane", "Over the seed plane")):
            if imgui.menu_item(text, "", track.through == through)[0]:
                timelining.put(state, edits.put_track(state.timeline, Track(name, track.keys, through)))
        imgui.separator()
    chosen = [(name, key.seconds) for key in track.keys]
    if imgui.menu_item("Choose all keys", "", False)[0]:
        context.timeline.chosen = frozenset(chosen)
    if imgui.menu_item("Delete all keys", "", False)[0]:
        timelining.remove(state, context, chosen)
    imgui.end_popup()


def _accent(context: PanelContext, name: str) -> ImVec4:
    if name in OF_THE_RIGHT or name == "right model":
        return context.theme.accent["right"]
    return context.theme.accent["left"] if name == "left model" else context.theme.text


def _diamond(context: PanelContext, spot: ImVec2, ink: ImVec4, *, filled: bool, size: float = 1.0) -> None:
    reach = DIAMOND * size * imgui.get_font_size()
    top, bottom = ImVec2(spot.x, spot.y - reach), ImVec2(spot.x, spot.y + reach)
    left, right = ImVec2(spot.x - reach, spot.y), ImVec2(spot.x + reach, spot.y)
    draw, color = imgui.get_window_draw_list(), imgui.get_color_u32(ink)
    if filled:
        draw.add_quad_filled(top, right, bottom, left, color)
    else:
        draw.add_quad(top, right, bottom, left, color, 1.2)


def _keys_of_all(state: AppState, context: PanelContext) -> None:
    """Draw a diamond at each time at which any property has a key."""
    lanes, chosen = context.timeline.lanes, context.timeline.chosen
    for seconds, names in _group_keys(state).items():
        spot = ImVec2(lanes.x(seconds), lanes.rows[ALL])
        is_chosen = all((name, seconds) in chosen for name in names)
        ink = context.theme.text if is_chosen else context.theme.dim
        is_reached = seconds < state.timeline.seconds or not state.timeline.loop
        _diamond(context, spot, ImVec4(ink.x, ink.y, ink.z, 1.0 if is_reached else 0.4), filled=True)


def _group_keys(state: AppState) -> dict[float, list[str]]:
    """Return the properties that have a key at each time."""
    found: dict[float, list[str]] = {}
    for track in state.timeline.tracks:
        for key in track.keys:
            found.setdefault(key.seconds, []).append(track.name)
    return found


def _track(state: AppState, context: PanelContext, track: Track) -> None:
    """Draw a row's lane, the ways between its keys, and the keys."""
    draw, hand, em = imgui.get_window_draw_list(), context.timeline, imgui.get_font_size()
    lanes, y = hand.lanes, hand.lanes.rows[track.name]
    end = lanes.x(state.timeline.seconds)
    draw.add_line((lanes.left, y), (end, y), _color(context, "border"), 1.0)
    reached = [key for key in track.keys if _is_reached(state, key)]
    for one, other in zip(reached, reached[1:], strict=False):
        _way(context, lanes.x(one.seconds), lanes.x(other.seconds), y, one.easing)
    if state.timeline.loop and len(reached) > 1:  # the way over the seam
        _way(context, lanes.x(reached[-1].seconds), end, y, reached[-1].easing)
        _way(context, lanes.left, lanes.x(reached[0].seconds), y, reached[-1].easing)
    for key in track.keys:
        is_chosen, ink = (track.name, key.seconds) in hand.chosen, _accent(context, track.name)
        spot = ImVec2(lanes.x(key.seconds), y)
        if is_chosen:
            draw.add_circle_filled(spot, 0.62 * em, _color(context, "active"))
        shade = ImVec4(ink.x, ink.y, ink.z, 1.0 if is_chosen or _is_reached(state, key) else 0.35)
        _diamond(context, spot, shade if is_chosen else _mute(context, shade), filled=True)


def _mute(context: PanelContext, ink: ImVec4) -> ImVec4:
    """Return a colour half way to that of labels."""
    dim = context.theme.dim
    return ImVec4((ink.x + dim.x) / 2, (ink.y + dim.y) / 2, (ink.z + dim.z) / 2, ink.w)


def _is_reached(state: AppState, key: Key) -> bool:
    timeline = state.timeline
    return key.seconds < timeline.seconds or (not timeline.loop and key.seconds == timeline.seconds)


def _way(context: PanelContext, start: float, end: float, y: float, easing: str) -> None:
    """Draw the way from a key to the next: thick for smooth, a line for linear, nothing for constant."""
    if end > start and easing != "constant":
        wide = imgui.get_font_size() * (0.3 if easing == "smooth" else 0.1)
        draw = imgui.get_window_draw_list()
        draw.add_rect_filled((start, y - wide / 2), (end, y + wide / 2), _color(context, "active"), wide / 2)


def _playhead(state: AppState, context: PanelContext, top: float, bottom: float, *, is_top: bool = False) -> None:
    draw, em = imgui.get_window_draw_list(), imgui.get_font_size()
    x, color = context.timeline.lanes.x(state.playback.seconds), _color(context, "warning")
    draw.add_line((x, top), (x, bottom), color, 1.5)
    if is_top:
        draw.add_triangle_filled(
            (x - 0.4 * em, top - 0.4 * em), (x + 0.4 * em, top - 0.4 * em), (x, top + 0.2 * em), color
        )


# -- the pointer -------------------------------------------------------------------------------------------------------


def _handle(state: AppState, context: PanelContext, name: str, corner: ImVec2, end: ImVec2) -> None:
    """Let the pointer drag the playhead and keys, choose keys, and open their menu, within a part of the rows."""
    hand, io = context.timeline, imgui.get_io()
    imgui.set_cursor_screen_pos(corner)
    flags = imgui.ButtonFlags_.mouse_button_left | imgui.ButtonFlags_.mouse_button_right
    imgui.invisible_button(f"##{name}", ImVec2(max(1.0, end.x - corner.x), max(1.0, end.y - corner.y)), flags)
    found = _find_keys(state, context, io.mouse_pos, name) if imgui.is_item_hovered() else []
    if found and hand.drag is None and imgui.begin_tooltip():
        imgui.text_unformatted(_describe(state, found))
        imgui.end_tooltip()
    if imgui.is_item_clicked(imgui.MouseButton_.left):
        _press(state, context, found, io.mouse_pos.x)
    if imgui.is_item_clicked(imgui.MouseButton_.right):
        if not set(found) <= hand.chosen:
            hand.chosen = frozenset(found)
        imgui.open_popup(f"keys {name}")
    if imgui.is_item_active() and imgui.is_mouse_down(imgui.MouseButton_.left):
        if hand.drag is None:
            timelining.scrub(state, _snap(state, context, hand.lanes.seconds(io.mouse_pos.x), NEAR, playhead=False))
        elif imgui.is_mouse_dragging(imgui.MouseButton_.left, 3.0):
            _move(state, context, hand.drag, io.mouse_pos.x)
    if imgui.is_item_deactivated():
        hand.drag = None
    _menu(state, context, f"keys {name}")


def _find_keys(state: AppState, context: PanelContext, spot: ImVec2, part: str) -> list[KeyName]:
    """Return the keys under the pointer: all of one time in the row of all keys."""
    lanes, em = context.timeline.lanes, imgui.get_font_size()
    for name, y in lanes.rows.items():
        if abs(spot.y - y) > ROW * em / 2 or (name == ALL) != (part == "ruler"):
            continue
        names = _group_keys(state) if name == ALL else {key.seconds: [name] for key in _list_keys(state, name)}
        near = min(names, key=lambda seconds: abs(lanes.x(seconds) - spot.x), default=None)
        if near is not None and abs(lanes.x(near) - spot.x) <= NEAR:
            return [(one, near) for one in names[near]]
    return []


def _list_keys(state: AppState, name: str) -> tuple[Key, ...]:
    track = state.timeline.track(name)
    return track.keys if track else ()


def _press(state: AppState, context: PanelContext, found: list[KeyName], x: float) -> None:
    """Choose the keys under the pointer, or one more with Shift or Ctrl, and take hold of what is chosen."""
    hand, io = context.timeline, imgui.get_io()
    if not found:
        hand.chosen, state.playback.playing = frozenset(), False
        return
    if io.key_shift or io.key_ctrl:
        hand.chosen = hand.chosen - set(found) if set(found) <= hand.chosen else hand.chosen | set(found)
    elif not set(found) <= hand.chosen:
        hand.chosen = frozenset(found)
    hand.drag = TimelineDrag(state.timeline, hand.chosen, found[0][1], hand.lanes.seconds(x))
    if imgui.is_mouse_double_clicked(imgui.MouseButton_.left):
        timelining.scrub(state, found[0][1])


def _move(state: AppState, context: PanelContext, drag: TimelineDrag, x: float) -> None:
    """Move the chosen keys along with the pointer, or with Alt copies of them."""
    if not drag.chosen:
        return
    wanted = drag.held + context.timeline.lanes.seconds(x) - drag.began
    wanted = _snap(state, context, round(round(wanted / STEP) * STEP, timelining.DIGITS), NEAR, playhead=True)
    shift = edits.limit_move([seconds for _, seconds in drag.chosen], wanted - drag.held)
    copies = imgui.get_io().key_alt
    timelining.put(state, edits.move_keys(drag.timeline, drag.chosen, shift, copy=copies))
    context.timeline.chosen = frozenset((name, edits.round_time(seconds + shift)) for name, seconds in drag.chosen)


def _snap(state: AppState, context: PanelContext, seconds: float, pixels: float, *, playhead: bool) -> float:
    """Return a time, or that of the playhead or of a key that does not move where it is near."""
    hand = context.timeline
    still = list(_list_still(state, hand.drag)) + ([state.playback.seconds] if playhead else [])
    near = min(still, key=lambda other: abs(other - seconds), default=None)
    return near if near is not None and abs(near - seconds) * hand.lanes.scale <= pixels else seconds


def _list_still(state: AppState, drag: TimelineDrag | None) -> Iterator[float]:
    timeline, chosen = (drag.timeline, drag.chosen) if drag else (state.timeline, frozenset[KeyName]())
    for track in timeline.tracks:
        yield from (key.seconds for key in track.keys if (track.name, key.seconds) not in chosen)


def _menu(state: AppState, context: PanelContext, popup: str) -> None:
    """Draw the menu of the chosen keys, or of a place without any."""
    hand = context.timeline
    if not imgui.begin_popup(popup):
        return
    widgets.close_by_escape()
    keys = edits.take_keys(state.timeline, hand.chosen)
    if keys:
        for easing in EASINGS:
            if imgui.menu_item(easing.capitalize(), "", all(key.easing == easing for _, key in keys))[0]:
                timelining.put(state, edits.ease_keys(state.timeline, hand.chosen, easing))
            widgets.tooltip(EASING_TIPS[easing])
        imgui.separator()
        if imgui.menu_item("Go to it", "Double click", False)[0]:
            timelining.scrub(state, min(key.seconds for _, key in keys))
        if imgui.menu_item("Copy", "Ctrl-C", False)[0]:
            timelining.copy(state, context)
    if imgui.menu_item("Paste at the playhead", "Ctrl-V", False, bool(hand.copied))[0]:
        timelining.paste(state, context)
    if keys and imgui.menu_item("Delete", "Del", False)[0]:
        timelining.remove(state, context, hand.chosen)
    imgui.end_popup()


def _describe(state: AppState, found: list[KeyName]) -> str:
    """Return the words for the keys under the pointer."""
    lines = []
    for name, key in edits.take_keys(state.timeline, found):
        value = _format_values(name, key)
        lines.append(f"{PROPERTIES[name].title}{f': {value}' if value else ''}, {key.easing}")
    return "\n".join([f"{found[0][1]:.2f} s", *lines])


def _format_values(name: str, key: Key) -> str:
    """Return a key's values in a few words."""
    texts = []
    for value in key.values:
        if isinstance(value, bool | tuple) or value == "auto":
            continue
        if isinstance(value, float):
            texts.append(f"{value:.2f}")
        elif isinstance(value, int | str):
            texts.append(f"{value!s:.40}")
        else:
            seed = find_seed(value)
            texts.append(
                f"seed {seed}" if seed is not None else value.name if isinstance(value, FileLatent) else value.type
            )
    return " ".join(texts[:3])


def handle_lane_keys(state: AppState, context: PanelContext) -> None:
    """Handle Del, Ctrl-C and Ctrl-V while the pointer is on the panel."""
    io, key, hand = imgui.get_io(), imgui.Key, context.timeline
    if io.want_text_input or not imgui.is_window_hovered(imgui.HoveredFlags_.root_and_child_windows):
        return
    hand.is_pointed = bool(hand.chosen or hand.copied)
    pressed = imgui.is_key_pressed(key.delete, False) or imgui.is_key_pressed(key.backspace, False)
    if pressed and edits.take_keys(state.timeline, hand.chosen):
        timelining.remove(state, context, hand.chosen)
    if modifiers.ctrl() and imgui.is_key_pressed(key.c, False) and hand.chosen:
        timelining.copy(state, context)
    if modifiers.ctrl() and imgui.is_key_pressed(key.v, False) and hand.copied:
        timelining.paste(state, context)
