# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Directions: sliders that move w along its principal components, the closed form's or a file's directions."""

from dataclasses import replace

from imgui_bundle import ImVec2, imgui, imgui_ctx

from viz.core.latent import MOST_LAYERS, Direction
from viz.core.latent_state import DirectionsState, LayersDrag
from viz.core.layer_info import list_w_layers, split_w_layers
from viz.core.state import SLOTS, AppState, Slot
from viz.instruments.directions import DirectionsRequest, DirectionsView
from viz.loading.direction_files import open_directions
from viz.panels import direction_sliders
from viz.ui import widgets
from viz.ui.context import PanelContext

TITLE = "Directions"
PLACE = "bottom"

JOB = "directions"
CONTROLS = 17.0  # width of the column of controls, in font sizes
NARROW = 36.0  # of the panel, below which the sliders stand under the controls
KINDS = (
    "pca: principal components of 10,000 w's, the strongest first. closed-form: what changes the styles of the layers "
    "below most, by their weights alone. file: the directions of a file. Each model moves along its own."
)
LAYERS = "The layers whose w's are moved: coarse ones give pose and form, fine ones colour."
SHAPES = "A .npz, .npy or .safetensors file of numbers [w_dim], [n, w_dim] or [n, num_ws, w_dim]"


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the choice of directions left, and the sliders beside it, or below where the panel is narrow."""
    theme, em, slot = context.theme, imgui.get_font_size(), _find_slot(state, context)
    if slot is None:
        widgets.side(theme, state)
        slots = SLOTS if state.linked else (state.focus,)
        said = context.explain_wait(state, *slots) or "Open a model: its directions are listed here."
        widgets.sentence(said, theme.dim)
        return
    room = imgui.get_content_region_avail()
    if room.x < NARROW * em:
        _controls(state, context, slot)
        _sliders(state, context, slot)
        return
    height = max(6 * em, room.y)
    with imgui_ctx.begin_child("controls", ImVec2(CONTROLS * em, height)):
        _controls(state, context, slot)
    imgui.same_line(0, em)
    with imgui_ctx.begin_child("sliders", ImVec2(0, height)):
        _sliders(state, context, slot)


def _find_slot(state: AppState, context: PanelContext) -> Slot | None:
    """Return the slot whose model's directions are listed: the focused one, or another one that it is linked to."""
    shown = [slot for slot, _ in context.shown()]
    if state.focus in shown or not state.linked:
        return state.focus if state.focus in shown else None
    return next(iter(shown), None)


def _controls(state: AppState, context: PanelContext, slot: Slot) -> None:
    theme, directions = context.theme, state.latent_of(state.focus).directions
    widgets.side(theme, state)
    row = widgets.Row(3)
    for kind in ("pca", "closed-form", "file"):
        if widgets.lit_button(f"{kind}##kind", directions.kind == kind, theme.text, row.next_cell()):
            directions.kind = kind
        widgets.tooltip(KINDS)
    if directions.kind == "file":
        _file(directions, context)
    _layers(directions, context, slot)
    row = widgets.label(theme, "play", "How far and how often a direction goes back and forth by itself.", cells=2)
    tip = "Standard deviations of w to either side."
    widgets.number(theme, row, directions, "reach", step=0.02, form="±%.1f", tip=tip)
    widgets.number(theme, row, directions, "speed", step=0.005, form="%.2f /s", tip="Times back and forth a second.")
    row = widgets.label(theme, "sliders", "A double click on a slider resets that one.")
    if widgets.button("Reset all", "Every slider to 0.", width=row.next_cell(), enabled=bool(directions.steps)):
        directions.steps, directions.animate, directions.phase = (), False, 0.0


def _file(directions: DirectionsState, context: PanelContext) -> None:
    tip = f"{SHAPES}: type its path and press Enter."
    widgets.label(context.theme, "open", tip)
    shown = directions.file.path if directions.file else ""
    hint = "path of a .npz, .npy …"
    if typed := widgets.text_field("directions file", hint, shown, tip, typed_before=context.typed):
        try:
            directions.file = open_directions(typed)
            context.message = ""
        except ValueError as problem:
            context.message = str(problem)


def _layers(directions: DirectionsState, context: PanelContext, slot: Slot) -> None:
    """Draw the presets and the range of the w's that are moved."""
    theme, facts = context.theme, context.facts(slot)
    if facts is None:
        return
    layers = list_w_layers(facts.config)
    most = len(layers) - 1
    first, last = min(directions.first, most), min(directions.last, most)
    row = widgets.Row(4)
    for name, part in {"all": range(most + 1), **split_w_layers(most + 1)}.items():
        lit = bool(part) and (first, last) == (part[0], part[-1])
        if widgets.lit_button(f"{name}##part", lit, theme.text, row.next_cell()) and part:
            directions.offer_layers(part[0], MOST_LAYERS - 1 if part[-1] == most else part[-1])
        widgets.tooltip(LAYERS)
    row, ends = widgets.label(theme, "layers", LAYERS, cells=2), [first, last]
    for place, word in enumerate(("from", "to")):
        row.next_cell()
        with imgui_ctx.push_font(theme.mono, 0.0):
            flags = imgui.SliderFlags_.always_clamp
            changed, ends[place] = imgui.slider_int(f"##{word}", ends[place], 0, most, f"{word} %d", flags)
        if imgui.is_item_activated():
            context.layers_drag = LayersDrag(directions)
        ended = imgui.is_item_deactivated()
        widgets.tooltip(f"w {ends[place]}, which {layers[ends[place]].name} takes.")
        if changed:
            first, last = (ends[0], max(ends)) if place == 0 else (min(ends), ends[1])
            directions.offer_layers(first, MOST_LAYERS - 1 if last == most else last, context.layers_drag)
        if ended:
            context.layers_drag = None


def _sliders(state: AppState, context: PanelContext, slot: Slot) -> None:
    """Draw the sliders, or why there are none yet."""
    directions = state.latent_of(state.focus).directions
    direction_sliders.draw(state, directions, _ask(state, directions, context, slot), context)


def _ask(state: AppState, directions: DirectionsState, context: PanelContext, slot: Slot) -> DirectionsView | None:
    """Return what is known of the directions that are offered; until all is, draw how far that is."""
    theme, offered = context.theme, directions.offered(0)
    # Without a file it is asked for the names that the model's directions have.
    result = context.results[slot]
    version = result.version if result else (0, 0)
    request = DirectionsRequest(state.slot(slot).path, state.display.device, offered or Direction(), version)
    status = context.jobs.request(JOB, request)
    if status is None or status.request != request or (status.result is None and not status.error):
        widgets.sentence("Reading the model …", theme.dim)
        return None
    view = status.result
    if offered is None:
        widgets.sentence(f"No file is open yet: type the path of one under open. {SHAPES} will do.", theme.dim)
        return view and replace(view, sigmas=())
    if status.error or (view and view.problem):
        widgets.sentence(status.error or (view.problem if view else ""), theme.error)
    elif view is not None and not view.sigmas:
        widgets.progress_bar(view.done / view.total, f"Drawing w's: {view.done:,} of {view.total:,}")
    return view
