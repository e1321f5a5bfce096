# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Without a GPU, or without kernels on it, everything here is skipped, with the reason.

With one, the kernels' own tests run there, on the random numbers that they are known to pass with elsewhere.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from support.cuda_host import poisoned

from cuda_ops.cuda import loader as cuda
from cuda_ops.cuda import nvrtc, tiling
from cuda_ops.cuda.driver import Arguments
from cuda_ops.cuda.tiling import Resampling, Tile

from .device import exact, missing

HERE = Path(__file__).resolve().parent
COMPILERS = 8  # kernels that are compiled at a time


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if HERE in item.path.parents]
    reason = missing() if ours else None
    if reason:
        for item in ours:
            item.add_marker(pytest.mark.skip(reason=reason))


class Device:
    """Lets every launch through and writes down which there were; `tile`, if any, takes the place of the table's."""

    def __init__(self) -> None:
        self.device = torch.device("cuda", torch.cuda.current_device())
        self.threads = 0  # what the tests' other device runs with; here each tile has its own
        self.tile: Tile | None = None
        self.launched: list[str] = []
        self.specs: list[Resampling] = []
        self._launch, self._resampling, self._tile = cuda.launch, cuda.launch_resampling, cuda.choose_tile

    def chosen(self, spec: Resampling, device: torch.device) -> Tile | None:
        return self.tile or self._tile(spec, device)

    def launch(self, source, name, defines, device, blocks, arguments: Arguments, threads, shared) -> bool:
        done = self._launch(source, name, defines, device, blocks, arguments, threads, shared)
        if done:
            self.launched.append(name)
        return done

    def launch_resampling(self, spec: Resampling, device: torch.device, blocks: int, arguments: Arguments) -> bool:
        if self.tile is None:
            done = self._resampling(spec, device, blocks, arguments)
        else:
            defines, threads = spec.defines(self.tile), self.tile.threads
            done = self._launch("resample", "resample", defines, device, blocks, arguments, threads, defines["SHARED"])
        if done:
            self.launched.append("resample")
            self.specs.append(spec)
        return done


def _on_device(draw, device):
    """The CPU's random numbers, whatever device is asked for."""

    def drawn(*size, **options):
        options.pop("device", None)
        return draw(*size, device="cpu", **options).to(device)

    return drawn


@pytest.fixture
def host(monkeypatch):
    """The GPU in the place of the C++ compiler: see tests/support/cuda_host.py. New tensors lie there."""
    device = Device()
    monkeypatch.setattr(cuda, "launch", device.launch)
    monkeypatch.setattr(cuda, "launch_resampling", device.launch_resampling)
    monkeypatch.setattr(cuda, "choose_tile", device.chosen)
    monkeypatch.setattr(torch, "empty", poisoned)
    for name in ("randn", "randint"):
        monkeypatch.setattr(torch, name, _on_device(getattr(torch, name), device.device))
    monkeypatch.setattr(torch, "randn_like", lambda x, **_: torch.randn(x.shape, dtype=x.dtype))
    with exact(), torch.device(device.device):
        yield device
    torch.cuda.synchronize()


@pytest.fixture(scope="session")
def compiled():
    """Compile these specialisations, several at a time, into the cache; each is then loaded from there."""

    def compile_all(specs) -> None:
        number = torch.cuda.current_device()
        architecture = cuda.architecture(f"cuda:{number}")
        wanted = [(spec, tiling.choose_tile(spec, architecture)) for spec in dict.fromkeys(specs)]
        with ThreadPoolExecutor(COMPILERS) as pool:
            for future in [
                pool.submit(nvrtc.get_cubin, "resample", spec.defines(tile), architecture)
                for spec, tile in wanted
                if tile is not None
            ]:
                future.result()

    return compile_all
