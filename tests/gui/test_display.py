# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The window shows pictures that lie on a device, with a CUDA driver that tests/support/graphics_driver.c plays."""

import dataclasses

import numpy as np
import pytest
from support.graphics import Event, seen
from support.gui import drive, save_model, settle

from viz.core.images import DeviceImage
from viz.core.state import AppState
from viz.display import uploaders
from viz.display.gl import of_egl
from viz.display.uploaders import SWITCH
from viz.render.renderer import Renderer
from viz.window.window import Window


@pytest.fixture
def window(driver, monkeypatch, tmp_path):
    """A window whose device "cpu" gives pictures as a GPU does while `window.on_a_device` says so."""
    state = AppState()
    state.left.path = save_model(tmp_path / "left.safetensors", "T", 32)
    state.right.path = save_model(tmp_path / "right.safetensors", "B", 32)
    begin = Renderer.start

    def rendered(renderer, request, keep=()):
        result = begin(renderer, request, keep)
        assert result.error is None, result.error
        if not window.on_a_device:
            return result
        picture, enlarged = (driver.pixels(array, Event()) for array in (result.image, result.smooth))
        window.made += [picture, enlarged]
        return dataclasses.replace(result, picture=picture, enlarged=enlarged)

    monkeypatch.setattr(Renderer, "start", rendered)
    window = Window(state, strict=True)
    window.on_a_device, window.made = True, []
    return window


@pytest.mark.slow
def test_the_window_waits_for_no_download(window, driver):
    GL = of_egl()  # the first import decides which library it takes

    seen_at = {}

    def look():  # on the thread that has the context
        for slot in ("left", "right"):
            texture = getattr(window._uploads.textures, slot)
            seen_at[slot] = seen(GL, texture._source), texture._shown
        original()

    original = window._after_frame
    window._after_frame = look

    window.show("Performance")

    def move(context):
        for mode in ("split", "blink", "side"):
            window.state.canvas.mode = mode
            window.state.transform.tx += 0.1
            settle(context, window)
            context.yield_(4)

    def test(context):
        settle(context, window)
        context.yield_(6)
        window.made.clear()  # the slices were in front until the layout was there
        move(context)
        assert window.context.machine.presented == ("CUDA-GL interop", uploaders.Interop.meaning)
        assert len(window.made) >= 12 and all(pixels._host is None for pixels in window.made)
        window.show("Sticking")
        context.yield_(4)
        move(context)
        for slot in ("left", "right"):
            assert window.context.recorder.pixels(slot, window.state.slot(slot).path, window.state.sticking) is not None
        assert Event.waited == 0, "what the slices over time look at is downloaded while the window goes on"
        assert all(pixels._host is None for pixels in window.made[1::2])
        for slot, (found, shown) in seen_at.items():
            assert shown is window.context.results[slot].enlarged and np.array_equal(found, shown.tensor.numpy()), slot
        window.state.canvas.mode = "difference"
        context.yield_(4)
        assert isinstance(window._uploads.textures.difference._shown, DeviceImage)
        assert Event.waited == 0 and all(pixels._host is None for pixels in window.made[1::2])
        window.on_a_device, window.state.canvas.mode = False, "side"
        window.worker.repeat()
        window.state.transform.tx = 0.0
        settle(context, window)
        context.yield_(4)
        assert window.context.machine.presented == ("upload from memory", uploaders.FROM_MEMORY)
        for slot, (found, shown) in seen_at.items():
            assert shown is window.context.results[slot].smooth and np.array_equal(found, shown), slot

    drive(window, test)
    assert driver.registered() == 0


@pytest.mark.slow
def test_the_window_goes_on_until_the_last_picture_has_come(window, driver, monkeypatch):
    monkeypatch.setenv(SWITCH, "pinned")
    window.show("Performance")  # in place of the slices over time, which keep the window going as well
    woken = []

    def test(context):
        settle(context, window)
        context.yield_(4)
        Event.passes, window._wake = False, lambda: woken.append(None)
        context.yield_(4)
        assert not woken
        window.state.transform.tx = 0.1
        settle(context, window)
        woken.clear()
        context.yield_(4)
        assert len(woken) >= 4, "nothing has come yet, and each frame asks for the next"
        Event.passes = True
        context.yield_(4)
        woken.clear()
        context.yield_(4)
        assert not woken and window._uploads.textures.left._shown is window.context.results["left"].enlarged
        assert window.context.machine.presented[0] == "pinned upload"

    drive(window, test)
