# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Bookmarks bring back just what they hold, and blend evenly from one to the other."""

import copy
import math

import pytest

from viz.core import bookmarks
from viz.core.bookmarks import BOOKMARKS_LIMIT, KINDS, Bookmark, BookmarkShelf, Kind
from viz.core.latent import (
    DEEPEST,
    Blend,
    Direction,
    FileLatent,
    Mixture,
    Moved,
    SeedPoint,
    Step,
    count_levels,
    read_latent,
)
from viz.core.latent_state import LatentState
from viz.core.state import AppState, TransformState, default_state

FILE = FileLatent("w", "/w.npz", "0123456789abcdef" * 4)


def edited() -> AppState:
    state = default_state()
    state.latent = LatentState(x=3.5, psi=0.5, label=2, mixed=[0, 1])
    state.transform = TransformState(tx=0.25, degrees=30.0, animate="circle")
    state.canvas.mode, state.spectrum.pad, state.right.path = "split", 2, "/other.pkl"
    return state


@pytest.mark.parametrize("kind", KINDS)
def test_a_bookmark_brings_back_what_it_holds_and_nothing_else(kind: Kind) -> None:
    state = edited()
    kept, item = copy.deepcopy(state), bookmarks.capture(state, kind)
    state.latent.x, state.latent.mixed, state.latent.second.x = -9.0, [], 4.0
    state.transform.tx, state.canvas.mode, state.left.path = 1.0, "blink", ""
    state.display.width, state.recents, state.training.rung = 700, ["/new"], "B"
    moved = copy.deepcopy(state)
    assert not bookmarks.is_restored(item, state)
    bookmarks.restore(item, state)
    assert bookmarks.is_restored(item, state)
    held = kind == "everything"
    assert state.latent == (kept if held or kind == "latent" else moved).latent
    assert state.transform == (kept if held or kind == "transform" else moved).transform
    assert (state.left, state.right, state.canvas) == (
        (kept.left, kept.right, kept.canvas) if held else (moved.left, moved.right, moved.canvas)
    )
    assert (state.display, state.recents, state.training) == (moved.display, moved.recents, moved.training)
    state.latent.mixed.append(5)
    state.transform.tx = 3.0
    bookmarks.restore(item, state)
    assert 5 not in item.state.latent.mixed and item.state.transform.tx != 3.0, "what came back is a copy"


def test_an_unlinked_slot_has_its_own() -> None:
    state = edited()
    state.link(False)
    state.focus, state.right_latent.x, state.right_transform.tx = "right", 7.0, -0.5
    latent, transform = (bookmarks.capture(state, kind) for kind in ("latent", "transform"))
    assert (latent.name, transform.name) == ("seed 7, mixed", "-0.50 +0.00 +30°")
    state.right_latent.x = state.right_transform.tx = 0.0
    bookmarks.restore(latent, state)
    bookmarks.restore(transform, state)
    assert (state.right_latent.x, state.right_transform.tx) == (7.0, -0.5)
    assert (state.latent.x, state.transform.tx) == (3.5, 0.25)


@pytest.mark.parametrize(
    ("latent", "name"),
    [
        (LatentState(x=24.0), "seed 24"),
        (LatentState(x=5.0, y=2.0), "seed 205"),
        (LatentState(x=1.5, y=2.0), "1.50, 2.00"),
        (LatentState(source="kept", kept=FILE), "w.npz"),
        (LatentState(x=24.0, mixed=[0, 1]), "seed 24, mixed"),
    ],
)
def test_a_bookmark_is_named_after_what_it_holds(latent: LatentState, name: str) -> None:
    state = AppState(latent=latent)
    assert bookmarks.capture(state, "latent").name == name
    assert bookmarks.capture(state, "transform").name == "at rest"


def test_the_shelf_keeps_an_order_and_a_limit() -> None:
    shelf = BookmarkShelf()
    items = [Bookmark(str(number), "latent", AppState()) for number in range(4)]
    assert shelf.add(items) == 4
    shelf.move(items[3].key, 0)
    assert [item.name for item in shelf.items] == ["3", "0", "1", "2"]
    shelf.move(items[3].key, 99)
    shelf.move(items[1].key, -5)
    assert [item.name for item in shelf.items] == ["1", "0", "2", "3"]
    before = shelf.items
    shelf.move(items[1].key, 0)
    assert shelf.items is before, "nothing to undo"
    shelf.remove(items[0].key)
    assert [item.name for item in shelf.items] == ["1", "2", "3"]
    assert shelf.add(items[1:2]) == 1 and len({item.key for item in shelf.items}) == 4, "a copy has its own key"
    assert shelf.add(items * BOOKMARKS_LIMIT) == BOOKMARKS_LIMIT - 4 and len(shelf.items) == BOOKMARKS_LIMIT


