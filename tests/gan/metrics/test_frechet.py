# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Frechet distance: its closed form for known Gaussians, and the published code's numbers."""

from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from gan.metrics.frechet import FeatureStats, frechet_distance

VECTORS = Path(__file__).resolve().parents[4] / "shared" / "conformance-metrics" / "metrics.safetensors"


def stats_of(features: np.ndarray) -> FeatureStats:
    stats = FeatureStats(features.shape[1])
    for part in np.array_split(features, 3):
        stats.add(part)
    return stats


def test_of_scaled_and_moved_clouds_it_is_known() -> None:
    cloud = np.random.default_rng(0).standard_normal((500, 7))
    first, second = stats_of(cloud), stats_of(2 * cloud + np.arange(7))
    moved = np.square(first.mean - second.mean).sum()
    assert frechet_distance(first, second) == pytest.approx(moved + np.trace(first.covariance), rel=1e-9)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-6)


@pytest.mark.skipif(not VECTORS.exists(), reason="the published numbers are not here")
def test_the_published_number() -> None:
    with safe_open(VECTORS, "np") as file:
        prefixes = {name.rpartition("in/real")[0] for name in file.keys() if name.endswith("in/real")}
        assert prefixes
        for prefix in prefixes:
            found = frechet_distance(
                stats_of(file.get_tensor(f"{prefix}in/real")), stats_of(file.get_tensor(f"{prefix}in/fake"))
            )
            expected = [name for name in file.keys() if name.startswith(prefix) and name.endswith("/fid")]
            assert expected, sorted(file.keys())
            assert found == pytest.approx(float(file.get_tensor(expected[0])), rel=1e-6)
