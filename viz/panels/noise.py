# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Noise: the planes that StyleGAN2's layers add (rungs A and B), of both models."""

from imgui_bundle import imgui, imgui_ctx

from gan.networks.config import GeneratorConfig
from viz.core.layer_info import list_layers
from viz.core.noise import STRONGEST, NoiseState
from viz.core.result import PICTURE
from viz.core.state import AppState
from viz.ui import widgets
from viz.ui.context import PanelContext

TITLE = "Noise"
PLACE = "latent"

MODES = (
    "const: the planes that the model was saved with. random: planes of a seed. none: no noise. It stays on the screen "
    "while the content moves: Sticking shows it as streaks."
)
NO_NOISE = "No open model has noise inputs: rungs A and B and the official StyleGAN2 have them."
SILENT = "The open models learned noise of strength 0 (Jinc's own are trained without): there is nothing to change."
REACH = 4.0  # of the sliders


def draw(state: AppState, context: PanelContext) -> None:
    """Draw mode, seed, animation, strength, and the strength of each layer."""
    theme, noise = context.theme, state.noise
    known = [(facts.config, result) for result in context.results.values() if result and (facts := result.facts)]
    noisy = [config for config, result in known if result.noise > 0]
    if known and not noisy:
        widgets.sentence(SILENT if any(config.noise_inputs for config, _ in known) else NO_NOISE, theme.dim)
    useless = bool(known) and not noisy
    imgui.begin_disabled(useless)
    widgets.words(theme, "noise", noise, "mode", MODES)
    imgui.end_disabled()
    is_still = useless or noise.mode != "random"
    imgui.begin_disabled(is_still)
    tip = "Seed of the planes; between two seeds they are blended."
    widgets.number(theme, "seed", noise, "seed", step=0.02, form="%.2f", tip=tip)
    row = widgets.label(theme, "animate", "Move on through the seeds by itself.", cells=2)
    imgui.end_disabled()
    tip, is_free = "Start or stop the animation of random noise.", noise.animate or not is_still  # to be ended at least
    if widgets.button("Stop" if noise.animate else "Play", tip, width=row.next_cell(), enabled=is_free):
        noise.animate = not noise.animate
    imgui.begin_disabled(is_still)
    widgets.number(theme, row, noise, "speed", step=0.02, form="%.2f /s", tip="Seeds a second.")
    imgui.end_disabled()
    imgui.begin_disabled(useless or noise.mode == "none")
    tip = "Times the strength that the layers learned; 1 is the model as it is."
    widgets.number(theme, "strength", noise, "strength", step=0.01, form="×%.2f", span=(0.0, REACH), tip=tip)
    if noisy:
        _layers(noise, max(noisy, key=lambda config: config.resolution), context)
    imgui.end_disabled()


def _layers(noise: NoiseState, config: GeneratorConfig, context: PanelContext) -> None:
    """Draw a slider for each layer, named as in the larger of the models that have noise."""
    theme = context.theme
    names = [layer.name for layer in list_layers(config)]
    names = [name for name in names if name not in ("input", PICTURE) and "torgb" not in name]
    for index, name in enumerate(names):
        tip = f"Noise of {name}, times the strength above; a double click resets it."
        widgets.label(theme, name, tip)
        value = noise.scales[index] if index < len(noise.scales) else 1.0
        with imgui_ctx.push_font(theme.mono, 0.0):
            changed, value = imgui.slider_float(f"##noise {index}", value, 0.0, REACH, "×%.2f")
        if widgets.is_reset():
            changed, value = True, 1.0
        widgets.tooltip(tip)
        if changed and 0.0 <= value <= STRONGEST:  # not what is typed as "nan"
            noise.scales = [*noise.scales, *[1.0] * (index + 1 - len(noise.scales))]
            noise.scales[index] = value
