# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The CPU kernels are found, compiled or done without, whatever is broken; tiny sources stand in for the real ones."""

import ctypes
import logging
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest
from support.paths import ROOT

import cuda_ops
from cuda_ops import kernel_cache
from cuda_ops.cpu import build, build_dir
from cuda_ops.cpu import loader as cpu

X86 = platform.machine() in ("x86_64", "AMD64")

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not build.find_compilers(), reason="needs a C++ compiler, and sh to play broken ones"
)

KERNELS = """
struct JincKernels { const char* name; };
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define NAME_(x) jinc_kernels_##x
#define NAME(x) NAME_(x)
const JincKernels* NAME(JINC_VARIANT)() { static const JincKernels kernels{TEXT(JINC_VARIANT)}; return &kernels; }
"""
LIBRARY = """
#include <cstring>
struct JincKernels { const char* name; };
const JincKernels* jinc_kernels_baseline();
#ifdef JINC_HAVE_AVX2
const JincKernels* jinc_kernels_avx2();
#endif
#define EXPORT extern "C" __attribute__((visibility("default")))
EXPORT int jinc_abi() { return ABI; }
EXPORT void jinc_use_team(void*) {}
#ifdef JINC_HAVE_AVX2
static const JincKernels* chosen = jinc_kernels_avx2();
#else
static const JincKernels* chosen = jinc_kernels_baseline();
#endif
EXPORT const char* jinc_variant() { return chosen->name; }
EXPORT int jinc_use_variant(const char* name) {
    if (!std::strcmp(name, "baseline")) return chosen = jinc_kernels_baseline(), 1;
#ifdef JINC_HAVE_AVX2
    if (!std::strcmp(name, "avx2")) return chosen = jinc_kernels_avx2(), 1;
#endif
    return 0;
}
""".replace("ABI", str(cpu.ABI))
# What a process of its own does; the package's own __init__ would load torch, which takes longer than all the rest.
PROCESS = """
import signal, sys, threading, types
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in a shell's background
package = types.ModuleType("cuda_ops")  # without torch
package.__path__ = [sys.argv[1]]
sys.modules["cuda_ops"] = package
from cuda_ops.cpu import loader as cpu
if len(sys.argv) > 2:
    cpu.SOURCES = Path(sys.argv[2])
HOW
print(cpu.explain())
"""
HERE = "cpu.load_library()"
THREAD = """
thread = threading.Thread(target=cpu.load_library, daemon=True)
thread.start()
thread.join()
"""
HANDLER = """
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
cpu.load_library()
"""


class Machine:
    """Its folders: sources, cache, temporary files and the programs that play a compiler."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.compiler = build.find_compilers()[0][0]
        self.sources, self.programs, self.temporary = (folder / name for name in ("sources", "programs", "temporary"))
        for path in (self.sources, self.programs, self.temporary):
            path.mkdir()
        self.write("kernels.cpp", KERNELS)
        self.write("library.cpp", LIBRARY)
        shutil.copy(cpu.SOURCES / "variants.txt", self.sources)
        for name, place in {"HOME": "home", "XDG_CACHE_HOME": "home/.cache", "TMPDIR": "temporary"}.items():
            monkeypatch.setenv(name, str(folder / place))
        for name in ("CXX", cpu.SWITCH):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(tempfile, "tempdir", str(self.temporary))
        monkeypatch.setattr(cpu, "SOURCES", self.sources)
        monkeypatch.setattr(cpu, "PREBUILT", folder / "prebuilt.so")
        self.forget()

    def write(self, name: str, text: str) -> None:
        (self.sources / name).write_text(text)

    def forget(self) -> None:
        self.monkeypatch.setattr(cpu, "_found", None)

    def again(self) -> str:
        """As in a new process: search anew, and say why."""
        self.forget()
        assert bool(cpu.load_library()) == bool(cpu.variant())
        return cpu.explain()

    def play(self, text: str, name: str = "player") -> Path:
        """A program in sh."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def use(self, *programs: str, cxx: str = "") -> None:
        """A PATH with nothing but these programs of `play`, and $CXX."""
        bare = self.folder / "bare"
        bare.mkdir(exist_ok=True)
        for name in programs:
            (bare / name).symlink_to(self.programs / name)
        self.monkeypatch.setenv("PATH", str(bare))
        self.monkeypatch.setenv("CXX", cxx)

    def kept(self) -> list[Path]:
        return sorted(kernel_cache.cache_folder().iterdir()) if kernel_cache.cache_folder().is_dir() else []

    def place(self) -> AbstractContextManager[build_dir.BuildDir]:
        return build_dir.build_dir(self.temporary)

    def process(self, *, folder: Path = ROOT / "cuda_ops", how: str = HERE) -> "subprocess.Popen[str]":
        program = PROCESS.replace("HOW", how)
        command = [sys.executable, "-c", program, str(folder), *([str(self.sources)] if folder.parent == ROOT else [])]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    machine = Machine(tmp_path, monkeypatch)
    yield machine
    assert not [path for path in machine.kept() if path.suffix != kernel_cache.SUFFIX], "only whole libraries stay"
    assert not list(machine.temporary.glob(f"{kernel_cache.PREFIX}*")), "nothing stays among the temporary files"


