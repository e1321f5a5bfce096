# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The grids of a run folder, reals.png and fakes: which pictures they show, and how they are put together."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan.data.image_dataset import ImageSource
from gan.data.image_io import name_rows, prepare_for_grid, save_png, tile_images


class Grid(NamedTuple):
    """A grid's layout. `indices`: the real at each place, row by row, whose label the fake there has, too.

    `names`: what each row shows, where rows are classes; else empty.
    """

    columns: int
    rows: int
    indices: np.ndarray
    names: tuple[str, ...] = ()

    def save(self, path: Path, pictures: np.ndarray) -> None:
        """Write pictures, bytes [N, H, W, C], one at each place, as a PNG."""
        sheet = tile_images(prepare_for_grid(pictures), self.columns)
        save_png(path, name_rows(sheet, self.names) if self.names else sheet)


def plan_grid(source: ImageSource, conditional: bool) -> Grid:
    """Lay out a set's grid: its first pictures, over the whole set with vectors, a class in each row with classes."""
    columns, rows = (8, 6) if source.resolution <= 256 else (4, 3)
    count, cells = len(source), columns * rows
    if not conditional or source.labels is None:
        return Grid(columns, rows, np.arange(cells) % count)
    values = source.labels.values
    if values.ndim == 2:
        return Grid(columns, rows, np.arange(cells) * count // cells)
    present = np.unique(values)
    chosen = present[np.arange(rows) * len(present) // rows]
    places = []
    for row, number in enumerate(chosen):
        earlier = int((chosen[:row] == number).sum()) * columns  # rows of the same class, where classes are few
        places.append(np.take(np.flatnonzero(values == number), np.arange(earlier, earlier + columns), mode="wrap"))
    classes = source.labels.classes
    names = tuple(classes[number] if classes else f"class {number}" for number in chosen)
    return Grid(columns, rows, np.concatenate(places), names)
