# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The gallery draws the pictures that the canvas would, each once, a slice each."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.gui import save_model

from gan.networks.mapping import Mapping
from gan.networks.synthesis import SynthesisNetwork
from viz.core import gestures
from viz.core.latent import LARGEST_SEED, Direction, Mixture, Moved, OtherModel, SeedPoint, Step, seed_point
from viz.core.request import PictureRequest, RenderRequest, build_request
from viz.core.state import SLOTS, AppState
from viz.instruments.gallery import GalleryRequest, GalleryView
from viz.loading.lru_cache import LRUCache
from viz.render.renderer import Renderer


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_model(tmp_path_factory.mktemp("models") / "t.safetensors", "T", 32)


def run(request: GalleryRequest, shown: PictureRequest) -> list[GalleryView | None]:
    return list(request.run(Renderer(), RenderRequest(right=shown)))


def test_every_cell_is_the_picture_of_its_seed(path: str) -> None:
    shown = PictureRequest(path, psi=0.7, tx=0.2, degrees=10.0, untransform=True)
    cache: LRUCache[np.ndarray] = LRUCache(100)
    slices = run(GalleryRequest("right", 7, 2, 32, cache), shown)
    assert len(slices) == 4, "one picture a slice"
    view = slices[-1]
    assert view is not None and (view.done, view.total, view.first, view.model) == (4, 4, 7, path)
    for index in range(4):
        expected = Renderer().render(PictureRequest(path, seed_point(7 + index), psi=0.7, tx=0.2, degrees=10.0)).image
        row, column = divmod(index, 2)
        cell = view.cells[32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
        assert expected is not None and np.abs(cell.astype(int) - expected).max() <= 1
    again = run(GalleryRequest("right", 9, 2, 32, cache), shown)
    assert len(again) == 2, "two were drawn before"
    assert again[-1] is not None and np.array_equal(again[-1].cells[:32], view.cells[32:])
    assert len(run(GalleryRequest("right", 9, 2, 32, cache), PictureRequest(path, psi=0.6))) == 4


def test_a_seed_costs_no_more_than_on_the_canvas(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights are made ready once a model, which takes longer than a picture, and a seed is mapped once."""
    calls: Counter[str] = Counter()

    def count(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **words: Any) -> Any:
            calls[name] += 1
            return real(*args, **words)

        return counted

    monkeypatch.setattr(SynthesisNetwork, "prepare", count("prepare", SynthesisNetwork.prepare))
    monkeypatch.setattr(Mapping, "forward", count("forward", Mapping.forward))
    run(GalleryRequest("right", 0, 2, 32, LRUCache(100)), PictureRequest(path))
    assert calls == {"prepare": 1, "forward": 4}


def test_cells_are_reduced(path: str) -> None:
    cache: LRUCache[np.ndarray] = LRUCache(100)
    view = run(GalleryRequest("right", 0, 2, 16, cache), PictureRequest(path))[-1]
    large = Renderer().render(PictureRequest(path)).image
    assert view is not None and large is not None and view.cells.shape == (32, 32, 4)
    reduced = large.astype(float).reshape(16, 2, 16, 2, 4).mean((1, 3))
    assert np.abs(view.cells[:16, :16] - reduced).mean() < 2


def test_the_last_seeds_end_the_square(path: str) -> None:
    cache: LRUCache[np.ndarray] = LRUCache(100)
    view = run(GalleryRequest("right", LARGEST_SEED - 1, 2, 32, cache), PictureRequest(path))[-1]
    assert view is not None and (view.done, view.total) == (2, 2)
    assert view.cells[:32, :, 3].all() and not view.cells[32:].any()


def test_an_empty_slot_has_none(path: str) -> None:
    assert list(GalleryRequest("left", 0, 2, 32, LRUCache(9)).run(Renderer(), RenderRequest())) == []


def test_seeds_are_mixed_and_moved_as_the_picture_is(path: str) -> None:
    steps = (Step(Direction("closed-form", 0), 2.0),)
    shown = PictureRequest(path, Moved(Mixture(SeedPoint(0.5), seed_point(9), (3,)), steps))
    view = run(GalleryRequest("right", 4, 1, 32, LRUCache(9)), shown)[-1]
    expected = PictureRequest(path, Moved(Mixture(seed_point(4), seed_point(9), (3,)), steps))
    image = Renderer().render(expected).image
    assert view is not None and image is not None and np.abs(view.cells.astype(int) - image).max() <= 1


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("together", [True, False])
def test_w_s_of_the_other_slot_are_those_that_a_click_gives(
    path: str, tmp_path: Path, *, linked: bool, together: bool
) -> None:
    state, step = AppState(), Step(Direction("closed-form", 0), 2.0)
    state.left.path, state.right.path = save_model(tmp_path / "other.safetensors", "T", 32, seed=3), path
    state.latent.x, state.latent.directions.steps = 58.0, (step,)
    state.link(linked)
    own = state.latent_of("right")
    own.mix_with, own.mixed = "other slot", [2, 3, 4, 5, 6, 7]
    shown = build_request(state).right
    assert shown is not None
    together = together or linked
    view = run(GalleryRequest("right", 7, 1, 32, LRUCache(9), together), shown)[-1]
    for slot in SLOTS if together else SLOTS[1:]:
        gestures.go_to(state.latent_of(slot), 7.0, 0.0)
    clicked = build_request(state).right
    assert clicked is not None
    expected = Renderer().render(clicked).image
    assert view is not None and expected is not None and np.abs(view.cells.astype(int) - expected).max() <= 1


def test_cells_are_drawn_again_where_the_other_models_file_is_another(path: str, tmp_path: Path) -> None:
    other = save_model(tmp_path / "other.safetensors", "T", 32, seed=3)
    shown = PictureRequest(path, Mixture(SeedPoint(), OtherModel(other, seed_point(9)), tuple(range(16))))
    cache = LRUCache[np.ndarray](9)
    before = run(GalleryRequest("right", 4, 1, 32, cache), shown)[-1]
    save_model(tmp_path / "other.safetensors", "T", 32, seed=4)
    after = run(GalleryRequest("right", 4, 1, 32, cache), shown)[-1]
    expected = Renderer().render(shown).image
    assert before is not None and after is not None and expected is not None
    assert np.abs(after.cells.astype(int) - expected).max() <= 1 < np.abs(before.cells.astype(int) - expected).max()
