# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The few controls that all panels are made of: aligned label left, control right, unit in the number, one tooltip.

Numbers can be dragged, typed (click once) and reset (double click). Each control returns whether the user changed it.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from imgui_bundle import ImVec2, ImVec4, imgui, imgui_ctx, implot

from viz.core.gestures import set_clamped
from viz.core.images import Pixels
from viz.core.state import SLOTS, AppState, Slot
from viz.core.state_fields import choices_of, limits_of
from viz.ui import exact
from viz.ui.context import Jobs, PanelContext
from viz.ui.fitting import elide, fitted, is_narrow, letters
from viz.ui.theme import Theme

LABEL_WIDTH = 5.4  # in font sizes
TOOLTIP_WIDTH = 22.0
SMALL = 0.87  # of the font size, for notes and the axes of plots
QUIET_PLOT = (
    implot.Flags_.no_menus
    | implot.Flags_.no_mouse_text
    | implot.Flags_.no_inputs
    | implot.Flags_.no_legend
    | implot.Flags_.no_title
)


class Row:
    """The rest of a row, shared by so many controls of one width."""

    def __init__(self, cells: int = 1, room: float = 0.0) -> None:
        """`room` (pixels, 0: all that is left) is for all cells."""
        room = room or imgui.get_content_region_avail().x
        self.width = (room - (cells - 1) * imgui.get_style().item_inner_spacing.x) / cells
        self._cells, self._used = cells, 0

    def next_cell(self) -> float:
        """Let the next control fill the row's next cell; return its width in pixels."""
        if self._used:
            beside()
        self._used += 1
        imgui.set_next_item_width(-1 if self._used == self._cells else self.width)
        return self.width


@contextmanager
def side_column(name: str, width: float, least: float) -> Iterator[bool]:
    """Draw a block in a column on the left, as high as the panel, of `width` font sizes.

    Where the panel is narrower than `least` font sizes, as with large letters, it takes the whole width, and what is
    drawn next lies below. Yields whether it lies beside.
    """
    em, room = imgui.get_font_size(), imgui.get_content_region_avail()
    is_beside = room.x > least * em
    size = ImVec2(width * em, max(6 * em, room.y)) if is_beside else ImVec2(0, 0)
    with imgui_ctx.begin_child(name, size, 0 if is_beside else imgui.ChildFlags_.auto_resize_y):
        yield is_beside
    if is_beside:
        imgui.same_line(0, em)


def tooltip(sentence: str) -> None:
    """Explain the item just drawn, once the pointer rests on it."""
    if sentence and imgui.begin_item_tooltip():
        with imgui_ctx.push_text_wrap_pos(TOOLTIP_WIDTH * imgui.get_font_size()):
            imgui.text_unformatted(sentence)
        imgui.end_tooltip()


def label_width() -> float:
    """Return the width of the column that labels stand in, in pixels."""
    return LABEL_WIDTH * imgui.get_font_size()


def beside() -> None:
    """Put the next control right of the last one, in the same row."""
    imgui.same_line(0, imgui.get_style().item_inner_spacing.x)


def label(theme: Theme, text: str, tip: str = "", colour: ImVec4 | None = None, cells: int = 1) -> Row:
    """Start a row: the label in its column; what is drawn next takes the rest, or the cells of the row returned.

    In a narrow panel the label is a small line of its own, and the controls below it have the whole width.
    """
    if is_narrow():
        with letters(imgui.get_font(), SMALL * imgui.get_font_size()):
            imgui.text_colored(colour or theme.dim, text)
        tooltip(tip)
        imgui.set_cursor_pos_y(imgui.get_cursor_pos_y() - imgui.get_style().item_spacing.y / 2)
        imgui.set_next_item_width(-1)
        return Row(cells)
    start = imgui.get_cursor_pos_x()
    imgui.align_text_to_frame_padding()
    imgui.text_colored(colour or theme.dim, text)
    tooltip(tip)
    return _go_to_controls(start, cells)


def _go_to_controls(start: float, cells: int = 1) -> Row:
    imgui.same_line()
    imgui.set_cursor_pos_x(start + label_width())
    imgui.set_next_item_width(-1)
    return Row(cells)


