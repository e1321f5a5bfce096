# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The user's transform of the Fourier input."""

import math

import torch


def user_matrix(tx: float, ty: float, degrees: float) -> torch.Tensor:
    """The [3, 3] matrix that the Fourier input's `transform` takes (model-spec, "Flexible layers").

    It is the *inverse* of what is seen, since it maps output coordinates to where the input is sampled. Positive
    `degrees` turn the picture counter-clockwise; positive `tx`, `ty` move it right and down, in image widths.
    """
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    forward = torch.tensor([[cos, sin, tx], [-sin, cos, ty], [0.0, 0.0, 1.0]], dtype=torch.float64)
    return torch.linalg.inv(forward).float()
