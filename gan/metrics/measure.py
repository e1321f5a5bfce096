# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Measure a generator by any metrics, each picture drawn and looked at once for all that ask for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from gan.data.image_dataset import ImageSource
from gan.metrics.draws import Draws
from gan.metrics.features import FeatureNetwork, MissingFeatures
from gan.metrics.figure import Figure, Meter
from gan.metrics.motions import EquivarianceOf, PathLengthMeter, StickinessOf
from gan.metrics.names import EQUIVARIANCE, LEAST, OF_PICTURES, WITH_DATA, Metric, select
from gan.metrics.pictures import PictureMeter
from gan.metrics.reals import RealFeatures, check_source
from gan.metrics.torchscript import TorchScriptFeatures
from gan.networks.config import ConfigError
from gan.networks.generator import Generator, choose_batch_size
from gan.networks.labels import Label

Progress = Callable[[str, int, int, str], None]  # (of what, done, total, figures so far); what it raises ends the work


def check_counts(metrics: Sequence[Metric], source: ImageSource | None, mirror: bool) -> None:
    """Raise ConfigError for a metric of fewer pictures than it needs, the model's or the set's."""
    for metric in metrics:
        least = LEAST.get(metric.kind, 1)
        if metric.num < least:
            raise ConfigError(f"{metric.name} needs at least {least} pictures: give a larger number.")
        reals = len(source) * (1 + mirror) if source is not None else least
        if source is not None and metric.kind in ("kid", "pr") and reals < least:
            raise ConfigError(
                f"{metric.name} needs a set of at least {least} pictures, and {source.name} has {reals}: leave it out."
            )


class Measurement:
    """A measurement of one generator: `run` does it, `figures` are what was measured, also where `run` was ended."""

    def __init__(
        self,
        generator: Generator,
        metrics: Sequence[Metric],
        networks: Mapping[str, FeatureNetwork],
        source: ImageSource | None = None,
        *,
        mirror: bool = False,
        seed: int = 0,
        batch: int | None = None,
        label: Label | None = None,
        cache: Path | None = None,
    ) -> None:
        """Prepare it; `networks`: by kind of metric, for all that need one.

        `source`, with `mirror` both ways round: for the kinds WITH_DATA; `label`: as in Draws; `cache`: as in
        RealFeatures. ImageError for a set of another size, ConfigError for a metric that the generator cannot have, or
        that is of too few pictures.
        """
        config = generator.config
        self._batch = batch or choose_batch_size(config.resolution)
        self._networks, self._metrics = networks, tuple(metrics)
        check_counts(metrics, source, mirror)
        draws = Draws(generator, seed, source, label)
        self._reals: dict[str, RealFeatures] = {}
        for metric in select(metrics, WITH_DATA):
            if source is None:
                raise ValueError(f"{metric.name} needs a picture set.")
            check_source(source, config.resolution, config.img_channels)
            network = networks[metric.kind]
            same = (one for kind, one in self._reals.items() if networks[kind].digest == network.digest)
            self._reals[metric.kind] = next(same, None) or RealFeatures(source, network, mirror, cache)
        meters: list[Meter] = []
        if of_pictures := select(metrics, OF_PICTURES):
            meters.append(PictureMeter(generator, of_pictures, networks, self._reals, draws))
        for metric in select(metrics, ("ppl",)):
            network = networks["ppl"]
            if not isinstance(network, TorchScriptFeatures):
                raise MissingFeatures(f"{metric.name} needs vgg16.pt; {network.name} has no perceptual distance.")
            meters.append(PathLengthMeter(generator, metric, network, draws))
        equivariance = sorted(select(metrics, EQUIVARIANCE), key=lambda metric: metric.num)
        for _, group in groupby(equivariance, key=lambda metric: metric.num):
            meters.append(EquivarianceOf(generator, list(group), seed, label))
        meters += [StickinessOf(generator, metric, seed, label) for metric in select(metrics, ("stickiness",))]
        self._meters = meters
        self._seconds = [0.0] * len(meters)

    def run(self, progress: Progress = lambda *_: None, stop_error: float | None = None) -> None:
        """Measure everything; with `stop_error`, each meter until its standard errors are below that."""
        self._look_at_reals(progress)
        for i, meter in enumerate(self._meters):
            begun = time.monotonic()
            progress(meter.label, 0, meter.total, "")
            while meter.num < meter.total:
                meter.add(min(self._batch, meter.total - meter.num))
                progress(meter.label, meter.num, meter.total, meter.describe())
                self._seconds[i] = time.monotonic() - begun
                if stop_error and meter.num < meter.total and meter.is_sure(stop_error):
                    break

    def figures(self) -> tuple[tuple[Figure, float], ...]:
        """Return the figures of what was measured, in the order asked for, and the seconds that each took."""
        found = []
        for meter, seconds in zip(self._meters, self._seconds, strict=True):
            begun = time.monotonic()
            figures = meter.figures()
            found += [(figure, seconds + time.monotonic() - begun) for figure in figures]
        order = [metric.kind for metric in self._metrics]
        return tuple(sorted(found, key=lambda item: order.index(item[0].metric.kind)))

    def _look_at_reals(self, progress: Progress) -> None:
        kinds_of: dict[int, set[str]] = {}
        for kind, reals in self._reals.items():
            kinds_of.setdefault(id(reals), set()).add(kind)
        for reals in {id(reals): reals for reals in self._reals.values()}.values():
            kinds = kinds_of[id(reals)]
            needs = "fid" in kinds, bool(kinds & {"kid", "pr"})
            if not reals.find(*needs):
                reals.measure(*needs, self._batch, lambda done, total: progress("pictures of the set", done, total, ""))
