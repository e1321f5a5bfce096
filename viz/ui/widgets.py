# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The few controls that all panels are made of: aligned label left, control right, unit in the number, one tooltip.

Numbers can be dragged, typed (click once) and reset (double click). Each control returns whether the user changed it.
"""

import math
from collections.abc import Iterable, Sequence

from imgui_bundle import ImVec4, imgui

from viz.core.state import SLOTS, AppState, Slot, choices_of, limits_of
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
    """Return the width of the column that labels stand in, in pixels."""
    return LABEL_WIDTH * imgui.get_font_size()


def share_width(controls: int = 2, *, labelled: bool = False) -> float:
    """Return the width of each of so many controls that share the rest of a row, in pixels.

    `labelled`: ask before the label of that row is drawn.
    """
    room = imgui.get_content_region_avail().x - (label_width() if labelled else 0.0)
    return (room - (controls - 1) * imgui.get_style().item_inner_spacing.x) / controls


def beside() -> None:
    """Put the next control right of the last one, in the same row."""
    imgui.same_line(0, imgui.get_style().item_inner_spacing.x)


def go_to_controls(start: float) -> None:
    """After a label that began at cursor position `start`: go to the controls' column; the next control fills it."""
    imgui.same_line()
    imgui.set_cursor_pos_x(start + label_width())
    imgui.set_next_item_width(-1)


def label(theme: Theme, text: str, tip: str = "", colour: ImVec4 | None = None) -> None:
    """Start a row: the label in its column; what is drawn next takes the rest of the width."""
    start = imgui.get_cursor_pos_x()
    imgui.align_text_to_frame_padding()
    imgui.text_colored(colour or theme.dim, text)
    tooltip(tip)
    go_to_controls(start)


def align_right(text: str) -> None:
    """Move the cursor so that `text`, drawn next, ends at the right edge."""
    room = imgui.get_content_region_avail().x - imgui.calc_text_size(text).x
    imgui.set_cursor_pos_x(imgui.get_cursor_pos_x() + max(0.0, room))


def mono_text(theme: Theme, text: str, colour: ImVec4 | None = None, size: float = 0.0) -> None:
    """Draw text in the monospaced face; `size` is in pixels, 0 the face's own."""
    imgui.push_font(theme.mono, size)
    imgui.text_colored(colour or theme.text, text)
    imgui.pop_font()


