# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Spectra made visible: of what is shown now, and averaged over seeds; a heat map, slices, and a probe."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gan.data.image_dataset import ImageSource, open_images
from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import PICTURE, describe_error
from viz.core.state import Slot
from viz.instruments.colormap import apply_colormap
from viz.render.jobs import JobRequest, take_turns

if TYPE_CHECKING:
    from gan.analysis.power_spectrum import SpectrumAverage
    from viz.render.renderer import Renderer

AXIS, DIAGONAL = 0.0, 45.0  # degrees
DATA = "data"  # the key of a data set's average; slots' are by slot
WAIT_SECONDS = 0.005  # of waiting that count as a slice of work
SLICE_VALUES = 2**21  # values that are transformed in a slice of work


@dataclass(frozen=True, eq=False)
class Curve:
    """A slice: frequencies in cycles a picture width, and dB."""

    frequencies: np.ndarray
    levels: np.ndarray


@dataclass(frozen=True, eq=False)
class SpectrumData:
    """One spectrum. `levels` [M, M] in dB, f_y down and f_x right, 0 in the middle; `reach` is its edge, s/2."""

    levels: np.ndarray
    reach: float
    slices: dict[float, Curve]  # by angle
    pictures: int
    model: str = ""  # whose it is
    mean: float = 0.0  # by which it was whitened
    deviation: float = 1.0

    def at(self, x: float, y: float) -> float:
        """Return dB at frequencies right and down, in cycles a picture width, within the square."""
        size = len(self.levels)
        column, row = (min(max(round(f / (2 * self.reach) * size) + size // 2, 0), size - 1) for f in (x, y))
        return float(self.levels[row, column])


@dataclass(frozen=True, eq=False)
class SpectrumView:
    """The panel's contents.

    Spectra of what is shown by slot; averages by slot and DATA, as far as they are of what is open; the main one's heat
    map, uint8 [M, M, 4]; and a sentence for each slot that has none.
    """

    looks: dict[str, SpectrumData]
    averages: dict[str, SpectrumData]
    heat: np.ndarray | None
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SpectrumRequest(JobRequest[SpectrumView]):
    """The live spectra, each whitened by its own mean and deviation, and the look of all of them."""

    sources: tuple[tuple[Slot, str, float], ...]  # slot, its layer or PICTURE, sampling rate
    main: Slot  # whose heat map is shown
    of_average: bool  # the heat map's: of the average, or of what is shown now
    beta: float
    pad: int
    low: float  # dB, the darkest
    high: float
    angle: float  # of the free slice, degrees counter-clockwise
    averaged: AverageProgress | None = None  # averages to show beside it

    def layers(self, slot: Slot) -> tuple[str, ...]:
        return tuple(layer for name, layer, _ in self.sources if name == slot)

    def run(self, renderer: Renderer, shown: RenderRequest) -> Iterator[SpectrumView | None]:
        """Transform some channels a slice."""
        from gan.analysis.power_spectrum import SpectrumAverage

        looks: dict[str, SpectrumData] = {}
        errors: dict[str, str] = {}
        for slot, layer, rate in self.sources:
            picture = shown.slot(slot)
            if picture is None:
                continue
            try:
                maps = renderer.maps(picture, layer)
                average = SpectrumAverage(maps.shape[3], rate, self.beta)
                for part in maps.split(max(1, SLICE_VALUES // maps.shape[3] ** 2), dim=1):
                    average.add(part)
                    yield None
                looks[slot] = view_average(average, self, None, picture.model)
            except (ValueError, OSError, RuntimeError, MemoryError) as problem:
                errors[slot] = describe_error(problem) or ""
            yield None
        averages: dict[str, SpectrumData] = {}
        if self.averaged is not None:
            for name in self.averaged.averages.select(self, shown):
                averages[name] = self.averaged.averages.view(name, self)
                yield None
        main = (averages if self.of_average else looks).get(self.main, looks.get(self.main))
        heat = None if main is None else apply_colormap(main.levels, self.low, self.high)
        yield SpectrumView(looks, averages, heat, errors)


class Averages:
    """The averages of an AverageRequest, growing while it runs. For the worker's thread."""

    def __init__(self, request: AverageRequest) -> None:
        self.found: dict[str, SpectrumAverage] = {}
        self._sources = {slot: (picture.model, layer) for slot, picture, layer in request.sources}
        # A data set's mean and deviation are no measure for a layer's values.
        self._of_pictures = all(layer == PICTURE for _, _, layer in request.sources)
        self._views: dict[str, tuple[object, SpectrumData]] = {}  # the last, each with what it depends on

    def select(self, request: SpectrumRequest, shown: RenderRequest) -> list[str]:
        """Return the names of the averages of what is open, and DATA if there are any."""
        of = {slot: (picture.model, layer) for slot, layer, _ in request.sources if (picture := shown.slot(slot))}
        names: list[str] = [slot for slot, source in self._sources.items() if of.get(slot) == source]
        return [name for name in ([*names, DATA] if names else []) if name in self.found and self.found[name].pictures]

    def view(self, name: str, request: SpectrumRequest) -> SpectrumData:
        """Return an average as it is to be seen; the very same object while nothing changes."""
        average, data = self.found[name], self.found.get(DATA) if self._of_pictures else None
        key = (average.pictures, data and data.pictures, request.pad, request.angle)
        if name not in self._views or self._views[name][0] != key:
            model = "" if name == DATA else self._sources["left" if name == "left" else "right"][0]
            self._views[name] = (key, view_average(average, request, data, model))
        return self._views[name][1]


@dataclass(frozen=True, eq=False)
class AverageProgress:
    """Pictures done, of how many, and the averages so far."""

    done: int
    total: int
    averages: Averages


@dataclass(frozen=True, eq=False)
class AverageRequest(JobRequest[AverageProgress]):
    """Spectra averaged over `num` seeds from 0 on, and over as many pictures of the data set `data` ("" for none).

    The models are those that were shown when it was started, and so is psi; nothing is moved. Classes are random,
    a label that is a vector is the shown one.
    """

    sources: tuple[tuple[Slot, PictureRequest, str], ...]
    num: int
    beta: float
    data: str

    live = False

    def models(self) -> tuple[tuple[Slot, str], ...]:
        return tuple((slot, picture.model) for slot, picture, _ in self.sources)

    def run(self, renderer: Renderer, shown: RenderRequest) -> Iterator[AverageProgress | None]:
        """Add a picture of each source in turn."""
        from gan.analysis.power_spectrum import average_generator, average_images

        averages, total = Averages(self), self.num * len(self.sources)
        runs: dict[str, Iterator[SpectrumAverage]] = {}
        for slot, picture, layer in self.sources:
            generator, _ = renderer.generator(picture)
            name = None if layer == PICTURE else layer
            label = renderer.vector(picture)
            runs[slot] = average_generator(
                generator, self.num, psi=picture.psi, layer=name, beta=self.beta, batch=1, label=label
            )
        if self.data:
            opening = _open_beside(self.data)
            while not opening.done():
                wait([opening], WAIT_SECONDS)
                yield None
            source = opening.result()
            self._check_data(renderer, source)
            total += min(self.num, len(source))
            runs[DATA] = average_images(source, self.num, beta=self.beta, batch=1)

        def progress(found: dict[str, SpectrumAverage]) -> AverageProgress:
            averages.found = found
            return AverageProgress(sum(one.pictures for one in found.values()), total, averages)

        yield from take_turns(runs, progress)

    def _check_data(self, renderer: Renderer, source: ImageSource) -> None:
        from gan.analysis.power_spectrum import check_alpha

        for _, picture, layer in self.sources:
            config = renderer.generator(picture)[1].config
            resolution = config.resolution
            if layer == PICTURE and resolution != source.resolution:
                raise ValueError(
                    f"{self.data} holds pictures of {source.resolution} px and a model draws {resolution} px: "
                    "choose a data set of the model's size."
                )
            if layer == PICTURE:
                check_alpha(self.data, source.channels, "the model", config.img_channels)


def _open_beside(path: str) -> Future[ImageSource]:
    """Open a data set on a thread, of which nothing is kept in memory.

    Checking it takes seconds where it is large, and minutes where it is a whole disk by mistake; a job that is
    cancelled meanwhile leaves the thread alone.
    """
    opening: Future[ImageSource] = Future()

    def work() -> None:
        try:
            opening.set_result(open_images(path, memory_limit=0))
        except Exception as problem:
            opening.set_exception(problem)

    threading.Thread(target=work, name="open data set", daemon=True).start()
    return opening


def view_average(
    average: SpectrumAverage, request: SpectrumRequest, data: SpectrumAverage | None, model: str
) -> SpectrumData:
    """Compute an average as it is to be seen, whitened by the data set's mean and deviation where there is one."""
    from gan.analysis.power_spectrum import MAX_PADDED_SIZE, power_to_db

    spectrum = average.spectrum(data.mean, data.deviation) if data and data.pictures else average.spectrum()
    by = data if data and data.pictures else average
    slices = {}
    for angle in (AXIS, DIAGONAL, request.angle):
        frequencies, power = spectrum.slice(angle)
        slices[angle] = Curve(frequencies, power_to_db(power))
    pad = max(1, min(request.pad, MAX_PADDED_SIZE // spectrum.size))
    levels = power_to_db(spectrum.power(pad)).astype(np.float32)
    return SpectrumData(levels, spectrum.rate / 2, slices, average.pictures, model, by.mean, by.deviation)
