# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A layer's maps made visible: contact sheet, three channels as colours, or one; and their statistics.

Grey is what a map is compared with, its own mean or 0, and black and white are GREY_REACH deviations away from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viz.core.request import RenderRequest
from viz.core.state import Slot
from viz.render.jobs import JobRequest

if TYPE_CHECKING:
    from torch import Tensor

    from viz.render.renderer import Renderer

BINS = 64  # of a histogram
GREY_REACH = 3.0
MAX_COUNTED = 2**22  # values that statistics are made of at most: a slice of work must be short


class ChannelOrder:
    """The order of a contact sheet's channels.

    It stays while the picture moves, so that a channel keeps its place, and is found anew for another model, layer or
    measure. A panel that makes another one sorts again.
    """

    def __init__(self) -> None:
        self._key: object = None
        self._order: np.ndarray = np.zeros(0, np.int64)
        self._scores: np.ndarray | None = None

    def sort(self, maps: Tensor, model: str, request: LayerRequest) -> tuple[np.ndarray, np.ndarray | None]:
        """Return [C] channels by place and [C] scores by channel, for maps [C, H, W]."""
        count = maps.shape[0]
        key = (model, request.layer, request.sort, count)
        if key != self._key:
            self._scores = score_channels(maps, request.sort)
            self._order = np.arange(count) if self._scores is None else np.argsort(-self._scores, kind="stable")
            self._key = key
        return self._order, self._scores


@dataclass(frozen=True)
class LayerRequest(JobRequest["LayerView"]):
    """A look at a layer's maps."""

    slot: Slot
    layer: str
    mode: str = "sheet"  # rgb, one
    sort: str = "index"  # energy, phase
    channels: tuple[int, ...] = (0,)  # the selected ones, one or three
    first: int = 0  # visible place of the sheet
    count: int = 64  # visible places
    thumb: int = 48  # width of a cell, pixels
    gain: float = 0.0  # dB
    common: bool = False  # one scale for all channels
    order: ChannelOrder | None = None  # kept from request to request; None sorts each time

    def layers(self, slot: Slot) -> tuple[str, ...]:
        return (self.layer,) if slot == self.slot else ()

    def run(self, renderer: Renderer, shown: RenderRequest) -> Iterator[LayerView | None]:
        """Do everything in a single slice."""
        picture = shown.slot(self.slot)
        if picture is not None:
            yield view_maps(renderer.maps(picture, self.layer)[0], picture.model, self)


@dataclass(frozen=True, eq=False)
class MapStatistics:
    """Mean, deviation and largest magnitude of some maps, and a histogram: counts [BINS] over `span`."""

    mean: float
    deviation: float
    largest: float
    counts: np.ndarray
    span: tuple[float, float]


@dataclass(frozen=True, eq=False)
class LayerView:
    """The panel's contents. In mode "sheet" `cells` and `values` are of the visible places, else of the one picture."""

    model: str
    shape: tuple[int, int, int]  # [C, H, W]
    order: np.ndarray  # [C] channel at each place of the sheet
    scores: np.ndarray | None  # [C] of the channels, which they are sorted by; None for their index
    first: int  # the place of the first cell
    cells: np.ndarray  # uint8 [rows h, across w, 4]: the cells row by row
    across: int  # cells in a row of that
    values: np.ndarray  # float32 [n, c, h, w], read by the pointer; c is 3 where channels are shown as colours
    channels: tuple[int, ...]  # the selection, as far as there are such
    every: MapStatistics
    selected: MapStatistics


def score_channels(maps: Tensor, sort: str) -> np.ndarray | None:
    """Compute [C] scores that maps [C, H, W] are sorted by, the highest first; None for "index"."""
    from gan.analysis.feature_maps import channel_variance, phase_likeness

    if sort == "index":
        return None
    return (channel_variance(maps) if sort == "energy" else phase_likeness(maps)).cpu().numpy()


def view_maps(maps: Tensor, model: str, request: LayerRequest) -> LayerView:
    """Compute what the panel shows of maps [C, H, W]."""
    from gan.data.image_io import tile_images

    maps = maps.float()
    count = maps.shape[0]
    channels = tuple(min(channel, count - 1) for channel in request.channels)
    order, scores = (request.order or ChannelOrder()).sort(maps, model, request)
    first = 0
    if request.mode == "sheet":
        first = request.first if request.first < count else 0  # the panel may have asked of a layer with more channels
        shown = maps[order[first : first + max(1, request.count)].tolist()]
        small = _reduce(shown, request.thumb)[:, None]
    else:
        shown = maps[list(channels)]
        small = shown[None] if len(channels) == 3 else shown[:1, None]
    middle, unit = _scale(maps, shown, request)
    shade = small * unit.view(small.shape[0], -1, 1, 1) - (middle * unit).view(small.shape[0], -1, 1, 1)
    across = math.ceil(math.sqrt(len(small)))  # about square: textures may be some thousand pixels a side
    return LayerView(
        model=model,
        shape=(count, maps.shape[1], maps.shape[2]),
        order=order,
        scores=scores,
        first=first,
        cells=tile_images(_to_grey(shade), across),
        across=across,
        values=small.cpu().numpy(),
        channels=channels,
        every=measure_maps(maps),
        selected=measure_maps(maps[list(channels)]),
    )


def measure_maps(maps: Tensor) -> MapStatistics:
    """Compute the statistics of maps [C, H, W]; of more than MAX_COUNTED values, of every so many."""
    maps = _thin(maps)
    low, high = (float(value) for value in maps.aminmax())
    deviation, mean = float(maps.std(correction=0)), float(maps.mean())
    largest = max(abs(low), abs(high))
    span = (low, high) if high > low else (low - 0.5, low + 0.5)
    if not np.isfinite(span).all():
        return MapStatistics(mean, deviation, largest, np.zeros(BINS), (0.0, 1.0))
    return MapStatistics(mean, deviation, largest, maps.flatten().histc(BINS, *span).cpu().numpy(), span)


def _thin(maps: Tensor) -> Tensor:
    step = math.ceil(math.sqrt(maps.numel() / MAX_COUNTED))
    return maps[:, ::step, ::step]


def _scale(maps: Tensor, shown: Tensor, request: LayerRequest) -> tuple[Tensor, Tensor]:
    """Per shown map: the value that is grey, and how many greys (of 1) a unit of value is."""
    if request.common:
        middle = maps.new_zeros(len(shown))
        deviation = _thin(maps).square().mean().sqrt().expand(len(shown))
    else:
        deviation, middle = shown.flatten(1).std(dim=1, correction=0), shown.flatten(1).mean(dim=1)
    return middle, 10 ** (request.gain / 20) / (2 * GREY_REACH * deviation.clamp_min(1e-12))


def _to_grey(shade: Tensor) -> np.ndarray:
    """[n, 1 or 3, h, w] around 0 to uint8 [n, h, w, 4]; what is no number is black."""
    values = (shade.nan_to_num(-1.0, 1.0, -1.0) * 255 + 128).clamp_(0, 255).byte().permute(0, 2, 3, 1)
    pixels = np.full((*values.shape[:3], 4), 255, np.uint8)
    pixels[..., :3] = values.cpu().numpy()
    return pixels


def _reduce(maps: Tensor, width: int) -> Tensor:
    """Average [n, H, W] down to at most about `width` pixels across; what is smaller stays."""
    from torch.nn.functional import avg_pool2d

    factor = max(1, round(max(maps.shape[1:]) / width))
    return avg_pool2d(maps, factor) if factor > 1 and len(maps) else maps
