# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The rows that choose where w's come from, a seed, a point between seeds or a file: of a latent, and of a second."""

import math
import random

from imgui_bundle import ImVec2, imgui, imgui_ctx

from viz.core import gestures
from viz.core.latent import (
    LARGEST_SEED,
    PLANE_WIDTH,
    Blend,
    FileLatent,
    Mixture,
    Moved,
    OtherModel,
    WeightedSum,
    find_seed,
    seed_point,
)
from viz.core.latent_state import SourceState
from viz.loading.latent_files import may_be_z, open_latent
from viz.ui import widgets
from viz.ui.context import PanelContext
from viz.ui.theme import rgb

PAD_HEIGHT = 3.8  # of the map of the plane, in font sizes
CELL = 3.6  # of one seed on it
SEEDS_W, SEEDS_Z, FILE = "seeds", "in z", "file"
KEPT: dict[type, tuple[str, str]] = {
    WeightedSum: ("keys", "A point between the timeline's keys is shown."),
    Blend: ("blend", "A blend of two latents is shown."),
    Mixture: ("mix", "A style mixture of two latents is shown."),
    Moved: ("moved", "A latent moved along directions is shown."),
    OtherModel: ("model", "Another model's w is shown."),
}
"""What is kept and no file, in a word and in a sentence."""
NO_FILE = "No file is open yet: the point of the seed plane is shown."
SOURCE = (
    "Where w comes from. Between seeds their w's are blended, as the official viewer does it, or (in z) their z's, "
    "which stay a fair sample of the model all the way. A file holds a z, a w, or a w for each layer."
)


def draw(source: SourceState, context: PanelContext, *, compact: bool = False) -> None:
    """Draw the rows of one source; `compact` leaves out the map and what else repeats a number."""
    theme = context.theme
    is_kept = source.source == "kept"
    is_passed = not is_kept and isinstance(source.kept, WeightedSum)  # a point that the timeline left behind
    kept = KEPT.get(type(source.kept), (FILE, ""))[0] if not is_passed else FILE
    current = kept if is_kept else {"w": SEEDS_W, "z": SEEDS_Z}[source.space]
    pressed = widgets.pick_word(theme, "from", "source", current, (SEEDS_W, SEEDS_Z, kept), SOURCE)
    if pressed == kept:
        source.source, source.kept = "kept", None if is_passed else source.kept
    elif pressed is not None:
        source.source, source.space = "seeds", {SEEDS_W: "w", SEEDS_Z: "z"}[pressed]
    if source.source == "kept":
        _file(source, context)
    else:
        _plane(source, context, compact)


def _plane(source: SourceState, context: PanelContext, compact: bool) -> None:
    theme = context.theme
    if not compact:
        _pad(source, context)
    _seed(source, context)
    row = widgets.label(theme, "x, y", "Point of the seed plane; the seed at whole numbers is x + 100 y.", cells=2)
    widgets.number(theme, row, source, "x", step=0.02)
    widgets.number(theme, row, source, "y", step=0.02)
    if not compact:
        row = widgets.label(theme, "go to", cells=2)
        tip = "To the nearest seed: its z is exactly RandomState(seed).randn."
        if widgets.button("Nearest", tip, width=row.next_cell()):
            gestures.go_to(source, round(source.x), round(source.y))
        if widgets.button("Random", "To a random seed.", width=row.next_cell()):
            gestures.go_to(source, random.randrange(PLANE_WIDTH), random.randrange(PLANE_WIDTH))
    row = widgets.label(theme, "walk", "Move the point along x by itself.", cells=2)
    if widgets.button("Stop" if source.animate else "Play", "Start or stop the walk (Space).", width=row.next_cell()):
        source.animate = not source.animate
    widgets.number(theme, row, source, "speed", step=0.01, form="%.2f /s", tip="Speed of the walk in seeds a second.")


def _seed(source: SourceState, context: PanelContext) -> None:
    """Draw the seed as one whole number, which may be typed."""
    tip = f"The seed, 0 to {LARGEST_SEED}: type one and press Enter."
    widgets.label(context.theme, "seed", tip)
    seed = find_seed(source.base())
    with imgui_ctx.push_font(context.theme.mono, 0.0):
        typed = widgets.text_field("seed", "between seeds", "" if seed is None else str(seed), tip)
    if typed:
        try:
            point = seed_point(int(typed))
        except ValueError:
            context.message = f"A seed is a whole number from 0 to {LARGEST_SEED}: type one."
        else:
            gestures.go_to(source, point.x, point.y)
            context.message = ""


