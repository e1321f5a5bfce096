# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What only a GPU can show: tests, measurements, and the program that the memory checker watches. `make gpu` runs all.

Nothing here needs to be installed: the repository and the tests' own modules are found from where this file lies.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"

for folder in (TESTS / "cuda_ops", TESTS, ROOT):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def program(name: str, *arguments: str) -> list[str]:
    """The command of a module of this package, run by this Python in ROOT with `environment()`."""
    return [sys.executable, "-m", f"gpu.{name}", *arguments]


def environment(**changed: str) -> dict[str, str]:
    """The environment of such a process, with `changed` variables."""
    path = os.pathsep.join(
        [str(TESTS), str(TESTS / "cuda_ops"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **changed}


def ran(command: list[str], seconds: float, **changed: str) -> subprocess.CompletedProcess[str]:
    """Run to the end, output kept. subprocess.TimeoutExpired, and the process is gone."""
    return subprocess.run(
        command, cwd=ROOT, env=environment(**changed), capture_output=True, text=True, timeout=max(seconds, 1.0)
    )
