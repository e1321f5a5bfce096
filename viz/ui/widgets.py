# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The few controls that all panels are made of: aligned label left, control right, unit in the number, one tooltip.

Numbers can be dragged, typed (click once) and reset (double click). Each control returns whether the user changed it.
"""

import math
from collections.abc import Sequence

from imgui_bundle import ImVec4, imgui

from viz.core.state import SLOTS, AppState, choices_of, limits_of
from viz.ui.theme import Theme

LABEL_WIDTH = 5.4  # in font sizes
TOOLTIP_WIDTH = 22.0


def tooltip(sentence: str) -> None:
    """Explain the item just drawn, once the pointer rests on it."""
    if sentence and imgui.begin_item_tooltip():
        imgui.push_text_wrap_pos(TOOLTIP_WIDTH * imgui.get_font_size())
        imgui.text_unformatted(sentence)
        imgui.pop_text_wrap_pos()
        imgui.end_tooltip()


def label_width() -> float:
    """Of the column that labels stand in, in pixels."""
    return LABEL_WIDTH * imgui.get_font_size()


def row(start: float) -> None:
    """After a label that began at cursor position `start`: go to the controls' column; the next control fills it."""
    imgui.same_line()
    imgui.set_cursor_pos_x(start + label_width())
    imgui.set_next_item_width(-1)


def label(theme: Theme, text: str, tip: str = "") -> None:
    """Start a row: the label in its column; what is drawn next takes the rest of the width."""
    start = imgui.get_cursor_pos_x()
    imgui.align_text_to_frame_padding()
    imgui.text_colored(theme.dim, text)
    tooltip(tip)
    row(start)


def number(
    theme: Theme,
    text: str,
    owner: object,
    name: str,
    *,
    step: float,
    form: str = "%.2f",
    default: float | int = 0,
    tip: str = "",
    width: float = 0.0,
    span: tuple[float, float] | None = None,
    octaves: bool = False,
) -> bool:
    """A number of a state dataclass, dragged by `step` a pixel and kept within its field's limits.

    What is typed as "nan" is dropped: imgui's clamp lets it through, and no limit holds it.

    An empty `text` draws no label, and then `width` (pixels, 0: all) is the control's. With a `span` it is a slider
    over that span. With `octaves` a pixel of dragging multiplies rather than adds.
    """
    low, high = span or limits_of(owner, name)
    if text:
        label(theme, text, tip)
    else:
        imgui.set_next_item_width(width or -1)
    value = getattr(owner, name)
    imgui.push_font(theme.mono, 0.0)
    flags = imgui.SliderFlags_.always_clamp | (imgui.SliderFlags_.logarithmic if octaves else 0)
    if isinstance(value, int) and span:
        changed, value = imgui.slider_int(f"##{name}", value, int(low), int(high), form, flags)
    elif isinstance(value, int):
        changed, value = imgui.drag_int(f"##{name}", value, step, int(low), int(high), form, flags)
    elif span:
        changed, value = imgui.slider_float(f"##{name}", value, low, high, form, flags)
    else:
        changed, value = imgui.drag_float(f"##{name}", value, step, low, high, form, flags)
    imgui.pop_font()
    if imgui.is_item_hovered() and imgui.is_mouse_double_clicked(imgui.MouseButton_.left):
        imgui.internal.clear_active_id()
        changed, value = True, type(value)(default)
    tooltip(tip)
    changed = changed and math.isfinite(value)
    if changed:
        setattr(owner, name, value)
    return changed


def check(theme: Theme, text: str, owner: object, name: str, tip: str = "") -> bool:
    """A yes or no of a state dataclass, its text right of the box."""
    imgui.push_style_var(imgui.StyleVar_.frame_border_size, 1.0)  # seen while it is empty
    imgui.push_style_color(imgui.Col_.border, imgui.get_style_color_vec4(imgui.Col_.button_active))
    changed, value = imgui.checkbox(f"{text}##{name}", getattr(owner, name))
    imgui.pop_style_color()
    imgui.pop_style_var()
    tooltip(tip)
    if changed:
        setattr(owner, name, value)
    return changed


