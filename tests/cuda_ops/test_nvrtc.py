# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Cubins are compiled once and found again; whatever is missing ends in a sentence. A library plays the driver where
kernels are loaded or launched."""

import ctypes
import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from bench import bench_roofline
from click.testing import CliRunner
from support.graphics import SHARED
from support.paths import ROOT

import cuda_ops
from cuda_ops.cpu import build
from cuda_ops.cuda import bindings as cuda_kernels
from cuda_ops.cuda import driver as cuda_driver
from cuda_ops.cuda import loader as cuda
from cuda_ops.cuda import nvrtc
from cuda_ops.cuda.tiling import Resampling, specialise_layer
from cuda_ops.shapes import FORWARD, Geometry

DEFINES = {"TYPE": 0, "THREADS": 256, "BLOCKS": 2, "VECTOR": 4}

try:
    nvrtc.import_core()
    HAS_COMPILER = True
except nvrtc.CompileError:
    HAS_COMPILER = False
compiles = pytest.mark.skipif(not HAS_COMPILER, reason="cuda-core and NVRTC are not installed")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(nvrtc, "cache_folder", lambda name: tmp_path / name)
    return tmp_path / "cubins"


@pytest.fixture
def counted(monkeypatch):
    """Stands in for NVRTC and counts what it is asked for."""
    asked = []

    def compiled(source, defines, architecture, verbose=False):
        asked.append((source, dict(defines), architecture))
        return b"\x7fELF" + repr(asked[-1]).encode(), ""

    monkeypatch.setattr(nvrtc, "compile_cubin", compiled)
    return asked


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_cubin_is_compiled_once(folder, counted):
    first = nvrtc.get_cubin("bias_act", DEFINES, 90)
    assert nvrtc.get_cubin("bias_act", DEFINES, 90) == first and len(counted) == 1
    assert len(files_in(folder)) == 1


def test_whatever_decides_a_cubin_is_part_of_its_key(folder, counted, tmp_path, monkeypatch):
    nvrtc.get_cubin("bias_act", DEFINES, 90)
    nvrtc.get_cubin("bias_act", DEFINES | {"VECTOR": 1}, 90)
    nvrtc.get_cubin("bias_act", DEFINES, 86)
    nvrtc.get_cubin("upfirdn2d", DEFINES, 90)
    monkeypatch.setattr(nvrtc, "find_compiler_version", lambda: "another NVRTC")
    nvrtc.get_cubin("bias_act", DEFINES, 90)
    changed = tmp_path / "sources"
    shutil.copytree(nvrtc.SOURCES, changed)
    (changed / "device.cuh").write_text((changed / "device.cuh").read_text() + "// changed\n")
    monkeypatch.setattr(nvrtc, "SOURCES", changed)
    nvrtc.get_cubin("bias_act", DEFINES, 90)
    assert len(counted) == 6 == len(files_in(folder))


@pytest.mark.parametrize("damage", [b"", b"\x7fELF half of it", None])
def test_what_is_damaged_is_made_anew(folder, counted, damage):
    whole = nvrtc.get_cubin("bias_act", DEFINES, 90)
    (path,) = files_in(folder)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if damage is None else damage)
    assert nvrtc.get_cubin("bias_act", DEFINES, 90) == whole
    assert path.read_bytes() == content and len(counted) == 2


def test_a_folder_that_cannot_be_used_costs_compiling_again(tmp_path, folder, counted, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(nvrtc, "cache_folder", lambda name: tmp_path / "file" / name)
    assert nvrtc.get_cubin("bias_act", DEFINES, 90) and nvrtc.get_cubin("bias_act", DEFINES, 90)
    assert len(counted) == 2

    def nowhere(name):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(nvrtc, "cache_folder", nowhere)
    assert nvrtc.get_cubin("bias_act", DEFINES, 90) and len(counted) == 3


def test_a_disk_that_is_full_leaves_nothing_behind(folder, counted, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert nvrtc.get_cubin("bias_act", DEFINES, 90)
    assert files_in(folder) == []


def test_the_cache_has_a_limit_and_forgets_what_was_not_read_for_longest(folder, counted, monkeypatch):
    for architecture in (75, 80, 86):
        nvrtc.get_cubin("bias_act", DEFINES, architecture)
    size = max(path.stat().st_size for path in files_in(folder))
    nvrtc.get_cubin("bias_act", DEFINES, 75)
    monkeypatch.setattr(nvrtc, "MAX_CACHE_BYTES", 2 * size)
    nvrtc.get_cubin("bias_act", DEFINES, 90)
    assert len(files_in(folder)) == 2 and len(counted) == 4
    nvrtc.get_cubin("bias_act", DEFINES, 75)
    assert len(counted) == 4


PROCESS = """
import sys
from pathlib import Path
from cuda_ops.cuda import nvrtc
nvrtc.cache_folder = lambda name: Path(sys.argv[1])
cubin = nvrtc.get_cubin("bias_act", {"TYPE": 0, "THREADS": 256, "BLOCKS": 2, "VECTOR": 4}, 90)
print(nvrtc.digest([cubin]))
"""


@compiles
@pytest.mark.slow
def test_two_processes_at_once(tmp_path):
    """Both compile, or one finds the other's; either way one whole cubin is left."""
    command = [sys.executable, "-c", PROCESS, str(tmp_path)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.wait(100) for process in running] == [0, 0]
    digests = {process.communicate()[0].strip() for process in running}
    assert digests == {path.read_bytes()[: nvrtc.DIGEST_LENGTH].decode() for path in files_in(tmp_path)}


