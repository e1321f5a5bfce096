# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Find the CPU kernels: the library of the wheel, else one compiled here before, else one compiled now, else none.

`load_library()` decides at its first call, which an operator makes. Nothing that is broken raises: without kernels the
torch references run, and `explain()` says why.
"""

import ctypes
import logging
import os
import platform
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from cuda_ops import kernel_cache
from cuda_ops.cpu.build import CompileError, compile_library, read_flags
from cuda_ops.cpu.build_dir import build_dir
from cuda_ops.kernel_cache import SUFFIX

ABI = 3  # raise it together with jinc_abi() in csrc/cpu/library.cpp whenever a structure or a function changes
SWITCH = "JINC_CPU_KERNELS"  # off, the name of a variant, or a library's path: see _is_path
SOURCES = Path(__file__).parents[1] / "csrc" / "cpu"
PREBUILT = Path(__file__).with_name(f"jinc_cpu{SUFFIX}")  # CMakeLists.txt puts it there
COMPILE_TIMEOUT = 120.0  # seconds

NOT_YET = "The CPU kernels are looked for when an operator first runs."
COMPILING = "The CPU kernels are being compiled, once; this takes some seconds."
REFERENCE = "The torch reference runs, because "

log = logging.getLogger("cuda_ops")


class SearchResult(NamedTuple):
    """The outcome of the search for kernels."""

    library: ctypes.CDLL | None
    reason: str
    variant: str = ""  # the instruction set that the library chose


_lock = threading.Lock()
_found: SearchResult | None = None
_compiling = False


def load_library() -> ctypes.CDLL | None:
    """Return the library, or None where the references must do. The first call may compile for some seconds."""
    global _found
    if _found is None:
        with _lock:
            if _found is None:
                try:
                    found = _search()
                except Exception as problem:  # whatever it is, pictures can still be made
                    found = SearchResult(None, f"{REFERENCE}the search for the CPU kernels failed: {problem!r}.")
                log.info("CPU operators: %s", found.reason)
                _found = found
    return _found.library


@contextmanager
def switched_off() -> Iterator[None]:
    """Make the references run within, in all threads: for comparisons.

    Neither a backward pass nor weights that `synthesis.modulate` prepared may cross its border.
    """
    global _found
    load_library()
    kept, _found = _found, SearchResult(None, f"{REFERENCE}the CPU kernels are switched off for a comparison.")
    try:
        yield
    finally:
        _found = kept


def explain() -> str:
    """Say in one sentence which kernels run, or why none. Never compiles or waits."""
    return _found.reason if _found else COMPILING if _compiling else NOT_YET


def is_decided() -> bool:
    """Return whether the search is over. Never waits."""
    return _found is not None


def variant() -> str:
    """Return the instruction set of the loaded kernels, such as avx2; "" as long as there are none."""
    return _found.variant if _found else ""


def _search() -> SearchResult:
    wanted = os.environ.get(SWITCH, "").strip()
    if wanted.lower() == "off":
        return SearchResult(None, f"{REFERENCE}the CPU kernels are switched off by {SWITCH}.")
    why = ""  # not something better: clauses, each after a semicolon
    if _is_path(wanted):
        path = Path(wanted).expanduser().absolute()
        try:
            return _load(path, f"from the file that {SWITCH} names")
        except OSError as problem:
            trouble = f"which cannot be used ({problem})" if path.is_file() else "but there is no such file"
            why += f"; {SWITCH} names {path}, {trouble}"
    if PREBUILT.exists():
        try:
            return _load(PREBUILT, "as they came with the installation", why)
        except OSError as problem:
            why += f"; those that came with the installation do not load ({problem})"
    key = _make_key()
    return _load_kept(key, why) or _compile(key, why)


def _is_path(wanted: str) -> bool:
    """Return whether the switch names a file: nothing else has a separator or a library's suffix in it."""
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    return wanted.lower().endswith((".so", ".dylib", ".dll")) or any(separator in wanted for separator in separators)