def test_latents_blend_from_one_to_the_other() -> None:
    one, other = LatentState(x=3.0, psi=0.5, label=1), LatentState(x=9.0, psi=1.0, label=4, mixed=[2])
    assert bookmarks.blend_latents(one, other, 0.0) == one and bookmarks.blend_latents(one, other, 1.0) == other
    between = bookmarks.blend_latents(one, other, 0.25)
    assert between.latent() == Blend(SeedPoint(3.0), Mixture(SeedPoint(9.0), SeedPoint(1.0), (2,)), 0.25)
    assert (between.psi, between.label) == (0.625, 1) and bookmarks.blend_latents(one, other, 0.75).label == 4
    assert one == LatentState(x=3.0, psi=0.5, label=1), "the ends stay as they are"
    assert bookmarks.blend_latents(one, one, 0.5).latent() == SeedPoint(3.0)


def test_a_blend_keeps_the_layers_of_the_other_slot() -> None:
    one, other = LatentState(x=3.0, mixed=[1], mix_with="other slot"), LatentState(x=9.0)
    between = bookmarks.blend_latents(one, other, 0.25)
    assert between.base() == Blend(SeedPoint(3.0), SeedPoint(9.0), 0.25)
    assert (between.mixed, between.mix_with) == ([1], "other slot")


def test_a_blend_holds_each_latents_own_steps_along_directions() -> None:
    one, other, direction = LatentState(x=3.0), LatentState(x=9.0), Direction("pca", 0)
    one.directions.go(direction, 2.0)
    one.directions.animate = True
    between = bookmarks.blend_latents(one, other, 0.25)
    assert between.latent() == Blend(Moved(SeedPoint(3.0), (Step(direction, 2.0),)), SeedPoint(9.0), 0.25)
    assert not between.directions.animate and one.directions.steps and bookmarks.blend_latents(one, other, 0.0) == one


def test_vectors_of_one_length_blend() -> None:
    one, other = LatentState(vector=[0.0, 2.0]), LatentState(vector=[1.0, 4.0])
    assert bookmarks.blend_latents(one, other, 0.25).vector == [0.25, 2.5]
    assert bookmarks.blend_latents(one, LatentState(vector=[1.0]), 0.25).vector == [0.0, 2.0]


def test_transforms_blend_by_length_angle_and_factor() -> None:
    one = TransformState(tx=-0.5, degrees=170.0, scale=0.5)
    other = TransformState(tx=0.5, degrees=-170.0, scale=2.0, stretch=4.0, snap=True, snap_degrees=15.0)
    assert bookmarks.blend_transforms(one, other, 0.0) == one and bookmarks.blend_transforms(one, other, 1.0) == other
    middle = bookmarks.blend_transforms(one, other, 0.5)
    assert middle.tx == 0.0 and middle.scale == pytest.approx(1.0) and abs(middle.degrees) == pytest.approx(180.0)
    quarter = bookmarks.blend_transforms(one, other, 0.25)
    assert quarter.degrees == pytest.approx(175.0) and quarter.scale == pytest.approx(math.sqrt(0.5))
    assert quarter.stretch == pytest.approx(math.sqrt(2)) and quarter.snap_degrees == 0.0
    assert (quarter.snap, middle.snap) == (False, True)


def test_what_both_hold_is_blended() -> None:
    state = edited()
    everything = bookmarks.capture(state, "everything")
    latent = Bookmark("", "latent", AppState(latent=LatentState(x=9.0)))
    transform = Bookmark("", "transform", AppState(transform=TransformState(tx=0.75)))
    assert not bookmarks.can_blend(latent, transform) and bookmarks.can_blend(everything, latent)
    bookmarks.blend(everything, latent, 0.5, state)
    assert isinstance(state.latent.latent(), Blend) and state.transform.tx == 0.25
    bookmarks.blend(transform, everything, 0.5, state)
    assert state.transform.tx == 0.5


def test_blends_of_blends_end_before_a_file_could_not_hold_them() -> None:
    latent, levels = LatentState(x=1.0), 1
    with pytest.raises(ValueError, match="too many others"):
        for step in range(20):
            latent = bookmarks.blend_latents(latent, LatentState(x=float(step)), 0.5)
            levels = count_levels(latent.latent())
    assert levels == DEEPEST


def test_a_blend_is_read_from_a_file() -> None:
    blend = Blend(SeedPoint(1.0), FILE, 0.25)
    document = {
        "type": "blend",
        "first": {"type": "seeds", "x": 1, "y": 0, "space": "w"},
        "second": {"type": "file", "space": "w", "path": FILE.path, "digest": FILE.digest},
        "amount": 0.25,
    }
    assert read_latent("kept", document) == blend
    for wrong in (-0.1, 1.5, True, "half", float("nan")):
        with pytest.raises(ValueError, match=r"kept.amount must be a number between 0 and 1"):
            read_latent("kept", {**document, "amount": wrong})
