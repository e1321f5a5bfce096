# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The geometric transforms of a batch as matrices, and the one warp that applies them [ADA, app. B].

A matrix is the inverse map, in pixels from the centre of the picture: where an output's pixel is taken from.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from cuda_ops import upfirdn2d
from gan.augment.config import AugmentConfig
from gan.augment.draws import Draws

# The low-pass of the sym6 wavelet [Daubechies 1992], whose sum is the root of 2. Up and down by 2 a picture comes back
# as it was: what is not moved is not blurred.
SYM6 = (
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633,
    0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252,
    -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
REACH = len(SYM6) // 2  # pixels beyond a corner that the filters need


def draw_geometry(config: AugmentConfig, draws: Draws, width: int, height: int) -> Tensor:
    """Draw each picture's inverse map, [N, 3, 3] on the host, for pictures of width x height pixels."""
    matrix = torch.eye(3).expand(draws.count, 3, 3)
    if config.xflip > 0:
        flipped = draws.apply((draws.uniform() * 2).floor(), config.xflip, 0)
        matrix = matrix @ _scale(1 - 2 * flipped, torch.ones(draws.count))
    if config.rotate90 > 0:
        turns = draws.apply((draws.uniform() * 4).floor(), config.rotate90, 0)
        matrix = matrix @ _rotate(turns * (math.pi / 2))
    if config.xint > 0:
        shift = draws.apply((draws.uniform(2) * 2 - 1) * config.xint_max, config.xint, 0)
        matrix = matrix @ _translate(-(shift[:, 0] * width).round(), -(shift[:, 1] * height).round())
    if config.scale > 0:
        factor = draws.apply(torch.exp2(draws.normal() * config.scale_std), config.scale, 1)
        matrix = matrix @ _scale(1 / factor, 1 / factor)
    # A rotation on either side of the anisotropic scale, so that p is the chance of any at all.
    chance = 1 - math.sqrt(max(1 - min(config.rotate * draws.p, 1.0), 0.0))
    if config.rotate > 0:
        angle = (draws.uniform() * 2 - 1) * (math.pi * config.rotate_max)
        matrix = matrix @ _rotate(draws.apply_with(angle, chance, 0))
    if config.aniso > 0:
        factor = draws.apply(torch.exp2(draws.normal() * config.aniso_std), config.aniso, 1)
        matrix = matrix @ _scale(1 / factor, factor)
    if config.rotate > 0 and draws.percentile is None:
        angle = (draws.uniform() * 2 - 1) * (math.pi * config.rotate_max)
        matrix = matrix @ _rotate(draws.apply_with(angle, chance, 0))
    if config.xfrac > 0:
        shift = draws.apply(draws.normal(2) * config.xfrac_std, config.xfrac, 0)
        matrix = matrix @ _translate(-shift[:, 0] * width, -shift[:, 1] * height)
    return matrix


def warp(images: Tensor, inverse: Tensor) -> Tensor:
    """Move images [N, C, H, W] by the inverse maps [N, 3, 3], which are on the host.

    The surroundings are the picture's reflection as far as that goes, then zero. Those that stay where they are, are
    not touched: the wavelet's filters would give back the same.
    """
    moved = (inverse != torch.eye(3)).flatten(1).any(1)
    if not moved.any():
        return images
    if moved.all():
        return _warp_all(images, inverse)
    indices = moved.nonzero()[:, 0].to(images.device, non_blocking=True)
    return images.index_copy(0, indices, _warp_all(images.index_select(0, indices), inverse[moved]))


def _warp_all(images: Tensor, inverse: Tensor) -> Tensor:
    channels, height, width = images.shape[1:]
    left, right, top, bottom = _margins(inverse, width, height)
    images = F.pad(images, (left, right, top, bottom), mode="reflect")
    inverse = _translate_one((left - right) / 2, (top - bottom) / 2) @ inverse

    taps = images.new_tensor(SYM6) / sum(SYM6)
    images = upfirdn2d(images, taps, up=2, padding=(REACH, REACH - 1, REACH, REACH - 1), gain=4)
    # Twice as many pixels, whose centres lie half a pixel beside the old ones.
    inverse = _scale_one(2) @ inverse @ _scale_one(0.5)
    inverse = _translate_one(-0.5, -0.5) @ inverse @ _translate_one(0.5, 0.5)

    out = 2 * (height + REACH), 2 * (width + REACH)
    across = _scale_one(2 / images.shape[3], 2 / images.shape[2])
    inverse = across @ inverse @ _scale_one(out[1] / 2, out[0] / 2)
    size = [len(images), channels, *out]
    theta = inverse[:, :2].to(images.device, images.dtype, non_blocking=True)
    images = sample(images, F.affine_grid(theta, size, align_corners=False))
    return upfirdn2d(images, taps, down=2, padding=-1, flip_filter=True)


def _margins(inverse: Tensor, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the pixels to add at left, right, top and bottom, so that what the corners show lies inside."""
    x, y = (width - 1) / 2, (height - 1) / 2
    corners = inverse @ torch.tensor([[-x, x, x, -x], [-y, -y, y, y], [1.0, 1.0, 1.0, 1.0]])  # [N, 3, 4]
    far = torch.stack([-corners[:, 0], corners[:, 0], -corners[:, 1], corners[:, 1]]).flatten(1).amax(1)
    beyond = far + REACH - torch.tensor([x, x, y, y])
    limits = torch.tensor([width - 1, width - 1, height - 1, height - 1])
    left, right, top, bottom = beyond.clamp(min=0).minimum(limits).ceil().int().tolist()
    return left, right, top, bottom


def sample(images: Tensor, grid: Tensor) -> Tensor:
    """Sample images bilinearly, zeros outside, differentiable any number of times in the images, not in the grid."""
    return _Sample.apply(images, grid)


class _Sample(torch.autograd.Function):
    """torch's own has no second derivative, which R1 takes; as it is linear in the images, its gradient's is itself."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.size = images.shape
        return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (grid,) = ctx.saved_tensors
        return _SampleBackward.apply(gradients[0], grid, ctx.size), None


class _SampleBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, grid: Tensor, size: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        images = gradient.new_empty(1).expand(size)  # whose values the gradient does not depend on
        found = torch.ops.aten.grid_sampler_2d_backward(gradient, images, grid, 0, 0, False, [True, False])
        return found[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (grid,) = ctx.saved_tensors
        return _Sample.apply(gradients[0], grid), None, None


def _matrix(rows: list[list[Tensor]]) -> Tensor:
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def _scale(x: Tensor, y: Tensor) -> Tensor:
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return _matrix([[x, zero, zero], [zero, y, zero], [zero, zero, one]])


def _translate(x: Tensor, y: Tensor) -> Tensor:
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return _matrix([[one, zero, x], [zero, one, y], [zero, zero, one]])


def _rotate(angle: Tensor) -> Tensor:
    zero, one, sin, cos = torch.zeros_like(angle), torch.ones_like(angle), angle.sin(), angle.cos()
    return _matrix([[cos, -sin, zero], [sin, cos, zero], [zero, zero, one]])


def _scale_one(x: float, y: float | None = None) -> Tensor:
    return torch.tensor([[x, 0.0, 0.0], [0.0, x if y is None else y, 0.0], [0.0, 0.0, 1.0]])


def _translate_one(x: float, y: float) -> Tensor:
    return torch.tensor([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
