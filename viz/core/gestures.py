# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Apply gestures and animations to the state. Angles are in degrees, lengths in image widths, y points down."""

import math
from collections.abc import Sequence

from viz.core.latent_state import DirectionsState, LatentState, SourceState
from viz.core.state import SLOTS, AppState, CanvasState, TransformState
from viz.core.state_fields import limits_of

SEEDS_PER_WIDTH = 4.0  # seeds that a right-drag across a whole picture walks over the seed plane


def set_clamped(owner: object, name: str, value: float) -> None:
    """Set a field of the state to `value`, or to the limit it would pass. A value that is not finite is ignored."""
    if math.isfinite(value):
        low, high = limits_of(owner, name)
        # A field keeps its type: a whole number in a float's place would be another one to controls and state files.
        setattr(owner, name, type(getattr(owner, name))(min(max(value, low), high)))


def wrap_degrees(degrees: float) -> float:
    """Return the same angle in [-180, 180)."""
    return (degrees + 180.0) % 360.0 - 180.0


def translate(transform: TransformState, dx: float, dy: float) -> None:
    """Move the content by (dx, dy). The user's translation acts after the rotation, so it is simply added."""
    set_clamped(transform, "tx", transform.tx + dx)
    set_clamped(transform, "ty", transform.ty + dy)


def rotate(transform: TransformState, degrees: float) -> None:
    """Turn what is seen about the picture's centre, counter-clockwise: the offset of a moved content turns too."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    tx, ty = transform.tx, transform.ty
    set_clamped(transform, "tx", cos * tx + sin * ty)
    set_clamped(transform, "ty", -sin * tx + cos * ty)
    transform.degrees = wrap_degrees(transform.degrees + degrees)


def enlarge(transform: TransformState, factor: float) -> None:
    """Scale what is seen about the picture's centre: the offset of a moved content grows too."""
    before = transform.scale
    set_clamped(transform, "scale", before * factor)
    set_clamped(transform, "tx", transform.tx * transform.scale / before)
    set_clamped(transform, "ty", transform.ty * transform.scale / before)


def freeze(transform: TransformState, learned: Sequence[float]) -> None:
    """Put (r_c, r_s, t_x, t_y) in the place of the models' own transform of w."""
    rc, rs, tx, ty = learned
    transform.learned, transform.learned_degrees = "set", wrap_degrees(math.degrees(math.atan2(rs, rc)))
    set_clamped(transform, "learned_tx", tx)
    set_clamped(transform, "learned_ty", ty)


def angle_between(before: tuple[float, float], after: tuple[float, float]) -> float:
    """Return degrees, counter-clockwise on screen (y down), from one vector to another; 0 if either has no length."""
    cross = before[0] * after[1] - before[1] * after[0]
    dot = before[0] * after[0] + before[1] * after[1]
    return -math.degrees(math.atan2(cross, dot)) if cross or dot else 0.0


def reset(transform: TransformState) -> None:
    """Go back to the picture that was not moved, turned, scaled or deformed."""
    transform.tx = transform.ty = transform.degrees = transform.phase = 0.0
    transform.scale = transform.stretch = 1.0
    transform.shear, transform.mirror = 0.0, False


def zoom(canvas: CanvasState, factor: float, x: float, y: float) -> None:
    """Zoom so that the point (x, y) of the slot, in fitted picture widths from its centre, stays where it is."""
    before = canvas.zoom
    set_clamped(canvas, "zoom", before * factor)
    ratio = canvas.zoom / before
    set_clamped(canvas, "pan_x", x - (x - canvas.pan_x) * ratio)
    set_clamped(canvas, "pan_y", y - (y - canvas.pan_y) * ratio)


def go_to(latent: SourceState, x: float, y: float) -> None:
    """Show a point of the seed plane; a latent that is kept stays so."""
    latent.source = "seeds"
    set_clamped(latent, "x", x)
    set_clamped(latent, "y", y)


def swap(latent: LatentState) -> None:
    """Exchange the latent and the second one that is mixed in."""
    for name in SourceState.__dataclass_fields__:
        first, second = getattr(latent, name), getattr(latent.second, name)
        setattr(latent, name, second)
        setattr(latent.second, name, first)


def walk(latent: SourceState, dx: float, dy: float) -> None:
    """Drag the seed plane under the point that is shown, by (dx, dy) seeds: what lay right comes from the left."""
    go_to(latent, latent.x - dx, latent.y - dy)


def fit(canvas: CanvasState) -> None:
    """Show the whole picture, as large as the slot."""
    canvas.zoom, canvas.pan_x, canvas.pan_y = 1.0, 0.0, 0.0


def stop(state: AppState) -> None:
    """End all that moves by itself: every animation, and the timeline."""
    for slot in SLOTS:
        latent, transform = state.latent_of(slot), state.transform_of(slot)
        latent.animate = latent.second.animate = latent.directions.animate = False
        transform.animate = transform.learned_animate = "off"
        transform.spin = 0.0
    state.noise.animate = state.playback.playing = False


