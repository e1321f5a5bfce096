# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Upload pictures to OpenGL textures: four ways from a CUDA device, tried in order, of which one also takes memory.

The first way that works stays. One that fails is remembered, with a sentence why, and not tried again on that device.
Only on the window's thread, with its context current. Decision 018.
"""

import ctypes
import logging
import os
import textwrap
from collections import deque
from typing import Any, ClassVar

import numpy as np

from viz.core.images import DeviceImage, PinnedDownload, Pixels, size_of, to_host, window_stream

SWITCH = "JINC_DISPLAY"  # the uploader to use: interop, buffer, pinned or upload
FROM_MEMORY = "The models run on the CPU, so their pictures are in memory already."

log = logging.getLogger("viz")


def _resize(gl: Any, texture: int, size: tuple[int, int], *, mipmaps: bool = False) -> None:
    """Give a texture room for RGBA8 pixels, if `mipmaps` on all levels, and leave it bound."""
    width, height = size
    gl.glBindTexture(gl.GL_TEXTURE_2D, texture)
    for level in range(max(size).bit_length() if mipmaps else 1):
        reduced = max(1, width >> level), max(1, height >> level)
        gl.glTexImage2D(gl.GL_TEXTURE_2D, level, gl.GL_RGBA8, *reduced, 0, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, None)


def _copy_from_buffer(gl: Any, texture: int, buffer: int, size: tuple[int, int]) -> None:
    """Have OpenGL copy a texture's pixels out of a buffer, later. Nothing stays bound: imgui uploads its fonts."""
    gl.glBindTexture(gl.GL_TEXTURE_2D, texture)
    gl.glPixelStorei(gl.GL_UNPACK_ALIGNMENT, 4)
    gl.glBindBuffer(gl.GL_PIXEL_UNPACK_BUFFER, buffer)
    try:
        start = ctypes.c_void_p(0)
        gl.glTexSubImage2D(gl.GL_TEXTURE_2D, 0, 0, 0, *size, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, start)
    finally:
        gl.glBindBuffer(gl.GL_PIXEL_UNPACK_BUFFER, 0)


class TextureUploader:
    """Uploads pictures to one texture in one way. Whatever it raises means that this way does not work here."""

    key: ClassVar[str]  # the value of JINC_DISPLAY that asks for it
    name: ClassVar[str]  # for people
    meaning: ClassVar[str]  # a sentence

    def __init__(self, gl: Any, texture: int) -> None:
        self._gl, self._texture = gl, texture
        self._size = (0, 0)

    def upload(self, pixels: DeviceImage) -> bool:
        """Put `pixels` into the texture, or begin to; return whether the texture shows another picture than before."""
        raise NotImplementedError

    def is_pending(self) -> bool:
        """Return whether `upload` is to be called again for what it has been given."""
        return False

    def delete(self) -> None:
        """Release everything but the texture."""


class Interop(TextureUploader):
    """Registers the texture with CUDA once a size; each picture is one copy on the device.

    gl_interop is imported in functions: it brings torch, which a window, or the doctor's, can open without.
    """

    key, name = "interop", "CUDA-GL interop"
    meaning = "Pictures are copied into the window's texture without leaving the GPU."

    def __init__(self, gl: Any, texture: int) -> None:
        super().__init__(gl, texture)
        self._resource: Any = None

    def upload(self, pixels: DeviceImage) -> bool:
        if self._resource is None or (self._size, self._resource.device) != (size_of(pixels), pixels.device):
            self.delete()
            self._size = size_of(pixels)
            self._resource = self._register(pixels)
        stream = window_stream(pixels.device)
        pixels.follow(stream)
        self._copy(pixels, stream.cuda_stream)
        return True

    def _register(self, pixels: DeviceImage) -> Any:
        """Return a new gl_interop.Texture or gl_interop.Buffer for pictures like `pixels`."""
        from cuda_ops.cuda import gl_interop

        gl_interop.check_device(pixels.device)
        # All levels now: were mipmaps to grow later, the storage that CUDA knows might no longer be the texture's.
        _resize(self._gl, self._texture, self._size, mipmaps=True)
        return gl_interop.Texture(pixels.device, self._texture)

    def _copy(self, pixels: DeviceImage, stream: int) -> None:
        self._resource.write(pixels.tensor.data_ptr(), *self._size, stream)

    def delete(self) -> None:
        if self._resource is not None:
            self._resource.unregister()
        self._resource = None


