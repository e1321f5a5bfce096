# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The statistics of models' w's, kept in the user's cache folder: a model's are measured once."""

from contextlib import suppress
from pathlib import Path

import numpy as np

from gan.analysis.directions import WStatistics
from gan.data.latent_files import LARGEST_FILE, LatentError, read_arrays
from gan.files.atomic_write import atomic_write
from gan.hub import cache
from gan.hub.url import DownloadError

FILES_KEPT = 64  # of two megabytes each for a w of 512 numbers


def load_statistics(name: str, w_dim: int) -> WStatistics | None:
    """Return the statistics kept as `name`, a fingerprint; None where there are none, or a damaged file."""
    path = _find_path(name)
    if path is None or not path.exists():
        return None
    try:
        arrays, _ = read_arrays(path, "table")
        mean, covariance = (arrays[part].astype(np.float64) for part in ("mean", "covariance"))
    except (LatentError, KeyError, ValueError):
        return None
    fits = mean.shape == (w_dim,) and covariance.shape == (w_dim, w_dim)
    if not fits or not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        return None
    return WStatistics(mean, covariance)


def keep_statistics(name: str, statistics: WStatistics) -> None:
    """Keep them, in the place of the oldest if there are many; where nothing can be written, nothing is."""
    path = _find_path(name)
    if path is None or statistics.covariance.nbytes > LARGEST_FILE // 2:
        return
    with suppress(OSError):
        with atomic_write(path) as temporary:
            np.savez(temporary, mean=statistics.mean, covariance=statistics.covariance)
        for old in sorted(path.parent.glob("*.npz"), key=lambda file: file.stat().st_mtime)[:-FILES_KEPT]:
            old.unlink()


def _find_path(name: str) -> Path | None:
    try:
        return cache.cache_folder().parent / "directions" / f"{name}.npz"
    except DownloadError:
        return None
