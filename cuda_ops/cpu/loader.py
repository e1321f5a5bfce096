# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Finds the CPU kernels: the library of the wheel, else one compiled here before, else one compiled now, else none.

`library()` decides at its first call, which an operator makes. Nothing that is broken raises: without kernels the
torch references run, and `reason()` says why.
"""

import ctypes
import hashlib
import logging
import os
import platform
import shutil
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from cuda_ops.cpu.build import SUFFIX, CompileError, compile_library, read_flags
from cuda_ops.cpu.build_dir import sweep, workplace

ABI = 2  # raise it together with jinc_abi() in csrc/cpu/library.cpp whenever a structure or a function changes
SWITCH = "JINC_CPU_KERNELS"  # off, the name of a variant, or a library's path: see _is_path
SOURCES = Path(__file__).parents[1] / "csrc" / "cpu"
PREBUILT = Path(__file__).with_name(f"jinc_cpu{SUFFIX}")  # CMakeLists.txt puts it there
TIMEOUT = 120.0  # seconds that compiling may take
UNUSED = 60 * 86400.0  # seconds after which a kept library that nobody loaded is deleted

NOT_YET = "The CPU kernels are looked for when an operator first runs."
COMPILING = "The CPU kernels are being compiled, once; this takes some seconds."
REFERENCE = "The torch reference runs, because "

log = logging.getLogger("cuda_ops")


class Found(NamedTuple):
    """What the search came to."""

    library: ctypes.CDLL | None
    reason: str
    variant: str = ""  # the instruction set that the library chose


_lock = threading.Lock()
_found: Found | None = None
_compiling = False


def library() -> ctypes.CDLL | None:
    """The loaded library, or None where the references must do. The first call may compile for some seconds."""
    global _found
    if _found is None:
        with _lock:
            if _found is None:
                try:
                    found = _find()
                except Exception as problem:  # whatever it is, pictures can still be made
                    found = Found(None, f"{REFERENCE}the search for the CPU kernels failed: {problem!r}.")
                log.info("CPU operators: %s", found.reason)
                _found = found
    return _found.library


@contextmanager
def switched_off() -> Iterator[None]:
    """The references run within, in all threads: for comparisons.

    Neither a backward pass nor weights that `synthesis.modulate` prepared may cross its border.
    """
    global _found
    library()
    kept, _found = _found, Found(None, f"{REFERENCE}the CPU kernels are switched off for a comparison.")
    try:
        yield
    finally:
        _found = kept


def reason() -> str:
    """One sentence: which kernels run, or why none. Never compiles or waits."""
    return _found.reason if _found else COMPILING if _compiling else NOT_YET


def decided() -> bool:
    """Whether the search is over. Never waits."""
    return _found is not None


def variant() -> str:
    """The instruction set of the kernels that were loaded, such as avx2; "" as long as there are none."""
    return _found.variant if _found else ""


def _find() -> Found:
    wanted = os.environ.get(SWITCH, "").strip()
    if wanted.lower() == "off":
        return Found(None, f"{REFERENCE}the CPU kernels are switched off by {SWITCH}.")
    why = ""  # not something better: clauses, each after a semicolon
    if _is_path(wanted):
        path = Path(wanted).expanduser().absolute()
        try:
            return _ready(path, f"from the file that {SWITCH} names")
        except OSError as problem:
            trouble = f"which cannot be used ({problem})" if path.is_file() else "but there is no such file"
            why += f"; {SWITCH} names {path}, {trouble}"
    if PREBUILT.exists():
        try:
            return _ready(PREBUILT, "as they came with the installation", why)
        except OSError as problem:
            why += f"; those that came with the installation do not load ({problem})"
    key = _key()
    return _cached(key, why) or _compiled(key, why)


def _is_path(wanted: str) -> bool:
    """Whether the switch names a file: nothing else has a separator or a library's suffix in it."""
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    return wanted.lower().endswith((".so", ".dylib", ".dll")) or any(separator in wanted for separator in separators)


def _ready(path: Path, origin: str, why: str = "") -> Found:
    loaded = _load(path)
    wanted = os.environ.get(SWITCH, "").strip().lower()
    if wanted and not _is_path(wanted) and not loaded.jinc_use_variant(wanted.encode()):
        choice = ", ".join(["off", *_variants(loaded)])
        why += f"; {SWITCH} is {wanted}, but on this machine it can be {choice}, or a library's path"
    variant = loaded.jinc_variant().decode()
    return Found(loaded, f"C++ kernels ({variant}) run, {origin}{why}.", variant)


def _variants(loaded: ctypes.CDLL) -> list[str]:
    """Those of the library that this machine can run."""
    best = loaded.jinc_variant()
    names = [name for name in read_flags(SOURCES) if loaded.jinc_use_variant(name.encode())]
    loaded.jinc_use_variant(best)
    return names


