# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The line below the pictures: the canvas's mode, that mode's number, and the link between the slots."""

from typing import NamedTuple

from imgui_bundle import imgui, imgui_ctx

from viz.canvas.overlays import MARGIN, Rect
from viz.core.state import SLOTS, AppState
from viz.ui import widgets
from viz.ui.context import PanelContext
from viz.ui.theme import Theme, rgb

HEIGHT = 2.4  # in font sizes
NUMBER_WIDTH = 5.2
DOT = 3.5  # radius of the link's ends, pixels


class Mode(NamedTuple):
    """A way to look at two pictures."""

    key: str  # in the state
    title: str
    tip: str


class Dial(NamedTuple):
    """The number that a mode has."""

    name: str  # of the field of CanvasState
    text: str
    step: float
    form: str
    tip: str


MODES = (
    Mode("side", "Side by side", "Each model in its own half."),
    Mode("split", "Split", "One picture: the left model left of the divider, the right one right of it."),
    Mode("difference", "Difference", "The absolute difference of both pictures, times the gain; black where equal."),
    Mode("blink", "Blink", "Both pictures in one place by turns: what changes catches the eye."),
)
DIALS = {
    "split": Dial("divider", "divider", 0.002, "%.3f", "Where the left model ends, in widths of the canvas."),
    "difference": Dial("gain", "gain", 0.1, "%.1f×", "Factor by which the difference is multiplied."),
    "blink": Dial("rate", "rate", 0.02, "%.2f Hz", "How many times a second left and right are both shown once."),
}


def next_mode(mode: str) -> str:
    """Return the mode after `mode`; after the last comes the first."""
    keys = [known.key for known in MODES]
    return keys[(keys.index(mode) + 1) % len(keys)]


def draw(state: AppState, context: PanelContext, rect: Rect) -> None:
    """Draw the line. Where `rect` is too narrow for all words, the number's label goes first, then the link's.

    Where the modes alone have no room, the one that is shown stands for all: a press opens their list.
    """
    theme, em = context.theme, imgui.get_font_size()
    dial = DIALS.get(state.canvas.mode)
    gap, pad = 0.3 * em, imgui.get_style().frame_padding.x
    height = imgui.get_frame_height()
    switch = sum(imgui.calc_text_size(mode.title).x + 2 * pad + gap for mode in MODES) - gap
    label = imgui.calc_text_size(dial.text).x + 2 * gap if dial else 0.0
    number = NUMBER_WIDTH * em + 4 * gap if dial else 0.0
    link_text = "Linked" if state.linked else "Unlinked"
    link, icon = imgui.calc_text_size(link_text).x + pad, 6 * DOT + 2 * pad
    is_folded = switch > rect.width - 2 * MARGIN  # whatever the mode: the control stays while modes change
    if is_folded:
        switch = max(imgui.calc_text_size(mode.title).x for mode in MODES) + 2 * pad + height
    spare = rect.width - 2 * MARGIN - switch - number - icon - 4 * gap
    if spare < label + link:
        label = 0.0
    if spare < link:
        link, link_text = 0.0, ""
    y = rect.top + (rect.height - height) / 2
    with rect.clip():
        imgui.set_cursor_screen_pos((rect.left + MARGIN, y))
        if is_folded:
            imgui.set_next_item_width(switch)
            titles = {mode.key: mode.title for mode in MODES}
            shown, tip = titles[state.canvas.mode], "How the two pictures are compared (C: the next mode)."
            state.canvas.mode = widgets.select("mode", shown, state.canvas.mode, titles.items(), tip)
        else:
            _switch(state, theme, gap)
        if dial:
            imgui.same_line(0, 4 * gap)
            if label:
                imgui.align_text_to_frame_padding()
                imgui.text_colored(theme.dim, dial.text)
                imgui.same_line(0, 2 * gap)
            imgui.set_next_item_width(NUMBER_WIDTH * em)
            with imgui_ctx.push_style_color(imgui.Col_.frame_bg, rgb(theme.palette["window"])):
                widgets.number(theme, None, state.canvas, dial.name, step=dial.step, form=dial.form, tip=dial.tip)
        x = max(imgui.get_item_rect_max().x + 4 * gap, rect.right - MARGIN - icon - link)
        _link(state, theme, Rect(x, y, icon + link, height), link_text)


def _switch(state: AppState, theme: Theme, gap: float) -> None:
    """Draw the modes as words, of which one is lit."""
    canvas, clear = state.canvas, rgb(theme.palette["stage"], 0.0)
    for index, mode in enumerate(MODES):
        if index:
            imgui.same_line(0, gap)
        lit = mode.key == canvas.mode
        with imgui_ctx.push_style_color(imgui.Col_.button, rgb(theme.palette["window"]) if lit else clear):
            with imgui_ctx.push_style_color(imgui.Col_.text, theme.text if lit else theme.dim):
                if imgui.button(f"{mode.title}###{mode.key}"):
                    canvas.mode = mode.key
        widgets.tooltip(f"{mode.tip} (C: the next mode)")


def _link(state: AppState, theme: Theme, rect: Rect, text: str) -> None:
    """Draw two dots in the slots' colours, with a line between them while they are linked."""
    imgui.set_cursor_screen_pos((rect.left, rect.top))
    if imgui.invisible_button("link", (max(1.0, rect.width), max(1.0, rect.height))):
        state.link(not state.linked)
    hovered = imgui.is_item_hovered()
    widgets.tooltip(
        "One latent and one transform move both models. Click (or L) to give each its own."
        if state.linked
        else "Each model has its own latent and transform. Click (or L) to link them: both take the focused one's."
    )
    draw, pad = imgui.get_window_draw_list(), imgui.get_style().frame_padding.x
    if hovered:
        draw.add_rect_filled(rect.corner, rect.end, imgui.get_color_u32(rgb(theme.palette["window"])), 4.0)
    ink = theme.text if hovered or not state.linked else theme.dim
    y, ends = rect.top + rect.height / 2, (rect.right - pad - 5 * DOT, rect.right - pad - DOT)
    if state.linked:
        draw.add_line((ends[0], y), (ends[1], y), imgui.get_color_u32(ink), 1.5)
    for slot, x in zip(SLOTS, ends, strict=True):
        draw.add_circle_filled((x, y), DOT, imgui.get_color_u32(theme.accent[slot]))
    x = ends[0] - DOT - pad - imgui.calc_text_size(text).x
    at = (round(x), round(rect.top + imgui.get_style().frame_padding.y))
    draw.add_text(at, imgui.get_color_u32(ink), text)