def number(
    theme: Theme,
    text: str,
    owner: object,
    name: str,
    *,
    step: float,
    form: str = "%.2f",
    default: float | None = None,
    tip: str = "",
    width: float = 0.0,
    span: tuple[float, float] | None = None,
    octaves: bool = False,
) -> bool:
    """Draw a number of a state dataclass, dragged by `step` a pixel and kept within its field's limits.

    A double click resets it to `default`, None: the field's own. What is typed as "nan" is dropped: imgui's clamp lets
    it through, and no limit holds it.

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
    if is_reset():
        changed, value = True, type(value)(getattr(type(owner), name) if default is None else default)
    tooltip(tip)
    changed = changed and math.isfinite(value)
    if changed:
        setattr(owner, name, value)
    return changed


def is_reset() -> bool:
    """Return whether the number just drawn was double clicked, and end its editing if so."""
    if not (imgui.is_item_hovered() and imgui.is_mouse_double_clicked(imgui.MouseButton_.left)):
        return False
    imgui.internal.clear_active_id()
    return True


def check(theme: Theme, text: str, owner: object, name: str, tip: str = "") -> bool:
    """Draw a yes or no of a state dataclass, its text right of the box."""
    imgui.push_style_var(imgui.StyleVar_.frame_border_size, 1.0)  # seen while it is empty
    imgui.push_style_color(imgui.Col_.border, imgui.get_style_color_vec4(imgui.Col_.button_active))
    changed, value = imgui.checkbox(f"{text}##{name}", getattr(owner, name))
    imgui.pop_style_color()
    imgui.pop_style_var()
    tooltip(tip)
    if changed:
        setattr(owner, name, value)
    return changed


def lit_button(text: str, lit: bool, colour: ImVec4, width: float = 0.0) -> bool:
    """Draw one of a few buttons of which one is `lit`, its text then in `colour`; return whether it was pressed."""
    shade, dim = (imgui.Col_.button_active if lit else imgui.Col_.button), imgui.Col_.text_disabled
    imgui.push_style_color(imgui.Col_.button, imgui.get_style_color_vec4(shade))
    imgui.push_style_color(imgui.Col_.text, colour if lit else imgui.get_style_color_vec4(dim))
    pressed = imgui.button(text, (width, 0))
    imgui.pop_style_color(2)
    return pressed


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
    """Draw a row of a few words of which one is lit.

    `room` (pixels, 0: all) is for all of them. With `again`, pressing the lit one counts as a change, too.
    """
    label(theme, text, tip)
    current = getattr(owner, name)
    gap = imgui.get_style().item_inner_spacing.x
    width = ((room or imgui.get_content_region_avail().x) - gap * (len(choices) - 1)) / len(choices)
    changed = False
    for index, word in enumerate(choices):
        if index:
            beside()
        if lit_button(f"{word}##{name}", word == current, theme.text, width) and (again or word != current):
            setattr(owner, name, word)
            changed = True
        tooltip(tip)
    return changed


def slot_switch(theme: Theme, name: str, lit: str, tip: str = "") -> Slot | None:
    """Draw two buttons, left and right, in the slots' colours; return the slot that was pressed.

    `tip` may name the slot by {}.
    """
    width, pressed = share_width(), None
    for slot in SLOTS:
        if slot == "right":
            beside()
        if lit_button(f"{slot}##{name}", slot == lit, theme.accent[slot], width):
            pressed = slot
        tooltip(tip.format(slot))
    return pressed


def close_by_escape() -> None:
    """Close an open list by Escape: imgui does that only where the keyboard moves between controls."""
    if imgui.is_key_pressed(imgui.Key.escape, False):
        imgui.close_current_popup()


def select(name: str, shown: str, current: str, choices: Iterable[tuple[str, str]], tip: str = "") -> str | None:
    """Draw a list that opens, without a label, of (value, text); return the value that the user chose, if another."""
    found = None
    if imgui.begin_combo(f"##{name}", shown, imgui.ComboFlags_.height_large):
        close_by_escape()
        for value, text in choices:
            if imgui.selectable(text, value == current)[0] and value != current:
                found = value
            if value == current:
                imgui.set_item_default_focus()
        imgui.end_combo()
    else:
        tooltip(tip)
    return found


def combo(theme: Theme, text: str, owner: object, name: str, tip: str = "", width: float = 0.0) -> bool:
    """Draw one of a state field's words as a list that opens; `width` (pixels, 0: all) is the control's."""
    label(theme, text, tip)
    if width:
        imgui.set_next_item_width(width)
    current = getattr(owner, name)
    found = select(name, current, current, ((word, word) for word in choices_of(owner, name)), tip)
    if found is not None:
        setattr(owner, name, found)
    return found is not None


def side(theme: Theme, state: AppState) -> None:
    """While the models are unlinked, draw the row that chooses which slot's latent or transform the panel edits."""
    if state.linked:
        return
    label(theme, "side", "While the models are unlinked, each has its own. Press L to link them again.")
    state.focus = slot_switch(theme, "side", state.focus) or state.focus


def button(text: str, tip: str = "", *, width: float = 0.0, enabled: bool = True) -> bool:
    """Draw a button, greyed and dead when not `enabled`; return whether it was pressed."""
    imgui.begin_disabled(not enabled)
    pressed = imgui.button(text, (width, 0))
    imgui.end_disabled()
    tooltip(tip)
    return pressed


def progress(done: int, total: int, width: float, cancel_tip: str) -> bool:
    """Draw how much of a measurement is done, `width` pixels wide, and a button; return whether it is to end."""
    imgui.progress_bar(done / total if total else 0.0, (width, 0), f"{done} of {total}" if total else "")
    beside()
    return button("Cancel", cancel_tip, width=-1)


def fact(theme: Theme, text: str, value: str, tip: str = "", colour: ImVec4 | None = None) -> None:
    """Draw a row of a label and a value that cannot be changed here, in the monospaced face."""
    start = imgui.get_cursor_pos_x()
    imgui.text_colored(theme.dim, text)
    tooltip(tip)
    go_to_controls(start)
    imgui.push_font(theme.mono, 0.0)
    imgui.push_text_wrap_pos(0.0)
    imgui.text_colored(colour or theme.text, value)
    imgui.pop_text_wrap_pos()
    imgui.pop_font()
    tooltip(tip)


def sentence(text: str, colour: ImVec4) -> None:
    """Draw a sentence over the whole width, wrapped: an error, a notice, a hint."""
    imgui.push_text_wrap_pos(0.0)
    imgui.text_colored(colour, text)
    imgui.pop_text_wrap_pos()
