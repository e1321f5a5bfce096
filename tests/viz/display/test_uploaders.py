# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Pictures come to textures whichever way works; the OpenGL is real, the CUDA driver is played (graphics_driver.c)."""

import ctypes
import gc
import weakref

import numpy as np
import pytest
import torch
from support.graphics import STREAM, Event, arrive, picture, seen

from cuda_ops.cuda import driver as cuda_driver
from cuda_ops.cuda import gl_interop
from cuda_ops.cuda.driver import DriverError
from viz.core.images import DeviceImage, poll_host, size_of, window_stream
from viz.core.request import PictureRequest
from viz.core.result import RenderResult
from viz.core.state import StickingState
from viz.display import uploaders
from viz.display.texture import Texture, Textures
from viz.display.uploaders import SWITCH, UPLOADERS, UploaderChoice
from viz.instruments.slice_recorder import SliceRecorder

ON = f"@{STREAM:x}"
WRITTEN = [
    f"cuGraphicsMapResources{ON}",
    "cuGraphicsSubResourceGetMappedArray",
    f"cuMemcpy2DAsync{ON}",
    f"cuGraphicsUnmapResources{ON}",
]
FILLED = [
    f"cuGraphicsMapResources{ON}",
    "cuGraphicsResourceGetMappedPointer",
    f"cuMemcpyDtoDAsync{ON}",
    f"cuGraphicsUnmapResources{ON}",
]
REGISTERED = ["cuGLGetDevices", "cuGraphicsGLRegisterImage"]
NAMES = {kind.key: kind.name for kind in UPLOADERS}


@pytest.mark.parametrize("word", NAMES)
def test_pictures_on_a_device_arrive(word, driver, gl, monkeypatch):
    monkeypatch.setenv(SWITCH, word)
    texture = Texture(gl)
    paths = set()

    def make(content):
        paths.add(texture.path)
        return driver.pixels(content)

    arrive(gl, texture, make)
    assert paths == {"", NAMES[word]}
    texture.delete()
    assert driver.registered() == 0


def test_interop_registers_once_a_size_and_copies_without_waiting(driver, gl):
    texture = Texture(gl)
    assert (texture.path, texture.reason) == ("", "")
    ready = Event()
    first = driver.pixels(picture(0), ready)
    assert texture.show(first) > 0
    assert driver.calls() == [*REGISTERED, "wait for it", *WRITTEN]
    assert texture.path == "CUDA-GL interop" and texture.reason == uploaders.Interop.meaning
    assert texture.show(first) == 0 and driver.calls() == []
    texture.show(driver.pixels(picture(1)))
    assert driver.calls() == WRITTEN
    texture.show(driver.pixels(picture(1, 32, 16)))
    assert driver.calls() == ["cuGraphicsUnregisterResource", "cuGLGetDevices", "cuGraphicsGLRegisterImage", *WRITTEN]
    assert len(window_stream(0).kept) == 3 and Event.waited == 0
    texture.delete()
    assert driver.calls() == ["cuGraphicsUnregisterResource"] and driver.registered() == 0


def test_a_pixel_buffer_is_registered_once_a_size(driver, gl, monkeypatch):
    monkeypatch.setenv(SWITCH, "buffer")
    texture = Texture(gl)
    texture.show(driver.pixels(picture(0), Event()))
    assert driver.calls() == ["cuGraphicsGLRegisterBuffer", "wait for it", *FILLED]
    texture.show(driver.pixels(picture(1)))
    assert driver.calls() == FILLED
    texture.show(driver.pixels(picture(1, 32, 16)))
    assert driver.calls() == ["cuGraphicsUnregisterResource", "cuGraphicsGLRegisterBuffer", *FILLED]
    assert len(window_stream(0).kept) == 3 and Event.waited == 0
    assert texture.reason == f"{uploaders.PixelBuffer.meaning} JINC_DISPLAY asks for pixel buffer."
    texture.delete()
    assert driver.calls() == ["cuGraphicsUnregisterResource"] and driver.registered() == 0


