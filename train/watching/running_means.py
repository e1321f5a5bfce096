# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The means of a tick's statistics, for stats.jsonl."""

from __future__ import annotations

import math

import torch

MEANS = ("loss_g", "loss_d", "r1", "pl", "d_real_sign", "d_fake_sign", "augment_p", "grad_nonfinite")


class RunningMeans:
    """Running means of a tick's statistics, kept on the device so that a step never waits for a number.

    `finite_only`: a step's value that is not finite is left out, and only a mean without any other is NaN. For float16,
    where one overflow spoils one step and no more.
    """

    def __init__(self, finite_only: bool = False) -> None:
        self.finite_only = finite_only
        self._sums: dict[str, torch.Tensor] = {}  # sum and count, [2]

    def add(self, stats: dict[str, torch.Tensor]) -> None:
        """Add one step's statistics, 0-d tensors by name."""
        for name, value in stats.items():
            counts = torch.isfinite(value) if self.finite_only else torch.ones_like(value, dtype=torch.bool)
            both = torch.stack([torch.where(counts, value, 0.0), counts.to(value.dtype)])
            self._sums[name] = self._sums[name] + both if name in self._sums else both

    def take(self) -> dict[str, float | None]:
        """Return the means by name, None for what was not measured, and start afresh."""
        names = list(self._sums)
        sums = torch.stack([self._sums[name] for name in names]).tolist() if names else []
        found = {name: total / count if count else math.nan for name, (total, count) in zip(names, sums, strict=True)}
        self._sums = {}
        return {name: found.get(name) for name in MEANS}
