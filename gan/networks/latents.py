# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Latent vectors by seed."""

import numpy as np


def z_from_seed(seed: int, z_dim: int) -> np.ndarray:
    """The latent that users of the official tools expect for a seed: [1, z_dim] normal float64 numbers.

    Seeds are taken modulo 2**32, which is what RandomState accepts.
    """
    return np.random.RandomState(seed % 2**32).randn(1, z_dim)