def _load(path: Path) -> ctypes.CDLL:
    """Load a library and hand it torch's threads; OSError if it is not one, or of another version of Jinc."""
    loaded = ctypes.CDLL(str(path))
    try:
        loaded.jinc_variant.restype = ctypes.c_char_p
        loaded.jinc_use_variant.argtypes = [ctypes.c_char_p]
        loaded.jinc_use_team.argtypes = [ctypes.c_void_p]
        abi = loaded.jinc_abi()
    except AttributeError:
        raise OSError(f"{path.name} does not hold the CPU kernels") from None
    if abi != ABI:
        raise OSError(f"{path.name} has interface {abi}, and this version of Jinc needs {ABI}")
    _lend_threads(loaded)
    return loaded


def _lend_threads(loaded: ctypes.CDLL) -> None:
    """Two pools of threads on one machine fight, so the kernels borrow the one that torch keeps, where it is found."""
    team = getattr(ctypes.CDLL(None), "GOMP_parallel", None) if os.name == "posix" else None
    loaded.jinc_use_team(ctypes.cast(team, ctypes.c_void_p) if team else None)


# -- compiled here -------------------------------------------------------------------------------------------------
# The name of a kept library holds a digest of what it was made from and one of its own bytes: half a file is seen
# before it is loaded (loading one can end the process), and no lock is needed, since the last rename wins.


def cache_folder() -> Path:
    """Where compiled kernels are kept, by each system's custom."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Jinc" / "kernels"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "Jinc" / "kernels"
    wanted = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (wanted if wanted.is_absolute() else Path.home() / ".cache") / "jinc" / "kernels"


def _digest(parts: Iterable[bytes]) -> str:
    return hashlib.sha256(b"".join(b"%d:%b" % (len(part), part) for part in parts)).hexdigest()[:16]


def _key() -> str:
    """Digest of everything that decides the library. A compiler counts only if $CXX asks for it: kernels that were
    compiled once run on when the compiler is gone, and finding them starts no program."""
    files = sorted(path for path in SOURCES.iterdir() if path.suffix in (".cpp", ".h", ".txt"))
    machine = (sysconfig.get_platform(), *platform.libc_ver(), os.environ.get("CXX", ""))
    contents = [part for path in files for part in (path.name.encode(), path.read_bytes())]
    return _digest([*contents, *(part.encode() for part in machine)])


def _cached(key: str, why: str) -> Found | None:
    """Kernels that were compiled earlier. Files that are damaged or do not load are deleted."""
    with suppress(OSError, RuntimeError):  # RuntimeError: there is no home
        for path in sorted(cache_folder().glob(f"{key}-*-*{SUFFIX}")):
            _, content, compiler = path.stem.split("-", 2)
            with suppress(OSError):
                if _digest([path.read_bytes()]) == content:
                    os.utime(path)  # still in use: see _sweep
                    return _ready(path, f"compiled on this machine by {compiler}", why)
            path.unlink()
    return None


def _compiled(key: str, why: str) -> Found:
    """Compile, and keep the result; where the cache cannot be used, load it from the temporary folder."""
    global _compiling
    _compiling = True
    _sweep()
    try:
        with workplace(Path(tempfile.gettempdir())) as place:
            built, compiler, problems = compile_library(SOURCES, place, TIMEOUT)
            origin, why = f"compiled on this machine by {compiler}", "; ".join(["", *problems]) + why
            try:
                return _ready(_keep(built, f"{key}-{_digest([built.read_bytes()])}-{compiler}{SUFFIX}"), origin, why)
            except (OSError, RuntimeError) as problem:
                return _ready(built, f"{origin}, for this run only, because they cannot be kept ({problem})", why)
    except CompileError as problem:
        return Found(None, f"{REFERENCE}{problem}{why}. {advice()}")
    finally:
        _compiling = False


def _keep(built: Path, name: str) -> Path:
    """Copy a library into the cache, whole or not at all."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with workplace(folder) as passing:
        os.replace(shutil.copy(built, passing.folder), folder / name)
    return folder / name


def _sweep() -> list[Path]:
    """Delete libraries that nobody used for long, and return them."""
    unused = []
    with suppress(OSError, RuntimeError):
        for path in cache_folder().glob(f"*{SUFFIX}"):
            if time.time() - path.stat().st_mtime > UNUSED:
                path.unlink()
                unused.append(path)
    return unused


def mend() -> list[Path]:
    """Delete what processes that were killed left behind, and return it: folders that nobody works in, among the
    temporary files and in the cache; kept libraries that are damaged, and those that nobody used for long."""
    gone = sweep(Path(tempfile.gettempdir()))
    with suppress(OSError, RuntimeError):  # RuntimeError: there is no home
        gone += [*sweep(cache_folder()), *_sweep()]
        for path in sorted(cache_folder().glob(f"*{SUFFIX}")):
            if path.stem.split("-", 2)[1:2] != [_digest([path.read_bytes()])]:
                path.unlink()
                gone.append(path)
    return gone


def advice() -> str:
    """What the user can do about it."""
    if os.name == "nt":
        return "LLVM's clang++ may compile them, MSVC cannot; neither has been tried on Windows."
    command = "xcode-select --install" if sys.platform == "darwin" else "sudo apt install g++ (Debian and Ubuntu)"
    return f"For several times the speed, install a C++ compiler and start again: {command}."
