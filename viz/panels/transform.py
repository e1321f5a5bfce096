# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Transform: the user's transform of the input by number, and the one that the model itself learned from w."""

import math

from imgui_bundle import imgui

from viz.core import gestures
from viz.core.state import SLOTS, AppState, Slot, TransformState, choices_of
from viz.ui import widgets
from viz.ui.context import PanelContext

TITLE = "Transform"
PLACE = "left"
LEARNED = "learned by the model"

WHOLE = 0.995
KEPT = (
    "How much of each Fourier input's power is left: making the content smaller raises its frequencies, and sinusoids "
    "that leave the band fade out."
)
OWN = (
    "What the model makes of this w: the paper's (r_c, r_s) = ({:+.3f}, {:+.3f}), cosine and sine of this angle, and "
    "(t_x, t_y), in image widths."
)


def draw(state: AppState, context: PanelContext) -> None:
    """Draw translation, rotation, scale, animation, snapping, untransform, and the learned transform."""
    theme, transform = context.theme, state.transform_of(state.focus)
    widgets.side(theme, state)
    known = [facts for facts in map(context.facts, SLOTS) if facts]
    resolution = max((facts.resolution for facts in known), default=0)
    _length(state, context, "x", "tx", resolution, "Translation to the right, in image widths and in pixels.")
    _length(state, context, "y", "ty", resolution, "Translation downwards, in image widths and in pixels.")
    widgets.number(
        theme, "rotation", transform, "degrees", step=0.25, form="%+.2f°", tip="Rotation, counter-clockwise."
    )
    _scale(state, context)
    _animation(state, context)
    widgets.label(theme, "snap")
    widgets.check(theme, "to pixels", transform, "snap", "Render at the nearest whole pixel of each model's picture.")
    imgui.same_line()
    tip = "Back to the picture that was not moved, turned or scaled (double click on it)."
    if widgets.button("Reset", tip, width=-1):
        gestures.reset(transform)
    widgets.label(theme, "output")
    tip = "Move the finished picture back: content then stays in place, and what sticks to the pixels is what moves."
    widgets.check(theme, "untransform", transform, "untransform", tip)
    if transform.mean_constant or not all(facts.movable for facts in known):
        widgets.label(theme, "rung A")
        tip = (
            "Replace rung A's learned 4x4 constant by its mean over the pixels: the structure that is left "
            "comes from zero padding and noise."
        )
        widgets.check(theme, "mean constant", transform, "mean_constant", tip)
    tip = "Rungs H, T and R turn and move their input by (r_c, r_s, t_x, t_y), which an affine layer makes of w."
    opened = imgui.collapsing_header(LEARNED)
    widgets.tooltip(tip)
    if opened:
        _learned(state, context)


def _length(state: AppState, context: PanelContext, text: str, name: str, resolution: int, tip: str) -> None:
    """Draw one coordinate twice: in image widths, which the state holds, and in pixels of the larger picture."""
    transform, half = state.transform_of(state.focus), widgets.share_width(labelled=True)
    widgets.label(context.theme, text, tip)
    widgets.number(context.theme, "", transform, name, step=0.002, form="%+.4f", tip=tip, width=half)
    widgets.beside()
    imgui.set_next_item_width(-1)
    imgui.begin_disabled(resolution == 0)
    imgui.push_font(context.theme.mono, 0.0)
    changed, pixels = imgui.drag_float(
        f"##{name} px", getattr(transform, name) * max(resolution, 1), 0.05, 0.0, 0.0, "%+.2f px"
    )
    imgui.pop_font()
    if widgets.is_reset():
        changed, pixels = True, 0.0
    imgui.end_disabled()
    if changed and resolution:
        gestures.set_clamped(transform, name, pixels / resolution)