class PixelBuffer(Interop):
    """Registers an OpenGL buffer instead; each picture is copied into it, and from there to the texture."""

    key, name = "buffer", "pixel buffer"
    meaning = "Pictures come to the window's texture by way of an OpenGL buffer."

    def __init__(self, gl: Any, texture: int) -> None:
        super().__init__(gl, texture)
        self._buffer = 0

    def _register(self, pixels: DeviceImage) -> Any:
        from cuda_ops.cuda import gl_interop

        gl = self._gl
        _resize(gl, self._texture, self._size)
        self._buffer = int(gl.glGenBuffers(1))
        gl.glBindBuffer(gl.GL_PIXEL_UNPACK_BUFFER, self._buffer)  # until it is deleted, should the next line fail
        gl.glBufferData(gl.GL_PIXEL_UNPACK_BUFFER, pixels.tensor.nbytes, None, gl.GL_STREAM_DRAW)
        gl.glBindBuffer(gl.GL_PIXEL_UNPACK_BUFFER, 0)
        return gl_interop.Buffer(pixels.device, self._buffer)

    def _copy(self, pixels: DeviceImage, stream: int) -> None:
        self._resource.write(pixels.tensor.data_ptr(), pixels.tensor.nbytes, stream)
        _copy_from_buffer(self._gl, self._texture, self._buffer, self._size)

    def delete(self) -> None:
        super().delete()
        if self._buffer:
            self._gl.glDeleteBuffers(1, [self._buffer])
        self._buffer = 0


class PinnedUploader(TextureUploader):
    """Downloads to pinned memory while the window goes on, and uploads from a buffer once the picture is there.

    Two downloads may be under way. Each call uploads the newest that has come, and begins the picture's own, if one of
    the two is free; otherwise a later call does. The window waits for a download only where the texture holds nothing
    that it could show meanwhile: for its first picture, and for one of another size.
    """

    key, name = "pinned", "pinned upload"
    meaning = "Pictures pass through memory, while the window goes on, and are shown when they have come."
    DOWNLOADS = 2

    def __init__(self, gl: Any, texture: int) -> None:
        super().__init__(gl, texture)
        self._free: list[PinnedDownload] = []
        self._coming: deque[PinnedDownload] = deque()
        self._newest: DeviceImage | None = None  # begun
        self._buffers = [int(name) for name in gl.glGenBuffers(self.DOWNLOADS)]

    def upload(self, pixels: DeviceImage) -> bool:
        resized = self._size != size_of(pixels)
        if resized:
            self._size = size_of(pixels)
            self._coming.clear()  # torch keeps memory that is still written to
            self._free = [PinnedDownload(*self._size) for _ in range(self.DOWNLOADS)]
            _resize(self._gl, self._texture, self._size)
        changed = self._upload_newest()
        if pixels is not self._newest and self._free:
            download = self._free.pop()
            self._coming.append(download)
            download.begin(pixels)
            self._newest = pixels
            if resized:
                download.wait()
            changed |= self._upload_newest()
        return changed

    def _upload_newest(self) -> bool:
        """Upload the newest download that is ready; those before it are no longer wanted."""
        newest = None
        while self._coming and self._coming[0].is_ready():
            newest = self._coming.popleft()
            self._free.append(newest)
        if newest is None:
            return False
        gl, (width, height) = self._gl, self._size
        self._buffers.reverse()  # OpenGL may still be reading the other one
        gl.glBindBuffer(gl.GL_PIXEL_UNPACK_BUFFER, self._buffers[0])
        try:
            start = ctypes.c_void_p(newest.address)
            gl.glBufferData(gl.GL_PIXEL_UNPACK_BUFFER, 4 * width * height, start, gl.GL_STREAM_DRAW)
        finally:
            gl.glBindBuffer(gl.GL_PIXEL_UNPACK_BUFFER, 0)
        _copy_from_buffer(gl, self._texture, self._buffers[0], self._size)
        return True

    def is_pending(self) -> bool:
        return bool(self._coming)

    def delete(self) -> None:
        self._gl.glDeleteBuffers(len(self._buffers), self._buffers)
        self._free, self._buffers = [], []
        self._coming.clear()


