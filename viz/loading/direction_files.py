# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Directions of files: opened once, known by their content from then on, as latents of files are."""

import os
from functools import lru_cache

import numpy as np

from gan.data.direction_files import read_direction_file
from gan.data.latent_files import LatentError
from viz.core.latent import Direction

KEPT = 16  # files, of at most 16 MiB


def open_directions(path: str) -> Direction:
    """Return the first direction of a file. Raises LatentError, one sentence, for a file that holds none."""
    path = os.path.abspath(os.path.expanduser(path))
    found = Direction("file", path=path, digest=read_direction_file(path)[1])
    read_directions(path, found.digest)
    return found


@lru_cache(KEPT)
def read_directions(path: str, digest: str) -> np.ndarray:
    """Return a file's directions, as `read_direction_file` does; the file is read once.

    Raises LatentError if it cannot be read, or is another one since it was opened.
    """
    values, found = read_direction_file(path)
    if found != digest:
        raise LatentError(path, "is not the file any more that it was: open it again.")
    values.flags.writeable = False
    return values
