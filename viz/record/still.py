# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The one way in which pictures that are kept are drawn: the same request and conditions give the same bytes.

The window draws by whatever is fastest at the moment: algorithms chosen by trial, CUDA graphs, as many threads as are
free. Last bits depend on all of these. Here convolutions are plain, the batch is 1, nothing is taken from a cache but
the model's weights, and threads and number format are as `Conditions` say.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gan.data.image_io import select_channels, to_uint8
from gan.devices import threads_for
from gan.networks.input_transform import forward_matrix
from viz.core.request import PictureRequest, build_request
from viz.core.result import ModelFacts
from viz.core.state import AppState, Slot
from viz.loading.model_cache import ModelCache
from viz.loading.model_info import read_facts
from viz.record.aside import work_aside
from viz.record.record import Conditions
from viz.render.inverse_warp import coverage, inverse_warp
from viz.render.renderer import Renderer, on_device
from viz.render.upscale import lanczos_matrix, resample

BAND = 512  # rows of an enlarged picture that are made at a time


class Still(NamedTuple):
    """A picture that is kept: `pixels` uint8 [H, W, 4], how it came about, and a remark ("" none) as RenderResult's."""

    pixels: np.ndarray
    facts: ModelFacts
    conditions: Conditions
    notice: str


def draw_still(
    request: PictureRequest,
    size: int = 0,
    threads: int = 0,
    *,
    nearest: bool = False,
    models: ModelCache[Any] | None = None,
) -> Generator[None, None, Still]:
    """Draw a picture in slices, `size` pixels wide; 0 is the model's own size. Returns it.

    Larger ones are enlarged as the window does it, by Lanczos or (`nearest`) with hard pixels. `models` are those that
    a renderer of this thread holds. Raises what `describe_error` describes.
    """
    renderer = Renderer(enlarge=False)
    renderer.models = renderer.models if models is None else models
    resolution = renderer.subject(request).facts.config.resolution
    threads = threads if 0 < threads <= (os.cpu_count() or 1) else threads_for(resolution)
    with torch.inference_mode(), on_device(request.device), _fixed(threads):
        plan = renderer.plan(request)
        inputs = plan.inputs
        picture = inputs.synthesis(inputs.ws, inputs.options()).float().cpu()
        moved = forward_matrix(*inputs.motion) if inputs.motion is not None and inputs.untransform else None
    steps = _finish(picture, moved, size or resolution, nearest)
    while True:
        yield
        with torch.inference_mode(), on_device(request.device), _fixed(threads):
            try:
                next(steps)
            except StopIteration as end:
                pixels: np.ndarray = end.value.numpy()
                break
    precision = "float16" if inputs.precision.num_fp16_res else "float32"
    conditions = Conditions(request.device, precision, threads)
    return Still(pixels, plan.model.facts, conditions, " ".join(plan.notices))


@contextmanager
def _fixed(threads: int) -> Iterator[None]:
    """Let the block run on so many threads, with algorithms that give the same bits each time."""
    cudnn, before = torch.backends.cudnn, torch.get_num_threads()
    tried, fixed = cudnn.benchmark, cudnn.deterministic
    torch.set_num_threads(threads)
    cudnn.benchmark, cudnn.deterministic = False, True
    try:
        yield
    finally:
        torch.set_num_threads(before)
        cudnn.benchmark, cudnn.deterministic = tried, fixed


