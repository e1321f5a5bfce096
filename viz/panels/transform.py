# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Transform: the user's transform of the input by number, and the one that the model itself learned from w."""

import math

from imgui_bundle import imgui, imgui_ctx

from viz.core import gestures
from viz.core.result import RenderResult
from viz.core.state import SLOTS, AppState, Slot, TransformState
from viz.ui import widgets
from viz.ui.context import PanelContext

TITLE = "Transform"
PLACE = "left"
LEARNED = "learned by the model"

DEFORM = "stretch, shear, mirror"
NOT_EQUIVARIANT = (
    "No rung is equivariant to these: T follows translation, R rotation as well. The input is deformed as asked, and "
    "the layers make of it what they learned."
)

WHOLE = 0.995
KEPT = (
    "How much of each Fourier input's power is left: making the content smaller raises its frequencies, and sinusoids "
    "that leave the band fade out."
)
OWN = (
    "What the model makes of this w: the paper's (r_c, r_s) = ({:+.3f}, {:+.3f}), cosine and sine of this angle, and "
    "(t_x, t_y), in image widths."
)
MEAN_CONSTANT = (
    "Replace rung A's learned 4x4 constant by its mean over the pixels: the structure that is left comes from zero "
    "padding and noise."
)


def draw(state: AppState, context: PanelContext) -> None:
    """Draw translation, rotation, scale, animation, snapping, untransform, and the learned transform."""
    theme, transform = context.theme, state.transform_of(state.focus)
    widgets.side(theme, state)
    known = [facts for facts in map(context.facts, SLOTS) if facts]
    resolution = max((facts.config.resolution for facts in known), default=0)
    _length(state, context, "x", resolution, "Translation to the right, in image widths and in pixels.")
    _length(state, context, "y", resolution, "Translation downwards, in image widths and in pixels.")
    tip = "Rotation, counter-clockwise."
    row = widgets.label(theme, "rotation", tip, cells=2)
    widgets.number(theme, row, transform, "degrees", step=0.25, form="%+.2f°", tip=tip)
    tip = "Turn by itself, beside whatever else moves, in turns a second; 0 stands still (a double click stops it)."
    widgets.number(theme, row, transform, "spin", step=0.002, form="%.3f Hz", tip=tip)
    _scale(state, context)
    _animation(state, context)
    widgets.label(theme, "snap")
    widgets.check("pixels", transform, "snap", "Render at the nearest whole pixel of each model's picture.")
    widgets.beside()
    imgui.set_next_item_width(-1)
    form = "%.1f° steps" if transform.snap_degrees else "any angle"
    tip = "Turn in steps of so many degrees; 0 is any angle (a double click)."
    widgets.number(theme, None, transform, "snap_degrees", step=0.25, form=form, tip=tip)
    widgets.label(theme, "output")
    tip = "Move the finished picture back: content then stays in place, and what sticks to the pixels is what moves."
    widgets.check("untransform", transform, "untransform", tip)
    imgui.same_line()
    tip = "Undo all moving, turning, scaling and deforming (as a double click on the picture does)."
    if widgets.button("Reset", tip, width=-1):
        gestures.reset(transform)
    if transform.mean_constant or not all(facts.config.movable for facts in known):
        widgets.label(theme, "rung A")
        widgets.check("mean constant", transform, "mean_constant", MEAN_CONSTANT)
    opened = imgui.collapsing_header(DEFORM)
    widgets.tooltip(NOT_EQUIVARIANT)
    if opened or transform.stretch != 1.0 or transform.shear != 0.0 or transform.mirror:
        _deform(transform, context)
    opened = imgui.collapsing_header(LEARNED)
    tip = "Rungs H, T and R turn and move their input by (r_c, r_s, t_x, t_y), which an affine layer makes of w."
    widgets.tooltip(tip)
    if opened:
        _learned(state, context)


def _length(state: AppState, context: PanelContext, axis: str, resolution: int, tip: str) -> None:
    """Draw one coordinate twice: in image widths, which the state holds, and in pixels of the larger picture."""
    transform, name = state.transform_of(state.focus), f"t{axis}"
    row = widgets.label(context.theme, axis, tip, cells=2)
    widgets.number(context.theme, row, transform, name, step=0.002, form="%+.4f", tip=tip)
    row.next_cell()
    imgui.begin_disabled(resolution == 0)
    with imgui_ctx.push_font(context.theme.mono, 0.0):
        pixels = getattr(transform, name) * max(resolution, 1)
        changed, pixels = imgui.drag_float(f"##{name} px", pixels, 0.05, 0.0, 0.0, "%+.2f px")
    if widgets.is_reset():
        changed, pixels = True, 0.0
    imgui.end_disabled()
    if changed and resolution:
        gestures.set_clamped(transform, name, pixels / resolution)


