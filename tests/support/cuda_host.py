# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The CUDA kernels as C++ on this machine's CPU, in place of a GPU: the same headers under tests/support/host_shim.h.

Everything above the driver is the real thing: the choice of specialisations and tiles, geometry, arguments.
"""

import ctypes
import hashlib
import subprocess
from pathlib import Path

import torch

from cuda_ops.cpu import build
from cuda_ops.cuda import loader as cuda
from cuda_ops.cuda import nvrtc, tiling

SHIM = Path(__file__).with_name("host_shim.h")
KERNELS = {"resample": ("resample",), "upfirdn2d": ("upfirdn2d",), "bias_act": ("bias_act", "bias_act_gradient")}


class Host:
    """Compiles kernels on demand into a folder and runs them with `threads` threads a block."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.threads, self.launched = folder, 4, []
        self.tile = tiling.Tile(8, 4, 2, 32, 1)
        self.compiler = [*build.find_compilers()[0], "-std=c++20", "-fPIC", "-pthread", "-DJINC_HOST", "-w"]
        self.runtime = folder / "runtime.o"
        if not self.runtime.exists():
            self.compile("-O1", "-c", str(SHIM.with_name("host_runtime.cpp")), "-o", str(self.runtime))

    def compile(self, *arguments: str) -> None:
        ran = subprocess.run([*self.compiler, *arguments], capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr[:4000]

    def library(self, source: str, defines: dict[str, int]) -> ctypes.CDLL:
        macros = [f"-D{name}={value}" for name, value in sorted(defines.items())]
        path = self.folder / f"{source}-{hashlib.sha256(' '.join(macros).encode()).hexdigest()[:16]}.so"
        if not path.exists():
            text = path.with_suffix(".cpp")
            exports = "".join(f"EXPORT({name})\n" for name in KERNELS[source])
            text.write_text(f'#include "{source}.cuh"\n{exports}')
            includes = [f"-I{nvrtc.SOURCES}", f"-I{SHIM.parent}"]
            self.compile("-O1", "-shared", *macros, *includes, str(text), str(self.runtime), "-o", str(path))
        return ctypes.CDLL(str(path))

    def launch(self, source, name, defines, device, blocks, arguments, threads, shared) -> bool:
        self.launched.append(name)
        function = getattr(self.library(source, defines), f"launch_{name}")
        wrong = function(blocks, self.threads, shared, arguments.pointers)
        assert not wrong, ("", "it wrote outside its shared memory", "it used a misaligned address")[wrong]
        return True

    def chosen(self, spec, device):
        fits = spec.up <= tiling.MAX_FACTOR and self.tile.width * spec.down % spec.up == 0
        return self.tile if fits and self.tile.height * spec.down % spec.up == 0 else None

    def launch_resampling(self, spec, device, blocks, arguments) -> bool:
        defines = spec.defines(self.tile)
        return self.launch("resample", "resample", defines, device, blocks, arguments, 0, defines["SHARED"])

    def take_over(self, monkeypatch) -> None:
        monkeypatch.setattr(cuda, "is_available", lambda device: True)
        monkeypatch.setattr(cuda, "choose_tile", self.chosen)
        monkeypatch.setattr(cuda, "launch", self.launch)
        monkeypatch.setattr(cuda, "launch_resampling", self.launch_resampling)
        monkeypatch.setattr(cuda, "count_multiprocessors", lambda device: 1)


def poisoned(*size, **options) -> torch.Tensor:
    """In place of torch.empty: a value that no kernel writes is seen."""
    y = _empty(*size, **options)
    return y.fill_(float("nan") if y.dtype.is_floating_point else 170)


_empty = torch.empty
