# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Compute the difference of two pictures on the CUDA device that rendered them; viz.render.difference does arrays.

It is computed on the window's stream, from finished pictures, and comes to the screen as they do. Only its root mean
square comes to memory, four bytes, and nothing waits for them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from viz.core import images as pixels_module
from viz.core.images import DeviceImage
from viz.render.upscale import upscale


@contextmanager
def _on_window_stream(device: int) -> Iterator[torch.cuda.Stream]:
    stream = pixels_module.window_stream(device)
    with torch.inference_mode(), torch.cuda.stream(stream):
        yield stream


class DeviceDifference:
    """|left - right| of two pictures on one device, each enlarged to `width` pixels if it is smaller.

    `width` is a multiple of both widths. `own`: the difference at the pictures' own size, whose root mean square it
    then has.
    """

    def __init__(
        self, left: DeviceImage, right: DeviceImage, width: int, own: "DeviceDifference | None" = None
    ) -> None:
        self._device = left.device
        with _on_window_stream(self._device) as stream:
            one, other = (_widened(picture, width, stream) for picture in (left, right))
            self._difference = torch.maximum(one, other) - torch.minimum(one, other)
            if own is None:
                mean = self._difference.float().square().sum() / (0.75 * self._difference.numel())
                self._rms = mean.sqrt().to("cpu", non_blocking=True, copy=True)
                self._come = torch.cuda.Event()
                self._come.record(stream)
            else:
                self._rms, self._come = own._rms, own._come

    @property
    def rms(self) -> float | None:
        """Root mean square, None until it has come to memory. Never waits."""
        return float(self._rms) if self._come.query() else None

    def amplify(self, gain: float) -> DeviceImage:
        """Return it times `gain`, cut off at 255, and opaque."""
        with _on_window_stream(self._device) as stream:
            shown = self._difference.float().mul_(gain).add_(0.5).clamp_(0, 255).to(torch.uint8)
            shown[:, :, 3] = 255
            ready = torch.cuda.Event()
            ready.record(stream)
            return DeviceImage(shown, ready)


def _widened(picture: DeviceImage, width: int, stream: torch.cuda.Stream) -> Tensor:
    """Return uint8 [H, W, 4], `width` pixels across."""
    picture.follow(stream)
    if picture.width == width:
        return picture.tensor
    planes = upscale(picture.tensor.permute(2, 0, 1).float(), width // picture.width)
    return planes.add_(0.5).clamp_(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous()
