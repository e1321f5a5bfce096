# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Load, launch and precompile the CUDA kernels, and explain why they cannot run.

Nothing of CUDA is touched before a tensor on such a device, or a caller, asks for it. Nothing that is broken raises:
without kernels the torch references run, and `explain()` says why.
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
THREADS, BLOCKS = 256, 2  # of the pointwise kernels: threads in a block, blocks on a multiprocessor
NOT_YET = "The CUDA kernels are looked for when an operator first runs on the device."
REFERENCE = "The torch reference runs, because "
ADVICE = "For several times the speed: pip install -U cuda-core."

log = logging.getLogger("cuda_ops")

Defines = tuple[tuple[str, int], ...]


class SearchResult(NamedTuple):
    """The outcome of the search for kernels on a device."""

    architecture: int | None  # None: no kernels
    reason: str


_lock = threading.Lock()
_found: dict[int, SearchResult] = {}
_failed: dict[str, str] = {}  # sentences on kernels that could not be made, by their names
_off = 0  # how many comparisons have switched the kernels off


def device_index(device: torch.device | str) -> int:
    """Return the number of a CUDA device; the current one's where none is given."""
    number = torch.device(device).index
    return torch.cuda.current_device() if number is None else number


def is_available(device: torch.device | str) -> bool:
    """Return whether the kernels run on this device. The first call compiles one, if none was kept."""
    return not _off and torch.device(device).type == "cuda" and _find(device_index(device)).architecture is not None


@contextmanager
def switched_off() -> Iterator[None]:
    """Make the references run within, in all threads: for comparisons."""
    global _off
    _off += 1
    try:
        yield
    finally:
        _off -= 1


def is_decided(device: torch.device | str) -> bool:
    """Return whether the search is over for this device. Never waits."""
    return not torch.cuda.is_available() or device_index(device) in _found


def architecture(device: torch.device | str) -> int | None:
    """Return ten times the compute capability that the kernels are compiled for, or None where none run."""
    return _find(device_index(device)).architecture


def explain(device: torch.device | str = "cuda", wait: bool = True) -> str:
    """Say in one sentence what runs on the device, or why no kernels do. With `wait=False` it never compiles."""
    if os.environ.get(SWITCH, "").strip().lower() == "off":
        return f"{REFERENCE}the CUDA kernels are switched off by {SWITCH}."
    try:
        if not torch.cuda.is_available():
            build = "" if torch.version.cuda else ", and this torch was built without CUDA"
            return f"{REFERENCE}torch finds no CUDA device{build}."
        if not is_decided(device) and not wait:
            return NOT_YET
        found = _find(device_index(device))
        failed = sorted(_failed)
        return f"{found.reason[:-1]}; but not {', '.join(failed)}: {_failed[failed[0]]}." if failed else found.reason
    except (DriverError, RuntimeError, AssertionError, ValueError) as problem:
        return f"{REFERENCE}{device} cannot be used ({str(problem).partition(chr(10))[0]})."


def _find(device: int) -> SearchResult:
    if device not in _found:
        with _lock:
            if device not in _found:
                try:
                    found = _search(device)
                except Exception as problem:  # whatever it is, pictures can still be made
                    found = SearchResult(None, f"{REFERENCE}the search for the CUDA kernels failed: {problem!r}.")
                log.info("CUDA operators: %s", found.reason)
                _found[device] = found
    return _found[device]


def _search(device: int) -> SearchResult:
    """Try the smallest kernel: if it compiles and loads, the others should too."""
    if os.environ.get(SWITCH, "").strip().lower() == "off":
        return SearchResult(None, f"{REFERENCE}the CUDA kernels are switched off by {SWITCH}.")
    try:
        architecture = driver.architecture(device)
        defines = {"TYPE": 0, "THREADS": THREADS, "BLOCKS": BLOCKS, "VECTOR": 4}
        Function(nvrtc.get_cubin("bias_act", defines, architecture), "bias_act", device, THREADS, 0)
    except (CompileError, DriverError) as problem:
        advice = f" {ADVICE}" if "cuda-core" in str(problem) else ""
        return SearchResult(None, f"{REFERENCE}{problem}.{advice}")
    return SearchResult(architecture, f"CUDA kernels run, compiled for sm_{architecture} on this machine.")


def choose_tile(spec: Resampling, device: torch.device) -> Tile | None:
    """Return the tile for a call on this device; None where the fused kernel does not support it."""
    architecture = _find(device_index(device)).architecture
    return None if architecture is None else tiling.choose_tile(spec, architecture)


@functools.cache
def count_multiprocessors(device: torch.device) -> int:
    """Return the number of multiprocessors of the device."""
    return int(torch.cuda.get_device_properties(device).multi_processor_count)


@functools.cache
def _load_function(source: str, name: str, defines: Defines, device: int, threads: int, shared: int) -> Function | None:
    """Load a kernel once for each device; return None, with a warning, where it cannot be made."""
    architecture = _find(device).architecture
    assert architecture is not None
    try:
        return Function(nvrtc.get_cubin(source, dict(defines), architecture), name, device, threads, shared)
    except (CompileError, DriverError) as problem:
        _failed[name] = str(problem)
        log.warning("A CUDA kernel cannot be used: %s. The torch reference runs in its place.", problem)
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
    """Start a kernel on torch's current stream of the device; return False where there is none."""
    number = device_index(device)
    function = _load_function(source, name, tuple(sorted(defines.items())), number, threads, shared)
    return _launch(function, number, blocks, arguments)


def _launch(function: Function | None, device: int, blocks: int, arguments: Arguments) -> bool:
    if function is None:
        return False
    function.launch(blocks, torch.cuda.current_stream(device).cuda_stream, arguments)
    return True


@functools.lru_cache(4096)
def _load_resampling(spec: Resampling, device: int) -> Function | None:
    tile = choose_tile(spec, torch.device("cuda", device))
    if tile is None:
        return None
    defines = spec.defines(tile)
    macros = tuple(sorted(defines.items()))
    return _load_function("resample", "resample", macros, device, tile.threads, defines["SHARED"])


def launch_resampling(spec: Resampling, device: torch.device, blocks: int, arguments: Arguments) -> bool:
    """Start the fused kernel on torch's current stream of the device; return False where there is none."""
    number = device_index(device)
    return _launch(_load_resampling(spec, number), number, blocks, arguments)


def precompile(specs: Iterable[Resampling], device: torch.device | str = "cuda") -> int:
    """Load these specialisations, compiled now or before, so that a CUDA graph can be captured; return how many.

    `tiling.specialise_layer` makes them. Kernels of bias_act are loaded for the same types. A graph that holds a
    general upfirdn2d needs a call of it before. Returns 0 where no kernels run at all.
    """
    if not is_available(device):
        return 0
    wanted, number = dict.fromkeys(specs), device_index(device)
    for dtype in {spec.dtype for spec in wanted}:
        for vector, name in product((16 // dtype.itemsize, 1), ("bias_act", "bias_act_gradient")):
            macros = {"TYPE": tiling.TYPES[dtype], "THREADS": THREADS, "BLOCKS": BLOCKS, "VECTOR": vector}
            _load_function("bias_act", name, tuple(sorted(macros.items())), number, THREADS, 0)
    return sum(_load_resampling(spec, number) is not None for spec in wanted)
