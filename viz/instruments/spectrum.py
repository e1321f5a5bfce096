# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Spectra made visible: of what is shown now, and averaged over seeds; a heat map, slices, and what a probe reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch

from gan.analysis.power_spectrum import LARGEST, Average, decibels, of_generator, of_images
from gan.data.image_dataset import ImageSource, open_images
from viz.core.request import RenderRequest
from viz.core.result import PICTURE, explained
from viz.instruments.colormap import heat_map
from viz.instruments.types import (
    AXIS,
    DATA,
    DIAGONAL,
    AverageRequest,
    Curve,
    Look,
    Progress,
    SpectrumRequest,
    SpectrumView,
)

if TYPE_CHECKING:
    from viz.render.renderer import Renderer

SAY_SECONDS = 0.25  # between two looks at an average under way
SLICE = 0.005  # seconds of waiting that count as a slice of work
SLICE_VALUES = 2**21  # values that are transformed in a slice of work


class _Opening(threading.Thread):
    """Checks a data set, which takes seconds where it is large, or minutes where it is a whole disk by mistake: beside
    the pictures, and whoever no longer wants it leaves it alone. Nothing of it is kept in memory."""

    def __init__(self, path: str) -> None:
        super().__init__(name="open data set", daemon=True)
        self._path = path
        self._found: ImageSource | Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._found = open_images(self._path, memory_limit=0)
        except Exception as problem:
            self._found = problem

    def images(self) -> ImageSource:
        """What was found, or what was raised, once the thread has ended."""
        if isinstance(self._found, ImageSource):
            return self._found
        raise self._found or RuntimeError("The data set was not opened.")


class Spectra:
    """Live spectra and running averages on one renderer; the averages stay until others are started."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._averages: dict[str, Average] = {}
        self._looks: dict[str, tuple[object, Look]] = {}  # of the averages, with what they depend on
        self._of: dict[str, tuple[str, str]] = {}  # model and layer of each average
        self._of_pictures = True  # a data set's mean and deviation are no measure for a layer's values

    def live(self, request: SpectrumRequest, shown: RenderRequest) -> Iterator[SpectrumView | None]:
        """The spectra of what is shown, each whitened by its own mean and deviation: some channels a slice of work."""
        looks: dict[str, Look] = {}
        errors: dict[str, str] = {}
        for slot, layer, rate in request.sources:
            picture = shown.slot(slot)
            if picture is None:
                continue
            try:
                maps = self._renderer.maps(picture, layer)
                average = Average(maps.shape[3], rate, request.beta)
                for part in maps.split(max(1, SLICE_VALUES // maps.shape[3] ** 2), dim=1):
                    with torch.inference_mode():
                        average.add(part)
                    yield None
                looks[slot] = look(average, request, None, picture.model)
            except (ValueError, OSError, RuntimeError, MemoryError) as problem:
                errors[slot] = explained(problem) or ""
            yield None
        averages: dict[str, Look] = {}
        if request.averaged:
            yield from self._averaged(request, shown, averages)
        main = (averages if request.of_average else looks).get(request.main, looks.get(request.main))
        heat = None if main is None else heat_map(main.levels, request.low, request.high)
        yield SpectrumView(looks, averages, heat, errors)

    def _averaged(self, request: SpectrumRequest, shown: RenderRequest, found: dict[str, Look]) -> Iterator[None]:
        """Fill in the averages of what is open, one a slice."""
        data = self._averages.get(DATA) if self._of_pictures else None
        open_now = {slot: (picture.model, layer) for slot, layer, _ in request.sources if (picture := shown.slot(slot))}
        wanted = [name for name, of in self._of.items() if open_now.get(name) == of]  # type: ignore[call-overload]
        for name in (*wanted, DATA) if wanted else ():
            average = self._averages.get(name)
            if average is None or not average.pictures:
                continue
            key = (average, average.pictures, data and data.pictures, request.pad, request.angle)
            kept = self._looks.get(name)
            if kept is None or kept[0] != key:
                model = self._of.get(name, ("", ""))[0]
                self._looks[name] = kept = (key, look(average, request, data, model))
                yield
            found[name] = kept[1]

    def average(self, request: AverageRequest) -> Iterator[Progress | None]:
        """A picture of each source in turn."""
        self._averages, self._looks, self._of = {}, {}, {}
        self._of_pictures = all(layer == PICTURE for _, _, layer in request.sources)
        runs: dict[str, Iterator[Average]] = {}
        total = 0
        for slot, picture, layer in request.sources:
            generator, _ = self._renderer.generator(picture)
            name = None if layer == PICTURE else layer
            self._of[slot] = (picture.model, layer)
            runs[slot] = of_generator(generator, request.num, psi=picture.psi, layer=name, beta=request.beta, batch=1)
            total += request.num
        if request.data:
            opening = _Opening(request.data)
            while opening.is_alive():
                opening.join(SLICE)
                yield None
            source = opening.images()
            for _, picture, layer in request.sources:
                resolution = self._renderer.generator(picture)[1].resolution
                if layer == PICTURE and resolution != source.resolution:
                    raise ValueError(
                        f"{request.data} holds pictures of {source.resolution} px and a model draws {resolution} px: "
                        "choose a data set of the model's size."
                    )
            runs[DATA] = of_images(source, request.num, beta=request.beta, batch=1)
            total += min(request.num, len(source))
        said = time.monotonic()
        while runs:
            for name in list(runs):
                found = next(runs[name], None)
                if found is None:
                    del runs[name]
                else:
                    self._averages[name] = found
                if time.monotonic() - said > SAY_SECONDS or not runs:
                    said = time.monotonic()
                    yield Progress(sum(average.pictures for average in self._averages.values()), total)
                else:
                    yield None


def look(average: Average, request: SpectrumRequest, data: Average | None, model: str) -> Look:
    """An average as it is to be seen, whitened by the data set's mean and deviation where there is one."""
    spectrum = average.spectrum(data.mean, data.deviation) if data and data.pictures else average.spectrum()
    slices = {}
    for angle in (AXIS, DIAGONAL, request.angle):
        frequencies, power = spectrum.slice(angle)
        slices[angle] = Curve(frequencies, decibels(power))
    pad = max(1, min(request.pad, LARGEST // spectrum.size))
    levels = decibels(spectrum.power(pad)).astype(np.float32)
    return Look(levels, spectrum.rate / 2, slices, average.pictures, model)
