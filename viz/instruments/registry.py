# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The jobs of the instruments: from a request to an iterator that does the work in slices (viz/instruments.py)."""

from collections.abc import Callable, Iterator
from typing import Any

import torch

from viz.core.request import RenderRequest
from viz.instruments import layers, sticking
from viz.instruments.layers import Orders
from viz.instruments.spectrum import Spectra
from viz.instruments.types import (
    AverageRequest,
    LayerRequest,
    LayerView,
    MeterRequest,
    NeighbourhoodRequest,
    SpectrumRequest,
)
from viz.render.jobs import JobRequest
from viz.render.renderer import Renderer


class Jobs:
    """Starts jobs on one renderer, on its thread."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer, self._orders, self._spectra = renderer, Orders(), Spectra(renderer)

    def start(self, request: JobRequest, shown: RenderRequest) -> Iterator[Any]:
        """The job's iterator; `shown` are the pictures that are on screen, or were asked for last."""
        if isinstance(request, LayerRequest):
            return _once(lambda: self._layer(request, shown))
        if isinstance(request, SpectrumRequest):
            return self._spectra.live(request, shown)
        if isinstance(request, AverageRequest):
            return self._spectra.average(request)
        if isinstance(request, NeighbourhoodRequest):
            return sticking.neighbourhood(self._renderer, request, shown)
        if isinstance(request, MeterRequest):
            return sticking.meters(self._renderer, request)
        raise TypeError(f"There is no job for a {type(request).__name__}.")

    def _layer(self, request: LayerRequest, shown: RenderRequest) -> LayerView | None:
        picture = shown.slot(request.slot)
        if picture is None:
            return None
        maps = self._renderer.maps(picture, request.layer)[0]
        with torch.inference_mode():
            return layers.look(maps, picture.model, request, self._orders)


def _once(look: Callable[[], Any]) -> Iterator[Any]:
    """A job of a single slice."""
    yield look()
