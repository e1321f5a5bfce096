# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Pictures of a run's set that cannot be read: left out, counted, and replaced by others, up to a limit."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from gan.data.file_sets import ImageError
from gan.data.image_dataset import LISTED, DamagedPicture, ImageSource, limit_damage
from gan.data.verify import Verifier
from gan.files.errors import sanitize_text


class SourceReader:
    """Batches of a set that may hold damaged pictures, found by drawing them or by the check in the background.

    A picture that does not decode is replaced by the next one in the set that does. That depends on the files alone,
    so that a run which was stopped and resumed sees what it would have seen.
    """

    def __init__(self, source: ImageSource, cache_folder: Path | None = None) -> None:
        self.source, self.verifier = source, Verifier(source, cache_folder)
        self.limit = limit_damage(len(source))
        self._met: dict[str, str] = {}  # name -> why, of those that were drawn
        self._told: set[str] = set()

    @property
    def damaged(self) -> dict[str, str]:
        """The damaged pictures known so far, name -> why."""
        return self.verifier.damaged.copy() | self._met

    def check(self) -> None:
        """Raise ImageError if more pictures are damaged than a run may leave out."""
        damaged = self.damaged
        if len(damaged) > self.limit:
            raise ImageError(
                f"{len(damaged)} of the {len(self.source)} pictures in {self.source.path} cannot be read "
                f"({_list_names(damaged)}), and a run leaves out {self.limit} at most; "
                "`python train.py dataset check` lists them: repair or remove them."
            )

    def read(self, indices: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which pictures were read for `indices`, int64 [N], and their bytes [N, C, S, S]. ImageError."""
        if self.source.cached:
            return np.asarray(indices), self.source.batch(indices)
        self.check()
        with ThreadPoolExecutor(self.source.readers) as pool:
            found = list(pool.map(self._read_one, (int(index) for index in indices)))
        return np.asarray([index for index, _ in found]), np.stack([pixels for _, pixels in found])

    def describe_news(self) -> str:
        """Say in a sentence which pictures were left out since the last call; "" if none were."""
        damaged = self.damaged
        news = {name: why for name, why in damaged.items() if name not in self._told}
        if not news:
            return ""
        self._told |= news.keys()
        total = f"; {len(damaged)} of {len(self.source)} so far" if len(damaged) > len(news) else ""
        return f"Left out, for they cannot be read: {_list_names(news)}{total}."

    def _read_one(self, index: int) -> tuple[int, np.ndarray]:
        count = len(self.source)
        for step in range(count):
            candidate = (index + step) % count
            try:
                return candidate, self.source.read(candidate)
            except DamagedPicture as error:
                self._met[error.name] = error.why
                self.check()
        raise AssertionError  # the check fails before all are damaged


def _list_names(damaged: dict[str, str]) -> str:
    shown = ", ".join(f"{sanitize_text(name, 100)} ({why})" for name, why in list(damaged.items())[:LISTED])
    return f"{shown} and {len(damaged) - LISTED} more" if len(damaged) > LISTED else shown
