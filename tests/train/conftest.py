# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Fixtures of the trainer's tests."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Run on one thread, as networks this small only lose by more; undo what the trainer sets in torch."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Make a folder of six pictures of noise, 16x16."""
    folder = tmp_path / "blobs"
    folder.mkdir()
    for i in range(6):
        pixels = np.random.default_rng(i).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder
