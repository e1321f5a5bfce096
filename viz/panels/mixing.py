# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Style mixing: the layers whose w's are a second latent's, or the other slot's."""

from imgui_bundle import ImVec2, imgui, imgui_ctx

from gan.analysis.bands import Band
from viz.core import gestures
from viz.core.latent_state import LatentState
from viz.core.layer_info import list_w_layers, split_w_layers
from viz.core.state import SLOTS, AppState
from viz.panels import latent_source
from viz.ui import widgets
from viz.ui.context import PanelContext

TITLE = "Mixing"
PLACE = "latent"

TIGHT = ImVec2(4, 2)  # pixels
HINT = "Ticked layers take a second latent's style."
WITH = (
    "A second latent of its own, or that of the other slot, mapped by the other model. Where both mapping "
    "networks are the same, a w means the same to both."
)
ALONE = "Nothing is mixed in: no model is open in the other slot. Open one there, or mix with a second latent."


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the presets, the second latent, and a box for each w."""
    theme, latent = context.theme, state.latent_of(state.focus)
    widgets.side(theme, state)
    slots = SLOTS if state.linked else (state.focus,)
    known = [facts.config for facts in map(context.facts, slots) if facts]
    if not known:
        said = context.explain_wait(state, *slots) or "Open a model: its layers are listed here."
        widgets.sentence(said, theme.dim)
        return
    layers = list_w_layers(max(known, key=lambda config: config.num_ws))
    if not latent.mixed:
        widgets.sentence(HINT, theme.dim)
    _presets(latent, len(layers), context)
    both = all(state.slot(slot).path for slot in SLOTS)
    if both or latent.mix_with != "second":
        widgets.words(theme, "with", latent, "mix_with", WITH)
        if not both:
            widgets.sentence(ALONE, theme.dim)
    if latent.mix_with == "second":
        latent_source.draw(latent.second, context, compact=True)
    _boxes(latent, layers, context)


def _boxes(latent: LatentState, layers: tuple[Band, ...], context: PanelContext) -> None:
    """Draw a box for each w, with the layer that takes it."""
    var = imgui.StyleVar_
    with imgui_ctx.push_style_var(var.frame_padding, TIGHT), imgui_ctx.push_style_var(var.item_spacing, TIGHT):
        with imgui_ctx.begin_child("layers", ImVec2(0, len(layers) * imgui.get_frame_height_with_spacing())):
            for index, layer in enumerate(layers):
                changed, after = imgui.checkbox(f"{index}  {layer.name}##{index}", index in latent.mixed)
                widgets.tooltip(f"w {index}, which {layer.name} takes.")
                imgui.same_line()
                widgets.mono_text(context.theme, f"{layer.size} px", context.theme.dim, right=True)
                if changed:
                    latent.mixed = sorted({*latent.mixed, index} if after else {*latent.mixed} - {index})


def _presets(latent: LatentState, count: int, context: PanelContext) -> None:
    theme = context.theme
    tip = "Coarse layers give pose and form, fine ones colour (the StyleGAN paper); a lit set is left out when pressed."
    row = widgets.label(theme, "layers", tip, cells=3)
    for name, part in split_w_layers(count).items():
        lit = bool(part) and all(index in latent.mixed for index in part)
        if widgets.lit_button(f"{name}##preset", lit, theme.text, row.next_cell()):
            latent.mixed = sorted({*latent.mixed} - {*part} if lit else {*latent.mixed, *part})
        widgets.tooltip(tip)
    row = widgets.label(theme, "", cells=3)
    if widgets.button("All", "Every layer: the picture is the second latent's.", width=row.next_cell()):
        latent.mixed = list(range(count))
    if widgets.button("None", "No layer: the picture is as it was.", width=row.next_cell()):
        latent.mixed = []
    tip = "Exchange the latent and the second one."
    if widgets.button("Swap", tip, width=row.next_cell(), enabled=latent.mix_with == "second"):
        gestures.swap(latent)
