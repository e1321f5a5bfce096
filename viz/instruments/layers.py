# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A layer's maps made visible: contact sheet, three channels as colours, or one; and their numbers.

Grey is what a map is compared with, its own mean or 0, and black and white are REACH deviations away from it.
"""

import math

import numpy as np
import torch
from torch import Tensor

from gan.analysis.feature_maps import energy, phase_likeness
from gan.data.image_io import grid
from viz.instruments.types import BINS, LayerRequest, LayerView, Numbers

REACH = 3.0
COUNTED = 2**22  # values that numbers of all maps are of at most: a slice of work must be short


class Orders:
    """The order of the sheets last asked for. It stays while the picture moves, so that a channel keeps its place; it
    is found anew for another model, layer or measure, and when that is asked for."""

    def __init__(self) -> None:
        self._key: object = None
        self._order: np.ndarray = np.zeros(0, np.int64)
        self._scores: np.ndarray | None = None

    def of(self, maps: Tensor, model: str, request: LayerRequest) -> tuple[np.ndarray, np.ndarray | None]:
        """[C] channels by place, and [C] scores by channel."""
        key = (model, request.layer, request.sort, request.turn, maps.shape[0])
        if key != self._key:
            self._scores = scores(maps, request.sort)
            count = maps.shape[0]
            self._order = np.arange(count) if self._scores is None else np.argsort(-self._scores, kind="stable")
            self._key = key
        return self._order, self._scores


def scores(maps: Tensor, sort: str) -> np.ndarray | None:
    """[C] what maps [C, H, W] are sorted by, the most first; None for "index"."""
    if sort == "index":
        return None
    return (energy(maps) if sort == "energy" else phase_likeness(maps)).cpu().numpy()


def look(maps: Tensor, model: str, request: LayerRequest, orders: Orders) -> LayerView:
    """What the panel shows of maps [C, H, W]."""
    maps = maps.float()
    count = maps.shape[0]
    channels = tuple(min(channel, count - 1) for channel in request.channels)
    order, ranked = orders.of(maps, model, request)
    first = 0
    if request.mode == "sheet":
        first = request.first if request.first < count else 0  # what the panel asked of a layer with more channels
        places = order[first : first + max(1, request.count)]
        shown = maps[torch.from_numpy(places).to(maps.device)]
        small = _reduced(shown, request.thumb)[:, None]
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
        scores=ranked,
        first=first,
        cells=grid(_grey(shade), across),
        across=across,
        values=small.cpu().numpy(),
        channels=channels,
        every=numbers(maps),
        selected=numbers(maps[list(channels)]),
    )


def numbers(maps: Tensor) -> Numbers:
    """Of maps [C, H, W]; of more than COUNTED values, of every so many."""
    step = math.ceil(math.sqrt(maps.numel() / COUNTED))
    maps = maps[:, ::step, ::step]
    low, high = (float(value) for value in torch.aminmax(maps))
    largest = max(abs(low), abs(high))
    deviation, mean = torch.std_mean(maps, correction=0)
    span = (low, high) if high > low else (low - 0.5, low + 0.5)
    if not np.isfinite(span).all():
        return Numbers(float(mean), float(deviation), largest, np.zeros(BINS), (0.0, 1.0))
    counts = torch.histc(maps.flatten(), BINS, *span)
    return Numbers(float(mean), float(deviation), largest, counts.cpu().numpy(), span)


def _scale(maps: Tensor, shown: Tensor, request: LayerRequest) -> tuple[Tensor, Tensor]:
    """Per shown map: the value that is grey, and how many greys (of 1) a unit of value is."""
    if request.common:
        middle = torch.zeros(len(shown), device=maps.device)
        step = math.ceil(math.sqrt(maps.numel() / COUNTED))
        deviation = maps[:, ::step, ::step].square().mean().sqrt().expand(len(shown))
    else:
        deviation, middle = torch.std_mean(shown.flatten(1), dim=1, correction=0)
    return middle, 10 ** (request.gain / 20) / (2 * REACH * deviation.clamp_min(1e-12))


def _grey(shade: Tensor) -> np.ndarray:
    """[n, 1 or 3, h, w] around 0 to uint8 [n, h, w, 4]; what is no number is black."""
    values = (shade.nan_to_num(-1.0, 1.0, -1.0) * 255 + 128).clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
    pixels = torch.full((*values.shape[:3], 4), 255, dtype=torch.uint8, device=shade.device)
    pixels[..., :3] = values
    return pixels.cpu().numpy()


def _reduced(maps: Tensor, width: int) -> Tensor:
    """Averaged down to at most about `width` pixels across; what is smaller stays."""
    factor = max(1, round(max(maps.shape[1:]) / width))
    return torch.nn.functional.avg_pool2d(maps, factor) if factor > 1 and len(maps) else maps
