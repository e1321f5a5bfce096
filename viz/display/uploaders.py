# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""How pictures come to OpenGL's textures: four ways from a CUDA device, tried in order, and one from memory.

The first way that works stays. One that fails is remembered, with a sentence why, and not tried again on that device.
Only on the window's thread, with its context current. Decision 018.
"""

import ctypes
import logging
import os
import textwrap
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from viz.core.images import DeviceImage, PinnedDownload, Pixels, in_memory, size_of, window_stream

if TYPE_CHECKING:  # it brings torch, which a window, or the doctor's, can open without
    from cuda_ops.cuda import gl_interop

SWITCH = "JINC_DISPLAY"  # the one way to take: interop, buffer, pinned or upload
FROM_MEMORY = "The models run on the CPU, so their pictures are in memory already."

log = logging.getLogger("viz")


def _resize(gl: Any, texture: int, size: tuple[int, int], *, mipmaps: bool = False) -> None:
    """Give a texture room for RGBA8 pixels, if `mipmaps` on all levels, and leave it bound."""
    width, height = size
    gl.glBindTexture(gl.GL_TEXTURE_2D, texture)
    for level in range(max(size).bit_length() if mipmaps else 1):
        reduced = max(1, width >> level), max(1, height >> level)
        gl.glTexImage2D(gl.GL_TEXTURE_2D, level, gl.GL_RGBA8, *reduced, 0, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, None)


def _from_buffer(gl: Any, texture: int, buffer: int, size: tuple[int, int]) -> None:
    """Have OpenGL copy a texture's pixels out of a buffer, later. Nothing stays bound: imgui uploads its fonts."""
    gl.glBindTexture(gl.GL_TEXTURE_2D, texture)
    gl.glPixelStorei(gl.GL_UNPACK_ALIGNMENT, 4)
    gl.glBindBuffer(gl.GL_PIXEL_UNPACK_BUFFER, buffer)
    try:
        start = ctypes.c_void_p(0)
        gl.glTexSubImage2D(gl.GL_TEXTURE_2D, 0, 0, 0, *size, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, start)
    finally:
        gl.glBindBuffer(gl.GL_PIXEL_UNPACK_BUFFER, 0)


class Way:
    """One way to bring pictures to one texture. Whatever it raises means that it does not work here."""

    word: ClassVar[str]  # for the switch
    name: ClassVar[str]  # for people
    meaning: ClassVar[str]  # a sentence

    def __init__(self, gl: Any, texture: int) -> None:
        self._gl, self._texture = gl, texture
        self._size = (0, 0)

    def bring(self, pixels: DeviceImage) -> bool:
        """Put it into the texture, or begin to; whether the texture shows another picture than before."""
        raise NotImplementedError

    def on_its_way(self) -> bool:
        """Whether `bring` is to be called again for what it has been given."""
        return False

    def delete(self) -> None:
        """Let go of everything but the texture."""


class Interop(Way):
    """The texture is registered with CUDA once a size; each picture is one copy on the device."""

    word, name = "interop", "CUDA-GL interop"
    meaning = "Pictures are copied into the window's texture without leaving the GPU."

    def __init__(self, gl: Any, texture: int) -> None:
        super().__init__(gl, texture)
        self._resource: gl_interop.Texture | None = None

    def bring(self, pixels: DeviceImage) -> bool:
        if self._resource is None or (self._size, self._resource.device) != (size_of(pixels), pixels.device):
            self._register(pixels)
        assert self._resource is not None
        stream = window_stream(pixels.device)
        pixels.follow(stream)
        self._resource.write(pixels.tensor.data_ptr(), *self._size, stream.cuda_stream)
        return True

    def _register(self, pixels: DeviceImage) -> None:
        from cuda_ops.cuda import gl_interop

        gl_interop.check(pixels.device)
        self.delete()
        self._size = size_of(pixels)
        # All levels now: were mipmaps to grow later, the storage that CUDA knows might no longer be the texture's.
        _resize(self._gl, self._texture, self._size, mipmaps=True)
        self._resource = gl_interop.Texture(pixels.device, self._texture)

    def delete(self) -> None:
        if self._resource is not None:
            self._resource.unregister()
        self._resource = None


