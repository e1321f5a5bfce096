# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""State to request, and what gestures and animations do to the state."""

import copy
import functools
import math
from typing import Any

import numpy as np
import pytest

from gan.networks.generator import z_from_seed
from gan.networks.ladder import rung_config
from viz.core import gestures
from viz.core.latent import Direction, FileLatent, Mixture, Moved, OtherModel, SeedPoint, Space, Step, seed_point
from viz.core.layer_info import list_w_layers, split_w_layers
from viz.core.request import build_request
from viz.core.state import AppState, CanvasState, TransformState


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
    [
        ("latent", "x", 0.5),
        ("latent", "psi", 0.5),
        ("latent", "mixed", [2]),
        ("latent", "label", 1),
        ("latent", "label_kind", "vector"),
        ("latent", "vector", [0.5]),
        ("transform", "ty", 0.1),
        ("transform", "degrees", 3.0),
        ("transform", "snap", True),
        ("left", "path", "b"),
        ("display", "device", "mps"),
        ("transform", "scale", 1.5),
        ("transform", "stretch", 1.5),
        ("transform", "shear", 0.5),
        ("transform", "mirror", True),
        ("transform", "untransform", True),
        ("transform", "learned", "set"),
        ("transform", "mean_constant", True),
    ],
)
def test_whatever_changes_the_picture_changes_the_request(part: str, name: str, value: object) -> None:
    state = AppState()
    state.left.path = "a"
    before = build_request(state)
    setattr(getattr(state, part), name, value)
    assert build_request(state) != before


def test_learned_numbers_count_once_they_are_used() -> None:
    state = AppState()
    state.left.path = "a"
    before = build_request(state)
    state.transform.learned_tx, state.transform.learned_ty, state.transform.learned_degrees = 0.1, -0.2, 30.0
    assert build_request(state) == before
    state.transform.learned = "set"
    request = build_request(state).left
    assert request and request.learned == (0.1, -0.2, 30.0) and hash(request)


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
    assert (apart.right.latent, apart.right.degrees) == (seed_point(5), 30.0)
    state.link(True)
    assert build_request(state) == linked


def test_animations_play_on_both_sides_while_unlinked() -> None:
    state = AppState()
    state.latent.animate, state.latent.speed = True, 1.0
    state.link(False)
    state.right_latent.speed = -2.0
    gestures.advance(state, 0.5)
    assert (state.latent.x, state.right_latent.x) == (0.5, -1.0)
    state.latent.animate = False
    assert gestures.is_animating(state)
    state.link(True)
    gestures.advance(state, 0.5)
    assert not gestures.is_animating(state) and state.latent.x == 0.5


@pytest.mark.parametrize(
    "changes",
    [
        {"latent.animate": True},
        {"latent.second.animate": True, "latent.mixed": [1]},
        {"right_latent.directions.animate": True, "right_latent.directions.moving": Direction()},
        {"transform.animate": "circle"},
        {"right_transform.spin": 0.1},
        {"transform.learned": "set", "transform.learned_animate": "x"},
        {"noise.mode": "random", "noise.animate": True},
    ],
)
def test_whatever_moves_by_itself_can_be_stopped(changes: dict[str, Any]) -> None:
    state = AppState()
    state.link(False)
    state.playback.playing = True
    for name, value in changes.items():
        *path, last = name.split(".")
        setattr(functools.reduce(getattr, path, state), last, value)
    assert gestures.is_animating(state)
    gestures.stop(state)
    assert not gestures.is_animating(state) and not state.playback.playing


@pytest.mark.parametrize("space", ["w", "z"])
def test_whole_points_of_the_plane_are_seeds(space: Space) -> None:
    assert SeedPoint(7, 2, space).weights() == ((207, 1.0),)
    assert SeedPoint(-1, 0, space).weights() == ((2**32 - 1, 1.0),)
    for seed in (0, 7, 100, 12345, 2**32 - 1):
        assert seed_point(seed).weights() == ((seed, 1.0),)


def test_between_seeds_the_weights_of_w_are_bilinear() -> None:
    assert dict(SeedPoint(3.25, -0.5).weights()) == {2**32 - 97: 0.375, 2**32 - 96: 0.125, 3: 0.375, 4: 0.125}