WARM = """
import sys, time
from pathlib import Path
from cuda_ops.cuda import nvrtc
nvrtc.cache_folder = lambda name: Path(sys.argv[1])
def loads():
    return sys.platform == "linux" and "libnvrtc" in Path("/proc/self/maps").read_text()
before = loads()  # a CUDA build of torch loads it as it is imported
start = time.perf_counter()
nvrtc.get_cubin("bias_act", {"TYPE": 0, "THREADS": 256, "BLOCKS": 2, "VECTOR": 4}, 90)
seconds = time.perf_counter() - start
print(seconds, loads() and not before or "cuda.core" in sys.modules)
"""


@compiles
@pytest.mark.slow
def test_a_kept_cubin_is_found_within_50_ms_without_a_compiler(tmp_path):
    subprocess.run([sys.executable, "-c", PROCESS, str(tmp_path)], cwd=ROOT, check=True)
    times = []
    for _ in range(3):
        ran = subprocess.run([sys.executable, "-c", WARM, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
        seconds, loaded = ran.stdout.split()
        assert loaded == "False", ran.stdout + ran.stderr
        times.append(float(seconds))
    assert min(times) < 0.05, times


def test_without_cuda_core_there_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "cuda.core", None)
    with pytest.raises(nvrtc.CompileError, match="the package cuda-core, which compiles kernels, cannot be"):
        nvrtc.compile_cubin("bias_act", DEFINES, 90)


@compiles
def test_an_error_of_the_compiler_is_told_in_one_line():
    expected = r"NVRTC could not compile bias_act.cuh for sm_90 \(.*error"
    with pytest.raises(nvrtc.CompileError, match=expected) as seen:
        nvrtc.compile_cubin("bias_act", {**DEFINES, "VECTOR": "no number"}, 90)
    assert "\n" not in str(seen.value)


def test_status_without_a_gpu_says_why():
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    for row in (*cuda_ops.status("cuda"), *cuda_ops.status("cuda:0", wait=False)):
        assert row.implementation == "reference"
        assert row.reason.startswith("The torch reference runs, because torch finds no CUDA device")


def test_the_switch_is_named(monkeypatch):
    monkeypatch.setenv(cuda.SWITCH, "off")
    assert {row.reason for row in cuda_ops.status("cuda")} == {
        "The torch reference runs, because the CUDA kernels are switched off by JINC_CUDA_KERNELS."
    }


def test_without_a_driver_there_is_a_sentence(monkeypatch):
    monkeypatch.setattr(cuda_driver, "LIBRARY", "libno-such-driver.so.1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(cuda, "_found", {})
    for function in (cuda_driver._library, cuda_driver.architecture, cuda_driver._context):
        function.cache_clear()
    assert not cuda.is_available("cuda:0") and cuda.precompile([], "cuda:0") == 0
    assert cuda.explain("cuda:0") == (
        "The torch reference runs, because there is no CUDA driver (libno-such-driver.so.1)."
    )
    assert cuda_ops.status("cuda:0")[0].implementation == "reference"


DRIVER = """
#include <cstring>
#define EXPORT extern "C" __attribute__((visibility("default")))
typedef void* Handle;
static Handle current;
extern "C" {
unsigned launches[64][8];
float gains[64];
int count, largest, attribute, modules;
Handle streams[64];
}
EXPORT int cuInit(unsigned) { return 0; }
EXPORT int cuGetErrorName(int, const char** name) { *name = "CUDA_ERROR_INVALID_IMAGE"; return 0; }
EXPORT int cuDeviceGet(int* device, int number) { *device = number; return 0; }
EXPORT int cuDeviceGetAttribute(int* value, int which, int) { *value = which == 75 ? 9 : 0; return 0; }
EXPORT int cuDevicePrimaryCtxRetain(Handle* context, int) { *context = Handle(0x123456789abc); return 0; }
EXPORT int cuCtxGetCurrent(Handle* context) { *context = current; return 0; }
EXPORT int cuCtxSetCurrent(Handle context) { current = context; return 0; }
EXPORT int cuModuleLoadData(Handle* module, const char* image) {
    if (current != Handle(0x123456789abc)) return 201;
    *module = Handle(0x7f00000000 + ++modules);
    return std::memcmp(image, "\\x7f" "ELF", 4) ? 200 : 0;
}
EXPORT int cuModuleGetFunction(Handle* function, Handle module, const char*) { *function = module; return 0; }
EXPORT int cuFuncSetAttribute(Handle, int which, int value) { attribute = which, largest = value; return 0; }
EXPORT int cuLaunchKernel(Handle function, unsigned a, unsigned b, unsigned c, unsigned d, unsigned e, unsigned f,
                          unsigned shared, Handle stream, void** arguments, void** extra) {
    if (!function || !arguments || extra) return 1;
    const unsigned values[8] = {a, b, c, d, e, f, shared, unsigned(*static_cast<int*>(arguments[6]))};
    std::memcpy(launches[count], values, sizeof values);
    gains[count] = *static_cast<float*>(arguments[28]);
    streams[count++] = stream;
    return 0;
}
"""


@pytest.fixture
def driver(tmp_path, monkeypatch, folder, counted):
    """A library that plays the driver, and torch's part of it; tensors lie on the CPU, for nothing reads them."""
    found = build.find_compilers()
    if not found:
        pytest.skip("there is no C++ compiler to make a driver with")
    (tmp_path / "driver.cpp").write_text(DRIVER)
    library = tmp_path / "libcuda.so"
    subprocess.run([*found[0], *SHARED, str(tmp_path / "driver.cpp"), "-o", str(library)], check=True)
    monkeypatch.setattr(cuda_driver, "LIBRARY", str(library))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    stream = SimpleNamespace(cuda_stream=0xABCD00000001)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: stream)
    monkeypatch.setattr(cuda, "_found", {})
    monkeypatch.setattr(cuda, "_failed", {})
    monkeypatch.setattr(cuda, "device_index", lambda device: 0)
    caches = (
        cuda_driver._library,
        cuda_driver.architecture,
        cuda_driver._context,
        cuda._load_function,
        cuda._load_resampling,
    )
    for function in caches:
        function.cache_clear()
    yield ctypes.CDLL(str(library))
    for function in caches:
        function.cache_clear()


def test_a_kernel_is_loaded_once_and_launched_on_torchs_stream(driver, counted, monkeypatch):
    assert cuda.explain("cuda:0") == "CUDA kernels run, compiled for sm_90 on this machine."
    assert cuda_ops.status("cuda:0")[0].implementation == "CUDA (sm_90)"
    specs = specialise_layer(2, 2, 12, 12, False, (9, 9), torch.float16, training=True)
    assert cuda.precompile([*specs, *specs], "cuda:0") == len(set(specs)) == 3
    before = len(counted)
    monkeypatch.setattr(cuda, "is_available", lambda device: True)
    x, f = torch.randn(2, 9, 36, 36, dtype=torch.float16), torch.randn(12)
    geometry = Geometry((2, 2), (2, 2), (9, 9), (0, 0), (78, 78), (34, 34))
    for _ in range(2):
        y = cuda_kernels.resample(x, f, f, geometry, 2.5, False, FORWARD, bias=torch.zeros(9), slope=0.2)
        assert y.shape == (2, 9, 34, 34)
    assert len(counted) == before + 1, "forward without codes had not been precompiled, and is compiled once"
    launches = (ctypes.c_uint * 8 * 64).in_dll(driver, "launches")
    streams = (ctypes.c_void_p * 64).in_dll(driver, "streams")
    tile = cuda.choose_tile(Resampling(2, 2, 12, 12, False, False, FORWARD, torch.float16, False, 0, 0, 0), x.device)
    grid = 2 * -(-9 // tile.channels) * (-(-34 // tile.height)) * (-(-34 // tile.width))
    shared = ctypes.c_int.in_dll(driver, "largest").value
    assert shared > 48 * 1024 and ctypes.c_int.in_dll(driver, "attribute").value == 8
    for i in range(2):
        assert list(launches[i]) == [grid, 1, 1, tile.threads, 1, 1, shared, 9]
        assert streams[i] == 0xABCD00000001
        assert (ctypes.c_float * 64).in_dll(driver, "gains")[i] == 2.5


def test_a_kernel_that_does_not_load_leaves_the_call_to_the_reference(driver, monkeypatch, caplog):
    assert cuda.is_available("cuda:0")
    monkeypatch.setattr(nvrtc, "compile_cubin", lambda *_: (b"no cubin", ""))
    (spec,) = specialise_layer(2, 2, 12, 12, False, (9, 9), torch.float16)
    assert cuda.precompile([spec], "cuda:0") == 0
    assert "CUDA_ERROR_INVALID_IMAGE" in caplog.text
    failed = "but not bias_act, bias_act_gradient, resample: cuModuleLoadData failed (CUDA_ERROR_INVALID_IMAGE, 200)."
    assert cuda.explain("cuda:0").endswith(failed)


def test_switched_off_means_the_references(driver):
    assert cuda.is_available("cuda:0")
    with cuda.switched_off():
        assert not cuda.is_available("cuda:0")
    assert cuda.is_available("cuda:0")


@pytest.mark.slow
def test_nothing_of_cuda_is_imported_for_the_cpu():
    code = (
        "import sys, torch; before = set(sys.modules); import cuda_ops; f = torch.ones(4);"
        "cuda_ops.upfirdn2d(torch.ones(1, 1, 8, 8), f); cuda_ops.status();"
        "print(sorted(m for m in set(sys.modules) - before if m.partition('.')[0] == 'cuda'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_benchmark_runs():
    """On a CPU, where its times mean nothing: each case comes out, and none has no roofline."""
    command = [sys.executable, "-m", "bench.bench_roofline", "--device", "cpu", "--quick", "--json"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
    rows = json.loads(ran.stdout)["rows"]
    assert len({row["name"] for row in rows}) == 16 and all(row["floor ms"] > 0 < row["ms"] for row in rows)


def test_the_benchmark_says_why_it_cannot_run():
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    ran = CliRunner().invoke(bench_roofline.main, [])
    assert ran.exit_code == 1 and "torch finds no CUDA device" in ran.output
