# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Turn a generator's picture into RGBA bytes for the screen, on the device that rendered it, without waiting for it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gan.data.image_io import to_uint8
from gan.networks.input_transform import InputOverrides
from gan.networks.synthesis import SynthesisNetwork
from viz.core.images import Pixels
from viz.render.inverse_warp import coverage, inverse_warp
from viz.render.upscale import resample, upscale, upscale_factor

InputFacts = tuple[tuple[float, float, float, float] | None, float | None]


def to_rgba8(picture: Tensor, moved: Tensor | None = None, *, enlarge: bool = True) -> tuple[Tensor, Tensor | None]:
    """Turn [1, C, H, W] floats into uint8 [H, W, 4] at their own size and, below SHOWN_SIZE, enlarged (if `enlarge`).

    The alpha of RGBA pictures is kept, and colours are not multiplied by it; all others are opaque. `moved`: the
    transform to undo (input_transform.forward_matrix, on the CPU); what then comes from beyond the picture is black,
    or transparent in RGBA.
    """
    if moved is not None:
        picture = resample(picture, lambda planes: inverse_warp(planes, moved), clear=-1, opaque=1)
    planes = to_uint8(picture)[0].permute(2, 0, 1)
    factor = upscale_factor(picture.shape[3]) if enlarge else 1
    smooth = None
    if factor > 1:
        smooth = resample(planes.float(), lambda some: upscale(some, factor)).add_(0.5).clamp_(0, 255)
    if moved is not None:  # after enlarging, so that the border is sharp there, too
        planes = _cut(planes.float(), coverage(moved, planes.shape[2], planes.device)).add_(0.5)
        smooth = None if smooth is None else _cut(smooth, coverage(moved, smooth.shape[2], smooth.device))
    return _rgba(planes), None if smooth is None else _rgba(smooth)


def _cut(planes: Tensor, covered: Tensor) -> Tensor:
    """Make [3, H, W] black, and [4, H, W] transparent, where `covered` is 0."""
    return torch.cat([planes[:3], planes[3:] * covered]) if len(planes) == 4 else planes * covered


def _rgba(planes: Tensor) -> Tensor:
    """Turn [3 or 4, H, W] values in 0..255 into uint8 [H, W, 4]; plane by plane, several times as fast."""
    pixels = torch.zeros((*planes.shape[1:], 4), dtype=torch.uint8, device=planes.device)
    pixels[:, :, 3] = 255
    for index, plane in enumerate(planes):
        pixels[:, :, index] = plane
    return pixels


def measure_input(
    synthesis: SynthesisNetwork, ws: Tensor, transform: Tensor | None, overrides: InputOverrides
) -> Tensor:
    """Compute [5]: the model's own (r_c, r_s, t_x, t_y) of w, and the share of its input that is left.

    nan for those that the model does not have: see `unpack_input`.
    """
    facts = torch.full((5,), math.nan, device=ws.device, dtype=ws.dtype)
    if transform is None:  # a model without a Fourier input
        return facts
    source = synthesis.input
    if hasattr(source, "affine"):
        facts[:4] = source.learned_transform(ws[:, 0])[0]
    facts[4] = source.retained_power(ws[:, 0], transform, overrides)[0]
    return facts


def unpack_input(facts: Tensor) -> InputFacts:
    """Return the numbers of `measure_input`, in the CPU's memory; None for those that the model does not have."""
    rc, rs, tx, ty, kept = facts.tolist()
    return None if math.isnan(rc) else (rc, rs, tx, ty), None if math.isnan(kept) else kept


class ImageFacts(NamedTuple):
    """Facts of a picture that are known once it is rendered: milliseconds and `unpack_input`."""

    model_ms: float
    post_ms: float
    learned: tuple[float, float, float, float] | None
    kept: float | None


@dataclass(frozen=True, eq=False)
class RenderedImage:
    """A picture, at its own size and, if it is small, enlarged for display.

    `waits`: a device may still be rendering it, and `read` waits for that. `how`: number format, layout, CUDA graph.
    """

    picture: Pixels
    enlarged: Pixels | None
    read: Callable[[], ImageFacts]
    waits: bool = False
    how: str = ""