def test_a_kept_latent_stays_while_the_plane_is_walked_and_comes_back() -> None:
    state = AppState()
    state.left.path, w = "a", FileLatent("w", "/w.npz", "0" * 64)
    state.latent.keep(w)
    request = build_request(state).left
    assert request and request.latent == w and hash(request)
    state.latent.animate = True
    assert not gestures.is_animating(state), "a file's latent does not walk"
    gestures.walk(state.latent, -0.5, 0.0)
    assert state.latent.latent() == SeedPoint(0.5, 0.0) and state.latent.kept == w and gestures.is_animating(state)


def test_a_second_latent_is_asked_for_while_it_is_mixed_in() -> None:
    state = AppState()
    state.left.path = "a"
    before = build_request(state)
    state.latent.second.x = state.latent.second.y = 5.0
    state.latent.second.animate = True
    assert build_request(state) == before and not gestures.is_animating(state)
    state.latent.mixed = [3, 1]
    request = build_request(state).left
    assert request and request.latent == Mixture(SeedPoint(), SeedPoint(5.0, 5.0), (1, 3)) and hash(request)
    gestures.advance(state, 1.0)
    assert (state.latent.x, state.latent.second.x) == (0.0, 5.25)


def test_between_seeds_z_stays_standard_normal() -> None:
    blend = SeedPoint(0.5, 0.25, "z").weights()
    assert {seed for seed, _ in blend} == {0, 1, 100, 101}
    assert sum(weight**2 for _, weight in blend) == pytest.approx(1)
    z = sum(weight * z_from_seed(seed, 20_000) for seed, weight in blend)
    assert np.asarray(z).std() == pytest.approx(1, abs=0.02)
    near = dict(SeedPoint(1e-9, 0, "z").weights())
    assert near[0] == pytest.approx(1) and near[1] < 1e-6  # no jump at a seed


def test_rotation_turns_the_offset_about_the_picture_centre() -> None:
    transform = TransformState(tx=0.1)
    gestures.rotate(transform, 90)  # counter-clockwise: what was right of the centre is above it, and y points down
    assert (transform.tx, transform.ty, transform.degrees) == pytest.approx((0, -0.1, 90))
    gestures.rotate(transform, 180)
    assert transform.degrees == pytest.approx(-90)


def test_scaling_takes_the_offset_along_and_stops_at_the_limits() -> None:
    transform = TransformState(tx=0.1, ty=-0.02)
    gestures.enlarge(transform, 2)
    assert (transform.tx, transform.ty, transform.scale) == pytest.approx((0.2, -0.04, 2))
    gestures.enlarge(transform, 1e9)
    assert (transform.tx, transform.scale) == pytest.approx((0.4, 4))
    gestures.reset(transform)
    assert transform == TransformState()


def test_freezing_keeps_the_angle_of_the_pair() -> None:
    transform = TransformState()
    gestures.freeze(transform, (math.cos(2.5), -math.sin(2.5), 0.3, -9.0))
    assert transform.learned == "set" and transform.learned_degrees == pytest.approx(-math.degrees(2.5))
    assert (transform.learned_tx, transform.learned_ty) == (0.3, -4.0)


def test_angles_follow_the_pointer() -> None:
    assert gestures.angle_between((1, 0), (0, -1)) == pytest.approx(90)
    assert gestures.angle_between((0, 1), (1, 1)) == pytest.approx(45)
    assert gestures.angle_between((0, 0), (1, 0)) == 0


def test_zoom_keeps_the_point_under_the_pointer() -> None:
    canvas = CanvasState(pan_x=0.1, pan_y=-0.2)
    point = (0.3, 0.25)
    before = [(p - pan) / canvas.zoom for p, pan in zip(point, (canvas.pan_x, canvas.pan_y), strict=True)]
    gestures.zoom(canvas, 1.7, *point)
    after = [(p - pan) / canvas.zoom for p, pan in zip(point, (canvas.pan_x, canvas.pan_y), strict=True)]
    assert after == pytest.approx(before) and canvas.zoom == pytest.approx(1.7)


def test_limits_hold_under_any_gesture() -> None:
    state = AppState()
    gestures.translate(state.transform, 1e9, -1e9)
    gestures.zoom(state.canvas, 1e30, 0.5, 0.5)
    gestures.walk(state.latent, -1e30, 0)
    assert (state.transform.tx, state.transform.ty, state.canvas.zoom, state.latent.x) == (4, -4, 256, 5e7)


