# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The part of a batch that one process computes at once, and random numbers that do not depend on the parts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Share:
    """Samples `index`, `index` + `of`, `index` + 2 `of`, ... of a batch of `total`.

    Dealt so, the groups of `gan.networks.discriminator.minibatch_stddev` in a share are groups of the whole batch, as
    long as `of` divides the number of groups. Random numbers are always drawn for the whole batch, so that every
    process's generator moves alike and a sample gets the same numbers in any share.
    """

    total: int
    index: int = 0
    of: int = 1

    def __len__(self) -> int:
        return len(range(self.index, self.total, self.of))

    @property
    def slice(self) -> slice:
        """The share's samples among the whole batch's."""
        return slice(self.index, self.total, self.of)

    def resize(self, total: int) -> Share:
        """Return the same share of a batch of another size."""
        return replace(self, total=total)

    def draw_normal(self, *size: int, device: torch.device | None = None) -> Tensor:
        """Draw normal numbers [N, *size] for the share's N samples."""
        return torch.randn(self.total, *size, device=device)[self.slice]

    def draw_uniform(self, *size: int, device: torch.device | None = None) -> Tensor:
        """Draw uniform numbers in [0, 1), [N, *size], for the share's N samples."""
        return torch.rand(self.total, *size, device=device)[self.slice]

    def draw_integers(self, low: int, high: int, *size: int, device: torch.device | None = None) -> Tensor:
        """Draw integers from `low` to `high` - 1, [N, *size], for the share's N samples."""
        return torch.randint(low, high, (self.total, *size), device=device)[self.slice]