class MemoryUploader(TextureUploader):
    """Uploads from memory. A picture on a device is downloaded first, and the window waits for it."""

    key, name = "upload", "upload from memory"
    meaning = "Pictures are fetched from the GPU and uploaded again, and the window waits for both."

    def upload(self, pixels: Pixels) -> bool:
        gl, (width, height) = self._gl, size_of(pixels)
        layout = (gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, np.ascontiguousarray(to_host(pixels)))
        gl.glBindTexture(gl.GL_TEXTURE_2D, self._texture)
        gl.glPixelStorei(gl.GL_UNPACK_ALIGNMENT, 4)
        if self._size == (width, height):
            gl.glTexSubImage2D(gl.GL_TEXTURE_2D, 0, 0, 0, width, height, *layout)
        else:
            gl.glTexImage2D(gl.GL_TEXTURE_2D, 0, gl.GL_RGBA8, width, height, 0, *layout)
        self._size = (width, height)
        return True


# In the order in which they are tried; the last one always works.
UPLOADERS: tuple[type[TextureUploader], ...] = (Interop, PixelBuffer, PinnedUploader, MemoryUploader)


class UploaderChoice:
    """The uploaders that work for the textures of one window, and why the better ones do not."""

    def __init__(self) -> None:
        self.pending = False  # whether a texture still waits for its pixels; the window reads and resets it
        self._failures: dict[int, dict[type[TextureUploader], str]] = {}  # sentences, by device
        self._order, self._remark = _read_switch(os.environ.get(SWITCH, ""))

    def select(self, device: int) -> type[TextureUploader]:
        """Return the first uploader that has not failed on a device."""
        failures = self._failures.get(device, {})
        return next(kind for kind in self._order if kind is MemoryUploader or kind not in failures)

    def reject(self, device: int, kind: type[TextureUploader], problem: Exception) -> None:
        """Remember that an uploader does not work on a device."""
        sentence = f"{kind.name[0].upper()}{kind.name[1:]} does not work here: {_explain(problem)}."
        log.warning("%s", sentence)
        self._failures.setdefault(device, {})[kind] = sentence

    def explain(self, device: int) -> str:
        """Say what the uploader selected for a device does, and why none before it is used."""
        sentences = (self.select(device).meaning, self._remark, *self._failures.get(device, {}).values())
        return " ".join(filter(None, sentences))


def _read_switch(value: str) -> tuple[tuple[type[TextureUploader], ...], str]:
    """Return the uploaders to try in order, and a sentence if that is not the usual order."""
    value = value.strip().lower()
    if not value:
        return UPLOADERS, ""
    asked = tuple(kind for kind in UPLOADERS if kind.key == value)
    if not asked:
        keys = ", ".join(kind.key for kind in UPLOADERS)
        return UPLOADERS, f"{SWITCH} is none of {keys}, so it is ignored."
    return (*asked, MemoryUploader), f"{SWITCH} asks for {asked[0].name}."


def _explain(problem: Exception) -> str:
    """Say why an uploader does not work, without a full stop."""
    from cuda_ops.cuda import gl_interop
    from cuda_ops.cuda.driver import DriverError

    if isinstance(problem, DriverError):
        return gl_interop.explain(problem)
    return textwrap.shorten(f"{type(problem).__name__}: {problem}", 200).rstrip(".: ")
