# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Latent panel's rows for the label of models that have labels: a class by name, or a slider for each number."""

from imgui_bundle import ImVec2, imgui, imgui_ctx

from gan.networks.labels import default_vector, describe_class
from viz.core.labels import choose_vector, find_kind
from viz.core.latent_state import LONGEST_VECTOR, LatentState
from viz.core.result import ModelFacts
from viz.core.state import SLOTS, AppState
from viz.ui import widgets
from viz.ui.context import PanelContext

ROWS = 6  # of sliders that are seen at once; more scroll
NAME_LENGTH = 9  # characters of a number's name that fit before its slider
NAMED = 5000  # classes that a list has room for; of more, the number is typed
MEAN = "The mean of the labels it was trained with."
EQUAL = "Equal parts of all: the file does not say which labels it was trained with."
NEVER_SEEN = "It was trained with vectors: a class alone may be none that it has seen."


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the rows; none for models without labels."""
    facts, theme = _find_model(state, context), context.theme
    if facts is None:
        return
    latent = state.latent_of(state.focus)
    kind = find_kind(latent.label_kind, facts)
    tip = "Label c: one of the classes, or any vector of numbers, which the mapping takes beside z."
    latent.label_kind = widgets.pick_word(theme, "label", "label kind", kind, ("class", "vector"), tip) or (
        latent.label_kind
    )
    if kind == "class":
        _class(latent, facts, context)
    else:
        _vector(latent, facts, context)


def _find_model(state: AppState, context: PanelContext) -> ModelFacts | None:
    """Return the model whose labels are edited: of those that take this latent the focused one, or one with names."""
    slots = sorted(SLOTS, key=lambda slot: slot != state.focus) if state.linked else [state.focus]
    labelled = [facts for facts in map(context.facts, slots) if facts and facts.config.c_dim]
    return next((facts for facts in labelled if facts.classes), labelled[0]) if labelled else None


def _class(latent: LatentState, facts: ModelFacts, context: PanelContext) -> None:
    theme, last, names = context.theme, facts.config.c_dim - 1, facts.classes
    if names and last < NAMED:
        tip = "The class, by its number and name in the data set."
        widgets.label(theme, "class", tip)
        current = min(latent.label, last)
        choices = ((str(number), describe_class(number, names)) for number in range(last + 1))  # made if it is opened
        chosen = int(widgets.select("class", describe_class(current, names), str(current), choices, tip))
        if chosen != current:
            latent.label = chosen
    else:
        tip = f"The class, from 0 to {last}; the file does not name them."
        widgets.number(theme, "class", latent, "label", step=0.1, form="%d", span=(0, last), tip=tip)
    if facts.label_mean is not None:
        widgets.sentence(NEVER_SEEN, theme.warning)


def _vector(latent: LatentState, facts: ModelFacts, context: PanelContext) -> None:
    theme, count = context.theme, facts.config.c_dim
    if count > LONGEST_VECTOR:
        widgets.sentence(
            f"Its labels have {count} numbers, more than the {LONGEST_VECTOR} of a vector here.", theme.dim
        )
        return
    default = default_vector(count, facts.label_mean)
    row = widgets.label(theme, "set to", "Set all numbers of the label.", cells=2)
    what = MEAN if facts.label_mean is not None else EQUAL
    if widgets.button("Default", what, width=row.next_cell()):
        latent.vector = []
    if widgets.button("Zero", "Set every number to 0.", width=row.next_cell()):
        latent.vector = [0.0] * count
    if count <= ROWS:
        _sliders(latent, facts, context, default, range(count))
    else:
        height = ROWS * imgui.get_frame_height_with_spacing()
        with imgui_ctx.begin_child("numbers", ImVec2(0, height)):
            clipper = imgui.ListClipper()
            clipper.begin(count, imgui.get_frame_height_with_spacing())
            while clipper.step():
                _sliders(latent, facts, context, default, range(clipper.display_start, clipper.display_end))
            clipper.end()
    if not latent.vector:
        widgets.sentence(what, theme.dim)


def _sliders(
    latent: LatentState, facts: ModelFacts, context: PanelContext, default: tuple[float, ...], shown: range
) -> None:
    """Draw a slider for each of the numbers `shown`. What is typed may lie beyond its ends; a double click resets."""
    theme, values = context.theme, list(choose_vector(tuple(latent.vector), facts))
    reach = max(1.0, *(2 * abs(value) for value in default))
    for number in shown:
        name = facts.classes[number] if facts.classes else ""
        short = name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"
        tip = f"Number {number} of the label" + (f": {name}." if name else ".")
        widgets.label(theme, short or str(number), tip)
        with imgui_ctx.push_font(theme.mono, 0.0):
            changed, value = imgui.slider_float(f"##number {number}", values[number], -reach, reach, "%.3f")
        if widgets.is_reset():
            changed, value = True, default[number]
        widgets.tooltip(tip)
        if changed and abs(value) <= 1e30:  # not what is typed as "nan"
            values[number] = float(f"{value:.6g}")
            latent.vector = list(values)
