# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Capture: keep a picture with its state inside, open one, and hand the state on as text."""

from functools import cache

from imgui_bundle import ImVec2, imgui, imgui_ctx

from viz.core.panel_state import DEFAULT_NAME, CaptureState
from viz.core.state import AppState
from viz.record import naming
from viz.record.models import shorten_path
from viz.ui import fitting, widgets
from viz.ui.context import PanelContext

TITLE = "Capture"
PLACE = "bottom"

COLUMN, LEAST = 26.0, 42.0  # widths of the left one, and of a panel that has two, in font sizes
WHATS = (
    ("left", "Left picture"),
    ("right", "Right picture"),
    ("both", "Both pictures"),
    ("canvas", "Canvas"),
    ("window", "Window"),
)
TIPS = {
    "left": "The left model's picture, drawn anew: nothing of the view, such as zoom, is in it.",
    "right": "The right model's picture, drawn anew: nothing of the view, such as zoom, is in it.",
    "both": "Both pictures beside each other, drawn anew, in one size.",
    "canvas": "The canvas as it is on screen, with its mode, zoom and captions.",
    "window": "The whole window as it is on screen.",
}
SIZES = (0, 256, 512, 1024, 2048, 4096)
SIZE = (
    "Width of a picture in pixels. Larger than the model's own it is enlarged as on screen: by Lanczos, or with hard "
    "pixels (N)."
)
FOLDER = "The folder that captures go to: type a path and press Enter; an empty one is Jinc in your pictures."
NAME = f"The name of a capture. In braces: {'; '.join(' '.join(pair) for pair in naming.FIELDS.items())}."
OPEN = (
    "A captured PNG, a state file, or a state as text (jinc1:…): type or paste it and press Enter, or drop the picture "
    "on the window."
)
INSIDE = "The state is inside every capture: drop one on this window, and all is as it was."


_default_folder = cache(naming.default_folder)  # it reads a file of the desktop's


def draw(state: AppState, context: PanelContext) -> None:
    """Draw what is captured and where to on the left, what brings it back on the right."""
    with widgets.side_column("taking", COLUMN, LEAST) as is_beside:
        _taking(state.capture, context, state)
    flags = 0 if is_beside else imgui.ChildFlags_.auto_resize_y
    with imgui_ctx.begin_child("bringing back", ImVec2(0, 0), flags):
        _returning(context)


def _taking(capture: CaptureState, context: PanelContext, state: AppState) -> None:
    theme, cells = context.theme, 3 if fitting.is_narrow() else len(WHATS)
    for index, (what, title) in enumerate(WHATS):
        if index % cells == 0:
            row = widgets.Row(min(cells, len(WHATS) - index))
        if widgets.lit_button(f"{title.split()[0]}##what", capture.what == what, theme.text, row.next_cell()):
            capture.what = what
        widgets.tooltip(TIPS[what])
    _actions(capture, context)
    if capture.what in ("canvas", "window"):
        widgets.fact(theme, "size", "as on screen", TIPS[capture.what], theme.dim)
    else:
        row = widgets.label(theme, "size", SIZE, cells=2)
        own = "the model's own" if capture.what != "both" else "the larger model's"
        form = "%d px" if capture.size else own
        widgets.number(theme, row, capture, "size", step=4.0, form=form, tip=SIZE)
        row.next_cell()
        sizes = [(str(size), f"{size} px" if size else own) for size in SIZES]
        capture.size = int(widgets.select("sizes", "sizes", str(capture.size), sizes, SIZE))
    widgets.label(theme, "folder", FOLDER)
    folder = naming.choose_folder(capture.folder) if capture.folder else _default_folder()
    shown = shorten_path(str(folder))
    typed = widgets.text_field("folder", "Jinc in your pictures", shown, FOLDER)
    capture.folder = capture.folder if typed is None else typed
    widgets.label(theme, "name", NAME)
    typed = widgets.text_field("name", DEFAULT_NAME, capture.name, NAME)
    if typed is not None:
        capture.name = typed or DEFAULT_NAME
    unknown = naming.find_unknown_fields(capture.name)
    if unknown:
        known = ", ".join(f"{{{field}}}" for field in naming.FIELDS)
        widgets.sentence(f"There is no field {{{unknown[0]}}}: take {known}.", theme.warning)
    else:
        names = naming.list_names(folder, capture.name, naming.describe_fields(state, capture.what))
        widgets.fact(theme, "for example", next(names).name, "What the name stands for now.", theme.dim)


def _actions(capture: CaptureState, context: PanelContext) -> None:
    """Draw the buttons that take a picture, or the one that ends it."""
    captures = context.captures
    row = widgets.Row(2)
    if captures.is_long:
        widgets.progress_bar(None, "capturing", row.next_cell())
        if widgets.button("Cancel", "End it; nothing is left behind.", width=row.next_cell()):
            captures.cancel()
        return
    tip = f"Write the {dict(WHATS)[capture.what].lower()} with its state inside (Ctrl-S)."
    if widgets.button("Capture", tip, width=row.next_cell()):
        captures.take()
    if widgets.button("Copy picture", "Put it on the clipboard (Ctrl-C).", width=row.next_cell()):
        captures.copy()


def _returning(context: PanelContext) -> None:
    theme, captures = context.theme, context.captures
    widgets.label(theme, "open", OPEN)
    typed = widgets.text_field("capture", "a capture, or jinc1:…", "", OPEN, typed_before=context.typed)
    if typed:
        captures.open(typed)
    row = widgets.Row(2)
    tip = "The state as one word, to paste into a chat: whoever has the models sees the same."
    if widgets.button("Copy state as text", tip, width=row.next_cell()):
        captures.copy_state()
    tip = "Bring back a state that was copied as text (Ctrl-V)."
    if widgets.button("Paste state", tip, width=row.next_cell()):
        captures.paste()
    row = widgets.Row(1)
    tip = "The command that draws the focused picture without a window (Ctrl-Shift-C)."
    if widgets.button("Copy as command", tip, width=row.next_cell()):
        captures.copy_command()
    if captures.last is None:
        widgets.sentence(INSIDE, theme.dim)
    else:
        widgets.fact(theme, "newest", captures.last.name, f"{captures.last}\nClick: copy its path.")
        widgets.copied_on_click(str(captures.last))
