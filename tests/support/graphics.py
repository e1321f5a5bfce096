# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Tools for tests of the display: reading textures back, pictures to look for, and a CUDA driver made for them.

`arrive` runs here with the driver that tests/support/graphics_driver.c plays, and in tests/gpu with a real one.
"""

import ctypes
import importlib.util
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cuda_ops.cpu import build
from cuda_ops.cuda import driver as cuda_driver
from support.egl import headless
from viz.core import images as pixels_module
from viz.core.images import DeviceImage
from viz.display.texture import Texture
from viz.display.uploaders import SWITCH

STREAM = 0xABCD00000001
# PyOpenGL makes all that Mesa brings global: a library's own names must be its own.
SHARED = ["-shared", "-fPIC", *(["-Wl,-Bsymbolic"] if sys.platform.startswith("linux") else [])]
SOURCE = Path(__file__).with_name("graphics_driver.c")


def picture(seed: int, width: int = 64, height: int = 64) -> np.ndarray:
    """uint8 [H, W, 4], noise in all four."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)


def seen(gl: Any, name: int) -> np.ndarray:
    """uint8 [H, W, 4]: a texture's pixels, read back."""
    gl.glBindTexture(gl.GL_TEXTURE_2D, name)
    width, height = (
        int(gl.glGetTexLevelParameteriv(gl.GL_TEXTURE_2D, 0, which))
        for which in (gl.GL_TEXTURE_WIDTH, gl.GL_TEXTURE_HEIGHT)
    )
    data = gl.glGetTexImage(gl.GL_TEXTURE_2D, 0, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE)
    gl.glBindTexture(gl.GL_TEXTURE_2D, 0)
    return np.frombuffer(data, np.uint8).reshape(height, width, 4)