def test_mipmaps_are_drawn_anew_from_each_picture(driver, gl):
    texture, expected = Texture(gl), Texture(gl)
    for seed in range(3):
        texture.show(driver.pixels(picture(seed)), 13)
        expected.show(picture(seed), 13)
        assert np.array_equal(seen(gl, texture.name), seen(gl, expected.name)), seed


@pytest.mark.parametrize(
    ("call", "code", "clause"),
    [
        ("cuGLGetDevices", 304, "OpenGL runs on another device than the models; cuGLGetDevices_v2 failed"),
        ("cuGraphicsGLRegisterImage", 304, "OpenGL runs on another device than the models; cuGraphicsGLRegisterImage"),
        (
            "cuGraphicsGLRegisterImage",
            2,
            "the device has no memory left; cuGraphicsGLRegisterImage failed (CUDA_ERROR_OUT_OF_MEMORY, 2)",
        ),
        ("cuGraphicsSubResourceGetMappedArray", 999, "cuGraphicsSubResourceGetMappedArray failed (CUDA_ERROR_UNKNOWN"),
        ("cuMemcpy2DAsync", 2, "the device has no memory left; cuMemcpy2DAsync_v2 failed"),
    ],
)
def test_what_fails_at_first_leaves_it_to_the_pixel_buffer(call, code, clause, driver, gl, caplog):
    driver.fail(call, code)
    display = UploaderChoice()
    texture, other = Texture(gl, display), Texture(gl, display)
    pixels = driver.pixels(picture(0))
    texture.show(pixels)
    assert np.array_equal(seen(gl, texture.name), picture(0))
    assert texture.path == "pixel buffer"
    meaning, _, rest = texture.reason.partition(" CUDA-GL interop does not work here: ")
    assert meaning == uploaders.PixelBuffer.meaning and rest.startswith(clause) and rest.endswith(").")
    assert "\n" not in rest and rest in caplog.text
    calls = driver.calls()
    assert driver.registered() == 1 and [name for name in calls if "GLRegister" in name][-1].endswith("Buffer")
    assert sum(name.startswith("cuGraphicsMap") for name in calls) == sum("Unmap" in name for name in calls)
    other.show(pixels)
    assert "cuGLGetDevices" not in driver.calls(), "what has failed is not tried again"
    assert np.array_equal(seen(gl, other.name), picture(0)) and other.reason == texture.reason
    for each in (texture, other):
        each.delete()
    assert driver.registered() == 0


@pytest.mark.parametrize(("call", "code"), [("cuGraphicsMapResources", 400), ("cuGraphicsUnmapResources", 999)])
def test_a_resource_that_is_lost_later_leaves_it_to_pinned_memory(call, code, driver, gl):
    texture = Texture(gl)
    for seed in range(2):
        texture.show(driver.pixels(picture(seed)))
    assert texture.path == "CUDA-GL interop"
    driver.fail(call, code)
    texture.show(driver.pixels(picture(2)))
    assert np.array_equal(seen(gl, texture.name), picture(2))
    assert texture.path == "pinned upload" and f"{call} failed (CUDA_ERROR_" in texture.reason
    assert driver.registered() == 0
    if "Unmap" in call:  # then there is no other order
        assert driver.forgive() == 2 * "something is unregistered while it is mapped. "


def test_another_device_than_opengls_is_told_apart(driver, gl):
    driver.runs_opengl_on(3)
    texture = Texture(gl)
    texture.show(driver.pixels(picture(0)))
    assert texture.path == "pixel buffer" and "cuGraphicsGLRegisterImage" not in driver.calls()
    expected = " OpenGL runs on another device than the models; cuGLGetDevices does not name device 0."
    assert texture.reason.endswith(expected)


