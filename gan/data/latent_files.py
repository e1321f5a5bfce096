# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Files of latents: .npy, .npz and .safetensors that hold a z, a w, or the w's of all layers (W+)."""

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from gan.data.array_files import read_npy
from gan.files.atomic_write import atomic_write, write_new
from gan.files.errors import describe_error, sanitize_text

SUFFIXES = (".npz", ".npy", ".safetensors")
LARGEST_FILE = 2**24  # bytes; the w's of a model have some ten thousand
SHAPES = {"z": "[n] or [1, n]", "w": "[n], [1, n] or [1, layers, n]"}


class LatentError(ValueError):
    """A file of latents that cannot be used; one sentence that names it. No `why`: it is not there."""

    def __init__(self, path: str | os.PathLike[str], why: str = "") -> None:
        named = f"{sanitize_text(os.path.basename(path), 100)} {why}"
        super().__init__(named if why else f"There is no file {sanitize_text(os.fspath(path), 200)}: check its path.")


def read_latent_file(path: str | os.PathLike[str], space: str) -> tuple[np.ndarray, str]:
    """Return a file's latent, float32 [1, z_dim], [1, w_dim] or [num_ws, w_dim], and the SHA-256 of its bytes.

    Nothing that the file carries is run, and no more than its own size is allocated. Of several arrays it is the one
    called `space`, "z" or "w". Raises LatentError.
    """
    arrays, digest = read_arrays(path, "latent", space)
    return _check_values(path, choose_array(path, arrays, space), space), digest


def read_arrays(path: str | os.PathLike[str], what: str, only: str = "") -> tuple[dict[str, np.ndarray], str]:
    """Return the arrays of numbers in a file, by name ("" in a .npy), and the SHA-256 of its bytes.

    Safe as `read_latent_file` is; `what` is the word for them. Of a .npz with an array called `only` it is that one
    alone, whatever the others are. Raises LatentError.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise LatentError(path) from None
    except (OSError, ValueError) as problem:
        raise LatentError(path, f"cannot be read: {describe_error(problem)}.") from None
    if len(data) > LARGEST_FILE:
        raise LatentError(path, f"is larger than the {LARGEST_FILE // 2**20} MiB that a {what} may have.")
    try:
        return _read_arrays(path, data, only), hashlib.sha256(data).hexdigest()
    except LatentError:
        raise
    except MemoryError:
        raise LatentError(path, "does not fit into memory: close other programs.") from None
    except Exception as problem:  # whatever a damaged file makes of three libraries
        why = describe_error(problem) if isinstance(problem, OSError) else "it is damaged or of another kind"
        raise LatentError(path, f"holds no {what} that can be read: {why}.") from None


def write_w_file(path: Path, ws: np.ndarray, *, overwrite: bool = True) -> None:
    """Write w's [num_ws, w_dim] as [1, num_ws, w_dim], called "w" where arrays have names.

    Raises OSError; NameTaken where there is such a file and `overwrite` is False.
    """
    array = np.ascontiguousarray(ws[None], np.float32)
    with _open_target(path, overwrite) as temporary:
        if path.suffix.lower() == ".npy":
            np.save(temporary, array, allow_pickle=False)
        elif path.suffix.lower() == ".npz":
            np.savez(temporary, w=array)
        else:
            from safetensors.numpy import save_file

            save_file({"w": array}, temporary)


@contextmanager
def _open_target(path: Path, overwrite: bool) -> Iterator[Path]:
    """Yield the temporary file that becomes `path`, in the place of another one only if `overwrite` is True."""
    if overwrite:
        with atomic_write(path) as temporary:
            yield temporary
    else:
        with write_new([path]) as new:
            yield new.temporary


def _read_arrays(path: str | os.PathLike[str], data: bytes, only: str) -> dict[str, np.ndarray]:
    if data.startswith(np.lib.format.MAGIC_PREFIX):
        return {"": read_npy(data)}
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            names = [f"{only}.npy"] if f"{only}.npy" in names else names
            return {name.removesuffix(".npy"): _read_member(path, archive, name) for name in names[:16]}
    if len(data) > 8 and int.from_bytes(data[:8], "little") < len(data) and data[8:9] == b"{":
        from safetensors.numpy import load

        return dict(load(data))
    raise LatentError(path, "is none of the files that hold latents: give a .npz, .npy or .safetensors file.")


def _read_member(path: str | os.PathLike[str], archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Read an array of a zip, which may be a bomb: its own word for its size is not taken."""
    with archive.open(name) as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise LatentError(path, f"unpacks to more than the {LARGEST_FILE // 2**20} MiB that a latent may have.")
    return read_npy(data)


def choose_array(path: str | os.PathLike[str], arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Return the array called `name`, or the only one. Raises LatentError."""
    if name in arrays:
        return arrays[name]
    if len(arrays) == 1 and next(iter(arrays)) not in ("z", "w"):
        return next(iter(arrays.values()))
    held = ", ".join(sanitize_text(other, 20) for other in list(arrays)[:8]) or "no arrays"
    raise LatentError(path, f"has no array called {name}: it holds {held}.")


def _check_values(path: str | os.PathLike[str], array: np.ndarray, space: str) -> np.ndarray:
    shape = array.shape
    fits = len(shape) == 1 or (len(shape) in (2, 3) and shape[0] == 1 and not (space == "z" and len(shape) == 3))
    if array.dtype.kind not in "fiu" or not fits or 0 in shape:
        kind = "numbers" if array.dtype.kind in "fiu" else "values that are no numbers"
        raise LatentError(path, f"holds {kind} of shape {describe_shape(shape)}, and a {space} has {SHAPES[space]}.")
    return convert_finite(path, array).reshape(-1, shape[-1])


def convert_finite(path: str | os.PathLike[str], array: np.ndarray) -> np.ndarray:
    """Return numbers as float32. Raises LatentError for those that are not finite."""
    with np.errstate(over="ignore"):
        values = array.astype(np.float32)
    if not np.isfinite(values).all():
        raise LatentError(path, "holds numbers that are not finite, or too large: nothing can be drawn from them.")
    return values


def describe_shape(shape: tuple[int, ...]) -> str:
    """Return a shape as it is written in a sentence."""
    return sanitize_text(list(shape), 60)
