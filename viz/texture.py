# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""RGBA pixels -> OpenGL textures. Only on the window's thread, with its context current."""

import os
import sys
import time
from typing import Any

import imgui_bundle  # noqa: F401  (before glfw, as in viz.offscreen)
import numpy as np

# isort: split
import glfw

from viz.view import Picture

PICTURES = 4  # textures kept for pictures that panels show


def _opengl() -> Any:
    """PyOpenGL, told how the window's context was made: it guesses from the environment, and guesses wrong for EGL.

    Imported here because it asks for its platform once, at import, when the window must already exist.
    """
    if sys.platform.startswith("linux"):
        on_x11 = glfw.get_platform() == glfw.PLATFORM_X11
        os.environ.setdefault("PYOPENGL_PLATFORM", "glx" if on_x11 else "egl")
    from OpenGL import GL

    return GL


class Texture:
    """One texture that is given new pixels again and again.

    Shown smaller than it is, it is filtered through mipmaps, which are made only then; shown larger, linearly or, on
    request, by nearest neighbour.
    """

    def __init__(self, gl: Any) -> None:
        self._gl = gl
        self._size: tuple[int, int] | None = None
        self._shown: np.ndarray | None = None
        self._filters: tuple[bool, bool] | None = None
        self._has_mipmaps = False
        self.name = int(gl.glGenTextures(1))

    def show(self, pixels: np.ndarray, *, nearest: bool = False, reduced: bool = True) -> float:
        """Upload uint8 [H, W, 4] unless the very same array is there already; milliseconds taken, 0 for nothing.

        `reduced` says that it will be drawn with less than one screen pixel to a texel.
        """
        if pixels is self._shown and (nearest, reduced) == self._filters:
            return 0.0
        gl, started = self._gl, time.perf_counter()
        gl.glBindTexture(gl.GL_TEXTURE_2D, self.name)
        if pixels is not self._shown:
            self._upload(pixels)
        if reduced and not self._has_mipmaps:
            gl.glGenerateMipmap(gl.GL_TEXTURE_2D)
            self._has_mipmaps = True
        if (nearest, reduced) != self._filters:
            self._filter(nearest, reduced)
        gl.glBindTexture(gl.GL_TEXTURE_2D, 0)
        return 1e3 * (time.perf_counter() - started)

    def _upload(self, pixels: np.ndarray) -> None:
        gl, (height, width) = self._gl, pixels.shape[:2]
        gl.glPixelStorei(gl.GL_UNPACK_ALIGNMENT, 4)
        layout = (gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, np.ascontiguousarray(pixels))
        if self._size == (width, height):
            gl.glTexSubImage2D(gl.GL_TEXTURE_2D, 0, 0, 0, width, height, *layout)
        else:
            gl.glTexImage2D(gl.GL_TEXTURE_2D, 0, gl.GL_RGBA8, width, height, 0, *layout)
        self._size, self._shown, self._has_mipmaps = (width, height), pixels, False

    def _filter(self, nearest: bool, reduced: bool) -> None:
        gl = self._gl
        for parameter, value in (
            (gl.GL_TEXTURE_MIN_FILTER, gl.GL_LINEAR_MIPMAP_LINEAR if reduced else gl.GL_LINEAR),
            (gl.GL_TEXTURE_MAG_FILTER, gl.GL_NEAREST if nearest else gl.GL_LINEAR),
            (gl.GL_TEXTURE_WRAP_S, gl.GL_CLAMP_TO_EDGE),
            (gl.GL_TEXTURE_WRAP_T, gl.GL_CLAMP_TO_EDGE),
        ):
            gl.glTexParameteri(gl.GL_TEXTURE_2D, parameter, value)
        self._filters = (nearest, reduced)

    def delete(self) -> None:
        self._gl.glDeleteTextures(1, [self.name])


class Textures:
    """The window's textures: one a slot, and a few for panels."""

    def __init__(self) -> None:
        self._gl = _opengl()
        self.left, self.right = Texture(self._gl), Texture(self._gl)
        for texture in (self.left, self.right):  # PyOpenGL finds its functions at their first call: not in a frame
            texture.show(np.zeros((1, 1, 4), np.uint8))
        self._pictures: dict[str, Texture] = {}

    def picture(self, name: str, pixels: np.ndarray) -> Picture:
        """The texture called `name`, with pixels uint8 [H, W, 4]; uploaded only when the array is another one."""
        texture = self._pictures.pop(name, None) or Texture(self._gl)
        texture.show(pixels)
        self._pictures[name] = texture
        while len(self._pictures) > PICTURES:
            self._pictures.pop(next(iter(self._pictures))).delete()
        return Picture(texture.name, pixels.shape[1], pixels.shape[0])

    def finish(self) -> None:
        """Wait until everything asked for is drawn."""
        self._gl.glFinish()

    def delete(self) -> None:
        for texture in (self.left, self.right, *self._pictures.values()):
            texture.delete()
        self._pictures.clear()