def test_a_circle_closes_whatever_the_frame_rate() -> None:
    state = AppState()
    state.transform = TransformState(tx=0.2, animate="circle", speed=0.5, radius=0.1)
    farthest = 0.0
    for _ in range(64):
        gestures.advance(state, 2 / 64)
        farthest = max(farthest, math.hypot(state.transform.tx - 0.2, state.transform.ty))
    assert (state.transform.tx, state.transform.ty) == pytest.approx((0.2, 0), abs=1e-9)
    assert farthest == pytest.approx(0.2, abs=0.001)  # the diameter
    assert gestures.is_animating(state)


@pytest.mark.parametrize(
    ("word", "name", "start", "farthest"),
    [("x", "tx", 0.2, 0.3), ("y", "ty", -0.1, 0.0), ("scale", "scale", 1.25, 2.5), ("rotate", "degrees", 20.0, None)],
)
def test_each_number_moves_by_itself_and_comes_back(word: str, name: str, start: float, farthest: float | None) -> None:
    state = AppState()
    state.transform = TransformState(animate=word, speed=0.5, radius=0.1, octaves=1.0)
    setattr(state.transform, name, start)
    others = ("tx", "ty", "scale", "degrees")
    reached = []
    for _ in range(64):
        gestures.advance(state, 2 / 64)
        reached.append(getattr(state.transform, name))
        still = [other for other in others if other != name]
        assert all(getattr(state.transform, other) == getattr(TransformState(), other) for other in still)
    assert reached[-1] == pytest.approx(start, abs=1e-9) and max(reached) > start + 0.05
    assert farthest is None or max(reached) == pytest.approx(farthest, abs=1e-3)
    assert word != "scale" or min(reached) > start - 1e-9, "nothing is made smaller than it was: it stays in band"


def test_dragging_goes_on_while_it_moves() -> None:
    state = AppState()
    state.transform = TransformState(animate="x", speed=0.5, radius=0.1)
    for _ in range(64):
        gestures.advance(state, 2 / 64)
        gestures.translate(state.transform, 0.01, 0.005)
    assert (state.transform.tx, state.transform.ty) == pytest.approx((0.64, 0.32))


def test_a_scale_that_meets_its_limit_comes_back_within_it() -> None:
    state = AppState()
    state.transform = TransformState(animate="scale", speed=0.5, octaves=2.0, scale=2.0)
    scales = []
    for _ in range(3 * 64):
        gestures.advance(state, 2 / 64)
        scales.append(state.transform.scale)
    assert max(scales) == pytest.approx(4) and min(scales) == pytest.approx(2), "never below its start"
    assert scales[63] == pytest.approx(2) == scales[-1] and state.transform.octaves == pytest.approx(1)


@pytest.mark.parametrize(("word", "name"), [("rotate", "learned_degrees"), ("x", "learned_tx"), ("y", "learned_ty")])
def test_the_learned_numbers_move_once_they_are_used(word: str, name: str) -> None:
    state = AppState()
    state.transform = TransformState(learned_animate=word, speed=0.5, radius=0.1)
    gestures.advance(state, 0.5)
    assert not gestures.is_animating(state) and getattr(state.transform, name) == 0
    state.transform.learned = "set"
    assert gestures.is_animating(state)
    gestures.advance(state, 0.5)
    assert getattr(state.transform, name) == pytest.approx(90 if word == "rotate" else 0.1)
    gestures.advance(state, 1.5)
    assert getattr(state.transform, name) == pytest.approx(0, abs=1e-9)
    assert (state.transform.tx, state.transform.degrees) == (0, 0)


def test_the_state_keeps_its_types() -> None:
    """A whole number where a float belongs would show as 0 in a field, and be refused by a state file's reader."""
    state = AppState()
    gestures.set_clamped(state.latent, "x", 25)
    assert type(state.latent.x) is float and state.latent.x == 25
    gestures.set_clamped(state.latent, "cutoff", 3.0)
    assert type(state.latent.cutoff) is int


