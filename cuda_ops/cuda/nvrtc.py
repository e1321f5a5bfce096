# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Compiles the CUDA kernels with NVRTC, which torch's CUDA wheels bring, and keeps what comes out.

A kept cubin's name holds a digest of what it was made from (sources, macros, architecture, compiler) and one of its own
bytes, as those of the CPU kernels do: half a file is seen, no lock is needed, the last rename wins. Finding one imports
no compiler.
"""

import functools
import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import import_module, metadata
from io import StringIO
from pathlib import Path
from typing import Any

from cuda_ops.cpu import loader as cpu

SOURCES = Path(__file__).parents[1] / "csrc" / "cuda"
COMPILERS = ("nvidia-cuda-nvrtc", "nvidia-cuda-nvrtc-cu12")  # distributions that NVRTC comes in
COMPLAINT_LENGTH = 160  # of the compiler's error, as repeated to the user
PREFIX = "passing-"  # of files that are being written
ABANDONED = 3600.0  # seconds after which nobody is writing such a file


class CompileError(Exception):
    """There is no cubin; the text says why, as a clause without a full stop."""


def folder() -> Path:
    """Where cubins are kept, beside the compiled CPU kernels."""
    return cpu.cache_folder().with_name("cubins")


def digest(parts: Iterable[bytes]) -> str:
    """Of several texts, and of where each ends."""
    return hashlib.sha256(b"".join(b"%d:%b" % (len(part), part) for part in parts)).hexdigest()[:16]


@functools.cache
def compiler_version() -> str:
    """Of NVRTC, without loading it."""
    versions = []
    for name in (*COMPILERS, "cuda-bindings"):
        with suppress(metadata.PackageNotFoundError):
            versions.append(f"{name} {metadata.version(name)}")
    return ", ".join(versions)


@functools.cache
def sources(where: Path) -> str:
    """Digest of all the kernels' sources."""
    paths = sorted(where.glob("*.cuh"))
    return digest(part for path in paths for part in (path.name.encode(), path.read_bytes()))


def key(source: str, defines: Mapping[str, int], architecture: int) -> str:
    """Digest of everything that decides a cubin."""
    macros = ",".join(f"{name}={value}" for name, value in sorted(defines.items()))
    return digest(text.encode() for text in (sources(SOURCES), source, macros, str(architecture), compiler_version()))


def cubin(source: str, defines: Mapping[str, int], architecture: int) -> bytes:
    """The compiled `source` (a file's name without .cuh), kept or made and kept. CompileError where there is none."""
    name = f"{source}-{key(source, defines, architecture)}"
    found = _kept(name)
    if found is None:
        found, _ = compiled(source, defines, architecture)
        _keep(name, found)
    return found


def _kept(name: str) -> bytes | None:
    """What was kept under this name. Damaged files are deleted."""
    with suppress(OSError, RuntimeError):  # RuntimeError: there is no home
        for path in sorted(folder().glob(f"{name}-*.cubin")):
            with suppress(OSError):
                content = path.read_bytes()
                if digest([content]) == path.stem.rpartition("-")[2]:
                    os.utime(path)  # still in use: see mend
                    return content
                path.unlink()
    return None


def _keep(name: str, content: bytes) -> None:
    """Write whole or not at all. A folder that cannot be written to costs compiling again, nothing else."""
    with suppress(OSError, RuntimeError):
        folder().mkdir(parents=True, exist_ok=True)
        handle, passing = tempfile.mkstemp(prefix=PREFIX, dir=folder())
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(passing, folder() / f"{name}-{digest([content])}.cubin")
        except OSError:
            Path(passing).unlink(missing_ok=True)


def mend() -> list[Path]:
    """Delete what killed processes left half written, what is damaged, what nobody used for long; return what went."""
    gone = []
    with suppress(OSError, RuntimeError):
        for path in sorted(folder().iterdir()):
            with suppress(OSError):
                age = time.time() - path.stat().st_mtime
                if path.name.startswith(PREFIX):
                    bad = age > ABANDONED
                else:
                    whole = path.stem.rpartition("-")[2] == digest([path.read_bytes()])
                    bad = path.suffix == ".cubin" and (age > cpu.UNUSED or not whole)
                if bad:
                    path.unlink()
                    gone.append(path)
    return gone


def compiler() -> Any:
    """The module that compiles: cuda.core, under either of its names. CompileError where there is none."""
    problem = ""
    for name in ("cuda.core", "cuda.core.experimental"):
        try:
            module = import_module(name)
        except ImportError as error:
            problem = problem or str(error)
            continue
        if hasattr(module, "Program"):
            return module
    raise CompileError(f"the package cuda-core, which compiles kernels, cannot be imported ({problem or 'too old'})")


def compiled(source: str, defines: Mapping[str, int], architecture: int, verbose: bool = False) -> tuple[bytes, str]:
    """Compile now: the cubin, and what the compiler says, with `verbose` about registers and memory."""
    cuda = compiler()
    log = StringIO()
    try:
        options = cuda.ProgramOptions(
            std="c++17",
            arch=f"sm_{architecture}",
            include_path=str(SOURCES),
            define_macro=[(name, str(value)) for name, value in defines.items()],
            **({"ptxas_options": ["-v"]} if verbose else {}),
        )
        made = cuda.Program(f'#include "{source}.cuh"\n', "c++", options).compile("cubin", logs=log)
        return bytes(made.code), log.getvalue()
    except Exception as error:  # many kinds, cuda-core's own and those of NVRTC's loader
        lines = str(error).strip().splitlines() or [repr(error)]
        first = next((line for line in lines if "error" in line), lines[0])
        why = first.strip()[:COMPLAINT_LENGTH]
        raise CompileError(f"NVRTC could not compile {source}.cuh for sm_{architecture} ({why})") from error
