# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Compile the CPU kernels with any C++ compiler of the machine: sources in, one shared library out.

The flags stand in variants.txt beside the sources, where CMakeLists.txt reads them too.
"""

import logging
import os
import platform
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cuda_ops.cpu.build_dir import BuildDir
from cuda_ops.kernel_cache import SUFFIX

MAX_COMPLAINT_LENGTH = 160  # of a compiler's error, as repeated to the user

log = logging.getLogger("cuda_ops")


class CompileError(Exception):
    """There is no library; the text says why, as a clause without a full stop."""


class BuildResult(NamedTuple):
    """A library that was compiled."""

    library: Path
    compiler: str  # its name
    problems: list[str]  # of the compilers that were tried before it, $CXX above all: clauses


def read_flags(sources: Path) -> dict[str, list[str]]:
    """Read the compiler's flags by variant from variants.txt, `all` among them, for this machine's processor."""
    lines = (line.split() for line in (sources / "variants.txt").read_text(encoding="utf-8").splitlines())
    flags = {words[0]: words[1:] for words in lines if words and words[0] != "#"}
    if platform.machine().lower() not in ("x86_64", "amd64"):
        flags = {name: flags[name] for name in ("all", "baseline")}
    if os.name == "nt":
        flags["all"].remove("-fPIC")  # clang for Windows reports it as an error
    return flags


def find_compilers() -> list[list[str]]:
    """Return the commands of the C++ compilers that are found, $CXX first, each once whatever its names."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name, *arguments in filter(None, (_read_cxx(), ["c++"], ["g++"], ["clang++"])):
        path = shutil.which(name)
        if path:
            found.setdefault((os.path.realpath(path), *arguments), [path, *arguments])
    return list(found.values())


def _read_cxx() -> list[str]:
    """Return the words of $CXX; with an unclosed quote all of it is taken for a program's name."""
    value = os.environ.get("CXX", "").strip()
    try:
        return shlex.split(value, posix=os.name != "nt")
    except ValueError:
        return [value]


def compile_library(sources: Path, place: BuildDir, timeout: float) -> BuildResult:
    """Compile with the first compiler that can; the library lies in the build folder, and is deleted with it.

    Raises CompileError, at the latest after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    problems: list[str] = []
    wanted, found = _read_cxx(), find_compilers()
    if wanted and not shutil.which(wanted[0]):
        problems.append(f"$CXX ({Path(wanted[0]).name}) was not found")
    for compiler in found:
        name = Path(compiler[0]).name
        instead = f"{'; '.join(problems)}, so {name} is used. " if problems else ""
        log.info("%sCompiling the CPU kernels, once, with %s: this takes some seconds.", instead, name)
        try:
            return BuildResult(_compile(compiler, sources, place, deadline), name, problems)
        except CompileError as problem:
            is_wanted = bool(wanted) and compiler == [shutil.which(wanted[0]), *wanted[1:]]
            problems.append(f"$CXX ({name}) {problem}" if is_wanted else f"{name} {problem}")
    raise CompileError("; ".join(problems if found else ["no C++ compiler was found", *problems]))


def _compile(compiler: list[str], sources: Path, place: BuildDir, deadline: float) -> Path:
    """Compile the variants side by side, then link the library from those that succeeded."""
    flags = read_flags(sources)
    compiler = compiler + flags.pop("all")
    objects = {variant: place.folder / f"{variant}.o" for variant in flags}
    kernels = [*compiler, "-c", str(sources / "kernels.cpp")]
    commands = [[*kernels, *flags[name], f"-DJINC_VARIANT={name}", "-o", str(path)] for name, path in objects.items()]
    complaints = dict(zip(objects, _run(commands, place, deadline), strict=True))
    if complaints["baseline"]:
        raise CompileError(f"failed: {complaints['baseline']}")
    built = [variant for variant, complaint in complaints.items() if not complaint]
    library = place.folder / f"library{SUFFIX}"
    have = [f"-DJINC_HAVE_{variant.upper()}" for variant in built]
    inputs = [str(sources / "library.cpp"), *(str(objects[variant]) for variant in built)]
    (complaint,) = _run([[*compiler, "-shared", *have, *inputs, "-o", str(library)]], place, deadline)
    if complaint or not library.exists():
        raise CompileError(f"failed: {complaint or 'it wrote no library'}")
    return library


def _run(commands: Sequence[list[str]], place: BuildDir, deadline: float) -> list[str]:
    """Run the commands side by side; return the compiler's complaint for each, "" for one that succeeded."""
    # The files of a compiler that is killed have to lie in the folder that will be deleted.
    environment = {**os.environ, "TMPDIR": str(place.folder), "LC_ALL": "C"}
    logs = [place.folder / f"{number}.log" for number in range(len(commands))]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for command, path in zip(commands, logs, strict=True):
            # To a file: a pipe would stay open as long as a killed compiler's children live.
            with path.open("wb") as file:
                process = subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    process_group=place.group,
                )
            processes.append(process)
        for process in processes:
            process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise CompileError("did not finish in time") from None
    except OSError as problem:
        raise CompileError(f"cannot be run: {problem.strerror}") from None
    finally:
        for process in processes:
            process.kill()  # if it still runs; the programs that it started end with the build folder
            process.wait()
    return [_read_complaint(process, path) for process, path in zip(processes, logs, strict=True)]


def _read_complaint(process: subprocess.Popen[bytes], path: Path) -> str:
    if not process.returncode:
        return ""
    lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or [f"exit status {process.returncode}"])[0][:MAX_COMPLAINT_LENGTH]
