# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Compute the difference of two pictures, brought to one size if their models differ."""

from collections import OrderedDict
from typing import NamedTuple

import numpy as np

from viz.core.images import DeviceImage, Pixels, size_of, to_host
from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import RenderResult
from viz.render.difference_cuda import DeviceDifference
from viz.render.upscale import upscale_factor, upscale_pixels

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


def match_sizes(left: RenderResult, right: RenderResult, fine: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return both pictures as uint8 [H, W, 4] of one size: the larger one's, or, if `fine`, that of its enlarged form.

    Enlarging is by Lanczos, as for display.
    """
    width = max(left.width, right.width)
    width *= upscale_factor(width) if fine else 1
    return _widened(left, width), _widened(right, width)


class ArrayDifference:
    """|left - right| of pictures in memory, as `DeviceDifference` is of those on a device."""

    def __init__(self, left: RenderResult, right: RenderResult, fine: bool) -> None:
        own = absolute_difference(*match_sizes(left, right, fine=False))
        self._difference = absolute_difference(*match_sizes(left, right, fine=True)) if fine else own
        self.rms: float | None = root_mean_square(own)

    def amplify(self, gain: float) -> np.ndarray:
        return amplify(self._difference, gain)


def _widened(result: RenderResult, width: int) -> np.ndarray:
    if result.enlarged is not None and size_of(result.enlarged)[0] == width:
        return to_host(result.enlarged)
    assert result.picture is not None
    return upscale_pixels(to_host(result.picture), width)


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
        if self._pair and _models(*self._pair) != _models(left, right):
            self.forget()
        if (left.request, right.request) in self._asked and not (
            self._pair and self._pair[0] is left and self._pair[1] is right
        ):
            self._pair, self._plain = (left, right), None
        if self._pair is None:
            return None
        fine = width > max(result.width for result in self._pair)
        if self._plain is None or fine != self._fine:
            self._plain, self._fine, self._shown = _plain(*self._pair, fine), fine, None
        if self._shown is None or gain != self._gain:
            self._shown, self._gain = self._plain.amplify(gain), gain
        rms = self._plain.rms
        self._rms, self.on_its_way = (self._rms, True) if rms is None else (rms, False)
        return DifferenceImage(self._shown, self._rms)

    def forget(self) -> None:
        """Release the pictures."""
        self._pair = self._plain = self._shown = None
        self.on_its_way = False


def _models(left: RenderResult, right: RenderResult) -> tuple[str, str]:
    return left.request.model, right.request.model


def _plain(left: RenderResult, right: RenderResult, fine: bool) -> ArrayDifference | DeviceDifference:
    """Compute the difference on the pictures' device; they are downloaded only if their devices differ."""
    width = max(left.width, right.width)
    one, other = left.picture, right.picture
    both = isinstance(one, DeviceImage) and isinstance(other, DeviceImage) and one.device == other.device
    if not both or width % min(left.width, right.width):
        return ArrayDifference(left, right, fine)
    assert isinstance(one, DeviceImage) and isinstance(other, DeviceImage)
    own = DeviceDifference(one, other, width)
    finely = width * upscale_factor(width)
    if not fine or finely == width:
        return own
    one, other = (_larger(result, finely) for result in (left, right))
    return DeviceDifference(one, other, finely, own)


def _larger(result: RenderResult, width: int) -> DeviceImage:
    """Return the enlarged picture if it has this width, else the picture itself."""
    enlarged = result.enlarged is not None and size_of(result.enlarged)[0] == width
    found = result.enlarged if enlarged else result.picture
    assert isinstance(found, DeviceImage)
    return found