class PixelBuffer(Way):
    """An OpenGL buffer is registered with CUDA; each picture is copied into it, and from there to the texture."""

    word, name = "buffer", "pixel buffer"
    meaning = "Pictures come to the window's texture by way of an OpenGL buffer."

    def __init__(self, gl: Any, texture: int) -> None:
        super().__init__(gl, texture)
        self._buffer = 0
        self._resource: gl_interop.Buffer | None = None

    def bring(self, pixels: DeviceImage) -> bool:
        if self._resource is None or (self._size, self._resource.device) != (size_of(pixels), pixels.device):
            self._register(pixels)
        assert self._resource is not None
        stream = window_stream(pixels.device)
        pixels.follow(stream)
        self._resource.write(pixels.tensor.data_ptr(), pixels.tensor.nbytes, stream.cuda_stream)
        _from_buffer(self._gl, self._texture, self._buffer, self._size)
        return True

    def _register(self, pixels: DeviceImage) -> None:
        from cuda_ops.cuda import gl_interop

        gl = self._gl
        self.delete()
        self._size = size_of(pixels)
        _resize(gl, self._texture, self._size)
        self._buffer = int(gl.glGenBuffers(1))
        gl.glBindBuffer(gl.GL_PIXEL_UNPACK_BUFFER, self._buffer)  # until it is deleted, should the next line fail
        gl.glBufferData(gl.GL_PIXEL_UNPACK_BUFFER, pixels.tensor.nbytes, None, gl.GL_STREAM_DRAW)
        gl.glBindBuffer(gl.GL_PIXEL_UNPACK_BUFFER, 0)
        self._resource = gl_interop.Buffer(pixels.device, self._buffer)

    def delete(self) -> None:
        if self._resource is not None:
            self._resource.unregister()
        if self._buffer:
            self._gl.glDeleteBuffers(1, [self._buffer])
        self._resource, self._buffer = None, 0


class Pinned(Way):
    """Downloaded to pinned memory while the window goes on, and uploaded from a buffer when it is there.

    Two downloads may be under way. Each call uploads the newest that has come, and begins the picture's own, if one of
    the two is free; otherwise a later call does. The window waits for a download only where the texture holds nothing
    that it could show meanwhile: for its first picture, and for one of another size.
    """

    word, name = "pinned", "pinned upload"
    meaning = "Pictures pass through memory, while the window goes on, and are shown when they have come."
    AT_ONCE = 2

    def __init__(self, gl: Any, texture: int) -> None:
        super().__init__(gl, texture)
        self._free: list[PinnedDownload] = []
        self._coming: deque[PinnedDownload] = deque()
        self._newest: DeviceImage | None = None  # begun
        self._buffers = [int(name) for name in gl.glGenBuffers(self.AT_ONCE)]

    def bring(self, pixels: DeviceImage) -> bool:
        resized = self._size != size_of(pixels)
        if resized:
            self._size = size_of(pixels)
            self._coming.clear()  # torch keeps memory that is still written to
            self._free = [PinnedDownload(*self._size) for _ in range(self.AT_ONCE)]
            _resize(self._gl, self._texture, self._size)
        landed = self._land()
        if pixels is not self._newest and self._free:
            landing = self._free.pop()
            self._coming.append(landing)
            landing.begin(pixels)
            self._newest = pixels
            if resized:
                landing.wait()
            landed |= self._land()
        return landed

    def _land(self) -> bool:
        """Upload the newest that has come; what came before it is no longer wanted."""
        arrived = None
        while self._coming and self._coming[0].is_ready():
            arrived = self._coming.popleft()
            self._free.append(arrived)
        if arrived is None:
            return False
        gl, (width, height) = self._gl, self._size
        self._buffers.reverse()  # OpenGL may still be reading the other one
        gl.glBindBuffer(gl.GL_PIXEL_UNPACK_BUFFER, self._buffers[0])
        try:
            start = ctypes.c_void_p(arrived.address)
            gl.glBufferData(gl.GL_PIXEL_UNPACK_BUFFER, 4 * width * height, start, gl.GL_STREAM_DRAW)
        finally:
            gl.glBindBuffer(gl.GL_PIXEL_UNPACK_BUFFER, 0)
        _from_buffer(gl, self._texture, self._buffers[0], self._size)
        return True

    def on_its_way(self) -> bool:
        return bool(self._coming)

    def delete(self) -> None:
        self._gl.glDeleteBuffers(len(self._buffers), self._buffers)
        self._free, self._buffers = [], []
        self._coming.clear()


