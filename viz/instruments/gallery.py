# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The gallery: a square of seeds of one model, drawn with the settings of its picture, while the pictures rest."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from viz.core.latent import LARGEST_SEED, put_base, seed_point
from viz.core.request import PictureRequest, RenderRequest
from viz.core.state import Slot
from viz.loading.lru_cache import LRUCache
from viz.render.jobs import REPORT_SECONDS, JobRequest

if TYPE_CHECKING:
    from viz.render.renderer import Renderer

PICTURES_KEPT = 400  # small ones: four pages of the largest size
LARGEST_CELL = 192  # pixels


@dataclass(frozen=True, eq=False)
class GalleryView:
    """The panel's contents: `cells` are uint8 [rows h, size w, 4], transparent where a picture is still to come."""

    model: str
    first: int
    size: int
    cells: np.ndarray
    done: int  # of `total` pictures
    total: int


@dataclass(frozen=True)
class GalleryRequest(JobRequest[GalleryView]):
    """Draw `size` x `size` seeds from `first` on, reduced to about `cell` pixels; `kept` holds those drawn before.

    `together`: the other slot takes the seed as well, so w's that are mixed in from there are the seed's, too.
    """

    slot: Slot
    first: int
    size: int
    cell: int
    kept: LRUCache[np.ndarray] = field(compare=False)
    together: bool = False

    at_rest = True

    def run(self, renderer: Renderer, shown: RenderRequest) -> Iterator[GalleryView | None]:
        """Draw a picture a slice."""
        picture = shown.slot(self.slot)
        if picture is None:
            return
        seeds = range(self.first, min(self.first + self.size**2, LARGEST_SEED + 1))
        from viz.render.model_keys import make_keys

        found: dict[int, np.ndarray] = {}
        keys = make_keys(picture)
        reported = -math.inf
        for seed in seeds:
            latent = put_base(picture.latent, seed_point(seed), in_others=self.together)
            request = replace(picture, latent=latent, untransform=False)
            make = partial(self._draw, renderer, request)
            found[seed], is_new = self.kept.get((keys, request, self.cell), make)
            if len(found) == len(seeds) or (is_new and time.monotonic() - reported > REPORT_SECONDS):
                reported = time.monotonic()
                yield self._view(picture.model, found, len(seeds))
            elif is_new:
                yield None

    def _draw(self, renderer: Renderer, request: PictureRequest) -> tuple[np.ndarray, float]:
        """Return uint8 [h, w, 4] and the cost 1. What the canvas keeps for its next picture stays as it is."""
        from torch.nn.functional import avg_pool2d

        from viz.render.postprocess import to_rgba8

        picture = renderer.render_apart(request)
        factor = max(1, round(picture.shape[3] / self.cell))
        small = avg_pool2d(picture, factor) if factor > 1 else picture
        return to_rgba8(small, enlarge=False)[0].cpu().numpy(), 1.0

    def _view(self, model: str, found: dict[int, np.ndarray], total: int) -> GalleryView:
        from gan.data.image_io import tile_images

        pictures = list(found.values())
        cells = np.zeros((self.size**2, *pictures[0].shape), np.uint8)
        cells[: len(pictures)] = pictures
        return GalleryView(model, self.first, self.size, tile_images(cells, self.size), len(pictures), total)
