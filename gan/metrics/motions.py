# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Path lengths, equivariance and stickiness as meters: metrics of how a generator's pictures change."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gan.analysis.equivariance import EquivarianceMeter, check_finite, disable_tf32
from gan.analysis.metric_names import MIN_SAMPLES, TITLES
from gan.analysis.stickiness import StickinessMeter
from gan.data.image_io import to_rgb
from gan.metrics.draws import PATHS, Draws, own_random_numbers
from gan.metrics.figure import Figure, title
from gan.metrics.names import Metric
from gan.metrics.path_length import EPSILON, estimate_path_length, squared_distances
from gan.metrics.torchscript import TorchScriptFeatures
from gan.networks.config import ConfigError
from gan.networks.generator import Generator
from gan.networks.labels import Label
from gan.networks.synthesis import SynthesisOptions
from gan.networks.synthesis_stylegan2 import draw_planes
from gan.shares import Share

LARGEST = 256  # pixels of what is compared; larger pictures are averaged over squares first
GROWTH = 1.1  # of the samples between two looks of the stop rule


class PathLengthMeter:
    """PPL in w at the paths' ends, of whole pictures: pairs EPSILON of a path apart, noise drawn for each pair."""

    def __init__(self, generator: Generator, metric: Metric, network: TorchScriptFeatures, draws: Draws) -> None:
        self.generator, self.network, self.draws = generator, network, draws
        self.label, self.num, self.total, self._kind = "pairs of pictures", 0, metric.num, metric.kind
        self._distances: list[np.ndarray] = []
        self._next_check = MIN_SAMPLES

    @torch.no_grad()
    @disable_tf32()
    def add(self, count: int) -> None:
        """Measure `count` more pairs; ConfigError if the pictures are not finite numbers."""
        z, c = self.draws.latents(PATHS, self.num, count, each=2), self.draws.labels(PATHS, self.num, count)
        device = self.draws.device
        with own_random_numbers(device, self.draws.seed, self.num), torch.autocast(device.type, enabled=False):
            begin, end = self.generator.mapping(z[:, 0], c), self.generator.mapping(z[:, 1], c)
            ws = torch.cat([begin, begin.lerp(end, EPSILON)])
            planes = draw_planes(self.generator.config, Share(count), device) or {}
            planes = {name: plane.repeat(2, 1, 1, 1) for name, plane in planes.items()}
            images = self.generator.synthesis(ws, SynthesisOptions(noise="const", planes=planes or None))
            check_finite(images)
            found = self.network.perceive(shrink(to_rgb(images)).add(1).mul(127.5)).cpu().numpy()
        first, second = found.reshape(2, count, -1)
        self._distances.append(squared_distances(first, second))
        self.num += count

    def figures(self) -> tuple[Figure, ...]:
        """Return the mean length, with the standard error of the mean of what is averaged."""
        if not self.num:
            return ()
        metric = Metric(self._kind, self.num)
        length, error = estimate_path_length(np.concatenate(self._distances))
        return (Figure(metric, {title(metric, self.network.name): length}, error, self.network.name),)

    def is_sure(self, limit: float) -> bool:
        """Tell whether the standard error is below `limit`."""
        if self.num < self._next_check:
            return False
        self._next_check = math.ceil(GROWTH * self.num)
        return all(figure.error < limit for figure in self.figures())

    def describe(self) -> str:
        """Return the mean length so far."""
        return ", ".join(f"{figure.title} {next(iter(figure.results.values())):.1f}" for figure in self.figures())


class EquivarianceOf:
    """Metrics of equivariance of the same number of samples."""

    def __init__(self, generator: Generator, metrics: Sequence[Metric], seed: int, label: Label | None) -> None:
        self._meter = EquivarianceMeter(generator, [metric.kind for metric in metrics], seed, label)
        self.label, self.total = "motions", metrics[0].num

    @property
    def num(self) -> int:
        return self._meter.num

    def add(self, count: int) -> None:
        """Measure `count` more samples."""
        self._meter.add(count)

    def figures(self) -> tuple[Figure, ...]:
        """Return the decibels of each."""
        if not self.num:
            return ()
        found = []
        for estimate in self._meter.estimates:
            metric = Metric(estimate.metric, estimate.num)
            found.append(Figure(metric, {metric.name: estimate.db}, estimate.db_error, estimate=estimate))
        return tuple(found)

    def is_sure(self, limit: float) -> bool:
        """Tell whether every standard error is below so many dB, after MIN_SAMPLES at least."""
        if self.num < MIN_SAMPLES:
            return False
        return all(found.db_error < limit or math.isinf(found.db) for found in self._meter.estimates)

    def describe(self) -> str:
        """Return the decibels so far."""
        found = self._meter.estimates if self.num else ()
        return ", ".join(f"{TITLES[one.metric]} {one.db:.1f} ±{format_error(one.db_error)} dB" for one in found)


class StickinessOf:
    """The share of fine detail that stays on the screen when the content moves by a pixel."""

    def __init__(self, generator: Generator, metric: Metric, seed: int, label: Label | None) -> None:
        self._meter = StickinessMeter(generator, seed, label=label)
        self.label, self.total = "latents", metric.num

    @property
    def num(self) -> int:
        return self._meter.num

    def add(self, count: int) -> None:
        """Measure `count` more latents."""
        for _ in range(count):
            while not self._meter.add():
                pass

    def figures(self) -> tuple[Figure, ...]:
        """Return the share at the shortest distance; nan where the pictures have no fine detail."""
        if not self.num:
            return ()
        metric = Metric("stickiness", self.num)
        stays, error = self._estimate()
        return (Figure(metric, {metric.name: stays}, error),)

    def _estimate(self) -> tuple[float, float]:
        try:
            found = self._meter.estimate
        except ConfigError:  # other metrics of these pictures are not lost for that
            return math.nan, math.nan
        return found.stays, found.stays_error

    def is_sure(self, limit: float) -> bool:
        """Tell whether the standard error is below `limit`, after MIN_SAMPLES latents at least."""
        return self.num >= MIN_SAMPLES and self._estimate()[1] < limit

    def describe(self) -> str:
        """Return the share so far."""
        return f"stickiness {self._estimate()[0]:.3f}" if self.num else ""


def format_error(value: float) -> str:
    """Format a standard error of decibels; "?" for that of one sample, or of no error at all."""
    return f"{value:.2f}" if math.isfinite(value) else "?"


def shrink(images: Tensor) -> Tensor:
    """Average pictures over whole squares, so that they are at most LARGEST pixels wide."""
    factor = images.shape[2] // LARGEST
    return torch.nn.functional.avg_pool2d(images, factor) if factor > 1 else images
