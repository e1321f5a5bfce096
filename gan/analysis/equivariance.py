# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""EQ-T, EQ-T_frac and EQ-R [P app. E]: metrics of how exactly pictures move with the generator's input, in decibels.

A picture is drawn twice: with its input moved, and at rest and then moved as a band-limited signal (image_warp).
The metric is 10 log10(I_max^2 / MSE) between the two, I_max = 2, with one mean squared error over all samples, channels
and pixels that both are valid in.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gan.analysis import image_warp
from gan.analysis.metric_names import METRICS, MIN_SAMPLES
from gan.networks.config import ConfigError, GeneratorConfig
from gan.networks.generator import Generator, choose_batch_size, map_latents
from gan.networks.input_transform import user_matrix
from gan.networks.labels import Label
from gan.networks.synthesis import DEFAULT_OPTIONS, SynthesisOptions

PEAK = 2.0  # I_max: pictures are from -1 to 1
MAX_OFFSET = 1 / 8  # image widths: offsets are uniform in [-MAX_OFFSET, MAX_OFFSET] on each axis
DB_PER_NEPER = 10 / math.log(10)  # decibels for each unit of a natural logarithm of power


@dataclass(frozen=True)
class Sample:
    """A random draw: a latent, a class and a motion."""

    z: np.ndarray  # [z_dim]
    label: int
    offset: tuple[float, float]  # image widths, right and down
    angle: float  # radians, counter-clockwise

    @classmethod
    def draw(cls, config: GeneratorConfig, seed: int, index: int) -> "Sample":
        """Draw sample `index` of `seed`, which depends neither on the metrics nor on the batches."""
        random = np.random.default_rng([seed, index])
        z = random.standard_normal(config.z_dim)
        tx, ty = random.uniform(-MAX_OFFSET, MAX_OFFSET, 2)
        angle = random.uniform(0, 2 * math.pi)
        return cls(z, int(random.integers(max(config.c_dim, 1))), (tx, ty), angle)


@dataclass(frozen=True)
class Estimate:
    """A metric after `num` samples, in dB with standard errors (nan for one sample).

    `db` is the paper's. `relative_db` compares the error with the variance of the pictures themselves, of each picture
    and channel about its mean, so that networks of different contrast compare: a flat picture of the right mean has
    0 dB, an unrelated one -3 or less. `deviation` is the square root of that variance.
    """

    metric: str
    num: int
    db: float
    db_error: float
    relative_db: float
    relative_error: float
    deviation: float


# A motion of the input (x and y in image widths, degrees), and the same of the picture at rest.
Motion = tuple[tuple[float, float, float], Callable[[Tensor], image_warp.Moved]]


def _motion(metric: str, sample: Sample, size: int) -> Motion:
    tx, ty = sample.offset
    if metric == "eq_t":
        tx, ty = round(tx * size) / size, round(ty * size) / size
        return (tx, ty, 0.0), lambda image: image_warp.integer_translation(image, tx, ty)
    if metric == "eq_t_frac":
        return (tx, ty, 0.0), lambda image: image_warp.fractional_translation(image, tx, ty)
    return (0.0, 0.0, math.degrees(sample.angle)), lambda image: image_warp.fractional_rotation(image, sample.angle)


class Pair(NamedTuple):
    """The two pictures of a sample that a metric compared; `found` should equal `reference` where `mask` is 1."""

    metric: str
    reference: Tensor  # [1, C, S, S]: the picture at rest, moved
    found: Tensor  # [1, C, S, S]: the picture of the moved input
    mask: Tensor  # [1, 1, S, S], 0 or 1