def arrive(gl: Any, texture: Texture, make: Callable[[np.ndarray], DeviceImage]) -> None:
    """Pictures on a device come to a texture whole: of several sizes, reduced, enlarged, and then one from memory."""
    from_memory = Texture(gl)
    sizes = [(64, 64), (64, 64), (96, 40), (64, 64), (256, 256), (1, 1)]
    for seed, (width, height) in enumerate(sizes):
        wanted = picture(seed, width, height)
        pixels = make(wanted)
        for shown, nearest in ((None, False), (width // 3, False), (4 * width, True), (None, False)):
            waiting = 0
            while texture.show(pixels, shown, nearest=nearest) or texture.is_pending:
                waiting += 1
                assert waiting < 1000, "it does not come"
            from_memory.show(wanted, shown, nearest=nearest)
            assert np.array_equal(seen(gl, texture.name), seen(gl, from_memory.name)), (width, height, shown)
        assert np.array_equal(seen(gl, texture.name), wanted), (width, height)
        assert gl.glGetIntegerv(gl.GL_PIXEL_UNPACK_BUFFER_BINDING) == 0, "imgui uploads its fonts from memory"
    texture.show(picture(7))
    assert np.array_equal(seen(gl, texture.name), picture(7)) and texture.path == "upload from memory"
    from_memory.delete()


class Tensor(torch.Tensor):
    """A tensor on the CPU that stands for one on a device, or in pinned memory."""

    def record_stream(self, stream: Any) -> None:
        assert stream.cuda_stream == STREAM
        stream.kept.append(self)

    def copy_(self, source: torch.Tensor, non_blocking: bool = False) -> torch.Tensor:
        """Happens when an event that was recorded after it passes."""
        assert non_blocking and Stream.entered is not None
        Stream.entered.queue.append(lambda: torch.Tensor.copy_(self, source))
        return self


class Stream:
    """Stands for torch.cuda.Stream, and tells the driver's log of what it waits for."""

    driver: "Driver"
    entered: "Stream | None" = None

    def __init__(self, device: int, priority: int) -> None:
        assert device == 0 and priority < 0
        self.cuda_stream, self.kept, self.queue, self.done = STREAM, [], [], 0

    @contextmanager
    def enter(self):
        Stream.entered = self
        yield
        Stream.entered = None

    def wait_event(self, event: Any) -> None:
        self.driver.library.note(b"wait for it")


class Event:
    """Stands for torch.cuda.Event: passed when `passes` says so, or once it has been waited for."""

    passes = True
    waited = 0

    def __init__(self) -> None:
        self._stream, self._before = None, 0

    def record(self, stream: Stream) -> None:
        self._stream, self._before = stream, len(stream.queue)

    def _pass(self) -> None:
        while self._stream and self._stream.done < self._before:
            self._stream.queue[self._stream.done]()
            self._stream.done += 1

    def query(self) -> bool:
        if Event.passes:
            self._pass()
        return self._stream is None or self._stream.done >= self._before

    def synchronize(self) -> None:
        Event.waited += 1
        self._pass()


class Driver:
    """The library that plays the driver, and what it noted."""

    def __init__(self, path: Path) -> None:
        self.library = ctypes.CDLL(str(path))
        self.library.reset()

    def _text(self, name: str, size: int) -> str:
        return (ctypes.c_char * size).in_dll(self.library, name).value.decode()

    def calls(self) -> list[str]:
        """Return the calls since the last time, in order, with streams."""
        text = self._text("calls", 1 << 16)
        (ctypes.c_char * (1 << 16)).in_dll(self.library, "calls").value = b""
        return text.split(";")[:-1]

    def fail(self, name: str, code: int, after: int = 0) -> None:
        """Fail every call of `name` with `code`, after some that succeed."""
        (ctypes.c_char * 64).in_dll(self.library, "fails_at").value = name.encode()
        for what, value in (("fails_with", code), ("fails_after", after)):
            ctypes.c_int.in_dll(self.library, what).value = value

    def runs_opengl_on(self, device: int) -> None:
        ctypes.c_int.in_dll(self.library, "opengl_device").value = device

    def layout(self) -> list[int]:
        return list((ctypes.c_size_t * 17).in_dll(self.library, "layout"))

    def registered(self) -> int:
        return int(self.library.registered())

    def violations(self) -> str:
        return self._text("violations", 1 << 12)

    def forgive(self) -> str:
        """The violations so far, which are then forgotten."""
        text = self.violations()
        (ctypes.c_char * (1 << 12)).in_dll(self.library, "violations").value = b""
        return text

    def pixels(self, content: np.ndarray, ready: Any = None) -> DeviceImage:
        """A picture "on the device"."""
        return DeviceImage(torch.from_numpy(content.copy()).as_subclass(Tensor), ready)


def headers() -> list[Path]:
    """Folders with NVIDIA's cuda.h, which comes with a package of the extra cuda-test."""
    spec = importlib.util.find_spec("nvidia")
    places = spec.submodule_search_locations if spec and spec.submodule_search_locations else ()
    return sorted({found.parent for place in places for found in Path(place).glob("*/include/cuda.h")})


def built_driver(folder: Path) -> Path:
    """Compile graphics_driver.c; skips where that cannot be."""
    found, includes = build.find_compilers(), headers()
    if not found:
        pytest.skip("there is no compiler to make a driver with")
    if not includes:
        pytest.skip("cuda.h is not installed: pip install -e '.[cuda-test]'")
    library = folder / "libcuda-graphics.so"
    options = ["-x", "c", *SHARED, "-Wall", "-Werror", f"-I{includes[0]}"]
    ran = subprocess.run([*found[0], *options, str(SOURCE), "-o", str(library), "-ldl"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[:4000]
    return library


@contextmanager
def played(monkeypatch: pytest.MonkeyPatch, library: Path):
    """The library in place of the driver, and classes in place of torch's streams, events and pinned memory."""
    driver = Driver(library)
    Stream.driver, Event.passes, Event.waited = driver, True, 0
    monkeypatch.setattr(cuda_driver, "LIBRARY", str(library))
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    empty = torch.empty

    def pinned(*size, pin_memory=False, **options):
        return empty(*size, **options).as_subclass(Tensor) if pin_memory else empty(*size, **options)

    monkeypatch.setattr(torch.cuda, "stream", Stream.enter)
    monkeypatch.setattr(torch, "empty", pinned)
    caches = (cuda_driver._library, cuda_driver._context, pixels_module.window_stream)
    for function in caches:
        function.cache_clear()
    yield driver
    for function in caches:
        function.cache_clear()


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    return built_driver(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def gl():
    """PyOpenGL, with a context of its own."""
    try:
        with headless() as context:
            yield context.gl
    except OSError as problem:
        pytest.skip(str(problem))


@pytest.fixture
def driver(library, monkeypatch):
    """The played driver; nothing that the real one forbids may have happened at the end."""
    monkeypatch.delenv(SWITCH, raising=False)
    with played(monkeypatch, library) as driver:
        yield driver
        assert driver.violations() == ""
