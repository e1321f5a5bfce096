# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""FID, KID, precision and recall, and the inception score, all of the same generated pictures in one pass over them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from gan.analysis.equivariance import check_finite, disable_tf32
from gan.metrics.collect import Collected, choose_rows
from gan.metrics.draws import PICTURES, Draws, own_random_numbers
from gan.metrics.features import FeatureNetwork, to_rgb_bytes
from gan.metrics.figure import Figure, key, title
from gan.metrics.frechet import frechet_distance
from gan.metrics.inception_score import SPLITS, inception_score
from gan.metrics.kernel_distance import SUBSETS, draw_subsets, kernel_distance_of_subsets
from gan.metrics.names import Metric
from gan.metrics.precision_recall import NEIGHBOUR, precision_and_recall
from gan.metrics.reals import RealFeatures
from gan.networks.generator import Generator
from gan.networks.synthesis import SynthesisOptions

MOST_REALS = 200_000  # that precision and recall compare with
FIRST_CHECK, GROWTH = 1000, 1.25  # pictures before the stop rule looks for the first time, and between two looks


class PictureMeter:
    """The metrics of a generator's pictures, drawn with random noise as the published figures are."""

    label = "pictures"

    def __init__(
        self,
        generator: Generator,
        metrics: Sequence[Metric],
        networks: Mapping[str, FeatureNetwork],
        reals: Mapping[str, RealFeatures],
        draws: Draws,
    ) -> None:
        """`networks`: by kind of metric; `reals`: measured, by kind, for those that compare with pictures."""
        self.generator, self.metrics, self.networks, self.reals = generator, tuple(metrics), networks, reals
        self.draws, self.num, self.total = draws, 0, max(metric.num for metric in metrics)
        self._next_check = FIRST_CHECK
        self._collected: dict[str, Collected] = {}  # by the network's digest
        for network in {networks[metric.kind].digest: networks[metric.kind] for metric in metrics}.values():
            of = {metric.kind: metric.num for metric in metrics if networks[metric.kind].digest == network.digest}
            rows = max(of.get("kid", 0), of.get("pr", 0))
            self._collected[network.digest] = Collected(network, of.get("fid", 0), rows, of.get("is", 0))

    @torch.no_grad()
    @disable_tf32()
    def add(self, count: int) -> None:
        """Draw and look at `count` more pictures; ConfigError if they are not finite numbers."""
        device = self.draws.device
        z, c = self.draws.latents(PICTURES, self.num, count)[:, 0], self.draws.labels(PICTURES, self.num, count)
        with own_random_numbers(device, self.draws.seed, self.num), torch.autocast(device.type, enabled=False):
            images = self.generator.synthesis(self.generator.mapping(z, c), SynthesisOptions(noise="random"))
            check_finite(images)
            pictures = to_rgb_bytes(images)
            for collected in self._collected.values():
                collected.add(pictures)
        self.num += count

    def figures(self) -> tuple[Figure, ...]:
        """Return the figures of the pictures so far."""
        found = (self._figure(metric) for metric in self.metrics)
        return tuple(figure for figure in found if figure is not None)

    def is_sure(self, limit: float) -> bool:
        """Tell whether the standard errors are below `limit`: of KID and inception score; the others have none."""
        if self.num < self._next_check or any(metric.kind in ("fid", "pr") for metric in self.metrics):
            return False
        self._next_check = math.ceil(GROWTH * self.num)
        return all(figure.error < limit for figure in self.figures())

    def describe(self) -> str:
        """Return nothing: these figures take too long to be shown while they change."""
        return ""

    def _figure(self, asked: Metric) -> Figure | None:
        """Return a figure, named by how many pictures there were; None of too few."""
        network = self.networks[asked.kind]
        collected, name = self._collected[network.digest], network.name
        error = math.nan
        if asked.kind == "fid":
            real, fake_stats = self.reals["fid"].stats, collected.stats
            if fake_stats is None or real is None or fake_stats.count < 2:
                return None
            metric = replace(asked, num=fake_stats.count)
            results = {title(metric, name): frechet_distance(real, fake_stats)}
        elif asked.kind == "is":
            if collected.probabilities is None or collected.probabilities.count < SPLITS:
                return None
            metric = replace(asked, num=collected.probabilities.count)
            mean, deviation = inception_score(collected.probabilities.values)
            results = {key(metric, name, "mean"): mean, key(metric, name, "std"): deviation}
            error = deviation / math.sqrt(SPLITS - 1)
        else:
            rows = self.reals[asked.kind].rows
            if collected.rows is None or rows is None or min(collected.rows.count, len(rows)) <= NEIGHBOUR:
                return None
            fake = collected.rows.values[: asked.num]
            metric = replace(asked, num=len(fake))
            if asked.kind == "kid":
                distance, error = estimate_kernel_distance(fake, rows)
                results = {title(metric, name): distance}
            else:
                real_rows = torch.from_numpy(rows[choose_rows(len(rows), MOST_REALS)]).to(self.draws.device)
                shares = precision_and_recall(torch.from_numpy(fake).to(self.draws.device), real_rows)
                parts = zip(("precision", "recall"), shares, strict=True)
                results = {key(metric, name, part): share for part, share in parts}
        return Figure(metric, results, error, name)


def estimate_kernel_distance(fake: np.ndarray, real: np.ndarray) -> tuple[float, float]:
    """Return KID as it is usually estimated, and its standard error.

    The subsets overlap, so that as many count as would fit beside each other; nan where fewer than two do.
    """
    fake_rows, real_rows = draw_subsets(len(fake), len(real))
    found = kernel_distance_of_subsets(fake, real, fake_rows, real_rows)
    apart = min(SUBSETS, len(fake) // fake_rows.shape[1], len(real) // real_rows.shape[1])
    return float(found.mean()), float(found.std(ddof=1) / math.sqrt(apart)) if apart > 1 else math.nan