def align_right(text: str) -> None:
    """Move the cursor so that `text`, drawn next, ends at the right edge."""
    room = imgui.get_content_region_avail().x - imgui.calc_text_size(text).x
    imgui.set_cursor_pos_x(imgui.get_cursor_pos_x() + max(0.0, room))


def mono_text(theme: Theme, text: str, colour: ImVec4 | None = None, size: float = 0.0, *, right: bool = False) -> None:
    """Draw text in the monospaced face, `right`-aligned or not; `size` is in pixels, 0 the face's own."""
    with letters(theme.mono, size):
        if right:
            align_right(text)
        imgui.text_colored(colour or theme.text, text)


def number(
    theme: Theme,
    place: str | Row | None,
    owner: object,
    name: str,
    *,
    step: float,
    form: str = "%.2f",
    default: float | None = None,
    tip: str = "",
    span: tuple[float, float] | None = None,
    octaves: bool = False,
) -> bool:
    """Draw a number of a state dataclass, dragged by `step` a pixel and kept within its field's limits.

    A double click resets it to `default`, None: the field's own. What is typed as "nan" is dropped: imgui's clamp lets
    it through, and no limit holds it.

    `place` is its label, or the row whose next cell it fills; None where the caller has set place and width. With a
    `span` it is a slider over that span. With `octaves` a pixel of dragging multiplies rather than adds.
    """
    low, high = span or limits_of(owner, name)
    if isinstance(place, str):
        label(theme, place, tip)
    elif place:
        place.next_cell()
    value = getattr(owner, name)
    flags = imgui.SliderFlags_.always_clamp | (imgui.SliderFlags_.logarithmic if octaves else 0)
    with fitted(form % value if "%" in form else form, imgui.calc_item_width(), theme.mono):
        if isinstance(value, int) and span:
            changed, value = imgui.slider_int(f"##{name}", value, int(low), int(high), form, flags)
        elif isinstance(value, int):
            changed, value = imgui.drag_int(f"##{name}", value, step, int(low), int(high), form, flags)
        elif span:
            changed, value = exact.slide(f"##{name}", value, low, high, form, flags)
        else:
            changed, value = exact.drag(f"##{name}", value, step, low, high, form, flags)
    if is_reset():
        changed, value = True, type(value)(getattr(type(owner), name) if default is None else default)
    tooltip(tip)
    changed = changed and math.isfinite(value)
    if changed:
        set_clamped(owner, name, value)
    return changed


def is_reset() -> bool:
    """Return whether the number just drawn was double clicked, and end its editing if so."""
    if not (imgui.is_item_hovered() and imgui.is_mouse_double_clicked(imgui.MouseButton_.left)):
        return False
    imgui.internal.clear_active_id()
    return True


def check(text: str, owner: object, name: str, tip: str = "") -> None:
    """Draw a yes or no of a state dataclass, its text right of the box."""
    value = getattr(owner, name)
    changed = checkbox(f"{text}##{name}", value, tip)
    if changed != value:
        setattr(owner, name, changed)


def checkbox(text: str, value: bool, tip: str = "") -> bool:
    """Draw a yes or no, its text right of the box; return what it is now."""
    border = imgui.get_style_color_vec4(imgui.Col_.button_active)
    with imgui_ctx.push_style_var(imgui.StyleVar_.frame_border_size, 1.0):  # seen while it is empty
        with imgui_ctx.push_style_color(imgui.Col_.border, border):
            room = imgui.get_content_region_avail().x - imgui.get_frame_height()
            with fitted(text.partition("##")[0], room + imgui.get_style().frame_padding.x):
                value = imgui.checkbox(text, value)[1]
    tooltip(tip)
    return value


def text_field(
    name: str, hint: str, shown: str, tip: str = "", *, typed_before: dict[int, tuple[str, str]] | None = None
) -> str | None:
    """Draw a field for a path, as wide as the row; return what was typed once Enter is pressed.

    With `typed_before` (a field's id -> `shown` and what was typed then) a text stays until `shown` is another, so that
    one that could not be used can be corrected.
    """
    kept = {} if typed_before is None else typed_before
    field = imgui.get_id(name)
    if kept.get(field, (shown, ""))[0] != shown:
        del kept[field]
    text = kept[field][1] if field in kept else shown
    imgui.set_next_item_width(-1)
    flags = imgui.InputTextFlags_.enter_returns_true | imgui.InputTextFlags_.elide_left
    entered, typed = imgui.input_text_with_hint(f"##{name}", hint, text, flags)
    tooltip(tip)
    if entered:
        kept[field] = (shown, typed)
    return typed.strip() if entered else None