def _scale(state: AppState, context: PanelContext) -> None:
    """Draw the scale, and how much of each slot's input it leaves."""
    theme, tip = context.theme, "Scale about the centre: more than 1 enlarges the content."
    row = widgets.label(theme, "scale", tip, cells=2)
    transform = state.transform_of(state.focus)
    widgets.number(theme, row, transform, "scale", step=0.01, form="×%.3f", tip=tip, octaves=True)
    kept = {slot: result.kept for slot, result in context.results.items() if result and result.kept is not None}
    if not kept:
        return
    whole = min(kept.values()) > WHOLE
    widgets.beside()
    imgui.text_colored(theme.dim, "in band" if whole else "kept")
    widgets.tooltip(KEPT)
    if whole:
        return
    for slot, share in kept.items():
        widgets.beside()
        widgets.mono_text(theme, f"{100 * share:.0f}%", theme.accent[slot])


def _deform(transform: TransformState, context: PanelContext) -> None:
    """Draw what no rung of the ladder is made to follow."""
    theme = context.theme
    tip = "Wider for its height, at the same area."
    widgets.number(theme, "stretch", transform, "stretch", step=0.01, form="×%.3f", tip=tip, octaves=True)
    tip = "What lies below the centre goes to the right, what lies above to the left."
    widgets.number(theme, "shear", transform, "shear", step=0.005, form="%+.3f", tip=tip)
    widgets.label(theme, "mirror")
    widgets.check("left to right", transform, "mirror", "Mirror the input: faces look the other way, unless it sticks.")
    widgets.sentence(NOT_EQUIVARIANT, theme.dim)


def _animation(state: AppState, context: PanelContext) -> None:
    theme, transform = context.theme, state.transform_of(state.focus)
    tip = "Move by itself: along x or y, on a circle, about the centre, or up in scale and back."
    row = widgets.label(theme, "animate", tip, cells=2)
    widgets.combo(theme, row, transform, "animate", tip)
    tip = "Speed of all motion here, in turns a second."
    widgets.number(theme, row, transform, "speed", step=0.005, form="%.3f Hz", tip=tip)
    learned_moves = transform.learned == "set" and transform.learned_animate in ("x", "y")
    if transform.animate in ("x", "y", "circle") or learned_moves:
        tip = "How far the motion goes to either side, in image widths."
        widgets.number(theme, "radius", transform, "radius", step=0.001, form="%.3f widths", tip=tip)
    if transform.animate == "scale":
        tip = "How far the scale goes up, in doublings; it never goes below its start, so nothing leaves the band."
        widgets.number(theme, "up by", transform, "octaves", step=0.01, form="%.2f octaves", tip=tip)


def _learned(state: AppState, context: PanelContext) -> None:
    """Draw the transform that each model makes of w, and the numbers that may take its place."""
    theme, transform = context.theme, state.transform_of(state.focus)
    for slot in SLOTS:
        if state.slot(slot).path:
            _own(state, context, slot)
    room = (imgui.get_content_region_avail().x - widgets.label_width()) / 1.5
    tip = "The transform that each model makes of w, or the numbers below in its place, which stay while w changes."
    widgets.words(theme, "use", transform, "learned", tip, room=room)
    widgets.beside()
    if widgets.button("Zero", "No learned transform: the identity that training started from.", width=-1):
        gestures.freeze(transform, (1.0, 0.0, 0.0, 0.0))
    if transform.learned == "model":
        return
    tip = "Rotation in place of the learned (r_c, r_s), counter-clockwise."
    widgets.number(theme, "rotation", transform, "learned_degrees", step=0.25, form="%+.2f°", tip=tip)
    tip = "Translation in place of the learned (t_x, t_y), in image widths."
    row = widgets.label(theme, "x, y", tip, cells=2)
    widgets.number(theme, row, transform, "learned_tx", step=0.002, form="%+.4f", tip=tip)
    widgets.number(theme, row, transform, "learned_ty", step=0.002, form="%+.4f", tip=tip)
    tip = "Move these numbers by themselves, at the speed and radius above."
    widgets.combo(theme, "animate", transform, "learned_animate", tip)


def _own(state: AppState, context: PanelContext, slot: Slot) -> None:
    """Draw one slot's own transform, and the button that keeps it."""
    theme, result = context.theme, context.results[slot]
    widgets.label(theme, slot, colour=theme.accent[slot])
    imgui.align_text_to_frame_padding()
    if not result or result.error or not result.learned:
        text, tip = explain_none(result)
        imgui.text_colored(theme.dim, text)
        widgets.tooltip(tip or context.explain_wait(state, slot))
        return
    rc, rs, tx, ty = result.learned
    widgets.mono_text(theme, f"{math.degrees(math.atan2(rs, rc)):+.0f}° {tx:+.2f} {ty:+.2f}")
    widgets.tooltip(OWN.format(rc, rs))
    imgui.same_line()
    tip = "Keep what this model makes of the present w, while w changes; for both slots while they are linked."
    if widgets.button(f"Freeze##{slot}", tip, width=-1):
        gestures.freeze(state.transform_of(slot), result.learned)


def explain_none(result: RenderResult | None) -> tuple[str, str]:
    """Return what stands in the place of a slot's own transform where it has none, and why ("": it is opening)."""
    if result is None:
        return "opening …", ""
    if result.error or not result.facts:
        return "cannot be shown", result.error or ""
    return f"rung {result.facts.config.rung}: none", "Before rung H, w neither turns nor moves the input."
