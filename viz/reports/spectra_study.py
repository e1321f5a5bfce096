# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Average the power spectra of models' pictures or layers, and of a data set's pictures, ready to be drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gan.analysis.bands import Band, find_band
from gan.analysis.power_spectrum import SpectrumAverage, average_generator, average_images, check_alpha
from gan.checkpoints.checkpoint import load_generator, read_header
from gan.data.file_sets import ImageError
from gan.data.image_dataset import ImageSource
from gan.hub.resolve import shorten_name
from gan.networks.config import ConfigError
from gan.networks.labels import Label
from viz.reports.network_text import plain
from viz.reports.spectra_figure import DIRECTIONS, Curve

PADDED_LIMIT = 4176  # a side of a padded spectrum: more would not fit many machines, and is seen on none


@dataclass(frozen=True)
class Settings:
    """Settings of all spectra of a study; `pad` and `batch` None choose by the size of the pictures."""

    num: int  # pictures of each
    layer: str | None  # None: the pictures themselves
    seed: int
    trunc: float
    beta: float
    pad: int | None
    batch: int | None
    device: str


@dataclass(frozen=True)
class Subject:
    """A model, a layer of one, or a data set, whose spectrum is averaged."""

    name: str
    band: Band | None  # None: a data set's pictures
    size: int
    rate: int
    num: int  # pictures
    averages: Callable[[], Iterator[SpectrumAverage]]  # the average so far, after every batch
    channels: int = 3  # of pictures

    @property
    def largest_pad(self) -> int:
        """The most times that its spectrum may be padded."""
        return max(PADDED_LIMIT // self.size, 1)


def choose_subjects(
    paths: Sequence[Path], data: ImageSource | None, settings: Settings, labels: Sequence[Label | None] = ()
) -> list[Subject]:
    """Return the subjects, the data set first, with distinct names. Reads headers only.

    `labels`: that of each model, None for random classes.

    Raises ConfigError or ImageError, one sentence each, where sizes differ or a layer is unknown.
    """
    subjects = []
    for path, label in zip(paths, labels or [None] * len(paths), strict=True):
        try:
            subjects.append(_choose_model(path, settings, label))
        except ConfigError as problem:
            name = plain(shorten_name(path))
            raise ConfigError(f"{name}: {problem}" if len(paths) > 1 else str(problem)) from None
    if settings.layer is None:
        _check_sizes(subjects)
    if data is not None:
        subjects.insert(0, _choose_data(data, subjects, settings))
    counts: dict[str, int] = {}
    for i, subject in enumerate(subjects):
        counts[subject.name] = number = counts.get(subject.name, 0) + 1
        if number > 1:
            subjects[i] = replace(subject, name=f"{subject.name} ({number})")
    return subjects


def _choose_model(path: Path, settings: Settings, label: Label | None) -> Subject:
    config = read_header(path).config
    name, band = plain(shorten_name(path)), find_band(config, settings.layer)

    def averages() -> Iterator[SpectrumAverage]:
        generator, _ = load_generator(path, settings.device)
        yield from average_generator(
            generator,
            settings.num,
            seed=settings.seed,
            psi=settings.trunc,
            layer=settings.layer,
            beta=settings.beta,
            batch=settings.batch,
            label=label,
        )

    if settings.layer is not None:
        name = f"{name} {band.name}"
    return Subject(name, band, band.size, band.rate, settings.num, averages, config.img_channels)


def _choose_data(source: ImageSource, models: Sequence[Subject], settings: Settings) -> Subject:
    name, width, num = plain(source.name), source.resolution, min(settings.num, len(source))
    if models and models[0].size != width:
        raise ImageError(
            f"{name} holds pictures of {width}x{width}, but {models[0].name} "
            f"draws {models[0].size}x{models[0].size}: give data of that size."
        )
    for model in models:
        check_alpha(name, source.channels, model.name, model.channels)

    def averages() -> Iterator[SpectrumAverage]:
        return average_images(source, num, seed=settings.seed, beta=settings.beta, batch=settings.batch)

    return Subject(name, None, width, width, num, averages, source.channels)


def _check_sizes(subjects: Sequence[Subject]) -> None:
    for subject in subjects[1:]:
        first = subjects[0]
        if subject.size != first.size:
            raise ConfigError(
                f"{first.name} draws {first.size}x{first.size} and {subject.name} {subject.size}x{subject.size}: white "
                "noise, which is 0 dB, differs from size to size, so give models of one size."
            )


def build_curves(found: Sequence[tuple[Subject, SpectrumAverage]], pad: int | None) -> list[Curve]:
    """Return curves whitened by the data set's mean and deviation, where there is one, else each by its own."""
    first, reference = found[0]
    curves = []
    for subject, average in found:
        by = reference if first.band is None else average
        try:
            spectrum = average.spectrum(by.mean, by.deviation)
        except ConfigError as problem:
            raise ConfigError(f"{subject.name}: {problem}") from None
        curves.append(
            Curve(
                subject.name,
                average.pictures,
                by.mean,
                by.deviation,
                subject.size,
                subject.rate,
                subject.band,
                spectrum.frequencies(pad),
                spectrum.power(pad),
                tuple(spectrum.slice(degrees) for degrees in DIRECTIONS),
            )
        )
    return curves
