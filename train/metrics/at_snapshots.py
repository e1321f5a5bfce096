# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Measure a run's snapshots while it trains: figures for metric-NAME.jsonl, without a trace in the training itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gan.analysis.equivariance import check_movable
from gan.cli.download_bar import fetch_with_bar
from gan.data.image_dataset import ImageSource
from gan.metrics.figure import Figure
from gan.metrics.measure import Measurement, check_counts
from gan.metrics.names import EQUIVARIANCE, Metric, parse_metrics
from gan.networks.config import GeneratorConfig
from gan.networks.generator import Generator
from gan.networks.labels import Label
from train.metrics.detectors import open_networks
from train.metrics.records import append_record

MOVING = (*EQUIVARIANCE, "stickiness")  # metrics of generators that can be moved


class StopMeasuring(Exception):
    """A request to end the run, while a snapshot was measured."""


def check_metrics(metrics: Sequence[Metric], config: GeneratorConfig, source: ImageSource | None, mirror: bool) -> None:
    """Raise ConfigError for a metric that snapshots of a run on `source` (None: not there yet) cannot have."""
    for metric in metrics:
        if metric.kind in MOVING:
            check_movable(config, metric.name)
    check_counts(metrics, source, mirror)


class SnapshotMetrics:
    """The metrics of a run's snapshots, with their feature networks open.

    `detectors`: what may be kept of these networks' names, without secrets.
    """

    def __init__(
        self,
        names: Sequence[str],
        detectors: Sequence[str],
        config: GeneratorConfig,
        source: ImageSource,
        mirror: bool,
        device: str,
        is_asked: bool = True,
    ) -> None:
        """Open them, before the run begins: MissingFeatures or ConfigError for what cannot be measured.

        `source`: the whole set, also where the run trains on a part of it; `is_asked`: as in `open_networks`.
        """
        self.metrics, self.source, self.mirror = parse_metrics(names), source, mirror
        check_metrics(self.metrics, config, source, mirror)
        self.networks, self.detectors = open_networks(self.metrics, detectors, device, fetch_with_bar, is_asked)

    def measure(
        self, generator: Generator, run: Path, snapshot: str, is_stopped: Callable[[], bool], label: Label | None
    ) -> Iterator[Figure]:
        """Measure a snapshot, add its figures to the run folder, and yield them; `label`: as in Draws.

        StopMeasuring as soon as `is_stopped`, which is asked for each batch; nothing is added then. The random numbers
        of training stay as they are.
        """

        def check(*_: object) -> None:
            if is_stopped():
                raise StopMeasuring

        given = (generator, self.metrics, self.networks, self.source)
        measurement = Measurement(*given, mirror=self.mirror, label=label)
        measurement.run(check)
        for figure, seconds in measurement.figures():
            append_record(run, figure, seconds, snapshot)
            yield figure
