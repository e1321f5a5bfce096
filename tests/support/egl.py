# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""An OpenGL context without window or display, on an EGL device: a GPU, or Mesa's software.

The offscreen window (viz/offscreen.py) is the whole program on Mesa; this is OpenGL alone, and on NVIDIA's EGL, too.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from viz.display import gl as opengl

MOST_DEVICES = 64
VERSION = 3, 3  # of OpenGL, core profile: what the window has
NONE = "There is no OpenGL without a display here: {reason}."


class Headless(NamedTuple):
    """`gl` is PyOpenGL's module, `name` what draws, `cuda` the driver's number of the same device for CUDA, if any."""

    gl: Any
    name: str
    cuda: int | None


@contextmanager
def headless(device_index: int | None = None) -> Iterator[Headless]:
    """A context that is current on this thread until the end of the block; then what was current before it is again.

    `device_index`: which of EGL's devices; None takes the first that works, those that CUDA knows before others.
    OSError, a sentence, where there is none.
    """
    gl, egl = _libraries()
    before = egl.current()
    devices = egl.devices()
    if device_index is not None:
        if not 0 <= device_index < len(devices):
            raise OSError(NONE.format(reason=f"EGL has {len(devices)} devices, and none is number {device_index}"))
        devices = [devices[device_index]]
    opened, reason = None, "EGL knows no device"
    for device in sorted(devices, key=lambda device: egl.cuda(device) is None):
        try:
            opened = egl.open(device)
            break
        except OSError as problem:
            reason = str(problem)
    if opened is None:
        raise OSError(NONE.format(reason=reason))
    try:
        yield Headless(gl, gl.glGetString(gl.GL_RENDERER).decode("utf-8", "replace"), egl.cuda(device))
    finally:
        egl.close(opened, before)


def _libraries() -> "tuple[Any, _EGL]":
    try:
        gl = opengl.of_egl()
        from OpenGL import platform

        name = type(platform.PLATFORM).__name__
        if name != "EGLPlatform":
            raise OSError(NONE.format(reason=f"PyOpenGL works with another library than EGL ({name})"))
        return gl, _EGL()
    except (ImportError, AttributeError, TypeError) as problem:  # the last two: PyOpenGL found no library
        raise OSError(NONE.format(reason=f"PyOpenGL does not find EGL ({problem})")) from problem


class _Open(NamedTuple):
    display: Any
    context: Any
    surface: Any


class _EGL:
    """The calls, each answered or an OSError with a clause."""

    def __init__(self) -> None:
        from OpenGL import EGL, error
        from OpenGL.EGL.EXT import device_enumeration, device_query, platform_base
        from OpenGL.EGL.EXT.platform_device import EGL_PLATFORM_DEVICE_EXT
        from OpenGL.EGL.NV.device_cuda import EGL_CUDA_DEVICE_NV

        self._egl, self._error = EGL, error.Error
        self._enumeration, self._query, self._base = device_enumeration, device_query, platform_base
        self._platform, self._number = EGL_PLATFORM_DEVICE_EXT, EGL_CUDA_DEVICE_NV

    def devices(self) -> list[Any]:
        found, count = (self._egl.EGLDeviceEXT * MOST_DEVICES)(), ctypes.c_int()
        if not self._enumeration.eglQueryDevicesEXT:
            raise OSError(NONE.format(reason="this EGL lacks EGL_EXT_device_enumeration"))
        self._checked("eglQueryDevicesEXT", self._enumeration.eglQueryDevicesEXT, MOST_DEVICES, found, count)
        return list(found[: count.value])

    def cuda(self, device: Any) -> int | None:
        """The driver's number of a device for CUDA."""
        extensions = self._query.eglQueryDeviceStringEXT(device, self._egl.EGL_EXTENSIONS) or b""
        if b"EGL_NV_device_cuda" not in extensions.split():
            return None
        number = self._egl.EGLAttrib()
        try:
            self._checked("eglQueryDeviceAttribEXT", self._query.eglQueryDeviceAttribEXT, device, self._number, number)
        except OSError:  # hidden from CUDA, as by CUDA_VISIBLE_DEVICES
            return None
        return int(number.value)

    def open(self, device: Any) -> _Open:
        """Make a context on a device, with the smallest of surfaces, and make it current."""
        egl = self._egl
        display = self._checked(
            "eglGetPlatformDisplay", self._base.eglGetPlatformDisplayEXT, self._platform, device, None
        )
        self._checked("eglInitialize", egl.eglInitialize, display, egl.EGLint(), egl.EGLint())
        self._checked("eglBindAPI", egl.eglBindAPI, egl.EGL_OPENGL_API)
        config, count = (egl.EGLConfig * 1)(), egl.EGLint()
        wanted = self._list(egl.EGL_SURFACE_TYPE, egl.EGL_PBUFFER_BIT, egl.EGL_RENDERABLE_TYPE, egl.EGL_OPENGL_BIT)
        self._checked("eglChooseConfig", egl.eglChooseConfig, display, wanted, config, 1, count)
        if not count.value:
            raise OSError("no configuration of this device draws OpenGL without a window")
        attributes = self._list(
            egl.EGL_CONTEXT_MAJOR_VERSION,
            VERSION[0],
            egl.EGL_CONTEXT_MINOR_VERSION,
            VERSION[1],
            egl.EGL_CONTEXT_OPENGL_PROFILE_MASK,
            egl.EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT,
        )
        context = self._checked(
            "eglCreateContext", egl.eglCreateContext, display, config[0], egl.EGL_NO_CONTEXT, attributes
        )
        surface = egl.EGL_NO_SURFACE
        try:
            size = self._list(egl.EGL_WIDTH, 1, egl.EGL_HEIGHT, 1)
            surface = self._checked("eglCreatePbufferSurface", egl.eglCreatePbufferSurface, display, config[0], size)
            self._checked("eglMakeCurrent", egl.eglMakeCurrent, display, surface, surface, context)
        except OSError:
            self._free(_Open(display, context, surface))
            raise
        return _Open(display, context, surface)

    def current(self) -> tuple[Any, Any, Any, Any]:
        """What is current on this thread: display, surfaces to draw to and read from, context."""
        egl = self._egl
        surfaces = egl.eglGetCurrentSurface(egl.EGL_DRAW), egl.eglGetCurrentSurface(egl.EGL_READ)
        return egl.eglGetCurrentDisplay(), *surfaces, egl.eglGetCurrentContext()

    def close(self, opened: _Open, before: tuple[Any, Any, Any, Any]) -> None:
        """The display stays initialised: EGL has one a device, and others in this process may use it."""
        egl = self._egl
        egl.eglMakeCurrent(opened.display, egl.EGL_NO_SURFACE, egl.EGL_NO_SURFACE, egl.EGL_NO_CONTEXT)
        self._free(opened)
        if before[0] and before[3]:
            egl.eglMakeCurrent(*before)

    def _free(self, opened: _Open) -> None:
        if opened.surface:
            self._egl.eglDestroySurface(opened.display, opened.surface)
        self._egl.eglDestroyContext(opened.display, opened.context)

    def _list(self, *numbers: int) -> Any:
        return (self._egl.EGLint * (len(numbers) + 1))(*numbers, self._egl.EGL_NONE)

    def _checked(self, name: str, function: Any, *arguments: Any) -> Any:
        try:
            answer = function(*arguments)
        except self._error as problem:
            raise OSError(f"{name} failed ({getattr(problem, 'err', problem)})") from problem
        if not answer:
            raise OSError(f"{name} failed ({self._egl.eglGetError()})")
        return answer