def _load(path: Path, origin: str, why: str = "") -> SearchResult:
    """Load a library and choose the variant that the switch names; OSError where the library cannot be used."""
    library = _open(path)
    wanted = os.environ.get(SWITCH, "").strip().lower()
    if wanted and not _is_path(wanted) and not library.jinc_use_variant(wanted.encode()):
        choice = ", ".join(["off", *_list_variants(library)])
        why += f"; {SWITCH} is {wanted}, but on this machine it can be {choice}, or a library's path"
    chosen = library.jinc_variant().decode()
    return SearchResult(library, f"C++ kernels ({chosen}) run, {origin}{why}.", chosen)


def _list_variants(library: ctypes.CDLL) -> list[str]:
    """Return the variants of the library that this machine can run."""
    best = library.jinc_variant()
    names = [name for name in read_flags(SOURCES) if library.jinc_use_variant(name.encode())]
    library.jinc_use_variant(best)
    return names


def _open(path: Path) -> ctypes.CDLL:
    """Open a library and lend it torch's threads; OSError if it holds no kernels, or those of another version."""
    library = ctypes.CDLL(str(path))
    try:
        library.jinc_variant.restype = ctypes.c_char_p
        library.jinc_use_variant.argtypes = [ctypes.c_char_p]
        library.jinc_use_team.argtypes = [ctypes.c_void_p]
        abi = library.jinc_abi()
    except AttributeError:
        raise OSError(f"{path.name} does not hold the CPU kernels") from None
    if abi != ABI:
        raise OSError(f"{path.name} has interface {abi}, and this version of Jinc needs {ABI}")
    _lend_threads(library)
    return library


def _lend_threads(library: ctypes.CDLL) -> None:
    """Make the kernels use torch's pool of threads, where it is found: two pools on one machine slow each other."""
    team = getattr(ctypes.CDLL(None), "GOMP_parallel", None) if os.name == "posix" else None
    library.jinc_use_team(ctypes.cast(team, ctypes.c_void_p) if team else None)


def _make_key() -> str:
    """Return the digest of what decides the library: sources, flags, machine, and $CXX.

    Other compilers do not count: kernels that were compiled once still serve when the compiler is gone, and finding
    them starts no program.
    """
    files = kernel_cache.digest_files(path for path in SOURCES.iterdir() if path.suffix in (".cpp", ".h", ".txt"))
    machine = (sysconfig.get_platform(), *platform.libc_ver(), os.environ.get("CXX", ""))
    return kernel_cache.digest(part.encode() for part in (files, *machine))


def _load_kept(key: str, why: str) -> SearchResult | None:
    """Load kernels that were compiled earlier. Files that do not load are deleted."""
    with suppress(OSError, RuntimeError):  # RuntimeError: there is no home folder
        for path in kernel_cache.find_libraries(key):
            try:
                return _load(path, f"compiled on this machine by {kernel_cache.compiler_of(path)}", why)
            except OSError:
                path.unlink()
    return None


def _compile(key: str, why: str) -> SearchResult:
    """Compile, and keep the result; where the cache cannot be used, load it from the temporary folder."""
    global _compiling
    _compiling = True
    try:
        kernel_cache.clean_cache()
        with build_dir(Path(tempfile.gettempdir())) as place:
            built, compiler, problems = compile_library(SOURCES, place, COMPILE_TIMEOUT)
            origin, why = f"compiled on this machine by {compiler}", "; ".join(["", *problems]) + why
            try:
                return _load(kernel_cache.keep_library(built, key, compiler), origin, why)
            except (OSError, RuntimeError) as problem:
                return _load(built, f"{origin}, for this run only, because they cannot be kept ({problem})", why)
    except CompileError as problem:
        return SearchResult(None, f"{REFERENCE}{problem}{why}. {advise()}")
    finally:
        _compiling = False


def advise() -> str:
    """Say what the user can do where no compiler works."""
    if os.name == "nt":
        return "LLVM's clang++ may compile them, MSVC cannot; neither has been tried on Windows."
    command = "xcode-select --install" if sys.platform == "darwin" else "sudo apt install g++ (Debian and Ubuntu)"
    return f"For several times the speed, install a C++ compiler and start again: {command}."
