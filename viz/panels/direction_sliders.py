# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The sliders of the Directions panel: of the directions that are offered, and of those that are named or set."""

import math
import os

from imgui_bundle import ImVec2, imgui, imgui_ctx

from viz.core.latent import LONGEST_NAME, MOST_LAYERS, Direction
from viz.core.latent_state import DirectionsState
from viz.core.state import AppState
from viz.instruments.directions import DirectionsView
from viz.ui import widgets
from viz.ui.context import PanelContext

REACH = 3.0  # standard deviations, of the sliders
MORE = 6  # directions that a press adds
COLUMN, MOST_COLUMNS = 17.0, 4  # least width of one, in font sizes
GAP = 0.6  # to either side of it
PLAY_WIDTH = 2.9  # of the button that animates
SHORT_KINDS = {"pca": "pca", "closed-form": "form", "file": "file"}


def draw(state: AppState, directions: DirectionsState, view: DirectionsView | None, context: PanelContext) -> None:
    """Draw the offered directions, as many as are known of `view`, then what is named or set but not among them."""
    count = min(directions.shown, len(view.sigmas)) if view else 0
    offered = [direction for index in range(count) if (direction := directions.offered(index))]
    if offered:
        _columns("offered", state, directions, offered, view, context)
    if view and count < len(view.sigmas):
        text = f"{min(MORE, len(view.sigmas) - count)} more of {len(view.sigmas)}"
        if widgets.button(text, "The next directions of this kind."):
            directions.shown = min(count + MORE, len(view.sigmas))
    named = [one.direction for one in state.named_directions if view and one.model == view.model]
    others = dict.fromkeys([*named, *(step.direction for step in directions.steps)])
    rest = [direction for direction in others if direction not in offered]
    if rest:
        imgui.text_colored(context.theme.dim, "named, or set before")
        _columns("rest", state, directions, rest, view, context)


def _columns(
    name: str,
    state: AppState,
    directions: DirectionsState,
    chosen: list[Direction],
    view: DirectionsView | None,
    context: PanelContext,
) -> None:
    """Draw sliders in as many columns as there is room for."""
    room = imgui.get_content_region_avail().x
    em = imgui.get_font_size()
    columns = max(1, min(MOST_COLUMNS, int(room / (COLUMN * em))))
    padding = imgui_ctx.push_style_var(imgui.StyleVar_.cell_padding, ImVec2(GAP * em, 2))
    with padding, imgui_ctx.begin_table(name, columns, imgui.TableFlags_.sizing_stretch_same) as table:
        if table:
            for direction in chosen:
                imgui.table_next_column()
                _slider(state, directions, direction, view, context)


def _slider(
    state: AppState,
    directions: DirectionsState,
    direction: Direction,
    view: DirectionsView | None,
    context: PanelContext,
) -> None:
    """Draw a direction's name, its slider, and the button that lets it move by itself."""
    theme, value, key = context.theme, directions.strength(direction), _key(direction)
    is_offered = direction == directions.offered(direction.index)
    moves = directions.animate and directions.moving == direction
    about = _describe(direction, view.sigmas if view and is_offered else ())
    name = _find_name(state, direction, view)
    colour = theme.text if name or value or moves else None
    tip = f"{about} Click to name and keep it." if view else about
    row = widgets.label(theme, _shorten(name or _title(direction, is_offered)), tip, colour)
    _name(state, direction, name, view)
    width = PLAY_WIDTH * imgui.get_font_size()
    imgui.set_next_item_width(max(1.0, row.width - width - imgui.get_style().item_inner_spacing.x))
    changed, value = imgui.slider_float(f"##{key}", value, -REACH, REACH, "%+.2f σ")
    if widgets.is_reset():
        changed, value = True, 0.0
        if directions.moving == direction:
            directions.phase = 0.0  # or its next swing would be about another place
    widgets.tooltip(f"{about} A double click resets it.")
    if changed and math.isfinite(value):  # what is typed may be "nan"
        directions.go(direction, value)
    widgets.beside()
    if widgets.button(f"{'Stop' if moves else 'Play'}##{key}", "Go back and forth along it.", width=-1):
        directions.animate = not moves
        if directions.moving != direction:
            directions.moving, directions.phase = direction, 0.0


def _name(state: AppState, direction: Direction, name: str, view: DirectionsView | None) -> None:
    """Open a field for the direction's name where the label just drawn is clicked; an empty name forgets it."""
    end, popup = imgui.get_cursor_screen_pos(), f"name {_key(direction)}"
    start, end = ImVec2(end.x - widgets.label_width(), end.y), ImVec2(end.x, end.y + imgui.get_frame_height())
    pointed = imgui.is_window_hovered() and imgui.is_mouse_hovering_rect(start, end)
    if view and pointed and imgui.is_mouse_clicked(imgui.MouseButton_.left):
        imgui.open_popup(popup)
    if not imgui.begin_popup(popup):
        return
    widgets.close_by_escape()
    imgui.text_unformatted("Name this direction of this model:")
    if imgui.is_window_appearing():
        imgui.set_keyboard_focus_here()
    border = imgui_ctx.push_style_color(imgui.Col_.border, imgui.get_style_color_vec4(imgui.Col_.button_active))
    with border, imgui_ctx.push_style_var(imgui.StyleVar_.frame_border_size, 1.0):  # it is as dark as its popup
        typed = widgets.text_field("name", f"at most {LONGEST_NAME} letters, then Enter", name)
    if name and widgets.button("Forget the name"):
        typed = ""
    if typed is not None and view:
        state.name_direction(view.model, direction, typed)
        imgui.close_current_popup()
    imgui.end_popup()


def _key(direction: Direction) -> str:
    """Return a control's name in imgui."""
    return f"{direction.kind} {direction.index} {direction.first} {direction.last} {direction.digest[:8]}".strip()


def _find_name(state: AppState, direction: Direction, view: DirectionsView | None) -> str:
    """Return what the user called a direction of the model, "" if nothing."""
    named = (one for one in state.named_directions if view and one.model == view.model)
    return next((one.name for one in named if one.direction == direction), "")


def _title(direction: Direction, is_offered: bool) -> str:
    """Return a direction's kind and number, and its layers where they are not those that are chosen."""
    layers = "" if is_offered else _format_layers(direction)
    return f"{SHORT_KINDS[direction.kind]} {direction.index} {layers}".strip()


def _format_layers(direction: Direction) -> str:
    """Return "w 2-5", "" for all."""
    first, last = direction.first, direction.last
    if last == MOST_LAYERS - 1:
        return f"w {first}-" if first else ""
    return f"w {first}" if first == last else f"w {first}-{last}"


def _describe(direction: Direction, sigmas: tuple[float, ...]) -> str:
    """Return a sentence on a direction."""
    of = f" of {os.path.basename(direction.path)}" if direction.path else ""
    layers = _format_layers(direction) or "all w's"
    size = f"; σ is {sigmas[direction.index]:.3g}" if direction.index < len(sigmas) else ""
    return f"{direction.kind} {direction.index}{of}, {layers}{size}."


def _shorten(text: str) -> str:
    """Shorten a name to the column of labels."""
    room = widgets.label_width() - imgui.get_style().item_spacing.x
    while len(text) > 1 and imgui.calc_text_size(text).x > room:
        text = f"{text.removesuffix('…')[:-1]}…"
    return text
