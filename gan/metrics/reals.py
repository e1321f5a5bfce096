# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Features of a picture set, remembered by what they are of: the set's files, the network, mirrored or not.

    features/<key>-sums.npz   count, sums, products: for FID
    features/<key>-rows.npz   rows: for KID, precision and recall

The key is a digest; the files are arrays, never code, and the oldest go when they grow beyond CACHE_LIMIT.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch

from gan.data.file_sets import ImageError
from gan.data.image_dataset import DamagedPicture, ImageSource, limit_damage
from gan.files.atomic_write import atomic_write
from gan.files.user_cache import find_user_cache
from gan.metrics.collect import Collected, Rows, sum_rows
from gan.metrics.features import FeatureNetwork, to_rgb_bytes
from gan.metrics.frechet import FeatureStats

FOLDER = "features"  # in the user's cache folder
CACHE_LIMIT = 8 * 2**30  # bytes; the newest file stays whatever its size
MOST_ROWS = 1_000_000  # features that are kept of a set
Progress = Callable[[int, int], None]  # (done, total); what it raises ends the work


class RealFeatures:
    """Features of all pictures of a set, and with `mirror` of their mirror images."""

    def __init__(
        self, source: ImageSource, network: FeatureNetwork, mirror: bool = False, folder: Path | None = None
    ) -> None:
        """`folder`: where they are remembered; None: in the user's cache folder, or nowhere if there is none."""
        self.source, self.network, self.mirror = source, network, mirror
        self.total = len(source) * (2 if mirror else 1)
        words = f"{source.stamp}\0{network.digest}\0{mirror}"
        self._key = hashlib.sha256(words.encode()).hexdigest()[:40]
        self._folder = find_folder() if folder is None else folder
        self.stats: FeatureStats | None = None
        self.rows: Rows | None = None
        self._damaged = 0  # pictures, so far

    def find(self, needs_sums: bool, needs_rows: bool) -> bool:
        """Take what is remembered; return whether that is all that is needed."""
        if needs_rows:
            self.rows = self._load_rows()
        if needs_sums:
            self.stats = self._load_sums()
            if self.stats is None and self.total <= MOST_ROWS and (rows := self._load_rows()) is not None:
                self.stats = sum_rows(rows)
        return not (needs_sums and self.stats is None or needs_rows and self.rows is None)

    def measure(self, needs_sums: bool, needs_rows: bool, batch: int, progress: Progress) -> None:
        """Look at every picture, and remember what is found. ImageError."""
        collected = Collected(self.network, self.total if needs_sums else 0, MOST_ROWS if needs_rows else 0)
        done = self._damaged = 0
        progress(0, self.total)
        for start in range(0, len(self.source), batch):
            indices = range(start, min(start + batch, len(self.source)))
            pictures = to_rgb_bytes(torch.from_numpy(np.ascontiguousarray(self._read(indices))))
            if len(pictures):
                collected.add(pictures)
                if self.mirror:
                    collected.add(pictures.flip(3))
            done += len(indices) * (2 if self.mirror else 1)
            progress(done, self.total)
        if collected.stats is not None:
            self.stats = collected.stats
            sums, products = self.stats.sums
            self._keep("sums", count=np.array(self.stats.count), sums=sums, products=products)
        if collected.rows is not None:
            self.rows = collected.rows.values
            self._keep("rows", rows=self.rows)

    def _read(self, indices: range) -> np.ndarray:
        """Read pictures; those of a large set that are damaged are left out, as a run leaves them out."""
        try:
            return self.source.batch(list(indices))
        except DamagedPicture as error:
            last = error
        found = []
        for index in indices:
            try:
                found.append(self.source.read(index))
            except DamagedPicture as error:
                last = error
        self._damaged += len(indices) - len(found)
        if self._damaged > limit_damage(len(self.source)):
            raise last
        shape = (0, self.source.channels, self.source.resolution, self.source.resolution)
        return np.stack(found) if found else np.empty(shape, np.uint8)

    def _load_sums(self) -> FeatureStats | None:
        found = self._load("sums", "count", "sums", "products")
        with suppress(ValueError, TypeError):
            stats = FeatureStats.restore(int(found["count"]), found["sums"], found["products"]) if found else None
            if stats is not None and len(stats.mean) == self.network.width and np.isfinite(stats.covariance).all():
                return stats
        return None

    def _load_rows(self) -> Rows | None:
        rows = self._load("rows", "rows").get("rows")
        if rows is None or rows.dtype != np.float32 or rows.ndim != 2 or rows.shape[1] != self.network.width:
            return None
        return rows if len(rows) and np.isfinite(rows).all() else None

    def _load(self, what: str, *names: str) -> dict[str, np.ndarray]:
        """Return arrays that were remembered, none where a file is missing or damaged."""
        if self._folder is None:
            return {}
        path = self._folder / f"{self._key}-{what}.npz"
        try:
            with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
                found = {name: file[name] for name in names}
            os.utime(path)  # used now
        except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile, MemoryError):
            return {}
        return found

    def _keep(self, what: str, **arrays: np.ndarray) -> None:
        if self._folder is None:
            return
        with suppress(OSError):  # without a cache they are measured again
            with atomic_write(self._folder / f"{self._key}-{what}.npz") as temporary:
                np.savez(temporary, allow_pickle=False, **arrays)
            self._evict()

    def _evict(self) -> None:
        assert self._folder is not None
        kept = sorted(self._folder.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
        total = 0
        for path in kept:
            total += path.stat().st_size
            if total > CACHE_LIMIT and path != kept[0]:
                path.unlink(missing_ok=True)


def check_source(source: ImageSource, resolution: int, channels: int) -> None:
    """Raise ImageError for a set whose pictures are not of a model's size."""
    if (source.resolution, source.channels) != (resolution, channels):
        raise ImageError(
            f"{source.path} holds pictures of {source.resolution}x{source.resolution} with {source.channels} "
            f"channel{'s' * (source.channels > 1)}, and the model draws {resolution}x{resolution} with {channels}: "
            "give the set that it was trained on, or one converted alike."
        )


def find_folder() -> Path | None:
    """Return the folder in the user's cache folder; None where there is none."""
    cache = find_user_cache()
    return None if cache is None else cache / FOLDER