def lit_button(text: str, lit: bool, colour: ImVec4, width: float = 0.0) -> bool:
    """Draw one of a few buttons of which one is `lit`, its text then in `colour`; return whether it was pressed."""
    shade, dim = (imgui.Col_.button_active if lit else imgui.Col_.button), imgui.Col_.text_disabled
    with imgui_ctx.push_style_color(imgui.Col_.button, imgui.get_style_color_vec4(shade)):
        with imgui_ctx.push_style_color(imgui.Col_.text, colour if lit else imgui.get_style_color_vec4(dim)):
            with fitted(text.partition("##")[0], imgui.get_content_region_avail().x if width < 0 else width):
                return imgui.button(text, (width, 0))


def pick_word(
    theme: Theme, text: str, name: str, current: str, choices: Sequence[str], tip: str = "", room: float = 0.0
) -> str | None:
    """Draw a row of a few words of which one is lit; return the one that was pressed, be it the lit one.

    `room` (pixels, 0: all) is for all of them.
    """
    label(theme, text, tip)
    row, pressed = Row(len(choices), room), None
    texts = [imgui.calc_text_size(word).x for word in choices]
    is_narrow = (
        max(texts) + 2 * imgui.get_style().frame_padding.x > row.width
    )  # for the longest word: then each gets what is left beside its own width
    spare = row.width - sum(texts) / len(texts)
    for word, width in zip(choices, texts, strict=True):
        cell = row.next_cell()
        if lit_button(f"{word}##{name}", word == current, theme.text, width + spare if is_narrow else cell):
            pressed = word
        tooltip(tip)
    return pressed


def words(theme: Theme, text: str, owner: object, name: str, tip: str = "", *, room: float = 0.0) -> bool:
    """Draw a state field's words in a row; return whether one was pressed, be it the lit one."""
    pressed = pick_word(theme, text, name, getattr(owner, name), choices_of(owner, name), tip, room)
    if pressed is not None:
        setattr(owner, name, pressed)
    return pressed is not None


def slot_switch(theme: Theme, name: str, lit: str, tip: str = "", room: float = 0.0) -> Slot | None:
    """Draw two buttons, left and right, in the slots' colours; return the slot that was pressed.

    `tip` may name the slot by {}. `room` (pixels, 0: all) is for both.
    """
    row, pressed = Row(2, room), None
    for slot in SLOTS:
        cell = row.next_cell()
        if lit_button(f"{slot}##{name}", slot == lit, theme.accent[slot], row.width if room else cell):
            pressed = slot
        tooltip(tip.format(slot))
    return pressed


def close_by_escape() -> None:
    """Close an open list by Escape: imgui does that only where the keyboard moves between controls."""
    if imgui.is_key_pressed(imgui.Key.escape, False):
        imgui.close_current_popup()


def select(name: str, shown: str, current: str, choices: Iterable[tuple[str, str]], tip: str = "") -> str:
    """Draw a list that opens, without a label, of (value, text); return the value chosen, `current` as long as none."""
    chosen, padding = current, imgui.get_style().frame_padding.x
    shown = elide(shown, imgui.calc_item_width() - imgui.get_frame_height() - 2 * padding)
    if imgui.begin_combo(f"##{name}", shown, imgui.ComboFlags_.height_large):
        close_by_escape()
        for value, text in choices:
            if imgui.selectable(text, value == current)[0]:
                chosen = value
            if value == current:
                imgui.set_item_default_focus()
        imgui.end_combo()
    else:
        tooltip(tip)
    return chosen


def combo(theme: Theme, place: str | Row, owner: object, name: str, tip: str = "") -> None:
    """Draw a state field's words as a list that opens; `place` is its label, or the row whose next cell it fills."""
    if isinstance(place, str):
        label(theme, place, tip)
    else:
        place.next_cell()
    current = getattr(owner, name)
    setattr(owner, name, select(name, current, current, ((word, word) for word in choices_of(owner, name)), tip))


def side(theme: Theme, state: AppState) -> None:
    """While the models are unlinked, draw the row that chooses which slot's latent or transform the panel edits."""
    if not state.linked:
        label(theme, "side", "While the models are unlinked, each has its own. Press L to link them again.")
        state.focus = slot_switch(theme, "side", state.focus) or state.focus


