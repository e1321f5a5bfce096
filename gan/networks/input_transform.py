# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What one call does to the input: the user's transform, and what takes the place of what the model learned there."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gan.networks.config import ConfigError


def forward_matrix(tx: float, ty: float, degrees: float, scale: float = 1.0) -> Tensor:
    """[3, 3] float64: where the content at a point is seen, (x right, y down, 1) in image widths from the centre.

    The content is enlarged `scale` times about the centre, turned counter-clockwise by `degrees`, then moved right and
    down by (tx, ty) image widths. ValueError for a scale that is not positive.
    """
    if not scale > 0:
        raise ValueError(f"The scale must be a positive number, not {scale:g}.")
    angle = math.radians(degrees)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    return torch.tensor([[cos, sin, tx], [-sin, cos, ty], [0.0, 0.0, 1.0]], dtype=torch.float64)


def user_matrix(tx: float, ty: float, degrees: float, scale: float = 1.0) -> Tensor:
    """The [3, 3] matrix that the Fourier input's `transform` takes (model-spec, "Flexible layers").

    It is the *inverse* of what is seen (`forward_matrix`), since it maps output coordinates to where the input is
    sampled.
    """
    return torch.linalg.inv(forward_matrix(tx, ty, degrees, scale)).float()


def learned_vector(tx: float, ty: float, degrees: float) -> Tensor:
    """[4] (r_c, r_s, t_x, t_y) for `InputOverrides`: turned counter-clockwise, then moved, as the user's transform."""
    angle = math.radians(degrees)
    return torch.tensor([math.cos(angle), math.sin(angle), tx, ty])


@dataclass(frozen=True, eq=False)
class InputOverrides:
    """What takes the place of what a model learned about its input, for one call; as constructed, nothing does.

    `learned`: [4] or [N, 4] (r_c, r_s, t_x, t_y) instead of the affine layer's of w, divided by |(r_c, r_s)| like it
    (rungs H to R). `mean_constant`: the learned 4x4 constant gives way to its mean over the pixels, a channel's (rung
    A): what the picture then has of place comes from noise and from zero padding.
    """

    learned: Tensor | None = None
    mean_constant: bool = False

    def __post_init__(self) -> None:
        # What is on a GPU is not looked at: that would wait for the device, and could not be captured in a graph.
        if self.learned is not None and self.learned.is_cpu:
            if not bool((self.learned[..., :2].norm(dim=-1) > 0).all()):
                raise ConfigError("The pair (r_c, r_s) of a learned transform gives a direction, so it must not be 0.")

    def normalized(self, w: Tensor) -> Tensor:
        """`learned` as [N, 4] beside w [N, w_dim], |(r_c, r_s)| = 1. ConfigError for what cannot be that."""
        assert self.learned is not None
        count = w.shape[0]
        if self.learned.shape not in ((4,), (count, 4)):
            raise ConfigError(f"A learned transform is [4] or [{count}, 4], not {list(self.learned.shape)}.")
        learned = self.learned.to(w.device, w.dtype).expand(count, 4)
        norm = learned[:, :2].norm(dim=1, keepdim=True)
        # What is normalised but for rounding stays: the model's own numbers then give its very picture.
        return learned / torch.where((norm - 1).abs() < 1e-6, torch.ones_like(norm), norm)


NO_OVERRIDES = InputOverrides()
