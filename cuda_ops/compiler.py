# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Compiles the CPU kernels with whatever C++ compiler the machine has: sources in, one shared library out.

The flags stand in variants.txt beside the sources, where CMakeLists.txt reads them too.
"""

import logging
import os
import platform
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

SUFFIX = ".dll" if os.name == "nt" else ".so"
COMPLAINT_LENGTH = 160  # of a compiler's error, as repeated to the user

Flags = dict[str, list[str]]

log = logging.getLogger("cuda_ops")


class CompileError(Exception):
    """There is no library; the text says why, as a clause without a full stop."""


def read_flags(sources: Path) -> Flags:
    """What variants.txt says: flags by variant, `all` among them, without the variants of other machines."""
    lines = (line.split() for line in (sources / "variants.txt").read_text(encoding="utf-8").splitlines())
    flags = {words[0]: words[1:] for words in lines if words and words[0] != "#"}
    if platform.machine().lower() not in ("x86_64", "amd64"):
        flags = {name: flags[name] for name in ("all", "baseline")}
    if os.name == "nt":
        flags["all"].remove("-fPIC")  # clang for Windows takes it for an error
    return flags


def compilers() -> list[list[str]]:
    """The commands of the C++ compilers that are found, $CXX first, each once whatever its names."""
    try:
        wanted = shlex.split(os.environ.get("CXX", ""), posix=os.name != "nt")
    except ValueError:
        wanted = []  # an unclosed quote
    found: dict[tuple[str, ...], list[str]] = {}
    for name, *arguments in filter(None, (wanted, ["c++"], ["g++"], ["clang++"])):
        path = shutil.which(name)
        if path:
            found.setdefault((os.path.realpath(path), *arguments), [path, *arguments])
    return list(found.values())


def compile_library(sources: Path, folder: Path, timeout: float) -> tuple[Path, str]:
    """Compile into `folder` with the first compiler that can; return the library and that compiler's name.

    Raises CompileError, at the latest after `timeout` seconds. `folder` is the caller's to delete.
    """
    deadline = time.monotonic() + timeout
    problems: list[str] = []
    for compiler in compilers():
        name = Path(compiler[0]).name
        log.info("Compiling the CPU kernels, once, with %s: this takes some seconds.", name)
        try:
            return _compile(compiler, sources, folder, deadline), name
        except CompileError as problem:
            problems.append(f"{name} {problem}")
    raise CompileError("; ".join(problems) or "no C++ compiler was found")


def _compile(compiler: list[str], sources: Path, folder: Path, deadline: float) -> Path:
    """The variants side by side, then the library from those that came out."""
    flags = read_flags(sources)
    compiler = compiler + flags.pop("all")
    objects = {variant: folder / f"{variant}.o" for variant in flags}
    kernels = [*compiler, "-c", str(sources / "kernels.cpp")]
    commands = [
        [*kernels, *flags[variant], f"-DJINC_VARIANT={variant}", "-o", str(path)] for variant, path in objects.items()
    ]
    complaints = _run(commands, folder, deadline)
    built = [variant for variant, complaint in zip(objects, complaints, strict=True) if not complaint]
    if "baseline" not in built:
        raise CompileError(f"failed: {complaints[list(objects).index('baseline')]}")
    library = folder / f"library{SUFFIX}"
    have = [f"-DJINC_HAVE_{variant.upper()}" for variant in built]
    inputs = [str(sources / "library.cpp"), *(str(objects[variant]) for variant in built)]
    (complaint,) = _run([[*compiler, "-shared", *have, *inputs, "-o", str(library)]], folder, deadline)
    if complaint or not library.exists():
        raise CompileError(f"failed: {complaint or 'it wrote no library'}")
    return library


def _run(commands: Sequence[list[str]], folder: Path, deadline: float) -> list[str]:
    """Run the commands side by side; for each the compiler's complaint, or "" where it went well."""
    # What a compiler that is killed leaves behind has to lie in the folder that will be deleted.
    environment = {**os.environ, "TMPDIR": str(folder), "LC_ALL": "C"}
    logs = [folder / f"{number}.log" for number in range(len(commands))]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for command, path in zip(commands, logs, strict=True):
            with path.open("wb") as log:  # a file: a pipe would stay open as long as a killed compiler's children live
                processes.append(_start(command, environment, log))
        for process in processes:
            process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise CompileError("did not finish in time") from None
    except OSError as problem:
        raise CompileError(f"cannot be run: {problem.strerror}") from None
    finally:
        for process in processes:
            _end(process)
    return [_complaint(process, path) for process, path in zip(processes, logs, strict=True)]


def _start(command: list[str], environment: dict[str, str], log: IO[bytes]) -> "subprocess.Popen[bytes]":
    # A session of its own makes one group of a compiler and the programs that it starts, which can be killed as one.
    nothing = subprocess.DEVNULL
    return subprocess.Popen(command, env=environment, stdin=nothing, stdout=log, stderr=log, start_new_session=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a compiler that still runs, with the programs that it started."""
    if process.poll() is not None:
        return
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _complaint(process: subprocess.Popen[bytes], log: Path) -> str:
    if not process.returncode:
        return ""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or [f"exit status {process.returncode}"])[0][:COMPLAINT_LENGTH]
