# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""State to request, and what gestures and animations do to the state."""

import copy
import math

import numpy as np
import pytest

from gan.latents import z_from_seed
from viz import motion
from viz.request import build_request, seed_weights
from viz.state import AppState, CanvasState, TransformState


def test_requests_are_pure_hashable_and_equal_when_the_state_is() -> None:
    state = AppState()
    state.left.path = "a"
    state.latent.x, state.transform.tx, state.latent.cutoff = 3.25, 0.5, 4
    before = copy.deepcopy(state)
    first, second = build_request(state), build_request(copy.deepcopy(state))
    assert state == before
    assert first == second and hash(first) == hash(second) and first.right is None
    assert first.left and (first.left.tx, first.left.cutoff) == (0.5, 4)


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [("latent", "x", 0.5), ("latent", "psi", 0.5), ("latent", "label", 1), ("transform", "ty", 0.1),
     ("transform", "degrees", 3.0), ("transform", "snap", True), ("left", "path", "b"), ("display", "device", "mps")],
)  # fmt: skip
def test_whatever_changes_the_picture_changes_the_request(part: str, name: str, value: object) -> None:
    state = AppState()
    state.left.path = "a"
    before = build_request(state)
    setattr(getattr(state, part), name, value)
    assert build_request(state) != before


def test_looking_elsewhere_asks_for_no_new_picture() -> None:
    state = AppState()
    state.left.path = "a"
    before = build_request(state)
    state.canvas.zoom, state.canvas.nearest, state.display.theme, state.recents = 2.0, True, "light", ["b"]
    state.canvas.mode, state.canvas.divider, state.canvas.gain, state.canvas.rate = "blink", 0.1, 9.0, 3.0
    state.focus = "right"
    assert build_request(state) == before


def test_unlinked_slots_ask_each_for_its_own() -> None:
    state = AppState()
    state.left.path, state.right.path = "a", "b"
    linked = build_request(state)
    state.link(False)
    assert build_request(state) == linked
    state.right_latent.x, state.right_transform.degrees = 5.0, 30.0
    apart = build_request(state)
    assert apart.left == linked.left and apart.right
    assert (apart.right.seeds, apart.right.degrees) == (((5, 1.0),), 30.0)
    state.link(True)
    assert build_request(state) == linked


def test_animations_play_on_both_sides_while_unlinked() -> None:
    state = AppState()
    state.latent.animate, state.latent.speed = True, 1.0
    state.link(False)
    state.right_latent.speed = -2.0
    motion.advance(state, 0.5)
    assert (state.latent.x, state.right_latent.x) == (0.5, -1.0)
    state.latent.animate = False
    assert motion.moving(state)
    state.link(True)
    motion.advance(state, 0.5)
    assert not motion.moving(state) and state.latent.x == 0.5


def test_whole_points_of_the_plane_are_seeds() -> None:
    assert seed_weights(7, 2) == ((207, 1.0),)
    assert seed_weights(-1, 0) == ((2**32 - 1, 1.0),)


def test_between_seeds_z_stays_standard_normal() -> None:
    blend = seed_weights(0.5, 0.25)
    assert {seed for seed, _ in blend} == {0, 1, 100, 101}
    assert sum(weight**2 for _, weight in blend) == pytest.approx(1)
    z = sum(weight * z_from_seed(seed, 20_000) for seed, weight in blend)
    assert np.asarray(z).std() == pytest.approx(1, abs=0.02)
    near = dict(seed_weights(1e-9, 0))
    assert near[0] == pytest.approx(1) and near[1] < 1e-6  # no jump at a seed


def test_rotation_turns_the_offset_about_the_picture_centre() -> None:
    transform = TransformState(tx=0.1)
    motion.rotate(transform, 90)  # counter-clockwise: what was right of the centre is above it, and y points down
    assert (transform.tx, transform.ty, transform.degrees) == pytest.approx((0, -0.1, 90))
    motion.rotate(transform, 180)
    assert transform.degrees == pytest.approx(-90)


def test_angles_follow_the_pointer() -> None:
    assert motion.angle_between((1, 0), (0, -1)) == pytest.approx(90)
    assert motion.angle_between((0, 1), (1, 1)) == pytest.approx(45)
    assert motion.angle_between((0, 0), (1, 0)) == 0


def test_zoom_keeps_the_point_under_the_pointer() -> None:
    canvas = CanvasState(pan_x=0.1, pan_y=-0.2)
    point = (0.3, 0.25)
    before = [(p - pan) / canvas.zoom for p, pan in zip(point, (canvas.pan_x, canvas.pan_y), strict=True)]
    motion.zoom(canvas, 1.7, *point)
    after = [(p - pan) / canvas.zoom for p, pan in zip(point, (canvas.pan_x, canvas.pan_y), strict=True)]
    assert after == pytest.approx(before) and canvas.zoom == pytest.approx(1.7)


def test_limits_hold_under_any_gesture() -> None:
    state = AppState()
    motion.translate(state.transform, 1e9, -1e9)
    motion.zoom(state.canvas, 1e30, 0.5, 0.5)
    motion.walk(state.latent, -1e30, 0)
    assert (state.transform.tx, state.transform.ty, state.canvas.zoom, state.latent.x) == (4, -4, 256, 1e6)


def test_a_circle_closes_whatever_the_frame_rate() -> None:
    state = AppState()
    state.transform = TransformState(tx=0.2, animate="circle", speed=0.5, radius=0.1)
    farthest = 0.0
    for _ in range(64):
        motion.advance(state, 2 / 64)
        farthest = max(farthest, math.hypot(state.transform.tx - 0.2, state.transform.ty))
    assert (state.transform.tx, state.transform.ty) == pytest.approx((0.2, 0), abs=1e-9)
    assert farthest == pytest.approx(0.2, abs=0.001)  # the diameter
    assert motion.moving(state)