def _finish(picture: Tensor, moved: Tensor | None, size: int, nearest: bool) -> Generator[None, None, Tensor]:
    """Turn [1, C, S, S] floats into uint8 [size, size, 4], as viz.render.postprocess does for the window.

    `moved` is the transform to undo; what then comes from beyond the picture is black, or transparent in RGBA.
    """
    if moved is not None:
        picture = resample(picture, lambda planes: inverse_warp(planes, moved), clear=-1, opaque=1)
    planes = to_uint8(picture)[0].permute(2, 0, 1)
    if size != picture.shape[3]:
        planes = yield from _resize(planes.float(), size, nearest)
    if moved is not None:  # after enlarging, so that the border is sharp
        first = 3 if len(planes) == 4 else 0  # what is transparent needs no other colour
        cut = (planes[first:] * coverage(moved, size)).add_(0.5).to(torch.uint8)
        planes = torch.cat([planes[:first], cut])
    pixels = torch.full((size, size, 4), 255, dtype=torch.uint8)
    for index, plane in enumerate(planes):
        pixels[:, :, index] = plane
        yield
    return pixels


def _resize(planes: Tensor, size: int, nearest: bool) -> Generator[None, None, Tensor]:
    """Return uint8 [C, size, size] of [C, S, S] in 0..255, some rows a slice, which takes less memory as well."""
    own = planes.shape[2]
    centres = (torch.arange(size, dtype=torch.float64) + 0.5) * (own / size) - 0.5
    if nearest and size > own:
        chosen = (centres + 0.5).floor().long().clamp(0, own - 1)
        return planes[:, chosen][:, :, chosen].to(torch.uint8)
    matrix = lanczos_matrix(centres, own, own / size)
    done = torch.empty((len(planes), size, size), dtype=torch.uint8)
    for rows, target in zip(matrix.split(BAND), done.split(BAND, dim=1), strict=True):
        made = resample(planes, lambda some, rows=rows: rows @ some @ matrix.T)  # type: ignore[misc]
        target.copy_(made.add_(0.5).clamp_(0, 255))
        yield
    return done


class Drawn(NamedTuple):
    """A picture file's pixels, [H, W], [H, W, 3] or [H, W, 4] bytes, how each slot's came about, and remarks."""

    pixels: np.ndarray
    conditions: dict[Slot, Conditions]
    notice: str


def draw_slots(
    state: AppState,
    slots: Sequence[Slot],
    size: int,
    conditions: Mapping[Slot, Conditions],
    models: ModelCache[Any] | None = None,
) -> Drawn:
    """Do what `draw_in_slices` does, at once."""
    steps = draw_in_slices(state, slots, size, conditions, models)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            drawn: Drawn = end.value
            return drawn


def draw_in_slices(
    state: AppState,
    slots: Sequence[Slot],
    size: int,
    conditions: Mapping[Slot, Conditions],
    models: ModelCache[Any] | None = None,
) -> Generator[None, None, Drawn]:
    """Draw the pictures of slots, side by side if there are two, then of one size: the larger model's if `size` is 0.

    Raises what `describe_error` describes.
    """
    asked = build_request(state)
    requests = {slot: request for slot in slots if (request := asked.slot(slot)) is not None}
    if not requests:
        raise ValueError("There is no picture to draw: open a model first.")
    usual = Conditions(state.display.device or "cpu", state.display.precision)
    used = {slot: conditions.get(slot, usual) for slot in requests}
    if len(requests) > 1 and not size:
        size = max(read_facts(request.model).config.resolution for request in requests.values())
    stills = dict[Slot, Still]()
    for slot, request in requests.items():
        asked_for = replace(request, device=used[slot].device, precision=used[slot].precision)
        nearest, threads = state.canvas.nearest, used[slot].threads
        stills[slot] = yield from draw_still(asked_for, size, threads, nearest=nearest, models=models)
        yield
    channels = {still.facts.config.img_channels for still in stills.values()}
    kinds = channels.pop() if len(channels) == 1 else 4 if 4 in channels else 3
    made = [still.pixels for still in stills.values()]

    def join(_: object) -> np.ndarray:
        return np.ascontiguousarray(select_channels(made[0] if len(made) == 1 else np.concatenate(made, 1), kinds))

    notices = dict.fromkeys(still.notice for still in stills.values() if still.notice)
    found = {slot: still.conditions for slot, still in stills.items()}
    return Drawn((yield from work_aside(join)), found, " ".join(notices))
