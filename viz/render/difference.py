# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Compute the difference of two pictures, brought to one size if their models differ: arrays, or on a CUDA device."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch

from viz.core import images
from viz.core.images import DeviceImage, Pixels, size_of, to_host
from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import RenderResult
from viz.render.upscale import upscale, upscale_factor, upscale_pixels

ASKED_LIMIT = 256  # pairs of requests remembered, seconds of dragging

Asked = tuple[PictureRequest | None, PictureRequest | None]


class DifferenceImage(NamedTuple):
    """|left - right|: `pixels` uint8 [H, W, 4], multiplied by the gain, and `rms`, the root mean square without it.

    `rms` is over the pixels of the larger picture and R, G, B, in units of their 0..255. From a GPU it may come a frame
    later; until then it is that of the pair before.
    """

    pixels: Pixels
    rms: float


def absolute_difference(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return |left - right| of two uint8 arrays of one shape."""
    return np.maximum(left, right) - np.minimum(left, right)


def amplify(difference: np.ndarray, gain: float) -> np.ndarray:
    """Return uint8 [H, W, 4] times `gain`, cut off at 255, and opaque: zero is black."""
    table = np.minimum(np.arange(256) * gain + 0.5, 255).astype(np.uint8)
    pixels = table[difference]
    pixels[:, :, 3] = 255
    return pixels


def root_mean_square(difference: np.ndarray) -> float:
    """Return the RMS of uint8 [H, W, 4] whose alpha is 0, over pixels and R, G, B."""
    flat = difference.reshape(-1).astype(np.float32)
    return float(np.sqrt(np.dot(flat, flat) / (0.75 * flat.size)))


def put_on(pixels: torch.Tensor, background: int) -> torch.Tensor:
    """Return RGBA bytes [H, W, 4] as they look on a grey of 0 to 255, opaque."""
    values, alpha = pixels.int(), pixels[:, :, 3:].int()
    seen = (values * alpha + background * (255 - alpha) + 127) // 255
    seen[:, :, 3] = 255
    return seen.byte()


def _views(pixels: torch.Tensor, clear: bool) -> tuple[torch.Tensor, ...]:
    """Return the opaque pictures of which differences are taken: on black and on white if any may be `clear`.

    Two pictures look the same on every background if they do on these two.
    """
    return (put_on(pixels, 0), put_on(pixels, 255)) if clear else (pixels,)


class ArrayDifference:
    """|left - right| of pictures in memory, as `DeviceDifference` is of those on a device."""

    def __init__(
        self, left: Pixels, right: Pixels, width: int, own: ArrayDifference | None = None, *, clear: bool = False
    ) -> None:
        pictures = [torch.from_numpy(to_host(pixels)) for pixels in (left, right)]
        seen = [[upscale_pixels(view.numpy(), width) for view in _views(one, clear)] for one in pictures]
        self._difference = np.maximum.reduce([absolute_difference(*pair) for pair in zip(*seen, strict=True)])
        self.rms: float | None = root_mean_square(self._difference) if own is None else own.rms

    def amplify(self, gain: float) -> np.ndarray:
        return amplify(self._difference, gain)


@contextmanager
def _on_window_stream(device: int) -> Iterator[torch.cuda.Stream]:
    stream = images.window_stream(device)
    with torch.inference_mode(), torch.cuda.stream(stream):
        yield stream


class DeviceDifference:
    """|left - right| of two pictures on one CUDA device, each enlarged to `width` pixels if it is smaller.

    It is computed on the window's stream, from finished pictures, and comes to the screen as they do. Only its root
    mean square comes to memory, four bytes, and nothing waits for them.

    `width` is a multiple of both widths. `own`: the difference at the pictures' own size, whose root mean square it
    then has. `clear`: the pictures may be transparent, and it is the larger of those on black and on white.
    """

    def __init__(
        self,
        left: DeviceImage,
        right: DeviceImage,
        width: int,
        own: DeviceDifference | None = None,
        *,
        clear: bool = False,
    ) -> None:
        self._device = left.device
        with _on_window_stream(self._device) as stream:
            for picture in (left, right):
                picture.follow(stream)
            seen = [[_enlarge_on_device(view, width) for view in _views(one.tensor, clear)] for one in (left, right)]
            found = [torch.maximum(*pair) - torch.minimum(*pair) for pair in zip(*seen, strict=True)]
            self._difference = torch.maximum(*found) if clear else found[0]
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


def _enlarge_on_device(pixels: torch.Tensor, width: int) -> torch.Tensor:
    """Return opaque uint8 [H, W, 4], `width` pixels across."""
    if pixels.shape[1] == width:
        return pixels
    planes = upscale(pixels.permute(2, 0, 1).float(), width // pixels.shape[1])
    return planes.add_(0.5).clamp_(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous()


class Difference:
    """The difference of the newest pair, computed once for a pair and a gain.

    Only results that answer one request are a pair. Under a drag the left picture comes first, and its difference
    from the right one of the step before would be that of the step.
    """

    def __init__(self) -> None:
        self._asked: OrderedDict[Asked, None] = OrderedDict()
        self._pair: tuple[RenderResult, RenderResult] | None = None
        self._fine = False
        self._plain: ArrayDifference | DeviceDifference | None = None  # of the pair, without gain
        self._gain = 0.0
        self._shown: Pixels | None = None  # with it
        self._rms = 0.0  # the last that has come
        self.on_its_way = False  # whether the pair's own has not

    def ask(self, request: RenderRequest) -> None:
        """Remember that the pictures of `request` belong together."""
        pair = (request.left, request.right)
        if not self._asked or next(reversed(self._asked)) != pair:
            self._asked[pair] = None
            self._asked.move_to_end(pair)
            while len(self._asked) > ASKED_LIMIT:
                self._asked.popitem(last=False)

    def of(
        self, left: RenderResult | None, right: RenderResult | None, gain: float, width: float = 0.0
    ) -> DifferenceImage | None:
        """Return the difference of the two, or of the pair before if they are no pair; None if there is neither.

        Shown larger than the pictures are, at `width` screen pixels, it is that of the enlarged pictures:
        a difference of band-limited signals may change its sign between two pixels.
        """
        if left is None or right is None or left.picture is None or right.picture is None:
            self.forget()
            return None
        if self._pair and any(
            old.request.model != new.request.model for old, new in zip(self._pair, (left, right), strict=True)
        ):
            self.forget()
        known = self._pair and self._pair[0] is left and self._pair[1] is right
        if (left.request, right.request) in self._asked and not known:
            self._pair, self._plain = (left, right), None
        if self._pair is None:
            return None
        fine = width > max(result.width for result in self._pair)
        if self._plain is None or fine != self._fine:
            self._plain, self._fine, self._shown = _subtract(*self._pair, fine), fine, None
        if self._shown is None or gain != self._gain:
            self._shown, self._gain = self._plain.amplify(gain), gain
        rms = self._plain.rms
        self._rms, self.on_its_way = (self._rms, True) if rms is None else (rms, False)
        return DifferenceImage(self._shown, self._rms)

    def forget(self) -> None:
        """Release the pictures."""
        self._pair = self._plain = self._shown = None
        self.on_its_way = False


def _subtract(left: RenderResult, right: RenderResult, fine: bool) -> ArrayDifference | DeviceDifference:
    """Compute the difference on the pictures' device; they are downloaded only if their devices differ.

    It has the larger one's size, or, if `fine`, that of its enlarged form; enlarging is by Lanczos, as for display.
    """
    width = max(left.width, right.width)
    devices = {one.picture.device if isinstance(one.picture, DeviceImage) else None for one in (left, right)}
    together = len(devices) == 1 and None not in devices and width % min(left.width, right.width) == 0
    kind: Any = DeviceDifference if together else ArrayDifference
    clear = left.has_alpha or right.has_alpha
    own = kind(_select(left, width), _select(right, width), width, clear=clear)
    finely = width * upscale_factor(width)
    if not fine or finely == width:
        return own
    return kind(_select(left, finely), _select(right, finely), finely, own, clear=clear)


def _select(result: RenderResult, width: int) -> Pixels:
    """Return the enlarged picture if it has this width, else the picture itself."""
    enlarged = result.enlarged is not None and size_of(result.enlarged)[0] == width
    found = result.enlarged if enlarged else result.picture
    assert found is not None
    return found