def words(
    theme: Theme,
    text: str,
    owner: object,
    name: str,
    choices: Sequence[str],
    tip: str = "",
    *,
    room: float = 0.0,
    again: bool = False,
) -> bool:
    """A row of a few words of which one is lit; `room` (pixels, 0: all) is for all of them. `again`: pressing the lit
    one counts as a change, too."""
    label(theme, text, tip)
    current = getattr(owner, name)
    gap = imgui.get_style().item_inner_spacing.x
    width = ((room or imgui.get_content_region_avail().x) - gap * (len(choices) - 1)) / len(choices)
    changed = False
    for index, word in enumerate(choices):
        if index:
            imgui.same_line(0, gap)
        lit = word == current
        imgui.push_style_color(
            imgui.Col_.button, imgui.get_style_color_vec4(imgui.Col_.button_active if lit else imgui.Col_.button)
        )
        imgui.push_style_color(imgui.Col_.text, theme.text if lit else theme.dim)
        if imgui.button(f"{word}##{name}", (width, 0)) and (again or not lit):
            setattr(owner, name, word)
            changed = True
        imgui.pop_style_color(2)
        tooltip(tip)
    return changed


def close_by_escape() -> None:
    """In an open list: Escape closes it. (imgui does that only where the keyboard moves between controls.)"""
    if imgui.is_key_pressed(imgui.Key.escape, False):
        imgui.close_current_popup()


def combo(theme: Theme, text: str, owner: object, name: str, tip: str = "", width: float = 0.0) -> bool:
    """One of a state field's words, from a list that opens; `width` (pixels, 0: all) is the control's."""
    label(theme, text, tip)
    if width:
        imgui.set_next_item_width(width)
    current, changed = getattr(owner, name), False
    if not imgui.begin_combo(f"##{name}", current):
        tooltip(tip)
        return False
    close_by_escape()
    for word in choices_of(owner, name):
        if imgui.selectable(word, word == current)[0] and word != current:
            setattr(owner, name, word)
            changed = True
    imgui.end_combo()
    return changed


def side(theme: Theme, state: AppState) -> None:
    """Which slot's latent or transform the panel edits: a row left, right in the slots' colours, only while they are
    unlinked."""
    if state.linked:
        return
    label(theme, "side", "While the models are unlinked, each has its own. Press L to link them again.")
    gap = imgui.get_style().item_inner_spacing.x
    width = (imgui.get_content_region_avail().x - gap) / 2
    for slot in SLOTS:
        if slot == "right":
            imgui.same_line(0, gap)
        lit = slot == state.focus
        imgui.push_style_color(
            imgui.Col_.button, imgui.get_style_color_vec4(imgui.Col_.button_active if lit else imgui.Col_.button)
        )
        imgui.push_style_color(imgui.Col_.text, theme.accent[slot] if lit else theme.dim)
        if imgui.button(f"{slot}##side", (width, 0)):
            state.focus = slot
        imgui.pop_style_color(2)


def button(text: str, tip: str = "", *, width: float = 0.0, enabled: bool = True) -> bool:
    """A button; greyed and dead when not `enabled`."""
    imgui.begin_disabled(not enabled)
    pressed = imgui.button(text, (width, 0))
    imgui.end_disabled()
    tooltip(tip)
    return pressed


def fact(theme: Theme, text: str, value: str, tip: str = "", colour: ImVec4 | None = None) -> None:
    """A row of the label and a value that cannot be changed here, in the monospaced face."""
    start = imgui.get_cursor_pos_x()
    imgui.text_colored(theme.dim, text)
    tooltip(tip)
    row(start)
    imgui.push_font(theme.mono, 0.0)
    imgui.push_text_wrap_pos(0.0)
    imgui.text_colored(colour or theme.text, value)
    imgui.pop_text_wrap_pos()
    imgui.pop_font()
    tooltip(tip)


def sentence(text: str, colour: ImVec4) -> None:
    """A sentence over the whole width, wrapped: an error, a notice, a hint."""
    imgui.push_text_wrap_pos(0.0)
    imgui.text_colored(colour, text)
    imgui.pop_text_wrap_pos()
