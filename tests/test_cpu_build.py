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
from pathlib import Path

import psutil
import pytest

import cuda_ops
from cuda_ops import compiler, cpu

ROOT = Path(__file__).resolve().parent.parent
X86 = platform.machine() in ("x86_64", "AMD64")

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not compiler.compilers(), reason="needs a C++ compiler, and sh to play broken ones"
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
struct JincKernels { const char* name; };
const JincKernels* jinc_kernels_baseline();
#ifdef JINC_HAVE_AVX2
const JincKernels* jinc_kernels_avx2();
#endif
#define EXPORT extern "C" __attribute__((visibility("default")))
EXPORT int jinc_abi() { return ABI; }
EXPORT void jinc_use_team(void*) {}
EXPORT int jinc_use_variant(const char*) { return 0; }
EXPORT const char* jinc_variant() {
#if defined(JINC_HAVE_AVX2)
    return jinc_kernels_avx2()->name;
#else
    return jinc_kernels_baseline()->name;
#endif
}
""".replace("ABI", str(cpu.ABI))
# What a process of its own does; the package's own __init__ would load torch, which takes longer than all the rest.
PROCESS = """
import signal, sys, types
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in a shell's background
package = types.ModuleType("cuda_ops")
package.__path__ = [sys.argv[1]]
sys.modules["cuda_ops"] = package
from cuda_ops import cpu
if len(sys.argv) > 2:
    cpu.SOURCES = Path(sys.argv[2])
