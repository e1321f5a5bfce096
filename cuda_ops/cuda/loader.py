# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The CUDA kernels: whether they can run and why not, loading and launching them, compiling them beforehand.

Nothing of CUDA is touched before a tensor on such a device, or somebody, asks for it. Nothing that is broken raises:
without kernels the torch references run, and `reason()` says why.
"""

import functools
import logging
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from typing import NamedTuple

import torch

from cuda_ops.cuda import driver, nvrtc, tiling
from cuda_ops.cuda.driver import Arguments, DriverError, Function
from cuda_ops.cuda.nvrtc import CompileError
from cuda_ops.cuda.tiling import Resampling, Tile

SWITCH = "JINC_CUDA_KERNELS"  # off: the references run
THREADS, BLOCKS = 256, 2  # of the kernels that work on one value at a time: in a block, on a multiprocessor
NOT_YET = "The CUDA kernels are looked for when an operator first runs on the device."
REFERENCE = "The torch reference runs, because "
ADVICE = "For several times the speed: pip install cuda-core."

log = logging.getLogger("cuda_ops")

Defines = tuple[tuple[str, int], ...]


class Found(NamedTuple):
    """What looking at a device came to."""

    architecture: int | None  # None: no kernels
    reason: str


_lock = threading.Lock()
_found: dict[int, Found] = {}
_failed: dict[str, str] = {}  # sentences on kernels that could not be made, by their names
_off = 0  # how many comparisons want the references at the moment


def index_of(device: torch.device | str) -> int:
    """The number of a CUDA device; the current one where none is given."""
    number = torch.device(device).index
    return torch.cuda.current_device() if number is None else number


def available(device: torch.device | str) -> bool:
    """Whether the kernels run on this device. The first call compiles one, if none was ever kept."""
    return not _off and torch.device(device).type == "cuda" and _look(index_of(device)).architecture is not None


@contextmanager
def switched_off() -> Iterator[None]:
    """The references run within, in all threads: for comparisons."""
    global _off
    _off += 1
    try:
        yield
    finally:
        _off -= 1


def decided(device: torch.device | str) -> bool:
    """Whether the device has been looked at. Never waits."""
    return not torch.cuda.is_available() or index_of(device) in _found


def architecture(device: torch.device | str) -> int | None:
    """Ten times the compute capability that the kernels are compiled for, or None where none run."""
    return _look(index_of(device)).architecture


def reason(device: torch.device | str = "cuda", wait: bool = True) -> str:
    """One sentence: what runs on the device, or why no kernels. With `wait=False` it never compiles."""
    if os.environ.get(SWITCH, "").strip().lower() == "off":
        return f"{REFERENCE}the CUDA kernels are switched off by {SWITCH}."
    try:
        if not torch.cuda.is_available():
            build = "" if torch.version.cuda else ", and this torch was built without CUDA"
            return f"{REFERENCE}torch finds no CUDA device{build}."
        if not decided(device) and not wait:
            return NOT_YET
        found = _look(index_of(device))
        failed = sorted(_failed)
        return f"{found.reason[:-1]}; but not {', '.join(failed)}: {_failed[failed[0]]}." if failed else found.reason
    except (DriverError, RuntimeError, AssertionError, ValueError) as problem:
        return f"{REFERENCE}{device} cannot be used ({str(problem).partition(chr(10))[0]})."


def _look(device: int) -> Found:
    if device not in _found:
        with _lock:
            if device not in _found:
                try:
                    found = _find(device)
                except Exception as problem:  # whatever it is, pictures can still be made
                    found = Found(None, f"{REFERENCE}the search for the CUDA kernels failed: {problem!r}.")
                log.info("CUDA operators: %s", found.reason)
                _found[device] = found
    return _found[device]


def _find(device: int) -> Found:
    """Try the smallest kernel: what compiles and loads it does so with the others."""
    if os.environ.get(SWITCH, "").strip().lower() == "off":
        return Found(None, f"{REFERENCE}the CUDA kernels are switched off by {SWITCH}.")
    try:
        architecture = driver.architecture(device)
        defines = {"TYPE": 0, "THREADS": THREADS, "BLOCKS": BLOCKS, "VECTOR": 4}
        Function(nvrtc.cubin("bias_act", defines, architecture), "bias_act", device, THREADS, 0)
    except (CompileError, DriverError) as problem:
        advice = f" {ADVICE}" if "cuda-core" in str(problem) else ""
        return Found(None, f"{REFERENCE}{problem}.{advice}")
    return Found(architecture, f"CUDA kernels run, compiled for sm_{architecture} on this machine.")


@functools.lru_cache(4096)
def _tile(spec: Resampling, architecture: int) -> Tile | None:
    return tiling.tile(spec, architecture)


def tile(spec: Resampling, device: torch.device) -> Tile | None:
    """What a block makes of such a call on this device; None where the fused kernel is not made for it."""
    architecture = _look(index_of(device)).architecture
    return None if architecture is None else _tile(spec, architecture)


@functools.cache
def processors(device: torch.device) -> int:
    """Multiprocessors of the device."""
    return int(torch.cuda.get_device_properties(device).multi_processor_count)


@functools.cache
def _function(source: str, name: str, defines: Defines, device: int, threads: int, shared: int) -> Function | None:
    """Loaded once for each device; None, with a warning, where it could not be made."""
    architecture = _look(device).architecture
    assert architecture is not None
    try:
        return Function(nvrtc.cubin(source, dict(defines), architecture), name, device, threads, shared)
    except (CompileError, DriverError) as problem:
        _failed[name] = str(problem)
        log.warning("A CUDA kernel is done without: %s. The torch reference runs in its place.", problem)
        return None


def launch(
    source: str,
    name: str,
    defines: Mapping[str, int],
    device: torch.device,
    blocks: int,
    arguments: Arguments,
    threads: int,
    shared: int,
) -> bool:
    """Start a kernel on torch's current stream of the device; False where there is none."""
    number = index_of(device)
    function = _function(source, name, tuple(sorted(defines.items())), number, threads, shared)
    if function is None:
        return False
    function.launch(blocks, torch.cuda.current_stream(number).cuda_stream, arguments)
    return True