def test_translation_and_rotation_move_at_once_each_at_its_own_rate() -> None:
    state = AppState()
    state.transform = TransformState(animate="x", speed=0.5, radius=0.1, spin=-0.25)
    assert gestures.is_animating(state)
    for _ in range(16):
        gestures.advance(state, 0.5 / 16)
    found = (state.transform.tx, state.transform.ty, state.transform.degrees)
    assert found == pytest.approx((0.1, 0.0, -45.0)), "a quarter of a turn of one, an eighth of the other"
    state.transform.animate = "off"
    gestures.advance(state, 1.0)
    assert (state.transform.tx, state.transform.degrees) == pytest.approx((0.1, -135.0)) and gestures.is_animating(
        state
    )
    state.transform.spin = 0.0
    assert not gestures.is_animating(state)


@pytest.mark.parametrize(
    ("degrees", "step", "expected"),
    [(37.0, 0.0, 37.0), (37.0, 15.0, 30.0), (-38.0, 15.0, -45.0), (179.0, 90.0, -180.0), (3.3, 2.5, 2.5)],
)
def test_rotation_snaps_to_steps(degrees: float, step: float, expected: float) -> None:
    state = AppState()
    state.left.path, state.transform.degrees, state.transform.snap_degrees = "a", degrees, step
    request = build_request(state).left
    assert request and request.degrees == pytest.approx(expected) and state.transform.degrees == degrees


def test_the_other_slots_w_s_are_asked_for_by_its_model_and_its_settings() -> None:
    state = AppState()
    state.left.path, state.right.path = "a", "b"
    state.link(False)
    state.right_latent.x, state.right_latent.psi, state.right_latent.label = 5.0, 0.5, 3
    before = build_request(state)
    state.latent.mix_with, state.latent.mixed = "other slot", [2]
    request = build_request(state)
    assert request.left and request.left.latent == Mixture(
        SeedPoint(), OtherModel("b", seed_point(5), 0.5, None, 3), (2,)
    )
    assert request.right == before.right and hash(request)
    state.right_latent.mix_with, state.right_latent.mixed = "other slot", [0]  # each takes the other's own
    both = build_request(state)
    assert both.right and both.right.latent == Mixture(seed_point(5), OtherModel("a", SeedPoint()), (0,))
    state.right_latent.mix_with = "second"
    shown = build_request(state)
    assert shown.left and shown.right and isinstance(shown.left.latent, Mixture)
    other = shown.left.latent.other
    assert isinstance(other, OtherModel) and other.latent == shown.right.latent, "a mixture, as it is shown there"
    state.right.path = ""
    assert build_request(state).left == before.left, "nothing to take"


def test_steps_along_directions_are_taken_once_while_the_slots_are_linked() -> None:
    state, step = AppState(), Step(Direction(), 2.0)
    state.left.path, state.right.path = "a", "b"
    state.latent.mix_with, state.latent.mixed, state.latent.directions.steps = "other slot", [2], (step,)
    linked = build_request(state).left
    assert linked and linked.latent == Moved(Mixture(SeedPoint(), OtherModel("b", SeedPoint()), (2,)), (step,))
    state.link(False)
    apart = build_request(state)
    assert apart.left and apart.right and isinstance(apart.left.latent, Moved)
    mixed = apart.left.latent.base
    assert isinstance(mixed, Mixture) and mixed.other == OtherModel("b", Moved(SeedPoint(), (step,))), "as shown there"


def test_latents_are_swapped() -> None:
    state = AppState()
    state.latent.x, state.latent.second.y = 3.0, 7.0
    state.latent.second.keep(seed_point(9))
    gestures.swap(state.latent)
    assert (state.latent.x, state.latent.y, state.latent.second.x) == (1.0, 7.0, 3.0)
    assert state.latent.base() == seed_point(9) and state.latent.second.latent() == SeedPoint(3.0, 0.0)
    before = copy.deepcopy(state.latent)
    gestures.swap(state.latent), gestures.swap(state.latent)
    assert state.latent == before


@pytest.mark.parametrize("letter", "ABCDRT")
def test_each_w_has_the_layer_that_takes_it(letter: str) -> None:
    config = rung_config(letter, 64)
    layers = list_w_layers(config)
    assert len(layers) == config.num_ws and len({layer.name for layer in layers}) == config.num_ws
    assert layers[0].name == ("b4.conv1" if letter in "ABC" else "input") and "torgb" in (layers[-1].name + "torgb")
    parts = split_w_layers(config.num_ws)
    assert [index for part in parts.values() for index in part] == list(range(config.num_ws))
    assert split_w_layers(18) == {"coarse": range(4), "middle": range(4, 8), "fine": range(8, 18)}
