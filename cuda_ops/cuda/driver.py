# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Load and launch kernels by the CUDA driver's own functions, called by ctypes.

Contexts are the primary ones, which torch uses too. gl_interop.py has the functions that share memory with OpenGL.
"""

import ctypes
import functools
import sys
import threading
from typing import Any

MAX_DYNAMIC_SHARED = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
CAPABILITY = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, ..._MINOR
LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


class DriverError(Exception):
    """There is no driver, or a call of it failed; the text is a clause without a full stop, `code` the error number."""

    def __init__(self, text: str, code: int | None = None) -> None:
        super().__init__(text)
        self.code = code


@functools.cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        raise DriverError(f"there is no CUDA driver ({LIBRARY})") from None
    library.cuGetErrorName.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]
    library.cuLaunchKernel.argtypes = [ctypes.c_void_p, *[ctypes.c_uint] * 7, *[ctypes.c_void_p] * 3]
    library.cuCtxSetCurrent.argtypes = [ctypes.c_void_p]
    _check(library, "cuInit", library.cuInit(0))
    return library


def _check(library: ctypes.CDLL, name: str, result: int) -> None:
    if result:
        text = ctypes.c_char_p()
        library.cuGetErrorName(result, ctypes.byref(text))
        raise DriverError(f"{name} failed ({(text.value or b'error').decode()}, {result})", result)


def call(name: str, *arguments: Any) -> None:
    """Call a function of the driver by its exported name. Arguments wider than an int have to come as their C types."""
    library = _library()
    try:
        function = getattr(library, name)
    except AttributeError:
        raise DriverError(f"this CUDA driver has no {name}") from None
    _check(library, name, function(*arguments))


@functools.cache
def architecture(device: int) -> int:
    """Return ten times the compute capability, such as 90 for an H100."""
    number, values = handle_of(device), (ctypes.c_int(), ctypes.c_int())
    for value, attribute in zip(values, CAPABILITY, strict=True):
        call("cuDeviceGetAttribute", ctypes.byref(value), attribute, number)
    return 10 * values[0].value + values[1].value


def handle_of(device: int) -> int:
    """Return the driver's handle of the device with torch's number."""
    handle = ctypes.c_int()
    call("cuDeviceGet", ctypes.byref(handle), device)
    return handle.value


@functools.cache
def _context(device: int) -> ctypes.c_void_p:
    context = ctypes.c_void_p()
    call("cuDevicePrimaryCtxRetain", ctypes.byref(context), handle_of(device))
    return context


def enter(device: int) -> None:
    """Make the device's context the calling thread's; torch's own threads may not have one yet."""
    context, current = _context(device), ctypes.c_void_p()
    call("cuCtxGetCurrent", ctypes.byref(current))
    if current.value != context.value:
        call("cuCtxSetCurrent", context)


class Function:
    """A kernel on a device. Load it before a CUDA graph is captured; launching may be captured."""

    def __init__(self, cubin: bytes, name: str, device: int, threads: int, shared: int) -> None:
        """Load it; DriverError where the cubin is damaged or does not suit the device."""
        self.device, self.threads, self.shared = device, threads, shared
        enter(device)
        self._module, self._function = ctypes.c_void_p(), ctypes.c_void_p()  # kept as long as the process
        call("cuModuleLoadData", ctypes.byref(self._module), cubin)
        call("cuModuleGetFunction", ctypes.byref(self._function), self._module, name.encode())
        if shared > 48 * 1024:
            call("cuFuncSetAttribute", self._function, MAX_DYNAMIC_SHARED, shared)

    def launch(self, grid: int, stream: int, arguments: "Arguments") -> None:
        """Start `grid` blocks on a stream, given by its handle; the arguments are copied."""
        enter(self.device)
        library = _library()
        _check(
            library,
            "cuLaunchKernel",
            library.cuLaunchKernel(
                self._function, grid, 1, 1, self.threads, 1, 1, self.shared, stream, arguments.pointers, None
            ),
        )


class Arguments(threading.local):
    """A kernel's arguments in C, at a fixed address in each thread: refilled for each launch."""

    def __init__(self, structure: type[ctypes.Structure]) -> None:
        self.values = structure()
        start = ctypes.addressof(self.values)
        places = [start + getattr(structure, field[0]).offset for field in structure._fields_]
        self.pointers = (ctypes.c_void_p * len(places))(*places)

    def fill(self, *values: Any) -> "Arguments":
        """Set the values, in the order of the kernel's parameters, and return self."""
        self.values.__init__(*values)  # type: ignore[misc]
        return self