@functools.lru_cache(4096)
def _resampling(spec: Resampling, device: int) -> Function | None:
    architecture = _look(device).architecture
    chosen = None if architecture is None else _tile(spec, architecture)
    if chosen is None:
        return None
    defines = spec.defines(chosen)
    return _function("resample", "resample", tuple(sorted(defines.items())), device, chosen.threads, defines["SHARED"])


def launch_resampling(spec: Resampling, device: torch.device, blocks: int, arguments: Arguments) -> bool:
    """The same of the fused kernel."""
    number = index_of(device)
    function = _resampling(spec, number)
    if function is None:
        return False
    function.launch(blocks, torch.cuda.current_stream(number).cuda_stream, arguments)
    return True


def precompile(specs: Iterable[Resampling], device: torch.device | str = "cuda") -> int:
    """Compile or find, and load, these specialisations, before a CUDA graph is captured. `cuda_tiles.layer` makes them.

    Kernels of bias_act are loaded for the same types. A graph that holds a general upfirdn2d needs a call of it before.
    Returns how many are there now: 0 where no kernels run at all.
    """
    if not available(device):
        return 0
    wanted, number = dict.fromkeys(specs), index_of(device)
    for dtype in {spec.dtype for spec in wanted}:
        for vector, name in product((16 // dtype.itemsize, 1), ("bias_act", "bias_act_gradient")):
            macros = {"TYPE": tiling.TYPES[dtype], "THREADS": THREADS, "BLOCKS": BLOCKS, "VECTOR": vector}
            _function("bias_act", name, tuple(sorted(macros.items())), number, THREADS, 0)
    return sum(_resampling(spec, number) is not None for spec in wanted)