def test_without_a_driver_pictures_are_downloaded(driver, gl, monkeypatch):
    monkeypatch.setattr(cuda_driver, "LIBRARY", "libno-such-driver.so.1")
    cuda_driver._library.cache_clear()
    texture = Texture(gl)
    texture.show(driver.pixels(picture(0)))
    assert np.array_equal(seen(gl, texture.name), picture(0)) and texture.path == "pinned upload"
    assert texture.reason.count("there is no CUDA driver (libno-such-driver.so.1).") == 2
    monkeypatch.setattr(torch.cuda, "Event", None)
    lost = Texture(gl)
    lost.show(driver.pixels(picture(1)))
    assert np.array_equal(seen(gl, lost.name), picture(1)) and lost.path == "upload from memory"
    assert lost.reason.startswith(uploaders.MemoryUploader.meaning) and lost.reason.count("does not work here") == 3


def test_a_driver_without_a_function_is_told(driver):
    with pytest.raises(DriverError, match="^this CUDA driver has no cuNoSuchFunction$"):
        cuda_driver.call("cuNoSuchFunction")


def test_opengl_without_memory_is_told(driver, gl, monkeypatch):
    from OpenGL.error import GLError

    resize = uploaders._resize

    def full(gl, texture, size, *, mipmaps=False):
        if mipmaps:
            raise GLError(1285, b"out of memory")
        resize(gl, texture, size)

    monkeypatch.setattr(uploaders, "_resize", full)
    texture = Texture(gl)
    texture.show(driver.pixels(picture(0)))
    assert np.array_equal(seen(gl, texture.name), picture(0)) and texture.path == "pixel buffer"
    assert "out of memory" in texture.reason and "\n" not in texture.reason


def test_the_copied_rectangle_is_laid_out_as_nvidias(driver):
    cuda_driver._library()
    ours = [getattr(gl_interop.Copy2D, field[0]).offset for field in gl_interop.Copy2D._fields_]
    assert [*ours, ctypes.sizeof(gl_interop.Copy2D)] == driver.layout()


# -- pinned upload -----------------------------------------------------------------------------------------------------


@pytest.fixture
def pinned(driver, gl, monkeypatch):
    monkeypatch.setenv(SWITCH, "pinned")
    textures = Textures(gl)
    yield textures
    textures.delete()


def test_a_download_under_way_leaves_the_former_picture(pinned, driver, gl):
    texture = pinned.left
    Event.passes = False
    texture.show(driver.pixels(picture(0)))
    assert Event.waited == 1, "for the first picture, since there is nothing else to show"
    assert np.array_equal(seen(gl, texture.name), picture(0)) and not pinned.take_pending()
    second = driver.pixels(picture(1), Event())
    driver.calls()
    assert texture.show(second) > 0 and driver.calls() == ["wait for it"]
    assert pinned.take_pending() and texture.is_pending
    assert not pinned.take_pending(), "asked once a frame: what is shown no more is not waited for"
    texture.show(second)
    assert np.array_equal(seen(gl, texture.name), picture(0))
    Event.passes = True
    assert texture.show(second) > 0
    assert np.array_equal(seen(gl, texture.name), picture(1)), "the last picture is not lost"
    pinned.take_pending()
    assert texture.show(second) == 0 and not texture.is_pending and not pinned.take_pending() and Event.waited == 1
    assert len(window_stream(0).kept) == 2


def test_pictures_faster_than_downloads(pinned, driver, gl):
    """Two downloads at most are under way; the newest of them is shown, and at last the last picture."""
    texture = pinned.left
    texture.show(driver.pixels(picture(0)))
    Event.passes = False
    frames = [driver.pixels(picture(seed)) for seed in range(1, 6)]
    for pixels in frames:
        texture.show(pixels)
    assert len(window_stream(0).kept) == 3, "the first, and two under way"
    assert np.array_equal(seen(gl, texture.name), picture(0))
    Event.passes = True
    texture.show(frames[-1])
    assert not np.array_equal(seen(gl, texture.name), picture(0))
    while texture.is_pending:
        texture.show(frames[-1])
    assert np.array_equal(seen(gl, texture.name), picture(5)) and Event.waited == 1