def alive(pid: int) -> bool:
    """Return whether a process runs; one that ended and was not waited for does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_compiled_once_then_taken_from_the_cache(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "cuda_ops")
    assert cpu.explain() == cpu.NOT_YET and not machine.kept(), "asking decides nothing"
    assert machine.again() == f"C++ kernels ({cpu.variant()}) run, compiled on this machine by c++."
    assert cpu.variant() == ("avx2" if X86 else "baseline")
    assert len(machine.kept()) == 1
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "Compiling the CPU kernels, once, with c++: this takes some seconds.",
        f"CPU operators: {cpu.explain()}",
    ]
    caplog.clear()
    first = cpu.explain()
    machine.use()  # the compiler is gone, and not missed
    machine.monkeypatch.setenv("CXX", "")
    assert machine.again() == first and len(caplog.records) == 1
    cpu.load_library()
    assert len(caplog.records) == 1, "one line at the first use"


def test_changed_sources_are_compiled_anew(machine: Machine) -> None:
    machine.again()
    machine.write("library.cpp", LIBRARY + "// changed\n")
    machine.use()
    assert "no C++ compiler was found" in machine.again()


@pytest.mark.parametrize("damage", ["half", "empty", "foreign"])
def test_a_damaged_library_is_compiled_again(machine: Machine, damage: str) -> None:
    machine.again()
    (path,) = machine.kept()
    content = path.read_bytes()
    path.unlink()  # and a new file below: this process still has the old one open
    if damage == "foreign":  # whole, but nothing that loads
        content = b"\x7fELF of another machine"
        key, _, rest = path.name.split("-", 2)
        path = path.with_name(f"{key}-{kernel_cache.digest([content])}-{rest}")
    path.write_bytes({"half": content[: len(content) // 2], "empty": b""}.get(damage, content))
    assert "compiled on this machine by c++." in machine.again()
    assert len(machine.kept()) == 1
    machine.use()
    assert "compiled on this machine by c++." in machine.again()


@pytest.mark.parametrize("problem", ["a file in the way", "no space"])
def test_without_a_cache_folder_it_is_compiled_for_one_run(machine: Machine, problem: str) -> None:
    if problem == "no space":
        machine.monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    else:
        kernel_cache.cache_folder().parent.parent.mkdir(parents=True)
        kernel_cache.cache_folder().parent.write_text("")
    assert "by c++, for this run only, because they cannot be kept (" in machine.again()
    assert cpu.variant()


def test_without_a_home_it_is_compiled_for_one_run(machine: Machine) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    machine.monkeypatch.setattr(kernel_cache, "cache_folder", nowhere)
    assert "for this run only" in machine.again()
    machine.monkeypatch.undo()


def test_without_a_compiler_it_says_what_to_do(machine: Machine) -> None:
    machine.use(cxx="no-such-compiler --fast")
    reason = machine.again()
    assert cpu.load_library() is None
    assert reason.startswith(
        "The torch reference runs, because no C++ compiler was found; $CXX (no-such-compiler) was not found. "
    )
    assert "install a C++ compiler and start again" in reason and reason.endswith(".")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "echo noise; echo 'kernels.cpp:1: error: unsupported' >&2; exit 1",
            "failed: kernels.cpp:1: error: unsupported",
        ),
        ("exit 3", "failed: exit status 3"),
        ("exit 0", "failed: it wrote no library"),  # says that all went well and writes nothing
    ],
)
def test_a_broken_compiler(machine: Machine, text: str, complaint: str) -> None:
    player = machine.play(text)
    machine.use(cxx=str(player))
    assert f"because $CXX (player) {complaint}" in machine.again()
    assert cpu.load_library() is None


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        ("player", "$CXX (player) failed: exit status 1"),
        ("missing", "$CXX (missing) was not found"),
        ("an 'unclosed quote", "$CXX (an 'unclosed quote) was not found"),
    ],
)
def test_after_a_broken_compiler_comes_the_next(
    machine: Machine, caplog: pytest.LogCaptureFixture, name: str, trouble: str
) -> None:
    caplog.set_level(logging.INFO, "cuda_ops")
    player = machine.play("exit 1")
    machine.monkeypatch.setenv("CXX", str(player.with_name(name)) if name == "player" else name)
    assert f"compiled on this machine by c++; {trouble}." in machine.again()
    started = [record.getMessage() for record in caplog.records if "Compiling" in record.getMessage()]
    assert started[-1].startswith(f"{trouble}, so c++ is used. Compiling the CPU kernels, once, with c++: ")
    assert len(started) == (2 if name == "player" else 1)


def test_a_compiler_that_cannot_be_run(machine: Machine) -> None:
    player = machine.play("")
    player.write_bytes(b"\x00no program")
    machine.use(cxx=str(player))
    assert "because $CXX (player) cannot be run: " in machine.again()
    machine.monkeypatch.setenv("CXX", "an 'unclosed quote")
    assert "no C++ compiler was found" in machine.again()


def test_a_compiler_with_arguments(machine: Machine) -> None:
    machine.use(cxx=shlex.join([machine.compiler, "-DWITH_ARGUMENTS"]))
    machine.write("kernels.cpp", "#ifndef WITH_ARGUMENTS\n#error without\n#endif\n" + KERNELS)
    machine.monkeypatch.setenv("PATH", os.defpath)  # where a compiler finds its assembler and its linker
    assert "compiled on this machine by " in machine.again()


@pytest.mark.skipif(not X86, reason="other processors have one variant")
def test_a_variant_that_the_compiler_refuses_is_left_out(machine: Machine) -> None:
    refuse = f'case "$*" in *-mavx2*) exit 1 ;; esac\nexec {shlex.quote(machine.compiler)} "$@"'
    machine.monkeypatch.setenv("CXX", str(machine.play(refuse)))
    assert "(baseline)" in machine.again() and "by player" in cpu.explain()


def test_a_hanging_compiler_is_ended_with_its_children(machine: Machine) -> None:
    pids = machine.folder / "pids"
    sleep = shutil.which("sleep")
    machine.use(cxx=str(machine.play(f"{sleep} 600 &\necho $! >>{pids}\nwait")))
    machine.monkeypatch.setattr(cpu, "COMPILE_TIMEOUT", 0.5)
    began = time.monotonic()
    assert "because $CXX (player) did not finish in time" in machine.again()
    assert time.monotonic() - began < 20
    until(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()))


def test_two_processes_at_once(machine: Machine) -> None:
    processes = [machine.process() for _ in range(2)]
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert "compiled on this machine by c++." in out, err
    assert 1 <= len(machine.kept()) <= 2
    machine.use()
    assert cpu.load_library(), "either one's is good"


def test_two_threads_at_once_compile_once(machine: Machine) -> None:
    calls = machine.folder / "calls"
    count = f'case "$*" in *-shared*) echo >>{calls} ;; esac\nexec {shlex.quote(machine.compiler)} "$@"'
    machine.monkeypatch.setenv("CXX", str(machine.play(count)))
    threads = [threading.Thread(target=cpu.load_library) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: cpu.explain() != cpu.NOT_YET)
    for thread in threads:
        thread.join()
    assert cpu.load_library() and calls.read_text() == "\n"


@pytest.mark.parametrize(
    ("number", "how", "status"),
    [
        (signal.SIGINT, HERE, -signal.SIGINT),
        (signal.SIGTERM, HERE, -signal.SIGTERM),
        (signal.SIGTERM, THREAD, -signal.SIGTERM),
        (signal.SIGTERM, HANDLER, 7),  # the application's own handler, and nothing else, says what happens
        (signal.SIGKILL, HERE, -signal.SIGKILL),
        (signal.SIGKILL, THREAD, -signal.SIGKILL),
    ],
    ids=lambda value: {HERE: "here", THREAD: "thread", HANDLER: "handler"}.get(value),
)
def test_an_end_in_the_midst_leaves_nothing(machine: Machine, number: signal.Signals, how: str, status: int) -> None:
    pids = machine.folder / "pids"
    slow = machine.play(
        f'for last; do :; done\necho half >"$last"\nsleep 600 &\necho $! >>{pids}\necho $$ >>{pids}\nwait'
    )
    machine.monkeypatch.setenv("CXX", str(slow))
    process = machine.process(how=how)
    until(lambda: pids.exists() and len(pids.read_text().split()) == 2 * len(build.read_flags(machine.sources)) - 2)
    (folder,) = machine.temporary.iterdir()
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == status
    until(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()) and not folder.exists())
    assert not machine.kept()
    machine.monkeypatch.delenv("CXX")
    assert "compiled on this machine by c++." in machine.again()


def test_a_build_leaves_no_process_behind(machine: Machine) -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    machine.again()
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before


def test_abandoned_folders_are_deleted(machine: Machine) -> None:
    def folder(name: str, age: float) -> Path:
        path = machine.temporary / f"{kernel_cache.PREFIX}{name}"
        path.mkdir(exist_ok=True)
        (path / "file").write_text("")
        os.utime(path, (time.time() - age,) * 2)
        return path

    elsewhere = machine.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("")
    os.utime(elsewhere, (0, 0))
    link = machine.temporary / f"{kernel_cache.PREFIX}link"
    link.symlink_to(elsewhere)
    file = machine.temporary / f"{kernel_cache.PREFIX}file"
    file.write_text("")
    os.utime(file, (0, 0))
    with machine.place() as held:
        os.utime(held.folder, (0, 0))
        new, old = folder("new", 0), folder("old", 60)
        with machine.monkeypatch.context() as patch:
            patch.setattr(os, "geteuid", lambda: os.getuid() + 1)  # the folders are another user's
            kernel_cache.clean_cache()
        assert old.exists()
        assert kernel_cache.clean_cache() == [old]
        assert not old.exists() and new.exists() and held.folder.exists(), "only what its owner left"
    assert (elsewhere / "file").exists() and link.is_symlink() and file.exists()
    shutil.rmtree(new)
    link.unlink()
    file.unlink()


@pytest.mark.parametrize(("age", "stays"), [(60, True), (2 * kernel_cache.ABANDONED_SECONDS, False)])
def test_without_locks_a_folder_is_deleted_when_it_is_old(machine: Machine, age: float, stays: bool) -> None:
    def no_locks(*_: object) -> None:
        raise OSError("not supported")

    machine.monkeypatch.setattr("fcntl.flock", no_locks)
    with machine.place() as old:
        os.utime(old.folder, (time.time() - age,) * 2)
        kernel_cache.clean_cache()
        assert old.folder.exists() == stays


@pytest.mark.parametrize("name", ["missing.so", "missing.DLL", "some/where", "folder/"])
def test_the_switch_names_no_file(machine: Machine, name: str) -> None:
    machine.monkeypatch.chdir(machine.folder)
    (machine.folder / "folder").mkdir()
    machine.monkeypatch.setenv(cpu.SWITCH, name)
    path = machine.folder / name
    assert machine.again().endswith(f"by c++; JINC_CPU_KERNELS names {path}, but there is no such file.")
    machine.monkeypatch.setenv("XDG_CACHE_HOME", str(machine.folder / "another"))
    machine.use()
    assert f"C++ compiler was found; JINC_CPU_KERNELS names {path}, but there is no such file. " in machine.again()


def test_the_switch_names_a_file(machine: Machine) -> None:
    with machine.place() as place:
        library = shutil.copy(build.compile_library(machine.sources, place, 60).library, machine.folder / "our.so.1")
    machine.monkeypatch.setenv(cpu.SWITCH, str(library))
    assert machine.again() == f"C++ kernels ({cpu.variant()}) run, from the file that JINC_CPU_KERNELS names."
    assert not machine.kept()
    broken = machine.folder / "broken.so"
    broken.write_text("no library")
    machine.monkeypatch.setenv(cpu.SWITCH, str(broken))
    assert f"by c++; JINC_CPU_KERNELS names {broken}, which cannot be used (" in machine.again()
    foreign, source = machine.folder / "foreign", machine.folder / "foreign.cpp"
    source.write_text("int nothing;")
    subprocess.run([machine.compiler, "-shared", "-fPIC", str(source), "-o", str(foreign)], check=True)
    machine.monkeypatch.setenv(cpu.SWITCH, str(foreign))
    assert "which cannot be used (foreign does not hold the CPU kernels)." in machine.again()


def test_the_switch_names_a_variant(machine: Machine) -> None:
    flags = (machine.sources / "variants.txt").read_text()
    machine.write("variants.txt", flags.replace("\nbaseline\n", "\n") + "baseline\n")  # the best is not the last
    machine.monkeypatch.setenv(cpu.SWITCH, "Baseline")
    assert machine.again() == "C++ kernels (baseline) run, compiled on this machine by c++."
    machine.monkeypatch.setenv(cpu.SWITCH, "avx")
    best, names = ("avx2", "avx2, baseline") if X86 else ("baseline", "baseline")
    cpu.load_library().jinc_use_variant(best.encode())  # the process has that library still
    assert machine.again() == (
        f"C++ kernels ({best}) run, compiled on this machine by c++; JINC_CPU_KERNELS is avx, but on this machine it "
        f"can be off, {names}, or a library's path."
    )


def test_switched_off(machine: Machine) -> None:
    machine.monkeypatch.setenv(cpu.SWITCH, "off")
    assert machine.again() == "The torch reference runs, because the CPU kernels are switched off by JINC_CPU_KERNELS."
    assert cpu.load_library() is None and not machine.kept()


def test_a_library_of_another_version_is_refused(machine: Machine) -> None:
    machine.write("library.cpp", LIBRARY.replace(f"return {cpu.ABI}", f"return {cpu.ABI + 1}"))
    with machine.place() as place:
        shutil.copy(build.compile_library(machine.sources, place, 60).library, cpu.PREBUILT)
    assert cpu.load_library() is None, "neither the prebuilt one nor one that is compiled from such sources"
    assert f"has interface {cpu.ABI + 1}, and this version of Jinc needs {cpu.ABI}" in cpu.explain()
    machine.write("library.cpp", LIBRARY)
    assert "by c++; those that came with the installation do not load (prebuilt.so has " in machine.again()
    assert cpu.variant()


def test_a_prebuilt_library_comes_first(machine: Machine) -> None:
    with machine.place() as place:
        shutil.copy(build.compile_library(machine.sources, place, 60).library, cpu.PREBUILT)
    machine.use()
    assert machine.again() == f"C++ kernels ({cpu.variant()}) run, as they came with the installation."
    assert not machine.kept()


def test_without_sources_the_reference_runs(machine: Machine) -> None:
    shutil.rmtree(machine.sources)
    assert "The torch reference runs, because" in machine.again() and cpu.load_library() is None


def test_status_looks_for_the_kernels(machine: Machine) -> None:
    rows = cuda_ops.status()
    assert cpu.variant() and all(row.implementation == f"C++ ({cpu.variant()})" for row in rows)
    assert {row.reason for row in rows} == {cpu.explain()} and len(machine.kept()) == 1
    assert {row.implementation for row in cuda_ops.status("cuda")} == {"reference"}
    machine.monkeypatch.setenv(cpu.SWITCH, "off")
    machine.forget()
    assert {row.implementation for row in cuda_ops.status()} == {"reference"}


def test_status_that_does_not_wait(machine: Machine) -> None:
    def row() -> tuple[str, str]:
        ((implementation, reason),) = {(row.implementation, row.reason) for row in cuda_ops.status(wait=False)}
        return implementation, reason

    assert row() == ("undecided", cpu.NOT_YET) and not machine.kept()
    gate = machine.folder / "gate"
    wait = f'while ! [ -e {gate} ]; do sleep 0.02; done\nexec {shlex.quote(machine.compiler)} "$@"'
    machine.monkeypatch.setenv("CXX", str(machine.play(wait)))
    thread = threading.Thread(target=cuda_ops.status)
    thread.start()
    until(lambda: row() == ("undecided", cpu.COMPILING))
    gate.write_text("")
    thread.join()
    assert row() == (f"C++ ({cpu.variant()})", cpu.explain())


def test_the_window_does_not_wait(machine: Machine) -> None:
    from viz.core.state import AppState
    from viz.window.window import Window

    def compiled(*_: object) -> None:
        raise AssertionError("a frame of the window looks for the kernels")

    machine.monkeypatch.setattr(cpu, "_search", compiled)
    window = Window(AppState())
    window._arrivals.collect(window.worker)
    assert {line.implementation for line in window.context.machine.operators} == {"undecided"} and not cpu.is_decided()
    window.worker.close()


# -- the wheel -----------------------------------------------------------------------------------------------------


def make_wheel(folder: Path, **environment: str) -> Path:
    """Build the wheel with what is installed here, so that no network is needed."""
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("cmake"), reason="`make wheel` would fetch cmake")
def test_the_wheel_holds_the_library(machine: Machine, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "dist")
    assert "-py3-none-" in wheel.name and not wheel.name.endswith("-any.whl")
    shutil.unpack_archive(wheel, tmp_path / "unpacked", "zip")
    package = tmp_path / "unpacked" / "cuda_ops"
    for path in [*(ROOT / "cuda_ops").rglob("*"), *(ROOT / "assets").glob("*.safetensors")]:
        if path.is_file() and "__pycache__" not in path.parts:
            assert (tmp_path / "unpacked" / path.relative_to(ROOT)).is_file(), path
    library = ctypes.CDLL(str(package / "cpu" / f"jinc_cpu{kernel_cache.SUFFIX}"))
    library.jinc_variant.restype = ctypes.c_char_p
    assert library.jinc_abi() == cpu.ABI
    assert library.jinc_variant().decode() in ("avx512", "avx2", "baseline", "neon")
    machine.use()
    out, err = machine.process(folder=package).communicate(timeout=60)
    assert "as they came with the installation." in out, err


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("cmake"), reason="`make wheel` would fetch cmake")
def test_a_failed_build_is_a_wheel_without_the_library(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "dist", CXX=shutil.which("false") or "false")
    assert wheel.name.endswith("-py3-none-any.whl")
