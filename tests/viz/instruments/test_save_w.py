# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The w's of a picture in a file that is not there yet, whoever else writes meanwhile."""

from pathlib import Path
from typing import Any

import pytest
import torch

from gan.data.latent_files import LatentError, read_latent_file
from viz.core.latent import SeedPoint
from viz.core.request import PictureRequest, RenderRequest
from viz.instruments.save_w import SaveRequest

SUFFIXES = [".npz", ".npy", ".safetensors"]


class Maps:
    """A renderer that, while it finds w's, lets somebody else write a file."""

    def __init__(self, other: Path | None = None) -> None:
        self.other = other

    def find_ws(self, picture: PictureRequest) -> torch.Tensor:
        if self.other:
            self.other.write_bytes(b"precious")
        return torch.ones(1, 4, 8)


def save(path: Path, renderer: Any) -> list[str | None]:
    picture = PictureRequest("model", SeedPoint())
    return list(SaveRequest(picture, str(path)).run(renderer, RenderRequest(picture)))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_new_file_is_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"w{suffix}"
    assert save(path, Maps()) == [f"Wrote {path}: 4 w's of model."] and read_latent_file(path, "w")[0].shape == (4, 8)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_made_meanwhile_is_kept(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"w{suffix}"
    for renderer in (Maps(path), Maps()):  # meanwhile, and before
        with pytest.raises(LatentError, match="is there already: give another name"):
            save(path, renderer)
        assert path.read_bytes() == b"precious" and list(tmp_path.iterdir()) == [path]
