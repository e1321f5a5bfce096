# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The devices that networks run on: list, choose and check them, and set how many threads a model takes."""

from collections.abc import Sequence

SINGLE_THREAD_RESOLUTION = 64  # pixels up to which a model's operators are too short to share between threads


class DeviceError(ValueError):
    """A device that this machine does not have."""


def list_devices() -> tuple[str, ...]:
    """Return the names of this machine's devices: the CPU, then others."""
    import torch  # here: torch takes longer to load than --help may

    found = ["cpu"]
    if torch.cuda.is_available():
        found += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return tuple(found)


def fastest_device(names: Sequence[str]) -> str:
    """Return the device of `list_devices` to start with: the first accelerator, else the CPU."""
    return names[min(1, len(names) - 1)]


def check_device(name: str) -> None:
    """Raise DeviceError unless `name` is one of `list_devices`, or "cuda" where there is a CUDA device."""
    names = list_devices()
    if name not in names and not (name == "cuda" and "cuda:0" in names):
        raise DeviceError(f"There is no device {name!r:.80} on this machine: choose one of {', '.join(names)}.")


def require_device(name: str) -> None:
    """Raise DeviceError unless something can be allocated on a device: one that is listed may be busy or broken."""
    import torch

    check_device(name)
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as problem:
        why = str(problem).strip().partition("\n")[0]
        raise DeviceError(
            f"The device {name} cannot be used ({why[:160]}): give --device=cpu, or free it."
        ) from problem


def threads_for(resolution: int) -> int:
    """Return how many threads a model runs on: one core stays with the window, and small models take one.

    On two cores beside another busy process, T at 32 pixels took 20 ms on one thread and 60 to 150 ms on two, which
    wait for each other at the end of every operator.
    """
    import psutil

    cores = psutil.cpu_count(logical=False) or 1
    return 1 if resolution <= SINGLE_THREAD_RESOLUTION else max(1, cores - 1)
