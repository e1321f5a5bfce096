# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A walk passes its seeds on the closed cubic spline of their w's, and deals them as the official tool's grid does."""

from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from support.gui import save_model

from viz.core.latent import seed_point
from viz.core.request import PictureRequest
from viz.record.video.formats import VideoError
from viz.record.video.seed_walk import SeedWalk, deal_seeds, spline_weights
from viz.render.renderer import Renderer


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 40])
def test_weights_are_those_of_the_periodic_cubic_spline(count: int) -> None:
    knots = np.random.RandomState(count).randn(count, 5)
    spline = CubicSpline(np.arange(count + 1), np.concatenate([knots, knots[:1]]), bc_type="periodic")
    for time in (0.0, 0.25, count - 0.5, count / 3, count - 1e-9):
        weights = spline_weights(count, time)
        assert weights.sum() == pytest.approx(1)
        np.testing.assert_allclose(weights @ knots, spline(time), atol=1e-9)


def test_a_walk_passes_its_seeds_and_closes(tmp_path: Path) -> None:
    request = PictureRequest(model=save_model(tmp_path / "t.safetensors", "T", 32), psi=0.7)
    walk = SeedWalk(request, deal_seeds(range(8), 2), (2, 1), 6)
    assert (walk.count, walk.size) == (24, (64, 32))
    renderer = Renderer()
    for index, seed in ((0, 0), (6, 1), (18, 3)):
        picture = renderer.render(PictureRequest(request.model, seed_point(seed), psi=0.7)).image
        assert picture is not None
        assert abs(walk.draw(index)[:, :32].astype(int) - picture[:, :, :3]).max() <= 1
    frames = [walk.draw(index).astype(float) for index in range(24)]
    steps = [abs(frames[index] - frames[index - 1]).mean() for index in range(24)]  # the first: from the last
    assert steps[0] < 3 * np.median(steps) and np.median(steps) > 0


def test_seeds_are_dealt_cell_by_cell() -> None:
    assert deal_seeds(range(8), 4).tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert deal_seeds([5, 6, 7], 2, 2).tolist() == [[5, 6], [7, 5]]
    shuffled = deal_seeds(range(32), 8, shuffle=1)
    assert shuffled.shape == (8, 4) and sorted(shuffled.ravel()) == list(range(32))
    assert shuffled.tolist() == deal_seeds(range(32), 8, shuffle=1).tolist() != deal_seeds(range(32), 8).tolist()
    with pytest.raises(VideoError, match="24 or 32"):
        deal_seeds(range(31), 8)
    with pytest.raises(VideoError, match="give 8,"):
        deal_seeds(range(3), 8)