def test_another_size_is_waited_for(pinned, driver, gl):
    texture = pinned.right
    texture.show(driver.pixels(picture(0)))
    Event.passes = False
    texture.show(driver.pixels(picture(1)))
    texture.show(driver.pixels(picture(2, 32, 48)))
    assert np.array_equal(seen(gl, texture.name), picture(2, 32, 48)) and Event.waited == 2
    assert not texture.is_pending
    for seed in range(3, 6):
        texture.show(driver.pixels(picture(seed, 32, 48)))
    Event.passes, last = True, driver.pixels(picture(7, 32, 48))
    while texture.show(last) or texture.is_pending:
        pass
    assert np.array_equal(seen(gl, texture.name), picture(7, 32, 48)) and texture.path == "pinned upload"


def test_a_picture_from_memory_overtakes_a_download(pinned, driver, gl):
    """The device was changed to the CPU meanwhile."""
    texture = pinned.left
    texture.show(driver.pixels(picture(0)))
    Event.passes = False
    texture.show(driver.pixels(picture(1)))
    texture.show(picture(2))
    Event.passes = True
    assert not texture.is_pending and texture.show(picture(2)) > 0
    assert np.array_equal(seen(gl, texture.name), picture(2))
    assert (texture.path, texture.reason) == ("upload from memory", uploaders.FROM_MEMORY)
    texture.show(driver.pixels(picture(3)))
    assert texture.path == "pinned upload"
    while texture.is_pending:
        texture.show(driver.pixels(picture(3)))
    assert np.array_equal(seen(gl, texture.name), picture(3))


def test_buffers_are_deleted(driver, gl, monkeypatch):
    for word in NAMES:
        monkeypatch.setenv(SWITCH, word)
        texture = Texture(gl)
        texture.show(driver.pixels(picture(0)))
        texture.show(picture(1))
        texture.delete()
    assert not any(gl.glIsBuffer(name) for name in range(1, 40)) and not any(gl.glIsTexture(n) for n in range(1, 40))


# -- the switch, pictures, results -------------------------------------------------------------------------------------


def test_a_way_that_is_asked_for_and_fails_leaves_it_to_memory(driver, gl, monkeypatch):
    monkeypatch.setenv(SWITCH, " Interop ")
    driver.fail("cuGraphicsGLRegisterImage", 304)
    texture = Texture(gl)
    texture.show(driver.pixels(picture(0)))
    assert np.array_equal(seen(gl, texture.name), picture(0)) and texture.path == "upload from memory"
    assert "JINC_DISPLAY asks for CUDA-GL interop. CUDA-GL interop does not work here: OpenGL runs" in texture.reason


def test_a_buffer_that_cannot_be_registered_is_not_left_bound(driver, gl, monkeypatch):
    monkeypatch.setenv(SWITCH, "buffer")
    driver.fail("cuGraphicsGLRegisterBuffer", 2)
    texture = Texture(gl)
    texture.show(driver.pixels(picture(0)))
    assert np.array_equal(seen(gl, texture.name), picture(0)) and texture.path == "upload from memory"
    assert "no memory left; cuGraphicsGLRegisterBuffer failed" in texture.reason
    assert gl.glGetIntegerv(gl.GL_PIXEL_UNPACK_BUFFER_BINDING) == 0 and not any(map(gl.glIsBuffer, range(1, 40)))


def test_a_word_that_the_switch_does_not_know_is_told(driver, gl, monkeypatch):
    monkeypatch.setenv(SWITCH, "best")
    texture = Texture(gl)
    texture.show(driver.pixels(picture(0)))
    assert texture.path == "CUDA-GL interop"
    assert texture.reason.endswith("JINC_DISPLAY is none of interop, buffer, pinned, upload, so it is ignored.")


def test_panels_show_pictures_on_a_device(driver, gl):
    textures = Textures(gl)
    pixels = driver.pixels(picture(0, 48, 32))
    shown = textures.picture("centre", pixels)
    assert (shown.width, shown.height) == (48, 32) and np.array_equal(seen(gl, shown.texture), picture(0, 48, 32))
    assert pixels._host is None
    textures.delete()
    assert driver.registered() == 0


