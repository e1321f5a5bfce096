# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Compile the CUDA kernels with NVRTC, which torch's CUDA wheels bring, and keep the cubins.

cuda-core compiles them. To find a kept cubin neither it nor NVRTC is imported: that takes longer than the first kernel
may (docs/decisions/017-cuda-kernels.md).
"""

import functools
import os
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module, metadata
from io import StringIO
from pathlib import Path
from typing import Any

from cuda_ops.kernel_cache import cache_folder, digest, digest_files, keep

SOURCES = Path(__file__).parents[1] / "csrc" / "cuda"
NVRTC_PACKAGES = ("nvidia-cuda-nvrtc", "nvidia-cuda-nvrtc-cu12")  # distributions that NVRTC comes in
MAX_COMPLAINT_LENGTH = 160  # of the compiler's error, as repeated to the user
MAX_CACHE_BYTES = 2**27  # a cubin has some 50 KB, a model some ten of them
DIGEST_LENGTH = 16  # of the digest before each kept cubin, by which a damaged one is noticed


class CompileError(Exception):
    """There is no cubin; the text says why, as a clause without a full stop."""


@functools.cache
def find_compiler_version() -> str:
    """Return NVRTC's version, without loading it."""
    versions = []
    for name in (*NVRTC_PACKAGES, "cuda-bindings"):
        with suppress(metadata.PackageNotFoundError):
            versions.append(f"{name} {metadata.version(name)}")
    return ", ".join(versions)


@functools.cache
def _digest_sources(folder: Path) -> str:
    return digest_files(folder.glob("*.cuh"))


def make_key(source: str, defines: Mapping[str, int], architecture: int) -> str:
    """Return the digest of what decides a cubin: sources, macros, architecture, NVRTC."""
    macros = ",".join(f"{name}={value}" for name, value in sorted(defines.items()))
    parts = (_digest_sources(SOURCES), source, macros, str(architecture), find_compiler_version())
    return digest(part.encode() for part in parts)


def get_cubin(source: str, defines: Mapping[str, int], architecture: int) -> bytes:
    """Return the compiled `source` (a file's name without .cuh), kept from before or compiled and kept now.

    Raises CompileError. A cache that cannot be used costs compiling again, nothing else.
    """
    path: Path | None = None
    with suppress(OSError, RuntimeError):  # RuntimeError: there is no home folder
        path = cache_folder("cubins") / f"{make_key(source, defines, architecture)}.cubin"
        entry = path.read_bytes()
        if entry[:DIGEST_LENGTH] == digest([entry[DIGEST_LENGTH:]]).encode():
            with suppress(OSError):  # a cache that cannot be written can be read
                os.utime(path)  # still in use: see _drop_unused
            return entry[DIGEST_LENGTH:]
    cubin, _ = compile_cubin(source, defines, architecture)
    if path:
        with suppress(OSError):
            keep(path, digest([cubin]).encode() + cubin)
            _drop_unused(path.parent)
    return cubin


def _drop_unused(folder: Path) -> None:
    """Delete the cubins that were not read for longest until the others take at most MAX_CACHE_BYTES."""
    total = 0
    for path in sorted(folder.glob("*.cubin"), key=lambda path: path.stat().st_mtime_ns, reverse=True):
        total += path.stat().st_size
        if total > MAX_CACHE_BYTES:
            path.unlink()


def import_core() -> Any:
    """Import and return cuda.core; CompileError where it is not installed."""
    try:
        core = import_module("cuda.core")
    except ImportError as problem:
        raise CompileError(f"the package cuda-core, which compiles kernels, cannot be imported ({problem})") from None
    if not hasattr(core, "ProgramOptions"):
        raise CompileError("the package cuda-core, which compiles kernels, is too old")
    return core


def compile_cubin(
    source: str, defines: Mapping[str, int], architecture: int, verbose: bool = False
) -> tuple[bytes, str]:
    """Compile now; return the cubin and the compiler's log, with `verbose` about registers and memory."""
    core = import_core()
    log = StringIO()
    try:
        options = core.ProgramOptions(
            std="c++17",
            arch=f"sm_{architecture}",
            include_path=str(SOURCES),
            define_macro=[(name, str(value)) for name, value in defines.items()],
            **({"ptxas_options": ["-v"]} if verbose else {}),
        )
        made = core.Program(f'#include "{source}.cuh"\n', "c++", options).compile("cubin", logs=log)
        return bytes(made.code), log.getvalue()
    except Exception as error:  # many kinds, cuda-core's own and those of NVRTC's loader
        lines = str(error).strip().splitlines() or [repr(error)]
        first = next((line for line in lines if "error" in line), lines[0])
        why = first.strip()[:MAX_COMPLAINT_LENGTH]
        raise CompileError(f"NVRTC could not compile {source}.cuh for sm_{architecture} ({why})") from error