cpu.library()
print(cpu.reason())
"""


class Machine:
    """Its folders: sources, cache, temporary files and the programs that play a compiler."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.compiler = compiler.compilers()[0][0]
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
        assert bool(cpu.library()) == bool(cpu.variant())
        return cpu.reason()

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
        return sorted(cpu.cache_folder().iterdir()) if cpu.cache_folder().is_dir() else []

    def process(self, *, folder: Path = ROOT / "cuda_ops") -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", PROCESS, str(folder), *([str(self.sources)] if folder.parent == ROOT else [])]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    machine = Machine(tmp_path, monkeypatch)
    yield machine
    assert not [path for path in machine.kept() if path.suffix != compiler.SUFFIX], "only whole libraries stay"
    assert not list(machine.temporary.glob(f"{cpu.PREFIX}*")), "nothing stays among the temporary files"


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody has waited for does not."""
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
    assert cpu.reason() == cpu.NOT_YET and not machine.kept(), "asking decides nothing"
    assert machine.again() == f"C++ kernels ({cpu.variant()}) run, compiled on this machine by c++."
    assert cpu.variant() == ("avx2" if X86 else "baseline")
    assert len(machine.kept()) == 1
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "Compiling the CPU kernels, once, with c++: this takes some seconds.",
        f"CPU operators: {cpu.reason()}",
    ]
    caplog.clear()
    first = cpu.reason()
    machine.use()  # the compiler is gone, and not missed
    machine.monkeypatch.setenv("CXX", "")
    assert machine.again() == first and len(caplog.records) == 1
    cpu.library()
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
        path = path.with_name(f"{key}-{cpu._digest([content])}-{rest}")
    path.write_bytes({"half": content[: len(content) // 2], "empty": b""}.get(damage, content))
    assert "compiled on this machine by c++." in machine.again()
    assert len(machine.kept()) == 1
    machine.use()
    assert "compiled on this machine by c++." in machine.again()


@pytest.mark.parametrize("problem", ["a file in the way", "no space"])
def test_without_a_cache_folder_it_is_compiled_for_one_run(machine: Machine, problem: str) -> None:
    if problem == "no space":
        machine.monkeypatch.setattr(shutil, "copy", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    else:
        cpu.cache_folder().parent.parent.mkdir(parents=True)
        cpu.cache_folder().parent.write_text("")
    assert "by c++, for this run only, because they cannot be kept (" in machine.again()
    assert cpu.variant()


def test_without_a_home_it_is_compiled_for_one_run(machine: Machine) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    machine.monkeypatch.setattr(cpu, "cache_folder", nowhere)
    assert "for this run only" in machine.again()
    machine.monkeypatch.undo()


def test_without_a_compiler_it_says_what_to_do(machine: Machine) -> None:
    machine.use(cxx="no-such-compiler --fast")
    reason = machine.again()
    assert cpu.library() is None
    assert reason.startswith("The torch reference runs, because no C++ compiler was found.")
    assert "install a C++ compiler and start again" in reason and reason.endswith(".")


@pytest.mark.parametrize(("text", "complaint"), [
    ("echo noise; echo 'kernels.cpp:1: error: unsupported' >&2; exit 1", "failed: kernels.cpp:1: error: unsupported"),
    ("exit 3", "failed: exit status 3"),
    ("exit 0", "failed: it wrote no library"),  # says that all went well and writes nothing
])  # fmt: skip
def test_a_broken_compiler(machine: Machine, text: str, complaint: str) -> None:
    player = machine.play(text)
    machine.use(cxx=str(player))
    assert f"because player {complaint}" in machine.again()
    assert cpu.library() is None


def test_after_a_broken_compiler_comes_the_next(machine: Machine) -> None:
    machine.monkeypatch.setenv("CXX", str(machine.play("exit 1")))
    assert "compiled on this machine by c++." in machine.again()


def test_a_compiler_that_cannot_be_run(machine: Machine) -> None:
    player = machine.play("")
    player.write_bytes(b"\x00no program")
    machine.use(cxx=str(player))
    assert "because player cannot be run: " in machine.again()
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
    assert "(baseline)" in machine.again() and "by player" in cpu.reason()


def test_a_hanging_compiler_is_ended_with_its_children(machine: Machine) -> None:
    pids = machine.folder / "pids"
    sleep = shutil.which("sleep")
    machine.use(cxx=str(machine.play(f"{sleep} 600 &\necho $! >>{pids}\nwait")))
    machine.monkeypatch.setattr(cpu, "TIMEOUT", 0.5)
    began = time.monotonic()
    assert "because player did not finish in time" in machine.again()
    assert time.monotonic() - began < 20
    until(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()))


def test_two_processes_at_once(machine: Machine) -> None:
    processes = [machine.process() for _ in range(2)]
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert "compiled on this machine by c++." in out, err
    assert 1 <= len(machine.kept()) <= 2
    machine.use()
    assert cpu.library(), "either one's is good"


def test_two_threads_at_once_compile_once(machine: Machine) -> None:
    calls = machine.folder / "calls"
    count = f'case "$*" in *-shared*) echo >>{calls} ;; esac\nexec {shlex.quote(machine.compiler)} "$@"'
    machine.monkeypatch.setenv("CXX", str(machine.play(count)))
    threads = [threading.Thread(target=cpu.library) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: cpu.reason() != cpu.NOT_YET)
    for thread in threads:
        thread.join()
    assert cpu.library() and calls.read_text() == "\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_end_in_the_midst_leaves_nothing_that_is_loaded_later(machine: Machine, number: signal.Signals) -> None:
    pids = machine.folder / "pids"
    slow = machine.play(f'for last; do :; done\necho half >"$last"\necho $$ >>{pids}\nexec sleep 600')
    machine.monkeypatch.setenv("CXX", str(slow))
    process = machine.process()
    until(lambda: pids.exists() and len(pids.read_text().split()) == len(compiler.read_flags(machine.sources)) - 1)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == -number
    assert not machine.kept()
    left = list(machine.temporary.iterdir())
    if number == signal.SIGINT:
        assert not left and not any(alive(int(pid)) for pid in pids.read_text().split())
    else:  # nobody was left to tidy up; the next one who compiles does, once it is certain
        assert len(left) == 1
        os.utime(left[0], (0, 0))
        for pid in pids.read_text().split():
            os.kill(int(pid), signal.SIGKILL)
    machine.monkeypatch.delenv("CXX")
    assert "compiled on this machine by c++." in machine.again()


def test_switched_off(machine: Machine) -> None:
    machine.monkeypatch.setenv(cpu.SWITCH, "off")
    assert machine.again() == "The torch reference runs, because the CPU kernels are switched off by JINC_CPU_KERNELS."
    assert cpu.library() is None and not machine.kept()


def test_a_library_of_another_version_is_refused(machine: Machine) -> None:
    machine.write("library.cpp", LIBRARY.replace(f"return {cpu.ABI}", f"return {cpu.ABI + 1}"))
    library, _ = compiler.compile_library(machine.sources, machine.programs, 60)
    shutil.copy(library, cpu.PREBUILT)
    assert cpu.library() is None, "neither the prebuilt one nor one that is compiled from such sources"
    assert f"has interface {cpu.ABI + 1}, and this version of Jinc needs {cpu.ABI}" in cpu.reason()
    machine.write("library.cpp", LIBRARY)
    assert "by c++, because those that came with the installation do not load (prebuilt.so has " in machine.again()
    assert cpu.variant()


def test_a_prebuilt_library_comes_first(machine: Machine) -> None:
    library, _ = compiler.compile_library(machine.sources, machine.programs, 60)
    shutil.copy(library, cpu.PREBUILT)
    machine.use()
    assert machine.again() == f"C++ kernels ({cpu.variant()}) run, as they came with the installation."
    assert not machine.kept()


def test_without_sources_the_reference_runs(machine: Machine) -> None:
    shutil.rmtree(machine.sources)
    assert "The torch reference runs, because" in machine.again() and cpu.library() is None


def test_status_follows_what_is_loaded(machine: Machine) -> None:
    assert [row.implementation for row in cuda_ops.status()] == ["reference"] * 3
    assert cuda_ops.status()[1].reason == cpu.NOT_YET and not machine.kept()
    cpu.library()
    rows = cuda_ops.status()
    assert all(row.implementation == f"C++ ({cpu.variant()})" and row.reason == cpu.reason() for row in rows)
    assert {row.implementation for row in cuda_ops.status("cuda")} == {"reference"}


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
    library = ctypes.CDLL(str(package / f"jinc_cpu{compiler.SUFFIX}"))
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
