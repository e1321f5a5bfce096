# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The difference of pictures on a device is that of the same pictures in memory. Without a GPU: streams are played."""

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch

from viz.core import images as pixels
from viz.core.images import DeviceImage, to_host
from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import RenderResult
from viz.render import difference as comparison
from viz.render.difference import ArrayDifference, DeviceDifference, Difference
from viz.render.upscale import upscale_pixels


class Event:
    """Of torch.cuda: `passed` says when what came before it is done."""

    passed = True

    def record(self, stream: object) -> None:
        assert stream == "the window's"

    def query(self) -> bool:
        return Event.passed

    def synchronize(self) -> None:
        assert Event.passed


@pytest.fixture(autouse=True)
def streams(monkeypatch: pytest.MonkeyPatch) -> list[DeviceImage]:
    """Pictures that the window's stream was told to wait for."""
    followed: list[DeviceImage] = []
    Event.passed = True
    monkeypatch.setattr(pixels, "window_stream", lambda device: "the window's")
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(DeviceImage, "follow", lambda self, stream: followed.append(self))
    return followed


def picture(size: int, seed: int) -> np.ndarray:
    found = np.random.default_rng(seed).integers(0, 256, (size, size, 4), dtype=np.uint8)
    found[:, :, 3] = 255
    return found


def on_device(found: np.ndarray) -> DeviceImage:
    return DeviceImage(torch.from_numpy(found))


def result(found: np.ndarray, side: str, device: bool, **asked: Any) -> RenderResult:
    large = upscale_pixels(found, 512) if len(found) < 512 else None
    both = [pixels if pixels is None or not device else on_device(pixels) for pixels in (found, large)]
    return RenderResult(PictureRequest(side, **asked), picture=both[0], enlarged=both[1])


@pytest.mark.parametrize(("left", "right"), [(64, 64), (128, 32), (512, 64), (512, 512)])
@pytest.mark.parametrize("width", [0.0, 700.0])
def test_it_is_that_of_the_arrays(left: int, right: int, width: float, streams: list[DeviceImage]) -> None:
    found, expected = Difference(), Difference()
    pairs = [
        [result(picture(left, 1), "left", device), result(picture(right, 2), "right", device)]
        for device in (True, False)
    ]
    for gain in (1.0, 4.0, 64.0):
        for difference, (one, other) in zip((found, expected), pairs, strict=True):
            difference.ask(RenderRequest(one.request, other.request))
        shown, wanted = found.of(*pairs[0], gain, width), expected.of(*pairs[1], gain, width)
        assert shown is not None and wanted is not None and isinstance(shown.pixels, DeviceImage)
        assert np.abs(to_host(shown.pixels).astype(int) - wanted.pixels).max() <= gain  # enlarged to bytes: one off
        assert shown.rms == pytest.approx(wanted.rms, rel=1e-4) and not found.on_its_way
    followed = {id(image) for image in streams}
    assert all(followed & {id(one.picture), id(one.enlarged)} for one in pairs[0])
    assert all(one.picture._host is None for one in pairs[0]), "a frame left its device"  # type: ignore[union-attr]


def test_the_number_comes_later_and_nobody_waits() -> None:
    found = Difference()

    def pair(seed: int) -> tuple[RenderResult, RenderResult]:
        both = result(picture(32, seed), "left", True, psi=seed), result(picture(32, 9), "right", True, psi=seed)
        found.ask(RenderRequest(both[0].request, both[1].request))
        return both

    first, second = pair(1), pair(2)
    shown = found.of(*first, 4.0)
    assert shown is not None and shown.rms > 0
    Event.passed = False
    later = found.of(*second, 4.0)
    assert later is not None and later.rms == shown.rms and found.on_its_way
    assert later.pixels is not shown.pixels
    Event.passed = True
    come = found.of(*second, 4.0)
    assert come is not None and come.rms != shown.rms and not found.on_its_way and come.pixels is later.pixels
    found.forget()
    assert not found.on_its_way


def test_pictures_of_two_devices_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = result(picture(32, 1), "left", True), result(picture(32, 2), "right", False)
    assert isinstance(comparison._subtract(one, other, False), ArrayDifference)
    both = result(picture(32, 1), "left", True), result(picture(32, 2), "right", True)
    assert isinstance(comparison._subtract(*both, False), DeviceDifference)
    monkeypatch.setattr(both[1].picture.__class__, "device", property(id))
    assert isinstance(comparison._subtract(*both, False), ArrayDifference)
    odd = result(picture(96, 1), "left", True), result(picture(64, 2), "right", True)
    assert isinstance(comparison._subtract(*odd, False), ArrayDifference)


def test_transparent_pictures_on_a_device_differ_as_in_memory(streams: list[DeviceImage]) -> None:
    one, other = (np.random.default_rng(seed).integers(0, 256, (16, 16, 4), np.uint8) for seed in (1, 2))
    plain = ArrayDifference(one, other, 32, clear=True)
    device = DeviceDifference(on_device(one), on_device(other), 32, clear=True)
    assert np.array_equal(to_host(device.amplify(3.0)), plain.amplify(3.0))
    assert device.rms == pytest.approx(plain.rms, rel=1e-5) and len(streams) == 2