def button(text: str, tip: str = "", *, width: float = 0.0, enabled: bool = True) -> bool:
    """Draw a button, greyed and dead when not `enabled`; return whether it was pressed."""
    imgui.begin_disabled(not enabled)
    with fitted(text.partition("##")[0], imgui.get_content_region_avail().x if width < 0 else width):
        pressed = imgui.button(text, (width, 0))
    imgui.end_disabled()
    tooltip(tip)
    return pressed


def running_job(jobs: Jobs, name: str, row: Row, cancel_tip: str) -> bool:
    """Draw how much of a started job is done, and a button that cancels it; return False if it does not run."""
    if not jobs.is_running(name):
        return False
    found = jobs.result(name)
    done, total = (found.done, found.total) if found else (0, 0)
    imgui.progress_bar(done / total if total else 0.0, (row.next_cell(), 0), f"{done} of {total}" if total else "")
    beside()
    if button("Cancel", cancel_tip, width=-1):
        jobs.cancel(name)
    return True


def progress_bar(fraction: float | None, text: str, width: float = -1) -> None:
    """Draw how much is done, in the buttons' colour; None: only that something happens."""
    with imgui_ctx.push_style_color(imgui.Col_.plot_histogram, imgui.get_style_color_vec4(imgui.Col_.button_active)):
        imgui.progress_bar(-0.5 * imgui.get_time() if fraction is None else fraction, (width, 0), text)


def fact(theme: Theme, text: str, value: str, tip: str = "", colour: ImVec4 | None = None) -> None:
    """Draw a row of a label and a value that cannot be changed here, in the monospaced face."""
    start = imgui.get_cursor_pos_x()
    imgui.text_colored(theme.dim, text)
    tooltip(tip)
    _go_to_controls(start)
    with imgui_ctx.push_font(theme.mono, 0.0):
        sentence(value, colour or theme.text)
    tooltip(tip)


def sentence(text: str, colour: ImVec4) -> None:
    """Draw a sentence over the whole width, wrapped: an error, a notice, a hint."""
    with imgui_ctx.push_text_wrap_pos(0.0):
        imgui.text_colored(colour, text)


def copied_on_click(text: str) -> None:
    """Copy `text` to the clipboard when the item just drawn is clicked."""
    if imgui.is_item_clicked():
        imgui.set_clipboard_text(text)


def picture(
    context: PanelContext, name: str, pixels: Pixels | None, corner: ImVec2, size: ImVec2, width: float | None = None
) -> None:
    """Paint a picture at a place on screen, without moving the cursor; a plate in its place as long as it is None.

    `width` is that on screen, for pictures that are reduced well.
    """
    draw, end = imgui.get_window_draw_list(), corner + size
    draw.add_rect_filled(corner, end, imgui.get_color_u32(imgui.Col_.frame_bg))
    if pixels is not None:
        draw.add_image(imgui.ImTextureRef(context.texture(name, pixels, width).texture), corner, end)


@contextmanager
def plot_style() -> Iterator[None]:
    """Draw plots with small letters and little room around them."""
    var = implot.StyleVar_
    with letters(imgui.get_font(), SMALL * imgui.get_font_size()):
        implot.push_style_var(var.plot_padding, ImVec2(6, 5))
        implot.push_style_var(var.label_padding, ImVec2(3, 2))
        implot.push_style_var(var.plot_min_size, ImVec2(60, 40))
        try:
            yield
        finally:
            implot.pop_style_var(3)


def begin_plot(
    name: str,
    height: float,
    x: tuple[float, float],
    y: tuple[float, float],
    *,
    labels: tuple[str, str] = ("", ""),
    axes: tuple[int, int] = (0, 0),
    flags: int = QUIET_PLOT,
) -> bool:
    """Begin a plot of the given height and limits, as wide as the panel; if it is seen, end it by implot.end_plot."""
    if not implot.begin_plot(f"##{name}", (-1, height), flags):
        return False
    implot.setup_axes(*labels, *axes)
    implot.setup_axis_limits(implot.ImAxis_.x1, *x, imgui.Cond_.always)
    implot.setup_axis_limits(implot.ImAxis_.y1, *y, imgui.Cond_.always)
    return True
