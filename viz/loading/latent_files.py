# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Latents of files: known by their content, and kept in memory once they were read."""

import os
from functools import lru_cache

import numpy as np

from gan.data.latent_files import LatentError, read_arrays, read_latent_file
from viz.core.latent import FileLatent

KEPT = 256  # files; a file's w's have some ten thousand numbers
ARRAY_SUFFIXES = (".npz", ".npy")  # of files that hold no model


def is_latent_file(path: str) -> bool:
    """Return True for a file that is to be opened as a latent and not as a model.

    That is a .npz or a .npy, and a .safetensors that names a z or a w, or has a single tensor, as no model does.
    """
    if not path.lower().endswith(".safetensors"):
        return path.lower().endswith(ARRAY_SUFFIXES)
    from gan.checkpoints.other_files import DIRECTIONS, LATENTS, describe_names  # here: a start is short
    from gan.checkpoints.read_limits import Budget, FileRange, RefusedError
    from gan.checkpoints.torch_format import read_safetensors

    try:
        with open(path, "rb", buffering=0) as file:
            source = FileRange(file, 0, os.fstat(file.fileno()).st_size)
            names = read_safetensors(source, Budget(source.size)).tensors.keys()
    except (OSError, ValueError, RefusedError):  # ValueError: a null byte in the path
        return False
    what = describe_names(names)
    return what == LATENTS or not names.isdisjoint(("z", "w")) or (len(names) == 1 and what != DIRECTIONS)


def open_latent(path: str, space: str = "") -> FileLatent:
    """Return the latent of a file; a `space` that is not given is w, or z in a file that has no w but a z.

    Raises LatentError, one sentence, for a file that holds none.
    """
    path = os.path.abspath(os.path.expanduser(path))
    try:
        latent = FileLatent("z" if space == "z" else "w", path, read_latent_file(path, space or "w")[1])
    except LatentError as problem:
        if space:
            raise
        try:
            latent = FileLatent("z", path, read_latent_file(path, "z")[1])
        except LatentError:
            raise problem from None
    read_values(latent)
    return latent


@lru_cache(KEPT)
def read_values(latent: FileLatent) -> np.ndarray:
    """Return a latent's numbers, as `read_latent_file` does; the file is read once.

    Raises LatentError if it cannot be read, or is another one since the latent was opened.
    """
    if not os.path.exists(latent.path):
        raise LatentError(latent.path, "is not there any more: open another file in the Latent panel, or take a seed.")
    values, digest = read_latent_file(latent.path, latent.space)
    if digest != latent.digest:
        raise LatentError(latent.path, "is not the file any more that it was: open it again.")
    values.flags.writeable = False
    return values


@lru_cache(KEPT)
def may_be_z(latent: FileLatent) -> bool:
    """Return True for a w that might be a z as well: a single vector, in a file that does not name it."""
    try:
        named = "w" in read_arrays(latent.path, "latent", "w")[0]
        return latent.space == "w" and not named and len(read_values(latent)) == 1
    except LatentError:
        return False
