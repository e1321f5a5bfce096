# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What device there is, why there is none, and whatever a reader of its figures has to know."""

import datetime
import functools
import platform
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import torch

from cuda_ops.cuda import loader as cuda

from . import ROOT

DRIVER = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True)
class Choice:
    """What a section is asked for. On the CPU everything is tiny and its times mean nothing."""

    device: torch.device
    quick: bool = False
    until: float = field(default_factory=lambda: monotonic() + 600)  # by time.monotonic()

    @property
    def small(self) -> bool:
        return self.device.type != "cuda"

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.until - monotonic()


@functools.cache
def missing() -> str | None:
    """One sentence why there is nothing to run here, None where the CUDA kernels run. Looks once a process."""
    reason = cuda.explain("cuda")
    if not torch.cuda.is_available() or not cuda.is_available("cuda"):
        return f"There is no GPU that the kernels run on: {reason.removeprefix(cuda.REFERENCE)}"
    return None


@contextmanager
def exact() -> Iterator[None]:
    """Within, torch's own float32 convolutions, which references and models use, do without tf32."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some versions announce another way of saying it
        before = torch.backends.cudnn.allow_tf32
        torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def wait(device: torch.device) -> None:
    """Until the device has done what it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def said(*command: str) -> str:
    """The first line that a program prints, "" where it cannot."""
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
        if done.returncode == 0:
            return done.stdout.strip().partition("\n")[0].strip()
    return ""


def driver() -> str:
    """The driver's version."""
    found = said("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    if not found:
        with suppress(OSError, IndexError):
            found = DRIVER.read_text().partition("\n")[0].split("Kernel Module", 1)[1].split()[0]
    return found or "unknown"


def commit() -> str:
    """The commit that runs, with a word where files differ from it."""
    found = said("git", "rev-parse", "--short=12", "HEAD")
    changed = said("git", "status", "--porcelain", "--untracked-files=no")
    return (found + (" and changes" if changed else "")) or "unknown"


def header(choice: Choice) -> dict[str, str]:
    """What stands above the table."""
    if choice.small:
        device = {"device": "CPU, tiny sizes: a check that it runs, its times mean nothing"}
    else:
        about = torch.cuda.get_device_properties(choice.device)
        device = {
            "device": f"{about.name}, {about.total_memory / 2**30:.0f} GiB, {about.multi_processor_count} "
            f"multiprocessors, sm_{about.major}{about.minor}",
            "driver": driver(),
            "kernels": cuda.explain(choice.device),
        }
    return {
        **device,
        "torch": torch.__version__,
        "CUDA": torch.version.cuda or "none",
        "Python": platform.python_version(),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        **({"quick": "few cases and rounds: a check that it runs, not a measurement"} if choice.quick else {}),
    }