class EquivarianceMeter:
    """A running estimate of some metrics of a generator; memory does not grow with the number of samples.

    `last` is the latest pair of pictures that was compared, `pairs` that of each metric.
    """

    def __init__(
        self,
        generator: Generator,
        metrics: Sequence[str] = METRICS,
        seed: int = 0,
        label: Label | None = None,
        options: SynthesisOptions = DEFAULT_OPTIONS,
    ) -> None:
        """Measure with random classes, or with one `label`, a model that has labels; `options` say its noise.

        Raise ConfigError for a generator that cannot be moved, and for an unknown metric.
        """
        unknown = sorted(set(metrics) - set(METRICS))
        if unknown or not metrics:
            named = ", ".join(unknown) or "none"
            raise ConfigError(f"The equivariance metrics are {', '.join(METRICS)}, not {named}.")
        check_movable(generator.config, "equivariance")
        self.generator, self.metrics, self.seed, self.num = generator, tuple(metrics), seed, 0
        self._label, self._options = label, options
        self._sums = {metric: np.zeros(3) for metric in metrics}  # of (squared error, valid numbers, variance)
        self._products = {metric: np.zeros((3, 3)) for metric in metrics}
        self.pairs: dict[str, Pair] = {}
        self.last: Pair | None = None

    def add(self, count: int) -> None:
        """Measure `count` more samples in one batch; ConfigError if the pictures are not finite numbers."""
        for _ in self.slices(count):
            pass

    def slices(self, count: int) -> Iterator[None]:
        """Do the work of `add` in steps: yield after each forward pass and each comparison, so that others can run.

        The estimates change with the last step only; stopping before discards the samples.
        """
        steps = self._steps(count)
        while True:
            with torch.no_grad(), disable_tf32():  # not while others run between two steps
                if next(steps, self) is self:
                    return
            yield

    def _steps(self, count: int) -> Iterator[None]:
        config = self.generator.config
        size = config.resolution
        samples = [Sample.draw(config, self.seed, self.num + i) for i in range(count)]
        labels = [sample.label if self._label is None else self._label for sample in samples]
        ws = map_latents(self.generator, np.stack([sample.z for sample in samples]), labels)
        images = self._images(ws, torch.stack([user_matrix(0, 0, 0)] * count))
        check_finite(images)
        yield
        variances = images.double().var(dim=(2, 3), correction=0).mean(dim=1)
        found = []
        for metric in self.metrics:
            motions = [_motion(metric, sample, size) for sample in samples]
            moved = self._images(ws, torch.stack([user_matrix(*parameters) for parameters, _ in motions]))
            yield
            for i, (sample, (_, move)) in enumerate(zip(samples, motions, strict=True)):
                pair = _pair(metric, sample, moved[i : i + 1], move(images[i : i + 1]))
                squares = (pair.found - pair.reference).square() * pair.mask
                error, valid = float(squares.sum(dtype=torch.float64)), float(pair.mask.sum()) * squares.shape[1]
                found.append((metric, np.array([error, valid, float(variances[i])])))
                self.last = self.pairs[metric] = pair
                yield
        for metric, numbers in found:
            self._sums[metric] += numbers
            self._products[metric] += np.outer(numbers, numbers)
        self.num += count

    def _images(self, ws: Tensor, transforms: Tensor) -> Tensor:
        images = self.generator.synthesis(ws, replace(self._options, transform=transforms.to(ws.device)))
        return images.cpu() if images.device.type == "mps" else images  # whose operators lack float64

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """Estimates of the metrics, in order. ValueError before the first sample."""
        return tuple(self._estimate(metric) for metric in self.metrics)

    def _estimate(self, metric: str) -> Estimate:
        if not self.num:
            raise ValueError("There is no estimate before the first sample.")
        error, valid, variance = means = self._sums[metric] / self.num
        with np.errstate(divide="ignore", invalid="ignore"):  # an error of 0 is infinitely many dB
            db, relative_db = (DB_PER_NEPER * np.log(power * valid / error) for power in (PEAK**2, variance))
            covariance = (self._products[metric] / self.num - np.outer(means, means)) / (self.num - 1 or np.nan)
            # The logarithm of a ratio of means moves by these per mean (the delta method).
            slopes = np.array([-1 / error, 1 / valid, 0]), np.array([-1 / error, 1 / valid, 1 / variance])
            db_error, relative_error = (DB_PER_NEPER * np.sqrt(max(g @ covariance @ g, 0)) for g in slopes)
        numbers = (db, db_error, relative_db, relative_error, np.sqrt(variance))
        return Estimate(metric, self.num, *map(float, numbers))


def _pair(metric: str, sample: Sample, found: Tensor, expected: image_warp.Moved) -> Pair:
    """Make the pair to compare, with the mask of the region where both pictures are valid."""
    reference, mask = expected
    if metric == "eq_r":
        found, inside = image_warp.fractional_pseudo_rotation(found, sample.angle)
        mask = mask * inside
    return Pair(metric, reference, found, mask)


def check_movable(config: GeneratorConfig, measured: str) -> None:
    """Raise ConfigError for a generator whose pictures cannot be moved."""
    if not config.movable:
        raise ConfigError(
            f"Rung {config.rung} draws from a learned constant: without a Fourier input (rung B on) there is nothing "
            f"to move, and no {measured} to measure."
        )


def check_finite(images: Tensor) -> None:
    """Raise ConfigError for pictures that are not all finite numbers."""
    if not torch.isfinite(images).all():
        raise ConfigError("The generator draws pictures that are not finite numbers: there is nothing to measure.")


@contextmanager
def disable_tf32() -> Iterator[None]:
    """Disable TF32 convolutions, which torch allows on CUDA: their rounding alone would cost R some decibels."""
    allowed = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = allowed


def measure_equivariance(
    generator: Generator,
    metrics: Sequence[str] = METRICS,
    num: int = 1000,
    seed: int = 0,
    batch: int | None = None,
    stop_error: float | None = None,
    label: Label | None = None,
) -> Iterator[tuple[Estimate, ...]]:
    """Yield the estimates after every batch until `num` samples are measured; stop iterating to stop measuring.

    With `stop_error`, end once every standard error is below so many dB, after MIN_SAMPLES at least.
    """
    meter = EquivarianceMeter(generator, metrics, seed, label)
    batch = batch or choose_batch_size(generator.config.resolution)
    while meter.num < num:
        meter.add(min(batch, num - meter.num))
        yield meter.estimates
        if stop_error and meter.num >= MIN_SAMPLES:
            if all(found.db_error < stop_error or math.isinf(found.db) for found in meter.estimates):
                return
