# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The random numbers of one batch's augmentation, or a percentile in their place."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gan.shares import Share


@dataclass(frozen=True)
class Draws:
    """Random numbers for a share of a batch's pictures, drawn on the host, so that a GPU never waits for what they say.

    `percentile` in place of them makes the pipeline deterministic: a uniform number becomes it, a normal one
    erfinv(2 percentile - 1), and everything is applied.
    """

    share: Share
    p: float
    percentile: float | None = None

    @property
    def count(self) -> int:
        """The number of pictures."""
        return len(self.share)

    def uniform(self, *size: int) -> Tensor:
        """Return uniform numbers in [0, 1), [count, *size]."""
        if self.percentile is not None:
            return torch.full((self.count, *size), self.percentile)
        return self.share.draw_uniform(*size)

    def normal(self, *size: int) -> Tensor:
        """Return normal numbers [count, *size]."""
        if self.percentile is not None:
            return torch.erfinv(torch.full((self.count, *size), 2 * self.percentile - 1))
        return self.share.draw_normal(*size)

    def half_normal(self, *size: int) -> Tensor:
        """Return absolute values of normal numbers [count, *size]."""
        if self.percentile is not None:
            return torch.erfinv(torch.full((self.count, *size), self.percentile))
        return self.share.draw_normal(*size).abs()

    def apply(self, values: Tensor, factor: float, identity: float) -> Tensor:
        """Return values [count, ...] of the pictures chosen with p times `factor`, `identity` of the others."""
        return self.apply_with(values, self.p * factor, identity)

    def apply_with(self, values: Tensor, probability: float, identity: float) -> Tensor:
        """Return values [count, ...] of the pictures chosen with this probability, `identity` of the others."""
        if self.percentile is not None:
            return values if probability > 0 else torch.full_like(values, identity)
        chosen = self.share.draw_uniform() < probability
        return torch.where(chosen.view(-1, *[1] * (values.ndim - 1)), values, identity)
