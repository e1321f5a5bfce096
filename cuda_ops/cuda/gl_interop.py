# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Write to OpenGL's textures and buffers by the CUDA driver.

All functions need the OpenGL context current on the calling thread. None waits for the device: OpenGL's commands before
a map are done before the stream's after it, and the stream's before an unmap before OpenGL's after it.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cuda_ops.cuda import driver
from cuda_ops.cuda.driver import DriverError
from cuda_ops.shapes import structure_fields

ALL_DEVICES = 1  # CU_GL_DEVICE_LIST_ALL
WRITE_DISCARD = 2  # CU_GRAPHICS_REGISTER_FLAGS_WRITE_DISCARD: all of it is written, nothing of it is read
TEXTURE_2D = 0x0DE1  # GL_TEXTURE_2D
DEVICE, ARRAY = 2, 3  # CU_MEMORYTYPE_DEVICE, CU_MEMORYTYPE_ARRAY
MOST_DEVICES = 64

OUT_OF_MEMORY = 2  # CUDA_ERROR_OUT_OF_MEMORY
NO_DEVICE, INVALID_GRAPHICS_CONTEXT, OPERATING_SYSTEM = 100, 219, 304  # CUDA_ERROR_...
NOT_HERE = frozenset({NO_DEVICE, INVALID_GRAPHICS_CONTEXT, OPERATING_SYSTEM})  # where OpenGL runs on another device


PLACE = (  # of a copy's bytes
    *structure_fields(ctypes.c_size_t, "x y"),
    ("type", ctypes.c_int),
    ("host", ctypes.c_void_p),
    ("device", ctypes.c_uint64),
    ("array", ctypes.c_void_p),
    ("pitch", ctypes.c_size_t),
)


class Copy2D(ctypes.Structure):
    """CUDA_MEMCPY2D: a rectangle of bytes from one place to another."""

    _fields_ = [
        *((f"{place}_{name}", kind) for place in ("source", "target") for name, kind in PLACE),
        *structure_fields(ctypes.c_size_t, "width height"),
    ]


def check_device(device: int) -> None:
    """Raise DriverError unless the current OpenGL context runs on the device."""
    driver.enter(device)
    count, devices = ctypes.c_uint(), (ctypes.c_int * MOST_DEVICES)()
    driver.call("cuGLGetDevices_v2", ctypes.byref(count), devices, ctypes.c_uint(MOST_DEVICES), ALL_DEVICES)
    if driver.handle_of(device) not in devices[: count.value]:
        raise DriverError(f"cuGLGetDevices does not name device {device}", NO_DEVICE)


def explain(problem: DriverError) -> str:
    """Return a clause that says what a failure of these functions means."""
    if problem.code in NOT_HERE:
        return f"OpenGL runs on another device than the models; {problem}"
    return f"the device has no memory left; {problem}" if problem.code == OUT_OF_MEMORY else str(problem)


class Resource:
    """A texture or a buffer of OpenGL that a device may write to, from its registration to `unregister`.

    The texture or buffer must not be resized or deleted before that.
    """

    def __init__(self, device: int, registering: str, *what: int) -> None:
        self.device, self._handle = device, ctypes.c_void_p()
        driver.enter(device)
        driver.call(registering, ctypes.byref(self._handle), *map(ctypes.c_uint, what))

    @contextmanager
    def mapped(self, stream: int) -> Iterator[None]:
        """Keep OpenGL from using it meanwhile; afterwards OpenGL sees what the stream (a handle) wrote."""
        driver.enter(self.device)
        arguments = ctypes.c_uint(1), ctypes.byref(self._handle), ctypes.c_void_p(stream)
        driver.call("cuGraphicsMapResources", *arguments)
        try:
            yield
        except BaseException:
            with suppress(DriverError):  # the first failure is the one to report
                driver.call("cuGraphicsUnmapResources", *arguments)
            raise
        driver.call("cuGraphicsUnmapResources", *arguments)

    def unregister(self) -> None:
        """End the registration. Errors are ignored: the context may be gone."""
        with suppress(DriverError):
            driver.enter(self.device)
            driver.call("cuGraphicsUnregisterResource", self._handle)


class Texture(Resource):
    """A 2-D texture with four bytes a pixel."""

    def __init__(self, device: int, texture: int) -> None:
        super().__init__(device, "cuGraphicsGLRegisterImage", texture, TEXTURE_2D, WRITE_DISCARD)

    def write(self, source: int, width: int, height: int, stream: int) -> None:
        """Copy rows of pixels without gaps from an address on the device, in the order of the stream."""
        with self.mapped(stream):
            array = ctypes.c_void_p()
            level, side = ctypes.c_uint(0), ctypes.c_uint(0)
            driver.call("cuGraphicsSubResourceGetMappedArray", ctypes.byref(array), self._handle, side, level)
            copy = Copy2D(
                source_type=DEVICE,
                source_device=source,
                source_pitch=4 * width,
                target_type=ARRAY,
                target_array=array,
                width=4 * width,
                height=height,
            )
            driver.call("cuMemcpy2DAsync_v2", ctypes.byref(copy), ctypes.c_void_p(stream))


class Buffer(Resource):
    """A buffer object."""

    def __init__(self, device: int, buffer: int) -> None:
        super().__init__(device, "cuGraphicsGLRegisterBuffer", buffer, WRITE_DISCARD)

    def write(self, source: int, size: int, stream: int) -> None:
        """Copy `size` bytes from an address on the device, in the order of the stream."""
        with self.mapped(stream):
            target, there = ctypes.c_uint64(), ctypes.c_size_t()
            driver.call(
                "cuGraphicsResourceGetMappedPointer_v2", ctypes.byref(target), ctypes.byref(there), self._handle
            )
            if there.value < size:
                raise DriverError(f"the buffer has {there.value} bytes, not {size}")
            driver.call(
                "cuMemcpyDtoDAsync_v2", target, ctypes.c_uint64(source), ctypes.c_size_t(size), ctypes.c_void_p(stream)
            )
