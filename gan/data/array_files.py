# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Read arrays of numbers and words from files that may be damaged, or hostile."""

import io
import math
import os
import zipfile

import numpy as np

from gan.files.errors import describe_error

MOST_ARRAYS = 512


class ArrayFileError(ValueError):
    """A file whose arrays cannot be read; the rest of a sentence that begins with its name."""


def read_npz(path: str | os.PathLike[str], largest: int) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz by name, `largest` bytes of them at most, packed or not.

    Nothing that the file carries is run, and no more than it holds is allocated. Raises ArrayFileError.
    """
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")][:MOST_ARRAYS]
            arrays, room = {}, largest
            for name in names:
                with archive.open(name) as member:
                    data = member.read(room + 1)
                room -= len(data)
                if room < 0:
                    raise ArrayFileError(f"unpacks to more than {largest // 2**20} MiB: give a smaller one.")
                arrays[name.removesuffix(".npy")] = read_npy(data, "biufU")
            return arrays
    except FileNotFoundError:
        raise ArrayFileError("is not there: check its path.") from None
    except ArrayFileError:
        raise
    except MemoryError:
        raise ArrayFileError("does not fit into memory: close other programs.") from None
    except Exception as problem:  # whatever a damaged file makes of the libraries
        why = describe_error(problem) if isinstance(problem, OSError) else "it is damaged, or no .npz"
        raise ArrayFileError(f"cannot be read: {why}.") from None


def read_npy(data: bytes, kinds: str = "fiu") -> np.ndarray:
    """Read an array whose dtype is of one of `kinds`. Raises ValueError, and what numpy does of damaged headers.

    numpy's own reader allocates what a header asks for before it has read it.
    """
    file = io.BytesIO(data)
    read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
    shape, in_columns, dtype = read[np.lib.format.read_magic(file)[0]](file)
    if dtype.kind not in kinds or min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > len(data):
        raise ValueError("no numbers, or not all of them")
    if dtype.itemsize == 0:  # empty words
        return np.zeros(shape, dtype) if math.prod(shape) <= len(data) else np.zeros(0, dtype)
    array = np.frombuffer(data, dtype, math.prod(shape), file.tell())
    return array.reshape(shape, order="F" if in_columns else "C")