def test_a_picture_is_downloaded_once_when_somebody_asks(monkeypatch):
    content, ready = picture(0, 48, 32), Event()
    pixels = DeviceImage(torch.from_numpy(content), ready)
    monkeypatch.setattr(Event, "waited", 0)
    result = RenderResult(PictureRequest("m"), picture=pixels, enlarged=pixels)
    assert result.width == 48 and size_of(pixels) == (48, 32) and Event.waited == 0 and pixels._host is None
    image = result.image
    assert np.array_equal(image, content) and Event.waited == 1
    assert result.image is image and result.smooth is image and Event.waited == 1
    plain = RenderResult(PictureRequest("m"), picture=content)
    assert plain.image is content and plain.smooth is None and plain.width == 48
    assert RenderResult(PictureRequest("m"), error="No.").image is None and RenderResult(PictureRequest("m")).width == 0


def test_a_picture_is_downloaded_while_others_work(driver):
    content, ready = picture(0, 48, 32), Event()
    pixels = driver.pixels(content, ready)
    Event.passes = False
    assert poll_host(pixels) is None and poll_host(pixels) is None
    assert driver.calls() == ["wait for it"]
    assert len(window_stream(0).kept) == 1 and Event.waited == 0
    Event.passes = True
    host = poll_host(pixels)
    assert (
        np.array_equal(host, content) and poll_host(pixels) is host and pixels.to_host() is host and Event.waited == 0
    )
    Event.passes = False
    other = driver.pixels(picture(1))
    assert poll_host(other) is None and np.array_equal(other.to_host(), picture(1)) and Event.waited == 1
    assert poll_host(other) is other.to_host() and poll_host(content) is content


def test_without_pinned_memory_a_picture_is_downloaded_at_once(driver, monkeypatch):
    def refused(*size, **options):
        raise RuntimeError("no pinned memory")

    monkeypatch.setattr(torch, "empty", refused)
    assert np.array_equal(poll_host(driver.pixels(picture(0))), picture(0))


def test_slices_are_recorded_as_pictures_come(driver):
    """In their order, and the same as of pictures in memory."""
    where, recorders = StickingState(), (SliceRecorder(), SliceRecorder())
    assert not recorders[0].collect()
    Event.passes = False
    for seed in range(3):
        request = PictureRequest("m", tx=0.1 * seed)
        recorders[0].record("left", RenderResult(request, picture=driver.pixels(picture(seed))), where)
        recorders[1].record("left", RenderResult(request, picture=picture(seed)), where)
    assert recorders[0].pixels("left", "m", where) is None and recorders[0].collect()
    Event.passes = True
    assert not recorders[0].collect() and Event.waited == 0
    slices = [recorder.pixels("left", "m", where) for recorder in recorders]
    assert np.array_equal(*slices) and slices[0].any()
    Event.passes = False
    recorders[0].record("left", RenderResult(PictureRequest("m", tx=1.0), picture=driver.pixels(picture(4))), where)
    recorders[0].clear()
    assert not recorders[0].collect(), "what is cleared is not waited for"


@pytest.mark.parametrize(
    "tensor", [torch.zeros(4, 4, 3).byte(), torch.zeros(4, 4, 4), torch.zeros(8, 8, 4).byte()[::2]]
)
def test_what_is_no_picture_is_refused(tensor):
    with pytest.raises(ValueError, match=r"^A picture on a device is contiguous uint8 \[H, W, 4\], not torch\."):
        DeviceImage(tensor)


def test_the_window_lets_go_of_pictures(driver, gl):
    """A texture keeps the picture that it shows, for comparison, and none before it."""
    texture = Texture(gl)
    pixels = driver.pixels(picture(0))
    texture.show(pixels)
    gone = weakref.ref(pixels)
    window_stream(0).kept.clear()
    del pixels
    texture.show(driver.pixels(picture(1)))
    gc.collect()
    assert gone() is None