def _scale(state: AppState, context: PanelContext) -> None:
    """Draw the scale, and how much of each slot's input it leaves."""
    theme, half, tip = (
        context.theme,
        widgets.share_width(labelled=True),
        "Scale about the centre: more than 1 enlarges the content.",
    )
    widgets.label(theme, "scale", tip)
    widgets.number(
        theme, "", state.transform_of(state.focus), "scale", step=0.01, form="×%.3f", tip=tip, width=half, octaves=True
    )
    kept = {slot: result.kept for slot, result in context.results.items() if result and result.kept is not None}
    if not kept:
        return
    widgets.beside()
    imgui.text_colored(theme.dim, "in band" if min(kept.values()) > WHOLE else "kept")
    widgets.tooltip(KEPT)
    if min(kept.values()) > WHOLE:
        return
    for slot, share in kept.items():
        widgets.beside()
        widgets.mono_text(theme, f"{100 * share:.0f}%", theme.accent[slot])


def _animation(state: AppState, context: PanelContext) -> None:
    theme, transform, half = context.theme, state.transform_of(state.focus), widgets.share_width(labelled=True)
    tip = "Move by itself: along x or y, on a circle, about the centre, or up in scale and back."
    widgets.combo(theme, "animate", transform, "animate", tip, width=half)
    widgets.beside()
    widgets.number(
        theme, "", transform, "speed", step=0.005, form="%.3f Hz", tip="Speed of all motion here, in turns a second."
    )
    if transform.animate in ("x", "y", "circle") or _learned_moves(transform):
        tip = "How far the motion goes to either side, in image widths."
        widgets.number(theme, "radius", transform, "radius", step=0.001, form="%.3f widths", tip=tip)
    if transform.animate == "scale":
        tip = "How far the scale goes up, in doublings; it never goes below its start, so nothing leaves the band."
        widgets.number(theme, "up by", transform, "octaves", step=0.01, form="%.2f octaves", tip=tip)


def _learned_moves(transform: TransformState) -> bool:
    return transform.learned == "set" and transform.learned_animate in ("x", "y")


def _learned(state: AppState, context: PanelContext) -> None:
    """Draw the transform that each model makes of w, and the numbers that may take its place."""
    theme, transform, half = context.theme, state.transform_of(state.focus), widgets.share_width(labelled=True)
    for slot in SLOTS:
        _own(state, context, slot)
    tip = "The transform that each model makes of w, or the numbers below in its place, which stay while w changes."
    widgets.words(theme, "use", transform, "learned", choices_of(transform, "learned"), tip, room=2 * half / 1.5)
    widgets.beside()
    if widgets.button("Zero", "No learned transform: the identity that training started from.", width=-1):
        gestures.freeze(transform, (1.0, 0.0, 0.0, 0.0))
    if transform.learned == "model":
        return
    tip = "Rotation in place of the learned (r_c, r_s), counter-clockwise."
    widgets.number(theme, "rotation", transform, "learned_degrees", step=0.25, form="%+.2f°", tip=tip)
    tip = "Translation in place of the learned (t_x, t_y), in image widths."
    widgets.label(theme, "x, y", tip)
    widgets.number(theme, "", transform, "learned_tx", step=0.002, form="%+.4f", tip=tip, width=half)
    widgets.beside()
    widgets.number(theme, "", transform, "learned_ty", step=0.002, form="%+.4f", tip=tip)
    tip = "Move these numbers by themselves, at the speed and radius above."
    widgets.combo(theme, "animate", transform, "learned_animate", tip)


def _own(state: AppState, context: PanelContext, slot: Slot) -> None:
    """Draw one slot's own transform, and the button that keeps it."""
    theme, result = context.theme, context.results[slot]
    if not state.slot(slot).path:
        return
    widgets.label(theme, slot, colour=theme.accent[slot])
    imgui.align_text_to_frame_padding()
    if not result or not result.learned:
        rung = f"rung {result.facts.rung}" if result and result.facts else "no model"
        imgui.text_colored(theme.dim, f"{rung}: none")
        widgets.tooltip("Before rung H, w neither turns nor moves the input.")
        return
    rc, rs, tx, ty = result.learned
    widgets.mono_text(theme, f"{math.degrees(math.atan2(rs, rc)):+.0f}° {tx:+.2f} {ty:+.2f}")
    widgets.tooltip(OWN.format(rc, rs))
    imgui.same_line()
    tip = "Keep what this model makes of the present w, while w changes; for both slots while they are linked."
    if widgets.button(f"Freeze##{slot}", tip, width=-1):
        gestures.freeze(state.transform_of(slot), result.learned)
