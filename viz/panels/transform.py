# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Transform: translation and rotation of the Fourier input, by number, in image widths and in pixels."""

from imgui_bundle import imgui

from viz import motion, widgets
from viz.state import SLOTS, AppState
from viz.view import View

TITLE = "Transform"
PLACE = "left"


def draw(state: AppState, view: View) -> None:
    """Translation, rotation, snapping, animation."""
    theme, transform = view.theme, state.transform_of(state.focus)
    widgets.side(theme, state)
    resolution = max((facts.resolution for facts in map(view.facts, SLOTS) if facts), default=0)
    _length(state, view, "x", "tx", resolution, "Translation to the right, in image widths and in pixels.")
    _length(state, view, "y", "ty", resolution, "Translation downwards, in image widths and in pixels.")
    widgets.number(
        theme, "rotation", transform, "degrees", step=0.25, form="%+.2f°", tip="Rotation, counter-clockwise."
    )
    widgets.words(theme, "animate", transform, "animate", ("off", "circle", "rotate"), "Move by itself.")
    if transform.animate != "off":
        widgets.number(
            theme, "speed", transform, "speed", step=0.005, form="%.3f turns/s", default=0.1, tip="Turns a second."
        )
    if transform.animate == "circle":
        widgets.number(
            theme, "radius", transform, "radius", step=0.001, form="%.3f widths", default=0.06, tip="Of the circle."
        )
    widgets.label(theme, "snap")
    widgets.check(theme, "to pixels", transform, "snap", "Render at the nearest whole pixel of each model's picture.")
    imgui.same_line()
    if widgets.button("Reset", "Back to the untouched picture (double click on it).", width=-1):
        motion.reset(transform)


def _length(state: AppState, view: View, text: str, name: str, resolution: int, tip: str) -> None:
    """One coordinate twice: in image widths, which the state holds, and in pixels of the larger picture."""
    transform, gap = state.transform_of(state.focus), imgui.get_style().item_inner_spacing.x
    half = (imgui.get_content_region_avail().x - widgets.label_width() - gap) / 2
    widgets.label(view.theme, text, tip)
    widgets.number(view.theme, "", transform, name, step=0.002, form="%+.4f", tip=tip, width=half)
    imgui.same_line(0, gap)
    imgui.set_next_item_width(-1)
    imgui.begin_disabled(resolution == 0)
    imgui.push_font(view.theme.mono, 0.0)
    changed, pixels = imgui.drag_float(
        f"##{name} px", getattr(transform, name) * max(resolution, 1), 0.05, 0.0, 0.0, "%+.2f px"
    )
    imgui.pop_font()
    if imgui.is_item_hovered() and imgui.is_mouse_double_clicked(imgui.MouseButton_.left):
        imgui.internal.clear_active_id()
        changed, pixels = True, 0.0
    imgui.end_disabled()
    if changed and resolution:
        motion.clamped(transform, name, pixels / resolution)