def is_animating(state: AppState, *, has_noise: bool = True) -> bool:
    """Return True while an animation plays: frames must then be drawn although the user does nothing.

    That of noise does only where a model `has_noise`.
    """
    return (state.noise.moves and has_noise) or any(
        any(map(_walks, _sources(state.latent_of(slot))))
        or _sways(state.latent_of(slot).directions)
        or _plays(state.transform_of(slot))
        for slot in SLOTS
    )


def _sways(directions: DirectionsState) -> bool:
    return directions.animate and directions.moving is not None


def _sources(latent: LatentState) -> tuple[SourceState, ...]:
    """Return the sources that are shown: of the latent, and of the second while it is mixed in."""
    return (latent, latent.second) if latent.mixed and latent.mix_with == "second" else (latent,)


def _walks(source: SourceState) -> bool:
    return source.animate and source.source == "seeds"


def _plays(transform: TransformState) -> bool:
    return (
        transform.animate != "off"
        or transform.spin != 0.0
        or (transform.learned == "set" and transform.learned_animate != "off")
    )


def is_blinking(state: AppState) -> bool:
    """Return True while the canvas alternates two models' pictures."""
    return state.canvas.mode == "blink" and bool(state.left.path and state.right.path)


def advance(state: AppState, seconds: float, *, has_noise: bool = True) -> None:
    """Play the animations for `seconds`; that of noise where a model `has_noise`."""
    for slot in SLOTS[:1] if state.linked else SLOTS:
        _play(state.latent_of(slot), state.transform_of(slot), seconds)
    if state.noise.moves and has_noise:
        set_clamped(state.noise, "seed", state.noise.seed + state.noise.speed * seconds)


def _play(latent: LatentState, transform: TransformState, seconds: float) -> None:
    for source in filter(_walks, _sources(latent)):
        set_clamped(source, "x", source.x + source.speed * seconds)
    if _sways(latent.directions):
        _sway(latent.directions, seconds)
    if transform.spin:  # wrapping alone changes the last bits
        transform.degrees = wrap_degrees(transform.degrees + 360.0 * transform.spin * seconds)
    turns = transform.speed * seconds
    if transform.animate != "off":
        _move(transform, transform.phase, transform.phase + turns)
        transform.phase = (transform.phase + turns) % 1.0
    if transform.learned == "set" and transform.learned_animate != "off":
        _move_learned(transform, transform.learned_phase, transform.learned_phase + turns)
        transform.learned_phase = (transform.learned_phase + turns) % 1.0


def _sway(directions: DirectionsState, seconds: float) -> None:
    """Go along a direction and back, by differences, as `_move` does."""
    before, direction = directions.phase, directions.moving
    if direction is not None:
        after = before + directions.speed * seconds
        _, sin = _phase_steps(before, after)
        directions.go(direction, directions.strength(direction) + directions.reach * sin)
        directions.phase = after % 1.0


def _move(transform: TransformState, before: float, after: float) -> None:
    """Move from phase to phase, in turns.

    By differences, so that an animation starts where the picture is, and the picture can be dragged while it plays.
    """
    cos, sin = _phase_steps(before, after)
    match transform.animate:
        case "x":
            translate(transform, transform.radius * sin, 0.0)
        case "y":
            translate(transform, 0.0, transform.radius * sin)
        case "circle":
            translate(transform, transform.radius * cos, transform.radius * sin)
        case "rotate":
            rotate(transform, 360.0 * (after - before))
        case "scale":
            _enlarge_along(transform, before, after)


def _enlarge_along(transform: TransformState, before: float, after: float) -> None:
    """Scale up by so many octaves and back, never smaller than at the start: nothing is moved out of the band.

    If there is no room for so many below the largest scale, the octaves become as many as there is room for. The start
    follows from scale and phase, so that the scale may be dragged while it plays.
    """
    most = math.log2(limits_of(transform, "scale")[1])
    risen, rises = ((1 - math.cos(2 * math.pi * phase)) / 2 for phase in (before, after))
    scale = math.log2(transform.scale)
    if scale - transform.octaves * risen + transform.octaves > most and risen < 0.5:
        set_clamped(transform, "octaves", most - (scale - most * risen) / (1 - risen))
    enlarge(transform, 2.0 ** (transform.octaves * (rises - risen)))


def _move_learned(transform: TransformState, before: float, after: float) -> None:
    _, sin = _phase_steps(before, after)
    if transform.learned_animate == "rotate":
        transform.learned_degrees = wrap_degrees(transform.learned_degrees + 360.0 * (after - before))
    else:
        name = f"learned_t{transform.learned_animate}"
        set_clamped(transform, name, getattr(transform, name) + transform.radius * sin)


def _phase_steps(before: float, after: float) -> tuple[float, float]:
    """Return the growth of cosine and sine from one phase to another, in turns."""
    before, after = 2 * math.pi * before, 2 * math.pi * after
    return math.cos(after) - math.cos(before), math.sin(after) - math.sin(before)