class Upload(Way):
    """From memory. A picture on a device is downloaded first, and the window waits for it."""

    word, name = "upload", "upload from memory"
    meaning = "Pictures are fetched from the GPU and uploaded again, and the window waits for both."

    def bring(self, pixels: Pixels) -> bool:
        gl, (width, height) = self._gl, size_of(pixels)
        layout = (gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, np.ascontiguousarray(in_memory(pixels)))
        gl.glBindTexture(gl.GL_TEXTURE_2D, self._texture)
        gl.glPixelStorei(gl.GL_UNPACK_ALIGNMENT, 4)
        if self._size == (width, height):
            gl.glTexSubImage2D(gl.GL_TEXTURE_2D, 0, 0, 0, width, height, *layout)
        else:
            gl.glTexImage2D(gl.GL_TEXTURE_2D, 0, gl.GL_RGBA8, width, height, 0, *layout)
        self._size = (width, height)
        return True


WAYS: tuple[type[Way], ...] = (Interop, PixelBuffer, Pinned, Upload)  # the last one always works


class Display:
    """Which ways work for the textures of one window, and why the better ones don't."""

    def __init__(self, gl: Any) -> None:
        self.gl = gl
        self.on_its_way = False  # whether a texture still waits for its pixels; the window reads and resets it
        self._failed: dict[int, dict[type[Way], str]] = {}  # sentences, by device
        self._ways, self._remark = _asked_for(os.environ.get(SWITCH, ""))

    def way(self, device: int) -> type[Way]:
        """The first that has not failed on a device."""
        return next(way for way in self._ways if way is Upload or way not in self._failed.get(device, {}))

    def failed(self, device: int, way: type[Way], problem: Exception) -> None:
        """Remember it."""
        sentence = f"{way.name[0].upper()}{way.name[1:]} does not work here: {_clause(problem)}."
        log.warning("%s", sentence)
        self._failed.setdefault(device, {})[way] = sentence

    def reason(self, device: int) -> str:
        """What the way taken on a device means, and why none before it is."""
        sentences = (self.way(device).meaning, self._remark, *self._failed.get(device, {}).values())
        return " ".join(filter(None, sentences))


def _asked_for(word: str) -> tuple[tuple[type[Way], ...], str]:
    """The ways to try in order, and a sentence if it is not the usual order."""
    word = word.strip().lower()
    if not word:
        return WAYS, ""
    asked = tuple(way for way in WAYS if way.word == word)
    if not asked:
        words = ", ".join(way.word for way in WAYS)
        return WAYS, f"{SWITCH} is none of {words}, so it is not heeded."
    return (*asked, Upload), f"{SWITCH} asks for {asked[0].name}."


def _clause(problem: Exception) -> str:
    """Why a way does not work, without a full stop."""
    from cuda_ops.cuda import gl_interop
    from cuda_ops.cuda.driver import DriverError

    if isinstance(problem, DriverError):
        return gl_interop.explained(problem)
    return textwrap.shorten(f"{type(problem).__name__}: {problem}", 200).rstrip(".: ")


class Presenter:
    """Brings pictures to one texture, the way that works for each. `path` and `reason` say which, and why."""

    def __init__(self, display: Display, texture: int) -> None:
        self._display, self._texture = display, texture
        self._way: Way | None = None
        self.path = self.reason = ""

    def bring(self, pixels: Pixels) -> bool:
        """Put it into the texture, or begin to; whether the texture shows another picture than before.

        Where `on_its_way` then says so it is to be called again, with this picture or a newer one.
        """
        if isinstance(pixels, DeviceImage):
            return self._from_device(pixels)
        self.path, self.reason = Upload.name, FROM_MEMORY
        return self._take(Upload).bring(pixels)

    def _from_device(self, pixels: DeviceImage) -> bool:
        display = self._display
        while True:
            kind = display.way(pixels.device)
            try:
                brought = self._take(kind).bring(pixels)
                break
            except Exception as problem:  # whatever it is, there is a way that needs less
                if kind is Upload:
                    raise
                display.failed(pixels.device, kind, problem)
        self.path, self.reason = kind.name, display.reason(pixels.device)
        display.on_its_way |= self.on_its_way()
        return brought

    def _take(self, kind: type[Way]) -> Any:
        """The way of this kind, begun anew if the last picture took another."""
        if type(self._way) is not kind:
            self.delete()
            self._way = kind(self._display.gl, self._texture)
        return self._way

    def on_its_way(self) -> bool:
        return self._way is not None and self._way.on_its_way()

    def delete(self) -> None:
        """Let go of everything but the texture; before the texture is deleted."""
        way, self._way = self._way, None
        if way is not None:
            way.delete()
