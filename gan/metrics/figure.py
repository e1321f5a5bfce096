# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""One measured figure, and what measures it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

from gan.analysis.equivariance import Estimate
from gan.metrics.names import Metric


@dataclass(frozen=True)
class Figure:
    """A metric as it was measured: `metric.num` is how many samples there were in the end.

    `results`: the figures by the literature's names; `error`: the standard error of the first, nan where the definition
    has none. `detector` is the feature network, "" where the literature means the one that was used.
    """

    metric: Metric
    results: dict[str, float]
    error: float = math.nan
    detector: str = ""
    estimate: Estimate | None = field(default=None, compare=False)  # of equivariance, with more than the decibels

    @property
    def title(self) -> str:
        """The name that the figure must not be shown without."""
        return title(self.metric, self.detector)


class Meter(Protocol):
    """A measurement of a generator, some samples at a time. `label`: of a progress bar."""

    label: str
    total: int

    @property
    def num(self) -> int:
        """Return the number of samples so far."""
        ...

    def add(self, count: int) -> None:
        """Measure `count` more samples in one batch."""
        ...

    def figures(self) -> tuple[Figure, ...]:
        """Return the figures of the samples so far; none that needs more of them."""
        ...

    def is_sure(self, limit: float) -> bool:
        """Tell whether every figure has a standard error, and it is below `limit`."""
        ...

    def describe(self) -> str:
        """Return the figures so far in a few words, "" where finding them takes long."""
        ...


def title(metric: Metric, detector: str) -> str:
    """Return a metric's name, with the feature network's where that is not the literature's."""
    return f"{metric.name} ({detector})" if detector else metric.name


def key(metric: Metric, detector: str, part: str) -> str:
    """Return the name of one of a metric's several results."""
    return f"{metric.name}_{part} ({detector})" if detector else f"{metric.name}_{part}"
