# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Precision and recall of two sets of features (Kynkaanniemi et al. 2019)."""

from __future__ import annotations

import torch
from torch import Tensor

NEIGHBOUR = 3  # of which a feature's ball has the radius
ROWS = 2048  # of the matrix of distances that are held at once


def precision_and_recall(fake: Tensor, real: Tensor, neighbour: int = NEIGHBOUR) -> tuple[float, float]:
    """Return the share of fakes [N, D] in a ball of the reals [M, D], and of reals in one of the fakes.

    A ball's radius is the distance to the `neighbour`-th nearest other of its own set.
    """
    return _share_inside(fake, real, neighbour), _share_inside(real, fake, neighbour)


def _share_inside(probes: Tensor, centres: Tensor, neighbour: int) -> float:
    if len(centres) <= neighbour:
        raise ValueError(f"Precision and recall need more than {neighbour} pictures of each, not {len(centres)}.")
    radii = torch.cat(
        # Its nearest is the feature itself, at 0.
        [torch.cdist(rows, centres).kthvalue(neighbour + 1, dim=1).values for rows in centres.split(ROWS)]
    )
    inside = torch.cat([(torch.cdist(rows, centres) <= radii).any(dim=1) for rows in probes.split(ROWS)])
    return float(inside.double().mean())
