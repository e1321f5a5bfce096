# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Keep RGBA pictures in OpenGL textures at the size at which they are drawn.

Only on the window's thread, with its context current.
"""

import time
from typing import Any, NamedTuple, cast

import numpy as np

from viz.core.images import DeviceImage, Pixels, size_of
from viz.display.uploaders import FROM_MEMORY, MemoryUploader, TextureUploader, UploaderChoice

PICTURES = 24  # textures kept for pictures that panels show: more than one frame draws, or it would draw deleted ones
ENLARGED_SIZE = 4096  # most pixels across that hard enlargement draws
ENLARGED_TIMES = 32  # edges are then softer than a 32nd of a pixel, and a small picture's texture takes 4 MB, not 64


class TextureHandle(NamedTuple):
    """A texture that shows a picture: OpenGL name, width and height of the picture in pixels."""

    texture: int
    width: int
    height: int


class Texture:
    """A picture on the graphics card, given new pixels again and again, ready to be drawn at some width.

    `name`: the OpenGL texture to draw. `path` and `reason`: the name of the uploader that the last picture took, "" at
    first, and its meaning with why no better one is used.

    imgui samples every texture linearly, without mipmaps. That is right only for moderate enlargement, so for any other
    use the picture is redrawn here, at the size it will have: reduced from its mipmaps, or enlarged with hard edges.
    """

    def __init__(self, gl: Any, choice: UploaderChoice | None = None) -> None:
        """`choice`: shared by the textures of a window, so that each uploader is tried once."""
        self._gl = gl
        self._source, self._redrawn = (int(name) for name in gl.glGenTextures(2))
        self._read, self._write = (int(name) for name in gl.glGenFramebuffers(2))
        self._choice, self._uploader = choice or UploaderChoice(), cast(TextureUploader | None, None)
        self._shown: Pixels | None = None
        self._size = (0, 0)
        self._fit: tuple[int, bool] | None = None  # width and hardness of what is in `_redrawn`
        self._has_mipmaps = False
        self.name = self._source
        self.path = self.reason = ""
        for texture in (self._source, self._redrawn):
            gl.glBindTexture(gl.GL_TEXTURE_2D, texture)
            gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_MIN_FILTER, gl.GL_LINEAR)
            gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_WRAP_S, gl.GL_CLAMP_TO_EDGE)
            gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_WRAP_T, gl.GL_CLAMP_TO_EDGE)

    @property
    def is_pending(self) -> bool:
        """True while `show` must be called again, with the last picture or a newer one, for it to be seen."""
        return self._uploader is not None and self._uploader.is_pending()

    def show(self, pixels: Pixels, width: float | None = None, *, nearest: bool = False) -> float:
        """Make `name` show uint8 [H, W, 4] at `width` screen pixels (None: its own); return the milliseconds taken.

        `nearest` keeps its pixels apart where it is enlarged. The very same picture is not uploaded twice.
        """
        gl, started = self._gl, time.perf_counter()
        full = size_of(pixels)[0]
        wanted = round(width) if width is not None else full
        changed = pixels is not self._shown or self.is_pending
        if changed:
            if self._upload(pixels):
                self._fit, self._has_mipmaps = None, False
            self._size, self._shown = size_of(pixels), pixels
        name = self._source
        if wanted < full:
            changed |= self._redraw(max(1, wanted), hard=False)
            name = self._redrawn
        elif nearest and wanted > full:
            whole = min(-(-wanted // full), ENLARGED_TIMES, ENLARGED_SIZE // full)
            changed |= self._redraw(max(1, whole) * full, hard=True)
            name = self._redrawn
        self.name = name
        gl.glBindTexture(gl.GL_TEXTURE_2D, 0)
        return 1e3 * (time.perf_counter() - started) if changed else 0.0

    def _upload(self, pixels: Pixels) -> bool:
        """Put `pixels` into the source, or begin to, with the first uploader that works; return whether it changed."""
        if not isinstance(pixels, DeviceImage):
            self.path, self.reason = MemoryUploader.name, FROM_MEMORY
            return self._use(MemoryUploader).upload(pixels)
        choice = self._choice
        while True:
            kind = choice.select(pixels.device)
            try:
                changed = self._use(kind).upload(pixels)
                break
            except Exception as problem:  # whatever it is, there is an uploader that needs less
                if kind is MemoryUploader:
                    raise
                choice.reject(pixels.device, kind, problem)
        self.path, self.reason = kind.name, choice.explain(pixels.device)
        choice.pending |= self.is_pending
        return changed

    def _use(self, kind: type[TextureUploader]) -> Any:
        """Return the uploader of this kind, a new one if the last picture took another kind."""
        if type(self._uploader) is not kind:
            self._delete_uploader()
            self._uploader = kind(self._gl, self._source)
        return self._uploader

    def _delete_uploader(self) -> None:
        uploader, self._uploader = self._uploader, None
        if uploader is not None:
            uploader.delete()

    def _redraw(self, width: int, hard: bool) -> bool:
        """Draw the source into the other texture, `width` wide; return False if it was there already."""
        if self._fit == (width, hard):
            return False
        gl, (full_width, full_height) = self._gl, self._size
        height = max(1, round(width * full_height / full_width))
        # From the mipmap that is less than twice as wide, so that four neighbours hold all that a pixel covers.
        level = max(0, (full_width // width).bit_length() - 1)
        gl.glBindTexture(gl.GL_TEXTURE_2D, self._source)
        if level and not self._has_mipmaps:
            gl.glGenerateMipmap(gl.GL_TEXTURE_2D)
            self._has_mipmaps = True
        gl.glBindTexture(gl.GL_TEXTURE_2D, self._redrawn)
        gl.glTexImage2D(gl.GL_TEXTURE_2D, 0, gl.GL_RGBA8, width, height, 0, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, None)
        bindings = (gl.GL_READ_FRAMEBUFFER_BINDING, gl.GL_DRAW_FRAMEBUFFER_BINDING)
        before = [int(gl.glGetIntegerv(binding)) for binding in bindings]
        for target, frame, texture, at in (
            (gl.GL_READ_FRAMEBUFFER, self._read, self._source, level),
            (gl.GL_DRAW_FRAMEBUFFER, self._write, self._redrawn, 0),
        ):
            gl.glBindFramebuffer(target, frame)
            gl.glFramebufferTexture2D(target, gl.GL_COLOR_ATTACHMENT0, gl.GL_TEXTURE_2D, texture, at)
        gl.glDisable(gl.GL_SCISSOR_TEST)
        reduced = (max(1, full_width >> level), max(1, full_height >> level))
        filtered = gl.GL_NEAREST if hard else gl.GL_LINEAR
        gl.glBlitFramebuffer(0, 0, *reduced, 0, 0, width, height, gl.GL_COLOR_BUFFER_BIT, filtered)
        gl.glBindFramebuffer(gl.GL_READ_FRAMEBUFFER, before[0])
        gl.glBindFramebuffer(gl.GL_DRAW_FRAMEBUFFER, before[1])
        self._fit = (width, hard)
        return True

    def delete(self) -> None:
        self._delete_uploader()  # CUDA lets go of the texture before it is gone
        self._gl.glDeleteFramebuffers(2, [self._read, self._write])
        self._gl.glDeleteTextures(2, [self._source, self._redrawn])


class Textures:
    """The window's textures: one a slot, one for their difference, and a few for panels."""

    def __init__(self, gl: Any) -> None:
        self._gl, self._choice = gl, UploaderChoice()
        self.left, self.right, self.difference = (Texture(gl, self._choice) for _ in range(3))
        # PyOpenGL finds its functions at their first call: not in a frame
        for texture in (self.left, self.right, self.difference):
            texture.show(np.zeros((4, 4, 4), np.uint8), 1)
        self._pictures: dict[str, Texture] = {}

    def picture(self, name: str, pixels: Pixels, width: float | None = None, *, nearest: bool = False) -> TextureHandle:
        """Return the texture called `name` with pixels uint8 [H, W, 4]; uploaded only when they are other ones.

        `width`: screen pixels that all of it is drawn over, for proper minification; `nearest` keeps its pixels apart.
        """
        texture = self._pictures.pop(name) if name in self._pictures else Texture(self._gl, self._choice)
        self._pictures[name] = texture  # before anything can fail, or it would be lost on the card
        texture.show(pixels, width, nearest=nearest)
        while len(self._pictures) > PICTURES:
            self._pictures.pop(next(iter(self._pictures))).delete()
        return TextureHandle(texture.name, *size_of(pixels))

    def take_pending(self) -> bool:
        """Return whether anything that was shown since the last call must be shown again to be seen."""
        pending, self._choice.pending = self._choice.pending, False
        return pending

    def finish(self) -> None:
        """Wait until everything asked for is drawn."""
        self._gl.glFinish()

    def delete(self) -> None:
        for texture in (self.left, self.right, self.difference, *self._pictures.values()):
            texture.delete()
        self._pictures.clear()