def _file(source: SourceState, context: PanelContext) -> None:
    theme, kept = context.theme, source.kept
    tip = "A .npz, .npy or .safetensors file, a projector's for example: type its path and press Enter, or drop it."
    tip += " A w is shown as it is: ψ goes to 1, and steps along directions and what is mixed in go."
    widgets.label(theme, "open", tip)
    shown = kept.path if isinstance(kept, FileLatent) else ""
    if typed := widgets.text_field("latent file", "path of a .npz, .npy …", shown, tip, typed_before=context.typed):
        _open(source, context, typed)
    if isinstance(kept, FileLatent):
        tip = "What its numbers are: w's, which synthesis takes, or a z, which is mapped first."
        pressed = widgets.pick_word(theme, "holds", "space", kept.space, ("w", "z"), tip)
        if pressed in ("w", "z") and pressed != kept.space:
            _open(source, context, kept.path, pressed)
        if may_be_z(kept):
            widgets.sentence("Taken for a w, since the file does not say: press z if it is one.", theme.dim)
    else:
        widgets.sentence(KEPT.get(type(kept), (FILE, NO_FILE))[1], theme.dim)


def _open(source: SourceState, context: PanelContext, path: str, space: str = "") -> None:
    try:
        source.open(open_latent(path, space))
        context.message = ""
    except ValueError as problem:
        context.message = str(problem)


def _pad(source: SourceState, context: PanelContext) -> None:
    """Draw a map of the plane with the point in its middle; it is dragged like a map."""
    theme = context.theme
    em = imgui.get_font_size()
    origin, width, height = imgui.get_cursor_screen_pos(), imgui.get_content_region_avail().x, PAD_HEIGHT * em
    imgui.invisible_button("##plane", (max(1.0, width), height))
    cell = CELL * em
    if imgui.is_item_active() and not imgui.is_item_activated():
        delta = imgui.get_io().mouse_delta
        gestures.walk(source, delta.x / cell, delta.y / cell)
    if imgui.is_item_hovered():
        imgui.set_mouse_cursor(imgui.MouseCursor_.resize_all)
    widgets.tooltip("The seed plane: drag it. Seeds below 0 count back from 2^32.")
    centre_x, centre_y = origin.x + width / 2, origin.y + height / 2
    draw = imgui.get_window_draw_list()
    corner = origin + ImVec2(width, height)
    draw.add_rect_filled(origin, corner, imgui.get_color_u32(imgui.Col_.frame_bg), 4.0)
    line = imgui.get_color_u32(rgb(theme.palette["active"], 0.6))
    ink, small = imgui.get_color_u32(theme.dim), round(widgets.SMALL * em)
    across, down = math.ceil(width / 2 / cell), math.ceil(height / 2 / cell)
    columns = range(math.floor(source.x) - across, math.floor(source.x) + across + 2)
    rows = range(math.floor(source.y) - down, math.floor(source.y) + down + 2)
    font = theme.mono or imgui.get_font()
    widest = max(len(str(column + PLANE_WIDTH * row)) for column in columns for row in rows)
    with imgui_ctx.push_font(font, small):
        digit = imgui.calc_text_size("0").x
    apart = math.ceil((widest * digit + 10) / cell)  # columns from one label to the next, so that long ones do not meet
    with imgui_ctx.push_clip_rect(origin, corner, True):
        for row in rows:
            y = centre_y + (row - source.y) * cell
            draw.add_line((origin.x, y), (corner.x, y), line)
        for column in columns:
            x = centre_x + (column - source.x) * cell
            draw.add_line((x, origin.y), (x, corner.y), line)
            for row in rows if column % apart == 0 else ():
                at, seed = (x + 6, centre_y + (row - source.y) * cell + 3), str(column + PLANE_WIDTH * row)
                draw.add_text(font, small, at, ink, seed)
        draw.add_circle_filled((centre_x, centre_y), 4.5, imgui.get_color_u32(theme.text))
