# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Files of latents: every form that other tools write, and one sentence for whatever is none."""

import hashlib
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from gan.data.latent_files import LARGEST_FILE, LatentError, read_latent_file, write_w_file

VALUES = np.random.RandomState(0).randn(1, 16, 512)


def write(path: Path, array: np.ndarray, name: str = "w") -> Path:
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez_compressed(path, **{name: array})
    else:
        save_file({name: np.ascontiguousarray(array)}, path)
    return path


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".safetensors"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(512,), (1, 512), (1, 16, 512)])
def test_every_form_is_read(tmp_path: Path, suffix: str, dtype: str, shape: tuple[int, ...]) -> None:
    array = VALUES.ravel()[: np.prod(shape)].reshape(shape).astype(dtype)
    path = write(tmp_path / f"w{suffix}", array)
    values, digest = read_latent_file(path, "w")
    assert values.dtype == np.float32 and values.shape == (16 if len(shape) == 3 else 1, 512)
    assert np.array_equal(values, array.astype(np.float32).reshape(values.shape))
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".safetensors"])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    ws = VALUES[0].astype(np.float32)
    write_w_file(tmp_path / f"w{suffix}", ws)
    assert np.array_equal(read_latent_file(tmp_path / f"w{suffix}", "w")[0], ws)
    assert [path.name for path in tmp_path.iterdir()] == [f"w{suffix}"], "nothing temporary is left"
    if suffix == ".npz":
        with np.load(tmp_path / "w.npz") as archive:
            assert archive["w"].shape == (1, 16, 512), "as official projectors write it"


def test_an_array_is_chosen_by_its_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "both.npz", w=VALUES, z=VALUES[0, :1] + 1, steps=np.arange(3))
    assert np.array_equal(read_latent_file(tmp_path / "both.npz", "z")[0], (VALUES[0, :1] + 1).astype(np.float32))
    assert read_latent_file(tmp_path / "both.npz", "w")[0].shape == (16, 512)
    assert len(read_latent_file(write(tmp_path / "named.npz", VALUES, "latent"), "w")[0]) == 16


def test_an_array_is_found_among_many(tmp_path: Path) -> None:
    np.savez(tmp_path / "many.npz", **{f"noise{index}": np.zeros(4) for index in range(40)}, w=VALUES)
    assert np.array_equal(read_latent_file(tmp_path / "many.npz", "w")[0], VALUES[0].astype(np.float32))
    with pytest.raises(LatentError, match="no array called z: it holds noise0"):
        read_latent_file(tmp_path / "many.npz", "z")


def test_fortran_order_and_whole_numbers_are_read(tmp_path: Path) -> None:
    array = np.asfortranarray(np.arange(12).reshape(1, 3, 4))
    assert np.array_equal(read_latent_file(write(tmp_path / "w.npy", array), "w")[0], array[0])


def npy(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = (header + "\n").encode()
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text + data


def npz(**members: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return data.getvalue()


def saved(array: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.save(data, array)
    return data.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "none of the files that hold latents"),
        (b"\x80\x04K\x01.", "none of the files that hold latents"),
        (pickle.dumps(np.zeros(512)), "none of the files that hold latents"),
        (saved(np.zeros(512))[:200], "damaged"),
        (npz(w=saved(np.zeros(512)))[:-30], "damaged"),
        (npz(w=b"no array"), "damaged"),
        (npz(z=saved(np.zeros(512))), "no array called w: it holds z"),
        (npz(a=saved(np.zeros(3)), b=saved(np.zeros(3))), "no array called w: it holds a, b"),
        (npz(), "no array called w: it holds no arrays"),
        (npz(w=b"\0" * (LARGEST_FILE + 1)), "unpacks to more than the 16 MiB"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,)}"), "damaged"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-4,)}", b"\0" * 64), "damaged"),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"\x80\x04K\x01."), "damaged"),
        (npy("{'descr': '<f8', 'shape': (1,)}", b"\0" * 8), "damaged"),
        (npy("((((" * 2000), "damaged"),
        (npy("{}", version=b"\x09\x00"), "damaged"),
        (saved(np.zeros((2, 512))), "shape [2, 512], and a w has [n], [1, n] or [1, layers, n]"),
        (saved(np.zeros((2, 16, 512))), "shape [2, 16, 512]"),
        (saved(np.zeros((1, 0))), "shape [1, 0]"),
        (saved(np.float64(3)), "shape []"),
        (saved(np.array([1.0, np.nan])), "not finite"),
        (saved(np.array([1.0, 1e300])), "not finite, or too large"),
        (saved(np.zeros(4, complex)), "damaged"),
        (saved(np.zeros(LARGEST_FILE // 8)), "larger than the 16 MiB"),
        (b"\x10\0\0\0\0\0\0\0{" + b" " * 40, "damaged"),
    ],
)
def test_what_is_no_latent_is_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "file.npz"
    path.write_bytes(content)
    with pytest.raises(LatentError) as caught:
        read_latent_file(path, "w")
    text = str(caught.value)
    assert text.startswith("file.npz ") and words in text and "\n" not in text and text.endswith("."), text


def test_a_z_has_no_layers(tmp_path: Path) -> None:
    with pytest.raises(LatentError, match=r"and a z has \[n\] or \[1, n\]\."):
        read_latent_file(write(tmp_path / "z.npy", VALUES), "z")


def test_files_that_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path / "none.npz", f"^There is no file {tmp_path / 'none.npz'}: check its path.$"),
        (tmp_path, "cannot be read: "),
        (tmp_path / "a\0b", "cannot be read: "),
    ):
        with pytest.raises(LatentError, match=words):
            read_latent_file(path, "w")
