# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Files of directions of w: .npy, .npz and .safetensors, read as safely as those of latents."""

import os
from pathlib import Path

import numpy as np

from gan.data.latent_files import LatentError, choose_array, convert_finite, describe_shape, read_arrays
from gan.files.atomic_write import atomic_write

ARRAY = "directions"
MOST_DIRECTIONS = 4096


def read_direction_file(path: str | os.PathLike[str]) -> tuple[np.ndarray, str]:
    """Return a file's directions, float32 [n, 1 or num_ws, w_dim], and the SHA-256 of its bytes.

    The array called "directions", or the only one: [w_dim], [n, w_dim] or [n, num_ws, w_dim]. Raises LatentError.
    """
    arrays, digest = read_arrays(path, "direction")
    array = choose_array(path, arrays, ARRAY)
    if array.dtype.kind not in "fiu" or array.ndim not in (1, 2, 3) or 0 in array.shape:
        kind = "numbers" if array.dtype.kind in "fiu" else "values that are no numbers"
        shapes = "[w_dim], [n, w_dim] or [n, num_ws, w_dim]"
        raise LatentError(path, f"holds {kind} of shape {describe_shape(array.shape)}, and directions have {shapes}.")
    if array.ndim > 1 and len(array) > MOST_DIRECTIONS:
        raise LatentError(path, f"holds {len(array)} directions, and {MOST_DIRECTIONS} are the most.")
    values = convert_finite(path, array)
    if values.ndim < 3:
        values = values.reshape(-1, 1, values.shape[-1])
    if not np.abs(values).max(axis=(1, 2)).all():
        raise LatentError(path, "holds a direction that is all zeros: leave it out.")
    return values, digest


def write_direction_file(path: Path, directions: np.ndarray, sigmas: np.ndarray) -> None:
    """Write directions [n, 1 or num_ws, w_dim] and the standard deviations [n] along them.

    A .npy, which has no names, holds the directions alone. Raises OSError.
    """
    arrays = {ARRAY: np.ascontiguousarray(directions, np.float32), "sigmas": np.ascontiguousarray(sigmas, np.float32)}
    with atomic_write(path) as temporary:
        if path.suffix.lower() == ".npy":
            np.save(temporary, arrays[ARRAY], allow_pickle=False)
        elif path.suffix.lower() == ".npz":
            np.savez(temporary, directions=arrays[ARRAY], sigmas=arrays["sigmas"])
        else:
            from safetensors.numpy import save_file

            save_file(arrays, temporary)
