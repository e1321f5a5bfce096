# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Draw the pictures of states off the window: one slot's, or both side by side, as frames of a size.

Frames follow from states alone, not from what a screen or a clock does: a slow machine draws the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial

import numpy as np
import torch
from torch import Tensor

from viz.core.images import DeviceImage, Pixels
from viz.core.request import PictureRequest, build_request
from viz.core.state import AppState, Slot
from viz.loading.model_info import read_facts
from viz.record.video.formats import VideoError, check_frame_size
from viz.render.renderer import Renderer
from viz.render.upscale import lanczos_matrix, resample

BACKGROUND = (18, 19, 21)  # beside pictures, where they do not fill the frame: the stage of the dark theme
GREY = 128.0  # behind transparent pictures, as instruments see them


def pick_requests(state: AppState, slots: Sequence[Slot]) -> list[PictureRequest]:
    """Return the requests of these slots' pictures. VideoError if one is empty."""
    requests = build_request(state)
    found = [requests.slot(slot) for slot in slots]
    if None in found:
        raise VideoError(f"Nothing is open in the {slots[found.index(None)]} slot, so there is nothing to draw.")
    return [request for request in found if request is not None]


def measure_frame(requests: Sequence[PictureRequest], columns: int | None = None) -> tuple[int, int]:
    """Return (width, height) of the pictures beside each other, or in so many columns, each as large as the largest.

    Raises what `describe_error` describes for a model that cannot be opened.
    """
    side = max(read_facts(path).config.resolution for path in {request.model for request in requests})
    columns = columns or len(requests)
    return columns * side, -(-len(requests) // columns) * side


class FramePainter:
    """Draws frames of one size with a renderer of its own; keep one per thread."""

    def __init__(
        self, size: tuple[int, int], columns: int = 1, rows: int = 1, renderer: Renderer | None = None
    ) -> None:
        """`size` is (width, height) of the frames, `columns` and `rows` are of the pictures in them.

        Pictures touch each other, and what a frame has left is around all of them.
        `renderer`: whose loaded models are used, too, but none of its other caches. VideoError for an unfit size.
        """
        check_frame_size(*size)
        self.size, self._columns = size, columns
        self.side = max(1, min(size[0] // columns, size[1] // rows))  # of each picture, pixels
        self._corner = (size[0] - columns * self.side) // 2, (size[1] - rows * self.side) // 2
        self._renderer = Renderer(enlarge=False)
        if renderer is not None:
            self._renderer.models = renderer.models

    def draw_state(self, state: AppState, slots: Sequence[Slot]) -> np.ndarray:
        """Return the frame of these slots' pictures, uint8 [H, W, 3]. VideoError where there is no picture."""
        return self.draw(pick_requests(state, slots))

    def draw(self, requests: Sequence[PictureRequest]) -> np.ndarray:
        """Return the frame of these pictures, row by row, uint8 [H, W, 3]. VideoError where there is no picture."""
        width, height = self.size
        frame = np.full((height, width, 3), BACKGROUND, np.uint8)
        for index, request in enumerate(requests):
            row, column = divmod(index, self._columns)
            left, top = self._corner[0] + column * self.side, self._corner[1] + row * self.side
            frame[top : top + self.side, left : left + self.side] = self.draw_picture(request, self.side)
        return frame

    def draw_picture(self, request: PictureRequest, side: int) -> np.ndarray:
        """Return one picture, uint8 [side, side, 3]. VideoError if there is none."""
        result = self._renderer.render(request)
        if result.picture is None:
            raise VideoError(result.error or "No picture came back.")
        return fit_picture(result.picture, side, has_alpha=result.has_alpha)


def fit_picture(pixels: Pixels, side: int, *, has_alpha: bool = False) -> np.ndarray:
    """Resample RGBA bytes to uint8 [side, side, 3] by Lanczos, on the device where they are: one download at most."""
    if isinstance(pixels, DeviceImage):
        pixels.follow(torch.cuda.current_stream(pixels.device))
        tensor = pixels.tensor
    else:
        tensor = torch.from_numpy(pixels)
    with torch.inference_mode():
        return _fit(tensor[:, :, : 4 if has_alpha else 3], side).cpu().numpy()


def _fit(pixels: Tensor, side: int) -> Tensor:
    if pixels.shape == (side, side, 3):
        return pixels.contiguous()
    planes = pixels.permute(2, 0, 1).float()
    down, across = (_resizer(size, side, pixels.device) for size in planes.shape[1:])
    planes = resample(planes, partial(_resize, down, across))
    if len(planes) == 4:
        planes = GREY + (planes[:3] - GREY) * (planes[3:] / 255).clamp(0, 1)
    return planes.add_(0.5).clamp_(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous()


def _resize(down: Tensor, across: Tensor, planes: Tensor) -> Tensor:
    return down @ planes @ across.T


@lru_cache(maxsize=16)
def _resizer(size: int, side: int, device: torch.device) -> Tensor:
    """Return the matrix [side, size] that resamples one axis."""
    step = size / side
    where = (torch.arange(side, dtype=torch.float64, device=device) + 0.5) * step - 0.5
    return lanczos_matrix(where, size, step)
