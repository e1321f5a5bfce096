# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What every test starts from: the same random numbers, the same number of threads, the kernels found."""

import os
import random
import sys

import numpy as np
import pytest
import torch
from support.graphics import driver, gl, library  # noqa: F401  (fixtures)

from cuda_ops.cpu import loader as cpu

THREADS = 1

# Tools of torch that only tests use (make_fx) import triton, whose library crashes beside Mesa's LLVM (decision 020).
sys.modules.setdefault("triton", None)  # type: ignore[arg-type]

# Processes that a test starts (a trainer, a command line) inherit the cap; torch in this process is told below.
os.environ["OMP_NUM_THREADS"] = str(THREADS)

# Letters mean small models of 32 pixels here, which stay when better ones are bundled.
os.environ["JINC_MODELS"] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "models")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate-golden",
        action="store_true",
        help="draw the golden images anew: see tests/support/golden_pictures.py",
    )


def pytest_configure() -> None:
    # Sums over threads depend on how many there are: a fixed number keeps results equal from machine to machine.
    torch.set_num_threads(THREADS)
    cpu.load_library()  # where it has to be compiled first, not within a test that has a window waiting


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Each test draws the same numbers whether it runs alone, first or last."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
