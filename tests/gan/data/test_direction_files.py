# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Files of directions: every shape and kind that is read, and a sentence for every other."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from gan.data.direction_files import read_direction_file, write_direction_file
from gan.data.latent_files import LatentError

VALUES = np.random.RandomState(0).randn(3, 4, 6).astype(np.float32)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".safetensors"])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"é{suffix}"
    write_direction_file(path, VALUES, np.arange(3.0))
    read, digest = read_direction_file(path)
    assert np.array_equal(read, VALUES) and digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(("shape", "as_read"), [((6,), (1, 1, 6)), ((5, 6), (5, 1, 6)), ((2, 4, 6), (2, 4, 6))])
@pytest.mark.parametrize("dtype", ["float64", "float16", "int32"])
def test_shapes_and_types(tmp_path: Path, shape: tuple[int, ...], as_read: tuple[int, ...], dtype: str) -> None:
    values = (1 + np.arange(np.prod(shape)).reshape(shape)).astype(dtype)
    np.save(tmp_path / "d.npy", values)
    np.savez(tmp_path / "d.npz", other=np.zeros(3), directions=values)
    np.savez(tmp_path / "one.npz", boundary=values)
    save_file({"directions": values}, tmp_path / "d.safetensors")
    for name in ("d.npy", "d.npz", "one.npz", "d.safetensors"):
        read = read_direction_file(tmp_path / name)[0]
        assert read.shape == as_read and read.dtype == np.float32
        assert np.array_equal(read.ravel(), values.ravel().astype(np.float32))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.ones((2, 3, 4, 5)), r"holds numbers of shape \[2, 3, 4, 5\], and directions have \[w_dim\]"),
        (np.ones(()), "holds numbers of shape"),
        (np.ones((0, 8)), r"of shape \[0, 8\]"),
        (np.array([[1.0, np.nan]]), "not finite"),
        (np.array([[1.0, 1e300]]), "not finite, or too large"),
        (np.array([[1.0, 2.0], [0.0, 0.0]]), "a direction that is all zeros"),
        (np.ones((4097, 2)), "holds 4097 directions, and 4096 are the most"),
        (np.array([{}], object), "holds no direction that can be read"),
        (np.array(["a"]), "holds no direction that can be read"),
    ],
)
def test_arrays_that_are_no_directions(tmp_path: Path, values: np.ndarray, words: str) -> None:
    np.save(tmp_path / "d.npy", values)
    with pytest.raises(LatentError, match=f"^d.npy .*{words}") as problem:
        read_direction_file(tmp_path / "d.npy")
    assert "\n" not in str(problem.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no")
    np.savez(tmp_path / "many.npz", a=np.ones(3), b=np.ones(3))
    (tmp_path / "cut.npy").write_bytes((np.lib.format.MAGIC_PREFIX + b"\1\0") * 2)
    for name, words in (
        ("absent.npy", "^There is no file .*absent.npy: check its path.$"),
        ("text.npz", "none of the files"),
        ("many.npz", "has no array called directions: it holds a, b"),
        ("cut.npy", "holds no direction that can be read"),
        (".", "cannot be read"),
    ):
        with pytest.raises(LatentError, match=words):
            read_direction_file(tmp_path / name)
