# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The user's transform of the input, and overrides for what the model learned about its input."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gan.networks.config import ConfigError


def forward_matrix(
    tx: float,
    ty: float,
    degrees: float,
    scale: float = 1.0,
    stretch: float = 1.0,
    shear: float = 0.0,
    mirror: float = False,
) -> Tensor:
    """Return the [3, 3] float64 matrix from a point of the content to where it is seen.

    Points are (x right, y down, 1) in image widths from the centre, about which the content is mirrored left to right,
    made `stretch` times wider for its height at the same area, sheared (what lies y below the centre goes shear y to
    the right), enlarged `scale` times and turned counter-clockwise by `degrees`; then it is moved right and down by
    (tx, ty) image widths. ValueError for a scale or a stretch that is not positive.
    """
    for name, factor in (("scale", scale), ("stretch", stretch)):
        if not factor > 0:
            raise ValueError(f"The {name} must be a positive number, not {factor:g}.")
    angle = math.radians(degrees)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    turn = torch.tensor([[cos, sin, tx], [-sin, cos, ty], [0.0, 0.0, 1.0]], dtype=torch.float64)
    if (stretch, shear, bool(mirror)) == (1.0, 0.0, False):
        return turn
    wide, high = math.sqrt(stretch), 1 / math.sqrt(stretch)
    deform = [[-wide if mirror else wide, shear * high, 0.0], [0.0, high, 0.0], [0.0, 0.0, 1.0]]
    return turn @ torch.tensor(deform, dtype=torch.float64)


def user_matrix(tx: float, ty: float, degrees: float, scale: float = 1.0, *deform: float) -> Tensor:
    """Return the [3, 3] matrix that the Fourier input's `transform` takes (references, "Flexible layers").

    It is the *inverse* of `forward_matrix`, whose arguments it takes, since it maps output coordinates to where the
    input is sampled.
    """
    return torch.linalg.inv(forward_matrix(tx, ty, degrees, scale, *deform)).float()


def learned_vector(tx: float, ty: float, degrees: float) -> Tensor:
    """Return [4] (r_c, r_s, t_x, t_y) for `InputOverrides`: turn counter-clockwise, then move, as `forward_matrix`."""
    angle = math.radians(degrees)
    return torch.tensor([math.cos(angle), math.sin(angle), tx, ty])


@dataclass(frozen=True, eq=False)
class InputOverrides:
    """Replacements for what a model learned about its input, for one call; the defaults replace nothing.

    `learned`: [4] or [N, 4] (r_c, r_s, t_x, t_y) in place of the affine layer's output, divided by |(r_c, r_s)| like it
    (rungs H to R). `mean_constant`: each channel of the learned 4x4 constant becomes its mean over the pixels (rung A),
    so that the picture knows places from noise and zero padding alone.
    """

    learned: Tensor | None = None
    mean_constant: bool = False

    def __post_init__(self) -> None:
        # Values on a GPU are not checked: that would wait for the device, and could not be captured in a graph.
        if self.learned is not None and self.learned.is_cpu:
            if not bool((self.learned[..., :2].norm(dim=-1) > 0).all()):
                raise ConfigError("The pair (r_c, r_s) of a learned transform gives a direction, so it must not be 0.")

    def normalized(self, w: Tensor) -> Tensor:
        """Return `learned` as [N, 4] for w [N, w_dim], with |(r_c, r_s)| = 1. ConfigError for another shape."""
        assert self.learned is not None
        count = w.shape[0]
        if self.learned.shape not in ((4,), (count, 4)):
            raise ConfigError(f"A learned transform is [4] or [{count}, 4], not {list(self.learned.shape)}.")
        learned = self.learned.to(w.device, w.dtype).expand(count, 4)
        norm = learned[:, :2].norm(dim=1, keepdim=True)
        # Values that are normalised up to rounding stay: the model's own numbers then give exactly its picture.
        return learned / torch.where((norm - 1).abs() < 1e-6, torch.ones_like(norm), norm)


NO_OVERRIDES = InputOverrides()
