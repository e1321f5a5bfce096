# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What a file is that is dropped on the window: a latent, or something to be opened as a model."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from gan.data.latent_files import write_w_file
from gan.hub.resolve import list_bundled_files
from viz.loading.latent_files import is_latent_file, open_latent

W = np.zeros((1, 512), np.float32)


@pytest.mark.parametrize("arrays", [{"w": W}, {"z": W, "step": W}, {"mine": W}, {"projected_w": W}])
def test_a_safetensors_of_latents_is_no_model(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    save_file(arrays, tmp_path / "a.safetensors")
    assert is_latent_file(str(tmp_path / "a.safetensors"))
    assert open_latent(str(tmp_path / "a.safetensors")).digest


def test_what_saving_writes_is_a_latent(tmp_path: Path) -> None:
    for suffix in (".npz", ".npy", ".safetensors"):
        write_w_file(tmp_path / f"w{suffix}", W)
        assert is_latent_file(str(tmp_path / f"w{suffix}"))


def test_models_and_what_cannot_be_read_are_no_latents(tmp_path: Path) -> None:
    assert not any(is_latent_file(str(path)) for path in list_bundled_files())
    save_file({"boundary": W}, tmp_path / "directions.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"\xff" * 100)
    (tmp_path / "empty.safetensors").write_bytes(b"")
    for name in ("directions", "broken", "empty", "missing", "null\0"):
        assert not is_latent_file(str(tmp_path / f"{name}.safetensors")), name
    assert not is_latent_file("https://example.com/a.safetensors") and not is_latent_file("/a.pkl")
